/* What the catalog stands on: places that stay, settings that read back, accounts and regions
 * apart, and memory that is what the store says. */
#include "tests/unit/topicd/rig.h"

static void test_shelf(void **state)
{
    struct slots s = {0};
    int items[10];
    u32 at = 0;

    for (u32 i = 0; i < 10; i++)
        assert_int_equal(slots_put(&s, &items[i]), i);
    slots_remove(&s, 3);
    slots_remove(&s, 7);
    assert_null(slots_get(&s, 3));
    assert_null(slots_get(&s, 10));
    assert_ptr_equal(slots_get(&s, 4), &items[4]);
    assert_int_equal(s.n, 8);
    for (u32 i = 0; i < 8; i++)
        assert_non_null(slots_next(&s, &at));
    assert_null(slots_next(&s, &at));
    /* Free places are taken again, and no other one moves. */
    assert_int_equal(slots_put(&s, &items[7]), 7);
    assert_int_equal(slots_put(&s, &items[3]), 3);
    assert_int_equal(slots_put(&s, &items[0]), 10);
    assert_ptr_equal(slots_get(&s, 9), &items[9]);
    slots_deinit(&s);
}

static void test_settings(void **state)
{
    static const char *const broken[] = {
        "", "[]", "{\"a\":1}", "{\"a\":{}}", "{\"a\":\"b\"", "{\"a\":\"b\"} x", "{\"a\":null}"};
    struct settings s;
    struct buf out = {0};

    settings_init(&s);
    assert_int_equal(settings_read(&s, STR("{\"a\":\"x\\n\\u00e4\",\"b\":\"\",\"a\":\"y\\\"\"}")),
                     0);
    assert_true(str_is(settings_get(&s, STR("a")), "y\""));
    assert_true(settings_get(&s, STR("b")).p && !settings_get(&s, STR("b")).n);
    assert_null(settings_get(&s, STR("c")).p);
    settings_set(&s, STR("c"), STR("\xC3\xA4\n"));
    settings_remove(&s, STR("b"));
    settings_remove(&s, STR("b"));
    settings_write(&s, &out);
    assert_string_equal(out.p, "{\"a\":\"y\\\"\",\"c\":\"\xC3\xA4\\n\"}");
    for (int i = 0; i < 40; i++) {
        char name[16];

        snprintf(name, sizeof(name), "n%d", i);
        settings_set(&s, str_of(name), STR("v"));
    }
    assert_int_equal(s.n, 42);
    assert_true(str_is(settings_get(&s, STR("a")), "y\""));
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        settings_reset(&s);
        assert_int_equal(settings_read(&s, str_of(broken[i])), E_INVALID);
    }
    buf_deinit(&out);
    settings_deinit(&s);
}

/* As a caller of another account or region. */
static int call_as(struct rig *r, const char *account, const char *region, const char *form,
                   struct buf *out)
{
    struct request rq = {.method = STR("POST"),
                         .path = STR("/"),
                         .content_type = STR("application/x-www-form-urlencoded"),
                         .account = str_of(account),
                         .region = str_of(region),
                         .body = str_of(form)};
    struct rig_answer a = {0};

    desk_take(r->t->server.desk, &rq, rig_reply, &a);
    RIG_UNTIL(r, a.there);
    buf_deinit(out);
    *out = a.body;
    return a.status;
}

