/* Option values: checked against the table and stored in the target. Every source (default, file,
 * command line) ends in conf_put_text, conf_put_number, conf_put_bool or conf_put_list below. */
#include "common/base/conf.h"

#include "common/base/json.h"
#include "common/base/mem.h"

/* Where a value came from, for error texts: a place in the document, or `from` and a name. */
struct source {
    const struct json_at *at; /* NULL: not from a file */
    const char *from, *name;
};

/* Both kinds of sources get the same text. */
static int conf_complain(const struct source *src, struct fault *f, const char *text)
{
    if (src->at)
        return json_complain(src->at, f, "%s", text);
    return fault_set(f, CONF_FAULT, "%s%s: %s", src->from, src->name, text);
}

static void *conf_member(const struct conf_option *o, void *target)
{
    return (char *)target + o->offset;
}

static i64 upper_bound(const struct conf_option *o)
{
    if (o->min || o->max)
        return o->max;
    if (o->type == CONF_INT || o->type == CONF_SIZE)
        return INT64_MAX;
    return o->type == CONF_LIST ? CONF_LIST_MAX : CONF_TEXT_MAX;
}

void conf_bounds(const struct conf_option *o, struct buf *out)
{
    i64 high = upper_bound(o);

    if (o->type == CONF_BOOL)
        return;
    if (o->type == CONF_ENUM) {
        for (size_t i = 0; o->words[i]; i++) {
            buf_z(out, i == 0 ? "" : o->words[i + 1] ? ", " : " or ");
            buf_z(out, o->words[i]);
        }
        return;
    }
    buf_i64(out, o->min);
    if (high == INT64_MAX) {
        buf_z(out, " or more");
    } else {
        buf_z(out, " to ");
        buf_i64(out, high);
    }
    const char *unit = o->unit;
    if (o->type == CONF_STRING || o->type == CONF_PATH)
        unit = "bytes";
    else if (o->type == CONF_LIST)
        unit = "items";
    if (unit) {
        buf_char(out, ' ');
        buf_z(out, unit);
    }
}

/* Reports that the value must be `what` within the option's bounds, and not `value`. */
static int complain_bounds(const struct conf_option *o, const struct source *src, const char *what,
                           const char *value, struct fault *f)
{
    struct buf text = {0};

    buf_printf(&text, "must be %s", what);
    conf_bounds(o, &text);
    if (value)
        buf_printf(&text, ", not %.100s", value);
    int err = conf_complain(src, f, text.p);
    buf_deinit(&text);
    return err;
}

static int conf_put_number(const struct conf_option *o, void *target, i64 v,
                           const struct source *src, struct fault *f)
{
    if (v < o->min || v > upper_bound(o)) {
        struct buf text = {0};
        buf_i64(&text, v);
        int err = complain_bounds(o, src, "", text.p, f);
        buf_deinit(&text);
        return err;
    }
    *(i64 *)conf_member(o, target) = v;
    return 0;
}

static int conf_put_string(const struct conf_option *o, void *target, str value,
                           const struct source *src, struct fault *f)
{
    if (value.n < (u64)o->min || value.n > (u64)upper_bound(o))
        return complain_bounds(o, src, "of ", NULL, f);
    if (!str_is_utf8(value))
        return conf_complain(src, f, "must be UTF-8");
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)value.p[i] < (o->type == CONF_PATH ? 0x20 : 0x01))
            return conf_complain(src, f, "must not hold control characters");
    char **to = conf_member(o, target);
    mem_free(*to);
    *to = mem_dup(value);
    return 0;
}

static int conf_put_word(const struct conf_option *o, void *target, str value,
                         const struct source *src, struct fault *f)
{
    for (int i = 0; o->words[i]; i++) {
        if (!str_is(value, o->words[i]))
            continue;
        *(int *)conf_member(o, target) = i;
        return 0;
    }
    return complain_bounds(o, src, "", NULL, f);
}

static void list_free(struct conf_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        mem_free(l->items[i]);
    mem_free(l->items);
    *l = (struct conf_list){0};
}

