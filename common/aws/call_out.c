/* Writes the answer for both wire formats directly into the body. A stack of open containers has
 * each element's XML name and how it ends.
 *
 * Invariants:
 * 1. Only the innermost container may be unopened: writing an element into a list or map opens it.
 * 2. In JSON no value ends with an opening brace or bracket, so the body's last byte shows whether
 *    a comma is needed.
 * 3. For SQS (service->flattened) lists and maps have no element of their own in XML, and appear in
 *    neither form while they are empty; for SNS they always appear.
 *
 * Query clients that ask for JSON (plain_json) get the XML answer's structure, with SQS's maps as
 * lists of {"Name":…,"Value":…} (sqs-api.md, 1.3). */
#include "common/aws/dialect.h"
#include "common/base/hash.h"
#include "common/base/scan.h"
#include "common/base/xml.h"

enum kind { OUT_STRUCT, OUT_LIST, OUT_ITEM, OUT_MAP, OUT_ENTRY };

#define BODY_ROOM 512 /* most answers fit into it */

static bool is_json(const struct call *c)
{
    return c->dialect == DIALECT_JSON || c->plain_json;
}

/* Whether maps are written as lists of pairs in JSON. */
static bool has_pairs(const struct call *c)
{
    return c->plain_json && c->service->flattened;
}

/* --- beginning -------------------------------------------------------------------------------- */

static void begin_xml(struct call *c)
{
    struct buf *b = &c->answer.body;
    if (c->service->flattened)
        buf_z(b, "<?xml version=\"1.0\"?>");
    buf_char(b, '<');
    buf_z(b, c->action->name);
    buf_z(b, "Response xmlns=\"");
    buf_z(b, c->service->xml_namespace);
    buf_z(b, "\">");
    if (c->action->flags & ACTION_RESULT) {
        buf_char(b, '<');
        buf_z(b, c->action->name);
        buf_z(b, "Result>");
    }
}

static void begin_plain_json(struct call *c)
{
    struct buf *b = &c->answer.body;
    buf_printf(b, "{\"%sResponse\":{", c->action->name);
    if (c->action->flags & ACTION_RESULT)
        buf_printf(b, "\"%sResult\":{", c->action->name);
}

/* The body, with its beginning written. */
static struct buf *out_body(struct call *c)
{
    struct buf *b = &c->answer.body;
    if (LIKELY(c->out.begun))
        return b;
    assert(c->action && !c->done);
    c->out.begun = true;
    buf_reset(b);
    buf_room(b, BODY_ROOM);
    if (c->plain_json)
        begin_plain_json(c);
    else if (is_json(c))
        buf_char(b, '{');
    else
        begin_xml(c);
    c->out.result_at = b->n;
    return b;
}

/* --- pieces ----------------------------------------------------------------------------------- */

static void json_comma(struct buf *b)
{
    char last = b->p[b->n - 1];
    if (last != '{' && last != '[')
        buf_char(b, ',');
}

/* Names are our own and need no escapes. */
static void out_json_name(struct buf *b, const char *name)
{
    json_comma(b);
    buf_char(b, '"');
    buf_z(b, name);
    buf_add(b, "\":", 2);
}

static struct call_out_level *level_push(struct call *c, enum kind kind, const char *name)
{
    assert(c->out.depth < CALL_OUT_DEPTH_MAX);
    struct call_out_level *l = &c->out.levels[c->out.depth++];
    *l = (struct call_out_level){.kind = (u8)kind, .name = name};
    return l;
}

static struct call_out_level *level_top(struct call *c, enum kind kind)
{
    assert(c->out.depth > 0);
    struct call_out_level *l = &c->out.levels[c->out.depth - 1];
    assert(l->kind == kind);
    return l;
}

static struct call_out_level *level_pop(struct call *c, enum kind kind)
{
    struct call_out_level *l = level_top(c, kind);
    c->out.depth--;
    return l;
}

/* Opens a list or map, `bracket` in JSON. */
static void open_level(struct call *c, struct call_out_level *l, char bracket)
{
    if (l->open)
        return;
    struct buf *b = out_body(c);
    l->open = true;
    if (is_json(c)) {
        out_json_name(b, l->name);
        buf_char(b, bracket);
    } else if (!c->service->flattened) {
        xml_open(b, l->name);
    }
    l->at = b->n;
}

