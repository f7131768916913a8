#include "queued/redrive_sources.h"

#include "common/base/mem.h"
#include "queued/queue.h"

struct redrive_target {
    str arn; /* own bytes */
    u32 n;
    struct skiplist sources; /* of struct queue by key */
};

void redrive_sources_init(struct redrive_sources *rs, const struct map_seed *seed)
{
    map_init(&rs->by_target, seed);
}

static void target_free(struct redrive_target *t)
{
    skiplist_deinit(&t->sources);
    mem_free(t);
}

void redrive_sources_deinit(struct redrive_sources *rs)
{
    struct redrive_target *t;

    for (size_t pos = 0; (t = map_next(&rs->by_target, &pos));)
        target_free(t);
    map_deinit(&rs->by_target);
}

static struct redrive_target *target_new(str arn)
{
    struct redrive_target *t = mem_alloc(sizeof(*t) + arn.n);

    memcpy(t + 1, arn.p, arn.n);
    t->arn = str_from(t + 1, arn.n);
    skiplist_init(&t->sources);
    return t;
}

void redrive_sources_add(struct redrive_sources *rs, struct queue *q)
{
    str arn = str_of(q->dead_letter_arn);
    struct redrive_target *t = map_get(&rs->by_target, arn);

    if (!t) {
        t = target_new(arn);
        map_put(&rs->by_target, t->arn, t);
    }
    skiplist_put(&t->sources, q->key, q);
    t->n++;
}

void redrive_sources_remove(struct redrive_sources *rs, struct queue *q)
{
    struct redrive_target *t =
        q->dead_letter_arn ? map_get(&rs->by_target, str_of(q->dead_letter_arn)) : NULL;

    if (!t)
        return;
    skiplist_del(&t->sources, q->key);
    if (--t->n > 0)
        return;
    map_del(&rs->by_target, t->arn);
    target_free(t);
}

bool redrive_sources_has(const struct redrive_sources *rs, str target_arn)
{
    return map_get(&rs->by_target, target_arn) != NULL;
}

struct skiplist_node *redrive_sources_list(const struct redrive_sources *rs, str target_arn,
                                           str after)
{
    const struct redrive_target *t = map_get(&rs->by_target, target_arn);
    struct skiplist_node *n = t ? skiplist_from(&t->sources, after) : NULL;

    if (n && after.n && str_eq(((struct queue *)skiplist_value(n))->key, after))
        n = skiplist_next(n);
    return n;
}
