/* The publish road: every refusal in its words and order, structures resolved, batches whole or not
 * at all, and what goes into the frames. */
#include "tests/unit/topicd/rig.h"

#define INVALID(r, form, text) RIG_REFUSED(r, form, 400, "InvalidParameter", text)
#define VALUE(r, form, text)   RIG_REFUSED(r, form, 400, "ParameterValueInvalid", text)
#define P                      "Invalid parameter: "
#define PUBLISH                "Action=Publish&TopicArn=" RIG_TOPIC
#define ATTR(name, type, rest)                                                                     \
    "&MessageAttributes.entry.1.Name=" name "&MessageAttributes.entry.1.Value.DataType=" type rest
#define STRING "&MessageAttributes.entry.1.Value.StringValue="
#define BINARY "&MessageAttributes.entry.1.Value.BinaryValue="

static struct rig *rig;

static int set_up(void **state)
{
    rig = rig_new(1);
    fake_open(&rig->fakes[0]);
    rig_start(rig);
    RIG_OK(rig, "Action=CreateTopic&Name=t");
    RIG_OK(rig, "Action=Subscribe&Protocol=sqs&TopicArn=" RIG_TOPIC "&Endpoint=" RIG_QUEUE("q"));
    RIG_UNTIL(rig, rig_is_live(rig));
    return 0;
}

static int tear_down(void **state)
{
    rig_free(rig);
    return 0;
}

static void arrived(const char *bodies)
{
    struct buf *got = &rig->fakes[0].bodies;

    assert_string_equal(got->p ? got->p : "", bodies);
    buf_reset(got);
}

static void test_targets(void **state)
{
    INVALID(rig, "Action=Publish&Message=m",
            P "TopicArn or TargetArn Reason: no value for required parameter");
    INVALID(rig, "Action=Publish&Message=m&TopicArn=",
            P "TopicArn Reason: An ARN must have at least 6 elements, not 1");
    INVALID(rig, "Action=Publish&Message=m&TargetArn=randomstring:1",
            P "TargetArn Reason: An ARN must have at least 6 elements, not 2");
    rig->authorization = RIG_SIGNED;
    INVALID(rig, "Action=Publish&Message=m&TargetArn=arn:aws:sns:eu-west-1:000000000000:t",
            P "TargetArn");
    rig->authorization = NULL;
    INVALID(rig,
            "Action=Publish&Message=m&TargetArn=arn:aws:sns:us-east-1:000000000000:"
            "endpoint/ADM/a/00000000-0000-0000-0000-000000000000",
            P "TargetArn Reason: No endpoint found for the target arn specified");
    INVALID(rig, "Action=Publish&Message=m&PhoneNumber=%2B1a234",
            P "PhoneNumber Reason: +1a234 is not valid to publish to");
    RIG_OK(rig, "Action=Publish&Message=m&PhoneNumber=%2B15551234567");
    RIG_REFUSED(rig, PUBLISH "x&Message=m", 404, "NotFound", "Topic does not exist");
    RIG_OK(rig, "Action=Publish&Message=m&TargetArn=" RIG_TOPIC);
    arrived("q=m;");
}

static void test_texts(void **state)
{
    INVALID(rig, PUBLISH "&Message=", P "Empty message");
    INVALID(rig, PUBLISH, P "Message Reason: no value for required parameter");
    INVALID(rig, PUBLISH "&Message=a%08b", P "Message");
    INVALID(rig, PUBLISH "&Message=%EF%BF%BE", P "Message");
    INVALID(rig, PUBLISH "&Message=m&Subject=", P "Subject");
    INVALID(rig, PUBLISH "&Message=m&Subject=a%0Ab", P "Subject");
    INVALID(rig, PUBLISH "&Message=m&MessageStructure=xml", P "MessageStructure");
    INVALID(rig, PUBLISH "&Message=m&MessageDeduplicationId=d",
            P
            "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter "
            "that is not valid for this topic type");
    INVALID(rig, PUBLISH "&Message=m&MessageGroupId=a+b",
            P "The MessageGroupId parameter can only include alphanumeric and punctuation "
              "characters. 1 to 128 in length");
    RIG_OK(rig, PUBLISH "&Message=m&MessageGroupId=g&Subject=h%C3%A4");
    char *form = mem_printf("%s&Message=m&Subject=%0101d", PUBLISH, 0);

    INVALID(rig, form, P "Subject");
    mem_free(form);
    form = mem_printf("%s&Message=m&Subject=%0100d", PUBLISH, 0);
    RIG_OK(rig, form);
    mem_free(form);
    /* Counted in UTF-16: fifty characters of two units. */
    struct buf subject = {0};

    buf_z(&subject, PUBLISH "&Message=m&Subject=");
    for (int i = 0; i < 50; i++)
        buf_z(&subject, "%F0%9F%98%80");
    RIG_OK(rig, subject.p);
    buf_char(&subject, 'x');
    INVALID(rig, subject.p, P "Subject");
    buf_deinit(&subject);
}

