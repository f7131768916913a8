/* Counting walks the terms; only what passed the limits is expanded, and how large that gets is
 * computed first. Expansion goes through the terms in document order and applies each to all
 * branches so far: a leaf is added to them, or replaces the one they have at its path; a $or turns
 * every branch into one for each alternative. */
#include "filter/terms.h"

#include "common/map.h"

/* --- counting ------------------------------------------------------------------------------- */

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

/* Points of one leaf, Amazon SNS developer guide, "Filter policy constraints": an asterisk alone in
 * its pattern 1, several 3 each, an anything-but 1; their sum times the number of patterns. Returns
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

/* --- expanding ------------------------------------------------------------------------------ */

struct draft {
    const struct policy_leaf **leaves;
    u32 n, cap;
};

struct drafts {
    struct draft *v;
    size_t n, cap;
};

static struct draft *drafts_add(struct arena *a, struct drafts *d)
{
    if (d->n == d->cap) {
        d->cap = d->cap ? 2 * d->cap : 4;
        struct draft *v = arena_alloc(a, d->cap * sizeof *v);
        if (d->n)
            memcpy(v, d->v, d->n * sizeof *v);
        d->v = v;
    }
    struct draft *ret = &d->v[d->n++];
    *ret = (struct draft){0};
    return ret;
}

static void draft_add(struct arena *a, struct draft *d, const struct policy_leaf *leaf)
{
    if (d->n == d->cap) {
        d->cap = d->cap ? 2 * d->cap : 4;
        const struct policy_leaf **leaves = arena_alloc(a, d->cap * sizeof *leaves);
        if (d->n)
            memcpy(leaves, d->leaves, d->n * sizeof *leaves);
        d->leaves = leaves;
    }
    d->leaves[d->n++] = leaf;
}

/* A path stands once in a branch: the later leaf replaces the earlier. */
static void draft_put(struct arena *a, struct draft *d, const struct term *t)
{
    for (u32 i = 0; t->is_repeated && i < d->n; i++) {
        if (str_eq(d->leaves[i]->path, t->leaf->path)) {
            d->leaves[i] = t->leaf;
            return;
        }
    }
    draft_add(a, d, t->leaf);
}

static struct drafts drafts_copy(struct arena *a, const struct drafts *d)
{
    struct drafts copy = {0};
    for (size_t i = 0; i < d->n; i++) {
        struct draft *to = drafts_add(a, &copy);
        for (u32 k = 0; k < d->v[i].n; k++)
            draft_add(a, to, d->v[i].leaves[k]);
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

static void mark_repeated(struct map *paths, struct term *t)
{
    for (; t; t = t->next) {
        if (t->leaf) {
            struct term *other = map_get(paths, t->leaf->path);
            if (other)
                other->is_repeated = t->is_repeated = true;
            else
                map_put(paths, t->leaf->path, t);
        }
        for (struct alternative *a = t->alternatives; a; a = a->next)
            mark_repeated(paths, a->terms);
    }
}

void terms_expand(struct term *terms, struct policy *p)
{
    struct map paths;
    map_init(&paths);
    mark_repeated(&paths, terms);
    map_deinit(&paths);

    struct arena scratch;
    arena_init(&scratch);
    struct drafts d = {0};
    drafts_add(&scratch, &d);
    expand_terms(&scratch, terms, &d);

    struct policy_branch *branches = arena_alloc(&p->arena, d.n * sizeof *branches);
    for (size_t i = 0; i < d.n; i++) {
        size_t size = d.v[i].n * sizeof *d.v[i].leaves;
        const struct policy_leaf **leaves = arena_alloc(&p->arena, size);
        memcpy(leaves, d.v[i].leaves, size);
        branches[i] = (struct policy_branch){d.v[i].n, leaves};
    }
    p->n = (u32)d.n;
    p->branches = branches;
    arena_deinit(&scratch);
}