static void test_accounts_and_regions_are_apart(void **state)
{
    struct rig *r = rig_new(0);
    struct buf out = {0};

    rig_start(r);
    RIG_OK(r, "Action=CreateTopic&Name=t");
    assert_int_equal(call_as(r, "111111111111", "us-east-1", "Action=ListTopics", &out), 200);
    assert_non_null(strstr(out.p, "<Topics/>"));
    assert_int_equal(call_as(r, "000000000000", "eu-west-1", "Action=CreateTopic&Name=t", &out),
                     200);
    assert_non_null(strstr(out.p, "arn:aws:sns:eu-west-1:000000000000:t<"));
    assert_int_equal(call_as(r, "111111111111", "us-east-1", "Action=CreateTopic&Name=t", &out),
                     200);
    assert_int_equal(r->t->catalog.topics.n, 3);
    /* A subscription belongs to who asked for it, and is listed there. */
    assert_int_equal(call_as(r, "111111111111", "us-east-1",
                             "Action=Subscribe&Protocol=sqs&TopicArn=" RIG_TOPIC
                             "&Endpoint=" RIG_QUEUE("q"),
                             &out),
                     200);
    assert_int_equal(call_as(r, "111111111111", "us-east-1", "Action=ListSubscriptions", &out),
                     200);
    assert_non_null(strstr(out.p, "<Owner>111111111111</Owner>"));
    assert_int_equal(rig_call(r, "Action=ListSubscriptions", &out), 200);
    assert_non_null(strstr(out.p, "<Subscriptions/>"));
    /* All of it is so after a restart. */
    rig_stop(r);
    rig_start(r);
    assert_int_equal(r->t->catalog.topics.n, 3);
    assert_int_equal(call_as(r, "111111111111", "us-east-1", "Action=ListSubscriptions", &out),
                     200);
    assert_non_null(strstr(out.p, "<Owner>111111111111</Owner>"));
    assert_int_equal(rig_call(r, "Action=DeleteTopic&TopicArn=" RIG_TOPIC, &out), 200);
    assert_int_equal(call_as(r, "111111111111", "us-east-1", "Action=ListSubscriptions", &out),
                     200);
    assert_non_null(strstr(out.p, "<Subscriptions/>"));
    buf_deinit(&out);
    rig_free(r);
}

/* What everybody sees of a deleted topic that is still being cleared away: nothing. */
static void check_gone(struct rig *r, const char *sub_arn)
{
    struct buf out = {0};
    char *form = mem_printf("Action=GetSubscriptionAttributes&SubscriptionArn=%s", sub_arn);

    RIG_REFUSED(r, form, 404, "NotFound", "Subscription does not exist");
    mem_free(form);
    form = mem_printf("Action=Unsubscribe&SubscriptionArn=%s", sub_arn);
    assert_int_equal(rig_call(r, form, &out), 200);
    mem_free(form);
    assert_int_equal(rig_call(r, "Action=ListSubscriptions", &out), 200);
    assert_non_null(strstr(out.p, RIG_QUEUE("kept")));
    assert_null(strstr(out.p, RIG_QUEUE("q")));
    assert_int_equal(catalog_sub_count(&r->t->catalog), 1);
    assert_int_equal(rig_call(r, "Action=ListTopics", &out), 200);
    assert_null(strstr(out.p, RIG_TOPIC "<"));
    RIG_REFUSED(r, "Action=GetTopicAttributes&TopicArn=" RIG_TOPIC, 404, "NotFound",
                "Topic does not exist");
    RIG_REFUSED(r, "Action=Publish&Message=m&TopicArn=" RIG_TOPIC, 404, "NotFound",
                "Topic does not exist");
    buf_deinit(&out);
}

enum { MANY = 6000 };

static void subscribe_many(struct rig *r)
{
    struct catalog *c = &r->t->catalog;
    struct topic *t = catalog_topic(c, STR(RIG_TOPIC));

    for (int i = 0; i < MANY; i++) {
        char endpoint[80];

        snprintf(endpoint, sizeof(endpoint), RIG_QUEUE("q%d"), i);
        catalog_add_sub(c, t, t->scope, STR("sqs"), str_of(endpoint),
                        i % 2 ? STR("{}") : STR("{\"FilterPolicy\":\"{\\\"a\\\":[\\\"b\\\"]}\"}"),
                        &r->t->server.ids, 0);
    }
}

