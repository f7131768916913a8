/* ctl_message.[ch]: what each shape of a line says, and where a line that says nothing is wrong. */
#include "filter/ctl/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct message_reader reader;
static struct buf said;

/* "name:type=value,…|body" a message, a slash between them. */
static void take(void *ctx, const struct filter_message *msg, str shown)
{
    (void)ctx;
    (void)shown;
    if (said.n)
        buf_char(&said, '/');
    for (size_t i = 0; i < msg->attr_count; i++)
        buf_printf(&said, "%s%.*s:%.*s=%.*s", i ? "," : "", STR_ARG(msg->attrs[i].name),
                   STR_ARG(msg->attrs[i].type), STR_ARG(msg->attrs[i].value));
    buf_printf(&said, "|%.*s", STR_ARG(msg->body));
}

static int read_line(const char *line)
{
    buf_reset(&said);
    buf_add(&said, "", 0);
    return message_read(&reader, str_of(line));
}

static void says(const char *line, const char *expected)
{
    int err = read_line(line);
    if (err)
        print_error("%s: %s at %zu\n", line, reader.why, reader.at);
    assert_int_equal(err, 0);
    assert_string_equal(said.n ? said.p : "", expected);
}

static void refuses(const char *line, const char *why, size_t at)
{
    assert_int_equal(read_line(line), E_INVALID);
    if (!strstr(reader.why, why) || reader.at != at)
        print_error("%s: %s at %zu\n", line, reader.why, reader.at);
    assert_non_null(strstr(reader.why, why));
    assert_int_equal(reader.at, at);
}

static void test_shapes(void **state)
{
    (void)state;
    says("{\"MessageAttributes\":{\"k\":{\"DataType\":\"String\",\"StringValue\":\"v\"}},"
         "\"Message\":\"m\"}",
         "k:String=v|m");
    says("{\"Message\":\"m\"}", "|m");
    says("{\"MessageAttributes\":{\"b\":{\"DataType\":\"Binary\",\"BinaryValue\":\"AQI=\"}}}",
         "b:Binary=AQI=|");
    says("{\"Message\":\"m\",\"Type\":\"Notification\",\"MessageAttributes\":{\"k\":{\"Type\":"
         "\"Number\","
         "\"Value\":\"1\"}}}",
         "k:Number=1|m");
    says("{\"Messages\":[{\"Body\":\"a\"},{\"Body\":\"b\",\"MessageAttributes\":{\"k\":{"
         "\"DataType\":"
         "\"String\",\"StringValue\":\"v\"}}}]}",
         "|a/k:String=v|b");
    says("{\"Body\":\"{\\\"Type\\\":\\\"Notification\\\",\\\"Message\\\":\\\"m\\\"}\"}", "|m");
    says("{\"Body\":\"{\\\"Type\\\":\\\"Notification\\\"}\"}", "|{\"Type\":\"Notification\"}");
    says("{\"Records\":[{\"Sns\":{\"Message\":\"m\"}},{\"body\":\"n\",\"messageAttributes\":{}}]}",
         "|m/|n");
    says("{\"events\":[{\"message\":\"START\"},{\"message\":\"{\\\"Message\\\":\\\"m\\\"}\\n\"}]}",
         "|m");
    says("{\"results\":[[{\"field\":\"@ptr\",\"value\":\"x\"},{\"field\":\"@message\",\"value\":"
         "\"{\\\"a\\\":1}\"}]]}",
         "|{\"a\":1}");
    says("2026-01-02T03:04:05Z\tid {\"Message\":\"m\"}", "|m");
    says("2026-01-02T03:04:05Z nothing", "");
    says("timestamp,message", "");
    says("1767323045678,\"{\"\"Message\"\":\"\"a\\\"\"b\"\"}\",x", "|a\"b");
    says("1767323045678,{\"Message\":\"m\"}", "|m");
    says("REPORT RequestId: 1 Duration: 2 ms", "");
    says("[{\"Message\":\"a\"},{\"Message\":\"b\"}]", "|a/|b");
    says("{\"order\":1}", "|{\"order\":1}");
    says("  ", "");
    says("{}", "|{}");
}

static void test_details(void **state)
{
    (void)state;
    says("{\"Message\":\"\\u00e9\\n\"}", "|é\n");
    says("{\"Message\":{\"a\": 1}}", "|{\"a\": 1}");
    says("{\"MessageStructure\":\"json\",\"Message\":\"{\\\"default\\\":\\\"d\\\",\\\"sqs\\\":"
         "\\\"s\\\"}\"}",
         "|s");
    says("{\"MessageStructure\":\"json\",\"Message\":\"{\\\"default\\\":\\\"d\\\"}\"}", "|d");
    says("{\"MessageAttributes\":null,\"Message\":\"m\"}", "|m");
    says("{\"MessageAttributes\":{\"k\":{\"DataType\":\"String\",\"StringValue\":\"a\"},\"k\":{"
         "\"DataType\":"
         "\"String\",\"StringValue\":\"b\"}},\"Message\":\"m\"}",
         "k:String=b|m");
    says("{\"MessageAttributes\":{\"\\u006b\":{\"StringValue\":\"\\\"\",\"StringListValues\":[],"
         "\"DataType\":\"String\"}}}",
         "k:String=\"|");
    /* A body that only mentions an envelope keeps its own attributes. */
    says(
        "{\"Body\":\"{\\\"a\\\":\\\"Notification\\\"}\",\"MessageAttributes\":{\"k\":{\"DataType\":"
        "\"String\",\"StringValue\":\"v\"}}}",
        "k:String=v|{\"a\":\"Notification\"}");
}

