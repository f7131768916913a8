/* Collects what a message has at the paths of one policy. A body is walked once; two growing and
 * shrinking buffers hold the dotted path and the readable place. Only values at a path of the
 * policy are kept. For keys without values, near matches (another case, another level) are
 * recorded. */
#include "filter/explain/explain_parts.h"

#include "common/base/scan.h"

static void watch_add(struct explain_offer *o, str path)
{
    if (map_get(&o->by_path, path))
        return;
    struct explain_watch *w = &o->watches[o->n++];
    *w = (struct explain_watch){.path = path, .near = EXPLAIN_ABSENT};
    map_put(&o->by_path, path, w);
}

static void watch_all(struct explain_offer *o, const struct policy *p)
{
    size_t most = 0;

    for (u32 i = 0; i < p->n; i++)
        most += p->branches[i].n;
    o->watches = mem_array(most + 1, sizeof(*o->watches));
    for (u32 i = 0; i < p->n; i++)
        for (u32 k = 0; k < p->branches[i].n; k++)
            watch_add(o, p->branches[i].leaves[k]->path);
}

const struct explain_watch *explain_watch_of(const struct explain_offer *o, str path)
{
    return map_get(&o->by_path, path);
}

static void watch_take(struct explain_offer *o, struct explain_watch *w,
                       const struct explain_value *v, u32 ordinal)
{
    if (w->n == w->cap) {
        w->cap = w->cap ? 2 * w->cap : 4;
        w->values = mem_grow(w->values, w->cap * sizeof(*w->values));
        w->ordinals = mem_grow(w->ordinals, w->cap * sizeof(*w->ordinals));
    }
    w->values[w->n] = *v;
    w->values[w->n].place = arena_dup(o->arena, v->place);
    w->ordinals[w->n++] = ordinal;
}

/* Records that something like the watched path is at `place`, unless a nearer match was
 * recorded. */
static void note_near(struct explain_offer *o, struct explain_watch *w, enum explain_miss near,
                      str place)
{
    if (explain_miss_rank(near) <= explain_miss_rank(w->near))
        return;
    w->near = near;
    w->near_place = arena_dup(o->arena, place);
}

static bool has_tail(str path, str tail)
{
    return path.n > tail.n && str_ends(path, tail) && path.p[path.n - tail.n - 1] == '.';
}

/* Removes and returns the last name of a path; *path has a NULL text when that was its only one. */
static str take_last(str *path)
{
    size_t at = path->n;

    while (at > 0 && path->p[at - 1] != '.')
        at--;
    str name = str_slice(*path, at, path->n);
    *path = at > 0 ? str_slice(*path, 0, at - 1) : (str){0};
    return name;
}

/* Whether `path`, a different one, ends with the same name and contains all names of `part` in
 * order, with others before or between. */
static bool is_deeper(str path, str part)
{
    if (!str_eq(take_last(&path), take_last(&part)))
        return false;
    while (part.p) {
        str name = take_last(&part), other;
        do {
            if (!path.p)
                return false;
            other = take_last(&path);
        } while (!str_eq(other, name));
    }
    return true;
}

/* Longest path for which near matches are looked for. */
#define GUESS_PATH_MAX 512

static bool is_same_but_case(str a, str b)
{
    char folded[FOLD_SIZE(GUESS_PATH_MAX)];
    a = str_trim(a);
    b = str_trim(b);
    if (a.n > GUESS_PATH_MAX || b.n > FOLD_SIZE(GUESS_PATH_MAX))
        return false;
    return fold_eq(str_from(folded, fold_text(a, folded)), b);
}

static void guess(struct explain_offer *o, str path, str place)
{
    for (u32 i = 0; i < o->n && i < EXPLAIN_WATCHED_MAX; i++) {
        struct explain_watch *w = &o->watches[i];
        if (str_eq(w->path, path))
            continue;
        if (is_deeper(path, w->path))
            note_near(o, w, EXPLAIN_DEEPER, place);
        else if (has_tail(w->path, path))
            note_near(o, w, EXPLAIN_HIGHER, place);
        else if (is_same_but_case(w->path, path))
            note_near(o, w, EXPLAIN_KEY_CASE, place);
    }
}

/* --- bodies ----------------------------------------------------------------------------------- */

struct walk {
    struct explain_offer *o;
    struct buf path, place;
    enum explain_miss other; /* set while only keys are looked for: the miss to record; otherwise
                              * MET */
};

static const str LITERALS[] = {
    [NODE_TRUE] = {"true", 4}, [NODE_FALSE] = {"false", 5}, [NODE_NULL] = {"null", 4}};

