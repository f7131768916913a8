/* Sources: Amazon SNS API reference, TagResource, and answers recorded from the service; texts for
 * keys and values that are too long are not confirmed. */
#include "topicd/topic_tags.h"

#include "topicd/fault.h"

struct tags topic_tags_of(const struct settings *s)
{
    struct settings list;
    struct tags tags = {0};
    str text = settings_get(s, TOPIC_TAGS);

    settings_init(&list);
    if (text.n && settings_read(&list, text) == 0)
        for (size_t i = 0; i < list.n; i++)
            tags_set(&tags, list.items[i].name, list.items[i].value);
    settings_deinit(&list);
    return tags;
}

struct tags topic_tags_read(str attributes)
{
    struct settings s;
    struct tags tags = {0};

    settings_init(&s);
    if (settings_read(&s, attributes) == 0)
        tags = topic_tags_of(&s);
    settings_deinit(&s);
    return tags;
}

void topic_tags_keep(struct settings *s, const struct tags *t)
{
    struct buf text = {0};

    tags_write(t, &text);
    if (t->n)
        settings_set(s, TOPIC_TAGS, buf_view(&text));
    else
        settings_remove(s, TOPIC_TAGS);
    buf_deinit(&text);
}

int topic_tags_add(struct tags *t, u32 place, str key, str value, struct fault *f)
{
    if (!key.p || !value.p)
        return fault_set(f, FAULT_VALIDATION,
                         "1 validation error detected: Value null at 'tags.%u.member.%s' failed to "
                         "satisfy constraint: Member must not be null",
                         place, key.p ? "value" : "key");
    const char *why = tags_refuse(key, value);

    if (why)
        return fault_set(f, FAULT_INVALID, FAULT_PREFIX "Tags Reason: %s", why);
    tags_set(t, key, value);
    return t->n <= TAGS_MAX ? 0
                            : fault_set(f, FAULT_TAG_LIMIT,
                                        "Could not complete request: tag quota of per resource "
                                        "exceeded");
}

/* Keys that the list has twice are found among its own tags. */
int topic_tags_add_list(struct tags *t, const struct val *list, struct fault *f)
{
    struct tags own = {0};
    u32 place = 1;
    int err = 0;

    for (const struct val *v = list ? list->first : NULL; v && !err; v = v->next, place++) {
        str key = val_text(v, "Key");

        err = key.p && tags_find(&own, key)
                  ? fault_set(f, FAULT_INVALID, FAULT_PREFIX "Duplicated keys are not allowed.")
                  : topic_tags_add(&own, place, key, val_text(v, "Value"), f);
    }
    for (u32 i = 0; i < own.n && !err; i++)
        err = topic_tags_add(t, i + 1, own.items[i].key, own.items[i].value, f);
    tags_deinit(&own);
    return err;
}