static void close_level(struct call *c, const struct call_out_level *l, char bracket)
{
    struct buf *b = out_body(c);
    if (!l->open)
        return;
    if (is_json(c)) {
        buf_char(b, bracket);
    } else if (!c->service->flattened) {
        if (b->n == l->at) { /* <X> becomes <X/> */
            b->n--;
            buf_add(b, "/>", 2);
        } else {
            xml_close(b, l->name);
        }
    }
}

/* --- members ---------------------------------------------------------------------------------- */

void call_out_text(struct call *c, const char *name, str text)
{
    struct buf *b = out_body(c);
    if (is_json(c)) {
        out_json_name(b, name);
        scan_quote(b, text);
    } else {
        xml_element(b, name, text);
    }
}

void call_out_i64(struct call *c, const char *name, i64 v)
{
    struct buf *b = out_body(c);
    if (is_json(c)) {
        out_json_name(b, name);
        buf_i64(b, v);
    } else {
        xml_element_i64(b, name, v);
    }
}

void call_out_bool(struct call *c, const char *name, bool v)
{
    struct buf *b = out_body(c);
    str text = v ? STR("true") : STR("false");
    if (is_json(c)) {
        out_json_name(b, name);
        buf_str(b, text);
    } else {
        xml_element(b, name, text);
    }
}

void call_out_blob(struct call *c, const char *name, str bytes)
{
    struct buf *b = out_body(c);
    if (is_json(c)) {
        out_json_name(b, name);
        buf_char(b, '"');
        hash_base64(b, bytes);
        buf_char(b, '"');
    } else {
        xml_open(b, name);
        hash_base64(b, bytes);
        xml_close(b, name);
    }
}

void call_out_struct(struct call *c, const char *name)
{
    struct buf *b = out_body(c);
    level_push(c, OUT_STRUCT, name);
    if (is_json(c)) {
        out_json_name(b, name);
        buf_char(b, '{');
    } else {
        xml_open(b, name);
    }
}

void call_out_struct_end(struct call *c)
{
    const struct call_out_level *l = level_pop(c, OUT_STRUCT);
    if (is_json(c))
        buf_char(out_body(c), '}');
    else
        xml_close(out_body(c), l->name);
}

/* --- lists ------------------------------------------------------------------------------------ */

/* Two lists of SQS have other names when a Query client asked for JSON. */
static const char *plain_json_name(const char *name)
{
    if (strcmp(name, "Messages") == 0)
        return "messages";
    return strcmp(name, "QueueUrls") == 0 ? "queueUrls" : name;
}

void call_out_list(struct call *c, const char *name, const char *item)
{
    if (has_pairs(c))
        name = plain_json_name(name);
    struct call_out_level *l = level_push(c, OUT_LIST, name);
    l->item = c->service->flattened ? item : "member";
    if (!c->service->flattened)
        open_level(c, l, '[');
}

void call_out_item(struct call *c)
{
    struct buf *b = out_body(c);
    struct call_out_level *list = level_top(c, OUT_LIST);
    open_level(c, list, '[');
    level_push(c, OUT_ITEM, list->item);
    if (is_json(c)) {
        json_comma(b);
        buf_char(b, '{');
    } else {
        xml_open(b, list->item);
    }
}

void call_out_item_end(struct call *c)
{
    const struct call_out_level *l = level_pop(c, OUT_ITEM);
    if (is_json(c))
        buf_char(out_body(c), '}');
    else
        xml_close(out_body(c), l->name);
}

void call_out_item_text(struct call *c, str text)
{
    struct buf *b = out_body(c);
    struct call_out_level *list = level_top(c, OUT_LIST);
    open_level(c, list, '[');
    if (is_json(c)) {
        json_comma(b);
        scan_quote(b, text);
    } else {
        xml_element(b, list->item, text);
    }
}

void call_out_list_end(struct call *c)
{
    close_level(c, level_pop(c, OUT_LIST), ']');
}

