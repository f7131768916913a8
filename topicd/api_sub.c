/* Subscribe, ConfirmSubscription, Unsubscribe, the lists, GetSubscriptionAttributes,
 * SetSubscriptionAttributes. */
#include "common/aws/arn.h"
#include "topicd/api.h"
#include "topicd/sub_attr.h"

/* --- Subscribe -------------------------------------------------------------------------------- */

/* Longest protocol or endpoint that an error text shows. */
#define SHOWN_MAX 1000

static int check_sqs(const struct topic *topic, str endpoint, struct fault *f)
{
    struct arn arn;

    if (arn_parts(endpoint) != ARN_PARTS_MIN || arn_read(endpoint, &arn) ||
        !str_is(arn.service, "sqs") || arn.region.n == 0 || !arn_is_in_partition(&arn) ||
        !arn_is_account(arn.account) || !arn_is_queue_name(arn.resource) ||
        arn.resource.n > ARN_QUEUE_NAME_MAX)
        return fault_set(f, FAULT_INVALID, FAULT_PREFIX "SQS endpoint ARN");
    if (arn_is_fifo_name(arn.resource) && !topic->fifo)
        return fault_set(f, FAULT_INVALID,
                         FAULT_PREFIX
                         "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be "
                         "subscribed to standard SNS topics");
    return 0;
}

static int check_endpoint(const struct topic *topic, str protocol, str endpoint, struct fault *f)
{
    static const char *const others[] = {"http", "https",       "email",  "email-json",
                                         "sms",  "application", "lambda", "firehose"};
    bool known = false;

    if (str_is(protocol, "sqs"))
        return check_sqs(topic, endpoint, f);
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        known = known || str_is(protocol, others[i]);
    if (!known)
        return fault_set(f, FAULT_INVALID,
                         FAULT_PREFIX "Amazon SNS does not support this protocol string: %.*s",
                         str_shown(protocol, SHOWN_MAX), protocol.n ? protocol.p : "");
    if (topic->fifo)
        return fault_set(f, FAULT_INVALID, FAULT_PREFIX "Invalid protocol type: %.*s",
                         STR_ARG(protocol));
    if (str_is(protocol, "sms") && !api_is_phone_number(endpoint))
        return fault_set(f, FAULT_INVALID, "Invalid SMS endpoint: %.*s",
                         str_shown(endpoint, SHOWN_MAX), endpoint.n ? endpoint.p : "");
    if ((str_is(protocol, "http") && !str_starts_nocase(endpoint, STR("http://"))) ||
        (str_is(protocol, "https") && !str_starts_nocase(endpoint, STR("https://"))))
        return fault_set(f, FAULT_INVALID,
                         FAULT_PREFIX "Endpoint must match the specified protocol");
    if (str_is(protocol, "application")) /* platform applications are not implemented */
        return fault_set(f, FAULT_INVALID,
                         FAULT_PREFIX "Endpoint Reason: Endpoint does not exist for endpoint %.*s",
                         str_shown(endpoint, SHOWN_MAX), endpoint.n ? endpoint.p : "");
    return fault_set(f, CALL_FAULT_UNSUPPORTED,
                     "Subscriptions with the protocol %.*s are not implemented.",
                     STR_ARG(protocol));
}

