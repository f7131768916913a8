/* The topology file: what it makes, what it leaves alone, and where it says that it is wrong. */
#include "rig.h"

#include "queued/topology.h"

static struct fault fault;

static int apply(struct rig *r, const char *text)
{
    struct json_doc doc = {0};
    fault_clear(&fault);
    int err = json_open(&doc, str_of(text), "topology.json", false, &fault);
    if (!err)
        err = queued_topology_apply(&r->d->queues, &doc, STR("000000000000"), STR("us-east-1"),
                                    &fault);
    json_close(&doc);
    loop_dirty(r->d->server.loop);
    rig_turn(r);
    return err;
}

static void complains(struct rig *r, const char *text, const char *place, const char *why)
{
    assert_int_equal(apply(r, text), E_FAULT);
    if (strncmp(fault.text, place, strlen(place)) != 0 || !strstr(fault.text, why))
        fail_msg("%s instead of %s … %s", fault.text, place, why);
}

static void queues_are_made_once(void **state)
{
    struct rig *r = rig_started();
    const char *text = "{\"//\":\"two\",\"topics\":[{\"Name\":\"t\"}],\"subscriptions\":[],"
                       "\"queues\":[{\"QueueName\":\"a\"},{\"QueueName\":\"b\",\"//\":\"slow\","
                       "\"Attributes\":{\"VisibilityTimeout\":77,\"DelaySeconds\":\"5\","
                       "\"Policy\":{\"Statement\":[]}}}]}";
    assert_int_equal(apply(r, text), 0);
    assert_non_null(rig_queue(r, "a"));
    assert_int_equal(rig_queue(r, "b")->attributes.visibility_s, 77);
    assert_int_equal(rig_queue(r, "b")->attributes.delay_s, 5);
    assert_string_equal(rig_queue(r, "b")->attributes.policy, "{\"Statement\":[]}");
    rig_do(r, "SetQueueAttributes", "{'QueueUrl':'b','Attributes':{'VisibilityTimeout':'1'}}");
    assert_int_equal(apply(r, text), 0);
    assert_int_equal(rig_queue(r, "b")->attributes.visibility_s, 1);
    assert_int_equal(queues_count(&r->d->queues), 2);
    assert_int_equal(apply(r, "{}"), 0);
    rig_free(r);
}

#define SOURCE(target)                                                                             \
    "{\"queues\":[{\"QueueName\":\"a\",\"Attributes\":{\"RedrivePolicy\":{"                        \
    "\"deadLetterTargetArn\":"                                                                     \
    "\"arn:aws:sqs:us-east-1:000000000000:" target "\",\"maxReceiveCount\":3}}},"                  \
    "{\"QueueName\":\"dead\"}]}"

static void sources_before_their_dead_letter_queue(void **state)
{
    struct rig *r = rig_started();
    complains(r, SOURCE("gone"), "topology.json:1", "Dead letter target does not exist.");
    assert_int_equal(apply(r, SOURCE("dead")), 0);
    assert_int_equal(rig_queue(r, "a")->receives_max, 3);
    rig_free(r);
}

static void wrong_ones_name_the_place(void **state)
{
    struct rig *r = rig_started();
    complains(r, "{\"queues\":[\n  ]", "topology.json:2", "");
    complains(r, "[]", "topology.json:1:1", "object");
    complains(r, "{\"queue\":[]}", "topology.json:1:10", "no such member");
    complains(r, "{\"queues\":{}}", "topology.json:1:11", "array");
    complains(r, "{\"queues\":[\n  1]}", "topology.json:2:3", "object");
    complains(r, "{\"queues\":[\n  {}]}", "topology.json:2:3", "QueueName is missing");
    complains(r, "{\"queues\":[\n  {\"QueueName\":\"bad name\"}]}", "topology.json:2:3",
              "Can only include alphanumeric characters");
    complains(r, "{\"queues\":[{\"QueueName\":\"a\",\n  \"Tags\":{}}]}", "topology.json:2:10",
              "no such member");
    complains(r,
              "{\"queues\":[{\"QueueName\":\"a\",\n  \"Attributes\":{\"DelaySeconds\":1,\n"
              "    \"VisibilityTimeout\":-1}}]}",
              "topology.json:3:25", "Invalid value for the parameter VisibilityTimeout.");
    complains(r, "{\"queues\":[{\"QueueName\":\"a\",\n  \"Attributes\":{\"FifoQueue\":true}}]}",
              "topology.json:1", "must end with .fifo suffix");
    complains(r, "{\"queues\":[{\"QueueName\":\"a\",\"Attributes\":{\"Nonsense\":1}}]}",
              "topology.json:1", "Unknown Attribute Nonsense.");
    assert_null(rig_queue(r, "a"));
    rig_free(r);
}

static void a_wrong_file_stops_the_start(void **state)
{
    struct rig *r = rig_new();
    struct fault f;
    fault_clear(&f);
    char *path = mem_printf("%s/topology.json", r->dir);
    store_aid_write(path, "{\"queues\":[\n {\"QueueName\":\"a b\"}]}");
    rig_set(r, "topology", path);
    r->options.server.http_port = 0;
    assert_int_equal(queued_open(&r->d, &r->options, &ENVIRONMENT_SYSTEM, NULL, &f), E_FAULT);
    assert_non_null(strstr(f.text, "topology.json:2:2"));
    assert_null(r->d);
    store_aid_write(path, "{\"queues\":[{\"QueueName\":\"a\"}]}");
    rig_start(r);
    assert_non_null(rig_queue(r, "a"));
    mem_free(path);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queues_are_made_once),
        cmocka_unit_test(sources_before_their_dead_letter_queue),
        cmocka_unit_test(wrong_ones_name_the_place),
        cmocka_unit_test(a_wrong_file_stops_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
