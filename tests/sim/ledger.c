#include "tests/sim/ledger_check.h"

#include "common/base/mem.h"
#include "tests/sim/record.h"
#include "tests/sim/system.h"
#include "tests/sim/world.h"

u64 ledger_copies, ledger_deliveries, ledger_checked;
static struct ledger_queue queues[LEDGER_QUEUES];
static struct ledger_topic topics[LEDGER_TOPICS];
static struct mark **marks; /* by number - 1 */
static u64 mark_count, mark_cap;
static u64 orders[LEDGER_SENDERS];
static struct idmap copies; /* by copy_key */
static i64 settled_us;
static u64 answers;

/* --- life ------------------------------------------------------------------------------------- */

void ledger_begin(void)
{
    memset(queues, 0, sizeof(queues));
    memset(topics, 0, sizeof(topics));
    memset(orders, 0, sizeof(orders));
    for (u32 i = 0; i < LEDGER_QUEUES; i++) {
        queues[i].index = i;
        queues[i].home = -1;
        queues[i].is_fifo = i >= LEDGER_QUEUES - LEDGER_FIFOS;
        snprintf(queues[i].name, sizeof(queues[i].name), "queue-%u%s", i,
                 queues[i].is_fifo ? ".fifo" : "");
        list_init(&queues[i].copies);
        list_init(&queues[i].gone);
    }
    for (u32 i = 0; i < LEDGER_TOPICS; i++) {
        topics[i].index = i;
        snprintf(topics[i].name, sizeof(topics[i].name), "topic-%u", i);
    }
    settled_us = 0;
    answers = 0;
    ledger_checks_begin();
    mark_count = mark_cap = 0;
    marks = NULL;
    idmap_init(&copies, NULL);
}

void ledger_end(void)
{
    struct copy *c;

    for (size_t at = 0; (c = idmap_next(&copies, &at));)
        mem_free(c);
    idmap_deinit(&copies);
    for (u64 i = 0; i < mark_count; i++)
        mem_free(marks[i]);
    mem_free(marks);
}

struct ledger_moment ledger_now(void)
{
    return (struct ledger_moment){world_now_us(), settled_us};
}

void ledger_settled(void)
{
    settled_us = world_now_us();
}

struct ledger_queue *ledger_queue(u32 index)
{
    return &queues[index];
}

struct ledger_topic *ledger_topic(u32 index)
{
    return &topics[index];
}

/* --- things that come and go ------------------------------------------------------------------ */

void thing_change(struct thing *t, enum presence to)
{
    assert(!t->changing);
    t->changing = true;
    t->version++;
    t->changed_us = world_now_us();
    t->undone = false;
    t->before = t->presence;
    if (t->presence == to)
        return;
    t->presence = UNSURE;
    if (to == THERE) {
        memmove(t->earlier + 1, t->earlier, sizeof(t->earlier) - sizeof(t->earlier[0]));
        t->earlier[0].since_us = t->since_us;
        t->earlier[0].until_us = t->until_us;
        t->since_us = world_now_us();
        t->until_us = INT64_MAX;
    }
}

void thing_changed(struct thing *t, enum presence to, enum outcome o)
{
    assert(t->changing);
    t->changing = false;
    t->version++;
    t->changed_us = world_now_us();
    if (t->undone)
        o = OUTCOME_UNKNOWN;
    if (o == OUTCOME_REFUSED)
        t->presence = t->before;
    if (o == OUTCOME_DONE)
        t->presence = to;
    if (t->presence == ABSENT)
        t->until_us = world_now_us();
}

/* Whether it may have been there at any time from..to. */
static bool thing_was_there(const struct thing *t, i64 from_us, i64 to_us)
{
    bool was = t->version > 0 && t->since_us <= to_us && t->until_us >= from_us;

    for (u32 i = 0; i < LEDGER_EARLIER; i++)
        was = was || (t->earlier[i].since_us <= to_us && t->earlier[i].until_us >= from_us);
    return was;
}

/* --- messages --------------------------------------------------------------------------------- */

struct mark *ledger_mark(u32 sender, struct ledger_topic *t)
{
    struct mark *m = mem_alloc(sizeof(*m));

