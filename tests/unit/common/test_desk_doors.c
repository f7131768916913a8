/* Desk and endpoints: what comes through one becomes a call, and its answer goes back in the words of
 * its protocol. The endpoints' own functions are the test's here. */
#include "common/base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/aws/desk.h"

/* An exchange of either endpoint: what the desk hung on it, and what came back. */
struct exchange {
    void *data;
    u32 answers;
    int status;
    char text[512];
    enum http_outcome outcome; /* of the next answer */
    u32 abandoned;
    bool left; /* its socket says so, no event did yet */
};

enum { CALLS_MAX = 9 };

static struct loop *loop;
static struct desk *desk;
static struct call *parked;

void http_exchange_set_data(struct http_exchange *x, void *data)
{
    ((struct exchange *)(void *)x)->data = data;
}

void *http_exchange_data(const struct http_exchange *x)
{
    return ((const struct exchange *)(const void *)x)->data;
}

/* Status, content type, fields and body in one text. */
enum http_outcome http_answer(struct http_exchange *x, struct http_response *r)
{
    struct exchange *e = (struct exchange *)(void *)x;
    struct buf text = {0};
    e->answers++;
    e->status = r->status;
    buf_printf(&text, "%s|", r->content_type);
    for (u32 i = 0; i < r->field_count; i++) {
        bool any = str_is(r->fields[i].name, "x-amzn-RequestId");
        buf_printf(&text, "%.*s: %.*s|", STR_ARG(r->fields[i].name),
                   any ? 1 : (int)r->fields[i].value.n, any ? "?" : r->fields[i].value.p);
    }
    buf_str(&text, buf_view(&r->body));
    snprintf(e->text, sizeof e->text, "%s", text.p);
    buf_deinit(&text);
    return e->outcome;
}

void http_abandon(struct http_exchange *x)
{
    ((struct exchange *)(void *)x)->abandoned++;
}

bool http_exchange_is_there(const struct http_exchange *x)
{
    return !((const struct exchange *)(const void *)x)->left;
}

void ipc_exchange_set_data(struct ipc_exchange *x, void *data)
{
    ((struct exchange *)(void *)x)->data = data;
}

void *ipc_exchange_data(const struct ipc_exchange *x)
{
    return ((const struct exchange *)(const void *)x)->data;
}

bool ipc_answer(struct ipc_exchange *x, str text)
{
    struct exchange *e = (struct exchange *)(void *)x;
    e->answers++;
    snprintf(e->text, sizeof e->text, "%.*s", STR_ARG(text));
    return true;
}

static void leave(struct call *c)
{
    parked = NULL;
    call_done(c);
}

static void run_wait(struct call *c)
{
    parked = c;
    c->cancel = leave;
}

static void run_fail(struct call *c)
{
    call_fail(c, CALL_FAULT_INVALID_PARAMETER, "No.");
}

static const struct action actions[] = {{"Fail", NULL, run_fail, ACTION_RESULT},
                                        {"Wait", NULL, run_wait, ACTION_RESULT}};

static const struct service service = {
    .signing_name = "sqs",
    .target_prefix = "AmazonSQS.",
    .query_version = "2012-11-05",
    .xml_namespace = "http://queue.example/",
    .flattened = true,
    .actions = actions,
    .action_count = ARRAY_LEN(actions),
};

#define FIELD(name, value)                                                                         \
    {                                                                                              \
        STR_INIT(name), STR_INIT(value)                                                            \
    }

static const struct http_field fields[] = {
    FIELD("host", "h:1"),
    FIELD("X-AMZ-Target", "AmazonSQS.Wait"),
    FIELD("Content-Type", "application/x-amz-json-1.0"),
    FIELD("Accept", "*/*"),
    FIELD("X-Other", "other"),
    FIELD("X-Amzn-Trace-Id", "Root=1"),
    FIELD("Accept", "second"),
};

static const struct http_request from_http = {.kind = HTTP_TCP,
                                              .peer = {.family = 4, .bytes = {127, 0, 0, 1}},
                                              .method = STR_INIT("POST"),
                                              .path = STR_INIT("/p"),
                                              .query = STR_INIT("q=1"),
                                              .host = STR_INIT("h:1"),
                                              .fields = fields,
                                              .field_count = ARRAY_LEN(fields),
                                              .body = STR_INIT("{}")};

static void check_http_request(const struct request *rq)
{
    assert_int_equal(rq->door, DOOR_TCP);
    assert_true(address_eq(&rq->peer, &from_http.peer));
    assert_true(str_is(rq->method, "POST") && str_is(rq->path, "/p") && str_is(rq->query, "q=1"));
    assert_true(str_is(rq->host, "h:1") && str_is(rq->target, "AmazonSQS.Wait"));
    assert_true(str_is(rq->content_type, "application/x-amz-json-1.0"));
    assert_true(str_is(rq->accept, "*/*") && str_is(rq->trace_id, "Root=1"));
    assert_true(str_is(rq->authorization, "") && rq->authorization.p);
    assert_true(str_is(rq->account, "") && str_is(rq->region, "") && str_is(rq->body, "{}"));
    assert_ptr_equal(rq->headers, fields);
    assert_int_equal(rq->header_count, ARRAY_LEN(fields));
}

