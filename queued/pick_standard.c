/* Standard queues: visible messages are given out in the order of their arrival, also those that
 * become visible again.
 *
 * Most messages become visible in that order and form the line, which costs nothing to keep. One
 * that becomes visible while later ones are in the line already goes into a heap; the earlier one
 * of the line's head and the heap's top is next.
 *
 * Invariants: (1) `line` rises by seq; (2) a message is in the line (IN_LINE), in the heap
 * (RETURNED), or nowhere while it is hidden or was taken by the present receive. */
#include "queued/queue.h"

enum { NOWHERE, IN_LINE, RETURNED };

static struct pick_standard_state *state_of(struct queue *q)
{
    return &q->pick_state.standard;
}

static void standard_init(struct queue *q)
{
    list_init(&state_of(q)->line);
    heap_init(&state_of(q)->returned);
}

static void standard_clear(struct queue *q)
{
    heap_deinit(&state_of(q)->returned);
    standard_init(q);
}

static struct msg *line_msg(struct list *at)
{
    return list_item(at, struct msg, at.line);
}

static void standard_show(struct queue *q, struct msg *m)
{
    struct pick_standard_state *s = state_of(q);
    assert(m->where == NOWHERE);
    if (list_is_empty(&s->line) || line_msg(s->line.prev)->seq < m->seq) {
        list_push_back(&s->line, &m->at.line);
        m->where = IN_LINE;
    } else {
        m->at.returned.place = 0;
        heap_set(&s->returned, &m->at.returned, (i64)m->seq);
        m->where = RETURNED;
    }
}

static void standard_arrive(struct queue *q, struct msg *m)
{
    if (msg_state(m) == MSG_VISIBLE)
        standard_show(q, m);
}

static void standard_remove(struct queue *q, struct msg *m)
{
    if (m->where == IN_LINE)
        list_remove(&m->at.line);
    else if (m->where == RETURNED)
        heap_remove(&state_of(q)->returned, &m->at.returned);
    m->where = NOWHERE;
}

static struct msg *standard_take(struct queue *q)
{
    struct pick_standard_state *s = state_of(q);
    struct msg *m = list_is_empty(&s->line) ? NULL : line_msg(s->line.next);
    struct heap_node *top = heap_top(&s->returned);
    if (top && (!m || heap_due(&s->returned, top) < (i64)m->seq))
        m = container_of(top, struct msg, at.returned);
    if (m)
        standard_remove(q, m);
    return m;
}

static void standard_taken_all(struct queue *q)
{
}

static bool standard_has_next(const struct queue *q)
{
    return q->visible_count > 0;
}

static void standard_check(const struct queue *q)
{
    const struct pick_standard_state *s = &q->pick_state.standard;
    u64 n = 0, before = 0;
    for (struct list *at = s->line.next; at != &s->line; at = at->next, n++) {
        const struct msg *m = line_msg(at);
        assert(m->queue == q && m->where == IN_LINE && msg_state(m) == MSG_VISIBLE);
        assert(m->seq > before);
        before = m->seq;
    }
    for (u32 i = 0; i < s->returned.n; i++, n++) {
        const struct msg *m = container_of(s->returned.items[i].node, struct msg, at.returned);
        assert(m->queue == q && m->where == RETURNED && msg_state(m) == MSG_VISIBLE);
        assert(s->returned.items[i].due == (i64)m->seq);
    }
    assert(n == q->visible_count);
}

const struct pick pick_standard = {
    .init = standard_init,
    .clear = standard_clear,
    .arrive = standard_arrive,
    .show = standard_show,
    .hide = standard_remove,
    .drop = standard_remove,
    .take = standard_take,
    .taken_all = standard_taken_all,
    .has_next = standard_has_next,
    .check = standard_check,
};
