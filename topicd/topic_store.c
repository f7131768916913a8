/* The part of topicd's store that is in memory and common to all engines. */
#include "topicd/topic_store.h"

#include "common/base/mem.h"

/* Ids are reserved in ranges of this size; a crash skips the rest of a range. */
#define ID_RESERVE        10000
#define OUTBOX_ID_RESERVE 1000000
#define SEQUENCE_RESERVE  1000000

static struct topic_outbox *outbox_of(struct topic_store *s, u64 queued)
{
    for (u32 i = 0; i < s->outbox_count; i++)
        if (s->outboxes[i]->queued == queued)
            return s->outboxes[i];
    struct topic_outbox *o = mem_alloc(sizeof(*o));

    o->queued = queued;
    s->outboxes = mem_grow(s->outboxes, (s->outbox_count + 1) * sizeof(*s->outboxes));
    s->outboxes[s->outbox_count++] = o;
    return o;
}

const struct topic_outbox *topic_store_outbox(struct topic_store *s, u64 queued)
{
    return outbox_of(s, queued);
}

void topic_store_outbox_add(struct topic_store *s, const struct outbox_row *r)
{
    struct topic_outbox *o = outbox_of(s, r->queued);

    assert(r->id > o->last);
    engine_note_id(&s->engine, TOPIC_STORE_OUTBOX_IDS, r->id);
    s->ops->outbox_add(s, r);
    o->frames++;
    o->bytes += r->frame.n;
    o->last = r->id;
}

void topic_store_outbox_set(struct topic_store *s, u64 queued, u64 id, str frame)
{
    struct topic_outbox *o = outbox_of(s, queued);

    s->ops->outbox_set(s, o, id, frame);
    o->frames++;
    o->bytes += frame.n;
}

void topic_store_outbox_acked(struct topic_store *s, u64 queued, u64 after, u64 up_to)
{
    struct topic_outbox *o = outbox_of(s, queued);

    if (o->frames)
        s->ops->outbox_acked(s, o, after, up_to);
}

void topic_store_outbox_gone(struct topic_store *s, u64 queued, u64 frames, u64 bytes)
{
    struct topic_outbox *o = outbox_of(s, queued);

    o->frames -= MIN(o->frames, frames);
    o->bytes -= MIN(o->bytes, bytes);
}

void topic_store_merge_queued(struct topic_store *s, u64 from, u64 to)
{
    struct topic_outbox *old = outbox_of(s, from), *o = outbox_of(s, to);

    s->ops->merge_queued(s, from, to);
    o->frames += old->frames;
    o->bytes += old->bytes;
    o->last = MAX(o->last, old->last);
    *old = (struct topic_outbox){.queued = from};
}

/* --- counting --------------------------------------------------------------------------------- */

void topic_store_hold_outbox(struct topic_store *s, const struct topic_outbox *counted)
{
    engine_saw_id(&s->engine, TOPIC_STORE_OUTBOX_IDS, counted->last);
    *outbox_of(s, counted->queued) = *counted;
}

/* On failure the old counts stay: new batches would overtake an outbox that seemed empty. */
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
    engine_ids_open(&s->engine, TOPIC_STORE_OUTBOX_IDS, "outbox_id", OUTBOX_ID_RESERVE);
    engine_ids_open(&s->engine, TOPIC_STORE_SEQUENCES, "sequence", SEQUENCE_RESERVE);
    engine_ids_open(&s->engine, TOPIC_STORE_ASSET_IDS, "asset_id", ID_RESERVE);
    return count_outboxes(s);
}

void topic_store_deinit(struct topic_store *s)
{
    for (u32 i = 0; i < s->outbox_count; i++)
        mem_free(s->outboxes[i]);
    mem_free(s->outboxes);
}
