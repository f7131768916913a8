/* Invariants: (1) a group with visible messages is in `quiet` under the seq of its first one, or on
 * `noisy`; one without is in neither; (2) in_flight is the number of its messages that are marked
 * MSG_AT_TAKEN. */
#include "queued/fair_group.h"

#include "queued/queue.h"

static struct fair_group *fair_of(const struct msg *m)
{
    return container_of(m->group, struct fair_group, group);
}

void fair_groups_init(struct fair_groups *fs)
{
    *fs = (struct fair_groups){0};
    heap_init(&fs->quiet);
    list_init(&fs->noisy);
}

void fair_groups_clear(struct fair_groups *fs)
{
    heap_deinit(&fs->quiet);
    fair_groups_init(fs);
}

void fair_group_end(struct group *g)
{
    heap_deinit(&container_of(g, struct fair_group, group)->returned);
}

/* --- messages of a group ---------------------------------------------------------------------- */

static struct msg *line_msg(struct list *at)
{
    return list_item(at, struct msg, at.line);
}

/* The group's first visible message, NULL when there is none. */
static struct msg *group_head(const struct fair_group *g)
{
    const struct list *line = &g->group.messages;
    struct msg *m = list_is_empty(line) ? NULL : line_msg(line->next);
    struct heap_node *top = heap_top(&g->returned);

    if (top && (!m || heap_due(&g->returned, top) < (i64)m->seq))
        m = container_of(top, struct msg, at.returned);
    return m;
}

/* Puts the group where it belongs after its first visible message may have changed. */
static void group_settle(struct fair_groups *fs, struct fair_group *g)
{
    const struct msg *head = group_head(g);

    if (!head) {
        heap_remove(&fs->quiet, &g->by_head);
        list_remove(&g->group.link);
    } else if (list_is_empty(&g->group.link)) {
        heap_set(&fs->quiet, &g->by_head, (i64)head->seq);
    }
}

void fair_group_show(struct fair_groups *fs, struct msg *m)
{
    struct fair_group *g = fair_of(m);
    struct list *line = &g->group.messages;

    if (list_is_empty(line) || line_msg(line->prev)->seq < m->seq) {
        list_push_back(line, &m->at.line);
        m->where = MSG_AT_LINE;
    } else {
        m->at.returned.place = 0;
        heap_set(&g->returned, &m->at.returned, (i64)m->seq);
        m->where = MSG_AT_RETURNED;
    }
    group_settle(fs, g);
}

void fair_group_hide(struct fair_groups *fs, struct msg *m)
{
    struct fair_group *g = fair_of(m);

    if (m->where == MSG_AT_LINE)
        list_remove(&m->at.line);
    else
        heap_remove(&g->returned, &m->at.returned);
    m->where = MSG_AT_NOWHERE;
    group_settle(fs, g);
}

void fair_group_add_in_flight(struct msg *m, int n)
{
    fair_of(m)->in_flight += (u32)n;
}

/* --- who is noisy ----------------------------------------------------------------------------- */

/* The count `recent` of an earlier epoch as it counts now: halved for each epoch since. */
static u32 recent_now(u32 recent, u32 epoch, u32 now)
{
    return now - epoch < 32 ? recent >> (now - epoch) : 0;
}

static bool is_large(u64 part, u64 all)
{
    return part >= FAIR_NOISY_MIN && part * FAIR_NOISY_PART > all;
}

static bool group_is_noisy(const struct fair_groups *fs, const struct fair_group *g,
                           u64 all_in_flight)
{
    u32 now = (u32)(fs->takes / FAIR_EPOCH);

    return is_large(g->in_flight, all_in_flight) ||
           is_large(recent_now(g->recent, g->epoch, now), recent_now(fs->recent, fs->epoch, now));
}

void fair_groups_took(struct fair_groups *fs, struct msg *m)
{
    struct fair_group *g = fair_of(m);
    u32 now = (u32)(++fs->takes / FAIR_EPOCH);

    g->recent = recent_now(g->recent, g->epoch, now) + 1;
    g->epoch = now;
    fs->recent = recent_now(fs->recent, fs->epoch, now) + 1;
    fs->epoch = now;
}

/* --- taking ----------------------------------------------------------------------------------- */

/* Moves groups that are no longer noisy back to the quiet ones. */
static void calm_down(struct fair_groups *fs, u64 all_in_flight)
{
    list_each(at, next, &fs->noisy) {
        struct fair_group *g = list_item(at, struct fair_group, group.link);

        if (group_is_noisy(fs, g, all_in_flight))
            continue;
        list_remove(&g->group.link);
        group_settle(fs, g);
    }
}

struct msg *fair_groups_quiet(struct fair_groups *fs, u64 all_in_flight)
{
    struct heap_node *top;

    calm_down(fs, all_in_flight);
    while ((top = heap_top(&fs->quiet))) {
        struct fair_group *g = container_of(top, struct fair_group, by_head);

        if (!group_is_noisy(fs, g, all_in_flight))
            return group_head(g);
        heap_remove(&fs->quiet, top);
        list_push_back(&fs->noisy, &g->group.link);
    }
    return NULL;
}

struct msg *fair_groups_noisy(const struct fair_groups *fs)
{
    const struct fair_group *best = NULL;

    for (struct list *at = fs->noisy.next; at != &fs->noisy; at = at->next) {
        const struct fair_group *g = list_item(at, struct fair_group, group.link);

        if (!best || g->in_flight < best->in_flight)
            best = g;
    }
    return best ? group_head(best) : NULL;
}

/* --- for tests -------------------------------------------------------------------------------- */

static u64 group_check(const struct fair_groups *fs, const struct fair_group *g)
{
    const struct msg *head = group_head(g);
    u64 n = 0, before = 0;

    for (struct list *at = g->group.messages.next; at != &g->group.messages; at = at->next, n++) {
        assert(line_msg(at)->where == MSG_AT_LINE && line_msg(at)->seq > before);
        before = line_msg(at)->seq;
    }
    for (u32 i = 0; i < g->returned.n; i++, n++)
        assert(container_of(g->returned.items[i].node, struct msg, at.returned)->where ==
               MSG_AT_RETURNED);
    assert(!head == (!g->by_head.place && list_is_empty(&g->group.link)));
    assert(!g->by_head.place || heap_due(&fs->quiet, &g->by_head) == (i64)head->seq);
    assert(g->group.holders >= n + g->in_flight);
    return n;
}

u64 fair_groups_check(const struct queue *q)
{
    struct group *g;
    u64 n = 0;

    for (size_t pos = 0; (g = map_next(&q->groups, &pos));)
        n += group_check(&q->pick_state.standard.fair, container_of(g, struct fair_group, group));
    return n;
}