static void test_http(void **state)
{
    struct http_handler h = desk_http_handler(desk);
    struct exchange e = {.data = NULL};
    struct http_exchange *x = (struct http_exchange *)(void *)&e;
    h.request(h.arg, x, &from_http);
    assert_ptr_equal(e.data, parked);
    check_http_request(&parked->request);
    call_done(parked);
    loop_turn(loop, 0);
    assert_int_equal(e.answers, 1);
    assert_int_equal(e.status, 200);
    assert_string_equal(e.text, "application/x-amz-json-1.0|x-amzn-RequestId: ?|{}");
    assert_null(e.data);
    h.gone(h.arg, x); /* too late: nothing happens */

    h.request(h.arg, x, &from_http);
    assert_true(desk_is_there(parked));
    e.left = true;
    assert_false(desk_is_there(parked));
    h.gone(h.arg, x);
    assert_null(parked);
    loop_turn(loop, 0);
    assert_int_equal(e.answers, 2);
}

static void test_http_fault(void **state)
{
    static const struct http_field target[] = {FIELD("X-Amz-Target", "AmazonSQS.Fail"),
                                               FIELD("x-amzn-query-mode", "true")};
    struct http_handler h = desk_http_handler(desk);
    struct http_request rq = from_http;
    struct exchange e = {.data = NULL};
    rq.kind = HTTP_UNIX;
    rq.fields = target;
    rq.field_count = ARRAY_LEN(target);
    h.request(h.arg, (struct http_exchange *)(void *)&e, &rq);
    loop_turn(loop, 0);
    assert_int_equal(e.status, 400);
    assert_string_equal(e.text,
                        "application/x-amz-json-1.0|x-amzn-RequestId: ?|"
                        "x-amzn-query-error: InvalidParameterValue;Sender|"
                        "{\"__type\":\"com.amazon.coral.service#InvalidParameterValueException\","
                        "\"message\":\"No.\"}");
}

static enum call_outcome told;

static void tell(struct call *c, enum call_outcome outcome)
{
    told = outcome;
}

/* An answer that gives something away is not sent to a client that has left; what becomes of others
 * is told, now or later. */
static void test_http_outcomes(void **state)
{
    static const enum call_outcome expected[] = {[HTTP_SENT] = CALL_SENT,
                                                 [HTTP_SENDING] = CALL_SENDING,
                                                 [HTTP_LOST] = CALL_LOST,
                                                 [HTTP_CUT] = CALL_CUT};
    struct http_handler h = desk_http_handler(desk);
    for (int i = HTTP_SENT; i <= HTTP_CUT; i++) {
        struct exchange e = {.outcome = (enum http_outcome)i};
        struct http_exchange *x = (struct http_exchange *)(void *)&e;
        told = CALL_SENDING;
        h.request(h.arg, x, &from_http);
        parked->sent = tell;
        call_done(parked);
        loop_turn(loop, 0);
        assert_int_equal(told, expected[i]);
        if (i != HTTP_SENDING)
            continue;
        h.sent(h.arg, x, HTTP_CUT);
        assert_int_equal(told, CALL_CUT);
        /* One that nobody wants to know of is gone by then. */
        h.request(h.arg, x, &from_http);
        call_done(parked);
        loop_turn(loop, 0);
        assert_null(e.data);
        h.sent(h.arg, x, HTTP_SENT);
    }
    struct exchange e = {.left = true};
    h.request(h.arg, (struct http_exchange *)(void *)&e, &from_http);
    parked->sent = tell;
    call_done(parked);
    loop_turn(loop, 0);
    assert_int_equal(told, CALL_LOST);
    assert_int_equal(e.answers, 0);
    assert_int_equal(e.abandoned, 1);
}

/* What the endpoint itself refuses is told in the protocol of the request, if it is one. */
static void test_http_refused(void **state)
{
    static const struct http_field target[] = {FIELD("X-Amz-Target", "AmazonSQS.Wait")};
    struct http_handler h = desk_http_handler(desk);
    struct http_request rq = from_http;
    struct http_response r = {.status = 413, .content_type = "text/plain"};
    rq.fields = target;
    rq.field_count = 1;
    h.refused(h.arg, &rq, 413, "Too large.", &r);
    assert_string_equal(r.content_type, "application/x-amz-json-1.0");
    assert_true(str_is(r.fields[0].name, "x-amzn-RequestId"));
    assert_string_equal(r.body.p,
                        "{\"__type\":\"com.amazon.coral.service#RequestEntityTooLargeException\","
                        "\"message\":\"Too large.\"}");
    buf_deinit(&r.body);
    rq.field_count = 0;
    r = (struct http_response){.status = 503, .content_type = "text/plain"};
    h.refused(h.arg, &rq, 503, "Too much.", &r);
    assert_string_equal(r.content_type, "text/xml");
    assert_non_null(strstr(r.body.p, "<Code>ServiceUnavailable</Code>"));
    buf_deinit(&r.body);
    r = (struct http_response){.status = 400, .content_type = "text/plain"};
    h.refused(h.arg, &rq, 400, "This is no HTTP request.", &r);
    assert_string_equal(r.content_type, "text/plain");
    assert_string_equal(r.body.p, "This is no HTTP request.\n");
    buf_deinit(&r.body);
    assert_int_equal(desk_waiting(desk), 0);
}