static void test_attributes(void **state)
{
    static const char type[] =
        "The message attribute 'a' has an invalid message attribute type, the "
        "set of supported type prefixes is Binary, Number, and String.";
    static const char *const bad_types[] = {"", "String.", "Stringprefixed", "number", "Integer"};
    static const char *const good_types[] = {"String.prefixed", "String.++prefixed.",
                                             "Number.java.lang.Long", "String.Array"};
    char *form;

    for (size_t i = 0; i < ARRAY_LEN(bad_types); i++) {
        form = mem_printf("%s&Message=m&MessageAttributes.entry.1.Name=a&MessageAttributes.entry.1."
                          "Value.DataType=%s" STRING "1",
                          PUBLISH, bad_types[i]);
        VALUE(rig, form, type);
        mem_free(form);
    }
    for (size_t i = 0; i < ARRAY_LEN(good_types); i++) {
        form = mem_printf("%s&Message=m&MessageAttributes.entry.1.Name=a&MessageAttributes.entry.1."
                          "Value.DataType=%s" STRING "1",
                          PUBLISH, good_types[i]);
        RIG_OK(rig, form);
        mem_free(form);
    }
    RIG_REFUSED(rig, PUBLISH "&Message=m&MessageAttributes.entry.1.Name=a" STRING "v", 400,
                "ValidationError",
                "1 validation error detected: Value null at 'messageAttributes.a.member.dataType' "
                "failed to satisfy constraint: Member must not be null");
    VALUE(rig, PUBLISH "&Message=m" ATTR("a", "String", ""),
          "The message attribute 'a' must contain non-empty message attribute value for message "
          "attribute type 'String'.");
    VALUE(rig, PUBLISH "&Message=m" ATTR("a", "Binary", BINARY),
          "The message attribute 'a' must contain non-empty message attribute value for message "
          "attribute type 'Binary'.");
    VALUE(rig, PUBLISH "&Message=m" ATTR("a", "Number", BINARY "AgME"),
          "The message attribute 'a' with type 'Number' must use field 'String'.");
    VALUE(rig, PUBLISH "&Message=m" ATTR("a", "Binary", STRING "x"),
          "The message attribute 'a' with type 'Binary' must use field 'Binary'.");
    VALUE(rig, PUBLISH "&Message=m" ATTR("a", "Number", STRING "12x"),
          "Could not cast message attribute 'a' value to number.");
    VALUE(rig, PUBLISH "&Message=m" ATTR("a", "Number", STRING "e"),
          "Could not cast message attribute 'a' value to number.");
    VALUE(rig, PUBLISH "&Message=m" ATTR("a", "Number", STRING "1e127"),
          "Message attribute 'a' value scale must be 10^-128 and 10^126.");
    VALUE(rig,
          PUBLISH
          "&Message=m" ATTR("a", "Number", STRING "1234567890123456789012345678901234567890"),
          "Message attribute 'a' value must have less than 38 precision digits.");
    RIG_OK(rig, PUBLISH "&Message=m" ATTR("a", "Number", STRING "-0099.120e%2B2"));
}

static void text_is(struct publication *p, const char *protocol, const char *expected)
{
    str text = publication_text(p, protocol);

    assert_int_equal(text.n, strlen(expected));
    assert_memory_equal(text.p, expected, text.n);
}