static struct explain_value value_of(const struct node *n, str place)
{
    static const enum explain_type types[] = {
        [NODE_STRING] = EXPLAIN_STRING, [NODE_NUMBER] = EXPLAIN_NUMBER, [NODE_TRUE] = EXPLAIN_TRUE,
        [NODE_FALSE] = EXPLAIN_FALSE,   [NODE_NULL] = EXPLAIN_NULL,
    };
    bool is_literal = n->kind >= NODE_TRUE;

    return (struct explain_value){place, types[n->kind], is_literal ? LITERALS[n->kind] : n->text};
}

static void walk_node(struct walk *w, const struct node *n);

static void walk_children(struct walk *w, const struct node *n)
{
    size_t path = w->path.n, place = w->place.n;
    u32 i = 0;

    for (const struct node *c = n->first; c; c = c->next) {
        if (n->kind == NODE_ARRAY) {
            buf_printf(&w->place, "[%u]", i++);
        } else {
            /* The root has no path yet; a member of it may still have an empty name. */
            if (w->place.n > 0) {
                buf_char(&w->path, '.');
                buf_char(&w->place, '.');
            }
            buf_str(&w->path, c->name);
            buf_str(&w->place, c->name.n ? c->name : STR("\"\""));
        }
        walk_node(w, c);
        w->path.n = path;
        w->place.n = place;
    }
}

static void walk_node(struct walk *w, const struct node *n)
{
    struct explain_offer *o = w->o;
    str path = buf_view(&w->path), place = buf_view(&w->place);
    struct explain_watch *here = place.n ? map_get(&o->by_path, path) : NULL;
    bool is_scalar = n->kind >= NODE_STRING;

    if (w->other != EXPLAIN_MET) {
        if (here && n->kind != NODE_ARRAY)
            note_near(o, here, w->other, place);
    } else if (is_scalar) {
        struct explain_value v = value_of(n, place);
        if (here)
            watch_take(o, here, &v, o->scalars);
        o->scalars++;
    } else if (here) {
        if (n->kind == NODE_OBJECT)
            note_near(o, here, EXPLAIN_OBJECT, place);
        else if (n->n == 0)
            note_near(o, here, EXPLAIN_EMPTY_ARRAY, place);
    }
    if (w->other == EXPLAIN_MET && place.n && n->kind != NODE_OBJECT)
        guess(o, path, place);
    o->has_arrays |= n->kind == NODE_ARRAY;
    if (!is_scalar)
        walk_children(w, n);
}

static void walk_body(struct explain_offer *o, const struct node *root, enum explain_miss other)
{
    struct walk w = {.o = o, .other = other};

    walk_node(&w, root);
    buf_deinit(&w.path);
    buf_deinit(&w.place);
}

static void collect_body(struct explain_offer *o, const struct filter_message *msg)
{
    struct fault *f = mem_alloc(sizeof(*f));
    struct node *root;
    str compact;

    if (tree_read(o->arena, msg->body, &root, &compact, f)) {
        o->eligibility = FILTER_INVALID_BODY;
        o->trouble =
            arena_printf(o->arena, "its body is not JSON (line %u, column %u)", f->line, f->column);
    } else if (root->kind != NODE_OBJECT) {
        o->eligibility = FILTER_INVALID_BODY;
        o->trouble = STR("its body is JSON, but not an object");
    } else {
        o->body = root;
        walk_body(o, root, EXPLAIN_MET);
    }
    mem_free(f);
    for (size_t i = 0; i < msg->attr_count; i++) {
        struct explain_watch *w = map_get(&o->by_path, msg->attrs[i].name);
        if (w)
            note_near(o, w, EXPLAIN_OTHER_SCOPE, msg->attrs[i].name);
    }
}

/* --- attributes ------------------------------------------------------------------------------- */

static bool has_base(str type, str base)
{
    return str_eq(type, base) ||
           (str_starts(type, base) && type.n > base.n && type.p[base.n] == '.');
}

/* Attribute values are compared in their JSON-escaped form. */
static str attribute_escaped(struct arena *a, str s)
{
    if (str_find(s, '"') < 0 && str_find(s, '\\') < 0)
        return s;
    char *p = arena_alloc(a, 2 * s.n);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            p[n++] = '\\';
        p[n++] = s.p[i];
    }
    return str_from(p, n);
}

