#include "queued/lease.h"

#include "queued/queues.h"

struct leased {
    u64 seq;
    u32 delivery; /* its receive count, including this receive */
    i64 due_ms, hide_ms;
};

/* In the call's arena; the call's `parked` points to it from the first message on. */
struct lease {
    struct queues *all;
    u64 queue;
    bool is_receive;
    str attempt;
    u32 n;
    struct leased items[QUEUE_TAKE_MAX];
};

/* NULL: the message is gone, or was received or changed since. */
static struct msg *leased_msg(const struct queue *q, const struct leased *l)
{
    struct msg *m = queue_find(q, l->seq);
    if (!m || msg_receives(m) != l->delivery)
        return NULL;
    bool is_over = msg_due_ms(m) == 0 && l->due_ms <= clock_read_ms(q->all->clock);
    return msg_due_ms(m) == l->due_ms || is_over ? m : NULL;
}

static void lease_extend(const struct lease *l, struct queue *q)
{
    i64 now_ms = clock_read_ms(l->all->clock);
    for (u32 i = 0; i < l->n; i++) {
        struct msg *m = leased_msg(q, &l->items[i]);
        if (m && l->items[i].hide_ms)
            queue_hide_until(m, now_ms + l->items[i].hide_ms);
    }
}

static void lease_give_back(const struct lease *l, struct queue *q, bool is_counted)
{
    for (u32 i = 0; i < l->n; i++) {
        struct msg *m = leased_msg(q, &l->items[i]);
        if (m)
            queue_take_back(m, is_counted);
    }
}

static void lease_settle(struct call *c, enum call_outcome outcome)
{
    const struct lease *l = c->parked;
    struct queue *q = idmap_get(&l->all->by_id, l->queue);
    if (outcome == CALL_UNDONE || !q || q->deleted || l->all->failing)
        return;
    if (l->attempt.n && !attempt_settle(q, l->attempt, outcome))
        return;
    if (outcome == CALL_SENT)
        lease_extend(l, q);
    else if (l->is_receive)
        lease_give_back(l, q, outcome == CALL_CUT);
    if (outcome == CALL_SENT && l->attempt.n)
        attempt_renew(q, l->attempt);
}

static struct lease *lease_of(struct call *c, const struct queue *q)
{
    if (c->sent)
        return c->parked;
    struct lease *l = arena_alloc(&c->arena, sizeof *l);
    *l = (struct lease){.all = q->all, .queue = q->id, .attempt = STR("")};
    c->parked = l;
    c->sent = lease_settle;
    return l;
}

void lease_note(struct call *c, const struct msg *m, i64 hide_ms)
{
    struct lease *l = lease_of(c, m->queue);
    assert(c->sent == lease_settle && l->n < QUEUE_TAKE_MAX);
    i64 due_ms = msg_due_ms(m);
    l->items[l->n++] = (struct leased){m->seq, msg_receives(m), due_ms, due_ms ? hide_ms : 0};
}

void lease_is_receive(struct call *c, str attempt)
{
    struct lease *l = c->parked;
    assert(c->sent == lease_settle);
    l->is_receive = true;
    l->attempt = attempt;
}
