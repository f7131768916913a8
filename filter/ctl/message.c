/* Parses a line in one pass of the scanner; irrelevant values are skipped. No tree is built, and
 * texts without escapes are not copied.
 *
 * Each object is read into a struct shape, which holds the values of all member names that any
 * format uses; after that the format is determined. */
#include "filter/ctl/message_parts.h"

#include "filter/ctl/dump.h"

/* The relevant members of an object. A string's view is the text between its quotes, still
 * escaped. */
struct shape {
    struct scan_text message, body, log, structure;
    bool has_message, has_body, has_log, has_attrs, has_answer;
    bool is_notification, is_confirmation, is_rows;
    str own;               /* the whole object */
    str sns, list, logged; /* JSON texts */
};

enum member {
    MEMBER_OTHER,
    MEMBER_MESSAGE,
    MEMBER_ATTRIBUTES,
    MEMBER_STRUCTURE,
    MEMBER_TYPE,
    MEMBER_BODY,
    MEMBER_LOG,
    MEMBER_SNS,
    MEMBER_LIST,
    MEMBER_ROWS,
    MEMBER_ANSWER,
};

static const struct {
    str name;
    enum member member;
} MEMBERS[] = {
    {STR_INIT("Message"), MEMBER_MESSAGE},
    {STR_INIT("MessageAttributes"), MEMBER_ATTRIBUTES},
    {STR_INIT("messageAttributes"), MEMBER_ATTRIBUTES},
    {STR_INIT("MessageStructure"), MEMBER_STRUCTURE},
    {STR_INIT("Type"), MEMBER_TYPE},
    {STR_INIT("Body"), MEMBER_BODY},
    {STR_INIT("body"), MEMBER_BODY},
    {STR_INIT("message"), MEMBER_LOG},
    {STR_INIT("@message"), MEMBER_LOG},
    {STR_INIT("Sns"), MEMBER_SNS},
    {STR_INIT("Messages"), MEMBER_LIST},
    {STR_INIT("Records"), MEMBER_LIST},
    {STR_INIT("PublishBatchRequestEntries"), MEMBER_LIST},
    {STR_INIT("events"), MEMBER_LIST},
    {STR_INIT("logEvents"), MEMBER_LIST},
    {STR_INIT("results"), MEMBER_ROWS},
    {STR_INIT("ResponseMetadata"), MEMBER_ANSWER},
};

static int read_shape_value(struct message_reader *r, str json, u32 depth);
static int read_json_text(struct message_reader *r, str text, u32 depth);

static enum member shape_member(str name)
{
    for (size_t i = 0; i < ARRAY_LEN(MEMBERS); i++)
        if (MEMBERS[i].name.n == name.n && memcmp(MEMBERS[i].name.p, name.p, name.n) == 0)
            return MEMBERS[i].member;
    return MEMBER_OTHER;
}

static int keep_text(struct message_reader *r, struct scan *s, enum scan_token token,
                     const struct scan_text *t, struct scan_text *ret, bool *ret_has)
{
    str whole;

    if (token == SCAN_STRING) {
        *ret = *t;
        *ret_has = true;
        return 0;
    }
    int err = message_value_rest(r, s, token, &whole);
    if (err == 0 && token != SCAN_NULL) {
        *ret = (struct scan_text){.raw = whole}; /* JSON in place of a string: its text */
        *ret_has = true;
    }
    return err;
}

static int read_shape_member(struct message_reader *r, struct scan *s, str name,
                             struct shape *shape)
{
    struct scan_text t;
    str whole;
    bool ignored;
    enum member member = shape_member(name);
    enum scan_token token = scan_next(s, &t);

