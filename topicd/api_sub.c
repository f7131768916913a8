/* Subscribe, the lists, GetSubscriptionAttributes, SetSubscriptionAttributes. */
#include "topicd/api.h"
#include "topicd/confirmation.h"
#include "topicd/endpoint.h"
#include "topicd/sub_attr.h"

/* --- Subscribe -------------------------------------------------------------------------------- */

static int check_limits(struct topicd *t, const struct topic *topic, str owner, str protocol,
                        const struct settings *settings, struct fault *f)
{
    const struct topicd_options *o = t->options;

    if (topic->subs.n >= (topic->fifo ? TOPIC_FIFO_SUBS_MAX : TOPIC_SUBS_MAX) ||
        t->catalog.subs.n >= (u64)o->subscriptions_total_max ||
        !catalog_has_room_for(&t->catalog, owner, topic->scope->region, (u64)o->scopes_max))
        return fault_set(f, FAULT_SUBSCRIPTION_LIMIT, "Subscription limit exceeded");
    if (topic->message_size_max > TOPIC_MESSAGE_SIZE_DEFAULT && !endpoint_takes_large(protocol))
        return endpoint_refuse_large(protocol, f);
    if (topic->message_size_max > TOPIC_MESSAGE_SIZE_DEFAULT &&
        topic->subs.n >= TOPIC_LARGE_SUBS_MAX)
        return fault_set(f, FAULT_INVALID,
                         FAULT_PREFIX
                         "A topic with MaximumMessageSize greater than 262144 bytes supports a "
                         "maximum of 100 subscriptions");
    if (settings_get(settings, STR("FilterPolicy")).n &&
        (topic->policy_count >= (u64)t->options->topic_policies_max ||
         topic->scope->policy_count >= (u64)t->options->account_policies_max))
        return fault_set(f, FAULT_POLICY_LIMIT, "Filter policy limit exceeded");
    return 0;
}

static void ask_to_confirm(struct topicd *t, const struct sub *u)
{
    confirmation_ask(&t->captured, u, str_of(t->server.public_url), &t->server.ids,
                     t->server.clock.now_ms);
}

static struct sub *make_sub(struct topicd *t, struct topic *topic, str owner, str protocol,
                            str endpoint, struct settings *settings, struct fault *f)
{
    struct buf text = {0};
    struct sub *u;

    if (check_limits(t, topic, owner, protocol, settings, f))
        return NULL;
    if (confirmation_is_needed(protocol))
        confirmation_begin(settings, &t->server.ids);
    settings_write(settings, &text);
    u = catalog_add_sub(&t->catalog, topic, catalog_scope(&t->catalog, owner, topic->scope->region),
                        protocol, endpoint, buf_view(&text), &t->server.ids,
                        t->server.clock.now_ms);
    buf_deinit(&text);
    if (u->pending)
        ask_to_confirm(t, u);
    return u;
}

/* One that is pending is asked again. */
static struct sub *find_sub_again(struct topicd *t, struct sub *u, const struct setting *given,
                                  size_t n, const struct settings *settings, struct fault *f)
{
    if (!sub_attr_agree(given, n, settings, u)) {
        fault_set(f, FAULT_INVALID,
                  FAULT_FRAME_CREATE "Subscription already exists with different attributes");
        return NULL;
    }
    if (u->pending)
        ask_to_confirm(t, u);
    return u;
}

struct sub *api_make_sub(struct topicd *t, struct topic *topic, str owner, str protocol,
                         str endpoint, const struct setting *given, size_t n, struct fault *f)
{
    struct settings settings;
    struct sub *u = NULL;

    settings_init(&settings);
    /* The service refuses attributes before it looks at protocol and endpoint. */
    if (sub_attr_set(&settings, protocol, given, n, FAULT_FRAME_CREATE, f) == 0 &&
        endpoint_check(t, topic, protocol, endpoint, &settings, f) == 0) {
        u = catalog_find_sub(topic, protocol, endpoint);
        u = u ? find_sub_again(t, u, given, n, &settings, f)
              : make_sub(t, topic, owner, protocol, endpoint, &settings, f);
    }
    settings_deinit(&settings);
    return u;
}

void api_subscribe(struct call *c)
{
    struct topicd *t = call_owner(c);
    struct topic *topic = api_topic(c, "TopicArn");
    str protocol = val_text(c->in, "Protocol"), endpoint = val_text(c->in, "Endpoint");
    size_t n;
    struct setting *given = api_settings(c, "Attributes", &n);

    if (topic && !protocol.p) {
        fault_set(&c->fault, FAULT_INVALID,
                  FAULT_PREFIX "Protocol Reason: no value for required parameter");
    } else if (topic) {
        struct sub *u = api_make_sub(t, topic, c->account, protocol,
                                     endpoint.p ? endpoint : STR(""), given, n, &c->fault);

        bool whole = false;

        val_bool(c->in, "ReturnSubscriptionArn", &whole);
        if (u)
            call_out_text(c, "SubscriptionArn",
                          u->pending && !whole ? STR("pending confirmation") : u->arn);
    }
    call_done(c);
}

