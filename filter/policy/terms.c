/* Counts walk the terms; only what passed the limits is expanded, and the size of the expansion is
 * computed first. Expansion applies the terms in document order to all branches so far: a leaf is
 * added to them, or replaces the one at its path; a $or turns every branch into one for each
 * alternative. */
#include "filter/policy/terms.h"

#include "common/base/map.h"

/* --- counting --------------------------------------------------------------------------------- */

static u64 add_sat(u64 a, u64 b)
{
    u64 r;

    return __builtin_add_overflow(a, b, &r) ? UINT64_MAX : r;
}

static u64 mul_sat(u64 a, u64 b)
{
    u64 r;

    return __builtin_mul_overflow(a, b, &r) ? UINT64_MAX : r;
}

struct terms_tally terms_count(const struct term *t)
{
    struct terms_tally sum = {1, 1, 0};

    for (; t; t = t->next) {
        if (t->leaf) {
            sum.combinations = mul_sat(sum.combinations, (u64)t->leaf->n * t->leaf->level);
            sum.leaves = add_sat(sum.leaves, sum.branches);
            continue;
        }
        struct terms_tally or = {0, 0, 0};
        for (const struct alternative *a = t->alternatives; a; a = a->next) {
            struct terms_tally one = terms_count(a->terms);
            or.combinations = add_sat(or.combinations, one.combinations);
            or.branches = add_sat(or.branches, one.branches);
            or.leaves = add_sat(or.leaves, one.leaves);
        }
        sum.combinations = mul_sat(sum.combinations, or.combinations);
        sum.leaves = add_sat(mul_sat(sum.leaves, or.branches), mul_sat(or.leaves, sum.branches));
        sum.branches = mul_sat(sum.branches, or.branches);
    }
    return sum;
}

/* Points of one leaf, Amazon SNS developer guide, "Filter policy constraints": a single asterisk in
 * a pattern 1, several 3 each, an anything-but 1; their sum times the number of patterns. Returns
 * whether a pattern has more than `stars_max` asterisks (0: no limit). */
static bool count_leaf_points(const struct policy_leaf *leaf, u32 stars_max, u64 *points,
                              bool *has_wildcard)
{
    u64 sum = 0, patterns = 0;

    for (u32 i = 0; i < leaf->n; i++) {
        const struct policy_entry *e = &leaf->entries[i];
        for (u32 k = 0; k < e->n && e->kind == POLICY_WILDCARD; k++) {
            u32 stars = e->operands[k].pattern.n - 1;
            if (stars_max && stars > stars_max)
                return true;
            *has_wildcard |= stars > 0;
            if (!e->negated) {
                sum += stars > 1 ? 3 * (u64)stars : stars;
                patterns += stars > 0;
            }
        }
        sum += e->negated;
        patterns += e->negated;
    }
    *points = add_sat(*points, mul_sat(sum, patterns));
    return false;
}

bool terms_over_stars(const struct term *t, u32 stars_max, u64 *points, bool *has_wildcard)
{
    for (; t; t = t->next) {
        if (t->leaf && count_leaf_points(t->leaf, stars_max, points, has_wildcard))
            return true;
        for (const struct alternative *a = t->alternatives; a; a = a->next)
            if (terms_over_stars(a->terms, stars_max, points, has_wildcard))
                return true;
    }
    return false;
}

/* --- expanding -------------------------------------------------------------------------------- */

/* A branch under construction. `places` maps the number of a repeated path to its position in
 * `terms`: open addressing, positions from 1, 0 where a slot is free. */
struct draft {
    const struct term **terms;
    u32 n, cap;
    u32 *places;
    u32 place_n, place_cap; /* a power of two, at most half full */
};

struct drafts {
    struct draft *v;
    size_t n, cap;
};

static struct draft *drafts_add(struct arena *a, struct drafts *d)
{
    if (d->n == d->cap) {
        d->cap = d->cap ? 2 * d->cap : 4;
        struct draft *v = arena_alloc(a, d->cap * sizeof(*v));
        if (d->n)
            memcpy(v, d->v, d->n * sizeof(*v));
        d->v = v;
    }
    struct draft *ret = &d->v[d->n++];
    *ret = (struct draft){0};
    return ret;
}

