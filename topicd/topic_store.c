/* What topicd's store holds in memory, whatever engine keeps the rest. */
#include "topicd/topic_store.h"

#include "common/base/mem.h"

/* Ids are given out of a reserve of so many; what a crash leaves of it is never used. */
#define ID_RESERVE 10000

static struct topic_outbox *outbox_of(struct topic_store *s, str queued)
{
    for (u32 i = 0; i < s->outbox_count; i++)
        if (str_is(queued, s->outboxes[i]->queued))
            return s->outboxes[i];
    struct topic_outbox *o = mem_alloc(sizeof(*o));

    o->queued = mem_dup(queued);
    s->outboxes = mem_grow(s->outboxes, (s->outbox_count + 1) * sizeof(*s->outboxes));
    s->outboxes[s->outbox_count++] = o;
    return o;
}

const struct topic_outbox *topic_store_outbox(struct topic_store *s, str queued)
{
    return outbox_of(s, queued);
}

void topic_store_outbox_add(struct topic_store *s, str queued, u64 sequence, str frame)
{
    struct topic_outbox *o = outbox_of(s, queued);

    assert(sequence <= INT64_MAX);
    s->ops->outbox_add(s, o, sequence, frame);
    o->frames++;
    o->bytes += frame.n;
    o->last = MAX(o->last, sequence);
}

void topic_store_outbox_acked(struct topic_store *s, str queued, u64 sequence)
{
    struct topic_outbox *o = outbox_of(s, queued);

    if (o->frames)
        s->ops->outbox_acked(s, o, MIN(sequence, (u64)INT64_MAX));
}

void topic_store_outbox_gone(struct topic_store *s, str queued, u64 frames, u64 bytes)
{
    struct topic_outbox *o = outbox_of(s, queued);

    o->frames -= MIN(o->frames, frames);
    o->bytes -= MIN(o->bytes, bytes);
}

void topic_store_outbox_read(struct topic_store *s, str queued, struct outbox_read *r)
{
    s->ops->outbox_read(s, outbox_of(s, queued), r);
}

/* --- counting --------------------------------------------------------------------------------- */

void topic_store_hold_outbox(struct topic_store *s, str queued, struct topic_outbox counted)
{
    struct topic_outbox *o = outbox_of(s, queued);

    counted.queued = o->queued;
    *o = counted;
}

/* When they cannot be counted they stay as they were: an outbox that seems to be empty would be
 * overtaken. */
static int count_outboxes(struct topic_store *s)
{
    u32 n = s->outbox_count;
    struct topic_outbox *before = mem_array(n, sizeof(*before));

    for (u32 i = 0; i < n; i++) {
        before[i] = *s->outboxes[i];
        *s->outboxes[i] = (struct topic_outbox){.queued = before[i].queued};
    }
    int err = s->ops->load_outboxes(s, s);

    for (u32 i = 0; i < n && err; i++)
        *s->outboxes[i] = before[i];
    mem_free(before);
    if (!err)
        s->counted_losses = s->engine.losses;
    return err;
}

int topic_store_recount(struct topic_store *s)
{
    return s->counted_losses == s->engine.losses ? 0 : count_outboxes(s);
}

int topic_store_init(struct topic_store *s, const struct topic_store_ops *ops)
{
    s->ops = ops;
    engine_ids_open(&s->engine, TOPIC_STORE_TOPIC_IDS, "topic_id", ID_RESERVE);
    engine_ids_open(&s->engine, TOPIC_STORE_SUB_IDS, "sub_id", ID_RESERVE);
    return count_outboxes(s);
}

void topic_store_deinit(struct topic_store *s)
{
    for (u32 i = 0; i < s->outbox_count; i++) {
        mem_free(s->outboxes[i]->queued);
        mem_free(s->outboxes[i]);
    }
    mem_free(s->outboxes);
}
