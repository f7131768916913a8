#include "queued/group.h"

#include "common/base/mem.h"
#include "queued/queue.h"

static struct group *group_new(const struct pick *pick, str id)
{
    struct group *g = mem_alloc(pick->group_size + id.n);
    char *text = (char *)g + pick->group_size;
    memcpy(text, id.p, id.n);
    g->id = str_from(text, id.n);
    list_init(&g->messages);
    list_init(&g->link);
    return g;
}

void group_join(struct msg *m, str id)
{
    struct map *groups = &m->queue->groups;
    struct group *g = map_get(groups, id);
    assert(!m->group && id.n);
    if (!g) {
        g = group_new(m->queue->pick, id);
        map_put(groups, g->id, g);
    }
    g->holders++;
    m->group = g;
    m->queue->has_groups = true;
}

void group_leave(struct msg *m, bool is_gone)
{
    struct group *g = m->group;
    if (!g)
        return;
    m->group = NULL;
    assert(g->holders > 0);
    if (--g->holders > 0)
        return;
    if (!is_gone) {
        map_del(&m->queue->groups, g->id);
        map_shrink(&m->queue->groups);
    }
    assert(list_is_empty(&g->link) || is_gone);
    if (m->queue->pick->group_end)
        m->queue->pick->group_end(g);
    mem_free(g);
}
