/* TagResource, UntagResource, ListTagsForResource. */
#include "topicd/api.h"
#include "topicd/topic_tags.h"

/* These actions have their own fault for a missing topic. */
static struct topic *tagged_topic(struct call *c)
{
    struct topic *topic = api_topic(c, "ResourceArn");

    if (!topic && c->fault.code == FAULT_NOT_FOUND) {
        fault_clear(&c->fault);
        fault_set(&c->fault, FAULT_RESOURCE_NOT_FOUND, "Resource does not exist");
    }
    return topic;
}

/* A list that must be there, although it may be empty. NULL: the fault is set. */
static const struct val *need_list(struct call *c, const char *name)
{
    const struct val *list = val_get(c->in, name);

    if (!list)
        fault_set(&c->fault, FAULT_INVALID,
                  FAULT_PREFIX "%s Reason: no value for required parameter", name);
    return list;
}

static void keep_tags(struct call *c, struct topic *topic, const struct tags *tags)
{
    struct buf text = {0};

    if (tags->n)
        tags_write(tags, &text);
    api_keep_setting(c, topic, TOPIC_TAGS, buf_view(&text));
    buf_deinit(&text);
}

void api_tag_resource(struct call *c)
{
    struct topic *topic = tagged_topic(c);
    const struct val *list = topic ? need_list(c, "Tags") : NULL;

    if (list) {
        struct tags tags = topic_tags_read(topic->attributes);

        if (topic_tags_add_list(&tags, list, &c->fault) == 0)
            keep_tags(c, topic, &tags);
        tags_deinit(&tags);
    }
    call_done(c);
}

void api_untag_resource(struct call *c)
{
    struct topic *topic = tagged_topic(c);
    const struct val *keys = topic ? need_list(c, "TagKeys") : NULL;

    if (keys) {
        struct tags tags = topic_tags_read(topic->attributes);

        for (const struct val *v = keys->first; v; v = v->next)
            tags_remove(&tags, v->text);
        keep_tags(c, topic, &tags);
        tags_deinit(&tags);
    }
    call_done(c);
}

void api_list_tags_for_resource(struct call *c)
{
    const struct topic *topic = tagged_topic(c);

    if (topic) {
        struct tags tags = topic_tags_read(topic->attributes);

        call_out_list(c, "Tags", "member");
        for (u32 i = 0; i < tags.n; i++) {
            call_out_item(c);
            call_out_text(c, "Key", tags.items[i].key);
            call_out_text(c, "Value", tags.items[i].value);
            call_out_item_end(c);
        }
        call_out_list_end(c);
        tags_deinit(&tags);
    }
    call_done(c);
}
