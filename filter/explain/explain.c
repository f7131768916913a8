/* Computes the verdict of one policy on one message, key by key.
 *
 * Each key is evaluated by itself first. If all keys of a branch hold and the body has arrays, a
 * walk over the body decides whether they hold together: for every part of the body it keeps the
 * sets of keys that the part can satisfy at once (an object: what its members satisfy together; an
 * array: what one of its elements satisfies); only maximal sets are kept. The verdict itself is the
 * matcher's; it also replaces the result of the walk when the sets exceed their bounds. */
#include "filter/explain/explain.h"

#include "filter/explain/explain_parts.h"

/* Keys of a branch that are followed through arrays, and sets kept for one part of the body. */
#define JOINT_KEYS_MAX 64
#define JOINT_SETS_MAX 256
/* Set comparisons in one explanation; bounds the time that a hostile body can cost. */
#define JOINT_WORK_MAX 20000000

/* --- keys ------------------------------------------------------------------------------------- */

static void judge_rule(struct explanation *x, const struct policy *p,
                       const struct policy_leaf *leaf, const struct policy_entry *e,
                       const struct explain_watch *w, struct explain_rule *ret)
{
    *ret = (struct explain_rule){.entry = e, .rule = str_slice(p->text, e->at, e->end)};
    if (w->n == 0) {
        ret->holds = e->kind == POLICY_ABSENT;
        ret->miss = ret->holds ? EXPLAIN_MET : w->near;
    } else {
        ret->miss = EXPLAIN_ABSENT;
    }
    for (u32 i = 0; i < w->n && !ret->holds; i++) {
        enum explain_miss miss = explain_compare(e, &w->values[i], p->scope);
        if (ret->value && explain_miss_rank(miss) <= explain_miss_rank(ret->miss))
            continue;
        ret->value = &w->values[i];
        ret->miss = miss;
        ret->holds = miss == EXPLAIN_MET;
    }
    ret->words = explain_words_of_rule(&x->arena, leaf, ret, w);
}

static void judge_key(struct explanation *x, const struct policy *p, const struct policy_leaf *leaf,
                      const struct explain_watch *w, struct explain_key *ret)
{
    struct explain_value *values = arena_alloc(&x->arena, (w->n + 1) * sizeof(*values));

    if (w->n)
        memcpy(values, w->values, w->n * sizeof(*values));
    struct explain_watch kept = *w; /* rules point to the values that stay */
    kept.values = values;
    struct explain_rule *rules = arena_alloc(&x->arena, leaf->n * sizeof(*rules));
    *ret = (struct explain_key){
        .leaf = leaf, .value_count = w->n, .values = values, .rule_count = leaf->n, .rules = rules};
    for (u32 i = 0; i < leaf->n; i++) {
        struct explain_rule *r = &rules[i];
        judge_rule(x, p, leaf, &leaf->entries[i], &kept, r);
        if (!ret->nearest || explain_miss_rank(r->miss) > explain_miss_rank(ret->nearest->miss))
            ret->nearest = r;
    }
    ret->holds = ret->nearest->holds;
    ret->words = explain_words_of_key(&x->arena, ret);
}

/* --- keys that hold together ------------------------------------------------------------------ */

/* Sets of keys, one bit per key; no set contains another. */
struct sets {
    u64 *v;
    u32 n;
};

struct joint {
    const u64 *masks; /* of each scalar of the body: the keys it satisfies */
    u32 next;         /* scalar */
    u64 work;         /* comparisons so far */
    bool is_over;     /* the sets exceeded a bound: the result is unknown */
};

static void sets_add(struct joint *j, struct sets *s, u64 set)
{
    u32 kept = 0;

    j->work += s->n;
    j->is_over |= j->work > JOINT_WORK_MAX;
    for (u32 i = 0; i < s->n; i++) {
        if ((s->v[i] & set) == set)
            return; /* an equal or larger set is there: nothing was removed so far */
        if ((s->v[i] & set) != s->v[i])
            s->v[kept++] = s->v[i];
    }
    s->n = kept;
    if (s->n == JOINT_SETS_MAX) {
        j->is_over = true;
        return;
    }
    if (!s->v)
        s->v = mem_array(JOINT_SETS_MAX, sizeof(*s->v));
    s->v[s->n++] = set;
}

/* The sets that both can satisfy together. */
static void sets_combine(struct joint *j, struct sets *s, const struct sets *with)
{
    struct sets r = {0};

    if (with->n == 1 && with->v[0] == 0)
        return;
    for (u32 i = 0; i < s->n && !j->is_over; i++)
        for (u32 k = 0; k < with->n; k++)
            sets_add(j, &r, s->v[i] | with->v[k]);
    mem_free(s->v);
    *s = r;
}

static struct sets joint_sets(struct joint *j, const struct node *n)
{
    struct sets s = {0};

    sets_add(j, &s, 0);
    if (n->kind >= NODE_STRING) {
        sets_add(j, &s, j->masks[j->next++]);
        return s;
    }
    for (const struct node *c = n->first; c && !j->is_over; c = c->next) {
        struct sets inner = joint_sets(j, c);
        if (n->kind == NODE_OBJECT)
            sets_combine(j, &s, &inner);
        for (u32 i = 0; i < inner.n && n->kind == NODE_ARRAY; i++)
            sets_add(j, &s, inner.v[i]);
        mem_free(inner.v);
    }
    return s;
}

