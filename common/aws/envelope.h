/* The notification that a subscription without raw delivery gets: JSON text made from a publication
 * and the subscription's ARN. It is rendered at receive time, so that a publication is stored once
 * for all its subscriptions.
 *
 * Members, order and blanks as Amazon SNS writes them: "Amazon SNS message formats", HTTP/SQS JSON.
 * */
#ifndef TOQUE_ENVELOPE_H
#define TOQUE_ENVELOPE_H

#include "common/aws/frame.h"

/* Appends the envelope of `p` (its attrs list is walked) for `subscription` (ARN) to `out`. */
void envelope_render(struct buf *out, const struct frame_publication *p, str subscription);

#endif
