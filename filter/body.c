/* The walk over a body: down the paths that policies name, past everything else. The index
 * (index.h) knows where everything is, so a member that nobody asks for costs one step, however
 * large it is.
 *
 * The walk trusts nothing that only the grammar promises: without the check (matcher_check_bodies)
 * it may read nonsense, but stays inside the text. */
#include "filter/body.h"

#include "filter/index.h"
#include "filter/key.h"
#include "filter/matcher.h"

/* The member of one object that leads to a wanted path: where its values begin, so that a later
 * member of the same name can take them back. */
struct member {
    u32 path, value;
};

struct body {
    struct index index;
    struct member *members; /* of all open objects, the innermost last */
    u32 member_n, member_cap;
};

struct walk {
    struct matcher *m;
    struct body *b;
    const char *text;
    const struct index_block *blocks;
    const struct index_bracket *brackets;
    u32 next; /* number of the first bracket that was not passed yet */
};

static bool walk_value(struct walk *w, u32 path, u32 element, u32 *at, u32 end);

/* --- finding ---------------------------------------------------------------------------------- */

/* Place of the first bit of one of the block's maps from `at` on; there always is one behind the
 * end. */
#define FIND(name, map)                                                                            \
    static inline u32 name(const struct walk *w, u32 at)                                           \
    {                                                                                              \
        const struct index_block *b = &w->blocks[at / 64];                                         \
        u64 bits = b->map >> (at % 64);                                                            \
        if (LIKELY(bits != 0))                                                                     \
            return at + (u32)__builtin_ctzll(bits);                                                \
        do                                                                                         \
            b++;                                                                                   \
        while (b->map == 0);                                                                       \
        return (u32)(b - w->blocks) * 64 + (u32)__builtin_ctzll(b->map);                           \
    }
FIND(next_quote, quotes)
FIND(next_colon, colons)
FIND(next_op, ops)

/* Place of the last quote before `at`, not before `from`; `from` when there is none. */
static inline u32 quote_before(const struct walk *w, u32 at, u32 from)
{
    const struct index_block *b = &w->blocks[at / 64];
    u64 bits = b->quotes & ((1ull << (at % 64)) - 1);
    while (bits == 0) {
        if ((u32)(b - w->blocks) * 64 <= from)
            return from;
        b--;
        bits = b->quotes;
    }
    u32 place = (u32)(b - w->blocks) * 64 + 63 - (u32)__builtin_clzll(bits);
    return MAX(place, from);
}

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static inline u32 past_blanks(const struct walk *w, u32 at, u32 end)
{
    while (at < end && is_blank(w->text[at]))
        at++;
    return at;
}

/* --- values ----------------------------------------------------------------------------------- */

/* Whether the string that ends at the quote `to` has escapes as they must be. */
static bool is_string(const struct walk *w, u32 from, u32 to)
{
    struct scan s;
    struct scan_text t;
    scan_init(&s, str_from(w->text + from - 1, to - from + 2));
    return scan_next(&s, &t) == SCAN_STRING && t.raw.n == to - from;
}

/* What stands between two quotes. */
static str decoded(struct walk *w, u32 from, u32 to)
{
    struct event *e = &w->m->event;
    str raw = str_from(w->text + from, to - from);
    if (LIKELY(!w->b->index.has_escapes) || !raw.n || !memchr(raw.p, '\\', raw.n))
        return raw;
    if (w->m->unchecked && !is_string(w, from, to))
        return raw;
    char *out = e->texts + e->text_n;
    size_t n = scan_unescape(raw, out);
    e->text_n += n;
    return str_from(out, n);
}

static void add_scalar(struct walk *w, u32 path, u32 element, u32 from, u32 to)
{
    enum value_kind kind = VALUE_NUMBER;
    while (to > from && is_blank(w->text[to - 1]))
        to--;
    switch (w->text[from]) {
    case 't': kind = VALUE_TRUE; break;
    case 'f': kind = VALUE_FALSE; break;
    case 'n': kind = VALUE_NULL; break;
    }
    event_add(&w->m->event, kind, path, element, str_from(w->text + from, to - from));
}

/* The bracket at `at` is the next one; passes over it, its end and all between. */
static bool skip_bracket(struct walk *w, u32 *at)
{
    const struct index_bracket *open = &w->brackets[w->next];
    if (UNLIKELY(w->next >= w->b->index.bracket_n || open->at != *at))
        return false;
    w->next = open->next;
    *at = open->end + 1;
    return true;
}

/* --- objects ---------------------------------------------------------------------------------- */

/* Names are short: a call of memchr would cost more than the name. */
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

/* Dots and levels are the same: a name may lead down several steps. */
static u32 descend(const struct matcher *m, u32 path, str name)
{
    while (name.p && path)
        path = path_child(m, path, str_cut(&name, '.'));
    return path;
}

/* The path that a member's name leads to, 0 when nobody asks. */
static inline u32 child_of(const struct matcher *m, u32 path, str name)
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

