#include "topicd/failed_delivery.h"

#include "common/base/clock.h"
#include "common/base/log.h"

/* One failure per this many ms is logged, with the number of others since. */
#define TELL_MS 1000

static const char *const reasons[FAILURES] = {
    [FAILURE_NO_QUEUE] = "no queued has the queue",
    [FAILURE_WANDERING] = "queued instances that announced the queue did not have it",
    [FAILURE_FORBIDDEN] = "the queue's policy does not allow the topic to send",
    [FAILURE_ENDPOINT] = "the push endpoint is gone or disabled",
    [FAILURE_ATTRIBUTES] = "a raw message with attributes that SQS does not accept",
};

void failed_deliveries_init(struct failed_deliveries *f, const struct clock *clock)
{
    *f = (struct failed_deliveries){.clock = clock};
}

void delivery_failed(struct failed_deliveries *f, const struct failed_delivery *d)
{
    f->counts[d->why]++;
    if (f->told_ms && f->clock->mono_ms - f->told_ms < TELL_MS) {
        f->untold++;
        return;
    }
    log_warning("a delivery failed: %s topic=%.*s message=%.*s subscription=%.*s queue=%.*s"
                " others=%" PRIu64,
                reasons[d->why], STR_ARG(d->publication->topic),
                STR_ARG(d->publication->message_id), STR_ARG(d->target->subscription),
                STR_ARG(d->target->queue), f->untold);
    f->untold = 0;
    f->told_ms = f->clock->mono_ms;
}

u64 failed_deliveries_count(const struct failed_deliveries *f)
{
    u64 n = 0;

    for (u32 i = 0; i < FAILURES; i++)
        n += f->counts[i];
    return n;
}
