#include "common/aws/authorize.h"

#include "common/aws/desk.h"
#include "common/aws/sigv4.h"

/* --- what is asked ---------------------------------------------------------------------------- */

/* "sqs:SendMessage": a batch needs what its single action needs. */
static str action_of(struct call *c)
{
    str name = str_of(c->action->name), batch = STR("Batch");

    if (str_ends(name, batch))
        name.n -= batch.n;
    return arena_printf(&c->arena, "%s%.*s", c->service->action_prefix, STR_ARG(name));
}

static str arn_in_arena(struct call *c, const struct arn *arn)
{
    struct buf text = {0};

    arn_write(&text, arn);
    str copy = arena_dup(&c->arena, buf_view(&text));

    buf_deinit(&text);
    return copy;
}

static str resource_of(struct call *c)
{
    struct arn arn = {.region = c->region, .account = c->account, .resource = STR("")};

    c->service->names(c, &arn);
    arn = arn_of(c->service->signing_name, arn.region, arn.account, arn.resource);
    return arn_in_arena(c, &arn);
}

static str principal_of(struct call *c)
{
    str user = c->identity.user;
    struct arn arn =
        arn_of("iam", c->region, c->account,
               user.n ? arena_printf(&c->arena, "user/%.*s", STR_ARG(user)) : STR("root"));

    arn.region = STR("");
    return arn_in_arena(c, &arn);
}

/* The standard condition keys of a call over HTTP. */
static void add_facts(struct call *c, struct access_request *rq)
{
    i64 now_ms = call_clock(c)->now_ms;
    char *time = arena_alloc(&c->arena, CLOCK_ISO_SIZE);
    struct buf ip = {0};

    access_request_add_caller(rq);
    access_request_add(rq, STR("aws:CurrentTime"), str_of(clock_iso(now_ms, time)));
    access_request_add(rq, STR("aws:EpochTime"),
                       arena_printf(&c->arena, "%" PRId64, now_ms / 1000));
    access_request_add(rq, STR("aws:RequestedRegion"), c->region);
    if (c->identity.user.n)
        access_request_add(rq, STR("aws:username"), c->identity.user);
    access_request_add(rq, STR("aws:SecureTransport"),
                       c->request.secure ? STR("true") : STR("false"));
    address_write(&ip, &c->request.peer);
    if (ip.n)
        access_request_add(rq, STR("aws:SourceIp"), arena_dup(&c->arena, buf_view(&ip)));
    buf_deinit(&ip);
    str agent = sigv4_header(&c->request, "User-Agent");

    if (agent.n)
        access_request_add(rq, STR("aws:UserAgent"), agent);
}

void authorize_request(struct call *c, struct access_request *ret)
{
    *ret = (struct access_request){.account = c->account,
                                   .principal = principal_of(c),
                                   .service = STR(""),
                                   .service_region = STR(""),
                                   .action = action_of(c),
                                   .resource = resource_of(c)};
    add_facts(c, ret);
}

void authorize_topic(struct access_request *ret, str topic, str queue, i64 now_ms,
                     char time[CLOCK_ISO_SIZE])
{
    struct arn arn = {.region = STR(""), .account = STR("")};

    if (arn_read(topic, &arn))
        arn = (struct arn){.region = STR(""), .account = STR("")};
    *ret = (struct access_request){.account = STR(""),
                                   .principal = STR(""),
                                   .service = STR("sns.amazonaws.com"),
                                   .service_region = arn.region,
                                   .action = STR("sqs:SendMessage"),
                                   .resource = queue};
    access_request_add_caller(ret);
    access_request_add(ret, STR("aws:SourceArn"), topic);
    access_request_add(ret, STR("aws:SourceAccount"), arn.account);
    access_request_add(ret, STR("aws:CurrentTime"), str_of(clock_iso(now_ms, time)));
    access_request_add(ret, STR("aws:SecureTransport"), STR("true"));
}

/* --- what is answered ------------------------------------------------------------------------- */

/* Amazon SQS writes actions in lower case here, Amazon SNS as they are. */
static str action_shown(struct call *c, str action)
{
    str copy = arena_dup(&c->arena, action);

    if (!c->service->flattened)
        return copy;
    for (size_t i = 0; i < copy.n; i++)
        if (copy.p[i] >= 'A' && copy.p[i] <= 'Z')
            ((char *)copy.p)[i] = (char)(copy.p[i] | 0x20);
    return copy;
}

/* `kind`: of the policy, "an identity-based", "a resource-based". */
static int authorize_refuse(struct call *c, const struct access_request *rq, bool is_explicit,
                            const char *kind)
{
    str action = action_shown(c, rq->action);

    if (is_explicit)
        return fault_set(&c->fault, CALL_FAULT_ACCESS_DENIED,
                         "User: %.*s is not authorized to perform: %.*s on resource: %.*s with an "
                         "explicit deny in %s policy",
                         STR_ARG(rq->principal), STR_ARG(action), STR_ARG(rq->resource), kind);
    return fault_set(&c->fault, CALL_FAULT_ACCESS_DENIED,
                     "User: %.*s is not authorized to perform: %.*s on resource: %.*s because no "
                     "%s policy allows the %.*s action",
                     STR_ARG(rq->principal), STR_ARG(action), STR_ARG(rq->resource),
                     strchr(kind, ' ') + 1, STR_ARG(action));
}

int authorize(struct call *c, const struct key *key, struct buf *why)
{
    struct access_request rq;

    if (!key->policy)
        return 0;
    authorize_request(c, &rq);
    struct access_decision d = access_policy_judge(key->policy, &rq);

    if (d.verdict == ACCESS_ALLOWED)
        return 0;
    access_decision_tell(&d, &rq, why);
    return authorize_refuse(c, &rq, d.verdict == ACCESS_DENIED, "an identity-based");
}

int authorize_by_resource(struct call *c, const struct resource_policy *r, struct buf *why)
{
    struct access_request rq;
    struct access_decision d = {.verdict = ACCESS_NO_STATEMENT};
    bool is_owner = str_eq(c->account, r->owner);
    bool is_root = is_owner && !c->identity.user.n;

    if (is_owner && (!r->policy || (is_root && c->action->flags & ACTION_UNLOCKS)))
        return 0;
    authorize_request(c, &rq);
    rq.resource = r->arn;
    if (r->policy)
        d = access_policy_judge(r->policy, &rq);
    if (d.verdict != ACCESS_DENIED && is_owner)
        return 0;
    if (d.verdict == ACCESS_ALLOWED && !(c->action->flags & ACTION_OWNER))
        return 0;
    if (d.verdict == ACCESS_ALLOWED)
        buf_z(why, "only the owner's account may do it");
    else
        access_decision_tell(&d, &rq, why);
    return authorize_refuse(c, &rq, d.verdict == ACCESS_DENIED, "a resource-based");
}
