/* Slot i of the policies has id 3 i + 1: what the matcher answers must be exactly the ids of those
 * that the reference lets through. */
#include "tests/filter_differential.h"

#include "tests/reference_filter.h"

#define POLICIES_MAX 16
#define MESSAGES     10 /* between two changes of the set */
#define CHANGES      3

struct differential {
    struct policy **policies; /* NULL: not in the matcher */
    u8 *hit;                  /* how often the last answer held each */
    u32 n;
    struct matcher *matcher;
    struct filter_hits hits;
};

static void print(const struct policy *p, const struct filter_message *msg, const char *what)
{
    fprintf(stderr, "%s\n  %s %.*s\n  body: %.*s\n", what, filter_scope_name(policy_scope(p)),
            STR_ARG(policy_text(p)), STR_ARG(msg->body));
    for (size_t i = 0; i < msg->attr_count; i++) {
        const struct filter_attr *a = &msg->attrs[i];
        fprintf(stderr, "  %.*s %.*s: %.*s\n", STR_ARG(a->name), STR_ARG(a->type),
                STR_ARG(a->value));
    }
}

static void add(struct differential *d, u32 i, struct generator *g,
                struct differential_stats *stats)
{
    static struct fault fault;
    enum filter_scope scope = gen_below(g, 3) ? FILTER_BODY : FILTER_ATTRIBUTES;
    struct buf b = {0};
    gen_policy(g, scope, &b);
    fault_clear(&fault);
    stats->policies++;
    if (policy_new(&d->policies[i], buf_view(&b), scope, &FILTER_LIMITS_NONE, &fault))
        stats->refused++;
    else
        matcher_add(d->matcher, i * 3 + 1, d->policies[i]);
    buf_deinit(&b);
}

/* False: an id that is not in the matcher, or one twice. */
static bool note_hits(struct differential *d)
{
    u64 total = 0;
    memset(d->hit, 0, d->n);
    for (size_t i = 0; i < d->hits.n; i++) {
        for (u32 k = 0; k < d->hits.spans[i].n; k++, total++) {
            u32 id = d->hits.spans[i].ids[k], slot = id / 3;
            if (id % 3 != 1 || slot >= d->n || !d->policies[slot] || d->hit[slot]++) {
                fprintf(stderr, "id %u is unknown, or there twice\n", id);
                return false;
            }
        }
    }
    return total == d->hits.total;
}

static bool check_eligibility(const struct differential *d, const struct filter_message *msg,
                              const enum filter_eligibility want[2], const struct policy *p)
{
    enum filter_scope scope = policy_scope(p);
    enum filter_eligibility got = scope == FILTER_BODY ? d->hits.body : d->hits.attributes;
    if (policy_is_empty(p) || got == want[scope])
        return true;
    print(p, msg, "eligibility differs");
    return false;
}

static bool check(struct differential *d, const struct filter_message *msg,
                  struct differential_stats *stats)
{
    enum filter_eligibility eligibility[2] = {
        [FILTER_ATTRIBUTES] = reference_eligibility(FILTER_ATTRIBUTES, msg),
        [FILTER_BODY] = reference_eligibility(FILTER_BODY, msg),
    };
    matcher_match(d->matcher, msg, &d->hits);
    if (!note_hits(d))
        return false;
    for (u32 i = 0; i < d->n; i++) {
        if (!d->policies[i])
            continue;
        bool want = reference_match(d->policies[i], msg), got = d->hit[i];
        stats->pairs++;
        stats->hits += want;
        if (want != got)
            print(d->policies[i], msg,
                  got ? "matches, but should not" : "does not match, but should");
        if (want != got || !check_eligibility(d, msg, eligibility, d->policies[i]))
            return false;
    }
    return true;
}

/* A third of the policies goes; half of these are replaced. */
static void change_some(struct differential *d, struct generator *g,
                        struct differential_stats *stats)
{
    for (u32 i = 0; i < d->n; i++) {
        if (!d->policies[i] || gen_below(g, 3))
            continue;
        int err = matcher_remove(d->matcher, i * 3 + 1);
        assert(err == 0);
        policy_free(d->policies[i]);
        d->policies[i] = NULL;
        if (gen_below(g, 2))
            add(d, i, g, stats);
    }
    while (gen_below(g, 3) && matcher_step(d->matcher))
        ;
}

bool differential_crowd(struct generator *g, u32 policies, u32 messages,
                        struct differential_stats *stats)
{
    struct differential d = {
        .policies = mem_array(policies, sizeof(struct policy *)),
        .hit = mem_alloc(policies),
        .n = policies,
        .matcher = matcher_new(NULL),
    };
    for (u32 i = 0; i < policies; i++)
        add(&d, i, g, stats);
    bool is_equal = true;
    for (u32 i = 1; i <= messages && is_equal; i++) {
        struct filter_message msg = gen_message(g);
        is_equal = check(&d, &msg, stats);
        if (i % MESSAGES == 0)
            change_some(&d, g, stats);
    }
    for (u32 i = 0; i < d.n; i++)
        policy_free(d.policies[i]);
    mem_free(d.policies);
    mem_free(d.hit);
    filter_hits_deinit(&d.hits);
    matcher_free(d.matcher);
    return is_equal;
}

bool differential_round(struct generator *g, struct differential_stats *stats)
{
    return differential_crowd(g, 1 + gen_below(g, POLICIES_MAX), CHANGES * MESSAGES, stats);
}
