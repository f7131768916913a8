/* Topics: names, what may be set on them and how it reads back, creation that may be repeated,
 * pages. */
#include "tests/unit/topicd/rig.h"

#define INVALID(r, form, text) RIG_REFUSED(r, form, 400, "InvalidParameter", text)
#define P                      "Invalid parameter: "
#define SET(name, value)                                                                           \
    "Action=SetTopicAttributes&TopicArn=" RIG_TOPIC "&AttributeName=" name "&AttributeValue"       \
    "=" value

static struct rig *rig;

static int set_up(void **state)
{
    rig = rig_new(0);
    rig_start(rig);
    return 0;
}

static int tear_down(void **state)
{
    rig_free(rig);
    return 0;
}

/* The value that GetTopicAttributes shows, "(none)" without one; the caller frees it. */
static char *shown(const char *name)
{
    struct buf out = {0};
    char *pattern = mem_printf("<entry><key>%s</key>", name);

    assert_int_equal(rig_call(rig, "Action=GetTopicAttributes&TopicArn=" RIG_TOPIC, &out), 200);
    const char *at = strstr(out.p, pattern);
    struct buf rest = {0};

    buf_z(&rest, at ? at : "");
    char *value = rig_element(&rest, "value");

    buf_deinit(&rest);
    buf_deinit(&out);
    mem_free(pattern);
    return value;
}

static void shows(const char *name, const char *expected)
{
    char *value = shown(name);

    assert_string_equal(value, expected);
    mem_free(value);
}

static void test_names(void **state)
{
    static const char *const bad[] = {"", "a.b", "a.fifo", "a%20b", "a%3Ab", "%C3%BC", "a/b"};
    char *name = mem_alloc(258), *form;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        form = mem_printf("Action=CreateTopic&Name=%s", bad[i]);
        INVALID(rig, form, P "Topic Name");
        mem_free(form);
    }
    memset(name, 'n', 257);
    form = mem_printf("Action=CreateTopic&Name=%s", name);
    INVALID(rig, form, P "Topic Name");
    mem_free(form);
    name[256] = '\0';
    form = mem_printf("Action=CreateTopic&Name=%s", name);
    RIG_OK(rig, form);
    mem_free(form);
    mem_free(name);
    INVALID(rig, "Action=CreateTopic", P "Topic Name");
    INVALID(rig,
            "Action=CreateTopic&Name=t&Attributes.entry.1.key=FifoTopic"
            "&Attributes.entry.1.value=true",
            P "Topic Name");
    RIG_OK(rig, "Action=CreateTopic&Name=t.fifo&Attributes.entry.1.key=FifoTopic"
                "&Attributes.entry.1.value=True");
    RIG_OK(rig, "Action=CreateTopic&Name=t&Tags=&Attributes.entry.1.key=FifoTopic"
                "&Attributes.entry.1.value=false");
    shows("FifoTopic", "(none)");
    INVALID(rig, "Action=CreateTopic&Name=t&Tags.member.1.Key=k&Tags.member.1.Value=v",
            P "Tags Reason: Topic already exists with different tags");
}

static void test_creation_may_be_repeated(void **state)
{
    static const char different[] = P "Attributes Reason: Topic already exists with different "
                                      "attributes";

    RIG_OK(rig, "Action=CreateTopic&Name=t&Attributes.entry.1.key=DisplayName"
                "&Attributes.entry.1.value=d");
    RIG_OK(rig, "Action=CreateTopic&Name=t");
    RIG_OK(rig, "Action=CreateTopic&Name=t&Attributes.entry.1.key=DisplayName"
                "&Attributes.entry.1.value=d");
    INVALID(rig,
            "Action=CreateTopic&Name=t&Attributes.entry.1.key=DisplayName"
            "&Attributes.entry.1.value=e",
            different);
    INVALID(rig,
            "Action=CreateTopic&Name=t&Attributes.entry.1.key=SignatureVersion"
            "&Attributes.entry.1.value=2",
            different);
    RIG_OK(rig, SET("DisplayName", "e"));
    RIG_OK(rig, "Action=CreateTopic&Name=t");
    shows("DisplayName", "e");
    RIG_OK(rig, "Action=CreateTopic&Name=t&Attributes.entry.1.key=DisplayName"
                "&Attributes.entry.1.value=e");
    RIG_OK(rig, "Action=DeleteTopic&TopicArn=" RIG_TOPIC);
    RIG_OK(rig, "Action=DeleteTopic&TopicArn=" RIG_TOPIC);
    RIG_OK(rig, "Action=CreateTopic&Name=t");
    shows("DisplayName", "");
}