    switch (member) {
    case MEMBER_MESSAGE: return keep_text(r, s, token, &t, &shape->message, &shape->has_message);
    case MEMBER_ATTRIBUTES: shape->has_attrs = true; return message_read_attr_map(r, s, token);
    case MEMBER_STRUCTURE: return keep_text(r, s, token, &t, &shape->structure, &ignored);
    case MEMBER_BODY: return keep_text(r, s, token, &t, &shape->body, &shape->has_body);
    case MEMBER_TYPE:
        shape->is_notification = token == SCAN_STRING && str_is(t.raw, "Notification");
        shape->is_confirmation =
            token == SCAN_STRING &&
            (str_is(t.raw, "SubscriptionConfirmation") || str_is(t.raw, "UnsubscribeConfirmation"));
        break;
    case MEMBER_ANSWER: shape->has_answer = true; break;
    case MEMBER_LOG:
        if (token != SCAN_STRING)
            break;
        shape->log = t;
        shape->has_log = true;
        return 0;
    default: break;
    }
    int err = message_value_rest(r, s, token, &whole);
    if (err == 0 && member == MEMBER_SNS && token == SCAN_OBJECT)
        shape->sns = whole;
    if (err == 0 && member == MEMBER_LOG && token == SCAN_OBJECT)
        shape->logged = whole;
    if (err == 0 && (member == MEMBER_LIST || member == MEMBER_ROWS) && token == SCAN_ARRAY) {
        shape->list = whole;
        shape->is_rows = member == MEMBER_ROWS;
    }
    return err;
}

/* Some tools write objects one after the other without a line break: on the line itself, what
 * follows the first object is kept for later. */
static int end_shape(struct message_reader *r, const struct scan *s, u32 depth, struct shape *ret)
{
    str rest = str_trim(str_slice(s->text, s->at, s->text.n));

    ret->own = str_slice(s->text, 0, s->at);
    if (!rest.n)
        return 0;
    if (r->is_within && rest.p[0] != '{')
        return 0;
    if (depth || rest.p[0] != '{')
        return message_refuse(r, rest.p, "unexpected text after the value");
    r->rest = rest;
    r->is_many = true;
    return 0;
}

static int read_shape(struct message_reader *r, str json, u32 depth, struct shape *ret)
{
    struct scan s;
    struct scan_text t;

    *ret = (struct shape){.has_message = false};
    r->attr_count = 0;
    scan_init(&s, json);
    enum scan_token token = scan_next(&s, &t);
    if (token == SCAN_ERROR)
        return message_refuse_scan(r, &s);
    assert(token == SCAN_OBJECT);
    while ((token = scan_next(&s, &t)) == SCAN_NAME) {
        int err = read_shape_member(r, &s, t.raw, ret);
        if (err)
            return err;
    }
    return token == SCAN_ERROR ? message_refuse_scan(r, &s) : end_shape(r, &s, depth, ret);
}

/* The only message of a line is shown as the line. */
static void message_emit(struct message_reader *r, str body, str own)
{
    str shown = r->is_many ? own : r->line;
    struct filter_message msg = {.attrs = r->attrs, .attr_count = r->attr_count, .body = body};

    r->fn(r->ctx, &msg, shown);
}

/* MessageStructure json: a queue receives the member sqs, or else default. */
static str structured_text(struct message_reader *r, str message)
{
    struct scan s;
    struct scan_text t, found = {.raw = message};
    bool is_final = false;

    scan_init(&s, message);
    if (scan_next(&s, &t) != SCAN_OBJECT)
        return message;
    for (enum scan_token token; (token = scan_next(&s, &t)) == SCAN_NAME;) {
        bool is_sqs = str_is(t.raw, "sqs"), is_default = str_is(t.raw, "default");
        token = scan_next(&s, &t);
        if (token == SCAN_STRING && (is_sqs || (is_default && !is_final))) {
            found = t;
            is_final = is_sqs;
        } else if ((token == SCAN_OBJECT || token == SCAN_ARRAY) && scan_skip(&s) == SCAN_ERROR) {
            break;
        }
    }
    return scan_decode(&found, &r->texts);
}

static void swap_attrs(struct message_reader *r)
{
    struct filter_attr *attrs = r->attrs;

    r->attrs = r->spare;
    r->spare = attrs;
}

