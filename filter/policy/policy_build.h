/* Shared by policy.c, which owns the structure of a policy, and policy_entry.c, which owns its
 * operators. */
#ifndef TOQUE_FILTER_POLICY_BUILD_H
#define TOQUE_FILTER_POLICY_BUILD_H

#include "common/base/buf.h"
#include "filter/policy/policy.h"
#include "filter/policy/tree.h"

struct policy_builder {
    struct arena *arena;
    str text;   /* compact */
    str source; /* the caller's */
    struct fault *fault;
};

/* Refuses with the service's text and location, `consumed` bytes of the compact text having been
 * read. The fault's own place is that of `node` in the caller's text. Returns E_FAULT. */
int policy_refuse_at(struct policy_builder *b, const struct node *node, u32 consumed,
                     const char *fmt, ...) PRINTF_LIKE(4, 5);
/* The same for texts without a location. */
int policy_refuse(struct policy_builder *b, const struct node *node, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* The location alone, as it follows a text. */
void policy_location(const struct policy_builder *b, u32 consumed, struct buf *out);

/* Builds one element of a leaf's list. 0 or E_FAULT. */
int policy_entry_build(struct policy_builder *b, const struct node *value,
                       struct policy_entry *ret) MUST_CHECK;

#endif
