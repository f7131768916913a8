/* Attributes that can be set on a subscription, and those that GetSubscriptionAttributes returns:
 * Amazon SNS API reference, Subscribe and SetSubscriptionAttributes.
 *
 * Canonical settings hold RawMessageDelivery only where it is "true", FilterPolicyScope only where
 * it was given, and FilterPolicy in the compact form of policy_text, never empty. */
#ifndef TOQUE_SUB_ATTR_H
#define TOQUE_SUB_ATTR_H

#include "common/aws/call.h"
#include "topicd/sub.h"

/* Checks `n` attributes of a subscription of that protocol, given together (a value with p NULL is absent, which removes it where an
 * empty one does) and merges them into canonical `settings`. `frame` is
 * FAULT_PREFIX or FAULT_FRAME_CREATE. Attributes of other protocols are refused as unsupported. */
int sub_attr_set(struct settings *settings, str protocol, const struct setting *given, size_t n,
                 const char *frame, struct fault *f) MUST_CHECK;
/* Whether no attribute in `given`, checked by sub_attr_set into `wanted`, differs from the
 * subscription's. */
bool sub_attr_agree(const struct setting *given, size_t n, const struct settings *wanted,
                    const struct sub *u);
/* Writes the subscription's attributes as the entries of the map that is open in c's answer. */
void sub_attr_out(struct call *c, const struct sub *u);

#endif
