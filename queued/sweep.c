/* The background jobs, and one timer for all due times. A piece of work is one message. */
#include "queued/sweep.h"

#include "queued/group.h"

/* Due messages of one queue that are handled before the next queue continues. */
#define QUEUE_BATCH 32
/* The largest gap between two rows of a run: the seqs between them are looked up one by one. */
#define GAP_MAX 64
/* Rows that one statement deletes, between two checks of the clock: rows that are not cached must
 * be read from disk. */
#define RUN_MAX 128
/* Messages removed between two such checks. */
#define ASK_EVERY 32

/* --- due -------------------------------------------------------------------------------------- */

/* Moves one queue whose time has come to the end of queues.showing; only one per call, so that many
 * at once do not make a long slice. */
static void line_up(struct queues *qs)
{
    struct heap_node *top = heap_top(&qs->falls);
    if (!top || heap_due(&qs->falls, top) > qs->clock->now_ms)
        return;
    heap_remove(&qs->falls, top);
    list_push_back(&qs->showing, &container_of(top, struct queue, falls)->showing);
}

/* Shows a batch of the first queue on queues.showing, which is then moved to the end, or
 * removed. */
static u32 show_batch(struct queues *qs, u32 max)
{
    struct queue *q = list_item(qs->showing.next, struct queue, showing);
    u32 n = queue_show_due(q, max);
    struct heap_node *top = heap_top(&q->hidden);
    list_remove(&q->showing);
    if (top && heap_due(&q->hidden, top) <= qs->clock->now_ms)
        list_push_back(&qs->showing, &q->showing);
    else if (top)
        queue_set_falls(q, heap_due(&q->hidden, top));
    return MAX(n, 1);
}

static u32 show_step(void *arg, u32 pieces)
{
    struct queues *qs = arg;
    u32 n = 0;
    while (n < pieces) {
        line_up(qs);
        if (list_is_empty(&qs->showing))
            break;
        n += show_batch(qs, MIN(QUEUE_BATCH, pieces - n));
    }
    return n;
}

/* --- another delay ---------------------------------------------------------------------------- */

static u32 redelay_step(void *arg, u32 pieces)
{
    struct queues *qs = arg;
    u32 n = 0;
    while (n < pieces && !list_is_empty(&qs->redelay)) {
        struct queue *q = list_item(qs->redelay.next, struct queue, redelay);
        u32 done = queue_redelay_some(q, pieces - n);
        n += MAX(done, 1);
    }
    return n;
}

/* --- expired ---------------------------------------------------------------------------------- */

static u32 expire_step(void *arg, u32 pieces)
{
    struct queues *qs = arg;
    struct heap_node *top;
    u32 n = 0;
    while (n < pieces && (top = heap_top(&qs->retire)) &&
           heap_due(&qs->retire, top) <= queues_expiry_now_ms(qs)) {
        struct queue *q = container_of(top, struct queue, retire);
        u32 done = queue_doom_expired(q, MIN(QUEUE_BATCH, pieces - n));
        n += MAX(done, 1);
    }
    return n;
}

/* --- gone ------------------------------------------------------------------------------------- */

/* Neighbouring rows, deleted by one statement. */
struct run {
    u64 first, last; /* 0: none */
};

struct clearing {
    struct queues *queues;
    struct run messages, bodies;
};

static void flush_messages(struct clearing *c)
{
    if (c->messages.first)
        queue_store_delete_messages(c->queues->store, c->messages.first, c->messages.last);
    c->messages = (struct run){0};
}

static void flush_bodies(struct clearing *c)
{
    if (c->bodies.first)
        queue_store_delete_bodies(c->queues->store, c->bodies.first, c->bodies.last);
    c->bodies = (struct run){0};
}

/* Whether there are no message rows between the run and `seq`, according to the index. */
static bool is_gap(const struct clearing *c, u64 seq)
{
    u64 at = c->messages.last + 1;
    if (seq < at || seq - at > GAP_MAX || seq - c->messages.first >= RUN_MAX)
        return false;
    if (c->queues->damaged || c->queues->set_aside)
        return seq == at; /* there are rows that the index does not have */
    while (at < seq && !msg_find(&c->queues->msgs, at))
        at++;
    return at == seq;
}

static void add_message(struct clearing *c, u64 seq)
{
    if (!c->messages.first || !is_gap(c, seq)) {
        flush_messages(c);
        c->messages.first = seq;
    }
    c->messages.last = seq;
}

/* There is no index of body rows, so runs of them have no gaps. */
static void add_body(struct clearing *c, u64 row)
{
    if (!c->bodies.first || row != c->bodies.last + 1 || row - c->bodies.first >= RUN_MAX) {
        flush_bodies(c);
        c->bodies.first = row;
    }
    c->bodies.last = row;
}

