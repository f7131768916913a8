/* Compiles a policy to conditions, and conditions to expressions with a pivot.
 *
 * The pivot is the condition expected to hold most rarely, judged by its kind and by how many
 * expressions share it. An anything-but cannot be the pivot, but the presence of its key can; as a
 * last resort the pivot is the message's eligibility. A leaf that also accepts absence is split
 * into two expressions when its values are the best pivot: one for the values, one for absence; no
 * message satisfies both. */
#include <stdlib.h>

#include "filter/match/matcher.h"

/* A condition shared by this many expressions, or by this fraction of all subscriptions, is
 * popular: it goes into the tail of groups, where it is evaluated once for all rows. */
enum { POPULAR_MIN = 16, POPULAR_PART = 256 };
/* Up to this many expressions below the presence of a path, ranges are evaluated there. */
enum { ASKED_RANGES_MAX = 16 };

/* --- leaves ----------------------------------------------------------------------------------- */

static int cond_order(const void *a, const void *b)
{
    u32 x = *(const u32 *)a, y = *(const u32 *)b;

    return x < y ? -1 : x > y;
}

/* Makes the conditions ascending and distinct; duplicates are released. */
static u32 sort_conds(struct matcher *m, u32 *conds, u32 n)
{
    u32 kept = 0;

    if (n > 1)
        qsort(conds, n, sizeof(*conds), cond_order);
    for (u32 i = 0; i < n; i++) {
        if (kept && conds[kept - 1] == conds[i])
            cond_release(m, conds[i]);
        else
            conds[kept++] = conds[i];
    }
    return kept;
}

static u32 of_number(struct matcher *m, u32 path, const struct number *n)
{
    char few[NUMBER_KEY_STACK];
    struct decimal decimal;

    if (decimal_of(n, &decimal))
        return cond_of_text(m, COND_NUMBER, path, decimal_key(&decimal, few));
    size_t size = number_key_size(n);
    char *key = size > sizeof(few) ? mem_alloc(size) : few;
    u32 cond = cond_of_text(m, COND_NUMBER, path, str_from(key, number_key(n, key)));
    if (key != few)
        mem_free(key);
    return cond;
}

static u32 of_operand(struct matcher *m, u32 path, enum policy_kind kind, bool negated,
                      const struct policy_operand *o)
{
    char key[COND_ADDRESS_SIZE];

    switch (kind) {
    case POLICY_STRING:
        if (!o->is_address || negated)
            return cond_of_text(m, COND_STRING, path, o->text);
        return cond_of_text(m, COND_ADDRESS, path,
                            cond_address_text(&o->address, address_bits(&o->address), key));
    case POLICY_NUMBER: return of_number(m, path, &o->number);
    case POLICY_PREFIX: return cond_of_text(m, COND_PREFIX, path, o->text);
    case POLICY_SUFFIX: return cond_of_text(m, COND_SUFFIX, path, o->text);
    case POLICY_FOLDED: return cond_of_text(m, COND_FOLDED, path, o->folded);
    case POLICY_PREFIX_FOLDED: return cond_of_text(m, COND_PREFIX_FOLDED, path, o->folded);
    case POLICY_SUFFIX_FOLDED: return cond_of_text(m, COND_SUFFIX_FOLDED, path, o->folded);
    case POLICY_WILDCARD: return cond_of_wild(m, path, o->text, &o->pattern);
    case POLICY_NUMERIC: return cond_of_range(m, path, &o->range);
    case POLICY_CIDR:
        return cond_of_text(m, COND_ADDRESS, path,
                            cond_address_text(&o->address, o->cidr_bits, key));
    case POLICY_TRUE:
    case POLICY_FALSE:
    case POLICY_NULL:
    case POLICY_EXISTS:
    case POLICY_ABSENT: break;
    }
    assert(!"an entry without operands");
    return 0;
}

