/* The call independent of its wire format: reading its values, and rendering its end. The two wire
 * formats are in dialect_json.c and dialect_query.c, writing answers in call_out.c, finding service
 * and action in call_find.c. desk.c runs the action and sends the answer. */
#include "common/aws/call.h"

#include "common/aws/dialect.h"
#include "common/base/hash.h"
#include "common/base/map.h"

/* Up to this count a map's names are compared linearly; above it through a hash table. */
#define MAP_SCAN_MAX 16

/* --- input ------------------------------------------------------------------------------------ */

const struct val *val_get_str(const struct val *v, str name)
{
    assert(v->type == VAL_STRUCT || v->type == VAL_MAP);
    for (const struct val *child = v->first; child; child = child->next)
        if (str_eq(child->name, name))
            return child;
    return NULL;
}

const struct val *val_get(const struct val *v, const char *name)
{
    return val_get_str(v, str_of(name));
}

str val_text(const struct val *v, const char *name)
{
    const struct val *child = val_get(v, name);
    if (!child)
        return STR_NONE;
    assert(child->type == VAL_STRING || child->type == VAL_BLOB);
    return child->text;
}

bool val_int(const struct val *v, const char *name, i64 *ret)
{
    const struct val *child = val_get(v, name);
    if (!child)
        return false;
    assert(child->type == VAL_INT);
    *ret = child->number;
    return true;
}

bool val_bool(const struct val *v, const char *name, bool *ret)
{
    const struct val *child = val_get(v, name);
    if (!child)
        return false;
    assert(child->type == VAL_BOOL);
    *ret = child->flag;
    return true;
}

struct val *val_new(struct call *c, enum val_type type)
{
    if (UNLIKELY(c->val_count >= CALL_VALS_MAX)) {
        fault_set(&c->fault, CALL_FAULT_TOO_LARGE, "The request has too many values.");
        return NULL;
    }
    c->val_count++;
    struct val *v = arena_alloc(&c->arena, sizeof *v);
    *v = (struct val){.type = type};
    return v;
}

/* The slot of `name` in a table of `cap` (a power of two, never full) values. */
static struct val **map_slot(struct val **table, size_t cap, str name)
{
    size_t i = (size_t)map_hash(NULL, name) & (cap - 1);
    while (table[i] && !str_eq(table[i]->name, name))
        i = (i + 1) & (cap - 1);
    return &table[i];
}

static struct val *map_scan(struct val *map, const struct val *until)
{
    for (struct val *v = map->first; v != until; v = v->next)
        if (str_eq(v->name, until->name))
            return v;
    return NULL;
}

void val_map_unique(struct call *c, struct val *map)
{
    size_t cap = 1;
    struct val **table = NULL;
    if (map->count > MAP_SCAN_MAX) {
        while (cap < 2 * (size_t)map->count)
            cap *= 2;
        table = arena_zalloc(&c->arena, cap * sizeof(struct val *));
    }
    for (struct val **at = &map->first; *at;) {
        struct val *v = *at, *before;
        if (table) {
            struct val **slot = map_slot(table, cap, v->name);
            before = *slot;
            if (!before)
                *slot = v;
        } else {
            before = map_scan(map, v);
        }
        if (!before) {
            at = &v->next;
            continue;
        }
        struct val *after = before->next;
        *before = *v;
        before->next = after;
        *at = v->next; /* the last value wins, also where `at` is before's own link */
        map->count--;
    }
}

str call_base64(struct call *c, str bytes)
{
    buf_reset(&c->scratch);
    hash_base64(&c->scratch, bytes);
    return arena_dup(&c->arena, buf_view(&c->scratch));
}

