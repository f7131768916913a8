/* The topology file: what is missing is made, what is there stays, and a wrong file is refused with
 * its name, the place and the reason, before anything is let in. */
#include "tests/unit/topicd/rig.h"

struct world {
    struct rig *rig;
    char *file;
};

static int set_up(void **state)
{
    struct world *w = mem_alloc(sizeof(*w));

    w->rig = rig_new(0);
    w->file = mem_printf("%s/topology.json", w->rig->dir);
    rig_set(w->rig, "topology", w->file);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    rig_free(w->rig);
    mem_free(w->file);
    mem_free(w);
    return 0;
}

static void write_file(struct world *w, const char *text)
{
    store_aid_write(w->file, text);
}

/* The start is refused; behind the file's name the line reads so. */
static void refused(struct world *w, const char *text, const char *complaint)
{
    struct fault f = {0};

    write_file(w, text);
    w->rig->options.server.http_port = rig_free_port();
    assert_int_equal(topicd_open(&w->rig->t, &w->rig->options, &ENVIRONMENT_SYSTEM, NULL, &f),
                     E_FAULT);
    if (!str_starts(str_of(f.text), str_of(w->file)))
        fail_msg("%s", f.text);
    assert_string_equal(f.text + strlen(w->file), complaint);
}

static void test_made_once(void **state)
{
    struct world *w = *state;
    struct rig *r = w->rig;
    struct buf out = {0};

    write_file(
        w, "{\"topics\":[{\"//\":\"note\",\"Name\":\"t\",\"Attributes\":{\"DisplayName\":\"d\","
           "\"MaximumMessageSize\":2048}}],\"queues\":[{\"QueueName\":\"q\"}],"
           "\"subscriptions\":[{\"Topic\":\"t\",\"Protocol\":\"sqs\",\"Endpoint\":\"q\","
           "\"Attributes\":{\"RawMessageDelivery\":true,\"FilterPolicy\":{\"a\":[\"x\"]}}},"
           "{\"Topic\":\"" RIG_TOPIC "\",\"Protocol\":\"sqs\",\"Endpoint\":\"" RIG_QUEUE(
               "p") "\",\"Attributes\":{\"FilterPolicy\":\"{ \\\"a\\\" : [ \\\"y\\\" ] }\"}}]}");
    rig_start(r);
    assert_int_equal(r->t->catalog.topics.n, 1);
    assert_int_equal(r->t->catalog.subs.n, 2);
    struct topic *t = catalog_topic(&r->t->catalog, STR(RIG_TOPIC));

    assert_int_equal(t->message_size_max, 2048);
    struct sub *q = catalog_find_sub(t, STR("sqs"), STR(RIG_QUEUE("q")));
    struct sub *p = catalog_find_sub(t, STR("sqs"), STR(RIG_QUEUE("p")));

    assert_true(q && q->raw && q->has_policy && p && !p->raw && p->has_policy);
    assert_string_equal(p->attributes, "{\"FilterPolicy\":\"{\\\"a\\\":[\\\"y\\\"]}\"}");
    /* What was changed since stays so at the next start. */
    RIG_OK(r, "Action=SetTopicAttributes&TopicArn=" RIG_TOPIC "&AttributeName=DisplayName"
              "&AttributeValue=changed");
    char *arn = mem_dup(q->arn);

    rig_stop(r);
    rig_start(r);
    assert_int_equal(r->t->catalog.subs.n, 2);
    assert_non_null(catalog_sub(&r->t->catalog, str_of(arn)));
    assert_int_equal(rig_call(r, "Action=GetTopicAttributes&TopicArn=" RIG_TOPIC, &out), 200);
    assert_non_null(strstr(out.p, "<value>changed</value>"));
    mem_free(arn);
    buf_deinit(&out);
}

static void test_refusals(void **state)
{
    struct world *w = *state;

    refused(w, "{\"topics\":[\n  {\"Name\":\"a b\"}]}",
            ":2:3: topics[0]: Invalid parameter: Topic Name");
    refused(w, "{\"topics\":[\n  {\"Nam\":\"a\"}]}", ":2:10: topics[0].Nam: no such member");
    refused(w, "{\"topics\":[{}]}", ":1:12: topics[0]: Name is missing");
    refused(w, "{\"topics\":{}}", ":1:11: topics: must be an array, not an object");
    refused(w, "{\"topic\":[]}", ":1:10: topic: no such member");
    refused(w,
            "{\"subscriptions\":[\n\n {\"Topic\":\"t\",\"Protocol\":\"sqs\",\"Endpoint\":\"q\"}]}",
            ":3:2: subscriptions[0]: there is no topic t");
    refused(w,
            "{\"topics\":[{\"Name\":\"t\"}],\"subscriptions\":[{\"Topic\":\"t\",\"Protocol\":"
            "\"lambda\",\"Endpoint\":\"q\"}]}",
            ":1:43: subscriptions[0]: Subscriptions with the protocol lambda are not implemented.");
    refused(w,
            "{\"topics\":[{\"Name\":\"t\"}],\"subscriptions\":[{\"Topic\":\"t\",\"Protocol\":"
            "\"sqs\",\"Endpoint\":\"q\",\"Attributes\":{\"RawMessageDelivery\":\"x\"}}]}",
            ":1:43: subscriptions[0]: Invalid parameter: Attributes Reason: RawMessageDelivery: "
            "Invalid value [x]. Must be true or false.");
    /* None of it was kept. */
    write_file(w, "{}");
    rig_start(w->rig);
    assert_int_equal(w->rig->t->catalog.topics.n, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_made_once),
        TEST(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