/* The path of the member whose name ends at the last quote before the colon, 0 when nobody asks. */
static u32 member_path(struct walk *w, u32 path, u32 from, u32 colon)
{
    u32 end = w->text[colon - 1] == '"' ? colon - 1 : quote_before(w, colon, from);
    u32 start = quote_before(w, end, from);
    if (UNLIKELY(start >= end))
        return 0;
    if (LIKELY(!w->b->index.has_escapes))
        return child_of(w->m, path, str_from(w->text + start + 1, end - start - 1));
    size_t texts = w->m->event.text_n;
    u32 child = child_of(w->m, path, decoded(w, start + 1, end));
    w->m->event.text_n = texts;
    return child;
}

/* Takes back what an earlier member of the same name in the same object offered. */
static void last_name_wins(struct walk *w, u32 from, u32 path)
{
    struct event *e = &w->m->event;
    struct body *b = w->b;
    for (u32 i = from; i < b->member_n; i++) {
        if (b->members[i].path != path)
            continue;
        u32 end = i + 1 < b->member_n ? b->members[i + 1].value : e->value_n;
        for (u32 v = b->members[i].value; v < end; v++)
            e->values[v].kind = VALUE_GONE;
    }
    if (b->member_n >= b->member_cap)
        b->members = matcher_room(b->members, &b->member_cap, b->member_n, sizeof(*b->members));
    b->members[b->member_n++] = (struct member){path, e->value_n};
}

/* The value at `at`, whatever it is. */
static bool skip_value(struct walk *w, u32 *at)
{
    char c = w->text[*at];
    if (c == '{' || c == '[')
        return skip_bracket(w, at);
    return true; /* nothing within a scalar or a string is a colon or a bracket */
}

/* From the opening brace, the next bracket, to behind the closing one. */
static bool walk_object(struct walk *w, u32 path, u32 element, u32 *at)
{
    u32 start = *at, bracket = w->next, from = w->b->member_n;
    if (!skip_bracket(w, at))
        return false;
    u32 end = *at - 1, after = w->next;
    w->next = bracket + 1;
    for (u32 here = start + 1;;) {
        u32 colon = next_colon(w, here);
        if (colon >= end)
            break;
        u32 child = member_path(w, path, here - 1, colon);
        u32 value = past_blanks(w, colon + 1, end);
        if (!child) {
            if (!skip_value(w, &value))
                return false;
        } else {
            if (DEFAULT_LAST_NAME_WINS)
                last_name_wins(w, from, child);
            if (!walk_value(w, child, element, &value, end))
                return false;
        }
        here = value;
    }
    w->next = after;
    w->b->member_n = from;
    return true;
}

/* --- arrays and all the rest ------------------------------------------------------------------ */

static bool walk_array(struct walk *w, u32 path, u32 element, u32 *at)
{
    struct event *e = &w->m->event;
    u32 start = *at, bracket = w->next;
    if (!skip_bracket(w, at))
        return false;
    u32 end = *at - 1, after = w->next;
    bool ties = path_may_tie(&w->m->paths[path]);
    u32 array = ties ? ++e->array_n : 0;
    w->next = bracket + 1;
    for (u32 here = past_blanks(w, start + 1, end); here < end;) {
        u32 in = ties ? event_element(e, element, array) : element;
        if (!walk_value(w, path, in, &here, end))
            return false;
        here = past_blanks(w, next_op(w, here) + 1, end);
    }
    w->next = after;
    return true;
}

/* Adds the value at *at, if its path wants it, and moves *at behind it. */
static bool walk_value(struct walk *w, u32 path, u32 element, u32 *at, u32 end)
{
    const struct path *p = &w->m->paths[path];
    u32 from = *at;
    switch (w->text[from]) {
    case '{': return p->kid_n ? walk_object(w, path, element, at) : skip_bracket(w, at);
    case '[': return walk_array(w, path, element, at);
    case '"': {
        u32 close = next_quote(w, from + 1);
        if (UNLIKELY(close >= end))
            return false;
        if (path_is_asked(p))
            event_add(&w->m->event, VALUE_STRING, path, element, decoded(w, from + 1, close));
        *at = close + 1;
        return true;
    }
    default: {
        u32 to = next_op(w, from);
        if (UNLIKELY(to > end || to <= from))
            return false;
        if (path_is_asked(p))
            add_scalar(w, path, element, from, to);
        *at = to;
        return true;
    }
    }
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
    mem_free(b);
}

/* Most topics have no policy that looks into bodies, so the memory for it waits for the first. */
static struct body *body_of(struct matcher *m)
{
    if (UNLIKELY(!m->body)) {
        m->body = body_new();
        m->tie = tie_new();
    }
    return m->body;
}

bool body_read(struct matcher *m, str text, bool *ret_empty)
{
    struct body *b = body_of(m);
    if (!index_of(&b->index, text, m->unchecked ? INDEX_STRUCTURAL : INDEX_CHECKED))
        return false;
    u32 at = b->index.brackets[0].at;
    if (text.p[at] != '{')
        return false;
    struct walk w = {
        .m = m, .b = b, .text = text.p, .blocks = b->index.blocks, .brackets = b->index.brackets};
    event_reserve(&m->event, text.n);
    b->member_n = 0;
    *ret_empty = next_quote(&w, at) >= b->index.brackets[0].end;
    return walk_object(&w, m->root[FILTER_BODY], 0, &at);
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