static void test_arns(void **state)
{
    INVALID(rig, "Action=GetTopicAttributes&TopicArn=randomstring",
            P "TopicArn Reason: An ARN must have at least 6 elements, not 1");
    INVALID(rig, "Action=GetTopicAttributes&TopicArn=",
            P "TopicArn Reason: An ARN must have at least 6 elements, not 1");
    INVALID(rig, "Action=DeleteTopic&TopicArn=arn:aws:sns:us-east-1:x",
            P "TopicArn Reason: An ARN must have at least 6 elements, not 5");
    INVALID(rig, "Action=DeleteTopic", P "TopicArn Reason: no value for required parameter");
    rig->authorization = RIG_SIGNED;
    INVALID(rig, "Action=GetTopicAttributes&TopicArn=arn:aws:sns:eu-west-1:000000000000:t",
            P "TopicArn");
    rig->authorization = NULL; /* who does not sign calls where the topic is */
    RIG_REFUSED(rig, "Action=GetTopicAttributes&TopicArn=arn:aws:sns:eu-west-1:000000000000:t", 404,
                "NotFound", "Topic does not exist");
    INVALID(rig, "Action=GetTopicAttributes&TopicArn=arn:aws:sns:cn-northwest-1:000000000000:t",
            P "TopicArn Reason: A cn-northwest-1 ARN must begin with arn:aws-cn, not "
              "arn:aws:sns:cn-northwest-1:000000000000:t");
    INVALID(rig, "Action=DeleteTopic&TopicArn=arn:aws-cn:sns:us-east-1:000000000000:t",
            P "TopicArn Reason: A us-east-1 ARN must begin with arn:aws, not "
              "arn:aws-cn:sns:us-east-1:000000000000:t");
    RIG_REFUSED(rig, "Action=GetTopicAttributes&TopicArn=" RIG_TOPIC, 404, "NotFound",
                "Topic does not exist");
}

static void test_attributes(void **state)
{
    RIG_OK(rig, "Action=CreateTopic&Name=t");
    INVALID(rig, SET("Nonsense", "x"), P "AttributeName");
    INVALID(rig, SET("FifoTopic", "true"), P "AttributeName");
    INVALID(rig, SET("ContentBasedDeduplication", "true"), P "AttributeName");
    INVALID(rig,
            "Action=CreateTopic&Name=u&Attributes.entry.1.key=Nonsense"
            "&Attributes.entry.1.value=x",
            P "Attributes Reason: Unknown attribute Nonsense");
    INVALID(rig, SET("SignatureVersion", "3"), P "SignatureVersion");
    INVALID(rig, SET("TracingConfig", "X"), P "Invalid tracing config value: X");
    INVALID(rig, SET("SQSSuccessFeedbackSampleRate", "101"), P "SQSSuccessFeedbackSampleRate");
    RIG_OK(rig, SET("SignatureVersion", "2"));
    RIG_OK(rig, SET("TracingConfig", "Active"));
    RIG_OK(rig, SET("KmsMasterKeyId", "alias/aws/sns"));
    RIG_OK(rig, SET("SQSSuccessFeedbackSampleRate", "50"));
    RIG_OK(rig, SET("LambdaFailureFeedbackRoleArn", "arn:aws:iam::1:role/r"));
    shows("SignatureVersion", "2");
    shows("TracingConfig", "Active");
    shows("KmsMasterKeyId", "alias/aws/sns");
    shows("SQSSuccessFeedbackSampleRate", "50");
    shows("LambdaFailureFeedbackRoleArn", "arn:aws:iam::1:role/r");
    shows("Owner", "000000000000");
    shows("SubscriptionsDeleted", "0");
    RIG_OK(rig, SET("KmsMasterKeyId", ""));
    shows("KmsMasterKeyId", "(none)");
    /* All of it is still there after a restart. */
    rig_stop(rig);
    rig_start(rig);
    shows("TracingConfig", "Active");
}

