/* A subscription and its two names are one allocation. */
#include "topicd/sub.h"

#include "topicd/confirmation.h"

static const struct {
    const char *protocol;
    enum route_kind route;
} protocols[] = {
    {"sqs", ROUTE_QUEUED},   {"email", ROUTE_CAPTURED},    {"email-json", ROUTE_CAPTURED},
    {"sms", ROUTE_CAPTURED}, {"firehose", ROUTE_CAPTURED}, {"application", ROUTE_CAPTURED},
};

static enum route_kind route_of(str protocol)
{
    for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
        if (str_is(protocol, protocols[i].protocol))
            return protocols[i].route;
    return ROUTE_NONE;
}

const char *sub_protocol_name(const struct sub *u)
{
    for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
        if (str_is(sub_protocol(u), protocols[i].protocol))
            return protocols[i].protocol;
    return NULL;
}

struct sub *sub_new(str arn, str protocol, str endpoint)
{
    size_t key_n = protocol.n + 1 + endpoint.n;
    struct sub *u = mem_alloc(sizeof(*u) + arn.n + key_n);
    char *at = (char *)(u + 1);

    assert(protocol.n <= UINT8_MAX);
    memcpy(at, arn.p, arn.n);
    u->arn = str_from(at, arn.n);
    at += arn.n;
    u->key = str_from(at, key_n);
    u->route = (u8)route_of(protocol);
    u->protocol_n = (u8)protocol.n;
    memcpy(at, protocol.p, protocol.n);
    at[protocol.n] = ' ';
    if (endpoint.n)
        memcpy(at + protocol.n + 1, endpoint.p, endpoint.n);
    return u;
}

void sub_free(struct sub *u)
{
    mem_free(u->token);
    mem_free(u->attributes);
    mem_free(u);
}

static void read_confirmation(struct sub *u, const struct settings *s)
{
    str token = settings_get(s, CONFIRMATION_TOKEN);

    u->pending = settings_get(s, CONFIRMATION_PENDING).n;
    u->unauthenticated = settings_get(s, CONFIRMATION_UNAUTHENTICATED).n;
    u->guarded = settings_get(s, CONFIRMATION_GUARD).n;
    if (!u->token && token.n == SUB_TOKEN_SIZE)
        u->token = mem_dup(token);
}

/* Most subscriptions have no attributes or a policy only, so a full parse is done only if needed.
 * */
int sub_set_attributes(struct sub *u, str attributes, struct settings *scratch,
                       struct policy **ret_policy, struct fault *f)
{
    enum filter_scope scope = FILTER_ATTRIBUTES;
    struct policy *policy = NULL;
    char *copy;

    settings_reset(scratch);
    if (settings_read(scratch, attributes))
        return E_INVALID;
    str scope_text = settings_get(scratch, STR("FilterPolicyScope"));
    str policy_text = settings_get(scratch, STR("FilterPolicy"));

    if (scope_text.p && filter_scope_read(scope_text, &scope))
        return E_INVALID;
    if (policy_text.n && policy_new(&policy, policy_text, scope, &FILTER_LIMITS_NONE, f))
        return E_INVALID;
    copy = mem_dup(attributes);
    mem_free(u->attributes);
    u->attributes = copy;
    u->attributes_n = (u32)attributes.n;
    u->raw = str_is(settings_get(scratch, STR("RawMessageDelivery")), "true");
    u->has_policy = policy != NULL;
    read_confirmation(u, scratch);
    *ret_policy = policy;
    return 0;
}
