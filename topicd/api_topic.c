/* CreateTopic, DeleteTopic, ListTopics, GetTopicAttributes, SetTopicAttributes. */
#include "common/aws/arn.h"
#include "topicd/api.h"
#include "topicd/topic_attr.h"

/* --- CreateTopic ------------------------------------------------------------------------------ */

/* Removes FifoTopic from the list: it belongs to the check of the name and is not stored. */
static int check_name(str name, struct setting *given, size_t *n, struct fault *f)
{
    bool fifo = false, known = true;
    size_t kept = 0;

    for (size_t i = 0; i < *n; i++) {
        if (!str_is(given[i].name, "FifoTopic")) {
            given[kept++] = given[i];
            continue;
        }
        fifo = str_eq_nocase(given[i].value, STR("true"));
        known = fifo || str_eq_nocase(given[i].value, STR("false"));
    }
    *n = kept;
    if (!arn_is_topic_name(name) || name.n > ARN_TOPIC_NAME_MAX || arn_is_fifo_name(name) != fifo)
        return fault_set(f, FAULT_INVALID, FAULT_PREFIX "Topic Name");
    if (!known)
        return fault_set(f, FAULT_INVALID,
                         FAULT_FRAME_CREATE "FifoTopic: Invalid value. Must be "
                                            "true or false.");
    if (fifo)
        return fault_set(f, CALL_FAULT_UNSUPPORTED, "FIFO topics are not implemented.");
    return 0;
}

static struct topic *make(struct topicd *t, struct scope *scope, str name, const char *arn,
                          const struct settings *settings, struct fault *f)
{
    struct topic *topic = catalog_topic(&t->catalog, str_of(arn));
    struct buf text = {0};

    if (topic) {
        if (topic_attr_agree(settings, topic))
            return topic;
        fault_set(f, FAULT_INVALID,
                  FAULT_FRAME_CREATE "Topic already exists with different attributes");
        return NULL;
    }
    if (scope->topics.n >= (u64)t->options->topics_max) {
        fault_set(f, FAULT_TOPIC_LIMIT, "Topic limit exceeded");
        return NULL;
    }
    settings_write(settings, &text);
    topic = catalog_add_topic(&t->catalog, scope, name, buf_view(&text), t->server.clock.now_ms);
    buf_deinit(&text);
    return topic;
}

struct topic *api_make_topic(struct topicd *t, str account, str region, str name,
                             const struct setting *given, size_t n, struct fault *f)
{
    struct setting *list = mem_array(n + 1, sizeof(*list));
    struct settings settings;
    struct topic *topic = NULL;
    struct buf arn = {0};
    int err;

    if (n)
        memcpy(list, given, n * sizeof(*list));
    settings_init(&settings);
    topic_arn_write(&arn, region, account, name);
    err = check_name(name, list, &n, f);
    for (size_t i = 0; i < n && !err; i++)
        err = topic_attr_set(&settings, buf_view(&arn), list[i].name, list[i].value,
                             FAULT_FRAME_CREATE, f);
    if (!err)
        topic = make(t, catalog_scope(&t->catalog, account, region), name, arn.p, &settings, f);
    buf_deinit(&arn);
    settings_deinit(&settings);
    mem_free(list);
    return topic;
}

/* An existing topic has no tags, so given ones conflict, which the service reports like this. */
static bool refuse_extras(struct call *c, str name)
{
    struct topicd *t = call_owner(c);
    const struct val *tags = val_get(c->in, "Tags");
    struct buf arn = {0};

    topic_arn_write(&arn, c->region, c->account, name);
    bool exists = catalog_topic(&t->catalog, buf_view(&arn)) != NULL;

    buf_deinit(&arn);
    if (tags && tags->count && exists)
        fault_set(&c->fault, FAULT_INVALID,
                  FAULT_PREFIX "Tags Reason: Topic already exists with different tags");
    else if (tags && tags->count)
        fault_set(&c->fault, CALL_FAULT_UNSUPPORTED, "Tags of topics are not implemented.");
    else if (val_text(c->in, "DataProtectionPolicy").n)
        fault_set(&c->fault, CALL_FAULT_UNSUPPORTED,
                  "DataProtectionPolicy of topics is not implemented.");
    return c->fault.code != 0;
}