static void test_message_size(void **state)
{
    static const char *const bad[] = {"1023", "1048577", "", "%2B2048", "2048+", "x", "2048.0"};

    RIG_OK(rig, "Action=CreateTopic&Name=t");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct buf out = {0};
        char *form = mem_printf(SET("MaximumMessageSize", "%s"), bad[i]);

        assert_int_equal(rig_call(rig, form, &out), 400);
        assert_non_null(strstr(out.p, "is not an integer between 1024 and 1048576 bytes<"));
        mem_free(form);
        buf_deinit(&out);
    }
    INVALID(rig,
            "Action=CreateTopic&Name=u&Attributes.entry.1.key=MaximumMessageSize"
            "&Attributes.entry.1.value=1",
            P "Attributes Reason: MaximumMessageSize: 1 is not an integer between 1024 and 1048576 "
              "bytes");
    shows("MaximumMessageSize", "(none)");
    RIG_OK(rig, SET("MaximumMessageSize", "1024"));
    shows("MaximumMessageSize", "1024");
    struct buf form = {0};

    buf_z(&form, "Action=Publish&TopicArn=" RIG_TOPIC "&Message=");
    memset(buf_room(&form, 1024), 'x', 1024);
    form.n += 1024;
    RIG_OK(rig, form.p);
    buf_char(&form, 'x');
    INVALID(rig, form.p, P "Message too long");
    buf_deinit(&form);
}

#define JSON_DEFAULTS                                                                              \
    "{\"http\":{\"defaultHealthyRetryPolicy\":{\"minDelayTarget\":20,\"maxDelayTarget\":20,"       \
    "\"numRetries\":3,\"numMaxDelayRetries\":0,\"numNoDelayRetries\":0,\"numMinDelayRetries\":0,"  \
    "\"backoffFunction\":\"linear\"},\"disableSubscriptionOverrides\":false,"                      \
    "\"defaultRequestPolicy\":{\"headerContentType\":"

/* As the value stands in XML. */
static void shows_json(const char *name, const char *expected)
{
    struct buf text = {0};

    for (; *expected; expected++) {
        if (*expected == '"')
            buf_z(&text, "&quot;");
        else
            buf_char(&text, *expected);
    }
    shows(name, text.p);
    buf_deinit(&text);
}

static void test_delivery_policy(void **state)
{
    RIG_OK(rig, "Action=CreateTopic&Name=t");
    shows("DeliveryPolicy", "(none)");
    shows_json("EffectiveDeliveryPolicy", JSON_DEFAULTS "\"text/plain; charset=UTF-8\"}}}");
    RIG_OK(rig, SET("DeliveryPolicy", "{\"http\":{\"defaultRequestPolicy\":{\"headerContentType\":"
                                      "\"application/json\"}}}"));
    shows_json("DeliveryPolicy", "{\"http\":{\"defaultRequestPolicy\":{\"headerContentType\":"
                                 "\"application/json\"},\"disableSubscriptionOverrides\":false}}");
    shows_json("EffectiveDeliveryPolicy", JSON_DEFAULTS "\"application/json\"}}}");
    RIG_OK(rig, SET("DeliveryPolicy", "{\"http\":{\"defaultHealthyRetryPolicy\":{"
                                      "\"minDelayTarget\":20,\"maxDelayTarget\":20,"
                                      "\"numRetries\":3}}}"));
    shows_json("DeliveryPolicy", "{\"http\":{\"defaultHealthyRetryPolicy\":{\"minDelayTarget\":20,"
                                 "\"maxDelayTarget\":20,\"numRetries\":3},"
                                 "\"disableSubscriptionOverrides\":false}}");
    RIG_OK(rig, SET("DeliveryPolicy", "{\"http\":{\"defaultHealthyRetryPolicy\":null}}"));
    shows_json("DeliveryPolicy", "{\"http\":{\"disableSubscriptionOverrides\":false}}");
    INVALID(rig, SET("DeliveryPolicy", "{\"http\":{\"defaultHealthyRetryPolicy\":{}}}"),
            P "DeliveryPolicy: http.defaultHealthyRetryPolicy.minDelayTarget must be specified");
    INVALID(rig, SET("DeliveryPolicy", "{"), P "DeliveryPolicy: failed to parse JSON.");
    INVALID(rig, SET("DeliveryPolicy", "[]"), P "DeliveryPolicy: failed to parse JSON.");
    RIG_OK(rig, SET("DeliveryPolicy", ""));
    shows("DeliveryPolicy", "(none)");
}

