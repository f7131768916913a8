/* Walks a body along the paths that policies name and skips everything else. The index (index.h)
 * gives the positions of operators and the depth of each block, so a member that no policy names
 * costs one step, or one per 64 bytes of its brackets.
 *
 * The walk does not depend on what only the grammar check ensures: without that check
 * (matcher_check_bodies) it may read nonsense, but it stays within the text. */
#include "filter/match/body.h"

#include "common/base/ascii.h"
#include "filter/match/index.h"
#include "filter/match/matcher.h"
#include "filter/match/shape.h"

/* A member of one object that leads to a wanted path: where its values begin, so that a later
 * member of the same name can retract them. */
struct member {
    u32 path, value;
    u32 before; /* previous value of member_of for the path */
};

struct body {
    struct index index;
    struct shape shape;
    struct member *members; /* of all open objects, innermost last */
    u32 member_n, member_cap;
    u32 *member_of; /* by path: number of the last member that led there, if it is one of those */
    u32 path_cap;
    bool careful; /* some object had two names that walk_object cannot tell apart */
};

struct walk {
    struct matcher *m;
    struct body *b;
    const struct index *x;
    const char *text;
    u32 depth;    /* open brackets */
    bool careful; /* members are remembered, so that their values can be retracted */
    bool again;   /* they should have been: walk again */
};

/* --- finding ---------------------------------------------------------------------------------- */

/* An iterator over the text's operators: brackets, commas and colons. */
struct ops {
    const u64 *map; /* of the block */
    u64 bits;       /* of the block, those still to come */
    u32 base;       /* first byte of the block */
};

/* Operators from `at` on. */
static inline struct ops ops_from(const struct walk *w, u32 at)
{
    const u64 *map = w->x->ops + at / 64;

    return (struct ops){map, *map & ~0ull << (at % 64), at / 64 * 64};
}

/* The position of the next operator; within brackets there always is one. */
static inline u32 ops_next(struct ops *o)
{
    while (UNLIKELY(o->bits == 0)) {
        o->bits = *++o->map;
        o->base += 64;
    }
    u32 at = o->base + (u32)__builtin_ctzll(o->bits);
    o->bits &= o->bits - 1;
    return at;
}

/* Position of the last quote before `at`, not before `from`; `from` when there is none. */
static inline u32 quote_before(const struct walk *w, u32 at, u32 from)
{
    u32 block = at / 64;
    u64 bits = w->x->quotes[block] & ((1ull << (at % 64)) - 1);

    while (bits == 0) {
        if (block * 64 <= from)
            return from;
        bits = w->x->quotes[--block];
    }
    u32 place = block * 64 + 63 - (u32)__builtin_clzll(bits);
    return MAX(place, from);
}

/* The bit of a block at which the number of open brackets reaches `to`; 64 for none. */
static u32 bit_of_end(u64 opens, u64 closes, u32 depth, u32 to)
{
    for (u64 all = opens | closes; all; all &= all - 1) {
        if (opens & all & (0 - all))
            depth++;
        else if (--depth == to)
            return (u32)__builtin_ctzll(all);
    }
    return 64;
}

/* Moves *at from an opening bracket past its end. False: it has no end, which only happens in
 * malformed texts. */
static bool skip_bracket(const struct walk *w, u32 *at)
{
    const struct index *x = w->x;
    u32 block = *at / 64, to = w->depth;
    u64 rest = ~1ull << (*at % 64);
    u32 bit = bit_of_end(x->opens[block] & rest, x->closes[block] & rest, to + 1, to);

    while (bit == 64) {
        do
            block++;
        while (x->least[block] > (i32)to);
        if (UNLIKELY(block * 64 >= x->size))
            return false;
        u32 depth = (u32)x->least[block] + index_count(x->closes[block]);
        bit = bit_of_end(x->opens[block], x->closes[block], depth, to);
    }
    *at = block * 64 + bit + 1;
    return true;
}