/* Takes over `l`, also on failure. */
static int conf_put_list(const struct conf_option *o, void *target, struct conf_list l,
                         const struct source *src, struct fault *f)
{
    int err = 0;

    for (size_t i = 0; i < l.n && !err; i++)
        if (!str_is_utf8(str_of(l.items[i])))
            err = conf_complain(src, f, "must be UTF-8");
    if (!err && (l.n < (u64)o->min || l.n > (u64)upper_bound(o)))
        err = complain_bounds(o, src, "of ", NULL, f);
    if (err) {
        list_free(&l);
        return err;
    }
    struct conf_list *to = conf_member(o, target);
    list_free(to);
    *to = l;
    return 0;
}

/* --- from text -------------------------------------------------------------------------------- */

/* Digits, followed by B, KiB, MiB, GiB, TiB or nothing. */
static int read_size(str text, i64 *ret)
{
    static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
    size_t digits = 0;

    while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
        digits++;
    str unit = str_trim(str_slice(text, digits, text.n));
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (str_is(unit, units[i]) || (i == 0 && str_is(unit, "B"))) {
            i64 v;
            if (str_to_i64(str_slice(text, 0, digits), &v) != 0 ||
                __builtin_mul_overflow(v, INT64_C(1) << (10 * i), ret))
                return E_INVALID;
            return 0;
        }
    return E_INVALID;
}

static int conf_put_bool(const struct conf_option *o, void *target, str value,
                         const struct source *src, struct fault *f)
{
    if (!str_is(value, "true") && !str_is(value, "false"))
        return conf_complain(src, f, "must be true or false");
    *(bool *)conf_member(o, target) = str_is(value, "true");
    return 0;
}

static int put_text_list(const struct conf_option *o, void *target, str value,
                         const struct source *src, struct fault *f)
{
    struct conf_list l = {0};

    while (value.n) {
        str item = str_trim(str_cut(&value, ','));
        l.items = mem_grow(l.items, (l.n + 1) * sizeof(*l.items));
        l.items[l.n++] = mem_dup(item);
    }
    return conf_put_list(o, target, l, src, f);
}

static int conf_put_text(const struct conf_option *o, void *target, str value,
                         const struct source *src, struct fault *f)
{
    i64 v;

    switch (o->type) {
    case CONF_INT:
        if (str_to_i64(value, &v) != 0)
            return complain_bounds(o, src, "an integer, ", NULL, f);
        return conf_put_number(o, target, v, src, f);
    case CONF_SIZE:
        if (read_size(value, &v) != 0)
            return complain_bounds(o, src, "a size such as 64MiB, ", NULL, f);
        return conf_put_number(o, target, v, src, f);
    case CONF_BOOL: return conf_put_bool(o, target, value, src, f);
    case CONF_ENUM: return conf_put_word(o, target, value, src, f);
    case CONF_LIST: return put_text_list(o, target, value, src, f);
    case CONF_STRING:
    case CONF_PATH: return conf_put_string(o, target, value, src, f);
    }
    assert(!"an option's type");
    return E_INVALID;
}

/* Equal, with hyphens counting as underscores. */
static bool is_option_name(str given, const char *name)
{
    size_t i = 0;

    for (; i < given.n && name[i]; i++)
        if (given.p[i] != name[i] && !(given.p[i] == '-' && name[i] == '_'))
            return false;
    return i == given.n && !name[i];
}

const struct conf_option *conf_find(const struct conf_table *t, str name)
{
    for (size_t i = 0; i < conf_count(t); i++)
        if (is_option_name(name, conf_at(t, i)->name))
            return conf_at(t, i);
    return NULL;
}

const char *conf_default(const struct conf_table *t, const struct conf_option *o)
{
    for (const struct conf_default *d = t->defaults; d && d->name; d++)
        if (strcmp(d->name, o->name) == 0)
            return d->value;
    return o->value;
}

int conf_set(const struct conf_table *t, void *target, str name, str value, const char *from,
             struct fault *f)
{
    const struct conf_option *o = conf_find(t, name);

    if (!o)
        return fault_set(f, CONF_FAULT, "%s%.*s: there is no such option", from,
                         str_shown(name, 100), name.p);
    struct source src = {.from = from, .name = o->name};
    return conf_put_text(o, target, value, &src, f);
}