static u32 of_but(struct matcher *m, u32 path, const struct policy_entry *e, bool or_absent)
{
    u32 *kids = mem_array(e->n, sizeof(*kids));

    for (u32 i = 0; i < e->n; i++)
        kids[i] = of_operand(m, path, e->kind, true, &e->operands[i]);
    u32 n = sort_conds(m, kids, e->n);
    u32 cond = cond_of_kids(m, or_absent ? COND_BUT_OR_ABSENT : COND_BUT, path, kids, n);
    mem_free(kids);
    return cond;
}

static u32 of_entry(struct matcher *m, u32 path, const struct policy_entry *e)
{
    if (e->negated)
        return of_but(m, path, e, false);
    switch (e->kind) {
    case POLICY_TRUE: return cond_of_text(m, COND_TRUE, path, STR(""));
    case POLICY_FALSE: return cond_of_text(m, COND_FALSE, path, STR(""));
    case POLICY_NULL: return cond_of_text(m, COND_NULL, path, STR(""));
    case POLICY_EXISTS: return cond_of_path(m, COND_PRESENT, path);
    case POLICY_ABSENT: return cond_of_path(m, COND_ABSENT, path);
    default: return of_operand(m, path, e->kind, false, e->operands);
    }
}

static bool has_kind(const struct policy_leaf *leaf, enum policy_kind kind)
{
    for (u32 i = 0; i < leaf->n; i++)
        if (leaf->entries[i].kind == kind)
            return true;
    return false;
}

/* Any value matches, and absence too if accepted. This is not always true: in an array of objects
 * the value is tied to its element. */
static u32 of_presence(struct matcher *m, u32 path, bool or_absent)
{
    u32 kids[2] = {cond_of_path(m, COND_PRESENT, path)};

    if (!or_absent)
        return kids[0];
    kids[1] = cond_of_path(m, COND_ABSENT, path);
    return cond_of_kids(m, COND_OR, path, kids, sort_conds(m, kids, 2));
}

static u32 of_entries(struct matcher *m, u32 path, const struct policy_leaf *leaf)
{
    const struct policy_entry *e = leaf->entries;

    if (leaf->n == 1)
        return of_entry(m, path, e);
    if (has_kind(leaf, POLICY_EXISTS))
        return of_presence(m, path, has_kind(leaf, POLICY_ABSENT));
    if (leaf->n == 2 && has_kind(leaf, POLICY_ABSENT) && (e[0].negated || e[1].negated))
        return of_but(m, path, e[0].negated ? &e[0] : &e[1], true);
    u32 *kids = mem_array(leaf->n, sizeof(*kids));
    for (u32 i = 0; i < leaf->n; i++)
        kids[i] = of_entry(m, path, &e[i]);
    u32 n = sort_conds(m, kids, leaf->n);
    u32 cond = n == 1 ? kids[0] : cond_of_kids(m, COND_OR, path, kids, n);
    mem_free(kids);
    return cond;
}

u32 compile_leaf(struct matcher *m, enum filter_scope scope, const struct policy_leaf *leaf)
{
    u32 path = path_of(m, m->root[scope], leaf->path, scope == FILTER_BODY);
    u32 cond = of_entries(m, path, leaf);

    path_release(m, path);
    return cond;
}

/* --- choosing the pivot ----------------------------------------------------------------------- */

static u32 longest_piece(const struct pattern *p)
{
    size_t n = 0;

    for (u32 i = 0; i < p->n; i++)
        n = MAX(n, p->pieces[i].n);
    return (u32)MIN(n, 7);
}

/* How often conditions of a kind hold, against an exact value; a guess that orders them. */
static double kind_weight(const struct cond *c)
{
    u32 n = MIN(c->n, 6);

    switch ((enum cond_kind)c->kind) {
    case COND_STRING:
    case COND_NUMBER:
    case COND_FOLDED: return 1;
    case COND_PREFIX:
    case COND_PREFIX_FOLDED:
    case COND_SUFFIX:
    case COND_SUFFIX_FOLDED: return 1 + (64 >> n);
    case COND_ADDRESS: n = (u8)cond_text(c).p[1]; return 1 + (64 >> MIN(n / 4, 6));
    case COND_TRUE:
    case COND_FALSE:
    case COND_NULL: return 8;
    case COND_WILDCARD: return 2 + (128 >> longest_piece(&c->wild->pattern));
    case COND_RANGE: return 4;
    case COND_PRESENT: return 1000;
    default: return 1e12;
    }
}