static void clear_message(struct clearing *c, struct msg *m)
{
    struct msgs *ms = &c->queues->msgs;
    struct queue *q = m->queue;
    u64 row = msg_body_row(m);
    add_message(c, m->seq);
    if (msg_body_drop(ms, m))
        add_body(c, row);
    msg_forget_due(m);
    history_end(m);
    group_leave(m, true);
    msg_free(ms, m);
    queue_reap(q);
    if (list_is_empty(&q->doomed))
        queues_cleared(q);
}

static u32 clear_step(void *arg, u32 pieces)
{
    struct clearing c = {.queues = arg};
    struct msg *m;
    u32 n = 0;
    for (; n < pieces && (m = queues_first_doomed(c.queues)); n++) {
        if (n % ASK_EVERY == ASK_EVERY - 1 && background_is_over(c.queues->sweep.background))
            break;
        clear_message(&c, m);
    }
    flush_messages(&c);
    flush_bodies(&c);
    if (n)
        loop_dirty(c.queues->loop);
    return n;
}

/* --- deduplication ---------------------------------------------------------------------------- */

static u32 dedup_step(void *arg, u32 pieces)
{
    struct queues *qs = arg;
    u64 seq;
    u32 n = dedup_expire(&qs->dedup, qs->clock->now_ms, pieces, &seq);
    if (n == 0)
        return 0;
    queue_store_delete_dedups(qs->store, seq);
    loop_dirty(qs->loop);
    return n;
}

/* --- move tasks ------------------------------------------------------------------------------- */

static u32 move_step(void *arg, u32 pieces)
{
    return move_tasks_step(arg, pieces);
}

/* --- the jobs --------------------------------------------------------------------------------- */

static void timer_due(struct loop_timer *t)
{
    sweep_arm(t->arg);
}

void sweep_init(struct queues *qs, struct background *background)
{
    qs->sweep = (struct sweep){
        .background = background,
        .show = {.name = "due", .class = BACKGROUND_DUE, .step = show_step, .arg = qs},
        .expire = {.name = "expired", .class = BACKGROUND_CLEAR, .step = expire_step, .arg = qs},
        .clear = {.name = "gone", .class = BACKGROUND_CLEAR, .step = clear_step, .arg = qs},
        .dedup = {.name = "deduplication",
                  .class = BACKGROUND_CLEAR,
                  .step = dedup_step,
                  .arg = qs},
        .redelay = {.name = "delays", .class = BACKGROUND_DUE, .step = redelay_step, .arg = qs},
        .move = {.name = "moves", .class = BACKGROUND_CLEAR, .step = move_step, .arg = qs},
        .timer = {.due = timer_due, .arg = qs},
    };
}

void sweep_stop(struct queues *qs)
{
    struct sweep *s = &qs->sweep;
    loop_timer_clear(qs->loop, &s->timer);
    background_sleep(s->background, &s->show);
    background_sleep(s->background, &s->expire);
    background_sleep(s->background, &s->clear);
    background_sleep(s->background, &s->dedup);
    background_sleep(s->background, &s->redelay);
    background_sleep(s->background, &s->move);
}

/* Wakes the job if it is due; else lowers *due to the job's time. */
static void arm_job(struct queues *qs, i64 job_due, struct background_job *job, i64 *due)
{
    if (job_due <= qs->clock->now_ms)
        background_wake(qs->sweep.background, job);
    else
        *due = MIN(*due, job_due);
}

static i64 heap_first_due(const struct heap *h)
{
    const struct heap_node *top = heap_top(h);
    return top ? heap_due(h, top) : INT64_MAX;
}

void sweep_arm(struct queues *qs)
{
    struct sweep *s = &qs->sweep;
    i64 due = INT64_MAX;
    arm_job(qs, heap_first_due(&qs->falls), &s->show, &due);
    if (heap_top(&qs->retire))
        arm_job(qs, heap_first_due(&qs->retire) + qs->expiry_lag_ms, &s->expire, &due);
    arm_job(qs, heap_first_due(&qs->tasks.due), &s->move, &due);
    arm_job(qs, dedup_due_ms(&qs->dedup), &s->dedup, &due);
    if (!list_is_empty(&qs->redelay))
        background_wake(s->background, &s->redelay);
    if (heap_top(&qs->reap))
        background_wake(s->background, &s->clear);
    if (due == INT64_MAX)
        loop_timer_clear(qs->loop, &s->timer);
    else
        loop_timer_set(qs->loop, &s->timer, due);
}
