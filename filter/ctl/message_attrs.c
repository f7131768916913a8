/* The attribute maps of messages, and the refusals of message.c. */
#include "filter/ctl/message_parts.h"

int message_refuse(struct message_reader *r, const char *p, const char *why)
{
    bool is_here = p && p >= r->line.p && p <= r->line.p + r->line.n;

    r->at = is_here ? (size_t)(p - r->line.p) : 0;
    r->why = why;
    return E_INVALID;
}

int message_refuse_scan(struct message_reader *r, const struct scan *s)
{
    return message_refuse(r, s->text.p + s->at, s->why ? s->why : "unexpected JSON");
}

int message_value_rest(struct message_reader *r, struct scan *s, enum scan_token token, str *ret)
{
    size_t from = s->token_at;

    if (token == SCAN_ERROR)
        return message_refuse_scan(r, s);
    if ((token == SCAN_OBJECT || token == SCAN_ARRAY) && scan_skip(s) == SCAN_ERROR)
        return message_refuse_scan(r, s);
    *ret = str_slice(s->text, from, s->at);
    return 0;
}

static bool is_any(str name, const char *a, const char *b, const char *c)
{
    return str_is(name, a) || str_is(name, b) || str_is(name, c);
}

/* {"DataType":…,"StringValue":…}, in the spelling of SQS and SNS calls, of envelopes, or of
 * Lambda. */
static int read_attr(struct message_reader *r, struct scan *s, struct filter_attr *ret)
{
    struct scan_text t;
    bool has_type = false, has_value = false;
    enum scan_token token = scan_next(s, &t);
    const char *begin = s->text.p + s->token_at;

    if (token == SCAN_ERROR)
        return message_refuse_scan(r, s);
    if (token != SCAN_OBJECT)
        return message_refuse(r, begin, "an attribute is an object with DataType and StringValue");
    while ((token = scan_next(s, &t)) == SCAN_NAME) {
        str name = t.raw, ignored;
        token = scan_next(s, &t);
        bool is_type = is_any(name, "DataType", "Type", "dataType");
        bool is_value = is_any(name, "StringValue", "Value", "stringValue") ||
                        str_is(name, "BinaryValue") || str_is(name, "binaryValue");
        if (token == SCAN_STRING && is_type) {
            ret->type = scan_decode(&t, &r->texts);
            has_type = true;
        } else if (token == SCAN_STRING && is_value) {
            ret->value = scan_decode(&t, &r->texts);
            has_value = true;
        } else if (token != SCAN_NULL && (is_type || is_value)) {
            return token == SCAN_ERROR
                       ? message_refuse_scan(r, s)
                       : message_refuse(r, s->text.p + s->token_at,
                                        "an attribute's DataType and StringValue are strings");
        } else if (message_value_rest(r, s, token, &ignored) != 0) {
            return E_INVALID;
        }
    }
    if (token == SCAN_ERROR)
        return message_refuse_scan(r, s);
    return has_type && has_value
               ? 0
               : message_refuse(r, begin, "an attribute has DataType and StringValue");
}

/* Of two attributes of the same name the last one counts, as with members of any JSON object. */
static int add_attr(struct message_reader *r, const struct filter_attr *a, const char *where)
{
    for (size_t i = 0; i < r->attr_count; i++)
        if (str_eq(r->attrs[i].name, a->name)) {
            r->attrs[i] = *a;
            return 0;
        }
    if (r->attr_count == MESSAGE_ATTRS_MAX)
        return message_refuse(r, where, "more attributes than a message can have");
    r->attrs[r->attr_count++] = *a;
    return 0;
}

int message_read_attr_map(struct message_reader *r, struct scan *s, enum scan_token token)
{
    struct scan_text t;

    r->attr_count = 0;
    if (token == SCAN_NULL)
        return 0;
    if (token == SCAN_ERROR)
        return message_refuse_scan(r, s);
    if (token != SCAN_OBJECT)
        return message_refuse(r, s->text.p + s->token_at, "MessageAttributes is an object");
    while ((token = scan_next(s, &t)) == SCAN_NAME) {
        struct filter_attr a = {.name = scan_decode(&t, &r->texts)};
        const char *where = s->text.p + s->token_at;
        int err = read_attr(r, s, &a);
        if (err == 0)
            err = add_attr(r, &a, where);
        if (err)
            return err;
    }
    return token == SCAN_ERROR ? message_refuse_scan(r, s) : 0;
}
