#include "topicd/topic.h"

#include "common/aws/arn.h"

struct topic *topic_new(str arn, str name, str attributes, const struct map_seed *seed)
{
    struct topic *t = mem_alloc(sizeof(*t));

    assert(str_ends(arn, name));
    t->arn = str_from(mem_dup(arn), arn.n);
    t->name = str_slice(t->arn, arn.n - name.n, arn.n);
    t->matcher = matcher_new(seed);
    map_init(&t->endpoints, seed);
    list_init(&t->stepping);
    list_init(&t->going);
    topic_set_attributes(t, attributes);
    return t;
}

void topic_free(struct topic *t)
{
    assert(t->subs.n == 0);
    list_remove(&t->stepping);
    list_remove(&t->going);
    map_deinit(&t->endpoints);
    slots_deinit(&t->subs);
    matcher_free(t->matcher);
    mem_free((char *)t->attributes.p);
    mem_free((char *)t->arn.p);
    mem_free(t);
}

static bool is_set(const struct settings *s, const char *name, const char *value)
{
    return str_is(settings_get(s, str_of(name)), value);
}

void topic_set_attributes(struct topic *t, str attributes)
{
    char *copy = mem_dup(attributes);
    struct settings settings;
    i64 size_max;

    mem_free((char *)t->attributes.p);
    t->attributes = str_from(copy, attributes.n);
    t->message_size_max = TOPIC_MESSAGE_SIZE_DEFAULT;
    settings_init(&settings);
    if (settings_read(&settings, attributes))
        settings_reset(&settings);
    if (str_to_i64(settings_get(&settings, STR("MaximumMessageSize")), &size_max) == 0 &&
        size_max >= TOPIC_MESSAGE_SIZE_MIN && size_max <= TOPIC_MESSAGE_SIZE_MAX)
        t->message_size_max = (u32)size_max;
    t->fifo = is_set(&settings, "FifoTopic", "true");
    t->content_dedup = is_set(&settings, "ContentBasedDeduplication", "true");
    t->dedup_by_group = is_set(&settings, "FifoThroughputScope", "MessageGroup");
    settings_deinit(&settings);
}

void topic_arn_write(struct buf *out, str region, str account, str name)
{
    struct arn arn = arn_of("sns", region, account, name);

    arn_write(out, &arn);
}