    assert(sender < LEDGER_SENDERS);
    if (mark_count == mark_cap) {
        mark_cap = MAX(2 * mark_cap, (u64)1024);
        marks = mem_grow(marks, mark_cap * sizeof(*marks));
    }
    marks[mark_count++] = m;
    *m = (struct mark){.number = mark_count,
                       .sender = sender,
                       .order = ++orders[sender],
                       .topic = t,
                       .issued_us = world_now_us(),
                       .ended_us = INT64_MAX};
    return m;
}

void ledger_mark_ended(struct mark *m)
{
    m->ended_us = world_now_us();
}

u64 ledger_marks(void)
{
    return mark_count;
}

struct mark *ledger_marked(u64 number)
{
    return marks[number - 1];
}

static u64 copy_key(const struct ledger_queue *q, const struct mark *m)
{
    return m->number * LEDGER_QUEUES + q->index;
}

struct copy *ledger_copy(const struct ledger_queue *q, const struct mark *m)
{
    return idmap_get(&copies, copy_key(q, m));
}

struct copy *ledger_send(struct ledger_queue *q, struct mark *m)
{
    struct copy *c = mem_alloc(sizeof(*c));

    *c = (struct copy){.queue = q, .mark = m, .in_us = INT64_MAX, .gone_us = INT64_MAX};
    list_push_back(&q->copies, &c->link);
    idmap_put(&copies, copy_key(q, m), c);
    ledger_copies++;
    return c;
}

bool ledger_is_deduplicated(const struct copy *c)
{
    return !c->queue->purges && c->queue->purged_us < c->mark->issued_us;
}

static void copy_identify(struct copy *c, str message_id)
{
    if (!message_id.n)
        return;
    if (c->message_id[0] && !str_is(message_id, c->message_id) && !c->mark->loose &&
        !c->queue->is_torn && ledger_is_deduplicated(c))
        world_fail("doubled: mark %" PRIu64 " in %s is %s and %.*s", c->mark->number,
                   c->queue->name, c->message_id, STR_ARG(message_id));
    memcpy(c->message_id, message_id.p, MIN(message_id.n, sizeof(c->message_id) - 1));
}

void ledger_sent(struct copy *c, enum outcome o, bool in_queue, str message_id)
{
    if (o == OUTCOME_REFUSED && c->in_us != INT64_MAX)
        world_fail("back: mark %" PRIu64 " was received from %s and its sending refused",
                   c->mark->number, c->queue->name);
    c->refused = o == OUTCOME_REFUSED;
    if (o != OUTCOME_DONE)
        return;
    c->acked = true;
    if (in_queue)
        c->in_us = MIN(c->in_us, world_now_us());
    copy_identify(c, message_id);
}

static void copy_gone(struct copy *c)
{
    if (c->gone_us != INT64_MAX)
        return;
    c->gone_us = world_now_us();
    list_remove(&c->link);
    list_push_back(&c->queue->gone, &c->link);
}

void ledger_delete(struct copy *c)
{
    c->ends++;
}

void ledger_deleted(struct copy *c, enum outcome o)
{
    record("ledger", "mark %" PRIu64 " in %s %s", c->mark->number, c->queue->name,
           o == OUTCOME_DONE      ? "is deleted"
           : o == OUTCOME_REFUSED ? "is not deleted"
                                  : "may be deleted");
    if (o == OUTCOME_DONE)
        copy_gone(c);
    if (o == OUTCOME_REFUSED)
        c->ends--;
}

void ledger_empty(struct ledger_queue *q)
{
    list_each(at, next, &q->copies)
        list_item(at, struct copy, link)->emptied = true;
}

void ledger_purge(struct ledger_queue *q)
{
    q->purges++;
    ledger_empty(q);
}

void ledger_purged(struct ledger_queue *q, i64 issued_us, enum outcome o)
{
    if (o == OUTCOME_UNKNOWN || q->is_torn) /* it was only one of the two queues */
        return;
    if (o == OUTCOME_DONE)
        ledger_emptied(q, issued_us);
    q->purges--;
    q->purged_us = world_now_us();
}

void ledger_emptied(struct ledger_queue *q, i64 issued_us)
{
    list_each(at, next, &q->copies) {
        struct copy *c = list_item(at, struct copy, link);

        c->emptied = true;
        if (c->in_us <= issued_us)
            copy_gone(c);
    }
}

/* Something asked for at issued_us hid it, at some time until now. What else hid it since then may
 * have been before or after. */
