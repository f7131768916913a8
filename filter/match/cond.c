/* Conditions are interned: each is looked up by its key before it is created, and freed with its
 * last reference. What makes a condition fire is set up with its first watcher and removed with the
 * last one: most wildcards and ranges are only ever evaluated on demand, and cost nothing until
 * then. */
#include "filter/match/cond.h"

#include "filter/match/key.h"
#include "filter/match/matcher.h"

/* --- lists of ids ----------------------------------------------------------------------------- */

static u32 ids_cap(u32 n)
{
    u32 cap = 2;

    while (cap < n)
        cap *= 2;
    return cap;
}

void ids_add(struct matcher *m, union ids *ids, u32 *n, u32 id)
{
    if (*n == 0) {
        ids->one = id;
    } else if (*n == 1) {
        u32 one = ids->one;
        ids->many = matcher_alloc(m, 2 * sizeof(u32));
        ids->many[0] = one;
        ids->many[1] = id;
    } else {
        if (*n == ids_cap(*n))
            ids->many = matcher_realloc(m, ids->many, *n * sizeof(u32), *n * 2 * sizeof(u32));
        ids->many[*n] = id;
    }
    ++*n;
}

void ids_remove(struct matcher *m, union ids *ids, u32 *n, u32 id)
{
    u32 at = 0;

    if (*n == 1) {
        assert(ids->one == id);
        *n = 0;
        return;
    }
    while (ids->many[at] != id) {
        at++;
        assert(at < *n);
    }
    ids->many[at] = ids->many[--*n];
    if (*n == 1) {
        u32 one = ids->many[0];
        matcher_release(m, ids->many, 2 * sizeof(u32));
        ids->one = one;
    } else if (*n == ids_cap(*n)) {
        ids->many = matcher_realloc(m, ids->many, *n * 2 * sizeof(u32), *n * sizeof(u32));
    }
}

/* --- making and finding ----------------------------------------------------------------------- */

static u32 cond_new(struct matcher *m, enum cond_kind kind, u32 path)
{
    u32 id = m->cond_free;

    if (id) {
        m->cond_free = m->conds[id].refs;
    } else {
        u32 cap = m->cond_cap;
        id = m->cond_n++;
        m->conds = matcher_large_room(m->conds, &m->cond_cap, id, sizeof(*m->conds));
        if (cap != m->cond_cap)
            m->mark = pages_grow(m->mark, cap * sizeof(*m->mark), m->cond_cap * sizeof(*m->mark));
    }
    m->mark[id] = 0;
    m->conds[id] = (struct cond){.kind = (u8)kind, .path = path, .refs = 1};
    if (path) {
        m->paths[path].refs++;
        m->path_changes++;
    }
    return id;
}

static u32 text_tag(const struct matcher *m, enum cond_kind kind, u32 path, str text)
{
    u64 start = key_start(m->seed, kind, path);
    bool back = kind == COND_SUFFIX || kind == COND_SUFFIX_FOLDED;

    return back ? key_of_back(start, text) : key_of(start, text);
}

/* The length by which the path looks up such texts. */
static u32 step_length(enum cond_kind kind, str text)
{
    switch (kind) {
    case COND_PREFIX:
    case COND_PREFIX_FOLDED:
    case COND_SUFFIX:
    case COND_SUFFIX_FOLDED:
    case COND_GRAM: return (u32)MIN(text.n, STEP_LENGTH_MAX);
    case COND_ADDRESS: return (u32)(u8)text.p[0] << 8 | (u8)text.p[1];
    case COND_BLOCK: return (u8)text.p[0];
    default: return 0;
    }
}

u32 cond_of_text(struct matcher *m, enum cond_kind kind, u32 path, str text)
{
    struct table_walk w;
    u32 id, tag = text_tag(m, kind, path, text);

    table_start(&w, &m->cond_table, tag);
    while ((id = table_next(&w)) != 0) {
        struct cond *c = &m->conds[id];
        if (c->kind == kind && c->path == path && str_eq(cond_text(c), text))
            return cond_hold(m, id);
    }
    id = cond_new(m, kind, path);
    struct cond *c = &m->conds[id];
    assert(text.n <= UINT32_MAX && (kind != COND_GRAM || text.n <= sizeof(c->gram.in)));
    c->n = (u32)text.n;
    if (text.n > sizeof(c->in))
        c->text = matcher_alloc(m, text.n);
    if (text.n)
        memcpy(text.n > sizeof(c->in) ? c->text : c->in, text.p, text.n);
    c->tag = tag;
    table_put(&m->cond_table, tag, id);
    path_step_add(m, path, kind, step_length(kind, text));
    m->paths[path].tags |= path_tag_bit(tag);
    return id;
}

