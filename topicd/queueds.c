#include "topicd/queueds.h"

#include "common/base/mem.h"

/* --- what the links say ----------------------------------------------------------------------- */

static void queueds_on_up(void *arg, struct queued_link *p, i64 clock_ms)
{
    struct queueds *q = arg;

    directory_greeted(&q->directory, p);
    q->events.up(q->events.arg, p, clock_ms);
}

static void queueds_on_down(void *arg, struct queued_link *p)
{
    struct queueds *q = arg;

    q->events.down(q->events.arg, p);
}

static void queueds_on_queues(void *arg, struct queued_link *p, const struct frame_queues *queues)
{
    directory_announced(&((struct queueds *)arg)->directory, p->home, queues);
}

static bool queueds_on_rejected(void *arg, struct queued_link *p, struct delivery_batch *d,
                                const struct frame_rejected *j)
{
    return held_rejected(d, j);
}

static int on_returned(void *arg, struct queued_link *p, struct delivery_batch *d)
{
    return held_returned(&((struct queueds *)arg)->held, d);
}

static void queueds_on_answer(void *arg, struct queued_link *p, struct frame_answer *a)
{
    struct queueds *q = arg;

    q->events.answer(q->events.arg, p, a);
}

static void queueds_on_clock(void *arg, struct queued_link *p, i64 now_ms)
{
    struct queueds *q = arg;

    q->events.clock(q->events.arg, p, now_ms);
}

static void queueds_on_freed(void *arg)
{
    struct queueds *q = arg;

    q->events.freed(q->events.arg);
}

static i64 queueds_greeting_ms(void *arg)
{
    struct queueds *q = arg;

    return q->events.clock_ms(q->events.arg);
}

static void on_merged(void *arg, struct home *from, struct home *to)
{
    directory_merged(&((struct queueds *)arg)->directory, from, to);
}

/* --- life ------------------------------------------------------------------------------------- */

int queueds_load(struct queueds *q, const struct queueds_conf *conf)
{
    *q = (struct queueds){.link_count = conf->link_count, .events = conf->events};
    q->links = mem_array(q->link_count, sizeof(struct queued_link *));
    failed_deliveries_init(&q->failed, loop_clock(conf->loop));
    homes_init(&q->homes, conf->store, conf->loop, conf->ids, conf->outbox_bytes_max);
    q->homes.merged = on_merged;
    q->homes.arg = q;
    directory_init(&q->directory, &q->homes, conf->store, conf->loop, conf->seed, q->links,
                   q->link_count);
    held_init(&q->held, &q->homes, &q->directory, &q->failed, q->links, q->link_count);
    int err = homes_load(&q->homes);

    return err ? err : directory_load(&q->directory);
}

int queueds_open(struct queueds *q, const struct queueds_conf *conf, struct fault *f)
{
    struct queued_link_events events = {.up = queueds_on_up,
                                        .down = queueds_on_down,
                                        .queues = queueds_on_queues,
                                        .rejected = queueds_on_rejected,
                                        .returned = on_returned,
                                        .answer = queueds_on_answer,
                                        .clock = queueds_on_clock,
                                        .freed = queueds_on_freed,
                                        .clock_ms = queueds_greeting_ms,
                                        .arg = q};
    int err = 0;

    for (u32 i = 0; i < q->link_count && !err; i++)
        err = queued_link_open(&q->links[i], conf->loop, &q->homes, i, conf->urls[i], &conf->limits,
                               events, f);
    if (err)
        return err;
    homes_tidy(&q->homes);
    held_load(&q->held);
    return 0;
}

void queueds_close(struct queueds *q)
{
    if (!q->links)
        return;
    for (u32 i = 0; i < q->link_count; i++)
        queued_link_close(q->links[i]);
    held_deinit(&q->held);
    directory_deinit(&q->directory);
    homes_deinit(&q->homes);
    mem_free(q->links);
}

void queueds_set_failing(struct queueds *q, bool failing)
{
    homes_set_failing(&q->homes, failing);
    directory_set_failing(&q->directory, failing);
    if (failing)
        return;
    held_load(&q->held);
    for (u32 i = 0; i < q->link_count; i++)
        queued_link_renew(q->links[i]);
}

void queueds_flush(struct queueds *q)
{
    for (u32 i = 0; i < q->link_count; i++)
        queued_link_flush(q->links[i]);
}

u32 queueds_up(const struct queueds *q)
{
    u32 up = 0;

    for (u32 i = 0; i < q->link_count; i++)
        up += queued_link_is_up(q->links[i]);
    return up;
}

bool queueds_are_idle(const struct queueds *q)
{
    for (u32 i = 0; i < q->link_count; i++)
        if (!list_is_empty(&q->links[i]->unacked))
            return false;
    return true;
}
