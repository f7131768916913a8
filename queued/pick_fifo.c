/* FIFO queues: groups are served in turn, each in the order of its messages' arrival.
 *
 * A group can deliver the messages before its first hidden one. So a group whose first message is
 * in flight delivers none, and a delayed message blocks those after it. A receive takes as many
 * messages of a group as it can before it continues with the next group.
 *
 *   ready: groups whose first message is visible ──take──> current ──taken_all──> ready, behind
 *          the others, when its first message is visible still or again
 *
 * Invariants: (1) outside of a receive a group is on `ready` exactly when its first message is
 * visible; (2) within one, the current group is on no list, and those that the receive is through
 * with are on `passed` when their first message is visible: a message comes once in one receive. */
#include "queued/group.h"
#include "queued/queue.h"

static struct pick_fifo_state *fifo_of(struct queue *q)
{
    return &q->pick_state.fifo;
}

static struct msg *group_msg(struct list *at)
{
    return list_item(at, struct msg, at.line);
}

static struct msg *msg_after(const struct msg *m)
{
    struct list *next = m->at.line.next;
    return next == &m->group->messages ? NULL : group_msg(next);
}

static bool group_is_ready(const struct group *g)
{
    return !list_is_empty(&g->messages) && msg_state(group_msg(g->messages.next)) == MSG_VISIBLE;
}

/* Puts the group on the right list after its first message, or that message's state, may have
 * changed. */
static void group_settle(struct queue *q, struct group *g)
{
    bool is_ready = group_is_ready(g);
    if (g == fifo_of(q)->current)
        return;
    if (is_ready && list_is_empty(&g->link))
        list_push_back(&fifo_of(q)->ready, &g->link);
    else if (!is_ready)
        list_remove(&g->link);
}

static void fifo_init(struct queue *q)
{
    list_init(&fifo_of(q)->ready);
    list_init(&fifo_of(q)->passed);
}

/* The queue clears its table of groups itself; a group is freed with the last of its messages,
 * which are removed later. */
static void fifo_clear(struct queue *q)
{
    assert(!fifo_of(q)->current);
    fifo_init(q);
}

static void fifo_arrive(struct queue *q, struct msg *m)
{
    list_push_back(&m->group->messages, &m->at.line);
    group_settle(q, m->group);
}

static void fifo_changed(struct queue *q, struct msg *m)
{
    if (m->at.line.prev == &m->group->messages)
        group_settle(q, m->group);
}

static void fifo_drop(struct queue *q, struct msg *m)
{
    struct pick_fifo_state *s = fifo_of(q);
    if (s->next == m)
        s->next = msg_after(m);
    list_remove(&m->at.line);
    if (s->current == m->group && list_is_empty(&m->group->messages))
        s->current = NULL;
    group_settle(q, m->group);
}

/* The present receive is done with the group: messages that it has now are for a later receive. */
static void fifo_pass(struct queue *q)
{
    struct pick_fifo_state *s = fifo_of(q);
    struct group *g = s->current;
    s->current = NULL;
    if (g && group_is_ready(g))
        list_push_back(&s->passed, &g->link);
}

static struct msg *fifo_take(struct queue *q)
{
    struct pick_fifo_state *s = fifo_of(q);
    while (!s->next || msg_state(s->next) != MSG_VISIBLE) {
        fifo_pass(q);
        if (list_is_empty(&s->ready))
            return s->next = NULL;
        s->current = list_item(s->ready.next, struct group, link);
        list_remove(&s->current->link);
        s->next = group_msg(s->current->messages.next);
    }
    struct msg *m = s->next;
    s->next = msg_after(m);
    return m;
}

static void fifo_taken_all(struct queue *q)
{
    struct pick_fifo_state *s = fifo_of(q);
    fifo_pass(q);
    s->next = NULL;
    list_move_all(&s->ready, &s->passed);
}

static bool fifo_has_next(const struct queue *q)
{
    return !list_is_empty(&q->pick_state.fifo.ready);
}

static void fifo_check(const struct queue *q)
{
    const struct pick_fifo_state *s = &q->pick_state.fifo;
    struct group *g;
    u64 messages = 0, ready = 0;
    assert(!s->current && !s->next && list_is_empty(&s->passed));
    for (size_t pos = 0; (g = map_next(&q->groups, &pos));) {
        u64 before = 0;
        u32 holders = 0;
        for (struct list *at = g->messages.next; at != &g->messages; at = at->next, holders++) {
            const struct msg *m = group_msg(at);
            assert(m->queue == q && m->group == g && m->seq > before);
            before = m->seq;
        }
        assert(holders == g->holders && holders > 0);
        assert(group_is_ready(g) == !list_is_empty(&g->link));
        messages += holders;
        ready += group_is_ready(g);
    }
    for (const struct list *at = s->ready.next; at != &s->ready; at = at->next)
        ready--;
    assert(ready == 0);
    assert(messages == q->visible_count + q->leased_count + q->delayed_count);
}

const struct pick pick_fifo = {
    .by_group = true,
    .group_size = sizeof(struct group),
    .init = fifo_init,
    .clear = fifo_clear,
    .arrive = fifo_arrive,
    .show = fifo_changed,
    .hide = fifo_changed,
    .drop = fifo_drop,
    .take = fifo_take,
    .taken_all = fifo_taken_all,
    .has_next = fifo_has_next,
    .check = fifo_check,
};
