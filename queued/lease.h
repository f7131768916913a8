/* What a call did to the visibility of messages, until it is known whether its answer was sent.
 *
 *   a receive, or a change of visibility ──lease_note──> the answer is
 *     sent:      visibility counts from now on, not from the beginning of the call's turn
 *     cut:       what a receive took is visible again, at its old place; the receive counts
 *     not sent:  likewise, and the receive does not count: nobody saw any of it
 *
 * A message that was received again, changed or deleted meanwhile is left as it is. */
#ifndef TOQUE_LEASE_H
#define TOQUE_LEASE_H

#include "common/aws/call.h"
#include "queued/msg.h"

/* The call hid this message just now, for hide_ms (0: it is visible), or was given it once more. At
 * most QUEUE_TAKE_MAX messages a call, all of one queue. */
void lease_note(struct call *c, const struct msg *m, i64 hide_ms);
/* The noted messages were taken by the call: what is not delivered is given back. `attempt`: its
 * ReceiveRequestAttemptId, "" for none; a view that lives as long as the call. */
void lease_is_receive(struct call *c, str attempt);

#endif
