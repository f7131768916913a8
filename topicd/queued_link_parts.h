/* Shared by queued_link.c (sessions, sending) and queued_link_read.c (received frames). */
#ifndef TOQUE_QUEUED_LINK_PARTS_H
#define TOQUE_QUEUED_LINK_PARTS_H

#include "topicd/queued_link.h"

static inline i64 queued_link_now_ms(const struct queued_link *p)
{
    return loop_clock(p->loop)->mono_ms;
}

static inline struct delivery_batch *queued_link_batch(struct list *item)
{
    return list_item(item, struct delivery_batch, link);
}

/* The bytes of sent batches that this one is counted in. */
static inline u64 *queued_link_bytes(struct queued_link *p, const struct delivery_batch *d)
{
    return d->in_window ? &p->window_bytes : &p->unacked_bytes;
}

/* Sends a SYNC with the number that was asked last. */
void queued_link_send_sync(struct queued_link *p);
/* A frame arrived: struct link_events. */
void queued_link_frame(void *link, str frame);

#endif
