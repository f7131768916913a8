/* Test aids: they produce, on request, what the service may do to a client (errors, throttling,
 * delays, repeated delivery), so that the client's idempotency and retries can be tested. They
 * belong to one queue and are held in memory only: a restart ends them. Available where the option
 * test_aids is on; aids_page.h sets them. */
#ifndef TOQUE_AIDS_H
#define TOQUE_AIDS_H

#include "common/aws/call.h"
#include "common/base/json.h"

struct idmap;
struct queue;
struct queues;

#define AIDS_COUNT_MAX  1000000
#define AIDS_HOLD_MAX_S 900 /* as for DelaySeconds */
/* How long every second message is delayed to change the order. */
#define AIDS_REORDER_MS 1000

struct aids {
    char *fail_action; /* "SendMessage"; NULL: none fails */
    char *fail_text;
    int fail_code;
    u32 fail_count;  /* calls that are still to fail */
    u32 per_second;  /* calls beyond it fail with RequestThrottled; 0: no limit */
    u32 calls;       /* in this second: */
    i64 second;      /* of the daemon's clock */
    i64 hold_ms;     /* new messages are delayed by it; standard queues only */
    u32 twice;       /* messages that are still to stay visible when they are received */
    u32 reorder;     /* new messages, every second one still to be delayed; standard queues only */
    u32 dead_letter; /* messages still to go to the dead-letter queue when they are received */
};

/* NULL accepted. */
void aids_free(struct aids *a);
/* Sets the aids of the queue from a JSON object, all of them or, with a fault, none. Those that
 * could have no effect on the queue are refused.
 *
 *   {"fail": {"action": "SendMessage", "error": "OverLimit", "message": "…", "count": 3},
 *    "throttle_per_second": 10, "hold_back_ms": 5000, "deliver_twice": 1, "reorder": 10,
 *    "dead_letter": 1} */
int aids_read(struct aids *a, const struct queue *q, const struct service *service,
              const struct json_at *object, struct fault *f) MUST_CHECK;
void aids_write(const struct aids *a, const struct service *service, struct buf *out);
/* When the queues are loaded anew: takes the aids from the queues into `kept`, by the queues' ids,
 * and gives them back. Those of queues that are no longer there are freed. */
void aids_set_aside(struct queues *qs, struct idmap *kept);
void aids_give_back(struct queues *qs, struct idmap *kept);

/* --- where they take effect; all without any when the queue has none ---------------------------- */

/* E_FAULT: an aid makes the call fail; c->fault is set. */
int aids_refuse(struct call *c, struct queue *q) MUST_CHECK;
/* The delay of a new message in addition to its own. */
i64 aids_delay_ms(struct queue *q);
/* For how long a receive hides its messages, and that it took so many. */
i64 aids_hide_ms(const struct queue *q, i64 hide_ms);
void aids_took(struct queue *q, u32 n);
/* Whether the message that is being received goes to the dead-letter queue; counts it. */
bool aids_bury(struct queue *q);

#endif
