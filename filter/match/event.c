/* The event's arrays keep their memory from match to match. */
#include "filter/match/event.h"

#include "filter/match/key.h"

#include "filter/match/matcher.h"

void event_init(struct event *e)
{
    *e = (struct event){0};
    event_reset(e);
}

void event_deinit(struct event *e)
{
    mem_free(e->values);
    mem_free(e->elements);
    mem_free(e->touched);
    mem_free(e->texts);
}

void event_reset(struct event *e)
{
    e->value_n = e->element_n = 1;
    e->array_n = e->touched_n = 0;
    e->tied = e->has_gone = false;
    e->text_n = 0;
}

void event_forget(struct event *e)
{
    for (u32 i = 0; i < e->touched_n; i++)
        e->seen[e->touched[i]].epoch = 0;
    event_reset(e);
}

void event_reserve(struct event *e, size_t n)
{
    assert(e->text_n == 0);
    if (n <= e->text_cap)
        return;
    mem_free(e->texts);
    e->text_cap = n + n / 2;
    e->texts = mem_alloc(e->text_cap);
}

void event_more(struct event *e)
{
    e->values = matcher_room(e->values, &e->value_cap, e->value_n, sizeof(*e->values));
}

void event_touch(struct event *e, u32 path, u32 value)
{
    struct path_seen *seen = &e->seen[path];

    seen->epoch = e->epoch;
    seen->n = 1;
    seen->first = seen->last = value;
    seen->tied = seen->has_bounds = false;
    if (e->touched_n >= e->touched_cap)
        e->touched = matcher_room(e->touched, &e->touched_cap, e->touched_n, sizeof(*e->touched));
    e->touched[e->touched_n++] = path;
}

u32 event_element(struct event *e, u32 parent, u32 array)
{
    u32 at = e->element_n++;

    if (at >= e->element_cap)
        e->elements = matcher_room(e->elements, &e->element_cap, at, sizeof(*e->elements));
    e->elements[at] = (struct element){parent, array};
    return at;
}

double event_long_approx(const struct value *v)
{
    struct number exact = event_exact(v);

    return decimal_approx_of(&exact);
}

void event_close(struct matcher *m)
{
    struct event *e = &m->event;

    for (u32 i = 0; i < e->touched_n; i++) {
        u32 path = e->touched[i];
        if (!(m->paths[path].kinds & 1u << COND_STRING))
            continue;
        for (u32 at = m->seen[path].first; at; at = e->values[at].next) {
            struct value *v = &e->values[at];
            if (v->kind != VALUE_STRING)
                continue;
            v->tag = key_of(key_start(m->seed, COND_STRING, path), v->text);
            if (path_may_have(&m->paths[path], v->tag))
                table_prefetch(&m->cond_table, v->tag);
        }
    }
}
