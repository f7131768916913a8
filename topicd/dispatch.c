#include "topicd/dispatch.h"

#include "common/frame.h"
#include "common/mem.h"

#define DISPATCH_CAP_MIN 16

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

struct dispatch *dispatch_new(u64 sequence)
{
    struct dispatch *d = mem_alloc(sizeof(*d));

    list_init(&d->link);
    d->sequence = sequence;
    frame_deliver_begin(&d->frame, 0, sequence, 0);
    return d;
}

void dispatch_wait(struct dispatch *d, struct flight *f)
{
    if (d->n && d->flights[d->n - 1] == f)
        return;
    if (d->n == d->cap) {
        d->cap = MAX(2 * d->cap, (u32)DISPATCH_CAP_MIN);
        d->flights = mem_grow(d->flights, d->cap * sizeof(struct flight *));
    }
    d->flights[d->n++] = f;
    f->legs++;
}

void dispatch_end(struct dispatch *d, int err)
{
    assert(list_is_empty(&d->link));
    for (u32 i = 0; i < d->n; i++)
        flight_end(d->flights[i], err);
    mem_free(d->flights);
    buf_deinit(&d->frame);
    mem_free(d);
}
