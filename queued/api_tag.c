/* The actions on tags. Error texts are those that other implementations quote; unconfirmed, except
 * how the service treats empty values and unknown keys. */
#include "queued/api.h"

/* Sets the tags of the map, all of them or, with a fault, none. */
static int tags_set_map(struct tags *t, const struct val *map, str queue, struct fault *f)
{
    struct tags next;
    int err = 0;

    if (map->has_null)
        return fault_set(f, CALL_FAULT_INVALID_PARAMETER, "the parameter 'value' may not be null");
    tags_copy(&next, t);
    for (const struct val *v = map->first; v && !err; v = v->next) {
        const char *why = tags_refuse(v->name, v->text);

        if (why)
            err = fault_set(f, CALL_FAULT_INVALID_PARAMETER, "%s", why);
        else
            tags_set(&next, v->name, v->text);
        if (next.n > TAGS_MAX)
            err = fault_set(f, CALL_FAULT_INVALID_PARAMETER, "Too many tags added for queue %.*s.",
                            STR_ARG(queue));
    }
    tags_deinit(err ? &next : t);
    if (!err)
        *t = next;
    return err;
}

int api_read_tags(const struct val *map, str queue, struct tags *ret, struct fault *f)
{
    *ret = (struct tags){0};
    return map ? tags_set_map(ret, map, queue, f) : 0;
}

/* A map or list that must not be empty. NULL: c->fault is set. */
static const struct val *tags_given(struct call *c, const char *name)
{
    const struct val *v = val_get(c->in, name);

    if (v && (v->count || v->has_null))
        return v;
    fault_set(&c->fault, CALL_FAULT_MISSING_PARAMETER, "The request must contain the parameter %s.",
              name);
    return NULL;
}

void api_tag_queue(struct call *c)
{
    struct queue *q = api_queue(c);
    const struct val *given = q ? tags_given(c, "Tags") : NULL;

    if (given && tags_set_map(&q->tags, given, q->name, &c->fault) == 0)
        queue_save(q);
    call_done(c);
}

void api_untag_queue(struct call *c)
{
    struct queue *q = api_queue(c);
    const struct val *keys = q ? tags_given(c, "TagKeys") : NULL;

    for (const struct val *v = keys ? keys->first : NULL; v; v = v->next)
        tags_remove(&q->tags, v->text);
    if (keys)
        queue_save(q);
    call_done(c);
}

void api_list_queue_tags(struct call *c)
{
    struct queue *q = api_queue(c);

    if (q) {
        call_out_map(c, "Tags", "Tag", "Key", "Value");
        for (u32 i = 0; i < q->tags.n; i++)
            call_out_entry_text(c, q->tags.items[i].key, q->tags.items[i].value);
        call_out_map_end(c);
    }
    call_done(c);
}