/* The text between two positions without surrounding blanks. */
static inline str trimmed(const struct walk *w, u32 from, u32 to)
{
    while (from < to && ascii_is_blank(w->text[from]))
        from++;
    while (to > from && ascii_is_blank(w->text[to - 1]))
        to--;
    return str_from(w->text + from, to - from);
}

/* --- values ----------------------------------------------------------------------------------- */

/* Whether the quoted text is a string with valid escapes. */
static bool is_string(str quoted)
{
    struct scan s;
    struct scan_text t;

    scan_init(&s, quoted);
    return scan_next(&s, &t) == SCAN_STRING && t.raw.n == quoted.n - 2;
}

/* A string that contains a backslash, decoded. */
static __attribute__((noinline)) str unescaped(struct walk *w, str quoted)
{
    struct event *e = &w->m->event;
    str raw = str_slice(quoted, 1, quoted.n - 1);

    if (w->m->unchecked && !is_string(quoted))
        return raw;
    char *out = e->texts + e->text_n;
    size_t n = scan_unescape(raw, out);
    e->text_n += n;
    return str_from(out, n);
}

/* The content between the quotes, decoded. */
static inline str decoded(struct walk *w, str quoted)
{
    str raw = str_slice(quoted, 1, quoted.n - 1);

    if (LIKELY(!w->x->has_escapes) || !raw.n || !memchr(raw.p, '\\', raw.n))
        return raw;
    return unescaped(w, quoted);
}

/* A string, a number or a literal; nothing in an empty array. */
static inline void add_scalar(struct walk *w, u32 path, u32 element, str text)
{
    enum value_kind kind = VALUE_NUMBER;

    if (UNLIKELY(!text.n))
        return;
    switch (text.p[0]) {
    case '"':
        if (UNLIKELY(text.n < 2 || text.p[text.n - 1] != '"'))
            return; /* not a string, and the grammar was not checked */
        kind = VALUE_STRING;
        text = decoded(w, text);
        break;
    case 't': kind = VALUE_TRUE; break;
    case 'f': kind = VALUE_FALSE; break;
    case 'n': kind = VALUE_NULL; break;
    }
    event_add(&w->m->event, kind, path, element, text);
}

/* --- objects ---------------------------------------------------------------------------------- */

/* Names are short: calling memchr would cost more than the search. */
static inline bool has_dot(str name)
{
    size_t at = 0;

    for (; at + 8 <= name.n; at += 8) {
        u64 x = key_word(name.p + at) ^ 0x2E2E2E2E2E2E2E2Eull;
        if ((x - 0x0101010101010101ull) & ~x & 0x8080808080808080ull)
            return true;
    }
    for (; at < name.n; at++)
        if (name.p[at] == '.')
            return true;
    return false;
}

/* Dots and levels are equivalent: a name may lead down several steps. */
static u32 descend(const struct matcher *m, u32 path, str name)
{
    while (name.p && path)
        path = path_child(m, path, str_cut(&name, '.'));
    return path;
}

/* The path that a member's name leads to; 0 when no policy names it. */
static inline u32 member_child(const struct matcher *m, u32 path, str name)
{
    const struct path *p = &m->paths[path];
    bool dotted = false;

    if (UNLIKELY(!p->kids)) {
        if (!p->kid_n || has_dot(name))
            return p->kid_n ? descend(m, path, name) : 0;
        return path_child_by_hash(m, path, name);
    }
    for (u32 i = 0; i < p->kid_n; i++) {
        const struct kid *k = &p->kids[i];
        if (k->n == name.n) {
            if (k->head == path_head(name) &&
                (name.n <= 8 || memcmp(path_name(&m->paths[k->path]).p, name.p, name.n) == 0))
                return k->path;
        } else if (k->n < name.n) {
            dotted |= name.p[k->n] == '.';
        }
    }
    return UNLIKELY(dotted) ? descend(m, path, name) : 0;
}

/* Whether policies want scalars at the path; path 0: none does. */
static inline bool wants_scalars(const struct walk *w, u32 path)
{
    return path && path_is_asked(&w->m->paths[path]);
}

/* The path of the member whose name ends at the last quote before the colon; 0 when no policy names
 * it. Remembered in `shape` if possible. */
