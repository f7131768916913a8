/* Calls as JSON, read in one pass: the input is only checked for syntax and passed on. */
#include "common/aws/ipc_request.h"

#include "common/base/scan.h"

static int read_call_name(struct scan *s, str *ret, char *room, const char **why)
{
    struct scan_text t;

    if (scan_next(s, &t) != SCAN_STRING) {
        *why = "\"target\", \"account\" and \"region\" must be strings";
        return E_INVALID;
    }
    if (t.raw.n > IPC_NAME_SIZE_MAX) {
        *why = "\"target\", \"account\" or \"region\" is too long";
        return E_INVALID;
    }
    *ret = t.escaped ? str_from(room, scan_unescape(t.raw, room)) : t.raw;
    return 0;
}

static int read_call_input(struct scan *s, str *ret, const char **why)
{
    struct scan_text t;
    size_t from;

    if (scan_next(s, &t) != SCAN_OBJECT) {
        *why = "\"input\" must be an object";
        return E_INVALID;
    }
    from = s->token_at;
    if (scan_skip(s) != SCAN_OBJECT_END) {
        *why = "\"input\" is not well-formed JSON";
        return E_INVALID;
    }
    *ret = str_slice(s->text, from, s->at);
    return 0;
}

static int skip_call_value(struct scan *s, const char **why)
{
    struct scan_text t;
    enum scan_token token = scan_next(s, &t);

    if (token == SCAN_OBJECT || token == SCAN_ARRAY)
        token = scan_skip(s);
    if (token != SCAN_ERROR)
        return 0;
    *why = "the call is not well-formed JSON";
    return E_INVALID;
}

static int read_call_member(struct scan *s, str name, struct ipc_request *q, const char **why)
{
    if (str_is(name, "target"))
        return read_call_name(s, &q->target, q->names[0], why);
    if (str_is(name, "account"))
        return read_call_name(s, &q->account, q->names[1], why);
    if (str_is(name, "region"))
        return read_call_name(s, &q->region, q->names[2], why);
    if (str_is(name, "input"))
        return read_call_input(s, &q->input, why);
    return skip_call_value(s, why);
}

int ipc_request_read(str text, struct ipc_request *ret, const char **ret_why)
{
    struct scan s;
    struct scan_text t;
    enum scan_token token;

    ret->target = ret->account = ret->region = STR("");
    ret->input = STR("{}");
    scan_init(&s, text);
    *ret_why = "the call must be a JSON object";
    if (scan_next(&s, &t) != SCAN_OBJECT)
        return E_INVALID;
    while ((token = scan_next(&s, &t)) == SCAN_NAME) {
        if (read_call_member(&s, t.raw, ret, ret_why) < 0)
            return E_INVALID;
    }
    *ret_why = "the call is not well-formed JSON";
    if (token != SCAN_OBJECT_END || scan_next(&s, &t) != SCAN_END)
        return E_INVALID;
    *ret_why = "\"target\" is missing";
    return ret->target.n ? 0 : E_INVALID;
}

/* --- answers ---------------------------------------------------------------------------------- */

/* The part after the last '#' of the body's __type: the error code where there is no other. */
static str code_of_type(str body)
{
    struct scan s;
    struct scan_text name, t;

    scan_init(&s, body);
    if (scan_next(&s, &name) != SCAN_OBJECT)
        return STR("");
    while (scan_next(&s, &name) == SCAN_NAME) {
        enum scan_token token = scan_next(&s, &t);

        if (token == SCAN_STRING && str_is(name.raw, "__type"))
            return str_slice(t.raw, (size_t)(str_rfind(t.raw, '#') + 1), t.raw.n);
        if (token == SCAN_OBJECT || token == SCAN_ARRAY)
            scan_skip(&s);
    }
    return STR("");
}

/* The members of a JSON object's text, without its braces; anything else becomes a message. */
static void put_members(struct buf *out, str body)
{
    str text = str_trim(body);

    if (text.n >= 2 && text.p[0] == '{' && text.p[text.n - 1] == '}') {
        buf_str(out, str_trim(str_slice(text, 1, text.n - 1)));
        return;
    }
    buf_z(out, "\"message\":");
    scan_quote(out, text);
}

static void put_error(struct buf *out, const struct answer *a)
{
    str rest = str_of(a->query_error);
    str code = str_cut(&rest, ';');
    size_t before;

    if (!code.n)
        code = code_of_type(buf_view(&a->body));
    buf_z(out, "{");
    before = out->n;
    put_members(out, buf_view(&a->body));
    if (code.n) {
        buf_z(out, out->n > before ? ",\"code\":" : "\"code\":");
        scan_quote(out, code);
    }
    buf_z(out, "}");
}

void ipc_answer_write(struct buf *out, const struct answer *a)
{
    str body = buf_view(&a->body);

    buf_printf(out, "{\"status\":%d,", a->status);
    if (a->status >= 400) {
        buf_z(out, "\"error\":");
        put_error(out, a);
    } else {
        buf_z(out, "\"output\":");
        if (!body.n)
            buf_z(out, "{}");
        else if (a->type == ANSWER_XML)
            scan_quote(out, body);
        else
            buf_str(out, body);
    }
    buf_char(out, '}');
}
