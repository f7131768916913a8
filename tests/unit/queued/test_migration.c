/* Stores of earlier versions (tests/stores): everything is found in them, under its MessageId, by
 * its old handle, with its counts and times; and new messages go beside it. */
#include "rig.h"

#define STORES       "tests/stores/v1/"
#define EXPECTED_MAX 65536

static struct json_doc expected;

static int read_expected(void **state)
{
    struct fault f = {0};
    json_setup();
    if (json_open_file(&expected, STORES "expected.json", EXPECTED_MAX, false, &f))
        fail_msg("%s", f.text);
    return 0;
}

static int drop_expected(void **state)
{
    json_close(&expected);
    return 0;
}

/* When the stores were made; their clocks were moved by hand and stood there. */
static i64 wall_us(void *arg)
{
    return INT64_C(1796037068782) * 1000;
}

static i64 mono_us(void *arg)
{
    return CLOCK_SYSTEM.mono_us(CLOCK_SYSTEM.arg);
}

static const struct clock_source then = {wall_us, mono_us, NULL};

/* A daemon on a copy of the store of that instance, after `sql` (NULL: none). */
static struct rig *with_store(const char *instance, const char *sql)
{
    struct rig *r = rig_new();
    char *from = mem_printf(STORES "%s.db", instance), *to = mem_printf("%s/queued.db", r->dir);
    store_aid_copy(from, to);
    if (sql)
        store_aid_sql(to, sql);
    r->environment.clock = &then;
    rig_start(r);
    mem_free(to);
    mem_free(from);
    return r;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    assert_non_null(text);
    return text;
}

/* The queue gives out what is expected of it, in that order, and no more. */
static void check_messages(struct rig *r, const char *queue)
{
    json_t *want = json_object_get(json_object_get(expected.root, "messages"), queue);
    struct json_doc got;
    struct fault f = {0};
    char *body =
        mem_printf("{'QueueUrl':'%s','MaxNumberOfMessages':10,'VisibilityTimeout':0}", queue);
    char *answer = rig_call(r, NULL, "ReceiveMessage", body);
    assert_int_equal(json_open(&got, str_of(answer), NULL, false, &f), 0);
    json_t *messages = json_object_get(got.root, "Messages");
    assert_true(json_array_size(want) > 0);
    assert_int_equal(json_array_size(messages), json_array_size(want));
    for (size_t i = 0; i < json_array_size(want); i++) {
        const json_t *w = json_array_get(want, i), *g = json_array_get(messages, i);
        assert_string_equal(text_of(g, "MessageId"), text_of(w, "MessageId"));
        assert_string_equal(text_of(g, "Body"), text_of(w, "Body"));
    }
    json_close(&got);
    mem_free(answer);
    mem_free(body);
}

static void check_queues(struct rig *r, const char *instance)
{
    json_t *names = json_object_get(json_object_get(expected.root, "queues"), instance);
    size_t found = 0;
    for (size_t i = 0; i < json_array_size(names); i++)
        found += rig_queue(r, json_string_value(json_array_get(names, i))) != NULL;
    assert_int_equal(found, queues_count(&r->d->queues));
    assert_true(found > 0);
}

static char *by_handle(const char *message, const char *more)
{
    const json_t *handles = json_object_get(expected.root, "handles");
    return mem_printf("{'QueueUrl':'in-flight','ReceiptHandle':'%s'%s}", text_of(handles, message),
                      more);
}

static void messages_of_version_1(void **state)
{
    struct rig *r = with_store("queued", NULL);
    check_queues(r, "queued");
    for (int life = 0; life < 2; life++) {
        rig_counts(r, "plain", 3, 0, 0);
        rig_counts(r, "wrapped", 2, 0, 0);
        for (char name[] = "far-0"; name[4] < '5'; name[4]++)
            rig_counts(r, name, 3, 0, 0);
        check_messages(r, "plain");
        rig_restart(r);
    }
    char *answer =
        rig_call(r, NULL, "ReceiveMessage", "{'QueueUrl':'wrapped','VisibilityTimeout':0}");
    const json_t *by = json_object_get(expected.root, "subscriptions");
    assert_non_null(strstr(answer, text_of(by, "wrapped")));
    mem_free(answer);
    /* What is new goes behind what is old; bodies that several queues hold go with the last. */
    i64 bodies = rig_rows(r, "body");
    rig_send(r, "plain", "new");
    rig_counts(r, "plain", 4, 0, 0);
    rig_restart(r);
    rig_receives(r, "plain", "", "plain 0;plain 1;plain 2;new;");
    for (char name[] = "far-0"; name[4] < '5'; name[4]++) {
        assert_int_equal(rig_rows(r, "body"), bodies + 1);
        queue_purge(rig_queue(r, name));
        RIG_UNTIL(r, queues_first_doomed(&r->d->queues) == NULL);
        rig_turn(r);
    }
    assert_int_equal(rig_rows(r, "body"), bodies + 1 - 3);
    rig_free(r);
}

static void hidden_ones_of_version_1(void **state)
{
    struct rig *r = with_store("queued2", NULL);
    check_queues(r, "queued2");
    for (int life = 0; life < 2; life++) {
        rig_counts(r, "delayed", 0, 0, 1);
        rig_counts(r, "in-flight", 0, 2, 0);
        rig_counts(r, "raw", 2, 0, 0);
        rig_counts(r, "far-5", 0, 0, 0);
        check_messages(r, "purged");
        rig_restart(r);
    }
    char *delete = by_handle("flight 1", ""),
         *hide = by_handle("flight 0", ",'VisibilityTimeout':0");
    rig_do(r, "DeleteMessage", delete);
    rig_counts(r, "in-flight", 0, 1, 0);
    rig_do(r, "ChangeMessageVisibility", hide);
    char *answer =
        rig_call(r, NULL, "ReceiveMessage", "{'QueueUrl':'in-flight','AttributeNames':['All']}");
    assert_non_null(strstr(answer, "\"ApproximateReceiveCount\":\"3\""));
    assert_non_null(strstr(answer, "\"Body\":\"flight 0\""));
    rig_advance(r, 900000);
    check_messages(r, "delayed");
    mem_free(answer);
    mem_free(hide);
    mem_free(delete);
    rig_free(r);
}

/* What was purged may lie in the store of that version still: its rows are told by the number that
 * the queue's row calls purged_id. */
static void a_purge_of_version_1(void **state)
{
    struct rig *r = with_store("queued", "UPDATE queue SET attributes=replace(attributes,"
                                         "'\"purged_id\":0','\"purged_id\":10')"
                                         " WHERE name='plain'");
    rig_counts(r, "plain", 1, 0, 0);
    rig_receives(r, "plain", "", "plain 2;");
    RIG_UNTIL(r, queues_first_doomed(&r->d->queues) == NULL);
    rig_do(r, "SetQueueAttributes", "{'QueueUrl':'plain','Attributes':{'DelaySeconds':'1'}}");
    rig_restart(r);
    assert_int_equal(rig_queue(r, "plain")->purged_seq, 10);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_version_1),
        cmocka_unit_test(hidden_ones_of_version_1),
        cmocka_unit_test(a_purge_of_version_1),
    };
    return cmocka_run_group_tests(tests, read_expected, drop_expected);
}
