/* Queue attributes: bounds at both ends, all or nothing, the two ways of encryption, what is
 * compared when a queue is created again. */
#include "common/base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/json.h"
#include "queued/queue_attr.h"
#include "common/base/mem.h"
#include "queued/fault.h"
#include "common/aws/redrive_policy.h"

static struct queue_attrs a;
static struct fault fault;

/* Up to four pairs of name and value; ends with NULL. */
struct input {
    struct val map, pairs[4];
};

static struct val *input(struct input *in, const char *const *words)
{
    *in = (struct input){.map = {.type = VAL_MAP}};
    for (; words[0]; words += 2) {
        struct val *v = &in->pairs[in->map.count];
        *v = (struct val){.type = VAL_STRING, .name = str_of(words[0]), .text = str_of(words[1])};
        if (in->map.count++)
            v[-1].next = v;
        else
            in->map.first = v;
    }
    return &in->map;
}

static int set(bool creating, const char *const *words)
{
    struct input in;
    fault_clear(&fault);
    return queue_attr_set(&a, input(&in, words), creating, &fault);
}

static int same(const char *const *words)
{
    struct input in;
    fault_clear(&fault);
    return queue_attr_same(&a, input(&in, words), &fault);
}

#define WORDS(...)                                                                                 \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

static void value_is(const char *name, const char *want)
{
    struct buf out = {0};
    bool there = queue_attr_text(&a, str_of(name), &out);
    assert_int_equal(there, want != NULL);
    if (want)
        assert_true(str_is(buf_view(&out), want));
    buf_deinit(&out);
}

static int fresh(void **state)
{
    json_setup();
    queue_attr_init(&a);
    return 0;
}

static int gone(void **state)
{
    queue_attr_deinit(&a);
    return 0;
}

static void defaults(void **state)
{
    value_is("DelaySeconds", "0");
    value_is("MaximumMessageSize", "1048576");
    value_is("MessageRetentionPeriod", "345600");
    value_is("ReceiveMessageWaitTimeSeconds", "0");
    value_is("VisibilityTimeout", "30");
    value_is("SqsManagedSseEnabled", "true");
    value_is("Policy", NULL);
    value_is("KmsMasterKeyId", NULL);
    value_is("KmsDataKeyReusePeriodSeconds", NULL);
    value_is("FifoQueue", NULL);
}