/* If the body is an SNS envelope, delivers the message in it. */
static bool take_envelope(struct message_reader *r, str body)
{
    struct shape shape;

    body = str_trim(body);
    if (!str_starts(body, STR("{")) || !memmem(body.p, body.n, "\"Notification\"", 14))
        return false;
    size_t attr_count = r->attr_count;
    swap_attrs(r);
    if (read_shape(r, body, 1, &shape) == 0 && shape.is_notification && shape.has_message) {
        message_emit(r, scan_decode(&shape.message, &r->texts), shape.own);
        return true;
    }
    swap_attrs(r);
    r->attr_count = attr_count;
    return false;
}

/* An object in a log entry where a text is expected: whether it is a message. */
static bool is_logged(struct message_reader *r, str json)
{
    struct shape shape;

    return json.n && read_shape(r, json, 1, &shape) == 0 &&
           (shape.has_message || shape.has_attrs || shape.has_body || shape.list.n);
}

static int read_message_object(struct message_reader *r, str json, u32 depth)
{
    struct shape shape;
    int err = read_shape(r, json, depth, &shape);

    if (err)
        return err;
    if (shape.has_message && shape.is_confirmation)
        return 0; /* SNS's own messages to an HTTP endpoint, independent of the policy */
    if (shape.has_message) {
        str message = scan_decode(&shape.message, &r->texts);
        message_emit(r, str_is(shape.structure.raw, "json") ? structured_text(r, message) : message,
                     shape.own);
    } else if (shape.has_body) {
        str body = scan_decode(&shape.body, &r->texts);
        if (!take_envelope(r, body))
            message_emit(r, body, shape.own);
    } else if (shape.sns.n) {
        return read_shape_value(r, shape.sns, depth + 1);
    } else if (shape.list.n) {
        return read_shape_value(r, shape.list, depth + 1);
    } else if (shape.has_log) {
        return read_json_text(r, scan_decode(&shape.log, &r->texts), depth + 1);
    } else if (shape.has_attrs) {
        message_emit(r, STR_NONE, shape.own);
    } else if (is_logged(r, shape.logged)) {
        return read_shape_value(r, shape.logged, depth + 1);
    } else if (!shape.has_answer) { /* a ReceiveMessage answer without messages has no Messages */
        r->attr_count = 0;
        r->guessed++;
        message_emit(r, shape.own, shape.own);
    }
    return 0;
}

/* One row of a query result: [{"field":"@message","value":"…"}, …]. */
static int read_row(struct message_reader *r, str json, u32 depth)
{
    struct scan s;
    struct scan_text t, value = {.raw = STR_NONE}, found = {.raw = STR_NONE};
    bool is_message = false;

    scan_init(&s, json);
    for (enum scan_token token; (token = scan_next(&s, &t)) != SCAN_END;) {
        if (token == SCAN_ERROR)
            return message_refuse_scan(r, &s);
        if (token == SCAN_OBJECT)
            is_message = false;
        if (token == SCAN_OBJECT_END && is_message)
            found = value;
        if (token != SCAN_NAME)
            continue;
        str name = t.raw;
        token = scan_next(&s, &t);
        if (token == SCAN_STRING && str_is(name, "field"))
            is_message = str_is(t.raw, "@message");
        else if (token == SCAN_STRING && str_is(name, "value"))
            value = t;
    }
    return found.raw.n ? read_json_text(r, scan_decode(&found, &r->texts), depth + 1) : 0;
}

/* Whether another element follows; looks ahead in a copy. */
static bool is_followed(struct scan ahead)
{
    struct scan_text t;

    return scan_next(&ahead, &t) != SCAN_ARRAY_END;
}