void conf_init(const struct conf_table *t, void *target)
{
    for (size_t i = 0; i < conf_count(t); i++) {
        const struct conf_option *o = conf_at(t, i);
        struct fault f = {0};
        int err =
            conf_set(t, target, str_of(o->name), str_of(conf_default(t, o)), "default of ", &f);

        if (err)
            fprintf(stderr, "%s\n", f.text);
        assert(!err);
    }
}

void conf_deinit(const struct conf_table *t, void *target)
{
    for (size_t i = 0; i < conf_count(t); i++) {
        const struct conf_option *o = conf_at(t, i);

        if (o->type == CONF_LIST)
            list_free(conf_member(o, target));
        if (o->type != CONF_STRING && o->type != CONF_PATH)
            continue;
        char **text = conf_member(o, target);
        mem_free(*text);
        *text = NULL;
    }
}

/* --- from a file ------------------------------------------------------------------------------ */

static int put_json_list(const struct conf_option *o, void *target, const struct json_at *at,
                         const struct source *src, struct fault *f)
{
    if (json_is_string(at->value))
        return put_text_list(o, target, str_of(json_string_value(at->value)), src, f);
    int err = json_want(at, JSON_ARRAY, f);
    if (err)
        return err;
    struct conf_list l = {0};
    size_t n = json_array_size(at->value);
    l.items = mem_array(n, sizeof(*l.items));
    for (size_t i = 0; i < n && !err; i++) {
        struct json_at item = json_item(at, i);
        err = json_want(&item, JSON_STRING, f);
        if (!err)
            l.items[l.n++] = mem_dup(str_of(json_string_value(item.value)));
    }
    if (!err)
        return conf_put_list(o, target, l, src, f);
    list_free(&l);
    return err;
}

static int put_json(const struct conf_option *o, void *target, const struct json_at *at,
                    struct fault *f)
{
    struct source src = {.at = at};
    int err;

    switch (o->type) {
    case CONF_LIST: return put_json_list(o, target, at, &src, f);
    case CONF_BOOL:
        err = json_want(at, JSON_TRUE, f);
        if (!err)
            *(bool *)conf_member(o, target) = json_is_true(at->value);
        return err;
    case CONF_INT: err = json_want(at, JSON_INTEGER, f); break;
    case CONF_SIZE: err = json_is_string(at->value) ? 0 : json_want(at, JSON_INTEGER, f); break;
    default: err = json_want(at, JSON_STRING, f); break;
    }
    if (err)
        return err;
    if (json_is_integer(at->value))
        return conf_put_number(o, target, json_integer_value(at->value), &src, f);
    str text = {json_string_value(at->value), json_string_length(at->value)};
    return conf_put_text(o, target, text, &src, f);
}

static int put_document(const struct conf_table *t, void *target, const struct json_doc *doc,
                        struct fault *f)
{
    struct json_at root = json_root(doc);
    int err = json_want(&root, JSON_OBJECT, f);

    for (void *i = err ? NULL : json_object_iter(doc->root); i && !err;
         i = json_object_iter_next(doc->root, i)) {
        const char *name = json_object_iter_key(i);
        struct json_at at = {
            .doc = doc, .up = &root, .name = name, .value = json_object_iter_value(i)};
        if (str_starts(str_of(name), STR("//")))
            continue;
        const struct conf_option *o = conf_find(t, str_of(name));
        if (!o || strcmp(o->name, name) != 0)
            err = json_complain(&at, f, "there is no such option");
        else
            err = put_json(o, target, &at, f);
    }
    return err;
}

int conf_load_text(const struct conf_table *t, void *target, str text, const char *file,
                   struct fault *f)
{
    struct json_doc doc;
    int err = json_open(&doc, text, file, false, f);

    if (err)
        return err;
    err = put_document(t, target, &doc, f);
    json_close(&doc);
    return err;
}

int conf_load_file(const struct conf_table *t, void *target, const char *path, struct fault *f)
{
    struct json_doc doc;
    int err = json_open_file(&doc, path, CONF_FILE_MAX, false, f);

    if (err)
        return err;
    err = put_document(t, target, &doc, f);
    json_close(&doc);
    return err;
}