static void bounds(void **state)
{
    static const struct {
        const char *name, *min, *max, *below, *above;
    } rows[] = {
        {"DelaySeconds", "0", "900", "-1", "901"},
        {"MaximumMessageSize", "1024", "1048576", "1023", "1048577"},
        {"MessageRetentionPeriod", "60", "1209600", "59", "1209601"},
        {"ReceiveMessageWaitTimeSeconds", "0", "20", "-1", "21"},
        {"VisibilityTimeout", "0", "43200", "-1", "43201"},
        {"KmsDataKeyReusePeriodSeconds", "60", "86400", "59", "86401"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *bad[] = {rows[i].below, rows[i].above, "", "x", "1.5", "9999999999999999999"};
        assert_int_equal(set(false, WORDS(rows[i].name, rows[i].min)), 0);
        assert_int_equal(set(false, WORDS(rows[i].name, rows[i].max)), 0);
        for (size_t k = 0; k < ARRAY_LEN(bad); k++) {
            char text[100];
            snprintf(text, sizeof text, "Invalid value for the parameter %s.", rows[i].name);
            assert_int_equal(set(false, WORDS(rows[i].name, bad[k])), E_FAULT);
            assert_int_equal(fault.code, FAULT_ATTRIBUTE_VALUE);
            assert_string_equal(fault.text, text);
        }
    }
    assert_int_equal(a.visibility_s, 43200);
}

static void all_or_nothing(void **state)
{
    assert_int_equal(set(false, WORDS("VisibilityTimeout", "5", "DelaySeconds", "901")), E_FAULT);
    value_is("VisibilityTimeout", "30");
}

static void refused(bool creating, const char *name, const char *value, int code, const char *text)
{
    assert_int_equal(set(creating, WORDS(name, value)), E_FAULT);
    assert_int_equal(fault.code, code);
    assert_string_equal(fault.text, text);
}

static void what_is_not_of_this_queue(void **state)
{
    for (int creating = 0; creating < 2; creating++) {
        refused(creating, "FifoQueue", "false", FAULT_ATTRIBUTE_NAME,
                "Unknown Attribute FifoQueue.");
        refused(creating, "ContentBasedDeduplication", "true", FAULT_ATTRIBUTE_NAME,
                "Unknown Attribute ContentBasedDeduplication.");
        refused(creating, "DeduplicationScope", "queue", FAULT_ATTRIBUTE_NAME,
                "You can specify the DeduplicationScope only when FifoQueue is set to true.");
        refused(creating, "FifoThroughputLimit", "perQueue", FAULT_ATTRIBUTE_NAME,
                "You can specify the FifoThroughputLimit only when FifoQueue is set to true.");
        refused(creating, "Nonsense", "1", FAULT_ATTRIBUTE_NAME, "Unknown Attribute Nonsense.");
        refused(creating, "QueueArn", "x", FAULT_ATTRIBUTE_NAME, "Unknown Attribute QueueArn.");
        assert_int_equal(set(creating, WORDS("RedrivePolicy", "", "RedriveAllowPolicy", "")), 0);
    }
    refused(false, "FifoQueue", "true", FAULT_ATTRIBUTE_NAME, "Unknown Attribute FifoQueue.");
}

#define ARN     "arn:aws:sqs:us-east-1:000000000000:dead"
#define COUNT   "Invalid value for maxReceiveCount: "
#define OF_1000 ", valid values are from 1 to 1000 both inclusive."

/* A fault of "Value GIVEN for parameter NAME is invalid. Reason: …". */
static void refused_for(const char *name, const char *given, const char *reason)
{
    char *text =
        mem_printf("Value %s for parameter %s is invalid. Reason: %s", given, name, reason);
    for (int creating = 0; creating < 2; creating++)
        refused(creating, name, given, CALL_FAULT_INVALID_PARAMETER, text);
    mem_free(text);
}

static void redrive_policy(void **state)
{
    static const char *const bad[][2] = {
        {"{}", "Redrive policy does not contain mandatory attribute: deadLetterTargetArn."},
        {"{\"deadLetterTargetArn\":\"" ARN "\"}",
         "Redrive policy does not contain mandatory attribute: maxReceiveCount."},
        {"{\"deadLetterTargetArn\":\"" ARN "\",\"maxReceiveCount\":1,\"x\":1}",
         "Only following attributes are supported: [maxReceiveCount, deadLetterTargetArn]."},
        {"{\"deadLetterTargetArn\":\"" ARN "\",\"maxReceiveCount\":0}", COUNT "0" OF_1000},
        {"{\"deadLetterTargetArn\":\"" ARN "\",\"maxReceiveCount\":1001}", COUNT "1001" OF_1000},
        {"{\"deadLetterTargetArn\":\"" ARN "\",\"maxReceiveCount\":\"invalid\"}",
         COUNT "invalid" OF_1000},
        {"{\"deadLetterTargetArn\":\"" ARN "\",\"maxReceiveCount\":\"-1\"}", COUNT "-1" OF_1000},
        {"{\"deadLetterTargetArn\":\"" ARN "\",\"maxReceiveCount\":[2]}", COUNT "[2]" OF_1000},
        {"{\"deadLetterTargetArn\":\"" ARN "\",\"maxReceiveCount\":2.5}", COUNT "2.5" OF_1000},
        {"{\"deadLetterTargetArn\":\"dead\",\"maxReceiveCount\":1}",
         "Dead-letter target ARN should be fully qualified ARN."},
        {"{\"deadLetterTargetArn\":7,\"maxReceiveCount\":1}",
         "Dead-letter target ARN should be fully qualified ARN."},
        {"{\"deadLetterTargetArn\":\"arn:aws:sns:us-east-1:000000000000:t\",\"maxReceiveCount\":1}",
         "Only SQS queues are valid resources for deadLetterTargetArn."},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        refused_for("RedrivePolicy", bad[i][0], bad[i][1]);
    static const char *const no_map[] = {"no json", "[]", "1", "\"text\"", "{"};
    for (size_t i = 0; i < ARRAY_LEN(no_map); i++)
        refused(false, "RedrivePolicy", no_map[i], CALL_FAULT_INVALID_PARAMETER,
                "Invalid value for the parameter RedrivePolicy. Reason: Redrive policy is not a "
                "valid JSON map.");
    value_is("RedrivePolicy", NULL);
    for (int text = 0; text < 2; text++) {
        const char *quote = text ? "\"" : "";
        char *given =
            mem_printf("{ \"maxReceiveCount\" : %s1000%s,\n \"deadLetterTargetArn\": \"" ARN "\" }",
                       quote, quote);
        char *normal = mem_printf(
            "{\"maxReceiveCount\":%s1000%s,\"deadLetterTargetArn\":\"" ARN "\"}", quote, quote);
        assert_int_equal(set(false, WORDS("RedrivePolicy", given)), 0);
        value_is("RedrivePolicy", normal);
        assert_int_equal(same(WORDS("RedrivePolicy", "{\"deadLetterTargetArn\":\"" ARN
                                                     "\",\"maxReceiveCount\":1000}")),
                         0);
        assert_int_equal(same(WORDS("RedrivePolicy",
                                    "{\"deadLetterTargetArn\":\"" ARN "\",\"maxReceiveCount\":2}")),
                         E_FAULT);
        assert_int_equal(same(WORDS("RedrivePolicy", "")), E_FAULT);
        mem_free(normal);
        mem_free(given);
    }
    assert_int_equal(set(false, WORDS("RedrivePolicy", "")), 0);
    value_is("RedrivePolicy", NULL);
    assert_int_equal(set(false, WORDS("RedrivePolicy", "")), 0);
    assert_int_equal(same(WORDS("RedrivePolicy", "")), 0);
}

static void redrive_allow_policy(void **state)
{
#define CANNOT "Amazon SQS can't create the redrive allow policy"
#define FORMAT CANNOT ", as it\u2019s in an unsupported format."
    static const char *const odd[] = {
        "no json",
        "[]",
        "{}",
        "{\"redrivePermission\":\"some\"}",
        "{\"redrivePermission\":1}",
        "{\"redrivePermission\":\"allowAll\",\"x\":1}",
        "{\"redrivePermission\":\"byQueue\",\"sourceQueueArns\":\"a\"}",
        "{\"redrivePermission\":\"byQueue\",\"sourceQueueArns\":[\"a\"]}"};
    for (size_t i = 0; i < ARRAY_LEN(odd); i++)
        refused_for("RedriveAllowPolicy", odd[i], FORMAT);
    refused_for("RedriveAllowPolicy", "{\"redrivePermission\":\"byQueue\"}",
                CANNOT ". When you specify the byQueue permission type, you must also specify one "
                       "or more sourceQueueArns values.");
    refused_for("RedriveAllowPolicy",
                "{\"redrivePermission\":\"denyAll\",\"sourceQueueArns\":[\"" ARN "\"]}",
                CANNOT ". To specify one or more source queue ARNs, you must set redrivePermission "
                       "to byQueue.");
    struct buf many = {0};
    for (int n = REDRIVE_SOURCES_MAX; n <= REDRIVE_SOURCES_MAX + 1; n++) {
        buf_reset(&many);
        buf_z(&many, "{\"redrivePermission\":\"byQueue\",\"sourceQueueArns\":[");
        for (int i = 0; i < n; i++)
            buf_printf(&many, "%s\"" ARN "%d\"", i ? "," : "", i);
        buf_z(&many, "]}");
        buf_char(&many, '\0');
        if (n > REDRIVE_SOURCES_MAX)
            refused_for("RedriveAllowPolicy", many.p,
                        CANNOT ". The maximum number of source queue ARNs you can specify is 10.");
        else
            assert_int_equal(set(false, WORDS("RedriveAllowPolicy", many.p)), 0);
    }
    assert_true(redrive_allow_permits(a.redrive_allow_policy, STR(ARN "9")));
    assert_false(redrive_allow_permits(a.redrive_allow_policy, STR(ARN "10")));
    assert_int_equal(
        set(false, WORDS("RedriveAllowPolicy", "{\"redrivePermission\": \"denyAll\"}")), 0);
    value_is("RedriveAllowPolicy", "{\"redrivePermission\":\"denyAll\"}");
    assert_false(redrive_allow_permits(a.redrive_allow_policy, STR(ARN "9")));
    assert_int_equal(
        set(false, WORDS("RedriveAllowPolicy", "{\"redrivePermission\":\"allowAll\"}")), 0);
    assert_true(redrive_allow_permits(a.redrive_allow_policy, STR(ARN)));
    assert_int_equal(set(false, WORDS("RedriveAllowPolicy", "")), 0);
    value_is("RedriveAllowPolicy", NULL);
    assert_true(redrive_allow_permits(NULL, STR(ARN)));
    buf_deinit(&many);
}

#define STATEMENT "{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"*\"}"

static void policy(void **state)
{
    struct buf many = {0};
    const char *const bad[] = {"no json",
                               "[]",
                               "1",
                               "{",
                               "{}x",
                               "{}",
                               "{\"Statement\":[0]}",
                               "{\"Statement\":[],\"Nonsense\":1}"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        refused(false, "Policy", bad[i], FAULT_ATTRIBUTE_VALUE,
                "Invalid value for the parameter Policy.");
    assert_int_equal(set(false, WORDS("Policy", "{ \"Statement\":[] }")), 0);
    value_is("Policy", "{ \"Statement\":[] }");
    buf_z(&many, "{\"Statement\":[" STATEMENT);
    for (int i = 0; i < 20; i++)
        buf_z(&many, "," STATEMENT);
    buf_z(&many, "]}");
    refused(false, "Policy", many.p, FAULT_OVER_LIMIT,
            "21 statements were found in the submitted policy, max allowed is 20");
    buf_deinit(&many);
    assert_int_equal(set(false, WORDS("Policy", "")), 0);
    value_is("Policy", NULL);
}

static void encryption(void **state)
{
    assert_int_equal(set(false, WORDS("KmsMasterKeyId", "k", "SqsManagedSseEnabled", "true")),
                     E_FAULT);
    assert_string_equal(fault.text,
                        "You can use one type of server-side encryption (SSE) at one time. You can "
                        "either enable KMS SSE or SQS SSE.");
    assert_int_equal(set(false, WORDS("KmsMasterKeyId", "k")), 0);
    value_is("SqsManagedSseEnabled", "false");
    value_is("KmsDataKeyReusePeriodSeconds", "300");
    assert_int_equal(set(false, WORDS("KmsDataKeyReusePeriodSeconds", "6000")), 0);
    value_is("KmsDataKeyReusePeriodSeconds", "6000");
    assert_int_equal(set(false, WORDS("KmsMasterKeyId", "")), 0);
    value_is("KmsMasterKeyId", NULL);
    value_is("KmsDataKeyReusePeriodSeconds", NULL);
    value_is("SqsManagedSseEnabled", "false");
    assert_int_equal(set(false, WORDS("SqsManagedSseEnabled", "True")), 0);
    value_is("SqsManagedSseEnabled", "true");
}

static void compared_with_what_is_there(void **state)
{
    assert_int_equal(set(true, WORDS("VisibilityTimeout", "69", "Policy", "{\"Statement\": []}")),
                     0);
    assert_int_equal(same(WORDS("VisibilityTimeout", "69")), 0);
    assert_int_equal(same(WORDS("VisibilityTimeout", "069", "DelaySeconds", "0")), 0);
    assert_int_equal(same(WORDS("Policy", "{\"Statement\":[]}", "KmsMasterKeyId", "")), 0);
    assert_int_equal(same(WORDS("Policy", "{\"Statement\":[],\"Id\":\"2\"}")), E_FAULT);
    assert_int_equal(same(WORDS("DelaySeconds", "0", "VisibilityTimeout", "30")), E_FAULT);
    assert_int_equal(fault.code, FAULT_QUEUE_EXISTS);
    assert_string_equal(fault.text,
                        "A queue already exists with the same name and a different value "
                        "for attribute VisibilityTimeout");
}

/* What kind a queue is, only its creation says; the rest is its own to change. */
static void of_fifo_queues(void **state)
{
    struct buf row = {0};
    assert_int_equal(set(true, WORDS("ContentBasedDeduplication", "TRUE", "FifoQueue", "True")), 0);
    value_is("FifoQueue", "true");
    value_is("ContentBasedDeduplication", "true");
    value_is("DeduplicationScope", "queue");
    value_is("FifoThroughputLimit", "perQueue");
    assert_int_equal(set(false, WORDS("FifoQueue", "true", "ContentBasedDeduplication", "false")),
                     0);
    value_is("ContentBasedDeduplication", "false");
    refused(false, "FifoQueue", "false", FAULT_ATTRIBUTE_VALUE,
            "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not "
            "supported.");
    refused(false, "FifoQueue", "1", FAULT_ATTRIBUTE_VALUE,
            "Invalid value for the parameter FifoQueue.");
    refused(false, "DeduplicationScope", "group", FAULT_ATTRIBUTE_VALUE,
            "Invalid value for the parameter DeduplicationScope.");
    refused(false, "FifoThroughputLimit", "perMessageGroupId", CALL_FAULT_INVALID_PARAMETER,
            "The perMessageGroupId value is allowed only when the value for DeduplicationScope is "
            "messageGroup");
    assert_int_equal(set(false, WORDS("FifoThroughputLimit", "perMessageGroupId",
                                      "DeduplicationScope", "messageGroup")),
                     0);
    value_is("DeduplicationScope", "messageGroup");
    queue_attr_write(&a, &row);
    assert_non_null(strstr(row.p, "\"FifoQueue\":1"));
    buf_deinit(&row);
    assert_int_equal(same(WORDS("FifoQueue", "true")), 0);
    assert_int_equal(same(WORDS("DeduplicationScope", "queue")), E_FAULT);
}

static void known_names(void **state)
{
    assert_int_equal(queue_attr_known(STR("VisibilityTimeout")), QUEUE_ATTR_SETTABLE);
    assert_int_equal(queue_attr_known(STR("QueueArn")), QUEUE_ATTR_OTHER);
    assert_int_equal(queue_attr_known(STR("FifoQueue")), QUEUE_ATTR_SETTABLE);
    assert_int_equal(queue_attr_known(STR("All")), QUEUE_ATTR_OTHER);
    assert_int_equal(queue_attr_known(STR("Foobar")), QUEUE_ATTR_UNKNOWN);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, gone)
    const struct CMUnitTest tests[] = {
        TEST(defaults),
        TEST(bounds),
        TEST(all_or_nothing),
        TEST(what_is_not_of_this_queue),
        TEST(redrive_policy),
        TEST(redrive_allow_policy),
        TEST(policy),
        TEST(encryption),
        TEST(compared_with_what_is_there),
        TEST(of_fifo_queues),
        TEST(known_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
