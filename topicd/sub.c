/* A subscription and its two names are one allocation. */
#include "topicd/sub.h"

static const char *const route_protocols[ROUTE_KINDS] = {[ROUTE_QUEUED] = "sqs"};

static enum route_kind route_of(str protocol)
{
    for (u8 k = ROUTE_NONE + 1; k < ROUTE_KINDS; k++)
        if (str_is(protocol, route_protocols[k]))
            return (enum route_kind)k;
    return ROUTE_NONE;
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
    mem_free(u->attributes);
    mem_free(u);
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
    *ret_policy = policy;
    return 0;
}
