/* Receives of FIFO queues that their clients may repeat: a client that got no answer repeats the
 * call with the same ReceiveRequestAttemptId and gets the same messages with the same handles, as
 * long as all of them are still in flight from that receive. Kept in memory for five minutes; after
 * a restart a repeated receive is a new one. */
#ifndef TOQUE_ATTEMPT_H
#define TOQUE_ATTEMPT_H

#include "common/aws/request.h"
#include "queued/queue.h"

/* Attempts kept for all queues together; beyond it the oldest is forgotten, so that clients that
 * give every receive an id and never repeat one do not fill memory. */
#define ATTEMPTS_MAX 10000

struct attempts {
    struct map by_key;
    struct list order; /* oldest first */
};

void attempts_init(struct attempts *as, const struct map_seed *seed);
void attempts_deinit(struct attempts *as);

enum attempt_state {
    ATTEMPT_NEW,  /* no receive had that id */
    ATTEMPT_SAME, /* its messages are unchanged: the call returns them again */
    ATTEMPT_OVER, /* one of them was deleted, changed or became visible */
};

/* The state of the receive with that id; for ATTEMPT_SAME also its messages and its time. */
enum attempt_state attempt_find(struct queue *q, str id, struct msg *ret[QUEUE_TAKE_MAX],
                                u32 *ret_n, i64 *ret_received_ms);
/* Notes that the receive with that id got these messages at that time, for the first time or again.
 * Each call is followed by one attempt_settle with the outcome of that answer. */
void attempt_note(struct queue *q, str id, struct msg *const *taken, u32 n, i64 received_ms);
/* The outcome of an answer to the receive with that id. True: the caller applies the outcome to the
 * messages; if no answer was sent the receive is forgotten, so that a repetition counts as a new
 * one. False: another answer was sent or is pending, and the messages stay as they are. */
bool attempt_settle(struct queue *q, str id, enum call_outcome outcome);
/* The visibility timeout of its messages has been set anew. */
void attempt_renew(struct queue *q, str id);

#endif
