/* What queued's store holds in memory, whatever engine keeps the rest. */
#include "queued/queue_store.h"

#include "common/base/mem.h"

/* Ids are given out of a reserve of so many; what a crash leaves of it is never used. */
#define ID_RESERVE 1000000

struct applied {
    u64 sequence, use;
    str incarnation; /* own bytes */
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

static struct applied *applied_of(struct queue_store *s, str incarnation)
{
    struct applied *a = map_get(&s->applied, incarnation);

    if (a)
        return a;
    a = mem_alloc(sizeof(*a) + incarnation.n);
    memcpy(a + 1, incarnation.p, incarnation.n);
    a->incarnation = str_from(a + 1, incarnation.n);
    map_put(&s->applied, a->incarnation, a);
    return a;
}

void queue_store_hold_applied(struct queue_store *s, const struct applied_row *row)
{
    struct applied *a = applied_of(s, row->incarnation);

    a->sequence = row->sequence;
    a->use = row->use;
    s->applied_use = MAX(s->applied_use, row->use);
}

/* Of too many the one goes that was heard longest ago. */
static void applied_bound(struct queue_store *s)
{
    struct applied *a, *oldest = NULL;

    if (s->applied.n <= QUEUE_STORE_APPLIED_MAX)
        return;
    for (size_t pos = 0; (a = map_next(&s->applied, &pos));)
        if (!oldest || a->use < oldest->use)
            oldest = a;
    s->ops->forget_applied(s, oldest->incarnation);
    map_del(&s->applied, oldest->incarnation);
    mem_free(oldest);
}

void queue_store_set_applied(struct queue_store *s, str incarnation, u64 sequence)
{
    struct applied *a = applied_of(s, incarnation);

    a->sequence = sequence;
    if (a->use == 0 || a->use != s->applied_use)
        a->use = ++s->applied_use;
    s->ops->set_applied(s, &(struct applied_row){a->incarnation, a->sequence, a->use});
    applied_bound(s);
}

u64 queue_store_applied(const struct queue_store *s, str incarnation)
{
    const struct applied *a = map_get(&s->applied, incarnation);

    return a ? a->sequence : 0;
}

int queue_store_load(struct queue_store *s, const struct queue_store_walk *walk)
{
    applied_forget(s);
    map_init(&s->applied, NULL);
    return s->ops->load(s, s, walk);
}
