/* The call in both wire forms: which service and action, the input, the answer, byte for byte. */
#include "common/base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/aws/call.h"
#include "tests/demo_service.h"

static struct call *json_call(const char *target, str body)
{
    struct request rq = demo_request("/");
    rq.target = str_of(target);
    rq.body = body;
    return demo_call(rq);
}

static struct call *query_call(const char *params)
{
    struct request rq = demo_request("/");
    rq.content_type = STR("application/x-www-form-urlencoded; charset=utf-8");
    rq.body = str_of(params);
    return demo_call(rq);
}

static void find_and_read(struct call *c)
{
    call_find(c, demo_services, ARRAY_LEN(demo_services));
    if (!c->fault.code)
        call_read(c);
}

/* Reads the call and compares its input, or "!code text" for a fault. Frees the call. */
static void expect(struct call *c, const char *want)
{
    struct buf told = {0};
    find_and_read(c);
    if (c->fault.code)
        buf_printf(&told, "!%d %s", c->fault.code, c->fault.text);
    else
        demo_tell(c->in, &told);
    assert_string_equal(told.p, want);
    buf_deinit(&told);
    demo_call_free(c);
}

/* --- finding ---------------------------------------------------------------------------------- */

static void test_find(void **state)
{
    static const struct {
        const char *path, *query, *target, *body;
        const struct service *service;
        const char *action;
        int fault;
    } cases[] = {
        {"/", "", "AmazonSQS.SendMessage", "", &demo_sqs, "SendMessage", 0},
        {"/", "", "AmazonSNS.Publish", "", &demo_sns, "Publish", 0},
        {"/", "", "SNS.Publish", "", &demo_sns, "Publish", 0},
        {"/", "", "AmazonSimpleNotificationService.Publish", "", &demo_sns, "Publish", 0},
        {"/", "", "AmazonSQS.Publish", "", &demo_sqs, NULL, CALL_FAULT_UNKNOWN_ACTION},
        {"/", "", "DynamoDB.Put", "", &demo_sqs, NULL, CALL_FAULT_UNKNOWN_ACTION},
        {"/", "", ".", "", &demo_sqs, NULL, CALL_FAULT_UNKNOWN_ACTION},
        {"/a/q", "", "AmazonSQS.CreateQueue", "", &demo_sqs, "CreateQueue", 0},
        {"/", "", "", "Action=Publish", &demo_sns, "Publish", 0},
        {"/", "Action=Publish", "", "TopicArn=x", &demo_sns, "Publish", 0},
        {"/", "", "", "Action=SendMessage&Version=2012-11-05", &demo_sqs, "SendMessage", 0},
        {"/", "", "", "Action=SendMessage&Version=2009-02-01", &demo_sqs, "SendMessage", 0},
        {"/", "", "", "Action=SendMessage&Version=2010-03-31", &demo_sns, NULL,
         CALL_FAULT_UNKNOWN_ACTION},
        {"/", "", "", "Action=AddPermission&Version=2010-03-31", &demo_sns, "AddPermission", 0},
        {"/", "", "", "Action=AddPermission&TopicArn=x", &demo_sns, "AddPermission", 0},
        {"/", "", "", "Action=AddPermission&QueueUrl=x", &demo_sqs, "AddPermission", 0},
        {"/a/q", "", "", "Action=AddPermission", &demo_sqs, "AddPermission", 0},
        {"/a/q", "", "", "Action=AddPermission&TopicArn=x", &demo_sns, "AddPermission", 0},
        {"/", "", "", "Action=FooBar", &demo_sqs, NULL, CALL_FAULT_UNKNOWN_ACTION},
        {"/", "", "", "Action=FooBar&TopicArn=1", &demo_sns, NULL, CALL_FAULT_UNKNOWN_ACTION},
        {"/a/q", "Action=CreateQueue", "", "", &demo_sqs, "CreateQueue", CALL_FAULT_UNKNOWN_ACTION},
        {"/", "Action=CreateQueue", "", "", &demo_sqs, "CreateQueue", 0},
        {"/", "", "", "", &demo_sqs, NULL, CALL_FAULT_NO_ACTION},
        {"/", "Action=", "", "", &demo_sqs, NULL, CALL_FAULT_NO_ACTION},
        {"/x", "Version=1", "", "", &demo_sqs, NULL, CALL_FAULT_NO_ACTION},
        {"/", "Action=Publish&x=%G1", "", "", &demo_sqs, NULL, CALL_FAULT_SERIALIZATION},
        {"/", "Action=Publish&x=%1", "", "", &demo_sqs, NULL, CALL_FAULT_SERIALIZATION},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct request rq = demo_request(cases[i].path);
        rq.query = str_of(cases[i].query);
        rq.target = str_of(cases[i].target);
        rq.body = str_of(cases[i].body);
        struct call *c = demo_call(rq);
        call_find(c, demo_services, ARRAY_LEN(demo_services));
        assert_ptr_equal(c->service, cases[i].service);
        assert_int_equal(c->fault.code, cases[i].fault);
        assert_int_equal(c->dialect, cases[i].target[0] ? DIALECT_JSON : DIALECT_QUERY);
        if (cases[i].action)
            assert_string_equal(c->action->name, cases[i].action);
        else
            assert_null(c->action);
        demo_call_free(c);
    }
}

