/* The DeliveryPolicy of a topic: how HTTP deliveries are retried. toque keeps it, completes it and
 * shows it as the service does (Amazon SNS message delivery retries). */
#ifndef TOQUE_DELIVERY_POLICY_H
#define TOQUE_DELIVERY_POLICY_H

#include "common/base/buf.h"
#include "common/base/err.h"

/* Appends the form that is kept: what was given, nulls dropped, disableSubscriptionOverrides added.
 * E_FAULT with the whole text, `frame` being its beginning. */
int delivery_policy_keep(str text, const char *frame, struct buf *out, struct fault *f) MUST_CHECK;
/* Appends what is in effect: `kept` (as above; empty: nothing was set) filled from the defaults. */
void delivery_policy_effective(str kept, struct buf *out);

#endif