static void test_a_deleted_topic_is_gone_at_once(void **state)
{
    struct rig *r = rig_new(0);

    rig_start(r);
    struct catalog *c = &r->t->catalog;

    RIG_OK(r, "Action=CreateTopic&Name=other");
    RIG_OK(r, "Action=Subscribe&Protocol=sqs&TopicArn=arn:aws:sns:us-east-1:000000000000:other"
              "&Endpoint=" RIG_QUEUE("kept"));
    RIG_OK(r, "Action=CreateTopic&Name=t");
    subscribe_many(r);
    RIG_OK(r, "Action=Subscribe&Protocol=sqs&TopicArn=" RIG_TOPIC "&Endpoint=" RIG_QUEUE("q"));
    struct scope *scope = catalog_find_scope(c, STR("000000000000"), STR("us-east-1"));
    struct sub *last =
        catalog_find_sub(catalog_topic(c, STR(RIG_TOPIC)), STR("sqs"), STR(RIG_QUEUE("q")));
    char *arn = mem_dup(last->arn);

    assert_int_equal(scope->policy_count, MANY / 2);
    RIG_OK(r, "Action=DeleteTopic&TopicArn=" RIG_TOPIC);
    background_sleep(r->t->server.background, &c->clearing); /* so that much of it is still there */
    assert_in_range(c->gone_subs, MANY / 2, MANY + 1);
    assert_int_equal(scope->policy_count, 0);
    check_gone(r, arn);
    /* One of the same name has nothing of it. */
    RIG_OK(r, "Action=CreateTopic&Name=t");
    assert_int_equal(catalog_topic(c, STR(RIG_TOPIC))->subs.n, 0);
    RIG_OK(r, "Action=DeleteTopic&TopicArn=" RIG_TOPIC);
    background_sleep(r->t->server.background, &c->clearing);
    /* A restart in the midst of it: gone as before, and cleared away to the last row. */
    rig_stop(r);
    rig_start(r);
    assert_in_range(r->t->catalog.orphan_count, MANY / 2, MANY + 1);
    check_gone(r, arn);
    RIG_UNTIL(r, r->t->catalog.orphan_count == 0);
    rig_stop(r);
    rig_start(r);
    assert_int_equal(r->t->catalog.orphan_count, 0);
    check_gone(r, arn);
    /* And without a restart. */
    RIG_OK(r, "Action=CreateTopic&Name=t");
    subscribe_many(r);
    RIG_OK(r, "Action=DeleteTopic&TopicArn=" RIG_TOPIC);
    RIG_UNTIL(r, list_is_empty(&r->t->catalog.gone));
    assert_int_equal(r->t->catalog.subs.n, 1);
    assert_int_equal(r->t->catalog.gone_subs, 0);
    mem_free(arn);
    rig_free(r);
}

/* A commit that fails takes the clearing of its turn back, and the deletion too. */
static void test_a_deletion_that_fails(void **state)
{
    struct rig *r = rig_new(0);
    struct buf out = {0};

    rig_start(r);
    RIG_OK(r, "Action=CreateTopic&Name=t");
    subscribe_many(r);
    rig_turn(r);
    fail_disk();
    assert_true(rig_call(r, "Action=DeleteTopic&TopicArn=" RIG_TOPIC, &out) >= 500);
    assert_int_equal(catalog_topic(&r->t->catalog, STR(RIG_TOPIC))->subs.n, MANY);
    failing_vfs_heal();
    RIG_UNTIL(r, !r->t->server.failing);
    RIG_OK(r, "Action=DeleteTopic&TopicArn=" RIG_TOPIC);
    fail_disk();
    RIG_UNTIL(r, r->t->server.failing);
    assert_null(catalog_topic(&r->t->catalog, STR(RIG_TOPIC)));
    assert_int_equal(r->t->catalog.subs.n, 0);
    assert_true(r->t->catalog.orphan_count > 0);
    failing_vfs_heal();
    RIG_UNTIL(r, r->t->catalog.orphan_count == 0);
    buf_deinit(&out);
    rig_free(r);
}

/* However many places of a list are empty, a page costs a page. */
static void test_a_page_looks_at_so_many_places(void **state)
{
    struct rig *r = rig_new(0);
    struct buf out = {0};

    rig_start(r);
    RIG_OK(r, "Action=CreateTopic&Name=t");
    subscribe_many(r);
    RIG_OK(r, "Action=CreateTopic&Name=other");
    RIG_OK(r, "Action=Subscribe&Protocol=sqs&TopicArn=arn:aws:sns:us-east-1:000000000000:other"
              "&Endpoint=" RIG_QUEUE("kept"));
    RIG_OK(r, "Action=DeleteTopic&TopicArn=" RIG_TOPIC);
    background_sleep(r->t->server.background, &r->t->catalog.clearing);
    assert_int_equal(rig_call(r, "Action=ListSubscriptions", &out), 200);
    assert_null(strstr(out.p, RIG_QUEUE("kept")));
    char *token = rig_element(&out, "NextToken");
    char *form = mem_printf("Action=ListSubscriptions&NextToken=%s", token);

    assert_int_equal(rig_call(r, form, &out), 200);
    assert_non_null(strstr(out.p, RIG_QUEUE("kept")));
    assert_null(strstr(out.p, "NextToken"));
    mem_free(form);
    mem_free(token);
    buf_deinit(&out);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shelf),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_accounts_and_regions_are_apart),
        cmocka_unit_test(test_a_deleted_topic_is_gone_at_once),
        cmocka_unit_test(test_a_deletion_that_fails),
        cmocka_unit_test(test_a_page_looks_at_so_many_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
