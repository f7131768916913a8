/* What an older copy of a daemon's store may legitimately lose, bring back or do again. Everything
 * else must be as before. */
#include "tests/sim/ledger.h"
#include "tests/sim/world.h"

/* A thing of a daemon that forgot what it was asked since `then_us`. */
static void thing_restored(struct thing *t, i64 then_us)
{
    if (t->version == 0)
        return;
    t->version++; /* nobody can say that it stood all the time */
    if (t->changed_us < then_us && !t->changing)
        return;
    t->undone = t->changing;
    t->before = t->presence = UNSURE;
    t->until_us = INT64_MAX;
}

/* Published since then: it was delivered, or forgotten. */
static void mark_forgotten(const struct mark *m)
{
    for (u32 i = 0; i < LEDGER_QUEUES; i++) {
        struct copy *c = ledger_copy(ledger_queue(i), m);

        if (c && c->in_us == INT64_MAX)
            c->acked = false;
    }
}

void ledger_restored_topicd(const struct ledger_moment *then)
{
    for (u32 i = 0; i < LEDGER_TOPICS; i++) {
        struct ledger_topic *t = ledger_topic(i);

        thing_restored(&t->thing, then->us);
        for (u32 k = 0; k < LEDGER_QUEUES; k++)
            thing_restored(&t->subs[k].thing, then->us);
    }
    for (u32 i = 0; i < LEDGER_QUEUES; i++)
        ledger_queue(i)->is_forgotten = true;
    for (u64 i = 1; i <= ledger_marks(); i++) {
        struct mark *m = ledger_marked(i);

        if (!m->topic)
            continue;
        if (m->ended_us >= then->us)
            mark_forgotten(m);
        if (m->issued_us <= then->us && m->ended_us >= then->settled_us)
            m->loose = true;
    }
}

/* Not by this restore: it was there then for sure, and nothing has happened to it since. */
static bool copy_stays(const struct copy *c, i64 then_us)
{
    return c->acked && c->in_us <= then_us && !c->ends && !c->emptied && c->gone_us == INT64_MAX;
}

/* It may be there or not, with whatever was known of it then. */
static void copy_restored(struct copy *c, i64 then_us)
{
    c->hidden_until_us = 0;
    c->counted = 0;
    c->returned = true;
    if (c->refused || copy_stays(c, then_us))
        return;
    c->acked = false;
    c->in_us = c->gone_us = INT64_MAX;
    c->message_id[0] = '\0';
}

static void queue_restored(struct ledger_queue *q, i64 then_us)
{
    bool changed = q->thing.changing || q->thing.changed_us >= then_us;

    thing_restored(&q->thing, then_us);
    q->restores++;
    if (changed) {
        q->is_torn = true;
        q->home = -1;
    }
    while (!list_is_empty(&q->gone)) {
        struct copy *c = list_item(q->gone.prev, struct copy, link);

        if (c->gone_us < then_us)
            break;
        list_remove(&c->link);
        list_push_back(&q->copies, &c->link);
    }
    list_each(at, next, &q->copies) {
        struct copy *c = list_item(at, struct copy, link);

        c->acked = c->acked && !changed;
        copy_restored(c, then_us);
    }
}

void ledger_restored_queued(int node, const struct ledger_moment *then)
{
    for (u32 i = 0; i < LEDGER_QUEUES; i++) {
        struct ledger_queue *q = ledger_queue(i);
        bool elsewhere = q->home >= 0 && q->home != node;

        if (!elsewhere || q->thing.changing || q->thing.changed_us >= then->us)
            queue_restored(q, then->us);
    }
}
