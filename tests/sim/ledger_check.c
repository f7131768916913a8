/* See ledger_check.h. */
#include "tests/sim/ledger_check.h"

#include "tests/sim/system.h"
#include "tests/sim/world.h"

/* What is late or early by so much is not told: the daemons count in milliseconds. */
#define EARLY_US 2000
/* Around the end of a retention a message may be there or not. */
#define RETENTION_SLACK_MS 20000
/* A daemon that starts long after the last time that its store knows, as an older copy does, lets
 * nothing expire for a while. */
#define GRACE_US (1400 * WORLD_SECOND_US)
/* A visibility timeout counts from the answer; after a restart from the beginning of the turn that
 * received, which with a slow disk is so much earlier. */
#define TURN_US 4000000
/* A daemon does not follow a step but at its next start; else it follows by one part in so many. */
#define FOLLOWS_ONE_IN 2000

/* By queued: when its clock was set last, and when it started; -1: never. */
static i64 stepped_us[LEDGER_NODES_MAX], started_us[LEDGER_NODES_MAX];

void ledger_checks_begin(void)
{
    for (u32 i = 0; i < LEDGER_NODES_MAX; i++)
        stepped_us[i] = started_us[i] = -1;
}

void ledger_clock_stepped(int node)
{
    assert(node < LEDGER_NODES_MAX);
    stepped_us[node] = world_now_us();
}

void ledger_started(int node)
{
    started_us[node] = world_now_us();
}

/* Whether that has happened since then to a queued that may have the queue. */
static bool was_since(const i64 *happened_us, const struct ledger_queue *q, i64 began_us)
{
    bool may = false;

    for (int i = 0; i < LEDGER_NODES_MAX; i++)
        may = may || ((q->home < 0 || q->home == i) && happened_us[i] >= began_us);
    return may;
}

/* Whether something that began then in this queue may be counted by a clock that was set since. */
static bool is_stepped(const struct ledger_queue *q, i64 began_us)
{
    return was_since(stepped_us, q, began_us);
}

static i64 early_us(i64 of_us)
{
    return EARLY_US + of_us / FOLLOWS_ONE_IN;
}

static i64 retention_slack_ms(const struct ledger_queue *q)
{
    i64 since_us = world_now_us() - q->retention_ms * 1000;

    return RETENTION_SLACK_MS + (is_stepped(q, since_us) ? 2 * LEDGER_STEP_MAX_US / 1000 : 0);
}

static void check_is_not_back(const struct copy *c, const struct delivery *d)
{
    if (c->refused)
        world_fail("back: mark %" PRIu64 " was refused and is in %s", c->mark->number,
                   d->queue->name);
    if (d->issued_us >= c->gone_us)
        world_fail("back: mark %" PRIu64 " was gone from %s at %.6f", c->mark->number,
                   d->queue->name, (double)c->gone_us / 1e6);
}

static void check_times(const struct copy *c, const struct delivery *d)
{
    i64 now_us = world_now_us(), now_ms = system_ms_of(now_us);
    i64 age_ms = now_ms - d->sent_ms;
    i64 turn_us = was_since(started_us, d->queue, c->hidden_from_us) ? TURN_US : 0;

    if (now_us < c->hidden_until_us - early_us(c->hidden_until_us - c->hidden_from_us) - turn_us &&
        !c->hides && !is_stepped(d->queue, c->hidden_from_us) &&
        (d->direct || c->hidden_from_us <= d->issued_us))
        world_fail("early: mark %" PRIu64 " in %s is hidden until %.6f", c->mark->number,
                   d->queue->name, (double)c->hidden_until_us / 1e6);
    if (now_us <
            c->mark->issued_us + d->queue->delay_ms * 1000 - early_us(d->queue->delay_ms * 1000) &&
        !is_stepped(d->queue, c->mark->issued_us))
        world_fail("early: mark %" PRIu64 " in %s is delayed", c->mark->number, d->queue->name);
    if (d->direct && age_ms > d->queue->retention_ms + retention_slack_ms(d->queue) &&
        !was_since(started_us, d->queue, now_us - GRACE_US))
        world_fail("back: mark %" PRIu64 " in %s is past its retention, %" PRId64 " ms old",
                   c->mark->number, d->queue->name, age_ms);
}

/* A later one of the same sender was received first, though this one was acknowledged before that
 * one was sent. */
static void check_order(const struct copy *c, const struct delivery *d)
{
    u64 *latest = &d->queue->latest[c->mark->sender];

    if (!d->direct || d->count != 1 || d->queue->delay_ms || c->returned || d->queue->is_fifo ||
        c->mark->issued_us < d->queue->unordered_us)
        return;
    if (c->mark->order < *latest && c->acked)
        world_fail("disorder: mark %" PRIu64 " in %s is number %" PRIu64
                   " of its sender, and number %" PRIu64 " came before it",
                   c->mark->number, d->queue->name, c->mark->order, *latest);
    *latest = MAX(*latest, c->mark->order);
}

bool ledger_is_certain(const struct copy *c)
{
    i64 age_ms = (world_now_us() - c->mark->issued_us) / 1000;

    return c->acked && !c->ends && !c->emptied &&
           age_ms <= c->queue->retention_ms - retention_slack_ms(c->queue);
}

/* What is earlier in its group has been deleted, or comes before it in the same answer. */
static void check_group(const struct copy *c, const struct delivery *d)
{
    list_each(at, next, &d->queue->copies) {
        const struct copy *before = list_item(at, struct copy, link);

        if (before->mark->group != c->mark->group || before->mark->order >= c->mark->order ||
            before->received == d->answer || !ledger_is_certain(before))
            continue;
        world_fail("disorder: mark %" PRIu64 " comes from %s, and mark %" PRIu64
                   " of its group is before it",
                   c->mark->number, d->queue->name, before->mark->number);
    }
}

void ledger_check_delivery(const struct copy *c, const struct delivery *d)
{
    check_is_not_back(c, d);
    if (d->drain && c->drained == d->drain)
        world_fail("doubled: mark %" PRIu64 " in %s comes twice", c->mark->number, d->queue->name);
    check_times(c, d);
    check_order(c, d);
    if (d->queue->is_fifo)
        check_group(c, d);
    if (d->direct && d->count <= c->counted)
        world_fail("back: mark %" PRIu64 " in %s was received %u times and says %" PRId64,
                   c->mark->number, d->queue->name, c->counted, d->count);
}