static double kids_cost(const struct matcher *m, const struct cond *c)
{
    double sum = 0;

    for (u32 i = 0; i < c->n; i++) {
        const struct cond *kid = &m->conds[c->kids.ids[i]];
        if (kid->kind == COND_ABSENT)
            continue;
        if (kid->lazy)
            return 1e12;
        sum += kind_weight(kid) * kid->refs;
    }
    return sum;
}

/* The expected cost of the condition as a pivot; from 1e12 on it cannot be one. */
static double pivot_cost(const struct matcher *m, u32 cond)
{
    const struct cond *c = &m->conds[cond];

    if (c->kind == COND_OR)
        return kids_cost(m, c);
    return c->lazy ? 1e12 : kind_weight(c) * c->refs;
}

/* The best pivot and how it derives from a condition. */
struct pivot_choice {
    u32 at;       /* index of the condition; UINT32_MAX: none */
    bool present; /* the pivot is the presence of its path */
    double cost;
};

/* Whether the condition, which cannot be a pivot itself, requires a value at its path. */
static bool needs_value(const struct matcher *m, const struct cond *c)
{
    if (c->kind != COND_OR)
        return c->kind == COND_BUT || (c->kind == COND_RANGE && c->lazy);
    for (u32 i = 0; i < c->n; i++)
        if (m->conds[c->kids.ids[i]].kind == COND_ABSENT)
            return false;
    return true;
}

/* A range between two bounds is looked up in blocks for every value. While few expressions depend
 * on the presence of its path, evaluating it there is cheaper. */
static bool is_cheaper_asked(const struct matcher *m, const struct cond *c)
{
    u32 present = m->paths[c->path].present;

    return c->kind == COND_RANGE && !c->watchers &&
           (!present || m->conds[present].refs < ASKED_RANGES_MAX);
}

static struct pivot_choice choose_pivot(struct matcher *m, const u32 *conds, u32 n)
{
    struct pivot_choice best = {.at = UINT32_MAX, .cost = 1e12};

    for (u32 i = 0; i < n; i++) {
        const struct cond *c = &m->conds[conds[i]];
        double cost = pivot_cost(m, conds[i]);
        if (is_cheaper_asked(m, c)) {
            if (cost < best.cost)
                best = (struct pivot_choice){i, true, cost};
            continue;
        }
        if (cost < best.cost)
            best = (struct pivot_choice){i, false, cost};
        if (!needs_value(m, c))
            continue;
        u32 present = m->paths[c->path].present;
        cost = 1000.0 * (present ? m->conds[present].refs : 1);
        if (cost < best.cost)
            best = (struct pivot_choice){i, true, cost};
    }
    return best;
}

/* --- expressions ------------------------------------------------------------------------------ */

static bool is_popular(const struct matcher *m, u32 cond)
{
    return m->conds[cond].refs >= MAX((u32)POPULAR_MIN, m->count / POPULAR_PART);
}

static bool is_veto(const struct cond *c)
{
    return c->kind == COND_BUT || c->kind == COND_BUT_OR_ABSENT || c->kind == COND_ABSENT;
}

static bool tail_has(const struct group_key *key, u32 cond)
{
    for (u32 i = 0; i < key->tail_n; i++)
        if (key->tail[i] == cond)
            return true;
    return false;
}

/* Adds to the tail if there is room; takes over the reference. */
static bool tail_add(struct matcher *m, struct group_key *key, u32 cond)
{
    if (key->pivot == cond || tail_has(key, cond)) {
        cond_release(m, cond);
        return true;
    }
    if (key->tail_n == GROUP_TAIL_MAX)
        return false;
    u32 at = key->tail_n++;
    for (; at > 0 && key->tail[at - 1] > cond; at--)
        key->tail[at] = key->tail[at - 1];
    key->tail[at] = cond;
    return true;
}