static void copy_hidden(struct copy *c, i64 issued_us, i64 hide_ms)
{
    i64 until_us = issued_us + hide_ms * 1000;

    c->hidden_until_us =
        c->hidden_from_us > issued_us ? MIN(c->hidden_until_us, until_us) : until_us;
    c->hidden_from_us = world_now_us();
}

void ledger_hide(struct copy *c, i64 hide_ms)
{
    record("ledger", "mark %" PRIu64 " in %s may become hidden for %" PRId64 " ms", c->mark->number,
           c->queue->name, hide_ms);
    c->hides++;
}

void ledger_hidden(struct copy *c, i64 issued_us, i64 hide_ms, enum outcome o)
{
    record("ledger", "mark %" PRIu64 " in %s %s hidden for %" PRId64 " ms", c->mark->number,
           c->queue->name,
           o == OUTCOME_DONE      ? "is"
           : o == OUTCOME_REFUSED ? "is not"
                                  : "may be",
           hide_ms);
    if (o != OUTCOME_UNKNOWN)
        c->hides--;
    if (o == OUTCOME_DONE)
        copy_hidden(c, issued_us, hide_ms);
}

/* --- deliveries ------------------------------------------------------------------------------- */

/* A copy that nobody foresaw: a subscription that came while the publish was under way. */
static struct copy *copy_unforeseen(const struct delivery *d, struct mark *m)
{
    const struct ledger_sub *sub = m->topic ? &m->topic->subs[d->queue->index] : NULL;

    if (!sub || !thing_was_there(&sub->thing, m->issued_us, m->ended_us) ||
        !MESSAGE_POLICIES[sub->policy].matches(m))
        world_fail("strange: mark %" PRIu64 " is in %s, and was not for it", m->number,
                   d->queue->name);
    return ledger_send(d->queue, m);
}

static struct copy *copy_of(const struct delivery *d)
{
    u64 number = message_marked(d->body);

    if (number == 0 || number > mark_count)
        world_fail("strange: a body in %s that nobody sent: %.*s", d->queue->name,
                   STR_ARG(str_slice(d->body, 0, 300)));
    struct mark *m = ledger_marked(number);
    struct copy *c = ledger_copy(d->queue, m);
    bool wrapped = m->topic && !m->topic->subs[d->queue->index].raw;

    if (!message_is_whole(m, d->body, wrapped))
        world_fail("strange: mark %" PRIu64 " in %s has another body: %.*s", number, d->queue->name,
                   STR_ARG(str_slice(d->body, 0, 300)));
    return c ? c : copy_unforeseen(d, m);
}

u64 ledger_answer(void)
{
    return ++answers;
}

struct copy *ledger_received(const struct delivery *d)
{
    struct copy *c = copy_of(d);

    ledger_deliveries++;
    record("ledger", "mark %" PRIu64 " from %s%s, receive %" PRId64 ", hidden for %" PRId64 " ms",
           c->mark->number, d->queue->name, d->direct ? "" : " by topicd", d->count, d->hide_ms);
    copy_identify(c, d->message_id);
    if (!c->mark->loose && !d->queue->is_torn)
        ledger_check_delivery(c, d);
    if (d->direct)
        c->counted = (u32)d->count;
    ledger_checked += d->drain && ledger_is_certain(c);
    c->drained = MAX(c->drained, d->drain);
    c->received = d->answer;
    c->in_us = MIN(c->in_us, world_now_us());
    copy_hidden(c, d->direct ? world_now_us() : d->issued_us, d->hide_ms);
    return c;
}

void ledger_receive_lost(struct ledger_queue *q, i64 until_us)
{
    q->unordered_us = MAX(q->unordered_us, until_us);
}

void ledger_returned(struct copy *c)
{
    record("ledger", "mark %" PRIu64 " comes back to %s", c->mark->number, c->queue->name);
    c->returned = true;
    c->hidden_until_us = 0;
    c->counted -= MIN(c->counted, 1);
}

void ledger_check_drained(struct ledger_queue *q, u32 drain)
{
    list_each(at, next, &q->copies) {
        struct copy *c = list_item(at, struct copy, link);

        if (c->drained == drain)
            continue;
        if (ledger_is_certain(c))
            world_fail("lost: mark %" PRIu64 " (number %" PRIu64 " of sender %u, %s) is not in %s",
                       c->mark->number, c->mark->order, c->mark->sender,
                       c->mark->topic ? c->mark->topic->name : "sent to it", q->name);
        copy_gone(c);
    }
}
