/* Internal to explain: values of the message at the policy's keys (explain_collect.c), why a value
 * does not match a rule (explain_miss.c), and the sentences (explain_words.c). */
#ifndef TOQUE_FILTER_EXPLAIN_PARTS_H
#define TOQUE_FILTER_EXPLAIN_PARTS_H

#include "common/base/buf.h"
#include "common/base/map.h"
#include "filter/explain/explain.h"
#include "filter/policy/tree.h"

/* Keys for which near matches are looked for when they have no value. */
#define EXPLAIN_WATCHED_MAX 64

/* One path of the policy and the message's values there. */
struct explain_watch {
    str path;
    struct explain_value *values;
    u32 *ordinals; /* of each value: index of its scalar in the body */
    u32 n, cap;
    enum explain_miss near; /* why there is no value */
    str near_place;         /* where a near match was found; may be empty */
};

struct explain_offer {
    struct arena *arena;
    struct map by_path; /* of watches */
    struct explain_watch *watches;
    u32 n;
    enum filter_eligibility eligibility;
    str trouble;       /* why the message is not eligible: a clause */
    struct node *body; /* body scope and eligible: the parsed body */
    u32 scalars;       /* scalars in it */
    bool has_arrays;
};

void explain_collect(struct explain_offer *o, struct arena *a, const struct policy *p,
                     const struct filter_message *msg);
void explain_offer_deinit(struct explain_offer *o);
const struct explain_watch *explain_watch_of(const struct explain_offer *o, str path);

/* Whether the value matches the entry; if not, the nearest miss. */
enum explain_miss explain_compare(const struct policy_entry *e, const struct explain_value *v,
                                  enum filter_scope scope);
/* The more helpful of two misses has the higher rank. */
u32 explain_miss_rank(enum explain_miss miss);

/* A value as displayed: strings quoted, everything cut to EXPLAIN_SHOWN_MAX. */
void explain_show_value(struct buf *out, const struct explain_value *v);
void explain_show(struct buf *out, str text);
str explain_words_of_rule(struct arena *a, const struct policy_leaf *leaf,
                          const struct explain_rule *rule, const struct explain_watch *w);
str explain_words_of_key(struct arena *a, const struct explain_key *key);
/* Fills in x->words and x->hint from the other members. */
void explain_sum_up(struct explanation *x, const struct policy *p, const struct explain_offer *o);

#endif
