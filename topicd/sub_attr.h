/* What may be set on a subscription, and what GetSubscriptionAttributes tells of it: Amazon SNS API
 * reference, Subscribe and SetSubscriptionAttributes.
 *
 * Canonical settings hold RawMessageDelivery only where it is "true", FilterPolicyScope only where
 * it was given, and FilterPolicy in the compact form of policy_text, never empty. */
#ifndef TOQUE_SUB_ATTR_H
#define TOQUE_SUB_ATTR_H

#include "common/aws/call.h"
#include "topicd/sub.h"

/* Checks `n` attributes given together and merges them into canonical `settings`. `frame` is
 * FAULT_PREFIX or FAULT_FRAME_CREATE. What belongs to other protocols is refused as unsupported. */
int sub_attr_set(struct settings *settings, const struct setting *given, size_t n,
                 const char *frame, struct fault *f) MUST_CHECK;
/* Whether `given`, checked by sub_attr_set into `wanted`, names nothing that differs from what the
 * subscription has. */
bool sub_attr_agree(const struct setting *given, size_t n, const struct settings *wanted,
                    const struct sub *u);
/* Writes the subscription's attributes as the entries of the map that is open in c's answer. */
void sub_attr_out(struct call *c, const struct sub *u);

#endif
