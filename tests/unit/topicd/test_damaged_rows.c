/* Rows that say what cannot be, and small values that are gone: topicd starts, counts what it leaves
 * alone, and uses no id twice. */
#include "tests/unit/topicd/rig.h"

#define PUBLISH(text) "Action=Publish&TopicArn=" RIG_TOPIC "&Message=" text
#define FIFO          "arn:aws:sns:us-east-1:000000000000:f.fifo"

static struct rig *rig;

static int set_up(void **state)
{
    rig = rig_new(2);
    fake_open(&rig->fakes[0]);
    rig_start(rig);
    RIG_OK(rig, "Action=CreateTopic&Name=t");
    RIG_OK(rig, "Action=Subscribe&Protocol=sqs&TopicArn=" RIG_TOPIC "&Endpoint=" RIG_QUEUE("a"));
    return 0;
}

static int tear_down(void **state)
{
    rig_free(rig);
    return 0;
}

/* topicd finds its store so. */
static void found(const char *sql)
{
    char *path = mem_printf("%s/topicd.db", rig->dir);

    rig_stop(rig);
    store_aid_sql(path, sql);
    rig_start(rig);
    mem_free(path);
}

static i64 number(const char *sql)
{
    char *path = mem_printf("%s/topicd.db", rig->dir);
    i64 n = store_aid_number(path, sql);

    mem_free(path);
    return n;
}

static void publish_fifo(void)
{
    RIG_OK(rig, "Action=Publish&TopicArn=" FIFO "&Message=x&MessageGroupId=g"
                "&MessageDeduplicationId=1");
}

static void test_deduplication(void **state)
{
    static const char *const bad[] = {"key = zeroblob(16)", "key = x'00'", "sent_ms = -1"};

    RIG_OK(rig, "Action=CreateTopic&Name=f.fifo&Attributes.entry.1.key=FifoTopic"
                "&Attributes.entry.1.value=true");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char *sql = mem_printf("UPDATE dedup SET %s", bad[i]);

        publish_fifo();
        assert_int_equal(rig->t->fifo_dedup.count, 1);
        found(sql);
        assert_int_equal(rig->t->fifo_dedup.damaged, i + 1);
        assert_int_equal(rig->t->fifo_dedup.count, 0);
        mem_free(sql);
    }
}

static void test_a_long_protocol(void **state)
{
    found("UPDATE subscription SET protocol = hex(zeroblob(150))");
    RIG_OK(rig, PUBLISH("1"));
    assert_int_equal(rig->fakes[0].delivers, 0);
}

/* Without its targets a held frame is nothing more to be delivered. */
static void test_a_held_frame_without_targets(void **state)
{
    RIG_OK(rig, PUBLISH("1"));
    assert_int_equal(number("SELECT count(*) FROM outbox"), 1);
    /* publication_count is at 24, and nothing follows the incarnation */
    found("UPDATE outbox SET frame = CAST(substr(frame, 1, 24) || x'00000000' ||"
          " substr(frame, 29, 44) AS BLOB)");
    fake_open(&rig->fakes[1]);
    RIG_UNTIL(rig, number("SELECT count(*) FROM outbox") == 0);
}

static void test_ids(void **state)
{
    RIG_OK(rig, "Action=CreateTopic&Name=f.fifo&Attributes.entry.1.key=FifoTopic"
                "&Attributes.entry.1.value=true");
    RIG_OK(rig, "Action=Subscribe&Protocol=sms&Endpoint=%2B15550000001&TopicArn=" RIG_TOPIC);
    publish_fifo();
    RIG_OK(rig, PUBLISH("1"));
    u64 sequence = rig->t->fifo_dedup.next;

    found("DELETE FROM meta WHERE key IN ('topic_id','sub_id','outbox_id','sequence','asset_id')");
    assert_true(rig->t->fifo_dedup.next >= sequence);
    RIG_OK(rig, "Action=CreateTopic&Name=u");
    RIG_OK(rig, "Action=Subscribe&Protocol=sms&Endpoint=%2B15550000002&TopicArn=" RIG_TOPIC);
    RIG_OK(rig, PUBLISH("2"));
    assert_int_equal(number("SELECT count(*) FROM topic"), 3);
    assert_int_equal(number("SELECT count(*) FROM subscription"), 3);
    assert_int_equal(number("SELECT count(*) FROM outbox"), 2);
    assert_int_equal(number("SELECT count(*) FROM asset"), 3);
}

/* What still waits to be cleared away is not taken for a new topic's. */
static void test_ids_of_a_deleted_topic(void **state)
{
    found("DELETE FROM topic; DELETE FROM meta WHERE key = 'topic_id'");
    RIG_OK(rig, "Action=CreateTopic&Name=u");
    assert_int_equal(number("SELECT count(*) FROM topic t, subscription s WHERE s.topic = t.id"),
                     0);
    assert_true(number("SELECT min(id) FROM topic") > 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_deduplication),
        TEST(test_a_long_protocol),
        TEST(test_a_held_frame_without_targets),
        TEST(test_ids),
        TEST(test_ids_of_a_deleted_topic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