static void test_scope_tells_the_service(void **state)
{
    struct call *c = query_call("Action=AddPermission");
    c->identity.service = STR("sns");
    call_find(c, demo_services, ARRAY_LEN(demo_services));
    assert_ptr_equal(c->service, &demo_sns);
    demo_call_free(c);
}

static void test_body_of_another_type_has_no_parameters(void **state)
{
    struct call *c = query_call("Action=SendMessage");
    c->request.content_type = STR("text/plain");
    call_find(c, demo_services, ARRAY_LEN(demo_services));
    assert_int_equal(c->fault.code, CALL_FAULT_NO_ACTION);
    demo_call_free(c);
}

static void test_queue_paths(void **state)
{
    static const char *const yes[] = {"/000000000000/q1", "/queue/q1", "/q1", "/q1/",
                                      "/queue/eu-west-1/000000000000/q1.fifo"};
    static const char *const no[] = {
        "/",           "", "q1", "//", "/a/b/c", "/x/r/a/q", "/a//", "/queue/r/a/b/c", "/a/b/c/d/e",
        "/queue/r/a//"};
    for (size_t i = 0; i < ARRAY_LEN(yes); i++)
        assert_true(call_is_queue_path(str_of(yes[i])));
    for (size_t i = 0; i < ARRAY_LEN(no); i++)
        assert_false(call_is_queue_path(str_of(no[i])));
}

/* --- input ------------------------------------------------------------------------------------ */

