/* The Query protocol: parameters with dotted names, answers in XML.
 *
 * The idea: the parameters are sorted once, segment by segment, numbers by value. Everything that
 * belongs to one member, or to one element of a list, then stands side by side and in order, so
 * reading is a walk over ranges that only get smaller: linear in the parameters times the members
 * of a structure, whatever the indices are. Both services accept both forms of lists: "X.1" and
 * "X.member.1", "X.1.Name" and "X.entry.1.Name". Indices may have gaps, come in any order and begin
 * anywhere.
 *
 * Range: parameters whose names agree up to a given byte; `at` is that byte. */
#include "common/aws/dialect.h"
#include "common/base/form.h"
#include "common/base/scan.h"
#include "common/base/xml.h"

#include <stdlib.h>

/* Longest path of a member in either model; longer names are unknown and ignored. */
#define NAME_MAX_BYTES 255
/* Most digits of an index; names with more are unknown. */
#define INDEX_DIGITS_MAX 9

struct range {
    const struct form_pair **first;
    size_t n;
    size_t at;
};

static struct val *read_query_struct(struct call *c, struct range r, const struct member *members);

/* --- order ------------------------------------------------------------------------------------ */

static str segment_at(str name, size_t at)
{
    size_t end = at;
    while (end < name.n && name.p[end] != '.')
        end++;
    return (str){name.p + at, end - at};
}

static bool is_index(str segment)
{
    if (segment.n == 0 || segment.n > INDEX_DIGITS_MAX)
        return false;
    for (size_t i = 0; i < segment.n; i++)
        if (segment.p[i] < '0' || segment.p[i] > '9')
            return false;
    return segment.n == 1 || segment.p[0] != '0';
}

/* Indices before names, indices by value. */
static int segment_cmp(str a, str b)
{
    bool index = is_index(a);
    if (index != is_index(b))
        return index ? -1 : 1;
    if (index && a.n != b.n)
        return a.n < b.n ? -1 : 1;
    return str_cmp(a, b);
}

static int name_cmp(str a, str b)
{
    size_t same = 0, n = MIN(a.n, b.n), start = 0;
    while (same < n && a.p[same] == b.p[same]) {
        if (a.p[same] == '.')
            start = same + 1;
        same++;
    }
    if (same == a.n && same == b.n)
        return 0;
    /* One ends where the other goes on with a new segment. */
    if (same == n && (a.n > n ? a.p[n] : b.p[n]) == '.')
        return a.n < b.n ? -1 : 1;
    return segment_cmp(segment_at(a, start), segment_at(b, start));
}

/* Equal names stay in the order of the request: the pairs are in one array. */
static int pair_cmp(const void *left, const void *right)
{
    const struct form_pair *a = *(const struct form_pair *const *)left;
    const struct form_pair *b = *(const struct form_pair *const *)right;
    int order = name_cmp(a->name, b->name);
    return order ? order : a < b ? -1 : a > b;
}

static struct range range_sorted(struct call *c, const struct form *f)
{
    struct range r = {.first = arena_alloc(&c->arena, (f->n + 1) * sizeof(struct form_pair *))};
    for (size_t i = 0; i < f->n; i++)
        if (f->pairs[i].name.n <= NAME_MAX_BYTES)
            r.first[r.n++] = &f->pairs[i];
    qsort(r.first, r.n, sizeof(struct form_pair *), pair_cmp);
    return r;
}

/* --- ranges ----------------------------------------------------------------------------------- */

static str range_rest(const struct range *r, size_t i)
{
    str name = r->first[i]->name;
    return name.n >= r->at ? str_slice(name, r->at, name.n) : STR_NONE;
}

/* Whether `rest` is `path` or continues it with a dot. */
static bool name_continues(str rest, str path)
{
    return rest.n >= path.n && memcmp(rest.p, path.p, path.n) == 0 &&
           (rest.n == path.n || rest.p[path.n] == '.');
}

/* The parameters of `path` below r; their `at` is right behind it, on a dot or the end. */
static struct range range_find(struct range r, const char *name)
{
    str path = str_of(name);
    size_t i = 0, end;
    while (i < r.n && !name_continues(range_rest(&r, i), path))
        i++;
    for (end = i; end < r.n && name_continues(range_rest(&r, end), path);)
        end++;
    return (struct range){r.first + i, end - i, r.at + path.n};
}

/* The parameter whose name ends here; of equal names the first. NULL: none. */
static const struct form_pair *range_whole(struct range r)
{
    return r.n && r.first[0]->name.n == r.at ? r.first[0] : NULL;
}

/* Those that continue with a dot, `at` after it. */
static struct range range_below(struct range r)
{
    while (r.n && r.first[0]->name.n <= r.at) {
        r.first++;
        r.n--;
    }
    r.at++;
    return r;
}