/* Marks the scalars that satisfy the key on their own. */
static void mark_scalars(const struct explain_key *key, const struct explain_watch *w, u32 bit,
                         u64 *masks)
{
    for (u32 i = 0; i < w->n; i++) {
        bool is_met = false;
        for (u32 k = 0; k < key->leaf->n && !is_met; k++)
            is_met =
                explain_compare(&key->leaf->entries[k], &w->values[i], FILTER_BODY) == EXPLAIN_MET;
        if (is_met)
            masks[w->ordinals[i]] |= (u64)1 << bit;
    }
}

/* Whether all keys of a branch, each of which holds by itself, hold together. `verdict` is returned
 * when the walk cannot decide. */
static bool holds_jointly(const struct explain_offer *o, const struct explain_branch *b,
                          bool verdict)
{
    if (!o->body || !o->has_arrays || b->key_count < 2)
        return true;
    if (b->key_count > JOINT_KEYS_MAX)
        return verdict;
    u64 *masks = mem_array(o->scalars + 1, sizeof(*masks));
    u64 wanted = 0;
    for (u32 i = 0; i < b->key_count; i++) {
        const struct explain_watch *w = explain_watch_of(o, b->keys[i].leaf->path);
        mark_scalars(&b->keys[i], w, i, masks);
        wanted |= w->n ? (u64)1 << i : 0; /* exists:false is tied to no element */
    }
    struct joint j = {.masks = masks};
    struct sets s = joint_sets(&j, o->body);
    bool holds = j.is_over && verdict;
    for (u32 i = 0; i < s.n && !j.is_over; i++)
        holds |= (s.v[i] & wanted) == wanted;
    mem_free(s.v);
    mem_free(masks);
    return holds;
}

/* --- branches --------------------------------------------------------------------------------- */

static void judge_branch(struct explanation *x, const struct policy *p,
                         const struct policy_branch *branch, const struct explain_offer *o,
                         struct explain_branch *ret)
{
    struct explain_key *keys = arena_alloc(&x->arena, branch->n * sizeof(*keys));

    *ret = (struct explain_branch){.branch = branch, .key_count = branch->n, .keys = keys};
    for (u32 i = 0; i < branch->n; i++) {
        const struct policy_leaf *leaf = branch->leaves[i];
        judge_key(x, p, leaf, explain_watch_of(o, leaf->path), &keys[i]);
        ret->failed += !keys[i].holds;
    }
    ret->holds = ret->failed == 0 && holds_jointly(o, ret, x->match);
    ret->is_split = ret->failed == 0 && !ret->holds;
}

/* Of two branches the better one: one that holds, then the one with fewer failing keys; split
 * branches come last. */
static bool is_nearer(const struct explain_branch *a, const struct explain_branch *b)
{
    if (a->holds != b->holds)
        return a->holds;
    return a->failed < b->failed;
}

static void judge(struct explanation *x, const struct policy *p, const struct explain_offer *o)
{
    struct explain_branch *branches = arena_alloc(&x->arena, p->n * sizeof(*branches));

    x->branches = branches;
    x->branch_count = p->n;
    for (u32 i = 0; i < p->n; i++) {
        judge_branch(x, p, &p->branches[i], o, &branches[i]);
        if (!x->nearest || is_nearer(&branches[i], x->nearest))
            x->nearest = &branches[i];
    }
    x->reason = x->nearest->holds ? EXPLAIN_HELD : EXPLAIN_FAILED;
    for (u32 i = 0; i < x->nearest->key_count && !x->decided; i++)
        if (!x->nearest->keys[i].holds)
            x->decided = &x->nearest->keys[i];
}

static bool matcher_verdict(const struct policy *p, const struct filter_message *msg)
{
    struct matcher *m = matcher_new(NULL);
    struct filter_hits hits = {0};

    matcher_add(m, 1, p);
    matcher_match(m, msg, &hits);
    bool r = hits.total > 0;
    filter_hits_deinit(&hits);
    matcher_free(m);
    return r;
}

struct explanation *explain_new(const struct policy *p, const struct filter_message *msg)
{
    struct explanation *x = mem_alloc(sizeof(*x));

    arena_init(&x->arena);
    x->match = matcher_verdict(p, msg);
    struct explain_offer o;
    explain_collect(&o, &x->arena, p, msg);
    x->eligibility = o.eligibility;
    if (p->n == 0)
        x->reason = EXPLAIN_NO_POLICY;
    else if (o.eligibility != FILTER_ELIGIBLE)
        x->reason = EXPLAIN_NOT_ELIGIBLE;
    else if (o.body && o.body->n == 0)
        x->reason = EXPLAIN_EMPTY_BODY;
    else
        judge(x, p, &o);
    if (x->reason == EXPLAIN_NO_POLICY)
        x->eligibility = FILTER_ELIGIBLE; /* not evaluated */
    explain_sum_up(x, p, &o);
    explain_offer_deinit(&o);
    return x;
}

void explain_free(struct explanation *x)
{
    if (!x)
        return;
    arena_deinit(&x->arena);
    mem_free(x);
}

const char *explain_reason_name(enum explain_reason reason)
{
    static const char *const names[] = {
        [EXPLAIN_HELD] = "held",
        [EXPLAIN_NO_POLICY] = "no-policy",
        [EXPLAIN_FAILED] = "failed",
        [EXPLAIN_NOT_ELIGIBLE] = "not-eligible",
        [EXPLAIN_EMPTY_BODY] = "empty-body",
    };

    return names[reason];
}