static int check_limits(struct topicd *t, const struct topic *topic, str owner,
                        const struct settings *settings, struct fault *f)
{
    const struct topicd_options *o = t->options;

    if (topic->subs.n >= (topic->fifo ? TOPIC_FIFO_SUBS_MAX : TOPIC_SUBS_MAX) ||
        t->catalog.subs.n >= (u64)o->subscriptions_total_max ||
        !catalog_has_room_for(&t->catalog, owner, topic->scope->region, (u64)o->scopes_max))
        return fault_set(f, FAULT_SUBSCRIPTION_LIMIT, "Subscription limit exceeded");
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

static struct sub *make_or_find_sub(struct topicd *t, struct topic *topic, str owner, str protocol,
                                    str endpoint, const struct settings *settings, struct fault *f)
{
    struct buf text = {0};
    struct sub *u;

    if (check_limits(t, topic, owner, settings, f))
        return NULL;
    settings_write(settings, &text);
    u = catalog_add_sub(&t->catalog, topic, catalog_scope(&t->catalog, owner, topic->scope->region),
                        protocol, endpoint, buf_view(&text), &t->server.ids,
                        t->server.clock.now_ms);
    buf_deinit(&text);
    return u;
}

struct sub *api_make_sub(struct topicd *t, struct topic *topic, str owner, str protocol,
                         str endpoint, const struct setting *given, size_t n, struct fault *f)
{
    struct settings settings;
    struct sub *u = NULL;

    settings_init(&settings);
    /* The service refuses attributes before it looks at protocol and endpoint. */
    if (sub_attr_set(&settings, given, n, FAULT_FRAME_CREATE, f) == 0 &&
        check_endpoint(topic, protocol, endpoint, f) == 0) {
        u = catalog_find_sub(topic, protocol, endpoint);
        if (!u) {
            u = make_or_find_sub(t, topic, owner, protocol, endpoint, &settings, f);
        } else if (!sub_attr_agree(given, n, &settings, u)) {
            fault_set(f, FAULT_INVALID,
                      FAULT_FRAME_CREATE "Subscription already exists with different attributes");
            u = NULL;
        }
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

        if (u)
            call_out_text(c, "SubscriptionArn", u->arn);
    }
    call_done(c);
}

/* --- ConfirmSubscription ---------------------------------------------------------------------- */

#define TOKEN_SIZE 288 /* hex digits */

static bool is_token(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!strchr("0123456789abcdefABCDEF", s.p[i]) || !s.p[i])
            return false;
    return s.n == TOKEN_SIZE;
}

/* Queues are confirmed when they subscribe, so no token was ever issued. */
void api_confirm_subscription(struct call *c)
{
    struct arn arn;
    str topic = val_text(c->in, "TopicArn"), token = val_text(c->in, "Token");

    if (!topic.p || arn_read(topic, &arn) || !str_is(arn.service, "sns") ||
        !str_eq(arn.region, c->region))
        call_fail(c, FAULT_INVALID, FAULT_PREFIX "Topic");
    else if (!token.p)
        call_fail(c, FAULT_INVALID, FAULT_PREFIX "Token Reason: no value for required parameter");
    else if (c->identity.is_signed && !is_token(token))
        call_fail(c, FAULT_INVALID, "Invalid token");
    else
        call_fail(c, FAULT_INVALID, FAULT_PREFIX "Token");
}

/* --- Unsubscribe ------------------------------------------------------------------------------ */

/* A subscription's ARN has one part more than a topic's; `text` has at least six. */
static int check_sub_arn(struct call *c, str text)
{
    struct arn arn;

    if (arn_parts(text) == ARN_PARTS_MIN)
        return fault_set(&c->fault, FAULT_INVALID, FAULT_PREFIX "SubscriptionId");
    if (arn_read(text, &arn) || !str_is(arn.service, "sns") || !str_eq(arn.region, c->region))
        return fault_set(&c->fault, FAULT_INVALID, FAULT_PREFIX "SubscriptionArn");
    return 0;
}

void api_unsubscribe(struct call *c)
{
    struct topicd *t = call_owner(c);
    str arn;

    if (api_arn(c, "SubscriptionArn", &arn) == 0 && check_sub_arn(c, arn) == 0) {
        struct sub *u = catalog_sub(&t->catalog, arn);

        /* A GET of a notification's unsubscribe URL is anonymous, and only their owner may end such
         * subscriptions. Where signatures are verified, every unsigned call is anonymous. */
        if (u && !c->identity.is_signed &&
            (str_is(c->request.method, "GET") || desk_verifies(c->desk)))
            fault_set(&c->fault, FAULT_AUTHORIZATION,
                      "This subscription requires authentication for deletion.");
        else if (u)
            catalog_remove_sub(&t->catalog, u);
    }
    call_done(c);
}

/* --- lists ------------------------------------------------------------------------------------ */

static void out_sub(struct call *c, const struct sub *u)
{
    call_out_item(c);
    call_out_text(c, "SubscriptionArn", u->arn);
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

    if (!api_page_begin(c, kind, &place))
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
        api_page_end(c, kind, at);
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

    if (api_arn(c, "SubscriptionArn", &arn) || check_sub_arn(c, arn))
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
             sub_attr_set(&settings, &given, 1, FAULT_PREFIX, &c->fault) == 0 &&
             check_policy_limit(t, u, &settings, &c->fault) == 0) {
        settings_write(&settings, &text);
        catalog_set_sub(&t->catalog, u, buf_view(&text));
    }
    buf_deinit(&text);
    settings_deinit(&settings);
    call_done(c);
}