/* Cuts the parameters of the next index off `rest`; false: no index is left. */
static bool next_index(struct range *rest, struct range *ret)
{
    if (rest->n == 0)
        return false;
    str index = segment_at(rest->first[0]->name, rest->at);
    if (!is_index(index))
        return false;
    size_t n = 1;
    while (n < rest->n && str_eq(segment_at(rest->first[n]->name, rest->at), index))
        n++;
    *ret = (struct range){rest->first, n, rest->at + index.n};
    rest->first += n;
    rest->n -= n;
    return true;
}

/* --- values ----------------------------------------------------------------------------------- */

static bool param_refuse(struct call *c, const struct form_pair *p, const char *reason)
{
    int shown = (int)MIN(p->value.n, (size_t)FAULT_TEXT_MAX);
    if (c->service->flattened)
        fault_set(&c->fault, CALL_FAULT_INVALID_PARAMETER,
                  "Value %.*s for parameter %.*s is invalid. Reason: %s.", shown, p->value.p,
                  STR_ARG(p->name), reason);
    else
        fault_set(&c->fault, CALL_FAULT_INVALID_PARAMETER, "Invalid parameter: %.*s Reason: %s",
                  STR_ARG(p->name), reason);
    return false;
}

static bool check_utf8(struct call *c, const struct form_pair *p)
{
    if (LIKELY(str_is_utf8(p->value)))
        return true;
    fault_set(&c->fault, CALL_FAULT_SERIALIZATION, "The value of parameter %.*s is not UTF-8.",
              STR_ARG(p->name));
    return false;
}

static bool set_scalar(struct call *c, struct val *v, const struct form_pair *p)
{
    switch (v->type) {
    case VAL_STRING: v->text = p->value; return check_utf8(c, p);
    case VAL_INT:
        return str_to_i64(p->value, &v->number) == 0 ||
               (check_utf8(c, p) && param_refuse(c, p, "Must be an integer"));
    case VAL_BOOL:
        v->flag = str_eq_nocase(p->value, STR("true"));
        return v->flag || str_eq_nocase(p->value, STR("false")) ||
               (check_utf8(c, p) && param_refuse(c, p, "Must be true or false"));
    default:
        assert(v->type == VAL_BLOB);
        return call_unbase64(c, p->value, &v->text) == 0 ||
               (check_utf8(c, p) && param_refuse(c, p, "Must be base64"));
    }
}

/* NULL: absent, or a fault was set. */
static struct val *read_query_scalar(struct call *c, struct range r, enum val_type type)
{
    const struct form_pair *p = range_whole(r);
    struct val *v = p ? val_new(c, type) : NULL;
    return v && set_scalar(c, v, p) ? v : NULL;
}

static struct val *read_element(struct call *c, struct range r, const struct member *m)
{
    return m->of == VAL_STRUCT ? read_query_struct(c, range_below(r), m->members)
                               : read_query_scalar(c, r, m->of);
}

static const char *map_key(const struct call *c, const struct member *m)
{
    return m->query_key ? m->query_key : c->service->flattened ? "Name" : "key";
}

static const char *map_value(const struct call *c, const struct member *m)
{
    return m->query_value ? m->query_value : c->service->flattened ? "Value" : "value";
}

/* The value of a map entry. A missing value is an empty one. */
static struct val *read_entry(struct call *c, struct range entry, const struct member *m)
{
    struct range r = range_below(entry);
    const struct form_pair *key = range_whole(range_find(r, map_key(c, m)));
    struct val *v = read_element(c, range_find(r, map_value(c, m)), m);

    if (!v && !c->fault.code)
        v = val_new(c, m->of);
    if (!v || (key && !check_utf8(c, key)))
        return NULL;
    v->name = key ? key->value : STR("");
    return v;
}

/* Elements of a list or map, in the order of their indices; r->at is after the dot. */
static bool read_elements(struct call *c, struct range r, const struct member *m, struct val *into,
                          struct val ***tail)
{
    struct range one;
    while (next_index(&r, &one)) {
        struct val *v = into->type == VAL_MAP ? read_entry(c, one, m) : read_element(c, one, m);
        if (v)
            val_add(into, tail, v);
        else if (c->fault.code)
            return false;
    }
    return true;
}

/* Whether parameters below r name parts of an element: an entry of a map, a structure of a list. */
static bool has_parts(struct call *c, struct range r, const struct member *m)
{
    struct range inner = range_below(r);

    if (m->type == VAL_MAP)
        return range_find(inner, map_key(c, m)).n || range_find(inner, map_value(c, m)).n;
    for (const struct member *part = m->members; m->of == VAL_STRUCT && part->name; part++)
        if (range_find(inner, part->query ? part->query : part->name).n)
            return true;
    return false;
}

