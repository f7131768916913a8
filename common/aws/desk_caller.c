/* Who makes a call, and whether it is allowed: account and region, the signature and the policy of
 * the caller's key; and the base of the URLs that the caller is given. */
#include "common/aws/desk_parts.h"

#include "common/aws/arn.h"
#include "common/aws/authorize.h"
#include "common/aws/sigv4.h"
#include "common/base/log.h"

/* Denied calls that are logged per second. */
#define TOLD_MAX      10
#define HOST_SIZE_MAX 255

void caller_decide(struct call *c)
{
    const struct request *rq = &c->request;
    struct identity *id = &c->identity;
    if (rq->door == DOOR_LINK)
        id->user = rq->user;
    if (id->account.n)
        c->account = id->account;
    else if (arn_is_account(rq->account))
        c->account = rq->account;
    else
        c->account = arn_is_account(id->access_key) && !c->desk->keys ? id->access_key
                                                                      : str_of(c->desk->account);
    if (arn_is_region(rq->region))
        c->region = rq->region;
    else
        c->region = arn_is_region(id->region) ? id->region : str_of(c->desk->region);
}

/* Calls over the link were verified by topicd; access to the ipc endpoint is controlled by the mode
 * of its file. */
static bool is_verified_elsewhere(const struct call *c)
{
    return c->request.door == DOOR_IPC || c->request.door == DOOR_LINK;
}

static void refuse_unsigned(struct call *c)
{
    str base = call_base_url(c), path = c->request.path;
    if (c->service->unsigned_denied)
        fault_set(&c->fault, CALL_FAULT_ACCESS_DENIED, "Access to the resource %.*s%.*s is denied.",
                  STR_ARG(base), STR_ARG(path));
    else
        fault_set(&c->fault, CALL_FAULT_NO_SIGNATURE, "Request is missing Authentication Token");
}

/* Counts a denial. False: enough are logged in this second. */
static bool denial_is_told(struct call *c)
{
    struct desk *d = c->desk;
    i64 second = call_clock(c)->mono_ms / 1000;
    if (d->told_second != second)
        d->told = 0;
    d->told_second = second;
    return d->told++ < TOLD_MAX;
}

/* The key of the call's signature. NULL: c->fault is set. */
static const struct key *call_verify(struct call *c, const char *service)
{
    const struct key *key;
    if (sigv4_verify(c, service, c->desk->keys, call_clock(c)->now_ms, &key)) {
        if (c->fault.code == CALL_FAULT_NO_SUBSCRIPTION && denial_is_told(c))
            log_info("a call is denied by the services of its key key=%.*s service=%s",
                     STR_ARG(c->identity.access_key), service);
        return NULL;
    }
    c->identity.account = arena_dup(&c->arena, key->account);
    c->identity.user = arena_dup(&c->arena, key->user);
    return key;
}

void caller_place_unsigned(struct call *c)
{
    const struct request *rq = &c->request;
    struct arn arn = {.account = c->account, .region = c->region};
    if (c->identity.is_signed || !c->service->names)
        return;
    c->service->names(c, &arn);
    if (arn_is_account(arn.account) && (!rq->account.n || rq->door == DOOR_LINK))
        c->account = arn.account;
    if (arn_is_region(arn.region) && (!rq->region.n || rq->door == DOOR_LINK))
        c->region = arn.region;
}

void caller_check_policy(struct call *c, const struct key *key)
{
    struct buf why = {0};
    if (authorize(c, key, &why) && denial_is_told(c))
        log_info("a call is denied by the policy of its key key=%.*s action=%s: %s",
                 STR_ARG(key->id), c->action->name, why.p);
    buf_deinit(&why);
}

static bool is_host(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char ch = s.p[i], letter = (char)(ch | 0x20);
        if (!((letter >= 'a' && letter <= 'z') || (ch >= '0' && ch <= '9') ||
              (ch && strchr(".-_:[]", ch))))
            return false;
    }
    return s.n > 0 && s.n <= HOST_SIZE_MAX;
}

str call_base_url(struct call *c)
{
    const struct desk *d = c->desk;
    if (!d->public_url_always && is_host(c->request.host))
        return arena_printf(&c->arena, "%s://%.*s", c->request.secure ? "https" : "http",
                            STR_ARG(c->request.host));
    return d->public_url[0] ? str_of(d->public_url) : STR("http://localhost");
}

const struct key *caller_verify(struct call *c)
{
    if (!c->desk->keys || is_verified_elsewhere(c) || c->fault.code)
        return NULL;
    if (c->identity.is_signed)
        return call_verify(c, c->service->signing_name);
    if (!c->action || !(c->action->flags & ACTION_OPEN))
        refuse_unsigned(c);
    return NULL;
}

bool caller_may_see(struct call *c, const struct page *page)
{
    if (!c->desk->keys || page->is_open || c->request.door != DOOR_TCP)
        return true;
    if (sigv4_read(&c->request, &c->arena, &c->identity, &c->fault) || !c->identity.is_signed)
        return false;
    for (size_t i = 0; i < c->desk->service_count && !c->fault.code; i++) {
        if (str_is(c->identity.service, c->desk->services[i]->signing_name)) {
            const struct key *key = call_verify(c, c->desk->services[i]->signing_name);
            return key && !key->policy;
        }
    }
    return false;
}