/* Each protocol gets its own text, found once. */
static void test_text_by_protocol(void **state)
{
    static const char json[] = "{\"http\":\"h\",\"default\":\"d\",\"sqs\":5,\"email\":\"\"}";
    struct val message = {.type = VAL_STRING, .name = STR("Message"), .text = str_of(json)};
    struct val structure = {
        .type = VAL_STRING, .name = STR("MessageStructure"), .text = STR("json"), .next = &message};
    struct val in = {.type = VAL_STRUCT, .first = &structure};
    struct publication_rules rules = {.size_max = 1000};
    struct publication p;
    struct arena arena;
    struct fault f = {0};

    arena_init(&arena);
    assert_int_equal(publication_read(&p, &in, "a", &rules, &arena, &f), 0);
    text_is(&p, "http", "h");
    text_is(&p, "sqs", "d");
    text_is(&p, "lambda", "d");
    text_is(&p, "email", "");
    const char *first = publication_text(&p, "http").p;

    text_is(&p, "http", "h");
    assert_ptr_equal(publication_text(&p, "http").p, first);
    in.first = &message;
    assert_int_equal(publication_read(&p, &in, "a", &rules, &arena, &f), 0);
    text_is(&p, "http", json);
    arena_deinit(&arena);
}

static void test_attribute_names(void **state)
{
    char *form;

    VALUE(rig, PUBLISH "&Message=m" ATTR("a^b", "String", STRING "v"),
          "Invalid non-alphanumeric character '#x5E' was found in the message attribute name. Can "
          "only include alphanumeric characters, hyphens, underscores, or dots.");
    VALUE(rig, PUBLISH "&Message=m" ATTR(".a", "String", STRING "v"),
          "Invalid message attribute name starting with character '.' was found.");
    VALUE(rig, PUBLISH "&Message=m" ATTR("a.", "String", STRING "v"),
          "Invalid message attribute name ending with character '.' was found.");
    VALUE(rig, PUBLISH "&Message=m" ATTR("a..b", "String", STRING "v"),
          "Message attribute name can not have successive '.' character.");
    form =
        mem_printf("%s&Message=m&MessageAttributes.entry.1.Name=%0257d&MessageAttributes.entry.1."
                   "Value.DataType=String" STRING "v",
                   PUBLISH, 0);
    VALUE(rig, form, "Length of message attribute name must be less than 256 bytes.");
    mem_free(form);
    form =
        mem_printf("%s&Message=m&MessageAttributes.entry.1.Name=%0256d&MessageAttributes.entry.1."
                   "Value.DataType=String" STRING "v",
                   PUBLISH, 0);
    RIG_OK(rig, form);
    mem_free(form);
}

/* `n` bytes of message behind `start`. */
static char *filled(const char *start, size_t n)
{
    struct buf form = {0};

    buf_z(&form, start);
    memset(buf_room(&form, n), 'x', n);
    form.n += n;
    return buf_detach(&form);
}

static void test_sizes(void **state)
{
    char *form = filled(PUBLISH "&Message=", 262144);

    RIG_OK(rig, form);
    mem_free(form);
    form = filled(PUBLISH "&Message=", 262145);
    INVALID(rig, form, P "Message too long");
    mem_free(form);
    /* Name, type and value of attributes count; binary ones as bytes. */
    form = filled(PUBLISH ATTR("a", "Binary", BINARY "AgME") "&Message=", 262144 - 10);
    RIG_OK(rig, form);
    mem_free(form);
    form = filled(PUBLISH ATTR("a", "Binary", BINARY "AgME") "&Message=", 262144 - 9);
    INVALID(rig, form, P "Message too long");
    mem_free(form);
    form = filled(PUBLISH ATTR("a^", "String", STRING "v") "&Message=", 262145);
    VALUE(rig, form,
          "Invalid non-alphanumeric character '#x5E' was found in the message attribute name. Can "
          "only include alphanumeric characters, hyphens, underscores, or dots.");
    mem_free(form);
}