void api_create_topic(struct call *c)
{
    struct topicd *t = call_owner(c);
    size_t n;
    struct setting *given = api_settings(c, "Attributes", &n);
    str name = val_text(c->in, "Name");
    struct topic *topic = NULL;

    /* A name that the service refuses is checked before what only toque refuses. */
    if (!arn_is_topic_name(name) || name.n > ARN_TOPIC_NAME_MAX)
        fault_set(&c->fault, FAULT_INVALID, FAULT_PREFIX "Topic Name");
    else if (!refuse_extras(c, name))
        topic = api_make_topic(t, c->account, c->region, name, given, n, &c->fault);
    if (topic)
        call_out_text(c, "TopicArn", topic->arn);
    call_done(c);
}

/* --- the others ------------------------------------------------------------------------------- */

void api_delete_topic(struct call *c)
{
    struct topicd *t = call_owner(c);
    str arn;

    if (api_arn(c, "TopicArn", &arn) == 0 && api_check_topic_arn(c, "TopicArn", arn) == 0) {
        struct topic *topic = catalog_topic(&t->catalog, arn);

        if (topic)
            catalog_remove_topic(&t->catalog, topic);
    }
    call_done(c);
}

void api_list_topics(struct call *c)
{
    struct topicd *t = call_owner(c);
    static const struct slots none;
    const struct scope *scope = catalog_find_scope(&t->catalog, c->account, c->region);
    const struct slots *shelf = scope ? &scope->topics : &none;
    u64 place;

    if (!api_page_begin(c, 't', &place)) {
        call_done(c);
        return;
    }
    u32 at = (u32)MIN(place, (u64)shelf->end);
    struct topic *topic = slots_next(shelf, &at);

    call_out_list(c, "Topics", "member");
    for (int i = 0; topic && i < API_PAGE_SIZE; i++, topic = slots_next(shelf, &at)) {
        call_out_item(c);
        call_out_text(c, "TopicArn", topic->arn);
        call_out_item_end(c);
    }
    call_out_list_end(c);
    if (topic)
        api_page_end(c, 't', topic->place);
    call_done(c);
}

void api_get_topic_attributes(struct call *c)
{
    struct topic *topic = api_topic(c, "TopicArn");

    if (topic) {
        call_out_map(c, "Attributes", "entry", "key", "value");
        topic_attr_out(c, topic);
        call_out_map_end(c);
    }
    call_done(c);
}

/* A topic for large messages may have only a few subscriptions. */
static int check_large(const struct topic *topic, const struct settings *s, struct fault *f)
{
    i64 size;

    if (str_to_i64(settings_get(s, STR("MaximumMessageSize")), &size) ||
        size <= TOPIC_MESSAGE_SIZE_DEFAULT || topic->subs.n <= TOPIC_LARGE_SUBS_MAX)
        return 0;
    return fault_set(f, FAULT_INVALID,
                     FAULT_PREFIX
                     "A topic with MaximumMessageSize greater than 262144 bytes supports a maximum "
                     "of 100 subscriptions");
}

void api_set_topic_attributes(struct call *c)
{
    struct topicd *t = call_owner(c);
    struct topic *topic = api_topic(c, "TopicArn");
    str name = val_text(c->in, "AttributeName"), value = val_text(c->in, "AttributeValue");
    struct settings settings;
    struct buf text = {0};

    if (!topic) {
        call_done(c);
        return;
    }
    settings_init(&settings);
    if (!name.p)
        fault_set(&c->fault, FAULT_INVALID,
                  FAULT_PREFIX "AttributeName Reason: no value for required parameter");
    else if (settings_read(&settings, topic->attributes) == 0 &&
             topic_attr_set(&settings, topic->arn, name, value.p ? value : STR(""), FAULT_PREFIX,
                            &c->fault) == 0 &&
             check_large(topic, &settings, &c->fault) == 0) {
        settings_write(&settings, &text);
        catalog_set_topic(&t->catalog, topic, buf_view(&text));
    }
    buf_deinit(&text);
    settings_deinit(&settings);
    call_done(c);
}
