/* Test aids: what the service may do to a program, made to happen on order, so that its idempotency and
 * its retries can be tested. Of one queue, in memory alone: a restart ends them. Offered where the
 * option test_aids is on; aids_page.h sets them. */
#ifndef TOQUE_AIDS_H
#define TOQUE_AIDS_H

#include "common/aws/call.h"
#include "common/base/json.h"

struct queue;

#define AIDS_COUNT_MAX  1000000
#define AIDS_HOLD_MAX_S 900 /* as a delay's */
/* How long every second message is held back where the order is to change. */
#define AIDS_REORDER_MS 1000

struct aids {
    char *fail_action; /* "SendMessage"; NULL: none fails */
    char *fail_text;
    int fail_code;
    u32 fail_count;  /* so many more calls */
    u32 per_second;  /* calls above it are RequestThrottled; 0: no limit */
    u32 calls;       /* in this second: */
    i64 second;      /* of the daemon's clock */
    i64 hold_ms;     /* new messages are delayed by it; standard queues */
    u32 twice;       /* so many more messages stay visible when they are received */
    u32 reorder;     /* of so many more new messages every second one is held back; likewise */
    u32 dead_letter; /* so many more messages go to the dead-letter queue instead of a receiver */
};

/* NULL accepted. */
void aids_free(struct aids *a);
/* Sets what the object says, all of it or, with a fault, nothing:
 *
 *   {"fail": {"action": "SendMessage", "error": "OverLimit", "message": "…", "count": 3},
 *    "throttle_per_second": 10, "hold_back_ms": 5000, "deliver_twice": 1, "reorder": 10,
 *    "dead_letter": 1} */
int aids_read(struct aids *a, const struct service *service, const struct json_at *object,
              struct fault *f) MUST_CHECK;
void aids_write(const struct aids *a, const struct service *service, struct buf *out);

/* --- where they take effect; all without any when the queue has none ---------------------------- */

/* E_FAULT: the call is to fail; c->fault is set. */
int aids_refuse(struct call *c, struct queue *q) MUST_CHECK;
/* What a new message is delayed by, beside its own delay. */
i64 aids_delay_ms(struct queue *q);
/* For how long a receive hides its messages, and that it took so many. */
i64 aids_hide_ms(const struct queue *q, i64 hide_ms);
void aids_took(struct queue *q, u32 n);
/* Whether the message that is taken now goes to the dead-letter queue. */
bool aids_bury(struct queue *q);

#endif
