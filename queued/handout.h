/* What a receive gives to its caller: its messages as they were when they were taken, rendered as
 * their bodies come from the store.
 *
 *   taken ──handout──> noted, bodies asked for ──body──> rendered, one by one ──done──> call_done
 *
 * SQLite has the bodies at hand, and all of it happens within the call. An engine that fetches them
 * answers later; a message may be deleted meanwhile, or its queue, so nothing of either is looked at
 * again. The answer leaves when the turn of the taking is durable. */
#ifndef TOQUE_HANDOUT_H
#define TOQUE_HANDOUT_H

#include "common/aws/call.h"
#include "queued/msg.h"

/* The SenderId of what came through a topic: an account of the notification service itself. */
#define HANDOUT_SNS_SENDER "AIDAIT2UOQQY3AUEKVGXU"

enum handout_system {
    HANDOUT_SENDER = 1,
    HANDOUT_SENT = 2,
    HANDOUT_FIRST = 4,
    HANDOUT_COUNT = 8,
    HANDOUT_GROUP = 16,
    HANDOUT_TRACE = 32,
    HANDOUT_SOURCE = 64,
    HANDOUT_DEDUP = 128,
    HANDOUT_SEQUENCE = 256,
    HANDOUT_ALL = 511,
};

/* What is told of each message beside its body. */
struct handout_wants {
    unsigned system;         /* enum handout_system */
    const struct val *names; /* MessageAttributeNames, or NULL; as long as the call */
};

/* Gives `n` > 0 messages of one queue, received at that time, to the call, and finishes it. */
void handout(struct call *c, const struct handout_wants *wants, struct msg *const *taken, u32 n,
             i64 received_ms);

#endif