static str copy_to(char **at, str s)
{
    char *p = *at;

    if (s.n)
        memcpy(p, s.p, s.n);
    *at += s.n;
    return str_from(p, s.n);
}

static struct wild *wild_new(struct matcher *m, str text, const struct pattern *p)
{
    size_t size = sizeof(struct wild) + p->n * sizeof(str) + text.n;

    for (u32 i = 0; i < p->n; i++)
        size += p->pieces[i].n;
    struct wild *w = matcher_alloc(m, size);
    char *at = (char *)(w + 1) + p->n * sizeof(str);
    *w = (struct wild){.size = (u32)size};
    w->pattern.n = p->n;
    w->pattern.pieces = (str *)(void *)(w + 1);
    for (u32 i = 0; i < p->n; i++)
        w->pattern.pieces[i] = copy_to(&at, p->pieces[i]);
    w->text = copy_to(&at, text);
    for (u32 i = 0; i < p->n && w->pair_n < WILD_PAIRS_MAX; i++)
        for (size_t k = 0; k + 2 <= p->pieces[i].n && w->pair_n < WILD_PAIRS_MAX; k += 2)
            w->pairs[w->pair_n++] = (u16)pair_slot(p->pieces[i].p + k);
    return w;
}

u32 cond_of_wild(struct matcher *m, u32 path, str text, const struct pattern *p)
{
    struct table_walk w;
    u32 id, tag = text_tag(m, COND_WILDCARD, path, text);

    table_start(&w, &m->cond_table, tag);
    while ((id = table_next(&w)) != 0) {
        struct cond *c = &m->conds[id];
        if (c->kind == COND_WILDCARD && c->path == path && str_eq(c->wild->text, text))
            return cond_hold(m, id);
    }
    id = cond_new(m, COND_WILDCARD, path);
    m->conds[id].wild = wild_new(m, text, p);
    m->conds[id].tag = tag;
    table_put(&m->cond_table, tag, id);
    return id;
}

/* Bytes that identify a range: which bounds there are, and their numbers. */
static size_t range_text(const struct policy_range *r, char *out)
{
    size_t n = 1;

    out[0] = (char)(r->has_low | r->has_high << 1 | r->low_open << 2 | r->high_open << 3);
    if (r->has_low)
        n += number_key(&r->low, out + n);
    out[n++] = 0;
    if (r->has_high)
        n += number_key(&r->high, out + n);
    return n;
}

u32 cond_of_range(struct matcher *m, u32 path, const struct policy_range *r)
{
    struct table_walk w;
    size_t size = 2 + number_key_size(&r->low) + number_key_size(&r->high);
    char *text = mem_alloc(size);
    str key = str_from(text, range_text(r, text));
    u32 id, tag = text_tag(m, COND_RANGE, path, key);

    table_start(&w, &m->cond_table, tag);
    while ((id = table_next(&w)) != 0) {
        struct cond *c = &m->conds[id];
        if (c->kind == COND_RANGE && c->path == path && str_eq(c->range->key, key))
            break;
    }
    if (id) {
        cond_hold(m, id);
    } else {
        id = cond_new(m, COND_RANGE, path);
        m->conds[id].range = range_new(m, r, key);
        m->conds[id].tag = tag;
        char blocks[2][RANGE_BLOCK_SIZE];
        m->conds[id].lazy = range_blocks(m->conds[id].range, blocks) == 0;
        table_put(&m->cond_table, tag, id);
    }
    mem_free(text);
    return id;
}

static void adopt(struct matcher *m, u32 kid, u32 parent)
{
    ids_add(m, &m->conds[kid].parents, &m->conds[kid].parent_n, parent);
    cond_watch(m, kid);
}

static void disown(struct matcher *m, u32 kid, u32 parent)
{
    ids_remove(m, &m->conds[kid].parents, &m->conds[kid].parent_n, parent);
    cond_unwatch(m, kid);
}

