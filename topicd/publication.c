/* Order of the checks: attributes, empty message, structure, subject, size, ids. */
#include "topicd/publication.h"

#include "common/base/hash.h"
#include "common/base/scan.h"
#include "topicd/fault.h"

/* --- MessageStructure=json -------------------------------------------------------------------- */

/* Kinds of a member's value. */
enum value_kind { VALUE_NONE, VALUE_TEXT, VALUE_LITERAL, VALUE_COMPOUND };

/* Reads one value; *ret is the text of a string, or a literal as written. VALUE_NONE: not JSON. */
static enum value_kind structure_value(struct scan *scan, struct arena *arena, str *ret)
{
    struct scan_text text;

    switch (scan_next(scan, &text)) {
    case SCAN_STRING: *ret = scan_decode(&text, arena); return VALUE_TEXT;
    case SCAN_OBJECT:
    case SCAN_ARRAY: return scan_skip(scan) == SCAN_ERROR ? VALUE_NONE : VALUE_COMPOUND;
    case SCAN_NUMBER:
    case SCAN_TRUE:
    case SCAN_FALSE:
    case SCAN_NULL: *ret = str_slice(scan->text, scan->token_at, scan->at); return VALUE_LITERAL;
    default: return VALUE_NONE;
    }
}

/* The member of that name, the last of several; p NULL where it is not a string. "default" may also
 * be a literal, which is returned as written. E_INVALID: `json` is not an object. */
static int structure_find(str json, const char *name, struct arena *arena, str *ret)
{
    bool literals = strcmp(name, "default") == 0;
    struct scan scan;
    struct scan_text text;
    enum scan_token token;

    *ret = STR_NONE;
    scan_init(&scan, json);
    if (scan_next(&scan, &text) != SCAN_OBJECT)
        return E_INVALID;
    while ((token = scan_next(&scan, &text)) == SCAN_NAME) {
        bool wanted = str_is(scan_decode(&text, arena), name);
        str value = STR_NONE;
        enum value_kind kind = structure_value(&scan, arena, &value);

        if (kind == VALUE_NONE)
            return E_INVALID;
        if (wanted)
            *ret = kind == VALUE_TEXT || (kind == VALUE_LITERAL && literals) ? value : STR_NONE;
    }
    return token == SCAN_OBJECT_END && scan_next(&scan, &text) == SCAN_END ? 0 : E_INVALID;
}

static int check_structure(struct publication *p, str structure, bool no_default, struct fault *f)
{
    if (!structure.p)
        return 0;
    if (!str_is(structure, "json"))
        return fault_set(f, FAULT_INVALID, FAULT_PREFIX "MessageStructure");
    if (structure_find(p->message, "default", p->arena, &p->fallback))
        return fault_set(f, FAULT_INVALID,
                         FAULT_PREFIX "Message Structure - JSON message body failed to parse");
    if (!p->fallback.p && !no_default)
        return fault_set(f, FAULT_INVALID,
                         FAULT_PREFIX "Message Structure - No default entry in JSON message body");
    p->structured = true;
    return 0;
}

str publication_text(struct publication *p, const char *protocol)
{
    struct publication_text *t = p->texts;

    if (!p->structured)
        return p->message;
    while (t && strcmp(t->protocol, protocol) != 0)
        t = t->next;
    if (t)
        return t->text;
    t = arena_alloc(p->arena, sizeof(*t));
    *t = (struct publication_text){.next = p->texts, .protocol = protocol};
    p->texts = t;
    /* publication_read checked that it is an object. */
    if (structure_find(p->message, protocol, p->arena, &t->text) || !t->text.p)
        t->text = p->fallback;
    return t->text;
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
    return units >= 1 && units <= PUBLICATION_SUBJECT_MAX;
}

static int refuse_id(const char *name, struct fault *f)
{
    return fault_set(f, FAULT_INVALID,
                     FAULT_PREFIX
                     "The %s parameter can only include alphanumeric and punctuation characters. "
                     "1 to 128 in length",
                     name);
}

static int check_fifo(const struct publication *p, const struct publication_rules *rules,
                      struct fault *f)
{
    if (!p->group_id.p)
        return fault_set(f, FAULT_INVALID,
                         FAULT_PREFIX "The MessageGroupId parameter is required for FIFO topics");
    if (!p->dedup_id.p && !rules->content_dedup)
        return fault_set(f, FAULT_INVALID,
                         FAULT_PREFIX
                         "The topic should either have ContentBasedDeduplication enabled or "
                         "MessageDeduplicationId provided explicitly");
    return 0;
}

/* Of a structured message the whole document is digested. */
static void digest_message(struct publication *p)
{
    char *hex = arena_alloc(p->arena, HASH_SHA256_HEX);

    hash_sha256_hex(p->message, hex);
    p->dedup_id = str_from(hex, HASH_SHA256_HEX - 1);
}

static int check_publication_ids(struct publication *p, const struct val *in,
                                 const struct publication_rules *rules, struct fault *f)
{
    p->group_id = val_text(in, "MessageGroupId");
    p->dedup_id = val_text(in, "MessageDeduplicationId");
    if (p->dedup_id.p && !rules->fifo)
        return fault_set(f, FAULT_INVALID,
                         FAULT_PREFIX
                         "MessageDeduplicationId Reason: The request includes "
                         "MessageDeduplicationId parameter that is not valid for this topic type");
    if (rules->fifo && check_fifo(p, rules, f))
        return E_FAULT;
    if (p->group_id.p && !message_is_group_id(p->group_id))
        return refuse_id("MessageGroupId", f);
    if (p->dedup_id.p && !message_is_group_id(p->dedup_id))
        return refuse_id("MessageDeduplicationId", f);
    if (rules->fifo && !p->dedup_id.p)
        digest_message(p);
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
                     const struct publication_rules *rules, struct arena *arena, struct fault *f)
{
    *p = (struct publication){.arena = arena,
                              .message = val_text(in, "Message"),
                              .subject = val_text(in, "Subject"),
                              .fifo = STR("")};
    int err = attr_read(&p->attrs, val_get(in, "MessageAttributes"), attrs_path, arena, f);

    if (err)
        return err;
    if (p->message.n == 0)
        return fault_set(f, FAULT_INVALID, FAULT_PREFIX "Empty message");
    if (!message_is_text(p->message))
        return fault_set(f, FAULT_INVALID, FAULT_PREFIX "Message");
    err = check_structure(p, val_text(in, "MessageStructure"), rules->no_default, f);
    if (err)
        return err;
    if (p->subject.p && !is_subject(p->subject))
        return fault_set(f, FAULT_INVALID, FAULT_PREFIX "Subject");
    if (p->message.n + p->attrs.size > rules->size_max)
        return fault_set(f, FAULT_INVALID, FAULT_PREFIX "Message too long");
    return check_publication_ids(p, in, rules, f);
}

void publication_accept(struct publication *p, struct id_source *ids, i64 now_ms)
{
    id_uuid(ids, p->message_id);
    p->time_ms = now_ms;
}
