/* Inside explain: what a message offers to the keys of one policy (explain_collect.c), why one
 * value does not meet one rule (explain_miss.c), and the sentences (explain_words.c). */
#ifndef TOQUE_FILTER_EXPLAIN_PARTS_H
#define TOQUE_FILTER_EXPLAIN_PARTS_H

#include "common/base/buf.h"
#include "common/base/map.h"
#include "filter/explain/explain.h"
#include "filter/policy/tree.h"

/* Keys for which a place nearby is looked for when they have no value. */
#define EXPLAIN_WATCHED_MAX 64

/* One path of the policy and what the message has there. */
struct explain_watch {
    str path;
    struct explain_value *values;
    u32 *ordinals; /* of each value: which scalar of the body it is */
    u32 n, cap;
    enum explain_miss near; /* why there is no value */
    str near_place;         /* where something like it was found; may be empty */
};

struct explain_offer {
    struct arena *arena;
    struct map by_path; /* of watches */
    struct explain_watch *watches;
    u32 n;
    enum filter_eligibility eligibility;
    str trouble;       /* why the message is not eligible: part of a sentence */
    struct node *body; /* body scope and eligible: the body */
    u32 scalars;       /* scalars in it */
    bool has_arrays;
};

void explain_collect(struct explain_offer *o, struct arena *a, const struct policy *p,
                     const struct filter_message *msg);
void explain_offer_deinit(struct explain_offer *o);
const struct explain_watch *explain_watch_of(const struct explain_offer *o, str path);

/* Whether the value meets the entry, and if not, what comes nearest. */
enum explain_miss explain_compare(const struct policy_entry *e, const struct explain_value *v,
                                  enum filter_scope scope);
/* Of two misses the one that helps more has the higher rank. */
u32 explain_miss_rank(enum explain_miss miss);

/* A value as shown: strings quoted, all cut to EXPLAIN_SHOWN_MAX. */
void explain_show_value(struct buf *out, const struct explain_value *v);
void explain_show(struct buf *out, str text);
str explain_words_of_rule(struct arena *a, const struct policy_leaf *leaf,
                          const struct explain_rule *rule, const struct explain_watch *w);
str explain_words_of_key(struct arena *a, const struct explain_key *key);
/* Fills x->words and x->hint from the rest. */
void explain_sum_up(struct explanation *x, const struct policy *p, const struct explain_offer *o);

#endif
