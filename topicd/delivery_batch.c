#include "topicd/delivery_batch.h"

#include "common/aws/frame.h"
#include "common/base/mem.h"

#define DELIVERY_BATCH_CAP_MIN 16

void flight_begin(struct flight *f, void (*landed)(struct flight *f, int err))
{
    *f = (struct flight){.legs = 1, .landed = landed};
}

void flight_end(struct flight *f, int err)
{
    assert(f->legs > 0);
    if (err && !f->err)
        f->err = err;
    if (--f->legs == 0)
        f->landed(f, f->err);
}

struct delivery_batch *delivery_batch_new(u64 sequence)
{
    struct delivery_batch *d = mem_alloc(sizeof(*d));

    list_init(&d->link);
    d->sequence = sequence;
    frame_deliver_begin(&d->frame, 0, sequence, 0);
    return d;
}

void delivery_batch_wait(struct delivery_batch *d, struct flight *f)
{
    if (d->n && d->flights[d->n - 1] == f)
        return;
    if (d->n == d->cap) {
        d->cap = MAX(2 * d->cap, (u32)DELIVERY_BATCH_CAP_MIN);
        d->flights = mem_grow(d->flights, d->cap * sizeof(struct flight *));
    }
    d->flights[d->n++] = f;
    f->legs++;
}

void delivery_batch_end(struct delivery_batch *d, int err)
{
    assert(list_is_empty(&d->link));
    for (u32 i = 0; i < d->n; i++)
        flight_end(d->flights[i], err);
    mem_free(d->flights);
    buf_deinit(&d->frame);
    mem_free(d);
}
