/* Returns the messages of a receive to the caller: their state is copied when they are taken, and
 * each is rendered when its body arrives from the store.
 *
 *   taken ──handout──> noted, bodies asked for ──body──> rendered, one by one ──done──> call_done
 *
 * SQLite reads the bodies at once, so all of this happens within the call. A remote engine delivers
 * them later; the message or its queue may be deleted meanwhile, so neither is accessed again. The
 * answer is sent when the turn in which the messages were taken is durable. */
#ifndef TOQUE_HANDOUT_H
#define TOQUE_HANDOUT_H

#include "common/aws/call.h"
#include "queued/msg.h"

/* The SenderId of messages that came through a topic: a principal of SNS itself. */
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

/* What is returned of each message besides its body. */
struct handout_wants {
    unsigned system;         /* enum handout_system */
    const struct val *names; /* MessageAttributeNames, or NULL; valid as long as the call */
};

/* Answers the call with `n` > 0 messages of one queue, received at received_ms, and finishes it. */
void handout(struct call *c, const struct handout_wants *wants, struct msg *const *taken, u32 n,
             i64 received_ms);

#endif
