#include "topicd/delivery_batch.h"

#include "common/aws/frame.h"
#include "common/base/mem.h"

#define WAITING_CAP_MIN 16

struct delivery_batch *delivery_batch_new(str incarnation)
{
    struct delivery_batch *d = mem_alloc(sizeof(*d));

    list_init(&d->link);
    frame_deliver_begin(&d->frame, incarnation);
    return d;
}

void delivery_batch_wait(struct delivery_batch *d, struct completion *done)
{
    if (d->n && d->waiting[d->n - 1] == done)
        return;
    if (d->n == d->cap) {
        d->cap = MAX(2 * d->cap, (u32)WAITING_CAP_MIN);
        d->waiting = mem_grow(d->waiting, d->cap * sizeof(*d->waiting));
    }
    d->waiting[d->n++] = done;
    completion_add(done);
}

void delivery_batch_safe(struct delivery_batch *d, int err)
{
    u32 n = d->n;

    d->n = 0;
    for (u32 i = 0; i < n; i++)
        completion_end(d->waiting[i], err);
}

void delivery_batch_end(struct delivery_batch *d, int err)
{
    assert(list_is_empty(&d->link));
    delivery_batch_safe(d, err);
    if (d->storing)
        return; /* home.c ends it when its turn has settled */
    mem_free(d->waiting);
    buf_deinit(&d->rejected);
    buf_deinit(&d->frame);
    mem_free(d);
}