static void test_ipc(void **state)
{
    struct ipc_handler h = desk_ipc_handler(desk);
    struct exchange e = {.data = NULL};
    struct ipc_exchange *x = (struct ipc_exchange *)(void *)&e;
    str text = STR("{\"target\":\"AmazonSQS.W\\u0061it\",\"account\":\"000000000001\","
                   "\"region\":\"eu-west-1\",\"input\": {\"a\":[1,{}]} }");
    h.request(h.arg, x, text);
    assert_int_equal(parked->request.door, DOOR_IPC);
    assert_true(str_is(parked->request.method, "CALL") && str_is(parked->request.path, "/"));
    assert_true(str_is(parked->request.target, "AmazonSQS.Wait"));
    assert_true(str_is(parked->account, "000000000001") && str_is(parked->region, "eu-west-1"));
    assert_true(str_is(parked->request.body, "{\"a\":[1,{}]}"));
    assert_int_equal(parked->request.peer.family, 0);
    assert_int_equal(parked->request.header_count, 0);
    assert_true(desk_is_there(parked));
    h.gone(h.arg, x);
    assert_null(parked);
    loop_turn(loop, 0);
    assert_int_equal(e.answers, 1);
    assert_string_equal(e.text, "{\"status\":200,\"output\":{}}");
}

static void test_ipc_malformed(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"[]", "the call must be a JSON object"},
        {"{\"input\":{}}", "\\\"target\\\" is missing"},
        {"{\"target\":\"a.b\",\"input\":[]}", "\\\"input\\\" must be an object"},
        {"{\"target\":\"a.b\",\"input\":{]}", "\\\"input\\\" is not well-formed JSON"},
        {"{\"target\":\"a.b\"} x", "the call is not well-formed JSON"},
    };
    struct ipc_handler h = desk_ipc_handler(desk);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct exchange e = {.data = NULL};
        char expected[300];
        snprintf(expected, sizeof expected,
                 "{\"status\":400,\"error\":{\"__type\":"
                 "\"com.amazon.coral.service#SerializationException\","
                 "\"message\":\"%s\",\"code\":\"MalformedInput\"}}",
                 cases[i].why);
        h.request(h.arg, (struct ipc_exchange *)(void *)&e, str_of(cases[i].text));
        assert_int_equal(e.answers, 1);
        assert_string_equal(e.text, expected);
    }
}

/* More calls at once than the desk takes are answered with a fault that can be tried again. */
static void test_ipc_too_many(void **state)
{
    struct ipc_handler h = desk_ipc_handler(desk);
    struct exchange e[CALLS_MAX + 1] = {{.data = NULL}};
    struct call *waiting[CALLS_MAX];
    for (int i = 0; i <= CALLS_MAX; i++) {
        h.request(h.arg, (struct ipc_exchange *)(void *)&e[i],
                  STR("{\"target\":\"AmazonSQS.Wait\"}"));
        if (i < CALLS_MAX)
            waiting[i] = parked;
    }
    loop_turn(loop, 0);
    assert_int_equal(e[CALLS_MAX].answers, 1);
    assert_non_null(strstr(e[CALLS_MAX].text, "{\"status\":503,\"error\":{"));
    assert_non_null(strstr(e[CALLS_MAX].text, "\"code\":\"ServiceUnavailable\""));
    for (int i = 0; i < CALLS_MAX; i++)
        call_done(waiting[i]);
    loop_turn(loop, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http),         cmocka_unit_test(test_http_fault),
        cmocka_unit_test(test_http_refused), cmocka_unit_test(test_http_outcomes),
        cmocka_unit_test(test_ipc),          cmocka_unit_test(test_ipc_malformed),
        cmocka_unit_test(test_ipc_too_many),
    };
    struct clock clock;
    struct id_source ids;
    clock_init(&clock, true);
    id_init(&ids, 1);
    loop = loop_new(&clock);
    desk = desk_new(loop, &ids,
                    &(struct desk_conf){.account = "1", .region = "r", .waiting_max = CALLS_MAX});
    desk_add_service(desk, &service);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    desk_free(desk);
    loop_free(loop);
    return failed;
}
