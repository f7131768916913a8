/* Ids of the policies are 1, 4, 7, …: what the matcher answers must be exactly the ids of those
 * that the reference lets through. */
#include "tests/filter_differential.h"

#include "tests/reference_filter.h"

#define POLICIES_MAX 16
#define MESSAGES     10 /* between two removals */

struct differential {
    struct policy *policies[POLICIES_MAX]; /* NULL: not in the matcher */
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

static void add(struct differential *d, struct generator *g, struct differential_stats *stats)
{
    static struct fault fault;
    enum filter_scope scope = gen_below(g, 3) ? FILTER_BODY : FILTER_ATTRIBUTES;
    struct buf b = {0};
    gen_policy(g, scope, &b);
    fault_clear(&fault);
    stats->policies++;
    if (policy_new(&d->policies[d->n], buf_view(&b), scope, &FILTER_LIMITS_NONE, &fault)) {
        stats->refused++;
    } else {
        matcher_add(d->matcher, d->n * 3 + 1, d->policies[d->n]);
        d->n++;
    }
    buf_deinit(&b);
}

static bool holds(const struct differential *d, u32 id, bool *ret_twice)
{
    u32 n = 0;
    for (size_t i = 0; i < d->hits.n; i++)
        for (u32 k = 0; k < d->hits.spans[i].n; k++)
            n += d->hits.spans[i].ids[k] == id;
    *ret_twice |= n > 1;
    return n > 0;
}

static bool check_eligibility(const struct differential *d, const struct policy *p,
                              const struct filter_message *msg)
{
    if (policy_is_empty(p))
        return true;
    enum filter_scope scope = policy_scope(p);
    enum filter_eligibility got = scope == FILTER_BODY ? d->hits.body : d->hits.attributes;
    if (got == reference_eligibility(scope, msg))
        return true;
    print(p, msg, "eligibility differs");
    return false;
}

static bool check(struct differential *d, const struct filter_message *msg,
                  struct differential_stats *stats)
{
    matcher_match(d->matcher, msg, &d->hits);
    u64 total = 0;
    bool is_twice = false;
    for (u32 i = 0; i < d->n; i++) {
        if (!d->policies[i])
            continue;
        bool want = reference_match(d->policies[i], msg);
        bool got = holds(d, i * 3 + 1, &is_twice);
        stats->pairs++;
        stats->hits += want;
        total += want;
        if (want != got)
            print(d->policies[i], msg,
                  got ? "matches, but should not" : "does not match, but should");
        if (want != got || !check_eligibility(d, d->policies[i], msg))
            return false;
    }
    if (is_twice || total != d->hits.total)
        fprintf(stderr, "ids twice, or unknown ones\n");
    return !is_twice && total == d->hits.total;
}

static void remove_some(struct differential *d, struct generator *g)
{
    for (u32 i = 0; i < d->n; i++) {
        if (!d->policies[i] || gen_below(g, 3))
            continue;
        int err = matcher_remove(d->matcher, i * 3 + 1);
        assert(err == 0);
        policy_free(d->policies[i]);
        d->policies[i] = NULL;
    }
    while (gen_below(g, 3) && matcher_step(d->matcher, 1000))
        ;
}

bool differential_round(struct generator *g, struct differential_stats *stats)
{
    struct differential d = {.matcher = matcher_new()};
    u32 n = 1 + gen_below(g, POLICIES_MAX);
    for (u32 i = 0; i < n; i++)
        add(&d, g, stats);
    bool is_equal = true;
    for (u32 i = 0; i < 3 * MESSAGES && is_equal; i++) {
        struct filter_message msg = gen_message(g);
        is_equal = check(&d, &msg, stats);
        if (i % MESSAGES == MESSAGES - 1)
            remove_some(&d, g);
    }
    for (u32 i = 0; i < d.n; i++)
        policy_free(d.policies[i]);
    filter_hits_deinit(&d.hits);
    matcher_free(d.matcher);
    return is_equal;
}
