/* Shared by the files of lint: the policy being checked, and the places of its parts. */
#ifndef TOQUE_FILTER_CTL_LINT_PARTS_H
#define TOQUE_FILTER_CTL_LINT_PARTS_H

#include "filter/ctl/lint.h"

struct lint_walk {
    struct lint *l;
    const struct policy *p;
    const struct node **nodes; /* in the order of the compact text */
    size_t n, cap;
    const struct policy_leaf **leaves; /* distinct */
    size_t leaf_n;
};

/* The position in the owner's text where the key's name begins. */
size_t lint_leaf_place(const struct lint_walk *w, const struct policy_leaf *leaf);
/* Whether an attribute may have this name. */
bool lint_is_attribute_name(str name);
/* Whether no message at all satisfies the entry, elements of a String.Array included. */
bool lint_entry_is_never(const struct lint_walk *w, const struct policy_entry *e);

/* --- lint_whole.c --------------------------------------------------------------------------- */

/* Finds alternatives of $or that another one covers. */
void lint_alternatives(const struct lint_walk *w);
/* Always true, never true, absence only, near the limits. */
void lint_whole(const struct lint_walk *w);

#endif
