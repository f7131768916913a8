/* The walk over a body: down the paths that policies name, past everything else. */
#include "filter/body.h"

#include "common/scan.h"
#include "filter/matcher.h"

/* The member of one object that leads to a wanted path: where its values begin, so that a later
 * member of the same name can take them back. */
struct member {
    u32 path, value;
};

/* Wanted members that one object can have without looking through all of them. */
struct walk {
    struct matcher *m;
    struct scan scan;
    struct member *members; /* of all open objects, the innermost last */
    u32 member_n, member_cap;
};

static bool walk_value(struct walk *w, u32 path, u32 element, enum scan_token token,
                       const struct scan_text *t);

static bool skip_value(struct walk *w, enum scan_token token)
{
    if (token == SCAN_OBJECT || token == SCAN_ARRAY)
        token = scan_skip(&w->scan);
    return token != SCAN_ERROR;
}

static str decoded(struct walk *w, const struct scan_text *t)
{
    struct event *e = &w->m->event;
    if (!t->escaped)
        return t->raw;
    char *out = e->texts + e->text_n;
    size_t n = scan_unescape(t->raw, out);
    e->text_n += n;
    return str_from(out, n);
}

/* Dots and levels are the same: a name may lead down several steps. */
static u32 descend(const struct matcher *m, u32 path, str name)
{
    if (str_find(name, '.') < 0)
        return path_child(m, path, name);
    while (name.p && path)
        path = path_child(m, path, str_cut(&name, '.'));
    return path;
}

/* Takes back what an earlier member of the same name in the same object offered. */
static void last_name_wins(struct walk *w, u32 from, u32 path)
{
    struct event *e = &w->m->event;
    for (u32 i = from; i < w->member_n; i++) {
        if (w->members[i].path != path)
            continue;
        u32 end = i + 1 < w->member_n ? w->members[i + 1].value : e->value_n;
        for (u32 v = w->members[i].value; v < end; v++)
            e->values[v].kind = VALUE_GONE;
    }
    if (w->member_n >= w->member_cap)
        w->members = matcher_room(w->members, &w->member_cap, w->member_n, sizeof(*w->members));
    w->members[w->member_n++] = (struct member){path, e->value_n};
}

static bool walk_object(struct walk *w, u32 path, u32 element)
{
    struct scan_text t;
    u32 from = w->member_n;
    for (;;) {
        enum scan_token token = scan_next(&w->scan, &t);
        if (token == SCAN_OBJECT_END)
            break;
        if (token == SCAN_ERROR)
            return false;
        size_t texts = w->m->event.text_n;
        u32 child = descend(w->m, path, decoded(w, &t));
        w->m->event.text_n = texts;
        token = scan_next(&w->scan, &t);
        if (!child) {
            if (!skip_value(w, token))
                return false;
            continue;
        }
        if (DEFAULT_LAST_NAME_WINS)
            last_name_wins(w, from, child);
        if (!walk_value(w, child, element, token, &t))
            return false;
    }
    w->member_n = from;
    return true;
}

static bool walk_array(struct walk *w, u32 path, u32 element)
{
    struct event *e = &w->m->event;
    struct scan_text t;
    bool ties = w->m->paths[path].kid_n > 0;
    u32 array = ties ? ++e->array_n : 0;
    for (;;) {
        enum scan_token token = scan_next(&w->scan, &t);
        if (token == SCAN_ARRAY_END)
            return true;
        if (token == SCAN_ERROR)
            return false;
        u32 in = ties ? event_element(e, element, array) : element;
        if (!walk_value(w, path, in, token, &t))
            return false;
    }
}

static bool walk_value(struct walk *w, u32 path, u32 element, enum scan_token token,
                       const struct scan_text *t)
{
    const struct path *p = &w->m->paths[path];
    struct event *e = &w->m->event;
    switch (token) {
    case SCAN_OBJECT:
        return p->kid_n ? walk_object(w, path, element) : skip_value(w, token);
    case SCAN_ARRAY:
        return walk_array(w, path, element);
    case SCAN_STRING:
        if (p->leaves)
            event_add(e, VALUE_STRING, path, element, decoded(w, t));
        return true;
    case SCAN_NUMBER:
        if (p->leaves)
            event_add(e, VALUE_NUMBER, path, element, t->raw);
        return true;
    case SCAN_TRUE:
    case SCAN_FALSE:
    case SCAN_NULL:
        if (p->leaves)
            event_add(e, (enum value_kind)(VALUE_TRUE + (token - SCAN_TRUE)), path, element,
                      STR_NONE);
        return true;
    default:
        return false;
    }
}

bool body_read(struct matcher *m, str body, bool *ret_empty)
{
    struct walk w = {.m = m};
    struct scan_text t;
    bool good;
    event_reserve(&m->event, body.n);
    scan_init(&w.scan, body);
    good = scan_next(&w.scan, &t) == SCAN_OBJECT;
    if (good) {
        struct scan ahead = w.scan;
        *ret_empty = scan_next(&ahead, &t) == SCAN_OBJECT_END;
        good = walk_object(&w, m->root[FILTER_BODY], 0) &&
               scan_next(&w.scan, &t) == SCAN_END;
    }
    mem_free(w.members);
    return good;
}

void matcher_check_bodies(struct matcher *m, bool check)
{
    m->unchecked = !check;
}

bool body_scan(struct matcher *m, str body, bool check)
{
    struct scan s;
    struct scan_text t;
    (void)m;
    (void)check;
    scan_init(&s, body);
    return scan_next(&s, &t) == SCAN_OBJECT && scan_skip(&s) == SCAN_OBJECT_END;
}

const char *body_scanner(void)
{
    return "portable";
}
