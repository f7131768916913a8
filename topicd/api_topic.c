/* CreateTopic, DeleteTopic, ListTopics, GetTopicAttributes, SetTopicAttributes. */
#include "common/aws/arn.h"
#include "topicd/api.h"
#include "topicd/endpoint.h"
#include "topicd/topic_attr.h"
#include "topicd/topic_tags.h"

/* --- CreateTopic ------------------------------------------------------------------------------ */

/* Checks the name together with FifoTopic; *ret: it is a FIFO topic. */
static int check_topic_name(const struct topic_request *r, bool *ret, struct fault *f)
{
    bool fifo = false, known = true;

    for (size_t i = 0; i < r->attribute_count; i++) {
        const struct setting *one = &r->attributes[i];

        if (!str_eq(one->name, TOPIC_FIFO))
            continue;
        fifo = str_eq_nocase(one->value, STR("true"));
        known = fifo || str_eq_nocase(one->value, STR("false"));
    }
    if (!arn_is_topic_name(r->name) || r->name.n > ARN_TOPIC_NAME_MAX ||
        arn_is_fifo_name(r->name) != fifo)
        return fault_set(f, FAULT_INVALID, FAULT_PREFIX "Topic Name");
    if (!known)
        return fault_set(f, FAULT_INVALID,
                         FAULT_FRAME_CREATE "FifoTopic: Invalid value. Must be "
                                            "true or false.");
    *ret = fifo;
    return 0;
}

/* An existing topic of that name must have what is wanted, and keeps what it has besides. */
static int check_agrees(const struct topic *topic, const struct settings *wanted,
                        const struct tags *tags, struct fault *f)
{
    struct tags have = topic_tags_read(topic->attributes);
    bool holds = tags_hold(&have, tags);

    tags_deinit(&have);
    if (!topic_attr_agree(wanted, topic))
        return fault_set(f, FAULT_INVALID,
                         FAULT_FRAME_CREATE "Topic already exists with different attributes");
    return holds ? 0
                 : fault_set(f, FAULT_INVALID,
                             FAULT_PREFIX "Tags Reason: Topic already exists with different tags");
}

static bool is_full(struct topicd *t, str account, str region)
{
    const struct topicd_options *o = t->options;
    const struct scope *scope = catalog_find_scope(&t->catalog, account, region);

    return t->catalog.topics.n >= (u64)o->topics_total_max ||
           (scope && scope->topics.n >= (u64)o->topics_max) ||
           !catalog_has_room_for(&t->catalog, account, region, (u64)o->scopes_max);
}

static struct topic *make_or_find_topic(struct topicd *t, const struct topic_request *r, str arn,
                                        struct settings *settings, struct fault *f)
{
    struct topic *topic = catalog_topic(&t->catalog, arn);
    struct buf text = {0};

    if (topic)
        return check_agrees(topic, settings, &r->tags, f) ? NULL : topic;
    if (is_full(t, r->account, r->region)) {
        fault_set(f, FAULT_TOPIC_LIMIT, "Topic limit exceeded");
        return NULL;
    }
    topic_tags_keep(settings, &r->tags);
    if (settings_get(settings, TOPIC_FIFO).p && !settings_get(settings, TOPIC_CONTENT_DEDUP).p)
        settings_set(settings, TOPIC_CONTENT_DEDUP, STR("false"));
    settings_write(settings, &text);
    topic = catalog_add_topic(&t->catalog, catalog_scope(&t->catalog, r->account, r->region),
                              r->name, buf_view(&text), t->server.clock.now_ms);
    buf_deinit(&text);
    return topic;
}

/* What the request sets. */
static int read_settings(const struct topic_request *r, str arn, struct settings *settings,
                         struct fault *f)
{
    bool fifo = false;
    int err = check_topic_name(r, &fifo, f);

    if (fifo)
        settings_set(settings, TOPIC_FIFO, STR("true"));
    for (size_t i = 0; i < r->attribute_count && !err; i++) {
        const struct setting *one = &r->attributes[i];

        if (!str_eq(one->name, TOPIC_FIFO))
            err = topic_attr_set(settings, arn, one->name, one->value, FAULT_FRAME_CREATE, f);
    }
    if (!err)
        err = topic_attr_check_protection(r->data_protection, f);
    if (!err && r->data_protection.n)
        settings_set(settings, TOPIC_DATA_PROTECTION, r->data_protection);
    return err;
}

struct topic *api_make_topic(struct topicd *t, const struct topic_request *r, struct fault *f)
{
    struct settings settings;
    struct topic *topic = NULL;
    struct buf arn = {0};

    settings_init(&settings);
    topic_arn_write(&arn, r->region, r->account, r->name);
    if (read_settings(r, buf_view(&arn), &settings, f) == 0)
        topic = make_or_find_topic(t, r, buf_view(&arn), &settings, f);
    buf_deinit(&arn);
    settings_deinit(&settings);
    return topic;
}

void api_create_topic(struct call *c)
{
    str name = val_text(c->in, "Name"), protection = val_text(c->in, "DataProtectionPolicy");
    struct topic_request r = {.account = c->account,
                              .region = c->region,
                              .name = name.p ? name : STR(""),
                              .data_protection = protection.p ? protection : STR("")};
    struct topic *topic = NULL;

    r.attributes = api_settings(c, "Attributes", &r.attribute_count);
    if (topic_tags_add_list(&r.tags, val_get(c->in, "Tags"), &c->fault) == 0)
        topic = api_make_topic(call_owner(c), &r, &c->fault);
    if (topic)
        call_out_text(c, "TopicArn", topic->arn);
    tags_deinit(&r.tags);
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

    if (!api_page_begin(c, "NextToken", 't', &place)) {
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
        api_page_end(c, "NextToken", 't', topic->place);
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
    const struct sub *u;
    i64 size;

    if (str_to_i64(settings_get(s, STR("MaximumMessageSize")), &size) ||
        size <= TOPIC_MESSAGE_SIZE_DEFAULT)
        return 0;
    if (topic->subs.n > TOPIC_LARGE_SUBS_MAX)
        return fault_set(f, FAULT_INVALID,
                         FAULT_PREFIX
                         "A topic with MaximumMessageSize greater than 262144 bytes supports a "
                         "maximum of 100 subscriptions");
    for (u32 at = 0; (u = slots_next(&topic->subs, &at));)
        if (!endpoint_takes_large(sub_protocol(u)))
            return endpoint_refuse_large(sub_protocol(u), f);
    return 0;
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