static void draft_add(struct arena *a, struct draft *d, const struct term *t)
{
    if (d->n == d->cap) {
        d->cap = d->cap ? 2 * d->cap : 4;
        const struct term **terms = arena_alloc(a, d->cap * sizeof(*terms));
        if (d->n)
            memcpy(terms, d->terms, d->n * sizeof(*terms));
        d->terms = terms;
    }
    d->terms[d->n++] = t;
}

/* The slot of path `no`, or the free one where it belongs. */
static u32 *draft_place(struct draft *d, u32 no)
{
    u32 at = no & (d->place_cap - 1);

    while (d->places[at] && d->terms[d->places[at] - 1]->path_no != no)
        at = (at + 1) & (d->place_cap - 1);
    return &d->places[at];
}

static void draft_grow_places(struct arena *a, struct draft *d)
{
    d->place_cap = d->place_cap ? 2 * d->place_cap : 8;
    d->places = arena_zalloc(a, d->place_cap * sizeof(*d->places));
    for (u32 i = 0; i < d->n; i++)
        if (d->terms[i]->path_no)
            *draft_place(d, d->terms[i]->path_no) = i + 1;
}

/* A path occurs once in a branch: the later leaf replaces the earlier. */
static void draft_put(struct arena *a, struct draft *d, const struct term *t)
{
    if (t->path_no) {
        if (2 * (d->place_n + 1) > d->place_cap)
            draft_grow_places(a, d);
        u32 *place = draft_place(d, t->path_no);
        if (*place) {
            d->terms[*place - 1] = t;
            return;
        }
        *place = d->n + 1;
        d->place_n++;
    }
    draft_add(a, d, t);
}

static struct drafts drafts_copy(struct arena *a, const struct drafts *d)
{
    struct drafts copy = {0};

    for (size_t i = 0; i < d->n; i++) {
        struct draft *to = drafts_add(a, &copy);
        for (u32 k = 0; k < d->v[i].n; k++)
            draft_put(a, to, d->v[i].terms[k]);
    }
    return copy;
}

/* Applies the terms in document order to every branch so far. */
static void expand_terms(struct arena *a, const struct term *t, struct drafts *d)
{
    for (; t; t = t->next) {
        for (size_t i = 0; t->leaf && i < d->n; i++)
            draft_put(a, &d->v[i], t);
        if (t->leaf)
            continue;
        struct drafts out = {0};
        for (const struct alternative *alt = t->alternatives; alt; alt = alt->next) {
            struct drafts copy = drafts_copy(a, d);
            expand_terms(a, alt->terms, &copy);
            for (size_t i = 0; i < copy.n; i++)
                *drafts_add(a, &out) = copy.v[i];
        }
        *d = out;
    }
}

/* Numbers the paths that several leaves have; *n is their count. */
static void number_repeated(struct map *paths, struct term *t, u32 *n)
{
    for (; t; t = t->next) {
        if (t->leaf) {
            struct term *other = map_get(paths, t->leaf->path);
            if (!other)
                map_put(paths, t->leaf->path, t);
            else if (!other->path_no)
                other->path_no = ++*n;
            t->path_no = other ? other->path_no : 0;
        }
        for (struct alternative *a = t->alternatives; a; a = a->next)
            number_repeated(paths, a->terms, n);
    }
}

void terms_expand(struct term *terms, struct policy *p)
{
    struct map paths;

    map_init(&paths, NULL);
    u32 repeated = 0;
    number_repeated(&paths, terms, &repeated);
    map_deinit(&paths);

    struct arena scratch;
    arena_init(&scratch);
    struct drafts d = {0};
    drafts_add(&scratch, &d);
    expand_terms(&scratch, terms, &d);

    struct policy_branch *branches = arena_alloc(&p->arena, d.n * sizeof(*branches));
    for (size_t i = 0; i < d.n; i++) {
        const struct policy_leaf **leaves = arena_alloc(&p->arena, d.v[i].n * sizeof(*leaves));
        for (u32 k = 0; k < d.v[i].n; k++)
            leaves[k] = d.v[i].terms[k]->leaf;
        branches[i] = (struct policy_branch){d.v[i].n, leaves};
    }
    p->n = (u32)d.n;
    p->branches = branches;
    arena_deinit(&scratch);
}