static int read_messages(struct message_reader *r, str json, u32 depth)
{
    struct scan s;
    struct scan_text t;
    str item;

    scan_init(&s, json);
    scan_next(&s, &t);
    for (enum scan_token token; (token = scan_next(&s, &t)) != SCAN_ARRAY_END;) {
        int err = message_value_rest(r, &s, token, &item);
        if (err == 0 && !r->is_many)
            r->is_many = is_followed(s);
        if (err == 0 && token == SCAN_OBJECT)
            err = read_shape_value(r, item, depth + 1);
        else if (err == 0 && token == SCAN_ARRAY)
            err = read_row(r, item, depth + 1);
        else if (err == 0 && token == SCAN_STRING)
            err = read_json_text(r, scan_decode(&t, &r->texts), depth + 1);
        else if (err == 0)
            err = message_refuse(r, item.p, "a message is an object");
        if (err)
            return err;
    }
    return scan_next(&s, &t) == SCAN_END ? 0 : message_refuse_scan(r, &s);
}

static int read_shape_value(struct message_reader *r, str json, u32 depth)
{
    if (depth > MESSAGE_DEPTH_MAX)
        return message_refuse(r, json.p, "messages are nested too deeply");
    return json.p[0] == '{' ? read_message_object(r, json, depth) : read_messages(r, json, depth);
}

/* Finds the message after other words of its line. */
static int read_within(struct message_reader *r, str text, u32 depth)
{
    for (size_t i = 1; i < text.n; i++) {
        char before = text.p[i - 1];
        if (text.p[i] != '{')
            continue;
        if (before == '"' && i + 1 < text.n && (text.p[i + 1] == '"' || text.p[i + 1] == '}'))
            return read_shape_value(r, dump_csv_field(&r->texts, str_slice(text, i, text.n)),
                                    depth);
        if (before == ' ' || before == '\t' || before == ',') {
            r->is_within = depth == 0;
            return read_json_text(r, str_slice(text, i, text.n), depth);
        }
    }
    /* What a runtime logs between messages. */
    if (depth || dump_is_log(text))
        return 0;
    return message_refuse(r, text.p, "not a message: expected a JSON object");
}

static int read_json_text(struct message_reader *r, str text, u32 depth)
{
    text = str_trim(text);
    if (!text.n)
        return 0;
    if (dump_is_python(text))
        return read_shape_value(r, dump_python(&r->texts, text), depth);
    if (text.p[0] == '{' || (text.p[0] == '[' && !dump_is_tagged(text)))
        return read_shape_value(r, text, depth);
    return read_within(r, text, depth);
}

/* --- the public face -------------------------------------------------------------------------- */

void message_reader_init(struct message_reader *r, bool as_body, message_fn *fn, void *ctx)
{
    *r = (struct message_reader){.as_body = as_body, .fn = fn, .ctx = ctx};
    r->attrs = mem_array(MESSAGE_ATTRS_MAX, sizeof(*r->attrs));
    r->spare = mem_array(MESSAGE_ATTRS_MAX, sizeof(*r->spare));
    arena_init(&r->texts);
}

void message_reader_deinit(struct message_reader *r)
{
    mem_free(r->attrs);
    mem_free(r->spare);
    arena_deinit(&r->texts);
}

int message_read(struct message_reader *r, str line)
{
    r->line = line;
    r->is_many = false;
    r->why = NULL;
    r->attr_count = 0;
    arena_reset(&r->texts);
    if (r->as_body) {
        message_emit(r, line, line);
        return 0;
    }
    int err = 0;
    for (r->rest = line; r->rest.n && err == 0;) {
        str text = r->rest;
        r->rest = STR_NONE;
        r->is_within = false;
        err = read_json_text(r, text, 0);
    }
    return err;
}

int message_read_attributes(struct message_reader *r, str json, struct filter_message *ret)
{
    struct scan s;
    struct scan_text t;

    r->line = json;
    r->why = NULL;
    arena_reset(&r->texts);
    scan_init(&s, json);
    int err = message_read_attr_map(r, &s, scan_next(&s, &t));
    if (err == 0)
        *ret = (struct filter_message){.attrs = r->attrs, .attr_count = r->attr_count};
    return err;
}
