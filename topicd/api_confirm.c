/* ConfirmSubscription, Unsubscribe: what the URLs in messages call. */
#include "common/aws/arn.h"
#include "topicd/api.h"
#include "topicd/confirmation.h"

/* --- ConfirmSubscription ---------------------------------------------------------------------- */

static bool is_token(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!strchr("0123456789abcdefABCDEF", s.p[i]) || !s.p[i])
            return false;
    return s.n == SUB_TOKEN_SIZE;
}

/* The token alone names the subscription: the topic must be of this region, but may be another. */
static struct sub *find_pending(struct call *c)
{
    struct topicd *t = call_owner(c);
    str topic = val_text(c->in, "TopicArn"), token = val_text(c->in, "Token");
    struct arn arn;

    if (!topic.p || arn_read(topic, &arn) || !str_is(arn.service, "sns") ||
        !str_eq(arn.region, c->region)) {
        fault_set(&c->fault, FAULT_INVALID, FAULT_PREFIX "Topic");
        return NULL;
    }
    if (!token.p) {
        fault_set(&c->fault, FAULT_INVALID,
                  FAULT_PREFIX "Token Reason: no value for required parameter");
        return NULL;
    }
    struct sub *u = is_token(token) ? catalog_find_token(&t->catalog, token) : NULL;

    if (!u && c->identity.is_signed && !is_token(token))
        fault_set(&c->fault, FAULT_INVALID, "Invalid token");
    else if (!u || !str_eq(u->topic->scope->region, c->region))
        fault_set(&c->fault, FAULT_INVALID, FAULT_PREFIX "Token");
    return c->fault.code ? NULL : u;
}

static void confirm(struct topicd *t, struct sub *u, bool is_signed, bool guard)
{
    struct settings settings;
    struct buf text = {0};

    settings_init(&settings);
    if (settings_read(&settings, sub_attributes(u)))
        settings_reset(&settings);
    confirmation_end(&settings, is_signed, guard);
    settings_write(&settings, &text);
    catalog_set_sub(&t->catalog, u, buf_view(&text));
    buf_deinit(&text);
    settings_deinit(&settings);
}

static int check_guard(const struct call *c, const struct sub *u, bool guard, struct fault *f)
{
    if (!guard)
        return 0;
    if (!c->identity.is_signed || !str_eq(c->account, u->owner->account))
        return fault_set(f, FAULT_AUTHORIZATION,
                         "To disallow anonymous unsubscription, subscriber and confirmer IDs must "
                         "match");
    return u->guarded ? fault_set(f, FAULT_AUTHORIZATION, "Subscription already confirmed") : 0;
}

void api_confirm_subscription(struct call *c)
{
    struct sub *u = find_pending(c);
    bool guard = str_eq_nocase(val_text(c->in, "AuthenticateOnUnsubscribe"), STR("true"));

    if (u && check_guard(c, u, guard, &c->fault) == 0) {
        if (u->pending || guard)
            confirm(call_owner(c), u, c->identity.is_signed, guard);
        call_out_text(c, "SubscriptionArn", u->arn);
    }
    call_done(c);
}

/* --- Unsubscribe ------------------------------------------------------------------------------ */

int api_check_sub_arn(struct call *c, str text)
{
    struct arn arn;

    if (arn_parts(text) == ARN_PARTS_MIN)
        return fault_set(&c->fault, FAULT_INVALID, FAULT_PREFIX "SubscriptionId");
    if (arn_read(text, &arn) || !str_is(arn.service, "sns") || !str_eq(arn.region, c->region))
        return fault_set(&c->fault, FAULT_INVALID, FAULT_PREFIX "SubscriptionArn");
    return 0;
}

/* A GET of a notification's unsubscribe URL is anonymous: it ends subscriptions whose endpoint
 * confirmed them, unless that asked for authentication. Where signatures are verified, every
 * unsigned call is anonymous. */
static bool may_end(const struct call *c, const struct sub *u)
{
    bool anonymous =
        !c->identity.is_signed && (str_is(c->request.method, "GET") || desk_verifies(c->desk));

    return !anonymous || (u->token && !u->guarded);
}

void api_unsubscribe(struct call *c)
{
    struct topicd *t = call_owner(c);
    str arn;

    if (api_arn(c, "SubscriptionArn", &arn) == 0 && api_check_sub_arn(c, arn) == 0) {
        struct sub *u = catalog_sub(&t->catalog, arn);

        if (u && u->pending)
            fault_set(&c->fault, FAULT_INVALID,
                      FAULT_PREFIX "SubscriptionArn Reason: Cannot unsubscribe a subscription that "
                                   "is pending confirmation");
        else if (u && !may_end(c, u))
            fault_set(&c->fault, FAULT_AUTHORIZATION,
                      "This subscription requires authentication for deletion.");
        else if (u)
            catalog_remove_sub(&t->catalog, u);
    }
    call_done(c);
}