static __attribute__((noinline)) u32 find_member(struct walk *w, u32 path, u32 from, u32 colon,
                                                 struct shape_name *shape)
{
    u32 end = w->text[colon - 1] == '"' ? colon - 1 : quote_before(w, colon, from);
    u32 start = quote_before(w, end, from);

    if (UNLIKELY(start >= end))
        return 0;
    str quoted = str_from(w->text + start, end + 1 - start);
    str raw = str_slice(quoted, 1, quoted.n - 1);
    size_t texts = w->m->event.text_n;
    u32 child = member_child(w->m, path, decoded(w, quoted));
    w->m->event.text_n = texts;
    if (end == colon - 1 && !(w->x->has_escapes && memchr(raw.p, '\\', raw.n)))
        shape_learn(shape, path, child, wants_scalars(w, child), quoted.p, raw.n);
    return child;
}

/* Retracts the values of an earlier member of the same name; `first`: the object's first member. */
static __attribute__((noinline)) void last_name_wins(struct walk *w, u32 first, u32 path)
{
    struct event *e = &w->m->event;
    struct body *b = w->b;
    u32 n = b->member_n, before = b->member_of[path];

    if (UNLIKELY(before >= first && before < n && b->members[before].path == path)) {
        u32 end = before + 1 < n ? b->members[before + 1].value : e->value_n;
        for (u32 v = b->members[before].value; v < end; v++)
            e->values[v].kind = VALUE_GONE;
        e->has_gone = true;
    }
    if (n >= b->member_cap)
        b->members = matcher_room(b->members, &b->member_cap, n, sizeof(*b->members));
    b->members[n] = (struct member){path, e->value_n, before};
    b->member_of[path] = n;
    b->member_n = n + 1;
}

/* The object ended; dotted names may have led from it to paths that the enclosing object reaches,
 * too. */
static __attribute__((noinline)) void forget_members(struct body *b, u32 first)
{
    while (b->member_n > first) {
        const struct member *last = &b->members[--b->member_n];
        b->member_of[last->path] = last->before;
    }
}

static bool walk_object(struct walk *w, u32 path, u32 element, u32 *at);
static bool walk_array(struct walk *w, u32 path, u32 element, u32 *at);

/* Walks from an opening bracket past the closing one; path 0: no policy names it. */
static bool walk_bracket(struct walk *w, u32 path, u32 element, u32 *at)
{
    if (path && w->text[*at] == '[')
        return walk_array(w, path, element, at);
    if (path && w->m->paths[path].kid_n)
        return walk_object(w, path, element, at);
    return skip_bracket(w, at);
}

/* Adds the value after `from` if it is wanted. *ret: the operator after it. */
static inline __attribute__((always_inline)) bool
walk_value(struct walk *w, u32 path, u32 element, bool asked, u32 from, struct ops *ops, u32 *ret)
{
    u32 op = ops_next(ops);

    if (w->text[op] == '{' || w->text[op] == '[') {
        u32 at = op;
        if (!walk_bracket(w, path, element, &at))
            return false;
        *ops = ops_from(w, at);
        op = ops_next(ops);
    } else if (asked) {
        add_scalar(w, path, element, trimmed(w, from, op));
    }
    *ret = op;
    return true;
}

/* Whether the member may be walked: values of earlier members of its name are retracted, or
 * `*seen`, a bit for each path or several, shows that there were none. */
static inline bool may_walk(struct walk *w, u32 first, u32 child, u64 *seen)
{
    u64 bit = 1ull << (child % 64);

    if (UNLIKELY(w->careful)) {
        last_name_wins(w, first, child);
        return true;
    }
    if (UNLIKELY(*seen & bit))
        w->again = true;
    *seen |= bit;
    return !w->again;
}