/* --- lists ------------------------------------------------------------------------------------ */

static void out_sub(struct call *c, const struct sub *u)
{
    call_out_item(c);
    call_out_text(c, "SubscriptionArn", u->pending ? STR("PendingConfirmation") : u->arn);
    call_out_text(c, "Owner", u->owner->account);
    call_out_text(c, "Protocol", sub_protocol(u));
    call_out_text(c, "Endpoint", sub_endpoint(u));
    call_out_text(c, "TopicArn", u->topic->arn);
    call_out_item_end(c);
}

/* The first visible subscription in places [*at, stop); *at moves to its place, or to `stop`. */
static const struct sub *next_listed(const struct slots *shelf, u32 *at, u32 stop)
{
    for (; *at < stop; ++*at) {
        const struct sub *u = slots_get(shelf, *at);

        if (u && !u->topic->gone)
            return u;
    }
    return NULL;
}

/* Most places that a page of a list visits, free ones included: a page may be short and still have
 * a token. */
#define LIST_PLACES_MAX 5000

static void out_page(struct call *c, const struct slots *shelf, char kind)
{
    static const struct slots none;
    const struct sub *u;
    u64 place;

    if (!api_page_begin(c, "NextToken", kind, &place))
        return;
    if (!shelf)
        shelf = &none;
    u32 at = (u32)MIN(place, (u64)shelf->end);
    u32 stop = MIN(shelf->end, at + LIST_PLACES_MAX);

    call_out_list(c, "Subscriptions", "member");
    for (int i = 0; (u = next_listed(shelf, &at, stop)) && i < API_PAGE_SIZE; i++, at++)
        out_sub(c, u);
    call_out_list_end(c);
    if (at < shelf->end)
        api_page_end(c, "NextToken", kind, at);
}

void api_list_subscriptions(struct call *c)
{
    struct topicd *t = call_owner(c);
    const struct scope *scope = catalog_find_scope(&t->catalog, c->account, c->region);

    out_page(c, scope ? &scope->subs : NULL, 's');
    call_done(c);
}

void api_list_subscriptions_by_topic(struct call *c)
{
    struct topic *topic = api_topic(c, "TopicArn");

    if (topic)
        out_page(c, &topic->subs, 'b');
    call_done(c);
}

/* --- attributes ------------------------------------------------------------------------------- */

static struct sub *find_sub(struct call *c)
{
    struct topicd *t = call_owner(c);
    str arn;

    if (api_arn(c, "SubscriptionArn", &arn) || api_check_sub_arn(c, arn))
        return NULL;
    struct sub *u = catalog_sub(&t->catalog, arn);

    if (!u)
        fault_set(&c->fault, FAULT_NOT_FOUND, "Subscription does not exist");
    return u;
}

void api_get_subscription_attributes(struct call *c)
{
    const struct sub *u = find_sub(c);

    if (u) {
        call_out_map(c, "Attributes", "entry", "key", "value");
        sub_attr_out(c, u);
        call_out_map_end(c);
    }
    call_done(c);
}

static int check_policy_limit(const struct topicd *t, const struct sub *u,
                              const struct settings *settings, struct fault *f)
{
    if (u->has_policy || !settings_get(settings, STR("FilterPolicy")).n ||
        (u->topic->policy_count < (u64)t->options->topic_policies_max &&
         u->topic->scope->policy_count < (u64)t->options->account_policies_max))
        return 0;
    return fault_set(f, FAULT_POLICY_LIMIT, "Filter policy limit exceeded");
}

void api_set_subscription_attributes(struct call *c)
{
    struct topicd *t = call_owner(c);
    struct sub *u = find_sub(c);
    struct setting given = {val_text(c->in, "AttributeName"), val_text(c->in, "AttributeValue")};
    struct settings settings;
    struct buf text = {0};

    if (!u) {
        call_done(c);
        return;
    }
    settings_init(&settings);
    if (!given.name.p)
        fault_set(&c->fault, FAULT_INVALID,
                  FAULT_PREFIX "AttributeName Reason: no value for required parameter");
    else if (settings_read(&settings, sub_attributes(u)) == 0 &&
             sub_attr_set(&settings, sub_protocol(u), &given, 1, FAULT_PREFIX, &c->fault) == 0 &&
             check_policy_limit(t, u, &settings, &c->fault) == 0) {
        settings_write(&settings, &text);
        catalog_set_sub(&t->catalog, u, buf_view(&text));
    }
    buf_deinit(&text);
    settings_deinit(&settings);
    call_done(c);
}
