/* Receives of FIFO queues that their clients may repeat: a client that got no answer asks again with
 * the same ReceiveRequestAttemptId and is given the same messages under the same handles, as long as
 * all of them are in flight by that receive still. Kept in memory for five minutes; after a restart
 * a repeated receive is a new one. */
#ifndef TOQUE_ATTEMPT_H
#define TOQUE_ATTEMPT_H

#include "common/aws/request.h"
#include "queued/queue.h"

/* Beyond so many in all queues the oldest is forgotten: clients that never repeat, and give every
 * receive an id, fill no memory. */
#define ATTEMPTS_MAX 10000

struct attempts {
    struct map by_key;
    struct list order; /* oldest first */
};

void attempts_init(struct attempts *as, const struct map_seed *seed);
void attempts_deinit(struct attempts *as);

enum attempt_state {
    ATTEMPT_NEW,  /* no receive had that id */
    ATTEMPT_SAME, /* its messages are as it left them */
    ATTEMPT_OVER, /* one of them is not */
};

/* What became of the receive with that id; of the same one its messages and its time. */
enum attempt_state attempt_find(struct queue *q, str id, struct msg *ret[QUEUE_TAKE_MAX],
                                u32 *ret_n, i64 *ret_received_ms);
/* The receive with that id was given these messages at that time; also once more. Each time its
 * answer is on its way from here on, until attempt_settle. */
void attempt_note(struct queue *q, str id, struct msg *const *taken, u32 n, i64 received_ms);
/* An answer to the receive with that id left, or did not. True: the caller does what that means for
 * its messages; a receive that no answer was sent of is forgotten then, so that it may be repeated as
 * a new one. False: another answer was sent or is on its way, and the messages stay as they are. */
bool attempt_settle(struct queue *q, str id, enum call_outcome outcome);
/* Its messages are hidden until another time now. */
void attempt_renew(struct queue *q, str id);

#endif
