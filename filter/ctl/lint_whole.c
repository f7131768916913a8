/* Findings about a policy as a whole, and about one alternative of $or compared with another. */
#include "filter/ctl/lint_parts.h"

#define COMBINATIONS_NEAR 120 /* of the 150 that the service accepts */

static bool is_shared(const struct policy_leaf *leaf, const struct policy_branch *other)
{
    for (u32 i = 0; i < other->n; i++)
        if (other->leaves[i] == leaf)
            return true;
    return false;
}

/* The keys named by the alternative itself; others are outside the $or. */
static void add_paths(struct buf *out, const struct policy_branch *b,
                      const struct policy_branch *other)
{
    const char *between = "";

    for (u32 i = 0; i < b->n; i++) {
        if (is_shared(b->leaves[i], other))
            continue;
        buf_printf(out, "%s\"%.*s\"", between, STR_ARG(b->leaves[i]->path));
        between = ", ";
    }
}

/* The first of these keys. */
static const struct policy_leaf *own_leaf(const struct policy_branch *b,
                                          const struct policy_branch *other)
{
    for (u32 i = 0; i < b->n; i++)
        if (!is_shared(b->leaves[i], other))
            return b->leaves[i];
    return b->leaves[0];
}

void lint_alternatives(const struct lint_walk *w)
{
    const struct policy *p = w->p;

    for (u32 b = 0; b < p->n && p->n <= LINT_BRANCHES_MAX; b++)
        for (u32 a = 0; a < p->n; a++) {
            const struct policy_branch *ba = &p->branches[a], *bb = &p->branches[b];
            if (a == b || !branch_covers(ba, bb) || (a > b && branch_covers(bb, ba)))
                continue;
            struct buf paths = {0};
            add_paths(&paths, bb, ba);
            buf_z(&paths, " is covered by the one with ");
            add_paths(&paths, ba, bb);
            lint_say(w->l, "L102", lint_leaf_place(w, own_leaf(bb, ba)),
                     "Remove it: the other alternative already accepts what it accepts.",
                     "the alternative of $or with %s", paths.p);
            buf_deinit(&paths);
            break;
        }
}

/* --- the whole -------------------------------------------------------------------------------- */

static bool leaf_has(const struct policy_leaf *leaf, enum policy_kind kind)
{
    for (u32 i = 0; i < leaf->n; i++)
        if (leaf->entries[i].kind == kind)
            return true;
    return false;
}

static bool leaf_is_never(const struct lint_walk *w, const struct policy_leaf *leaf)
{
    for (u32 i = 0; i < leaf->n; i++)
        if (!lint_entry_is_never(w, &leaf->entries[i]))
            return false;
    return true;
}

static bool leaf_wants_absence(const struct policy_leaf *leaf)
{
    return leaf->n == 1 && leaf->entries[0].kind == POLICY_ABSENT;
}

void lint_whole(const struct lint_walk *w)
{
    const struct policy *p = w->p;
    size_t begin = w->n ? w->nodes[0]->source_at : 0;
    bool is_always = p->n == 0, is_never_true = p->n > 0, is_absence = p->n > 0;

    for (u32 b = 0; b < p->n; b++) {
        bool always = true, never = false, absence = true;
        for (u32 i = 0; i < p->branches[b].n; i++) {
            const struct policy_leaf *leaf = p->branches[b].leaves[i];
            bool is_key_never = p->scope == FILTER_ATTRIBUTES &&
                                !lint_is_attribute_name(leaf->path) &&
                                !leaf_has(leaf, POLICY_ABSENT);
            always = always && leaf_has(leaf, POLICY_ABSENT) && leaf_is_open(leaf);
            never = never || is_key_never || leaf_is_never(w, leaf);
            absence = absence && leaf_wants_absence(leaf);
        }
        is_always = is_always || always;
        is_never_true = is_never_true && never;
        is_absence = is_absence && absence;
    }
    if (is_always)
        lint_say(w->l, "L105", begin, "Remove the policy if all messages are wanted.",
                 p->n ? "the policy accepts every message of its scope"
                      : "the policy is empty: it accepts every message");
    if (is_never_true)
        lint_say(w->l, "L106", begin,
                 "Change the keys or values; with this policy nothing is delivered.",
                 "the policy never matches");
    if (is_absence)
        lint_say(w->l, "L112", begin,
                 p->scope == FILTER_ATTRIBUTES
                     ? "Publish at least one attribute with every message."
                     : "Make sure that every body has at least one member.",
                 "the policy only requires absence, but a message %s is rejected all the same",
                 p->scope == FILTER_ATTRIBUTES ? "without any attribute" : "with the body {}");
    if (p->combinations >= COMBINATIONS_NEAR)
        lint_say(w->l, "L110", begin, "Shorten the lists, or split the subscription.",
                 "%llu of the 150 combinations that the service accepts",
                 (unsigned long long)p->combinations);
}
