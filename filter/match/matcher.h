/* What the files of the matcher share, from the outside in:
 *
 *   expression  one branch of a policy: an AND of conditions, for one subscription
 *   condition   something that holds or does not hold for a message: a value at a path equals,
 *               starts with, ...; an OR of such, an anything-but, presence, absence. Interned: two
 *               policies with the same test share one condition (cond.h)
 *   pivot       the condition of an expression that is expected to hold most rarely. A message
 *               looks up the conditions that its values satisfy; expressions whose pivot is not
 *               among them are never evaluated, so what does not match costs nothing
 *   group       all expressions with the same pivot and the same other popular conditions (the
 *               tail): evaluated once, reported as one span of ids. Unpopular conditions are
 *               columns beside the ids (group.h)
 *
 * A match collects values (attributes.c, body.c), looks them up (lookup.c) and evaluates the groups
 * of the conditions that hold (match.c). Every change is made in place, so a new policy takes
 * effect at once.
 *
 * Invariants:
 * 1. mark[c] == epoch: condition c holds for this message. mark[c] == epoch + 1: it does not. Any
 *    other value: not evaluated yet; cond_true evaluates it (cond_eval.c).
 * 2. A condition is in the table of conditions while it is referenced; each reference is released
 *    once.
 * 3. Ids of conditions, paths and groups begin at 1; 0 means none. */
#ifndef TOQUE_FILTER_MATCHER_H
#define TOQUE_FILTER_MATCHER_H

#include "common/base/mem.h"
#include "filter/match/body.h"
#include "filter/match/cond.h"
#include "filter/policy/defaults.h"
#include "filter/match/event.h"
#include "filter/match/group.h"
#include "filter/match/pages.h"
#include "filter/match/path.h"
#include "filter/policy/policy.h"
#include "filter/match/table.h"

#define NUMBER_KEY_STACK 256 /* longer keys of numbers are made on the heap */

/* Where the rows of a subscription are. A subscription with several rows has a first ref without a
 * group, whose `at` is the epoch of the match that last reported its id. */
struct ref {
    u32 group, at;
    u32 next; /* in the same subscription, or in the free list; 0 ends */
};

struct matcher {
    struct table cond_table, path_table, group_table, id_table;
    struct cond *conds;
    u32 *mark;
    struct path *paths;
    struct path_seen *seen;
    struct group *groups;
    struct ref *refs;
    u32 cond_n, cond_cap, cond_free;
    u32 path_n, path_cap, path_free;
    u32 path_changes; /* counts changes of paths and of the conditions on them */
    u32 group_n, group_cap, group_free;
    u32 ref_n, ref_cap, ref_free;

    u32 root[2];  /* path of each scope */
    u32 scope[2]; /* condition that holds when a message is eligible for the scope; 0: not in use */
    u32 always;   /* condition that always holds; 0: no subscription has an empty policy */
    u32 count;    /* subscriptions */
    u32 adding;   /* first ref of the subscription that is being added; 0: it has none yet */
    u64 seed;
    bool unchecked;     /* bodies are read without the grammar check */
    size_t small_bytes; /* what conditions, paths and groups own besides their own structs */
    u32 sweep_at;       /* group that matcher_step looks at next */

    u32 epoch;  /* even; grows by 2 with every match */
    u32 serial; /* of the value being looked up; only grows */
    struct event event;
    u32 *fired; /* conditions that hold and have groups */
    u32 fired_n, fired_cap;
    u32 vetoes;  /* anything-but and absence conditions that failed in this match */
    u32 *picked; /* ids that passed their columns, with room for every subscription */
    u32 picked_n, picked_cap;
    u64 pairs[PAIR_SLOTS / 64]; /* of the value with this serial */
    u32 pairs_serial;
    u32 *but; /* anything-but conditions that excluded a value at the current path */
    u32 but_n, but_cap;
    char *folded; /* the value being looked up, folded */
    size_t folded_cap;
    struct same_element *same_element; /* with `body`, from the first body that is read */
    struct body *body;
};

/* Allocates and counts live memory besides the arrays above. */
void *matcher_alloc(struct matcher *m, size_t size);
void *matcher_realloc(struct matcher *m, void *p, size_t old, size_t size);
void matcher_release(struct matcher *m, void *p, size_t size);
/* Room for item `n` in an array that grows by half. */
void *matcher_room(void *p, u32 *cap, u32 n, size_t item);
/* The same for arrays that hold something of every policy (pages.h). */
void *matcher_large_room(void *p, u32 *cap, u32 n, size_t item);

/* The child of a path with this name; 0: no policy names it. */
static inline u32 path_child(const struct matcher *m, u32 parent, str name)
{
    const struct path *p = &m->paths[parent];

    if (UNLIKELY(!p->kids))
        return p->kid_n ? path_child_by_hash(m, parent, name) : 0;
    u64 head = path_head(name);
    for (u32 i = 0; i < p->kid_n; i++)
        if (p->kids[i].head == head && p->kids[i].n == name.n &&
            (name.n <= 8 || str_eq(path_name(&m->paths[p->kids[i].path]), name)))
            return p->kids[i].path;
    return 0;
}

/* --- compile.c -------------------------------------------------------------------------------- */

/* The first ref of subscription `id`, or 0. */
u32 matcher_find(const struct matcher *m, u32 id);
/* A row of subscription `id` is in another place now. */
void matcher_row_moved(struct matcher *m, u32 id, u32 group, u32 from_group, u32 from, u32 to);
/* The condition that a policy's leaf tests, referenced for the caller. */
u32 compile_leaf(struct matcher *m, enum filter_scope scope, const struct policy_leaf *leaf);
/* Adds one expression; takes over the references to its conditions. */
void compile_expression(struct matcher *m, enum filter_scope scope, u32 id, u32 *conds, u32 n,
                        bool many);
/* The subscription that is being added has a new row. */
void matcher_ref_add(struct matcher *m, u32 id, u32 group, u32 at);

/* --- lookup.c ---------------------------------------------------------------------------------- */

/* The condition holds for this message. */
void matcher_fire(struct matcher *m, u32 cond);
/* Looks up what the event's values satisfy. */
void matcher_lookup(struct matcher *m);

/* --- cond_eval.c ----------------------------------------------------------------------------------- */

/* Whether a condition holds for one value at its path. */
bool cond_takes(struct matcher *m, u32 cond, struct value *v);
bool cond_find_out(struct matcher *m, u32 cond);
/* False when the value being looked up lacks a byte pair that the pattern needs. */
bool wild_may_take(struct matcher *m, const struct wild *w, const struct value *v);
static inline bool cond_true(struct matcher *m, u32 cond)
{
    u32 mark = m->mark[cond];

    if (mark == m->epoch)
        return true;
    return mark != m->epoch + 1 && cond_find_out(m, cond);
}

/* --- same_element.c ------------------------------------------------------------------------------------ */

struct same_element *same_element_new(void);
void same_element_free(struct same_element *t);
/* A row with these conditions was added (change 1) or is being removed (-1): counted at the paths
 * where they could have to agree. */
void same_element_count(struct matcher *m, const u32 *conds, u32 n, i32 change);
/* A looked-up condition holds for a value in `element`; in events with tied values. */
void same_element_note(struct matcher *m, u32 cond, u32 element);
/* Whether one choice of array elements satisfies all conditions, each of which holds by itself. */
bool same_element_holds(struct matcher *m, const u32 *conds, u32 n);

#endif
