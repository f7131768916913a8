/* What queued's store holds in memory, whatever engine keeps the rest. */
#include "queued/queue_store.h"

#include "common/base/mem.h"

/* Ids are given out of a reserve of so many; what a crash leaves of it is never used. */
#define ID_RESERVE 1000000

struct applied {
    u64 sequence;
    str instance; /* own bytes */
};

void queue_store_init(struct queue_store *s, const struct queue_store_ops *ops)
{
    s->ops = ops;
    map_init(&s->applied, NULL);
    engine_ids_open(&s->engine, 0, "id_limit", ID_RESERVE);
}

static void applied_forget(struct queue_store *s)
{
    struct applied *a;

    for (size_t pos = 0; (a = map_next(&s->applied, &pos));)
        mem_free(a);
    map_deinit(&s->applied);
}

void queue_store_deinit(struct queue_store *s)
{
    applied_forget(s);
}

void queue_store_hold_applied(struct queue_store *s, str instance, u64 sequence)
{
    struct applied *a = map_get(&s->applied, instance);

    if (!a) {
        a = mem_alloc(sizeof(*a) + instance.n);
        memcpy(a + 1, instance.p, instance.n);
        a->instance = str_from(a + 1, instance.n);
        map_put(&s->applied, a->instance, a);
    }
    a->sequence = sequence;
}

void queue_store_set_applied(struct queue_store *s, str instance, u64 sequence)
{
    queue_store_hold_applied(s, instance, sequence);
    s->ops->set_applied(s, instance, sequence);
}

u64 queue_store_applied(const struct queue_store *s, str instance)
{
    const struct applied *a = map_get(&s->applied, instance);

    return a ? a->sequence : 0;
}

int queue_store_load(struct queue_store *s, int (*on_queue)(void *arg, const struct queue_row *q),
                     int (*on_message)(void *arg, const struct message_row *m), void *arg)
{
    applied_forget(s);
    map_init(&s->applied, NULL);
    return s->ops->load(
        s, s, &(struct queue_store_walk){.queue = on_queue, .message = on_message, .arg = arg});
}