static void test_structure(void **state)
{
    static const struct {
        const char *message, *wants;
    } good[] = {
        {"{\"default\":\"d\",\"sqs\":\"s\"}", "q=s;"},
        {"{\"sqs\":\"s%5Cu00e4%5Cn\",\"default\":\"d\"}", "q=s\xC3\xA4\n;"},
        {"{\"default\":\"d\",\"sqs\":{\"a\":[1,{}]}}", "q=d;"},
        {"{\"default\":\"d\",\"lambda\":\"x\",\"http\":5}", "q=d;"},
        {"{\"default\":\"1\",\"default\":\"2\"}", "q=2;"},
        {"{\"default\":{},\"default\":\"2\"}", "q=2;"},
        {"{\"def%5Cu0061ult\":\"d\"}", "q=d;"},
        {"{\"default\":12.50}", "q=12.50;"},
        {"{\"default\":null}", "q=null;"},
    };
    static const char *const broken[] = {
        "no json", "[]", "\"x\"", "{", "{\"default\":\"d\"}x", "{\"default\":\"d\",}"};
    static const char *const missing[] = {"{}", "{\"sqs\":\"s\"}", "{\"default\":{}}",
                                          "{\"default\":[\"x\"]}",
                                          "{\"default\":\"d\",\"default\":{}}"};
    char *form;

    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        form = mem_printf("%s&MessageStructure=json&Message=%s", PUBLISH, good[i].message);
        RIG_OK(rig, form);
        mem_free(form);
        arrived(good[i].wants);
    }
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        form = mem_printf("%s&MessageStructure=json&Message=%s", PUBLISH, broken[i]);
        INVALID(rig, form, P "Message Structure - JSON message body failed to parse");
        mem_free(form);
    }
    for (size_t i = 0; i < ARRAY_LEN(missing); i++) {
        form = mem_printf("%s&MessageStructure=json&Message=%s", PUBLISH, missing[i]);
        INVALID(rig, form, P "Message Structure - No default entry in JSON message body");
        mem_free(form);
    }
}

#define BATCH "Action=PublishBatch&TopicArn=" RIG_TOPIC
#define ENTRY(n, i, m)                                                                             \
    "&PublishBatchRequestEntries.member." n ".Id=" i "&PublishBatchRequestEntries.member." n       \
    ".Message=" m

static void test_batch(void **state)
{
    struct buf out = {0};

    assert_int_equal(rig_call(rig, BATCH ENTRY("1", "a", "1") ENTRY("2", "b-_B", "2"), &out), 200);
    assert_non_null(strstr(out.p, "<Failed/>"));
    assert_true(strstr(out.p, "<Id>a</Id>") < strstr(out.p, "<Id>b-_B</Id>"));
    arrived("q=1;q=2;");
    assert_int_equal(rig->fakes[0].delivers, 1);
    buf_deinit(&out);
    RIG_OK(rig, BATCH ENTRY("1", "a",
                            "{\"default\":\"d\",\"sqs\":\"s\"}") "&PublishBatchRequestEntries."
                                                                 "member.1.MessageStructure=json");
    arrived("q=s;");
}

static void test_batch_refusals(void **state)
{
    RIG_REFUSED(rig, BATCH "&PublishBatchRequestEntries=", 400, "EmptyBatchRequest",
                "The batch request doesn't contain any entries.");
    RIG_REFUSED(rig, BATCH ENTRY("1", "a", "1") ENTRY("2", "a", "2"), 400,
                "BatchEntryIdsNotDistinct",
                "Two or more batch entries in the request have the same Id.");
    RIG_REFUSED(rig, BATCH ENTRY("1", "message.id", "1"), 400, "InvalidBatchEntryId",
                "The Id of a batch entry in the batch request contains an impermissible character: "
                "message.id");
    RIG_REFUSED(rig, "Action=PublishBatch&TopicArn=" RIG_TOPIC "x" ENTRY("1", "a", "1"), 404,
                "NotFound", "Topic does not exist");
    RIG_REFUSED(rig, BATCH "&PublishBatchRequestEntries.member.1.Id=a", 400, "ValidationError",
                "1 validation error detected: Value null at 'publishBatchRequestEntries.1.member."
                "message' failed to satisfy constraint: Member must not be null");
    RIG_REFUSED(
        rig,
        BATCH ENTRY("1", "a", "1") "&PublishBatchRequestEntries.member.1.MessageAttributes."
                                   "entry.1.Name=attr1",
        400, "ValidationError",
        "1 validation error detected: Value null at 'publishBatchRequestEntries.1.member."
        "messageAttributes.attr1.member.dataType' failed to satisfy constraint: Member must "
        "not be null");
    char *form = filled(BATCH ENTRY("1", "a", "") "&PublishBatchRequestEntries.member.2.Id=b"
                                                  "&PublishBatchRequestEntries.member.2.Message=",
                        262145);

    RIG_REFUSED(rig, form, 400, "BatchRequestTooLong",
                "The length of all the messages put together is more than the limit.");
    mem_free(form);
    /* One bad entry, and nothing is published. */
    INVALID(rig, BATCH ENTRY("1", "a", "1") ENTRY("2", "b", ""), P "Empty message");
    struct buf eleven = {0};

    buf_z(&eleven, BATCH);
    for (int i = 1; i <= 11; i++)
        buf_printf(&eleven,
                   "&PublishBatchRequestEntries.member.%d.Id=i%d"
                   "&PublishBatchRequestEntries.member.%d.Message=m",
                   i, i, i);
    RIG_REFUSED(rig, eleven.p, 400, "TooManyEntriesInBatchRequest",
                "The batch request contains more entries than permissible.");
    buf_deinit(&eleven);
    arrived("");
}

