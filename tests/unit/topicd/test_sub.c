/* Subscriptions: what is refused and in which words, attributes and their canonical form,
 * repetition, lists; and that the matcher follows every change. */
#include "tests/unit/topicd/rig.h"

#define INVALID(r, form, text) RIG_REFUSED(r, form, 400, "InvalidParameter", text)
#define P                      "Invalid parameter: "
#define A                      "Invalid parameter: Attributes Reason: "
#define SUBSCRIBE              "Action=Subscribe&Protocol=sqs&TopicArn=" RIG_TOPIC "&Endpoint="
#define WITH(name, value)      "&Attributes.entry.1.key=" name "&Attributes.entry.1.value=" value

static struct rig *rig;

static int set_up(void **state)
{
    rig = rig_new(0);
    rig_start(rig);
    RIG_OK(rig, "Action=CreateTopic&Name=t");
    return 0;
}

static int tear_down(void **state)
{
    rig_free(rig);
    return 0;
}

/* The ARN of what was subscribed; the caller frees it. */
static char *subscribed(const char *form)
{
    struct buf out = {0};
    int status = rig_call(rig, form, &out);

    if (status != 200)
        fail_msg("%s", out.p);
    char *arn = rig_element(&out, "SubscriptionArn");

    buf_deinit(&out);
    return arn;
}

static void test_refusals(void **state)
{
    INVALID(rig, "Action=Subscribe&Protocol=test-protocol&Endpoint=x&TopicArn=" RIG_TOPIC,
            P "Amazon SNS does not support this protocol string: test-protocol");
    INVALID(rig, SUBSCRIBE "http://localhost/000000000000/q", P "SQS endpoint ARN");
    INVALID(rig, SUBSCRIBE "arn:aws:sqs:us-east-1:000000000000:a:b", P "SQS endpoint ARN");
    INVALID(rig, SUBSCRIBE "arn:aws:sns:us-east-1:000000000000:q", P "SQS endpoint ARN");
    INVALID(rig, "Action=Subscribe&Protocol=sqs&TopicArn=" RIG_TOPIC, P "SQS endpoint ARN");
    INVALID(rig, SUBSCRIBE RIG_QUEUE("q.fifo"),
            P P "Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics");
    INVALID(rig, "Action=Subscribe&Protocol=sms&Endpoint=NAA%2B15551234567&TopicArn=" RIG_TOPIC,
            "Invalid SMS endpoint: NAA+15551234567");
    RIG_REFUSED(rig, "Action=Subscribe&Protocol=lambda&Endpoint=x&TopicArn=" RIG_TOPIC, 400,
                "UnsupportedOperation",
                "Subscriptions with the protocol lambda are not implemented.");
    INVALID(rig, "Action=Subscribe&Protocol=sqs&TopicArn=randomstring",
            P "TopicArn Reason: An ARN must have at least 6 elements, not 1");
    /* The topic comes before the endpoint. */
    RIG_REFUSED(rig, "Action=Subscribe&Protocol=nonsense&Endpoint=x&TopicArn=" RIG_TOPIC "x", 404,
                "NotFound", "Topic does not exist");
    INVALID(rig, SUBSCRIBE RIG_QUEUE("q") WITH("Nonsense", "x"), A "Unknown attribute: Nonsense");
    INVALID(rig, SUBSCRIBE RIG_QUEUE("q") WITH("RawMessageDelivery", "x"),
            A "RawMessageDelivery: Invalid value [x]. Must be true or false.");
    INVALID(rig, SUBSCRIBE RIG_QUEUE("q") WITH("FilterPolicyScope", "body"),
            A "FilterPolicyScope: Invalid value [body]. Please use either MessageBody or "
              "MessageAttributes");
    INVALID(rig, SUBSCRIBE RIG_QUEUE("q") WITH("FilterPolicy", "{\"a\":{\"b\":[\"c\"]}}"),
            A "Filter policy scope MessageAttributes does not support nested filter policy");
    INVALID(rig,
            SUBSCRIBE RIG_QUEUE("q")
                WITH("RedrivePolicy", "{\"deadLetterTargetArn\":\"fake-arn\"}"),
            A "RedrivePolicy: deadLetterTargetArn is an invalid arn");
    RIG_REFUSED(rig,
                SUBSCRIBE RIG_QUEUE("q")
                    WITH("RedrivePolicy", "{\"deadLetterTargetArn\":\"" RIG_QUEUE("d") "\"}"),
                400, "UnsupportedOperation",
                "RedrivePolicy: dead-letter queues of subscriptions are not implemented.");
    assert_int_equal(rig->t->catalog.subs.n, 0);
}

