/* Messages that are captured for many subscriptions: only those that are kept are written. */
#include "tests/unit/topicd/rig.h"

#define SUBS 10

static struct rig *with_subs(void)
{
    struct rig *r = rig_new(1);

    rig_set(r, "captured_bytes_max", "1MiB");
    rig_set(r, "captured_messages_max", "20");
    rig_start(r);
    RIG_OK(r, "Action=CreateTopic&Name=t");
    for (int i = 0; i < SUBS; i++) {
        char *form = mem_printf(
            "Action=Subscribe&Protocol=sms&Endpoint=%%2B1555000000%d&TopicArn=" RIG_TOPIC, i);

        RIG_OK(r, form);
        mem_free(form);
    }
    return r;
}

/* Publishes; so many are captured and written. */
static void captures(struct rig *r, const char *message, const char *more, u64 want)
{
    char *form = mem_printf("Action=Publish&TopicArn=" RIG_TOPIC "%s&Message=%s", more, message);
    u64 first = topic_store_next_asset_id(r->t->store);

    RIG_OK(r, form);
    assert_int_equal(topic_store_next_asset_id(r->t->store) - first, want);
    assert_int_equal(r->t->captured.count, want);
    mem_free(form);
}

static void test_as_many_as_are_kept(void **state)
{
    struct rig *r = with_subs();

    r->t->captured.count_max = 3;
    captures(r, "x", "", 3);
    rig_free(r);
}

/* Bytes count, too: those of the text that a protocol gets. */
static void test_bytes(void **state)
{
    struct rig *r = with_subs();
    char *long_text = mem_alloc(200001);

    memset(long_text, 'x', 200000);
    r->t->captured.bytes_max = 500000;
    char *structured = mem_printf("{\"default\":\"%s\",\"sms\":\"x\"}", long_text);

    captures(r, structured, "&MessageStructure=json", SUBS);
    u64 first = topic_store_next_asset_id(r->t->store);
    char *form = mem_printf("Action=Publish&TopicArn=" RIG_TOPIC "&Message=%s", long_text);

    RIG_OK(r, form);
    assert_int_equal(topic_store_next_asset_id(r->t->store) - first, 3);
    assert_int_equal(r->t->captured.count, 2);
    mem_free(form);
    mem_free(structured);
    mem_free(long_text);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_many_as_are_kept),
        cmocka_unit_test(test_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