/* With raw delivery a queue takes ten attributes: that subscription gets nothing, others do. */
static void test_rule_of_ten(void **state)
{
    struct buf form = {0};

    RIG_OK(rig,
           "Action=Subscribe&Protocol=sqs&TopicArn=" RIG_TOPIC "&Endpoint=" RIG_QUEUE(
               "raw") "&Attributes.entry.1.key=RawMessageDelivery&Attributes.entry.1.value=true");
    buf_z(&form, PUBLISH "&Message=m");
    for (int i = 1; i <= 11; i++) {
        buf_printf(&form,
                   "&MessageAttributes.entry.%d.Name=a%d&MessageAttributes.entry.%d.Value."
                   "DataType=String&MessageAttributes.entry.%d.Value.StringValue=v",
                   i, i, i, i);
        if (i == 10) {
            RIG_OK(rig, form.p);
            assert_int_equal(rig->fakes[0].bodies.n, strlen("q=m;raw=m;"));
            buf_reset(&rig->fakes[0].bodies);
        }
    }
    RIG_OK(rig, form.p);
    arrived("q=m;");
    assert_int_equal(rig->t->queueds.failed.counts[FAILURE_ATTRIBUTES], 1);
    buf_deinit(&form);
}

/* Many targets: frames are cut, the message travels with each, everybody gets it once. */
static void test_many_targets(void **state)
{
    enum { TARGETS = 150 };

    rig->t->queued_route.frame_size = 4096;
    for (int i = 1; i < TARGETS; i++) {
        char *form = mem_printf("Action=Subscribe&Protocol=sqs&TopicArn=%s&Endpoint=%s%d",
                                RIG_TOPIC, RIG_QUEUE(""), i);

        RIG_OK(rig, form);
        mem_free(form);
    }
    RIG_OK(rig, PUBLISH "&Message=m");
    size_t n = 0;

    for (const char *at = rig->fakes[0].bodies.p; (at = strstr(at, "=m;")); at++)
        n++;
    assert_int_equal(n, TARGETS);
    assert_true(rig->fakes[0].delivers > 2);
    assert_int_equal(rig->fakes[0].refused, 0);
}

/* Beyond held_bytes_max publishes wait, and those that come later wait behind them: also one that comes
 * when there is room again and nobody has gone on yet. */