static void test_policy(void **state)
{
    RIG_OK(rig, "Action=CreateTopic&Name=t");
    INVALID(rig, SET("Policy", "{x}"), P "Policy Error: null");
    INVALID(rig,
            SET("Policy", "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"SNS:Publish\"}]}"),
            P "Policy Error: PrincipalNotFound");
    INVALID(rig, SET("Policy", "{\"Statement\":[{\"Principal\":\"*\",\"Action\":\"sqs:Send\"}]}"),
            P "Policy statement action out of service scope!");
    RIG_OK(rig, SET("Policy", "{ \"Statement\" : [ {\"Principal\":\"*\",\"Action\":\"sns:Publish\"}"
                              " ] }"));
    shows_json("Policy", "{\"Statement\":[{\"Principal\":\"*\",\"Action\":\"sns:Publish\"}]}");
}

static size_t count(const struct buf *out, const char *what)
{
    size_t n = 0;

    for (const char *at = out->p; (at = strstr(at, what)); at++)
        n++;
    return n;
}

static void test_pages(void **state)
{
    struct buf out = {0};

    assert_int_equal(rig_call(rig, "Action=ListTopics", &out), 200);
    assert_non_null(strstr(out.p, "<Topics/>"));
    for (int i = 0; i < 205; i++) {
        char *form = mem_printf("Action=CreateTopic&Name=n%d", i);

        RIG_OK(rig, form);
        mem_free(form);
    }
    size_t total = 0;
    char *token = mem_dup(STR(""));

    for (int page = 0; page < 3; page++) {
        char *form = mem_printf("Action=ListTopics&NextToken=%s", token);

        assert_int_equal(rig_call(rig, form, &out), 200);
        assert_int_equal(count(&out, "<TopicArn>"), page < 2 ? 100 : 5);
        total += count(&out, "<TopicArn>");
        mem_free(form);
        mem_free(token);
        token = rig_element(&out, "NextToken");
    }
    assert_int_equal(total, 205);
    assert_string_equal(token, "(none)");
    mem_free(token);
    INVALID(rig, "Action=ListTopics&NextToken=nonsense", P "NextToken");
    INVALID(rig, "Action=ListSubscriptions&NextToken=dDA%3D", P "NextToken");
    buf_deinit(&out);
}

static void test_what_is_not_done(void **state)
{
    RIG_REFUSED(rig, "Action=TagResource&ResourceArn=x", 400, "InvalidParameter",
                "Invalid parameter: ResourceArn Reason: An ARN must have at least 6 elements, not "
                "1");
    RIG_REFUSED(rig, "Action=ListTagsForResource&ResourceArn=" RIG_TOPIC, 404, "ResourceNotFound",
                "Resource does not exist");
    RIG_REFUSED(rig, "Action=RemovePermission&Label=l&TopicArn=" RIG_TOPIC, 404, "NotFound",
                "Topic does not exist");
    RIG_OK(rig, "Action=CreateTopic&Name=t");
    RIG_REFUSED(rig, "Action=TagResource&ResourceArn=" RIG_TOPIC, 400, "InvalidParameter",
                "Invalid parameter: Tags Reason: no value for required parameter");
    RIG_REFUSED(rig, "Action=AddPermission&TopicArn=" RIG_TOPIC, 400, "InvalidParameter",
                "Invalid parameter: Label Reason: no value for required parameter");
    RIG_REFUSED(rig, "Action=Nonsense&Version=2010-03-31", 400, "InvalidAction",
                "The action Nonsense is not valid for this endpoint.");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_names),
        TEST(test_creation_may_be_repeated),
        TEST(test_arns),
        TEST(test_attributes),
        TEST(test_message_size),
        TEST(test_delivery_policy),
        TEST(test_policy),
        TEST(test_pages),
        TEST(test_what_is_not_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