u32 cond_of_path(struct matcher *m, enum cond_kind kind, u32 path)
{
    u32 *known = kind == COND_PRESENT  ? &m->paths[path].present
                 : kind == COND_ABSENT ? &m->paths[path].absent
                 : kind == COND_SCOPE  ? &m->scope[path == m->root[FILTER_BODY]]
                                       : &m->always;

    if (*known)
        return cond_hold(m, *known);
    u32 id = cond_new(m, kind, path);
    m->conds[id].lazy = kind == COND_ABSENT;
    *known = id;
    return id;
}

u32 cond_of_kids(struct matcher *m, enum cond_kind kind, u32 path, const u32 *kids, u32 n)
{
    struct table_walk w;
    u32 id, tag = key_of(key_start(m->seed, kind, path), str_from(kids, n * sizeof(u32)));

    table_start(&w, &m->cond_table, tag);
    while ((id = table_next(&w)) != 0) {
        struct cond *c = &m->conds[id];
        if (c->kind == kind && c->path == path && c->n == n &&
            memcmp(c->kids.ids, kids, n * sizeof(u32)) == 0)
            break;
    }
    if (id) {
        for (u32 i = 0; i < n; i++)
            cond_release(m, kids[i]);
        return cond_hold(m, id);
    }
    id = cond_new(m, kind, path);
    struct cond *c = &m->conds[id];
    c->n = n;
    c->kids.ids = matcher_alloc(m, n * sizeof(u32));
    memcpy(c->kids.ids, kids, n * sizeof(u32));
    c->tag = tag;
    c->lazy = kind != COND_OR;
    table_put(&m->cond_table, tag, id);
    for (u32 i = 0; i < n; i++) {
        m->conds[id].lazy |= m->conds[kids[i]].lazy;
        if (kind != COND_OR)
            adopt(m, kids[i], id);
    }
    return id;
}

/* --- letting go ------------------------------------------------------------------------------- */

u32 cond_hold(struct matcher *m, u32 cond)
{
    m->conds[cond].refs++;
    return cond;
}

static void release_kids(struct matcher *m, u32 cond)
{
    struct cond *c = &m->conds[cond];

    for (u32 i = 0; i < c->n; i++) {
        u32 kid = c->kids.ids[i];
        if (c->kind != COND_OR)
            disown(m, kid, cond);
        cond_release(m, kid);
    }
    matcher_release(m, c->kids.ids, c->n * sizeof(u32));
}

static void cond_forget(struct matcher *m, u32 cond)
{
    struct cond *c = &m->conds[cond];

    switch ((enum cond_kind)c->kind) {
    case COND_PRESENT: m->paths[c->path].present = 0; return;
    case COND_ABSENT: m->paths[c->path].absent = 0; return;
    case COND_SCOPE: m->scope[c->path == m->root[FILTER_BODY]] = 0; return;
    case COND_ALWAYS: m->always = 0; return;
    case COND_WILDCARD: matcher_release(m, c->wild, c->wild->size); break;
    case COND_RANGE: matcher_release(m, c->range, c->range->size); break;
    case COND_BUT:
    case COND_BUT_OR_ABSENT:
    case COND_OR: release_kids(m, cond); break;
    default:
        path_step_remove(m, c->path, c->kind, step_length(c->kind, cond_text(c)));
        if (c->n > sizeof(c->in))
            matcher_release(m, c->text, c->n);
    }
    table_remove(&m->cond_table, c->tag, cond);
}

void cond_release(struct matcher *m, u32 cond)
{
    struct cond *c = &m->conds[cond];

    assert(c->refs > 0);
    if (--c->refs)
        return;
    assert(c->watchers == 0 && c->parent_n == 0 && c->group_n == 0);
    cond_forget(m, cond);
    u32 path = c->path;
    c->kind = COND_ALWAYS;
    c->path = 0;
    c->refs = m->cond_free;
    m->cond_free = cond;
    if (path)
        path_release(m, path);
}

/* --- watching --------------------------------------------------------------------------------- */

/* Choice of a pattern's anchor among the grams of its pieces: few patterns already below it,
 * weighed against its length, because a shared anchor costs each of them. */
struct anchor_choice {
    enum cond_kind kind;
    str text;
    double cost;
};

