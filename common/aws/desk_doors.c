/* The desk's handlers for the endpoints: they convert what an endpoint received to a struct
 * request, and answers to its protocol. An exchange refers to its call, and a call's reply to its
 * exchange. */
#include "common/aws/desk.h"
#include "common/aws/ipc_request.h"

/* --- HTTP ------------------------------------------------------------------------------------- */

static const char *const content_types[] = {
    [ANSWER_AWS_JSON] = "application/x-amz-json-1.0",
    [ANSWER_XML] = "text/xml",
    [ANSWER_JSON] = "application/json",
};

/* Takes the answer's body. */
static struct http_response response_of(struct answer *a)
{
    struct http_response r = {.status = a->status, .content_type = content_types[a->type]};
    if (a->request_id[0])
        http_response_add(&r, "x-amzn-RequestId", str_of(a->request_id));
    if (a->query_error[0])
        http_response_add(&r, "x-amzn-query-error", str_of(a->query_error));
    r.body = a->body;
    a->body = (struct buf){0};
    return r;
}

static enum call_outcome outcome_of(enum http_outcome outcome)
{
    static const enum call_outcome of[] = {[HTTP_SENT] = CALL_SENT,
                                           [HTTP_SENDING] = CALL_SENDING,
                                           [HTTP_LOST] = CALL_LOST,
                                           [HTTP_CUT] = CALL_CUT};
    return of[outcome];
}

static enum call_outcome http_reply(void *arg, struct call *c)
{
    struct http_exchange *x = arg;
    struct http_response r = response_of(&c->answer);
    http_exchange_set_data(x, c->sent ? c : NULL);
    desk_let_go(c);
    /* An answer that cannot be undone later is not sent to a client that has left. */
    if (c->sent && !http_exchange_is_there(x)) {
        buf_deinit(&r.body);
        http_abandon(x);
        return CALL_LOST;
    }
    enum call_outcome outcome = outcome_of(http_answer(x, &r));
    c->answer.body = r.body; /* a buffer that was not taken is reused */
    return outcome;
}

static void http_sent(void *arg, struct http_exchange *x, enum http_outcome outcome)
{
    struct call *c = http_exchange_data(x);
    if (c)
        desk_sent(c, outcome_of(outcome));
}

/* The header fields that calls are found and authorized by. Of a repeated one the first counts. */
static void request_field(struct request *rq, const struct http_field *field)
{
    static const struct {
        str name;
        size_t at;
    } known[] = {
        {{"Accept", 6}, offsetof(struct request, accept)},
        {{"X-Amz-Target", 12}, offsetof(struct request, target)},
        {{"Content-Type", 12}, offsetof(struct request, content_type)},
        {{"Authorization", 13}, offsetof(struct request, authorization)},
        {{"X-Amzn-Trace-Id", 15}, offsetof(struct request, trace_id)},
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (known[i].name.n == field->name.n && str_eq_nocase(known[i].name, field->name)) {
            str *member = (str *)(void *)((char *)rq + known[i].at);
            if (!member->n)
                *member = field->value;
            return;
        }
    }
}

static struct request request_of(const struct http_request *from)
{
    struct request rq = request_blank(from->kind == HTTP_UNIX ? DOOR_UNIX : DOOR_TCP);
    rq.secure = from->kind == HTTP_TLS;
    rq.peer = from->peer;
    rq.method = from->method;
    rq.path = from->path;
    rq.query = from->query;
    rq.host = from->host;
    rq.body = from->body;
    rq.headers = from->fields;
    rq.header_count = from->field_count;
    for (u32 i = 0; i < from->field_count; i++)
        request_field(&rq, &from->fields[i]);
    return rq;
}

static void http_request(void *arg, struct http_exchange *x, const struct http_request *from)
{
    struct request rq = request_of(from);
    http_exchange_set_data(x, desk_take(arg, &rq, http_reply, x));
}

/* A request that is not an API call is refused in plain text. */
static void http_refused(void *arg, const struct http_request *from, int status, const char *why,
                         struct http_response *r)
{
    struct request rq = request_of(from);
    int code = status == 413 ? CALL_FAULT_TOO_LARGE : status == 503 ? CALL_FAULT_UNAVAILABLE : 0;
    if (!code) {
        buf_printf(&r->body, "%s\n", why);
        return;
    }
    *r = response_of(desk_refuse(arg, &rq, code, why));
    r->status = status;
}

static void http_gone(void *arg, struct http_exchange *x)
{
    struct call *c = http_exchange_data(x);
    if (c)
        desk_cancel(c);
}

struct http_handler desk_http_handler(struct desk *d)
{
    return (struct http_handler){.request = http_request,
                                 .gone = http_gone,
                                 .sent = http_sent,
                                 .refused = http_refused,
                                 .arg = d};
}

bool desk_is_there(const struct call *c)
{
    return !c->gone && (c->reply != http_reply || http_exchange_is_there(c->reply_arg));
}

/* --- ipc -------------------------------------------------------------------------------------- */

struct ipc_call {
    struct ipc_exchange *exchange;
    struct call *call;
    struct ipc_request text;
};

static enum call_outcome ipc_reply(void *arg, struct call *c)
{
    struct ipc_call *ipc = arg;
    buf_reset(&c->scratch);
    ipc_answer_write(&c->scratch, &c->answer);
    bool sent = ipc_answer(ipc->exchange, buf_view(&c->scratch));
    mem_free(ipc);
    return sent ? CALL_SENT : CALL_LOST;
}

/* The refusal in the terms of the requested service, as far as that is known. */
static void ipc_refuse(struct desk *d, struct ipc_exchange *x, const struct request *rq, int code,
                       const char *why)
{
    struct buf text = {0};

    ipc_answer_write(&text, desk_refuse(d, rq, code, why));
    ipc_answer(x, buf_view(&text));
    buf_deinit(&text);
}

static void ipc_request(void *arg, struct ipc_exchange *x, str text)
{
    struct ipc_call *ipc = mem_alloc(sizeof *ipc);
    struct request rq = request_blank(DOOR_IPC);
    const char *why;
    int err = ipc_request_read(text, &ipc->text, &why);

    rq.method = STR("CALL");
    rq.path = STR("/");
    rq.target = ipc->text.target;
    rq.account = ipc->text.account;
    rq.region = ipc->text.region;
    rq.body = ipc->text.input;
    int code = err                              ? CALL_FAULT_SERIALIZATION
               : desk_room(arg, text.n, 1) == 0 ? CALL_FAULT_UNAVAILABLE
                                                : 0;
    if (code) {
        ipc_refuse(arg, x, &rq, code, err ? why : "Too much is under way. Try again.");
        mem_free(ipc);
        return;
    }
    ipc->exchange = x;
    ipc_exchange_set_data(x, ipc);
    ipc->call = desk_take(arg, &rq, ipc_reply, ipc);
}

static void ipc_gone(void *arg, struct ipc_exchange *x)
{
    struct ipc_call *ipc = ipc_exchange_data(x);
    desk_cancel(ipc->call);
}

struct ipc_handler desk_ipc_handler(struct desk *d)
{
    return (struct ipc_handler){.request = ipc_request, .gone = ipc_gone, .arg = d};
}