int call_unbase64(struct call *c, str text, str *ret)
{
    buf_reset(&c->scratch);
    int err = hash_unbase64(text, &c->scratch);
    if (err == 0)
        *ret = arena_dup(&c->arena, buf_view(&c->scratch));
    return err;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* A call to a queue's own path need not name the queue: the path does. In the JSON protocol, too,
 * as the SDKs for PHP and Ruby send it, but there the body has precedence. */
static void queue_url_from_path(struct call *c)
{
    const struct member *m = c->action->in;
    if (!c->service->flattened || !m || !call_is_queue_path(c->request.path))
        return;
    while (m->name && strcmp(m->name, "QueueUrl") != 0)
        m++;
    if (!m->name || val_get(c->in, "QueueUrl"))
        return;
    struct val *v = val_new(c, VAL_STRING);
    if (!v)
        return;
    str host = c->request.host.n ? c->request.host : STR("localhost"), path = c->request.path;
    if (str_ends(path, STR("/")))
        path.n--;
    v->name = str_of(m->name);
    v->text = arena_printf(&c->arena, "http://%.*s%.*s", STR_ARG(host), STR_ARG(path));
    v->next = c->in->first;
    c->in->first = v;
    c->in->count++;
}

void call_read(struct call *c)
{
    assert(c->service && c->action && !c->fault.code);
    if (c->dialect == DIALECT_JSON)
        dialect_json_read(c, c->request.body);
    else
        dialect_query_read(c, c->params);
    if (!c->fault.code)
        queue_url_from_path(c);
}

/* --- rendering -------------------------------------------------------------------------------- */

/* Faults that a daemon's own table does not list. */
static const struct fault_name common_faults[] = {
    {CALL_FAULT_NO_ACTION, 404, "com.amazon.coral.service#UnknownOperationException",
     "InvalidAction", NULL},
    {CALL_FAULT_UNKNOWN_ACTION, 400, "com.amazon.coral.service#UnknownOperationException",
     "InvalidAction", NULL},
    {CALL_FAULT_SERIALIZATION, 400, "com.amazon.coral.service#SerializationException",
     "MalformedInput", NULL},
    {CALL_FAULT_MISSING_PARAMETER, 400,
     "com.amazon.coral.service#MissingRequiredParameterException", "MissingParameter", NULL},
    {CALL_FAULT_INVALID_PARAMETER, 400, "com.amazon.coral.service#InvalidParameterValueException",
     "InvalidParameterValue", NULL},
    {CALL_FAULT_TOO_LARGE, 413, "com.amazon.coral.service#RequestEntityTooLargeException",
     "RequestEntityTooLarge", NULL},
    {CALL_FAULT_INCOMPLETE_SIGNATURE, 400, "com.amazon.coral.service#IncompleteSignatureException",
     "IncompleteSignature", NULL},
    {CALL_FAULT_SIGNATURE, 403, "com.amazon.coral.service#InvalidSignatureException",
     "SignatureDoesNotMatch", NULL},
    {CALL_FAULT_UNKNOWN_KEY, 403, "com.amazon.coral.service#UnrecognizedClientException",
     "InvalidClientTokenId", NULL},
    {CALL_FAULT_NO_SIGNATURE, 403, "com.amazon.coral.service#MissingAuthenticationTokenException",
     "MissingAuthenticationToken", NULL},
    {CALL_FAULT_TOKEN_EXPIRED, 403, "com.amazon.coral.service#ExpiredTokenException",
     "ExpiredToken", NULL},
    {CALL_FAULT_REQUEST_EXPIRED, 400, "com.amazon.coral.service#RequestExpiredException",
     "RequestExpired", NULL},
    {CALL_FAULT_NO_SUBSCRIPTION, 403, "com.amazon.coral.service#OptInRequired", "OptInRequired",
     NULL},
    {CALL_FAULT_ACCESS_DENIED, 403, "com.amazon.coral.service#AccessDeniedException",
     "AccessDenied", NULL},
    {CALL_FAULT_UNAVAILABLE, 503, "com.amazon.coral.service#ServiceUnavailableException",
     "ServiceUnavailable", NULL},
    {CALL_FAULT_UNSUPPORTED, 400, "com.amazon.coral.service#UnsupportedOperationException",
     "UnsupportedOperation", NULL},
    {CALL_FAULT_INTERNAL, 500, "com.amazon.coral.service#InternalFailure", "InternalFailure", NULL},
};

static const struct fault_name *fault_name(const struct service *s, int code)
{
    for (const struct fault_name *f = s->faults; f && f->code; f++)
        if (f->code == code)
            return f;
    for (size_t i = 0; i < ARRAY_LEN(common_faults); i++)
        if (common_faults[i].code == code)
            return &common_faults[i];
    assert(!"a fault code that no table names");
    return &common_faults[ARRAY_LEN(common_faults) - 1];
}

static const char *shape_name(const struct fault_name *f)
{
    return strchr(f->shape, '#') + 1;
}

static bool is_called(const struct fault_name *f, str name)
{
    return str_is(name, shape_name(f)) || str_is(name, f->query_code);
}

int call_fault_code(const struct service *s, str name)
{
    for (const struct fault_name *f = s->faults; f && f->code; f++)
        if (is_called(f, name))
            return f->code;
    for (size_t i = 0; i < ARRAY_LEN(common_faults); i++)
        if (is_called(&common_faults[i], name))
            return common_faults[i].code;
    return 0;
}

const char *call_fault_text(const struct service *s, int code)
{
    return shape_name(fault_name(s, code));
}

void call_render(struct call *c)
{
    c->answer.query_error[0] = '\0';
    if (!c->fault.code) {
        call_out_finish(c);
        return;
    }
    buf_reset(&c->answer.body);
    const struct fault_name *f = fault_name(c->service, c->fault.code);
    c->answer.status = f->status;
    if (c->dialect == DIALECT_JSON)
        dialect_json_error(c, f);
    else
        dialect_query_error(c, f);
}

void call_render_page(struct call *c, int status, str json)
{
    c->answer.status = status;
    c->answer.type = ANSWER_JSON;
    c->answer.query_error[0] = '\0';
    buf_reset(&c->answer.body);
    buf_str(&c->answer.body, json);
}
