/* AWS JSON 1.0, also used by the ipc endpoint: input is read in one pass by the action's members,
 * without a document tree. Text without escapes stays in the body; other memory comes from the
 * call's arena. Recursion follows the members' tables, so it is never deeper than the model;
 * members that no table has are skipped by the tokenizer, which bounds its depth.
 *
 * The error texts are those of the service's JSON reader, as recorded. */
#include "common/aws/dialect.h"
#include "common/base/hash.h"
#include "common/base/scan.h"

/* More members than any structure of the two models has. */
#define MEMBERS_MAX 24

struct reader {
    struct call *c;
    struct scan scan;
    struct scan_text text; /* of the last token */
};

/* The expected type of a value, or of the elements of a list or map. */
struct shape {
    enum val_type type;
    const struct member *member;
};

static struct val *read_json_value(struct reader *r, enum scan_token token, struct shape shape);

/* --- refusals --------------------------------------------------------------------------------- */

static enum scan_token reader_next(struct reader *r)
{
    enum scan_token token = scan_next(&r->scan, &r->text);
    if (UNLIKELY(token == SCAN_ERROR)) {
        u32 line, column;
        scan_place(r->scan.text, r->scan.at, &line, &column);
        fault_set_at(&r->c->fault, CALL_FAULT_SERIALIZATION, line, column,
                     "The request body is not valid JSON: %s (line %u, column %u)", r->scan.why,
                     line, column);
    }
    return token;
}

static const char *token_name(enum scan_token token)
{
    switch (token) {
    case SCAN_STRING: return "STRING_VALUE";
    case SCAN_NUMBER: return "NUMBER_VALUE";
    case SCAN_TRUE: return "TRUE_VALUE";
    case SCAN_FALSE: return "FALSE_VALUE";
    default: return "VALUE";
    }
}

static const char *wanted_name(enum val_type type)
{
    switch (type) {
    case VAL_INT: return "an Integer";
    case VAL_BOOL: return "a Boolean";
    case VAL_BLOB: return "a Blob";
    default: return "a String";
    }
}

static const char *java_name(enum scan_token token)
{
    switch (token) {
    case SCAN_NUMBER: return "Integer";
    case SCAN_TRUE:
    case SCAN_FALSE: return "Boolean";
    default: return "String";
    }
}

/* A value of another JSON type than the model has here. */
static struct val *token_refuse(struct reader *r, enum scan_token token, enum val_type type)
{
    struct fault *f = &r->c->fault;
    if (token == SCAN_ERROR)
        return NULL;
    if (token == SCAN_ARRAY)
        fault_set(f, CALL_FAULT_SERIALIZATION, "Start of list found where not expected");
    else if (token == SCAN_OBJECT)
        fault_set(f, CALL_FAULT_SERIALIZATION,
                  "Start of structure or map found where not expected.");
    else if (type == VAL_LIST || type == VAL_MAP || type == VAL_STRUCT)
        fault_set(f, CALL_FAULT_SERIALIZATION, "Unrecognized collection type class java.lang.%s",
                  java_name(token));
    else
        fault_set(f, CALL_FAULT_SERIALIZATION, "%s can not be converted to %s", token_name(token),
                  wanted_name(type));
    return NULL;
}

/* --- scalars ---------------------------------------------------------------------------------- */

/* A lone surrogate is not a character. It becomes one that no text may have, so that the check of
 * the text refuses it with its own error. */
#define LONE_SURROGATE 0xFFFE

static str read_json_text(struct reader *r)
{
    return scan_decode_as(&r->text, LONE_SURROGATE, &r->c->arena);
}

/* "10", and "10.0" as PHP writes it. */
static int read_integer(str spelling, i64 *ret)
{
    ptrdiff_t point = str_find(spelling, '.');
    if (point < 0)
        return str_to_i64(spelling, ret);
    for (size_t i = (size_t)point + 1; i < spelling.n; i++)
        if (spelling.p[i] != '0')
            return E_INVALID;
    return str_to_i64(str_slice(spelling, 0, (size_t)point), ret);
}

static struct val *read_json_scalar(struct reader *r, enum scan_token token, enum val_type type)
{
    struct val *v = val_new(r->c, type);
    if (!v)
        return NULL;
    switch (type) {
    case VAL_STRING:
        if (token != SCAN_STRING)
            return token_refuse(r, token, type);
        v->text = read_json_text(r);
        return v;
    case VAL_INT:
        if (token != SCAN_NUMBER || read_integer(r->text.raw, &v->number) != 0)
            return token_refuse(r, token, type);
        return v;
    case VAL_BOOL:
        if (token != SCAN_TRUE && token != SCAN_FALSE)
            return token_refuse(r, token, type);
        v->flag = token == SCAN_TRUE;
        return v;
    default:
        assert(type == VAL_BLOB);
        if (token != SCAN_STRING || call_unbase64(r->c, read_json_text(r), &v->text) != 0)
            return token_refuse(r, token, type);
        return v;
    }
}

/* --- containers ------------------------------------------------------------------------------- */