static void test_json_input(void **state)
{
    static const char *const cases[][2] = {
        {"", "{}"},
        {" \n", "{}"},
        {"{}", "{}"},
        {"{\"QueueUrl\":\"u\",\"MessageBody\":\"a b\"}", "{QueueUrl=\"u\" MessageBody=\"a b\"}"},
        {" { \"DelaySeconds\" : 10 , \"Force\":true } ", "{DelaySeconds=10 Force=true}"},
        {"{\"DelaySeconds\":10.0}", "{DelaySeconds=10}"},
        {"{\"DelaySeconds\":-1,\"Force\":false}", "{DelaySeconds=-1 Force=false}"},
        {"{\"MessageBody\":\"\\u0041\\n\\\"\\\\\"}", "{MessageBody=\"A\n\"\\\"}"},
        {"{\"Message\\u0042ody\":\"x\"}", "{MessageBody=\"x\"}"},
        {"{\"MessageBody\":\"\\ud83d\\ude00\xC3\xA4\"}",
         "{MessageBody=\"\xF0\x9F\x98\x80\xC3\xA4\"}"},
        {"{\"MessageBody\":null,\"AttributeNames\":null}", "{}"},
        {"{\"messagebody\":\"x\",\"Other\":[1,{\"a\":[]}],\"More\":{\"b\":1}}", "{}"},
        {"{\"AttributeNames\":[]}", "{AttributeNames=[]}"},
        {"{\"AttributeNames\":[\"a\",null,\"b\"]}", "{AttributeNames=[\"a\" \"b\"]}"},
        {"{\"tags\":{\"k\":\"v\",\"\":\"\",\"n\":null}}", "{tags={k=\"v\" =\"\"}}"},
        {"{\"tags\":{\"a\":\"1\",\"b\":\"2\",\"a\":\"3\"}}", "{tags={a=\"3\" b=\"2\"}}"},
        {"{\"tags\":{\"a\":\"1\",\"a\":\"2\",\"a\":\"3\"}}", "{tags={a=\"3\"}}"},
        {"{\"tags\":{\"a\":\"1\",\"a\":\"2\",\"b\":\"3\"}}", "{tags={a=\"2\" b=\"3\"}}"},
        {"{\"MessageBody\":\"1\",\"Force\":true,\"MessageBody\":\"2\"}",
         "{MessageBody=\"2\" Force=true}"},
        {"{\"Force\":true,\"MessageBody\":\"1\",\"MessageBody\":\"2\",\"DelaySeconds\":1}",
         "{Force=true MessageBody=\"2\" DelaySeconds=1}"},
        {"{\"MessageAttributes\":{\"k\":{\"DataType\":\"Binary\",\"BinaryValue\":\"QUI=\"}}}",
         "{MessageAttributes={k={DataType=\"Binary\" BinaryValue=<AB>}}}"},
        {"{\"Entries\":[{\"Id\":\"1\",\"MessageAttributes\":{\"a\":{}}},{}]}",
         "{Entries=[{Id=\"1\" MessageAttributes={a={}}} {}]}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect(json_call("AmazonSQS.SendMessage", str_of(cases[i][0])), cases[i][1]);
}

static void test_json_refusals(void **state)
{
    static const char *const cases[][2] = {
        {"{\"DelaySeconds\":\"5\"}", "!3 STRING_VALUE can not be converted to an Integer"},
        {"{\"DelaySeconds\":1.5}", "!3 NUMBER_VALUE can not be converted to an Integer"},
        {"{\"DelaySeconds\":1e400}", "!3 NUMBER_VALUE can not be converted to an Integer"},
        {"{\"DelaySeconds\":99999999999999999999}",
         "!3 NUMBER_VALUE can not be converted to an Integer"},
        {"{\"MessageBody\":5}", "!3 NUMBER_VALUE can not be converted to a String"},
        {"{\"MessageBody\":true}", "!3 TRUE_VALUE can not be converted to a String"},
        {"{\"Attributes\":{\"VisibilityTimeout\":30}}",
         "!3 NUMBER_VALUE can not be converted to a String"},
        {"{\"Force\":\"true\"}", "!3 STRING_VALUE can not be converted to a Boolean"},
        {"{\"MessageBody\":[]}", "!3 Start of list found where not expected"},
        {"{\"MessageBody\":{}}", "!3 Start of structure or map found where not expected."},
        {"{\"AttributeNames\":\"All\"}", "!3 Unrecognized collection type class java.lang.String"},
        {"{\"AttributeNames\":{}}", "!3 Start of structure or map found where not expected."},
        {"{\"tags\":[]}", "!3 Start of list found where not expected"},
        {"{\"Entries\":[[]]}", "!3 Start of list found where not expected"},
        {"{\"MessageAttributes\":{\"k\":{\"BinaryValue\":\"QUI\"}}}",
         "!3 STRING_VALUE can not be converted to a Blob"},
        {"[]", "!3 Start of list found where not expected"},
        {"\"x\"", "!3 Unrecognized collection type class java.lang.String"},
        {"null", "!3 Unrecognized collection type class java.lang.String"},
        {"{\"MessageBody\":\"x\"",
         "!3 The request body is not valid JSON: the text ends before the value does "
         "(line 1, column 19)"},
        {"{\"Other\":[1,}",
         "!3 The request body is not valid JSON: a value was expected (line 1, column 13)"},
        {"{} x", "!3 The request body is not valid JSON: nothing but blanks may follow the value "
                 "(line 1, column 4)"},
        {"Action=SendMessage",
         "!3 The request body is not valid JSON: a value was expected (line 1, column 1)"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect(json_call("AmazonSQS.SendMessage", str_of(cases[i][0])), cases[i][1]);
    struct call *c = json_call("AmazonSQS.SendMessage", STR("{\"MessageBody\":\"\xFF\"}"));
    find_and_read(c);
    assert_int_equal(c->fault.code, CALL_FAULT_SERIALIZATION);
    demo_call_free(c);
}

/* What the character rules of a daemon must see, the reader lets through. */
static void test_json_passes_nul_and_lone_surrogates(void **state)
{
    struct call *c =
        json_call("AmazonSQS.SendMessage", STR("{\"MessageBody\":\"a\\u0000\\ud800\"}"));
    find_and_read(c);
    assert_int_equal(c->fault.code, 0);
    assert_true(str_eq(val_text(c->in, "MessageBody"), STR("a\0\xEF\xBF\xBE")));
    demo_call_free(c);
}

static void test_query_input_flattened(void **state)
{
    static const char *const cases[][2] = {
        {"", "{}"},
        {"&MessageBody=a+b%2Bc%26&QueueUrl=", "{QueueUrl=\"\" MessageBody=\"a b+c&\"}"},
        {"&DelaySeconds=-5&Force=TRUE", "{DelaySeconds=-5 Force=true}"},
        {"&MessageBody=1&MessageBody=2", "{MessageBody=\"1\"}"},
        {"&MessageBody.1=x&MessageBodyX=y&messagebody=z", "{}"},
        {"&Attribute.2.Name=b&Attribute.1.Value=1&Attribute.2.Value=2&Attribute.1.Name=a",
         "{Attributes={a=\"1\" b=\"2\"}}"},
        {"&Attribute.10.Name=ten&Attribute.9.Name=nine&Attribute.100.Name=c",
         "{Attributes={nine=\"\" ten=\"\" c=\"\"}}"},
        {"&Attribute.entry.1.Name=a&Attribute.entry.1.Value=b", "{Attributes={a=\"b\"}}"},
        {"&Attribute.1.Name=a&Attribute.1.Value=b&Attribute.2.Name=a&Attribute.2.Value=c",
         "{Attributes={a=\"c\"}}"},
        {"&Attribute.1.Value=b", "{Attributes={=\"b\"}}"},
        {"&Attribute.01.Name=a&Attribute.x.Name=b&Attribute.9999999999.Name=c&Attribute..Name=d",
         "{}"},
        {"&Tag.1.Key=k&Tag.1.Value=v", "{tags={k=\"v\"}}"},
        {"&Tag=", "{tags={}}"},
        {"&Tag=x", "{}"},
        {"&MessageSystemAttributeName.1=S", "{MessageSystemAttributeNames=[\"S\"]}"},
        {"&AttributeName.2=B&AttributeName.1=A",
         "{AttributeNames=[\"A\" \"B\"] MessageSystemAttributeNames=[\"A\" \"B\"]}"},
        {"&AttributeName.member.1=A",
         "{AttributeNames=[\"A\"] MessageSystemAttributeNames=[\"A\"]}"},
        {"&MessageAttribute.1.Name=n&MessageAttribute.1.Value.DataType=Binary"
         "&MessageAttribute.1.Value.BinaryValue=QUI%3D",
         "{MessageAttributes={n={BinaryValue=<AB> DataType=\"Binary\"}}}"},
        {"&MessageAttribute.1.Name=n"
         "&MessageAttribute.1.Value.StringListValue.StringListValue.1=x",
         "{MessageAttributes={n={StringListValues=[\"x\"]}}}"},
        {"&BatchEntry.1.Id=a&BatchEntry.1.MessageAttribute.1.Name=n"
         "&BatchEntry.1.MessageAttribute.1.Value.StringValue=v&BatchEntry.3.Id=c"
         "&BatchEntry.3.DelaySeconds=7",
         "{Entries=[{Id=\"a\" MessageAttributes={n={StringValue=\"v\"}}} "
         "{Id=\"c\" DelaySeconds=7}]}"},
        {"&BatchEntry.1=", "{Entries=[{}]}"},
        /* Without a number it is the first element. */
        {"&AttributeName=All", "{AttributeNames=[\"All\"] MessageSystemAttributeNames=[\"All\"]}"},
        {"&AttributeName.1=B&AttributeName=A",
         "{AttributeNames=[\"A\" \"B\"] MessageSystemAttributeNames=[\"A\" \"B\"]}"},
        {"&Attribute.Name=a&Attribute.Value=b", "{Attributes={a=\"b\"}}"},
        {"&Attribute.Value=c&Attribute.Name=a&Attribute.0.Name=d&Attribute.7.Name=e",
         "{Attributes={a=\"c\" d=\"\" e=\"\"}}"},
        {"&Tag.Key=k&Tag.Value=", "{tags={k=\"\"}}"},
        {"&MessageAttribute.Name=n&MessageAttribute.Value.DataType=String"
         "&MessageAttribute.Value.StringValue=v",
         "{MessageAttributes={n={StringValue=\"v\" DataType=\"String\"}}}"},
        {"&BatchEntry.Id=a&BatchEntry.MessageAttribute.Name=n&BatchEntry.1.Id=b",
         "{Entries=[{Id=\"a\" MessageAttributes={n={}}} {Id=\"b\"}]}"},
        {"&Attribute.Nam=a&BatchEntry=x", "{}"},
        {"&Attribute.Name=%FF", "!3 The value of parameter Attribute.Name is not UTF-8."},
        {"&DelaySeconds=1x",
         "!5 Value 1x for parameter DelaySeconds is invalid. Reason: Must be an integer."},
        {"&BatchEntry.2.DelaySeconds=",
         "!5 Value  for parameter BatchEntry.2.DelaySeconds is invalid. "
         "Reason: Must be an integer."},
        {"&Force=1", "!5 Value 1 for parameter Force is invalid. Reason: Must be true or false."},
        {"&MessageBody=%FF", "!3 The value of parameter MessageBody is not UTF-8."},
        {"&Tag.1.Key=%C0%80", "!3 The value of parameter Tag.1.Key is not UTF-8."},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *params = mem_printf("Action=SendMessage%s", cases[i][0]);
        expect(query_call(params), cases[i][1]);
        mem_free(params);
    }
}

static void test_query_input_wrapped(void **state)
{
    static const char *const cases[][2] = {
        {"&Attributes.entry.1.key=a&Attributes.entry.1.value=b", "{Attributes={a=\"b\"}}"},
        {"&Tags.member.2.Key=b&Tags.member.1.Key=a&Tags.member.1.Value=",
         "{Tags=[{Key=\"a\" Value=\"\"} {Key=\"b\"}]}"},
        {"&Tags=&TagKeys=", "{Tags=[] TagKeys=[]}"},
        {"&TagKeys=a&Tags.Key=b&Attributes.key=c", "{}"},
        {"&TagKeys.member.1=a&TagKeys.member.3=c", "{TagKeys=[\"a\" \"c\"]}"},
        {"&MessageAttributes.entry.1.Name=n&MessageAttributes.entry.1.Value.DataType=String",
         "{MessageAttributes={n={DataType=\"String\"}}}"},
        {"&Return=yes", "!5 Invalid parameter: Return Reason: Must be true or false"},
        {"&MessageAttributes.entry.1.Name=n&MessageAttributes.entry.1.Value.BinaryValue=%2A",
         "!5 Invalid parameter: MessageAttributes.entry.1.Value.BinaryValue Reason: "
         "Must be base64"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *params = mem_printf("Action=Publish%s", cases[i][0]);
        expect(query_call(params), cases[i][1]);
        mem_free(params);
    }
}

static void test_query_string_and_body_together(void **state)
{
    struct call *c = query_call("Message=m&TagKeys.member.2=b");
    c->request.query = STR("Action=Publish&TagKeys.member.1=a");
    expect(c, "{Message=\"m\" TagKeys=[\"a\" \"b\"]}");
}

static void test_queue_url_from_path(void **state)
{
    struct call *c = query_call("Action=SendMessage&MessageBody=x");
    c->request.path = STR("/0/q");
    expect(c, "{QueueUrl=\"http://h:1/0/q\" MessageBody=\"x\"}");
    c = query_call("Action=SendMessage&QueueUrl=other");
    c->request.path = STR("/0/q");
    expect(c, "{QueueUrl=\"other\"}");
    c = json_call("AmazonSQS.SendMessage", STR("{}"));
    c->request.path = STR("/queue/q");
    expect(c, "{QueueUrl=\"http://h:1/queue/q\"}");
    c = json_call("AmazonSNS.Publish", STR("{}"));
    c->request.path = STR("/queue/q");
    expect(c, "{}");
}

static void test_large_map_keeps_last_values(void **state)
{
    struct buf body = {0};
    buf_z(&body, "{\"tags\":{");
    for (int i = 0; i < 1000; i++)
        buf_printf(&body, "%s\"k%d\":\"%d\"", i ? "," : "", i % 100, i);
    buf_z(&body, "}}");
    struct call *c = json_call("AmazonSQS.SendMessage", buf_view(&body));
    find_and_read(c);
    assert_int_equal(c->fault.code, 0);
    const struct val *tags = val_get(c->in, "tags");
    assert_int_equal(tags->count, 100);
    assert_true(str_is(tags->first->name, "k0"));
    u32 n = 0;
    for (const struct val *v = tags->first; v; v = v->next, n++) {
        i64 number;
        assert_int_equal(str_to_i64(v->text, &number), 0);
        assert_int_equal(number, 900 + n);
    }
    assert_int_equal(n, 100);
    demo_call_free(c);
    buf_deinit(&body);
}

static void test_values_are_bounded(void **state)
{
    struct buf body = {0};
    buf_z(&body, "{\"Entries\":[{}");
    for (int i = 2; i < CALL_VALS_MAX - 1; i++)
        buf_z(&body, ",{}");
    buf_z(&body, "]}");
    struct call *c = json_call("AmazonSQS.SendMessage", buf_view(&body));
    find_and_read(c);
    assert_int_equal(c->fault.code, 0);
    demo_call_free(c);
    body.n -= 2;
    buf_z(&body, ",{},{}]}");
    c = json_call("AmazonSQS.SendMessage", buf_view(&body));
    find_and_read(c);
    assert_int_equal(c->fault.code, CALL_FAULT_TOO_LARGE);
    demo_call_free(c);

    buf_reset(&body);
    buf_z(&body, "Action=SendMessage");
    for (int i = 0; i < CALL_VALS_MAX; i++)
        buf_printf(&body, "&BatchEntry.%d.Id=%d", 900000000 - i * 7919 % 65536, i);
    c = query_call(body.p);
    find_and_read(c);
    assert_int_equal(c->fault.code, CALL_FAULT_TOO_LARGE);
    demo_call_free(c);
    buf_deinit(&body);
}

static void test_getters(void **state)
{
    struct call *c = json_call("AmazonSQS.SendMessage", STR("{\"DelaySeconds\":3,\"Force\":false,"
                                                            "\"MessageBody\":\"\"}"));
    i64 number = 9;
    bool flag = true;
    find_and_read(c);
    assert_true(val_int(c->in, "DelaySeconds", &number));
    assert_int_equal(number, 3);
    assert_true(val_bool(c->in, "Force", &flag));
    assert_false(flag);
    assert_non_null(val_text(c->in, "MessageBody").p);
    assert_null(val_text(c->in, "QueueUrl").p);
    assert_false(val_int(c->in, "Other", &number));
    assert_false(val_bool(c->in, "Other", &flag));
    demo_call_free(c);
}

/* --- answers ---------------------------------------------------------------------------------- */

static void write_nothing(struct call *c)
{
}

static void write_all(struct call *c)
{
    call_out_text(c, "Text", STR("a<b>\"\r\n\x01"));
    call_out_i64(c, "Number", -7);
    call_out_bool(c, "Flag", true);
    call_out_list(c, "Urls", "Url");
    call_out_item_text(c, STR("u1"));
    call_out_item_text(c, STR("u2"));
    call_out_list_end(c);
    call_out_list(c, "Messages", "Message");
    call_out_item(c);
    call_out_map(c, "Attributes", "Attribute", "Name", "Value");
    call_out_entry_text(c, STR("k\""), STR("v"));
    call_out_entry_text(c, STR("l"), STR(""));
    call_out_map_end(c);
    call_out_map(c, "MessageAttributes", "MessageAttribute", "Name", "Value");
    call_out_entry(c, STR("m"));
    call_out_blob(c, "BinaryValue", STR("AB"));
    call_out_entry_end(c);
    call_out_map_end(c);
    call_out_item_end(c);
    call_out_item(c);
    call_out_item_end(c);
    call_out_list_end(c);
    call_out_struct(c, "Inner");
    call_out_text(c, "X", STR("y"));
    call_out_struct_end(c);
}

static void write_empty_collections(struct call *c)
{
    call_out_list(c, "Successful", "Entry");
    call_out_list_end(c);
    call_out_text(c, "Between", STR(""));
    call_out_map(c, "Attributes", "Attribute", "Name", "Value");
    call_out_map_end(c);
    call_out_list(c, "Failed", "ErrorEntry");
    call_out_list_end(c);
}

static void write_only_empty(struct call *c)
{
    call_out_list(c, "Messages", "Message");
    call_out_list_end(c);
}

static void expect_answer(struct call *c, void (*write)(struct call *c), const char *want)
{
    find_and_read(c);
    assert_int_equal(c->fault.code, 0);
    write(c);
    call_render(c);
    assert_int_equal(c->answer.status, 200);
    assert_int_equal(c->answer.type, c->dialect == DIALECT_JSON ? ANSWER_AWS_JSON : ANSWER_XML);
    assert_string_equal(c->answer.query_error, "");
    assert_string_equal(c->answer.body.p ? c->answer.body.p : "", want);
    demo_call_free(c);
}

#define SQS_BEGIN(action)                                                                          \
    "<?xml version=\"1.0\"?><" action "Response xmlns=\"http://queue.example/doc/2012-11-05/\">"
#define SNS_BEGIN(action) "<" action "Response xmlns=\"http://sns.example/doc/2010-03-31/\">"
#define XML_END(action)                                                                            \
    "<ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></" action "Response>"

static void test_json_answers(void **state)
{
    str none = STR("{}");
    expect_answer(json_call("AmazonSQS.SendMessage", none), write_nothing, "{}");
    expect_answer(json_call("AmazonSQS.AddPermission", none), write_nothing, "");
    expect_answer(json_call("AmazonSQS.SendMessage", none), write_only_empty, "{}");
    expect_answer(json_call("AmazonSQS.SendMessage", none), write_empty_collections,
                  "{\"Between\":\"\"}");
    expect_answer(json_call("AmazonSNS.Publish", none), write_empty_collections,
                  "{\"Successful\":[],\"Between\":\"\",\"Attributes\":{},\"Failed\":[]}");
    expect_answer(json_call("AmazonSQS.SendMessage", none), write_all,
                  "{\"Text\":\"a<b>\\\"\\r\\n\\u0001\",\"Number\":-7,\"Flag\":true,"
                  "\"Urls\":[\"u1\",\"u2\"],\"Messages\":[{\"Attributes\":{\"k\\\"\":\"v\","
                  "\"l\":\"\"},\"MessageAttributes\":{\"m\":{\"BinaryValue\":\"QUI=\"}}},{}],"
                  "\"Inner\":{\"X\":\"y\"}}");
}

static void test_xml_answers_flattened(void **state)
{
    expect_answer(query_call("Action=SendMessage"), write_nothing,
                  SQS_BEGIN("SendMessage") "<SendMessageResult/>" XML_END("SendMessage"));
    expect_answer(query_call("Action=SendMessage"), write_only_empty,
                  SQS_BEGIN("SendMessage") "<SendMessageResult/>" XML_END("SendMessage"));
    expect_answer(query_call("Action=AddPermission&QueueUrl=q"), write_nothing,
                  SQS_BEGIN("AddPermission") XML_END("AddPermission"));
    expect_answer(query_call("Action=SendMessage"), write_empty_collections,
                  SQS_BEGIN("SendMessage") "<SendMessageResult><Between></Between>"
                                           "</SendMessageResult>" XML_END("SendMessage"));
    expect_answer(
        query_call("Action=SendMessage"), write_all,
        SQS_BEGIN(
            "SendMessage") "<SendMessageResult><Text>a&lt;b&gt;&quot;&#xD;\n\xEF\xBF\xBD</"
                           "Text><Number>-7</Number>"
                           "<Flag>true</Flag><Url>u1</Url><Url>u2</"
                           "Url><Message><Attribute><Name>k&quot;</Name>"
                           "<Value>v</Value></Attribute><Attribute><Name>l</Name><Value></Value></"
                           "Attribute>"
                           "<MessageAttribute><Name>m</Name><Value><BinaryValue>QUI=</"
                           "BinaryValue></Value>"
                           "</MessageAttribute></Message><Message></Message><Inner><X>y</X></Inner>"
                           "</SendMessageResult>" XML_END("SendMessage"));
}

static void test_xml_answers_wrapped(void **state)
{
    expect_answer(query_call("Action=Publish"), write_nothing,
                  SNS_BEGIN("Publish") "<PublishResult/>" XML_END("Publish"));
    expect_answer(query_call("Action=AddPermission&TopicArn=t"), write_nothing,
                  SNS_BEGIN("AddPermission") XML_END("AddPermission"));
    expect_answer(query_call("Action=Publish"), write_empty_collections,
                  SNS_BEGIN("Publish") "<PublishResult><Successful/><Between></Between>"
                                       "<Attributes/><Failed/></PublishResult>" XML_END("Publish"));
    expect_answer(
        query_call("Action=Publish"), write_all,
        SNS_BEGIN("Publish") "<PublishResult><Text>a&lt;b&gt;&quot;&#xD;\n\xEF\xBF\xBD</"
                             "Text><Number>-7</Number>"
                             "<Flag>true</Flag><Urls><member>u1</member><member>u2</member></"
                             "Urls><Messages><member>"
                             "<Attributes><entry><key>k&quot;</key><value>v</value></"
                             "entry><entry><key>l</key><value>"
                             "</value></entry></Attributes><MessageAttributes><entry><key>m</"
                             "key><value><BinaryValue>"
                             "QUI=</BinaryValue></value></entry></MessageAttributes></"
                             "member><member></member>"
                             "</Messages><Inner><X>y</X></Inner></PublishResult>" XML_END(
                                 "Publish"));
}

static void expect_error(struct call *c, int code, const char *text, int status,
                         const char *query_error, const char *want)
{
    call_find(c, demo_services, ARRAY_LEN(demo_services));
    if (code) {
        call_out_text(c, "Half", STR("written"));
        fault_set(&c->fault, code, "%s", text);
    }
    call_render(c);
    assert_int_equal(c->answer.status, status);
    assert_string_equal(c->answer.query_error, query_error);
    assert_string_equal(c->answer.body.p, want);
    demo_call_free(c);
}

static void test_json_errors(void **state)
{
    expect_error(json_call("AmazonSQS.SendMessage", STR("")), DEMO_NO_QUEUE, "It's \"gone\".", 400,
                 "AWS.SimpleQueueService.NonExistentQueue;Sender",
                 "{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\","
                 "\"message\":\"It's \\\"gone\\\".\"}");
    expect_error(json_call("AmazonSQS.SendMessage", STR("")), CALL_FAULT_UNAVAILABLE, "later", 503,
                 "ServiceUnavailable;Receiver",
                 "{\"__type\":\"com.amazon.coral.service#ServiceUnavailableException\","
                 "\"message\":\"later\"}");
    expect_error(json_call("AmazonSQS.Foo\xFF", STR("")), 0, NULL, 400, "InvalidAction;Sender",
                 "{\"__type\":\"com.amazon.coral.service#UnknownOperationException\","
                 "\"message\":\"The action Foo? is not valid for this endpoint.\"}");
}

static struct call *plain_json_call(const char *params)
{
    struct call *c = query_call(params);
    c->request.accept = STR("application/json");
    return c;
}

#define PLAIN_END "\"ResponseMetadata\":{\"RequestId\":\"ID\"}}}"

static void expect_plain_json(const char *params, void (*write)(struct call *c), const char *want)
{
    struct call *c = plain_json_call(params);
    find_and_read(c);
    assert_int_equal(c->fault.code, 0);
    write(c);
    call_render(c);
    assert_int_equal(c->answer.type, ANSWER_JSON);
    assert_string_equal(c->answer.body.p, want);
    demo_call_free(c);
}

/* Query clients that ask for JSON. */
static void test_plain_json_answers(void **state)
{
    expect_plain_json("Action=AddPermission&QueueUrl=q", write_nothing,
                      "{\"AddPermissionResponse\":{" PLAIN_END);
    expect_plain_json("Action=SendMessage", write_nothing,
                      "{\"SendMessageResponse\":{\"SendMessageResult\":{}," PLAIN_END);
    expect_plain_json("Action=Publish", write_empty_collections,
                      "{\"PublishResponse\":{\"PublishResult\":{\"Successful\":[],"
                      "\"Between\":\"\",\"Attributes\":{},\"Failed\":[]}," PLAIN_END);
    expect_plain_json("Action=SendMessage", write_all,
                      "{\"SendMessageResponse\":{\"SendMessageResult\":{"
                      "\"Text\":\"a<b>\\\"\\r\\n\\u0001\",\"Number\":-7,\"Flag\":true,"
                      "\"Urls\":[\"u1\",\"u2\"],\"messages\":[{\"Attributes\":["
                      "{\"Name\":\"k\\\"\",\"Value\":\"v\"},{\"Name\":\"l\",\"Value\":\"\"}],"
                      "\"MessageAttributes\":[{\"Name\":\"m\",\"Value\":{\"BinaryValue\":"
                      "\"QUI=\"}}]},{}],\"Inner\":{\"X\":\"y\"}}," PLAIN_END);
}

static void test_plain_json_errors(void **state)
{
    expect_error(plain_json_call("Action=FooBar\xFF"), 0, NULL, 400, "",
                 "{\"Error\":{\"Code\":\"InvalidAction\",\"Message\":\"The action FooBar? is not "
                 "valid for this endpoint.\",\"Type\":\"Sender\"},\"RequestId\":\"ID\"}");
    expect_error(plain_json_call(""), 0, NULL, 404, "", "<UnknownOperationException/>");
}

static void test_xml_errors(void **state)
{
    expect_error(query_call("Action=SendMessage"), DEMO_NO_QUEUE, "other text", 400, "",
                 "<?xml version=\"1.0\"?><ErrorResponse "
                 "xmlns=\"http://queue.example/doc/2012-11-05/\"><Error><Type>Sender</Type>"
                 "<Code>AWS.SimpleQueueService.NonExistentQueue</Code><Message>The specified queue "
                 "does not exist for this wsdl version.</Message><Detail/></Error>"
                 "<RequestId>ID</RequestId></ErrorResponse>");
    expect_error(query_call("Action=Publish"), DEMO_NOT_FOUND, "Topic <x>", 404, "",
                 "<ErrorResponse xmlns=\"http://sns.example/doc/2010-03-31/\"><Error><Type>Sender"
                 "</Type><Code>NotFound</Code><Message>Topic &lt;x&gt;</Message></Error>"
                 "<RequestId>ID</RequestId></ErrorResponse>");
    expect_error(query_call("Action=Publish"), CALL_FAULT_INTERNAL, "oh", 500, "",
                 "<ErrorResponse xmlns=\"http://sns.example/doc/2010-03-31/\"><Error><Type>Receiver"
                 "</Type><Code>InternalFailure</Code><Message>oh</Message></Error>"
                 "<RequestId>ID</RequestId></ErrorResponse>");
    expect_error(query_call("Action=FooBar"), 0, NULL, 400, "",
                 "<?xml version=\"1.0\"?><ErrorResponse "
                 "xmlns=\"http://queue.example/doc/2012-11-05/\"><Error><Type>Sender</Type>"
                 "<Code>InvalidAction</Code><Message>The action FooBar is not valid for this "
                 "endpoint.</Message><Detail/></Error><RequestId>ID</RequestId></ErrorResponse>");
    expect_error(query_call(""), 0, NULL, 404, "", "<UnknownOperationException/>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_scope_tells_the_service),
        cmocka_unit_test(test_body_of_another_type_has_no_parameters),
        cmocka_unit_test(test_queue_paths),
        cmocka_unit_test(test_json_input),
        cmocka_unit_test(test_json_refusals),
        cmocka_unit_test(test_json_passes_nul_and_lone_surrogates),
        cmocka_unit_test(test_query_input_flattened),
        cmocka_unit_test(test_query_input_wrapped),
        cmocka_unit_test(test_query_string_and_body_together),
        cmocka_unit_test(test_queue_url_from_path),
        cmocka_unit_test(test_large_map_keeps_last_values),
        cmocka_unit_test(test_values_are_bounded),
        cmocka_unit_test(test_getters),
        cmocka_unit_test(test_json_answers),
        cmocka_unit_test(test_xml_answers_flattened),
        cmocka_unit_test(test_xml_answers_wrapped),
        cmocka_unit_test(test_json_errors),
        cmocka_unit_test(test_xml_errors),
        cmocka_unit_test(test_plain_json_answers),
        cmocka_unit_test(test_plain_json_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
