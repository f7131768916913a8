/* The order of the checks: attributes, empty message, structure, subject, size, ids. */
#include "topicd/publish.h"

#include "common/base/scan.h"
#include "topicd/fault.h"

/* --- MessageStructure=json -------------------------------------------------------------------- */

enum { STRUCTURE_OK, STRUCTURE_BROKEN, STRUCTURE_NO_DEFAULT };

struct structure {
    struct arena *arena;
    str fallback, sqs; /* p NULL: not there */
};

static str text_of(struct arena *arena, const struct scan_text *t)
{
    if (!t->escaped)
        return t->raw;
    char *out = arena_alloc(arena, t->raw.n);

    return str_from(out, scan_unescape(t->raw, out));
}

/* The value of one member; the last of a name counts. */
static int read_member(struct structure *s, struct scan *scan, str name)
{
    struct scan_text text;
    size_t from;
    enum scan_token token = scan_next(scan, &text);
    bool is_default = str_is(name, "default");

    switch (token) {
    case SCAN_STRING:
        if (is_default)
            s->fallback = text_of(s->arena, &text);
        else if (str_is(name, "sqs"))
            s->sqs = text_of(s->arena, &text);
        return STRUCTURE_OK;
    case SCAN_OBJECT:
    case SCAN_ARRAY:
        if (scan_skip(scan) == SCAN_ERROR)
            return STRUCTURE_BROKEN;
        if (is_default)
            s->fallback = STR_NONE;
        else if (str_is(name, "sqs"))
            s->sqs = STR_NONE;
        return STRUCTURE_OK;
    case SCAN_NUMBER:
    case SCAN_TRUE:
    case SCAN_FALSE:
    case SCAN_NULL:
        from = scan->token_at;
        if (is_default)
            s->fallback = str_slice(scan->text, from, scan->at);
        else if (str_is(name, "sqs"))
            s->sqs = STR_NONE;
        return STRUCTURE_OK;
    default: return STRUCTURE_BROKEN;
    }
}

static int read_structure(struct structure *s, str message)
{
    struct scan scan;
    struct scan_text text;
    enum scan_token token;

    scan_init(&scan, message);
    if (scan_next(&scan, &text) != SCAN_OBJECT)
        return STRUCTURE_BROKEN;
    while ((token = scan_next(&scan, &text)) == SCAN_NAME) {
        str name = text_of(s->arena, &text);

        if (read_member(s, &scan, name) != STRUCTURE_OK)
            return STRUCTURE_BROKEN;
    }
    if (token != SCAN_OBJECT_END || scan_next(&scan, &text) != SCAN_END)
        return STRUCTURE_BROKEN;
    return s->fallback.p ? STRUCTURE_OK : STRUCTURE_NO_DEFAULT;
}

static int resolve(struct publication *p, str structure, struct arena *arena, struct fault *f)
{
    struct structure s = {.arena = arena};

    p->sqs_message = p->message;
    if (!structure.p)
        return 0;
    if (!str_is(structure, "json"))
        return fault_set(f, FAULT_INVALID, FAULT_PREFIX "MessageStructure");
    switch (read_structure(&s, p->message)) {
    case STRUCTURE_OK: p->sqs_message = s.sqs.p ? s.sqs : s.fallback; return 0;
    case STRUCTURE_NO_DEFAULT:
        return fault_set(f, FAULT_INVALID,
                         FAULT_PREFIX "Message Structure - No default entry in JSON message body");
    default:
        return fault_set(f, FAULT_INVALID,
                         FAULT_PREFIX "Message Structure - JSON message body failed to parse");
    }
}

/* --- checks ----------------------------------------------------------------------------------- */

static bool is_subject(str s)
{
    size_t units = 0;

    for (size_t i = 0; i < s.n;) {
        u32 c = str_next_char(s, &i);

        if (c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029)
            return false;
        units += c > 0xFFFF ? 2 : 1;
    }
    return units >= 1 && units <= PUBLISH_SUBJECT_MAX;
}

static bool is_group_id(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= 0x20 || s.p[i] >= 0x7F)
            return false;
    return s.n >= 1 && s.n <= PUBLISH_GROUP_ID_MAX;
}

static int check_ids(struct publication *p, const struct val *in, struct fault *f)
{
    p->group_id = val_text(in, "MessageGroupId");
    if (val_get(in, "MessageDeduplicationId"))
        return fault_set(f, FAULT_INVALID,
                         FAULT_PREFIX
                         "MessageDeduplicationId Reason: The request includes "
                         "MessageDeduplicationId parameter that is not valid for this topic type");
    if (p->group_id.p && !is_group_id(p->group_id))
        return fault_set(f, FAULT_INVALID,
                         FAULT_PREFIX
                         "The MessageGroupId parameter can only include alphanumeric and "
                         "punctuation characters. 1 to 128 in length");
    return 0;
}

static u64 attr_size(const struct val *map)
{
    u64 n = 0;

    for (const struct val *v = map ? map->first : NULL; v; v = v->next)
        n += v->name.n + val_text(v, "DataType").n + val_text(v, "StringValue").n +
             val_text(v, "BinaryValue").n;
    return n;
}

u64 publication_size(const struct val *in)
{
    return val_text(in, "Message").n + attr_size(val_get(in, "MessageAttributes"));
}

int publication_read(struct publication *p, const struct val *in, const char *attrs_path,
                     u64 size_max, struct arena *arena, struct fault *f)
{
    *p = (struct publication){.message = val_text(in, "Message"),
                              .subject = val_text(in, "Subject")};
    int err = attr_read(&p->attrs, val_get(in, "MessageAttributes"), attrs_path, arena, f);

    if (err)
        return err;
    if (p->message.n == 0)
        return fault_set(f, FAULT_INVALID, FAULT_PREFIX "Empty message");
    if (!attr_is_xml_text(p->message))
        return fault_set(f, FAULT_INVALID, FAULT_PREFIX "Message");
    err = resolve(p, val_text(in, "MessageStructure"), arena, f);
    if (err)
        return err;
    if (p->subject.p && !is_subject(p->subject))
        return fault_set(f, FAULT_INVALID, FAULT_PREFIX "Subject");
    if (p->message.n + p->attrs.size > size_max)
        return fault_set(f, FAULT_INVALID, FAULT_PREFIX "Message too long");
    return check_ids(p, in, f);
}

/* --- the road --------------------------------------------------------------------------------- */

void publish_apply(const struct publish_context *context, struct topic *t, struct publication *p,
                   struct flight *flight)
{
    id_uuid(context->ids, p->message_id);
    fanout_plan(context->fanout, t, &p->attrs, p->sqs_message);
    if (context->fanout->n == 0)
        return;
    sender_put(context->sender,
               &(struct frame_publication){
                   .topic = t->arn,
                   .message_id = str_of(p->message_id),
                   .subject = p->subject.p ? p->subject : STR(""),
                   .message = p->sqs_message,
                   .group_id = p->group_id.p ? p->group_id : STR(""),
                   .dedup_id = STR(""),
                   .trace_header = context->trace_header.p ? context->trace_header : STR(""),
                   .public_url = context->public_url,
                   /* Clients that print a time without its zero fraction cannot verify ".000Z". */
                   .time_ms = context->now_ms + (context->now_ms % 1000 == 0),
               },
               &p->attrs, context->fanout, flight);
}