static void test_repetition(void **state)
{
    static const char *const same[] = {
        SUBSCRIBE RIG_QUEUE("q"), SUBSCRIBE RIG_QUEUE("q") WITH("FilterPolicy", "{\"a\":[\"x\"]}"),
        SUBSCRIBE RIG_QUEUE("q") WITH("FilterPolicy", "{ \"a\" : [ \"x\" ] }"),
        SUBSCRIBE RIG_QUEUE("q") WITH("RawMessageDelivery", "TRUE"),
        SUBSCRIBE RIG_QUEUE("q") WITH("FilterPolicyScope", "MessageAttributes")};
    static const char *const other[] = {
        SUBSCRIBE RIG_QUEUE("q") WITH("FilterPolicy", "{\"a\":[\"y\"]}"),
        SUBSCRIBE RIG_QUEUE("q") WITH("FilterPolicy", ""),
        SUBSCRIBE RIG_QUEUE("q") WITH("RawMessageDelivery", "false"),
        SUBSCRIBE RIG_QUEUE("q") WITH("FilterPolicyScope", "MessageBody")};
    char *arn = subscribed(SUBSCRIBE RIG_QUEUE("q") WITH(
        "FilterPolicy", "{\"a\":[\"x\"]}") "&Attributes.entry.2.key=RawMessageDelivery"
                                           "&Attributes.entry.2.value=True");

    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        char *again = subscribed(same[i]);

        assert_string_equal(again, arn);
        mem_free(again);
    }
    for (size_t i = 0; i < ARRAY_LEN(other); i++)
        INVALID(rig, other[i], A "Subscription already exists with different attributes");
    mem_free(arn);
}

/* What GetSubscriptionAttributes says; the caller frees it. */
static char *shown(const char *arn)
{
    struct buf out = {0};
    char *form = mem_printf("Action=GetSubscriptionAttributes&SubscriptionArn=%s", arn);

    assert_int_equal(rig_call(rig, form, &out), 200);
    mem_free(form);
    return buf_detach(&out);
}

static void shows(const char *arn, const char *name, const char *value)
{
    char *all = shown(arn), *entry;

    if (value)
        entry = mem_printf("<key>%s</key><value>%s</value>", name, value);
    else
        entry = mem_printf("<key>%s</key>", name);
    if ((strstr(all, entry) != NULL) != (value != NULL))
        fail_msg("%s: wanted %s in %s", name, value ? value : "nothing", all);
    mem_free(entry);
    mem_free(all);
}

static void set(const char *arn, const char *name, const char *value)
{
    char *form = mem_printf("Action=SetSubscriptionAttributes&SubscriptionArn=%s&AttributeName=%s"
                            "&AttributeValue=%s",
                            arn, name, value);

    RIG_OK(rig, form);
    mem_free(form);
}

static void refused_set(const char *arn, const char *name, const char *value, const char *text)
{
    char *form = mem_printf("Action=SetSubscriptionAttributes&SubscriptionArn=%s&AttributeName=%s"
                            "&AttributeValue=%s",
                            arn, name, value);

    INVALID(rig, form, text);
    mem_free(form);
}

static void test_attributes(void **state)
{
    char *arn = subscribed(SUBSCRIBE RIG_QUEUE("q"));

    shows(arn, "SubscriptionPrincipal", "arn:aws:iam::000000000000:user/toque");
    shows(arn, "RawMessageDelivery", "false");
    shows(arn, "PendingConfirmation", "false");
    shows(arn, "FilterPolicyScope", NULL);
    refused_set(arn, "Nonsense", "x", P "AttributeName");
    refused_set(arn, "RawMessageDelivery", "",
                P "RawMessageDelivery: Invalid value []. Must be true or false.");
    set(arn, "FilterPolicyScope", "MessageBody");
    shows(arn, "FilterPolicyScope", NULL);
    set(arn, "FilterPolicy", "{\"a\":{\"b\":[1.50]}}");
    shows(arn, "FilterPolicyScope", "MessageBody");
    shows(arn, "FilterPolicy", "{&quot;a&quot;:{&quot;b&quot;:[1.50]}}");
    refused_set(arn, "FilterPolicyScope", "MessageAttributes",
                P "Filter policy scope MessageAttributes does not support nested filter policy");
    set(arn, "RawMessageDelivery", "True");
    rig_stop(rig);
    rig_start(rig);
    shows(arn, "RawMessageDelivery", "true");
    shows(arn, "FilterPolicy", "{&quot;a&quot;:{&quot;b&quot;:[1.50]}}");
    set(arn, "FilterPolicy", "{}");
    shows(arn, "FilterPolicy", NULL);
    set(arn, "FilterPolicy", "{\"a\":[\"x\"]}");
    set(arn, "FilterPolicy", "");
    shows(arn, "FilterPolicy", NULL);
    shows(arn, "FilterPolicyScope", NULL);
    set(arn, "RedrivePolicy", "");
    mem_free(arn);
}

static u64 matched(const char *attribute)
{
    u64 before = rig->t->fanout.matched;
    char *form = mem_printf("Action=Publish&Message=m&TopicArn=" RIG_TOPIC
                            "&MessageAttributes.entry.1.Name=a"
                            "&MessageAttributes.entry.1.Value.DataType=String"
                            "&MessageAttributes.entry.1.Value.StringValue=%s",
                            attribute);

    RIG_OK(rig, form);
    mem_free(form);
    return rig->t->fanout.matched - before;
}

