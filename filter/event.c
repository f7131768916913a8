/* The event's arrays keep their memory from match to match. */
#include "filter/event.h"

#include "filter/key.h"

#include "filter/matcher.h"

void event_init(struct event *e)
{
    *e = (struct event){0};
    event_reset(e);
}

void event_deinit(struct event *e)
{
    mem_free(e->values);
    mem_free(e->numbers);
    mem_free(e->elements);
    mem_free(e->touched);
    mem_free(e->texts);
}

void event_reset(struct event *e)
{
    e->value_n = e->element_n = 1;
    e->array_n = e->touched_n = 0;
    e->tied = false;
    e->text_n = 0;
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

u32 event_add(struct event *e, enum value_kind kind, u32 path, u32 element, str text)
{
    u32 at = e->value_n++;
    if (at >= e->value_cap) {
        e->values = matcher_room(e->values, &e->value_cap, at, sizeof(*e->values));
        e->numbers = mem_grow(e->numbers, e->value_cap * sizeof(*e->numbers));
    }
    struct value *v = &e->values[at];
    v->kind = (u8)kind;
    v->has_number = false;
    v->path = path;
    v->next = 0;
    v->element = element;
    v->text = text;
    e->tied |= element != 0;
    return at;
}

u32 event_element(struct event *e, u32 parent, u32 array)
{
    u32 at = e->element_n++;
    if (at >= e->element_cap)
        e->elements = matcher_room(e->elements, &e->element_cap, at, sizeof(*e->elements));
    e->elements[at] = (struct element){parent, array};
    return at;
}

void event_close(struct matcher *m)
{
    struct event *e = &m->event;
    for (u32 i = 1; i < e->value_n; i++) {
        struct value *v = &e->values[i];
        if (v->kind == VALUE_GONE)
            continue;
        if (v->kind == VALUE_STRING && m->paths[v->path].kinds & 1u << COND_STRING) {
            v->tag = key_of(key_start(m->seed, COND_STRING, v->path), v->text);
            table_prefetch(&m->cond_table, v->tag);
        }
        struct path_seen *seen = &m->seen[v->path];
        if (seen->epoch == m->epoch) {
            e->values[seen->last].next = i;
            seen->last = i;
            seen->n++;
            seen->tied |= v->element != 0;
            continue;
        }
        *seen = (struct path_seen){m->epoch, 1, i, i, v->element != 0};
        if (e->touched_n >= e->touched_cap)
            e->touched =
                matcher_room(e->touched, &e->touched_cap, e->touched_n, sizeof(*e->touched));
        e->touched[e->touched_n++] = v->path;
    }
}