static u32 users(struct matcher *m, enum cond_kind kind, u32 path, str text)
{
    struct table_walk w;
    u32 id;

    table_start(&w, &m->cond_table, text_tag(m, kind, path, text));
    while ((id = table_next(&w)) != 0) {
        const struct cond *c = &m->conds[id];
        if (c->kind == kind && c->path == path && str_eq(cond_text(c), text))
            return c->parent_n;
    }
    return 0;
}

static void weigh(struct matcher *m, u32 path, enum cond_kind kind, str text,
                  struct anchor_choice *best)
{
    double n = users(m, kind, path, text) + 1.0;
    double cost = n * n / (double)(1u << 2 * MIN(text.n, 8));

    if (kind == COND_GRAM)
        cost *= 2;
    if (best->cost > 0 && cost >= best->cost)
        return;
    *best = (struct anchor_choice){kind, text, cost};
}

/* The largest gram size that fits. */
static size_t gram_size(size_t n)
{
    return n >= 8 ? 8 : MIN(n, 4);
}

/* Inner pieces beyond this are not considered: a pattern may have thousands. */
enum { WEIGHED_MAX = 64 };

static u32 wild_anchor(struct matcher *m, u32 path, const struct pattern *p)
{
    struct anchor_choice best = {.cost = 0};
    str head = p->pieces[0], tail = p->pieces[p->n - 1];

    weigh(m, path, COND_PREFIX, str_slice(head, 0, STEP_LENGTH_MAX - 1), &best);
    if (p->n > 1)
        weigh(m, path, COND_SUFFIX, tail.n < STEP_LENGTH_MAX ? tail : str_slice(tail, 0, 0), &best);
    for (u32 i = 1; i + 1 < p->n && i < WEIGHED_MAX; i++) {
        str piece = p->pieces[i];
        size_t n = gram_size(piece.n);
        if (n == 0)
            continue;
        weigh(m, path, COND_GRAM, str_slice(piece, 0, n), &best);
        weigh(m, path, COND_GRAM, str_slice(piece, piece.n - n, piece.n), &best);
    }
    return cond_of_text(m, best.kind, path, best.text);
}

static void watch_wild(struct matcher *m, u32 cond)
{
    struct cond *c = &m->conds[cond];
    u32 anchor = wild_anchor(m, c->path, &c->wild->pattern);

    m->conds[cond].wild->anchor = anchor;
    adopt(m, anchor, cond);
}

static void watch_range(struct matcher *m, u32 cond)
{
    char blocks[2][RANGE_BLOCK_SIZE];
    struct cond *c = &m->conds[cond];
    u32 path = c->path, n = range_blocks(c->range, blocks);

    for (u32 i = 0; i < n; i++) {
        u32 anchor = cond_of_text(m, COND_BLOCK, path, str_from(blocks[i], RANGE_BLOCK_SIZE));
        m->conds[cond].range->anchors[i] = anchor;
        adopt(m, anchor, cond);
    }
}

void cond_watch(struct matcher *m, u32 cond)
{
    struct cond *c = &m->conds[cond];

    if (c->watchers++)
        return;
    if (c->kind == COND_WILDCARD)
        watch_wild(m, cond);
    else if (c->kind == COND_RANGE)
        watch_range(m, cond);
    else if (c->kind == COND_OR)
        for (u32 i = 0; i < m->conds[cond].n; i++)
            adopt(m, m->conds[cond].kids.ids[i], cond);
}

void cond_unwatch(struct matcher *m, u32 cond)
{
    struct cond *c = &m->conds[cond];

    assert(c->watchers > 0);
    if (--c->watchers)
        return;
    if (c->kind == COND_WILDCARD) {
        u32 anchor = c->wild->anchor;
        c->wild->anchor = 0;
        disown(m, anchor, cond);
        cond_release(m, anchor);
    } else if (c->kind == COND_RANGE) {
        for (u32 i = 0; i < 2; i++) {
            u32 anchor = m->conds[cond].range->anchors[i];
            m->conds[cond].range->anchors[i] = 0;
            if (anchor) {
                disown(m, anchor, cond);
                cond_release(m, anchor);
            }
        }
    } else if (c->kind == COND_OR) {
        for (u32 i = 0; i < m->conds[cond].n; i++)
            disown(m, m->conds[cond].kids.ids[i], cond);
    }
}