/* --- maps ------------------------------------------------------------------------------------- */

void call_out_map(struct call *c, const char *name, const char *item, const char *key_name,
                  const char *value_name)
{
    struct call_out_level *l = level_push(c, OUT_MAP, name);
    bool flattened = c->service->flattened;
    l->item = flattened ? item : "entry";
    l->key = flattened ? key_name : "key";
    l->value = flattened ? value_name : "value";
    if (!flattened)
        open_level(c, l, '{');
}

static void entry_key(struct call *c, struct call_out_level *map, str key)
{
    struct buf *b = out_body(c);
    open_level(c, map, has_pairs(c) ? '[' : '{');
    if (has_pairs(c)) {
        json_comma(b);
        buf_char(b, '{');
        out_json_name(b, map->key);
        scan_quote(b, key);
        out_json_name(b, map->value);
    } else if (is_json(c)) {
        json_comma(b);
        scan_quote(b, key);
        buf_char(b, ':');
    } else {
        xml_open(b, map->item);
        xml_element(b, map->key, key);
    }
}

void call_out_entry_text(struct call *c, str key, str text)
{
    struct call_out_level *map = level_top(c, OUT_MAP);
    entry_key(c, map, key);
    if (is_json(c)) {
        scan_quote(out_body(c), text);
        if (has_pairs(c))
            buf_char(out_body(c), '}');
    } else {
        xml_element(out_body(c), map->value, text);
        xml_close(out_body(c), map->item);
    }
}

void call_out_entry(struct call *c, str key)
{
    struct call_out_level *map = level_top(c, OUT_MAP);
    entry_key(c, map, key);
    struct call_out_level *l = level_push(c, OUT_ENTRY, NULL);
    l->item = map->item;
    l->value = map->value;
    if (is_json(c))
        buf_char(out_body(c), '{');
    else
        xml_open(out_body(c), l->value);
}

void call_out_entry_end(struct call *c)
{
    const struct call_out_level *l = level_pop(c, OUT_ENTRY);
    if (is_json(c)) {
        buf_z(out_body(c), has_pairs(c) ? "}}" : "}");
        return;
    }
    xml_close(out_body(c), l->value);
    xml_close(out_body(c), l->item);
}

void call_out_map_end(struct call *c)
{
    close_level(c, level_pop(c, OUT_MAP), has_pairs(c) ? ']' : '}');
}

/* --- end -------------------------------------------------------------------------------------- */

static void finish_json(struct call *c)
{
    if (c->action->flags & ACTION_RESULT)
        buf_char(out_body(c), '}');
    else
        assert(!c->out.begun); /* the model gives this action no output */
}

static void finish_xml(struct call *c)
{
    struct buf *b = out_body(c);
    if (!(c->action->flags & ACTION_RESULT)) {
        assert(b->n == c->out.result_at);
    } else if (b->n == c->out.result_at) {
        b->n--;
        buf_add(b, "/>", 2);
    } else {
        buf_add(b, "</", 2);
        buf_z(b, c->action->name);
        buf_z(b, "Result>");
    }
    buf_z(b, "<ResponseMetadata>");
    xml_element(b, "RequestId", str_of(c->answer.request_id));
    buf_z(b, "</ResponseMetadata></");
    buf_z(b, c->action->name);
    buf_z(b, "Response>");
}

static void finish_plain_json(struct call *c)
{
    struct buf *b = out_body(c);
    if (c->action->flags & ACTION_RESULT)
        buf_char(b, '}');
    else
        assert(b->n == c->out.result_at);
    out_json_name(b, "ResponseMetadata");
    buf_printf(b, "{\"RequestId\":\"%s\"}}}", c->answer.request_id);
}

void call_out_finish(struct call *c)
{
    assert(c->out.depth == 0);
    c->answer.status = 200;
    if (c->plain_json) {
        c->answer.type = ANSWER_JSON;
        finish_plain_json(c);
    } else if (is_json(c)) {
        c->answer.type = ANSWER_AWS_JSON;
        finish_json(c);
    } else {
        c->answer.type = ANSWER_XML;
        finish_xml(c);
    }
}