static void take_elements(struct explain_offer *o, struct explain_watch *w, const struct node *n,
                          struct buf *place)
{
    if (n->kind == NODE_OBJECT)
        return;
    if (n->kind == NODE_ARRAY) {
        u32 i = 0;
        size_t end = place->n;
        for (const struct node *c = n->first; c; c = c->next) {
            buf_printf(place, "[%u]", i++);
            take_elements(o, w, c, place);
            place->n = end;
        }
        return;
    }
    struct explain_value v = value_of(n, buf_view(place));
    if (v.type == EXPLAIN_STRING)
        v.text = attribute_escaped(o->arena, v.text);
    watch_take(o, w, &v, 0);
}

/* False: its text is not JSON. */
static bool collect_array(struct explain_offer *o, const struct filter_attr *a,
                          struct explain_watch *w)
{
    struct fault *f = mem_alloc(sizeof(*f));
    struct node *root;
    str compact;
    int err = tree_read(o->arena, a->value, &root, &compact, f);

    mem_free(f);
    if (err)
        return false;
    if (!w)
        return true;
    struct buf place = {0};
    buf_str(&place, a->name);
    take_elements(o, w, root, &place);
    buf_deinit(&place);
    if (w->n == 0)
        note_near(o, w, EXPLAIN_EMPTY_ARRAY, a->name);
    return true;
}

/* False: malformed; o->trouble says why. */
static bool collect_attribute(struct explain_offer *o, const struct filter_attr *a)
{
    struct explain_watch *w = map_get(&o->by_path, a->name);
    struct number number;

    if (str_is(a->type, "String.Array")) {
        if (collect_array(o, a, w))
            return true;
        o->trouble = arena_printf(o->arena, "its String.Array attribute \"%.*s\" is not JSON",
                                  STR_ARG(a->name));
        return false;
    }
    if (has_base(a->type, STR("Number")) && number_read(a->value, &number)) {
        o->trouble =
            arena_printf(o->arena, "its Number attribute \"%.*s\" has the malformed value \"%.*s\"",
                         STR_ARG(a->name), (int)MIN(a->value.n, EXPLAIN_SHOWN_MAX), a->value.p);
        return false;
    }
    if (has_base(a->type, STR("String")) && str_has_control(a->value)) {
        o->trouble = arena_printf(o->arena, "its String attribute \"%.*s\" has a control character",
                                  STR_ARG(a->name));
        return false;
    }
    if (!w)
        return true;
    struct explain_value v = {a->name, EXPLAIN_NUMBER, a->value};
    if (has_base(a->type, STR("String"))) {
        v.type = EXPLAIN_STRING;
        v.text = attribute_escaped(o->arena, a->value);
    } else if (!has_base(a->type, STR("Number"))) {
        note_near(o, w, EXPLAIN_BINARY, a->name);
        return true;
    }
    watch_take(o, w, &v, 0);
    return true;
}

/* Looks for keys without a value in the body. */
static void look_into_body(struct explain_offer *o, str body)
{
    struct fault *f = mem_alloc(sizeof(*f));
    struct node *root;
    str compact;

    if (!tree_read(o->arena, body, &root, &compact, f) && root->kind == NODE_OBJECT)
        walk_body(o, root, EXPLAIN_OTHER_SCOPE);
    mem_free(f);
}

static void collect_attributes(struct explain_offer *o, const struct filter_message *msg)
{
    size_t usable = 0;

    for (size_t i = 0; i < msg->attr_count; i++) {
        const struct filter_attr *a = &msg->attrs[i];
        if (!collect_attribute(o, a)) {
            o->eligibility = FILTER_INVALID_ATTRIBUTES;
            return;
        }
        usable += !has_base(a->type, STR("Binary"));
        guess(o, a->name, a->name);
    }
    if (usable == 0) {
        o->eligibility = FILTER_NO_ATTRIBUTES;
        o->trouble = msg->attr_count ? STR("it has only Binary attributes")
                                     : STR("it has no message attributes");
    }
    look_into_body(o, msg->body);
}

void explain_collect(struct explain_offer *o, struct arena *a, const struct policy *p,
                     const struct filter_message *msg)
{
    *o = (struct explain_offer){.arena = a};
    map_init(&o->by_path, NULL);
    watch_all(o, p);
    if (p->scope == FILTER_BODY)
        collect_body(o, msg);
    else
        collect_attributes(o, msg);
}

void explain_offer_deinit(struct explain_offer *o)
{
    for (u32 i = 0; i < o->n; i++) {
        mem_free(o->watches[i].values);
        mem_free(o->watches[i].ordinals);
    }
    mem_free(o->watches);
    map_deinit(&o->by_path);
}