/* Flattened collections: one without a number is the first element ("AttributeName=All",
 * "Attribute.Name=…&Attribute.Value=…"), as AWS accepts it and older SDKs send it. */
static bool read_unnumbered(struct call *c, struct range r, const struct member *m,
                            struct val *into, struct val ***tail)
{
    const struct form_pair *p = range_whole(r);
    struct val *v = NULL;

    if (!c->service->flattened)
        return true;
    if (has_parts(c, r, m))
        v = m->type == VAL_MAP ? read_entry(c, r, m) : read_element(c, r, m);
    else if (m->type == VAL_LIST && m->of != VAL_STRUCT && p && p->value.n)
        v = read_element(c, r, m);
    if (v)
        val_add(into, tail, v);
    return !c->fault.code;
}

static struct val *read_query_collection(struct call *c, struct range r, const struct member *m)
{
    struct val *v = val_new(c, m->type);

    if (!v)
        return NULL;
    struct val **tail = &v->first;
    struct range inner = range_below(r);

    if (!read_unnumbered(c, r, m, v, &tail) || !read_elements(c, inner, m, v, &tail) ||
        !read_elements(c, range_below(range_find(inner, m->type == VAL_MAP ? "entry" : "member")),
                       m, v, &tail))
        return NULL;
    const struct form_pair *p = range_whole(r);

    v->given_empty = v->count == 0 && p && p->value.n == 0;
    if (m->type == VAL_MAP)
        val_map_unique(c, v);
    return v->count || v->given_empty ? v : NULL;
}

static struct val *read_query_member(struct call *c, struct range r, const struct member *m)
{
    switch (m->type) {
    case VAL_LIST:
    case VAL_MAP: return read_query_collection(c, r, m);
    case VAL_STRUCT: r = range_below(r); return r.n ? read_query_struct(c, r, m->members) : NULL;
    default: return read_query_scalar(c, r, m->type);
    }
}

static struct val *read_query_struct(struct call *c, struct range r, const struct member *members)
{
    struct val *all = val_new(c, VAL_STRUCT);
    if (!all)
        return NULL;
    struct val **tail = &all->first;
    for (const struct member *m = members; m->name && r.n; m++) {
        struct range own = range_find(r, m->query ? m->query : m->name);
        if (own.n == 0 && m->query_also)
            own = range_find(r, m->query_also);
        struct val *v = own.n ? read_query_member(c, own, m) : NULL;
        if (v) {
            v->name = str_of(m->name);
            val_add(all, &tail, v);
        } else if (c->fault.code) {
            return NULL;
        }
    }
    return all;
}

void dialect_query_read(struct call *c, const struct form *params)
{
    static const struct member none[] = {{.name = NULL}};
    c->in = read_query_struct(c, range_sorted(c, params), c->action->in ? c->action->in : none);
}

/* --- errors ----------------------------------------------------------------------------------- */

/* {"Error":{…},"RequestId":"…"}, for clients that asked for JSON. */
static void plain_json_error(struct call *c, const struct fault_name *f, str type, str text)
{
    struct buf *b = &c->answer.body;
    c->answer.type = ANSWER_JSON;
    buf_z(b, "{\"Error\":{\"Code\":");
    scan_quote(b, str_of(f->query_code));
    buf_z(b, ",\"Message\":");
    dialect_json_text(c, text);
    buf_z(b, ",\"Type\":");
    scan_quote(b, type);
    buf_z(b, "},\"RequestId\":");
    scan_quote(b, str_of(c->answer.request_id));
    buf_char(b, '}');
}

void dialect_query_error(struct call *c, const struct fault_name *f)
{
    struct buf *b = &c->answer.body;
    c->answer.type = ANSWER_XML;
    if (c->fault.code == CALL_FAULT_NO_ACTION) {
        buf_z(b, "<UnknownOperationException/>");
        return;
    }
    str type = f->status >= 500 ? STR("Receiver") : STR("Sender");
    str text = str_of(f->query_text ? f->query_text : c->fault.text);
    if (c->plain_json) {
        plain_json_error(c, f, type, text);
        return;
    }
    bool sqs = c->service->flattened;
    buf_z(b, sqs ? "<?xml version=\"1.0\"?><ErrorResponse xmlns=\"" : "<ErrorResponse xmlns=\"");
    buf_z(b, c->service->xml_namespace);
    buf_z(b, "\"><Error>");
    xml_element(b, "Type", type);
    xml_element(b, "Code", str_of(f->query_code));
    xml_element(b, "Message", text);
    buf_z(b, sqs ? "<Detail/></Error>" : "</Error>");
    xml_element(b, "RequestId", str_of(c->answer.request_id));
    buf_z(b, "</ErrorResponse>");
}