static void test_parked_ones_keep_their_order(void **state)
{
    struct rig *r = rig_new(1);
    struct rig_answer large[5], first, second, third;
    char *text = mem_printf("%s&Message=%0262144d", PUBLISH, 0);

    rig_set(r, "held_bytes_max", "1MiB");
    rig_start(r);
    RIG_OK(r, "Action=CreateTopic&Name=t");
    RIG_OK(r, "Action=Subscribe&Protocol=sqs&TopicArn=" RIG_TOPIC "&Endpoint=" RIG_QUEUE("q"));
    fake_open(&r->fakes[0]);
    RIG_UNTIL(r, rig_is_live(r));
    r->fakes[0].silent = true;
    for (size_t i = 0; i < ARRAY_LEN(large); i++)
        rig_begin(r, text, &large[i]);
    RIG_UNTIL(r, fanout_held_bytes(&r->t->fanout) >= 1 << 20);
    rig_begin(r, PUBLISH "&Message=1", &first);
    rig_begin(r, PUBLISH "&Message=2", &second);
    for (int i = 0; i < 5; i++)
        rig_turn(r);
    assert_false(large[4].there || first.there || second.there);
    /* The session ends: all of it goes to the outbox, which makes room. */
    queued_link_flush(r->t->queueds.links[0]);
    assert_true(fanout_held_bytes(&r->t->fanout) < 1 << 20);
    rig_begin(r, PUBLISH "&Message=3", &third);
    RIG_UNTIL(r, first.there && second.there && third.there && large[4].there);
    buf_reset(&r->fakes[0].bodies);
    fake_close(&r->fakes[0]);
    r->fakes[0].silent = false;
    fake_open(&r->fakes[0]);
    /* The outbox is sent over several turns. */
    RIG_UNTIL(r, str_ends(buf_view(&r->fakes[0].bodies), STR("q=3;")));
    str all = buf_view(&r->fakes[0].bodies);
    assert_true(str_ends(all, STR("q=1;q=2;q=3;")));
    for (size_t i = 0; i < ARRAY_LEN(large); i++)
        buf_deinit(&large[i].body);
    buf_deinit(&first.body);
    buf_deinit(&second.body);
    buf_deinit(&third.body);
    mem_free(text);
    rig_free(r);
}

/* What a turn has published is held before its frame is closed. */
static void test_open_frames_are_held(void **state)
{
    struct rig_answer a;

    assert_int_equal(fanout_held_bytes(&rig->t->fanout), 0);
    rig_begin(rig, PUBLISH "&Message=m", &a);
    assert_true(fanout_held_bytes(&rig->t->fanout) > 0);
    RIG_UNTIL(rig, a.there);
    assert_int_equal(fanout_held_bytes(&rig->t->fanout), 0);
    buf_deinit(&a.body);
}

/* Binary values count in a batch as others do: exactly the largest size, and a byte more. */
static void test_sizes_of_batches(void **state)
{
    /* Id, message "m", name "n", type "Binary": 8 bytes beside the value. */
    static const size_t bytes[] = {262144 - 8, 262144 - 7};

    for (size_t i = 0; i < ARRAY_LEN(bytes); i++) {
        struct buf form = {0}, zeros = {0};
        memset(buf_room(&zeros, bytes[i]), 0, bytes[i]);
        zeros.n = bytes[i];
        buf_z(&form,
              "Action=PublishBatch&TopicArn=" RIG_TOPIC "&PublishBatchRequestEntries.member.1.Id=1"
              "&PublishBatchRequestEntries.member.1.Message=m"
              "&PublishBatchRequestEntries.member.1.MessageAttributes.entry.1.Name=n"
              "&PublishBatchRequestEntries.member.1.MessageAttributes.entry.1.Value.DataType="
              "Binary"
              "&PublishBatchRequestEntries.member.1.MessageAttributes.entry.1.Value."
              "BinaryValue=");
        hash_base64(&form, buf_view(&zeros));
        buf_char(&form, '\0');
        for (char *c = form.p; *c; c++)
            assert_true(*c != '+');
        if (i == 0)
            RIG_OK(rig, form.p);
        else
            RIG_REFUSED(rig, form.p, 400, "BatchRequestTooLong",
                        "The length of all the messages put together is more than the limit.");
        buf_deinit(&zeros);
        buf_deinit(&form);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_targets),
        TEST(test_texts),
        TEST(test_attributes),
        TEST(test_sizes),
        TEST(test_structure),
        TEST(test_attribute_names),
        TEST(test_text_by_protocol),
        TEST(test_batch),
        TEST(test_rule_of_ten),
        TEST(test_batch_refusals),
        TEST(test_many_targets),
        TEST(test_sizes_of_batches),
        TEST(test_open_frames_are_held),
        cmocka_unit_test(test_parked_ones_keep_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
