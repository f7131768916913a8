/* The DeliveryPolicy of a topic: how HTTP deliveries are retried. toque stores it, fills in the
 * defaults and returns it as the service does (Amazon SNS message delivery retries). */
#ifndef TOQUE_DELIVERY_POLICY_H
#define TOQUE_DELIVERY_POLICY_H

#include "common/base/buf.h"
#include "common/base/err.h"

/* Appends the stored form: the given document without nulls, with disableSubscriptionOverrides
 * added. E_FAULT: f->text is the whole text, which begins with `frame`. */
int delivery_policy_keep(str text, const char *frame, struct buf *out, struct fault *f) MUST_CHECK;
/* Appends the effective policy: `kept` (the stored form; empty: not set) completed with the
 * defaults. */
void delivery_policy_effective(str kept, struct buf *out);

#endif