static void test_matcher_follows(void **state)
{
    char *x = subscribed(SUBSCRIBE RIG_QUEUE("x") WITH("FilterPolicy", "{\"a\":[\"x\"]}"));
    char *all = subscribed(SUBSCRIBE RIG_QUEUE("all"));

    assert_int_equal(matched("x"), 2);
    assert_int_equal(matched("y"), 1);
    set(x, "FilterPolicy", "{\"a\":[\"y\"]}");
    assert_int_equal(matched("x"), 1);
    assert_int_equal(matched("y"), 2);
    assert_int_equal(
        catalog_topic(&rig->t->catalog, STR("arn:aws:sns:us-east-1:000000000000:t"))->policy_count,
        1);
    rig_stop(rig);
    rig_start(rig);
    assert_int_equal(matched("y"), 2);
    set(x, "FilterPolicy", "");
    assert_int_equal(matched("x"), 2);
    char *form = mem_printf("Action=Unsubscribe&SubscriptionArn=%s", all);

    RIG_OK(rig, form);
    RIG_OK(rig, form);
    assert_int_equal(matched("x"), 1);
    mem_free(form);
    mem_free(all);
    mem_free(x);
    RIG_OK(rig, "Action=DeleteTopic&TopicArn=" RIG_TOPIC);
    assert_int_equal(rig->t->catalog.subs.n, 0);
}

static void test_policy_quota(void **state)
{
    static const char policy[] = WITH("FilterPolicy", "{\"a\":[\"x\"]}");
    char *form;

    for (int i = 0; i < 200; i++) {
        form = mem_printf("%sarn:aws:sqs:us-east-1:000000000000:q%d%s", SUBSCRIBE, i, policy);
        RIG_OK(rig, form);
        mem_free(form);
    }
    form = mem_printf("%s%s%s", SUBSCRIBE, RIG_QUEUE("more"), policy);
    RIG_REFUSED(rig, form, 403, "FilterPolicyLimitExceeded", "Filter policy limit exceeded");
    mem_free(form);
    RIG_OK(rig, SUBSCRIBE RIG_QUEUE("more"));
}

static void test_unsubscribe_refusals(void **state)
{
    INVALID(rig, "Action=Unsubscribe", P "SubscriptionArn Reason: no value for required parameter");
    INVALID(rig, "Action=Unsubscribe&SubscriptionArn=pending+confirmation",
            P "SubscriptionArn Reason: An ARN must have at least 6 elements, not 1");
    INVALID(rig, "Action=Unsubscribe&SubscriptionArn=" RIG_TOPIC, P "SubscriptionId");
    RIG_OK(rig, "Action=Unsubscribe&SubscriptionArn=" RIG_TOPIC
                "%3A00000000-0000-0000-0000-000000000000");
    RIG_REFUSED(rig,
                "Action=SetSubscriptionAttributes&AttributeName=RawMessageDelivery"
                "&AttributeValue=true&SubscriptionArn=" RIG_TOPIC
                "%3A00000000-0000-0000-0000-000000000000",
                404, "NotFound", "Subscription does not exist");
}

static size_t count(const struct buf *out, const char *what)
{
    size_t n = 0;

    for (const char *at = out->p; (at = strstr(at, what)); at++)
        n++;
    return n;
}

static void test_lists(void **state)
{
    struct buf out = {0};

    for (int i = 0; i < 130; i++) {
        char *form = mem_printf("%sarn:aws:sqs:us-east-1:000000000000:q%d", SUBSCRIBE, i);

        RIG_OK(rig, form);
        mem_free(form);
    }
    static const char *const lists[] = {"Action=ListSubscriptions&NextToken=%s",
                                        "Action=ListSubscriptionsByTopic&TopicArn=" RIG_TOPIC
                                        "&NextToken=%s"};

    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        str cut = str_from(lists[i], strlen(lists[i]) - 2);
        char *form = mem_printf("%.*s", STR_ARG(cut));

        assert_int_equal(rig_call(rig, form, &out), 200);
        assert_int_equal(count(&out, "<Endpoint>"), 100);
        char *token = rig_element(&out, "NextToken");
        char *next = mem_printf("%s%s", form, token);

        assert_int_equal(rig_call(rig, next, &out), 200);
        assert_int_equal(count(&out, "<Endpoint>"), 30);
        assert_null(strstr(out.p, "NextToken"));
        mem_free(next);
        mem_free(token);
        mem_free(form);
    }
    RIG_REFUSED(rig, "Action=ListSubscriptionsByTopic&TopicArn=" RIG_TOPIC "x", 404, "NotFound",
                "Topic does not exist");
    buf_deinit(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_refusals),
        TEST(test_repetition),
        TEST(test_attributes),
        TEST(test_matcher_follows),
        TEST(test_lists),
        TEST(test_policy_quota),
        TEST(test_unsubscribe_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
