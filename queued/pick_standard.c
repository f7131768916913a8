/* Standard queues: visible messages are delivered in the order of their arrival, including those
 * that become visible again; for messages with a group see fair_group.h.
 *
 * Most messages become visible in that order and are appended to a list, the line, in O(1). A
 * message that becomes visible while later ones are already in the line goes into a heap; the next
 * message is the earlier one of the line's head and the heap's top.
 *
 * Invariants: (1) `line` rises by seq; (2) a message is in the line, in the heap, or nowhere while
 * it is hidden or was taken by the present receive. */
#include "queued/queue.h"

static struct pick_standard_state *state_of(struct queue *q)
{
    return &q->pick_state.standard;
}

static void standard_init(struct queue *q)
{
    list_init(&state_of(q)->line);
    heap_init(&state_of(q)->returned);
    fair_groups_init(&state_of(q)->fair);
}

static void standard_clear(struct queue *q)
{
    heap_deinit(&state_of(q)->returned);
    fair_groups_clear(&state_of(q)->fair);
    standard_init(q);
}

static struct msg *line_msg(struct list *at)
{
    return list_item(at, struct msg, at.line);
}

/* Marks the message as taken or not, and counts it as in flight in its group. */
static void standard_set_taken(struct msg *m, bool is_taken)
{
    if ((m->where == MSG_AT_TAKEN) == is_taken)
        return;
    m->where = is_taken ? MSG_AT_TAKEN : MSG_AT_NOWHERE;
    fair_group_add_in_flight(m, is_taken ? 1 : -1);
}

static void standard_show(struct queue *q, struct msg *m)
{
    struct pick_standard_state *s = state_of(q);
    if (UNLIKELY(m->group)) {
        standard_set_taken(m, false);
        fair_group_show(&s->fair, m);
        return;
    }
    assert(m->where == MSG_AT_NOWHERE);
    if (list_is_empty(&s->line) || line_msg(s->line.prev)->seq < m->seq) {
        list_push_back(&s->line, &m->at.line);
        m->where = MSG_AT_LINE;
    } else {
        m->at.returned.place = 0;
        heap_set(&s->returned, &m->at.returned, (i64)m->seq);
        m->where = MSG_AT_RETURNED;
    }
}

static void standard_arrive(struct queue *q, struct msg *m)
{
    m->where = MSG_AT_NOWHERE;
    if (msg_state(m) == MSG_VISIBLE)
        standard_show(q, m);
    else if (m->group && msg_state(m) == MSG_LEASED)
        standard_set_taken(m, true);
}

/* Removes it from the line, the heap or its group: it is no longer visible. */
static void standard_remove(struct queue *q, struct msg *m)
{
    if (m->group && (m->where == MSG_AT_LINE || m->where == MSG_AT_RETURNED))
        fair_group_hide(&state_of(q)->fair, m);
    else if (m->where == MSG_AT_LINE)
        list_remove(&m->at.line);
    else if (m->where == MSG_AT_RETURNED)
        heap_remove(&state_of(q)->returned, &m->at.returned);
    if (m->where != MSG_AT_TAKEN)
        m->where = MSG_AT_NOWHERE;
}

static void standard_hide(struct queue *q, struct msg *m)
{
    standard_remove(q, m);
    if (m->group)
        standard_set_taken(m, true);
}

static void standard_drop(struct queue *q, struct msg *m)
{
    standard_remove(q, m);
    if (m->group)
        standard_set_taken(m, false);
}

/* The first message without a group. */
static struct msg *line_head(const struct pick_standard_state *s)
{
    struct msg *m = list_is_empty(&s->line) ? NULL : line_msg(s->line.next);
    struct heap_node *top = heap_top(&s->returned);
    if (top && (!m || heap_due(&s->returned, top) < (i64)m->seq))
        m = container_of(top, struct msg, at.returned);
    return m;
}

static struct msg *standard_take(struct queue *q)
{
    struct pick_standard_state *s = state_of(q);
    struct msg *m = line_head(s);
    if (UNLIKELY(q->groups.n)) {
        struct msg *quiet = fair_groups_quiet(&s->fair, q->leased_count);
        if (quiet && (!m || quiet->seq < m->seq))
            m = quiet;
        if (!m)
            m = fair_groups_noisy(&s->fair);
    }
    if (!m)
        return NULL;
    standard_remove(q, m);
    if (m->group) {
        standard_set_taken(m, true);
        fair_groups_took(&s->fair, m);
    }
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
        assert(m->queue == q && m->where == MSG_AT_LINE && msg_state(m) == MSG_VISIBLE);
        assert(m->seq > before);
        before = m->seq;
    }
    for (u32 i = 0; i < s->returned.n; i++, n++) {
        const struct msg *m = container_of(s->returned.items[i].node, struct msg, at.returned);
        assert(m->queue == q && m->where == MSG_AT_RETURNED && msg_state(m) == MSG_VISIBLE);
        assert(s->returned.items[i].due == (i64)m->seq);
    }
    assert(n + fair_groups_check(q) == q->visible_count);
}

const struct pick pick_standard = {
    .group_size = sizeof(struct fair_group),
    .group_end = fair_group_end,
    .init = standard_init,
    .clear = standard_clear,
    .arrive = standard_arrive,
    .show = standard_show,
    .hide = standard_hide,
    .drop = standard_drop,
    .take = standard_take,
    .taken_all = standard_taken_all,
    .has_next = standard_has_next,
    .check = standard_check,
};
