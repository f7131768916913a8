/* Reads message attributes. They are already decoded, so no JSON is parsed except the value of a
 * String.Array.
 *
 * Escaping: the service compares an attribute's text as it would stand in a JSON literal, so quotes
 * and backslashes are preceded by a backslash (Amazon SNS developer guide, "String value
 * matching"). For the same reason a control character, which such a literal cannot hold, makes the
 * attribute malformed: the service counts such a message as filtered out for invalid attributes. */
#include "filter/match/attributes.h"

#include "common/base/scan.h"
#include "filter/match/matcher.h"

enum attr_type { TYPE_STRING, TYPE_NUMBER, TYPE_ARRAY, TYPE_BINARY, TYPE_OTHER };

static enum attr_type type_of(str type)
{
    if (str_is(type, "String.Array"))
        return TYPE_ARRAY;
    if (DEFAULT_LABELS_IGNORED)
        type = str_cut(&type, '.');
    if (str_is(type, "String"))
        return TYPE_STRING;
    if (str_is(type, "Number"))
        return TYPE_NUMBER;
    return str_is(type, "Binary") ? TYPE_BINARY : TYPE_OTHER;
}

/* The text in the form that the service compares; room for twice its size was reserved. */
static str text_escaped(struct event *e, str text)
{
    char *out;
    size_t n = 0;

    if (str_find(text, '"') < 0 && str_find(text, '\\') < 0)
        return text;
    out = e->texts + e->text_n;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"' || text.p[i] == '\\')
            out[n++] = '\\';
        out[n++] = text.p[i];
    }
    e->text_n += n;
    return str_from(out, n);
}

static str array_string(struct event *e, const struct scan_text *t)
{
    if (!t->escaped)
        return t->raw;
    char *out = e->texts + e->text_n;
    size_t n = scan_unescape(t->raw, out);
    e->text_n += n;
    return text_escaped(e, str_from(out, n));
}

/* Validates the array's JSON; adds its values if the path is wanted. False: malformed. */
static bool array_read(struct matcher *m, u32 path, str text)
{
    struct scan s;
    struct scan_text t;

    scan_init(&s, text);
    for (;;) {
        enum value_kind kind;
        str value = STR_NONE;
        switch (scan_next(&s, &t)) {
        case SCAN_ERROR: return false;
        case SCAN_END: return true;
        case SCAN_OBJECT:
            if (scan_skip(&s) == SCAN_ERROR)
                return false;
            continue;
        case SCAN_STRING:
            kind = VALUE_STRING;
            if (path)
                value = array_string(&m->event, &t);
            break;
        case SCAN_NUMBER:
            kind = VALUE_NUMBER;
            value = t.raw;
            break;
        case SCAN_TRUE: kind = VALUE_TRUE; break;
        case SCAN_FALSE: kind = VALUE_FALSE; break;
        case SCAN_NULL: kind = VALUE_NULL; break;
        default: continue;
        }
        if (path)
            event_add(&m->event, kind, path, 0, value);
    }
}

static bool attr_read(struct matcher *m, u32 path, enum attr_type type, str value)
{
    struct number number;

    switch (type) {
    case TYPE_STRING:
        if (str_has_control(value))
            return false;
        if (path)
            event_add(&m->event, VALUE_STRING, path, 0, text_escaped(&m->event, value));
        return true;
    case TYPE_NUMBER:
        if (number_read(value, &number) != 0)
            return false;
        if (path)
            event_add(&m->event, VALUE_NUMBER, path, 0, value);
        return true;
    case TYPE_ARRAY: return array_read(m, path, value);
    case TYPE_BINARY:
    case TYPE_OTHER: break;
    }
    return true;
}

enum filter_eligibility attributes_read(struct matcher *m, const struct filter_attr *attrs,
                                        size_t n)
{
    size_t usable = 0, room = 0;
    u32 root = m->root[FILTER_ATTRIBUTES];

    for (size_t i = 0; i < n; i++)
        room += attrs[i].value.n * 3; /* decoded once, then escaped */
    event_reserve(&m->event, room);
    for (size_t i = 0; i < n; i++) {
        enum attr_type type = type_of(attrs[i].type);
        u32 path = path_child(m, root, attrs[i].name);
        if (!attr_read(m, path, type, attrs[i].value))
            return FILTER_INVALID_ATTRIBUTES;
        usable += type != TYPE_BINARY || !DEFAULT_BINARY_ALONE_IS_NONE;
    }
    return usable ? FILTER_ELIGIBLE : FILTER_NO_ATTRIBUTES;
}
