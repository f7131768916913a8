/* A compiled policy before $or is expanded: nested objects are flattened into paths, leaving a list
 * of terms (AND) whose elements are leaves and $or groups of such lists. */
#ifndef TOQUE_FILTER_TERMS_H
#define TOQUE_FILTER_TERMS_H

#include "filter/policy/policy.h"

/* One element of a conjunction: a leaf, or a group of alternatives. */
struct term {
    struct policy_leaf *leaf;
    u32 path_no; /* number among the paths that several leaves have, from 1; 0: unique path. Private
                  * to terms.c */
    struct alternative *alternatives;
    struct term *next;
};

struct alternative {
    struct term *terms;
    struct alternative *next;
};

/* Counts saturate. */
struct terms_tally {
    u64 combinations; /* as the service counts: per branch the product of entries times level */
    u64 branches;
    u64 leaves; /* summed over the branches */
};

struct terms_tally terms_count(const struct term *t);
/* Adds up the wildcard points and reports whether there is an asterisk at all. True: some pattern
 * has more than `stars_max` of them (0: no limit). */
bool terms_over_stars(const struct term *t, u32 stars_max, u64 *points, bool *has_wildcard);
/* Fills p->branches and p->n from its arena. The tally was checked against the bounds before. */
void terms_expand(struct term *terms, struct policy *p);

#endif
