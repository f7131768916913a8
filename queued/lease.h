/* What a call did to the visibility of messages, kept until the outcome of its answer is known.
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

/* Notes that the call has hidden this message for hide_ms (0: it is visible), or returns it again.
 * At most QUEUE_TAKE_MAX messages a call, all of one queue. */
void lease_note(struct call *c, const struct msg *m, i64 hide_ms);
/* The call is a receive: its messages become visible again if the answer is not sent. `attempt`:
 * its ReceiveRequestAttemptId, "" for none; a view that lives as long as the call. */
void lease_is_receive(struct call *c, str attempt);

#endif