/* Walks from the opening brace past the closing one. */
static bool walk_object(struct walk *w, u32 path, u32 element, u32 *at)
{
    u32 first = w->b->member_n, place = 0, op = *at;
    struct ops ops = ops_from(w, op + 1);
    u64 seen = 0;

    w->depth++;
    do {
        u32 from = op + 1, colon = ops_next(&ops), child;
        from += w->text[from] == ' ';
        struct shape_name *shape = shape_at(&w->b->shape, path, place++);
        bool asked;
        if (LIKELY(shape_is(shape, path, w->text + from, w->x->size - from))) {
            child = shape->child;
            asked = shape->asked;
        } else if (w->text[colon] == ':') {
            child = find_member(w, path, op, colon, shape);
            asked = wants_scalars(w, child);
        } else { /* an empty object */
            op = colon;
            break;
        }
        if (DEFAULT_LAST_NAME_WINS && child && UNLIKELY(!may_walk(w, first, child, &seen)))
            return false;
        if (!walk_value(w, child, element, asked, colon + 1, &ops, &op))
            return false;
    } while (w->text[op] == ',');
    *at = op + 1;
    w->depth--;
    if (UNLIKELY(w->careful))
        forget_members(w->b, first);
    return w->text[op] == '}';
}

/* Walks from the opening bracket past the closing one. */
static bool walk_array(struct walk *w, u32 path, u32 element, u32 *at)
{
    struct event *e = &w->m->event;
    const struct path *p = &w->m->paths[path];
    bool ties = path_in_same_element(p), asked = path_is_asked(p);
    u32 array = ties ? ++e->array_n : 0, op = *at;
    struct ops ops = ops_from(w, op + 1);

    w->depth++;
    do {
        u32 in = ties ? event_element(e, element, array) : element;
        if (!walk_value(w, path, in, asked, op + 1, &ops, &op))
            return false;
    } while (w->text[op] == ',');
    *at = op + 1;
    w->depth--;
    return w->text[op] == ']';
}

/* --- the body --------------------------------------------------------------------------------- */

struct body *body_new(void)
{
    return mem_alloc(sizeof(struct body));
}

void body_free(struct body *b)
{
    if (!b)
        return;
    index_deinit(&b->index);
    mem_free(b->members);
    mem_free(b->member_of);
    mem_free(b);
}

/* Most topics have no policy on bodies, so this memory is allocated at the first body. */
static struct body *body_of(struct matcher *m)
{
    if (UNLIKELY(!m->body)) {
        m->body = body_new();
        m->same_element = same_element_new();
    }
    return m->body;
}

/* Resizes what is kept per path to the current number of paths. */
static void follow_paths(struct body *b, const struct matcher *m)
{
    if (LIKELY(b->shape.changes == m->path_changes && b->member_of))
        return;
    memset(&b->shape, 0, sizeof(b->shape));
    b->shape.changes = m->path_changes;
    b->careful = false;
    if (b->path_cap < m->path_cap) {
        b->path_cap = m->path_cap;
        mem_free(b->member_of);
        b->member_of = mem_array(b->path_cap, sizeof(*b->member_of));
    }
}

bool body_read(struct matcher *m, str text, bool *ret_empty)
{
    struct body *b = body_of(m);

    if (!index_of(&b->index, text, m->unchecked ? INDEX_STRUCTURAL : INDEX_CHECKED))
        return false;
    if (text.p[b->index.root] != '{')
        return false;
    follow_paths(b, m);
    event_reserve(&m->event, text.n);
    for (;;) {
        struct walk w = {.m = m, .b = b, .x = &b->index, .text = text.p, .careful = b->careful};
        u32 at = b->index.root;
        struct ops ops = ops_from(&w, at + 1);
        *ret_empty = text.p[ops_next(&ops)] == '}';
        b->member_n = 0;
        if (walk_object(&w, m->root[FILTER_BODY], 0, &at))
            return true;
        if (!w.again)
            return false;
        b->careful = true;
        event_forget(&m->event);
    }
}

void matcher_check_bodies(struct matcher *m, bool check)
{
    m->unchecked = !check;
}

bool body_scan(struct matcher *m, str text, bool check)
{
    return index_of(&body_of(m)->index, text, check ? INDEX_CHECKED : INDEX_SKIP);
}

const char *body_scanner(void)
{
    return index_instructions();
}