static void test_what_python_prints(void **state)
{
    (void)state;
    says("{'Messages': [{'MessageId': '1', 'Body': '{\"a\": \"it\\'s\"}', 'MessageAttributes': "
         "{'k': "
         "{'StringValue': \"it's\", 'DataType': 'String'}, 'b': {'BinaryValue': b'\\x01\"', "
         "'DataType': 'Binary'}}}], 'ResponseMetadata': {'HTTPStatusCode': 200, 'x': None, 'y': "
         "True, "
         "'z': False, 'at': datetime.datetime(2026, 1, 2, tzinfo=tzutc())}}",
         "k:String=it's,b:Binary=\x01\"|{\"a\": \"it's\"}");
    says("[{'Body': 'a\\n\\u00e9\\xe9\\U0001F600'}, {'Body': 'b\\\\'}]",
         "|a\né\xc3\xa9\xf0\x9f\x98\x80/|b\\");
    says("2026-01-02T03:04:05Z [INFO] {'Body': 'm'}", "|m");
    says("[{'ResponseMetadata': {}}]", "");
    refuses("{'a", "", 0);
    refuses("{'a': b'", "", 0);
    refuses("{'a': f((", "", 0);
    refuses("{'a\\", "", 0);
    refuses("{'a': '\\U", "", 0);
}

static void test_one_behind_the_other(void **state)
{
    (void)state;
    says("{\"Message\":\"a\"}{\"Message\":\"b\"} {\"Message\":\"c\"}", "|a/|b/|c");
    says("2026-01-02 {\"Message\":\"a\"}{\"x\":1}", "|a/|{\"x\":1}");
    says("{\"Messages\":[{\"Body\":\"a\"},{\"Body\":\"b\"}]}{\"Message\":\"c\"}", "|a/|b/|c");
    refuses("{\"Message\":\"a\"}{\"Message\"}", "colon", 25);
    refuses("{\"Message\":\"a\"}[]", "unexpected text", 15);
    refuses("{\"Body\":\"{\\\"Message\\\":\\\"a\\\"}{}\"", "", 31);
}

static void test_logs(void **state)
{
    (void)state;
    says("[INFO]\t2026-01-02T03:04:05.123Z\tid\t{\"Message\":\"m\"}", "|m");
    says("[INFO]\t2026-01-02T03:04:05.123Z\tid\tnothing", "");
    says("[2026-01-02 03:04:05] {\"Message\":\"m\"}", "|m");
    says("{\"timestamp\":\"t\",\"level\":\"INFO\",\"message\":{\"Message\":\"m\"}}", "|m");
    says("{\"message\":{\"text\":\"m\"}}", "|{\"message\":{\"text\":\"m\"}}");
    says("{\"ResponseMetadata\":{\"HTTPStatusCode\":200}}", "");
    says("EVENTS\t1\t2\tstream\t{\"Message\":\"m\"}\t3", "|m");
    says("2026-01-02 got {\"Message\":\"m\"} in 5 ms", "|m");
    says("{\"Type\":\"SubscriptionConfirmation\",\"Token\":\"t\",\"Message\":\"You have chosen\"}",
         "");
}

static void test_refusals(void **state)
{
    (void)state;
    refuses("hello", "expected a JSON object", 0);
    refuses("{\"Message\":", "ends before", 11);
    refuses("{\"Message\":\"m\"} x", "unexpected text", 16);
    refuses("{\"MessageAttributes\":[]}", "is an object", 21);
    refuses("{\"MessageAttributes\":{\"k\":\"v\"}}", "DataType and StringValue", 26);
    refuses("{\"MessageAttributes\":{\"k\":{\"DataType\":\"String\"}}}", "DataType and StringValue",
            26);
    refuses("{\"MessageAttributes\":{\"k\":{\"DataType\":\"String\",\"StringValue\":5}}}",
            "are strings", 61);
    refuses("[5]", "a message is an object", 1);
    refuses("{\"a\":1,}", "name", 7);
}

static void test_limits(void **state)
{
    struct buf line = {0};
    (void)state;
    buf_z(&line, "{\"MessageAttributes\":{");
    for (int i = 0; i <= MESSAGE_ATTRS_MAX; i++)
        buf_printf(&line, "%s\"k%d\":{\"DataType\":\"String\",\"StringValue\":\"v\"}", i ? "," : "",
                   i);
    buf_z(&line, "}}");
    assert_int_equal(read_line(line.p), E_INVALID);
    assert_non_null(strstr(reader.why, "more attributes"));
    buf_reset(&line);
    for (int i = 0; i < 2 * MESSAGE_DEPTH_MAX; i++)
        buf_z(&line, "{\"Records\":[");
    buf_z(&line, "{\"Message\":\"m\"}");
    for (int i = 0; i < 2 * MESSAGE_DEPTH_MAX; i++)
        buf_z(&line, "]}");
    assert_int_equal(read_line(line.p), E_INVALID);
    assert_non_null(strstr(reader.why, "too deeply"));
    buf_deinit(&line);
}

static void test_bodies(void **state)
{
    (void)state;
    reader.as_body = true;
    says("{\"Message\":\"m\"}", "|{\"Message\":\"m\"}");
    says("any { bytes", "|any { bytes");
    reader.as_body = false;
}

static int set_up(void **state)
{
    (void)state;
    message_reader_init(&reader, false, take, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    message_reader_deinit(&reader);
    buf_deinit(&said);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),   cmocka_unit_test(test_details),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_bodies),   cmocka_unit_test(test_what_python_prints),
        cmocka_unit_test(test_logs),     cmocka_unit_test(test_one_behind_the_other),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
