/* Failed deliveries: the one place where each is counted and logged. Dead letters of subscriptions
 * and traces will start here. */
#ifndef TOQUE_FAILED_DELIVERY_H
#define TOQUE_FAILED_DELIVERY_H

#include "common/aws/frame.h"

enum failure {
    FAILURE_NO_QUEUE,   /* no queued has the queue */
    FAILURE_WANDERING,  /* rejected too often by instances that were known to have the queue */
    FAILURE_FORBIDDEN,  /* the queue's policy does not let the topic send */
    FAILURE_ENDPOINT,   /* a push endpoint that is gone or disabled */
    FAILURE_ATTRIBUTES, /* raw, with attributes that SQS does not take */
    FAILURES
};

struct failed_delivery {
    enum failure why;
    const struct frame_publication *publication;
    const struct frame_target *target;
};

struct failed_deliveries {
    const struct clock *clock;
    u64 counts[FAILURES]; /* since start, for the statistics */
    u64 untold;           /* since the last one that was logged */
    i64 told_ms;          /* mono; 0: never */
};

void failed_deliveries_init(struct failed_deliveries *f, const struct clock *clock);
void delivery_failed(struct failed_deliveries *f, const struct failed_delivery *d);
u64 failed_deliveries_count(const struct failed_deliveries *f);

#endif