static struct val *read_json_list(struct reader *r, const struct member *m)
{
    struct val *list = val_new(r->c, VAL_LIST);
    if (!list)
        return NULL;
    struct val **tail = &list->first;
    for (;;) {
        enum scan_token token = reader_next(r);
        if (token == SCAN_ARRAY_END)
            return list;
        if (token == SCAN_NULL)
            continue;
        struct val *v = read_json_value(r, token, (struct shape){m->of, m});
        if (!v)
            return NULL;
        val_add(list, &tail, v);
    }
}

static struct val *read_map(struct reader *r, const struct member *m)
{
    struct val *map = val_new(r->c, VAL_MAP);
    if (!map)
        return NULL;
    struct val **tail = &map->first;
    for (;;) {
        enum scan_token token = reader_next(r);
        if (token == SCAN_OBJECT_END)
            break;
        if (token == SCAN_ERROR)
            return NULL;
        str name = read_json_text(r);
        token = reader_next(r);
        if (token == SCAN_NULL) {
            map->has_null = true;
            continue;
        }
        struct val *v = read_json_value(r, token, (struct shape){m->of, m});
        if (!v)
            return NULL;
        v->name = name;
        val_add(map, &tail, v);
    }
    val_map_unique(r->c, map);
    return map;
}

static const struct member *find_json_member(const struct member *m, str name)
{
    for (; m->name; m++)
        if (str_is(name, m->name))
            return m;
    return NULL;
}

/* Skips the value of a member that the model does not have. */
static bool skip_json_value(struct reader *r)
{
    enum scan_token token = reader_next(r);
    if (token == SCAN_OBJECT || token == SCAN_ARRAY)
        token = scan_skip(&r->scan);
    if (token == SCAN_ERROR)
        reader_next(r); /* fails again and fills the fault */
    return token != SCAN_ERROR;
}

static struct val *read_json_struct(struct reader *r, const struct member *members)
{
    struct val *given[MEMBERS_MAX] = {NULL};
    struct val *all = val_new(r->c, VAL_STRUCT);
    if (!all)
        return NULL;
    struct val **tail = &all->first;
    for (;;) {
        enum scan_token token = reader_next(r);
        if (token == SCAN_OBJECT_END)
            return all;
        if (token == SCAN_ERROR)
            return NULL;
        const struct member *m = find_json_member(members, read_json_text(r));
        if (!m) {
            if (!skip_json_value(r))
                return NULL;
            continue;
        }
        token = reader_next(r);
        if (token == SCAN_NULL)
            continue;
        struct val *v = read_json_value(r, token, (struct shape){m->type, m});
        if (!v)
            return NULL;
        v->name = str_of(m->name);
        assert(m - members < MEMBERS_MAX);
        struct val *before = given[m - members];
        if (UNLIKELY(before != NULL)) { /* given twice: the last one counts */
            v->next = before->next;
            *before = *v;
            continue;
        }
        given[m - members] = v;
        val_add(all, &tail, v);
    }
}

static struct val *read_json_value(struct reader *r, enum scan_token token, struct shape shape)
{
    switch (shape.type) {
    case VAL_LIST:
        return token == SCAN_ARRAY ? read_json_list(r, shape.member)
                                   : token_refuse(r, token, shape.type);
    case VAL_MAP:
        return token == SCAN_OBJECT ? read_map(r, shape.member)
                                    : token_refuse(r, token, shape.type);
    case VAL_STRUCT:
        return token == SCAN_OBJECT ? read_json_struct(r, shape.member->members)
                                    : token_refuse(r, token, shape.type);
    default: return read_json_scalar(r, token, shape.type);
    }
}

/* --- the whole -------------------------------------------------------------------------------- */

void dialect_json_read(struct call *c, str text)
{
    static const struct member none[] = {{.name = NULL}};
    const struct member *members = c->action->in ? c->action->in : none;
    if (str_trim(text).n == 0) { /* clients of void inputs may send no body at all */
        c->in = val_new(c, VAL_STRUCT);
        return;
    }
    struct reader r;
    r.c = c;
    scan_init(&r.scan, text);
    enum scan_token token = reader_next(&r);
    if (token != SCAN_OBJECT) {
        token_refuse(&r, token, VAL_STRUCT);
        return;
    }
    c->in = read_json_struct(&r, members);
    if (c->in)
        reader_next(&r); /* no text may follow */
}

void dialect_json_text(struct call *c, str text)
{
    if (str_is_utf8(text)) {
        scan_quote(&c->answer.body, text);
        return;
    }
    buf_reset(&c->scratch);
    for (size_t i = 0; i < text.n; i++)
        buf_char(&c->scratch, (u8)text.p[i] < 0x80 ? text.p[i] : '?');
    scan_quote(&c->answer.body, buf_view(&c->scratch));
}

void dialect_json_error(struct call *c, const struct fault_name *f)
{
    struct answer *a = &c->answer;
    a->type = ANSWER_AWS_JSON;
    snprintf(a->query_error, sizeof a->query_error, "%s;%s", f->query_code,
             f->status >= 500 ? "Receiver" : "Sender");
    buf_z(&a->body, "{\"__type\":\"");
    buf_z(&a->body, f->shape);
    buf_z(&a->body, "\",\"message\":");
    dialect_json_text(c, str_of(c->fault.text));
    buf_char(&a->body, '}');
}