/* A veto column does not check presence, which anything-but requires: another condition must. */
static bool presence_is_asked(struct matcher *m, struct group_key *key, const struct cond *c)
{
    if (c->kind != COND_BUT || m->conds[key->pivot].path == c->path)
        return true;
    u32 present = cond_of_path(m, COND_PRESENT, c->path);
    if (tail_add(m, key, present))
        return true;
    cond_release(m, present);
    return false;
}

/* A range with one bound becomes the first evaluated column. */
static void put_side_first(struct matcher *m, struct group_key *key, u32 *asks)
{
    for (u32 i = 0; i < key->asks; i++) {
        const struct cond *c = &m->conds[asks[i]];
        if (c->kind != COND_RANGE || c->range->exact.has_low == c->range->exact.has_high)
            continue;
        u32 range = asks[i];
        asks[i] = asks[0];
        asks[0] = range;
        key->side = c->range->exact.has_low ? SIDE_ABOVE : SIDE_BELOW;
        key->side_path = c->path;
        return;
    }
}

/* Distributes the conditions over tail, veto columns and evaluated columns. `conds` becomes the
 * columns in order. */
static void arrange(struct matcher *m, struct group_key *key, u32 *conds, u32 n)
{
    u32 left = 0, vetoes = 0;

    for (u32 i = 0; i < n; i++)
        if (!is_popular(m, conds[i]) || !tail_add(m, key, conds[i]))
            conds[left++] = conds[i];
    for (u32 i = 0; i < left; i++) {
        if (!is_veto(&m->conds[conds[i]]) || !presence_is_asked(m, key, &m->conds[conds[i]]))
            continue;
        u32 veto = conds[i];
        conds[i] = conds[vetoes];
        conds[vetoes++] = veto;
    }
    key->vetoes = vetoes;
    key->asks = left - vetoes;
    put_side_first(m, key, conds + vetoes);
}

static void put_expression(struct matcher *m, enum filter_scope scope, u32 id, u32 *conds, u32 n,
                           bool many, const struct pivot_choice *pivot)
{
    struct group_key key = {.many = many};

    if (pivot->at == UINT32_MAX) {
        key.pivot = cond_of_path(m, COND_SCOPE, m->root[scope]);
    } else if (pivot->present) {
        key.pivot = cond_of_path(m, COND_PRESENT, m->conds[conds[pivot->at]].path);
    } else {
        key.pivot = conds[pivot->at];
        conds[pivot->at] = conds[--n];
    }
    u32 at;
    arrange(m, &key, conds, n);
    u32 group = group_add(m, &key, id, conds, &at);
    matcher_ref_add(m, id, group, at);
}

/* The condition without its absence part, referenced for the caller. */
static u32 values_of(struct matcher *m, u32 cond)
{
    const struct cond *c = &m->conds[cond];
    u32 n = 0, path = c->path, *kids = mem_array(c->n, sizeof(*kids));

    for (u32 i = 0; i < c->n; i++)
        if (m->conds[c->kids.ids[i]].kind != COND_ABSENT)
            kids[n++] = cond_hold(m, c->kids.ids[i]);
    u32 values = n == 1 ? kids[0] : cond_of_kids(m, COND_OR, path, kids, n);
    mem_free(kids);
    return values;
}

void compile_expression(struct matcher *m, enum filter_scope scope, u32 id, u32 *conds, u32 n,
                        bool many)
{
    struct pivot_choice pivot = choose_pivot(m, conds, n);
    u32 at = pivot.at;
    bool takes_absence = at != UINT32_MAX && !pivot.present && m->conds[conds[at]].lazy;

    if (!takes_absence) {
        put_expression(m, scope, id, conds, n, many, &pivot);
        return;
    }
    u32 *others = mem_array(n, sizeof(*others)), whole = conds[at];
    for (u32 i = 0; i < n; i++)
        others[i] =
            i == at ? cond_of_path(m, COND_ABSENT, m->conds[whole].path) : cond_hold(m, conds[i]);
    conds[at] = values_of(m, whole);
    cond_release(m, whole);
    put_expression(m, scope, id, conds, n, many, &pivot);
    compile_expression(m, scope, id, others, n, many);
    mem_free(others);
}
