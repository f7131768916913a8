/* The desk. Calls and their memory come from a pool, so that a steady load allocates next to
 * nothing, and return to it when their answer has been sent.
 *
 *   taken ──run──> (parked) ──call_done──> done ──this turn is durable──> replied ──> pool
 *
 * Invariants:
 * 1. Every call that desk_take returned is replied to exactly once, from a later callback of the
 *    loop, whether its client is still connected or not.
 * 2. A call is rendered when it is done, so memory that its handler lent may be freed; only a
 *    commit that fails renders it again, as a fault.
 * 3. `waiting` counts the calls that are taken and not yet replied to. */
#include "common/aws/desk_parts.h"

#include "common/aws/sigv4.h"
#include "common/base/log.h"

/* --- the desk itself -------------------------------------------------------------------------- */

struct desk *desk_new(struct loop *l, struct id_source *ids, const struct desk_conf *conf)
{
    struct desk *d = mem_alloc(sizeof *d);
    d->loop = l;
    d->ids = ids;
    d->account = mem_dup(str_of(conf->account));
    d->region = mem_dup(str_of(conf->region));
    str url = str_of(conf->public_url);
    while (str_ends(url, STR("/")))
        url.n--;
    d->public_url = mem_dup(url);
    d->public_url_always = conf->public_url_always && url.n;
    d->waiting_max = conf->waiting_max;
    d->clients = conf->clients;
    list_init(&d->pool);
    return d;
}

void desk_set_public_url(struct desk *d, const char *url)
{
    mem_free(d->public_url);
    d->public_url = mem_dup(str_of(url));
}

void desk_free(struct desk *d)
{
    if (!d)
        return;
    assert(d->waiting == 0);
    list_each(at, after, &d->pool)
        desk_call_free(list_item(at, struct call, link));
    buf_deinit(&d->refusal.body);
    keys_free(d->keys);
    mem_free(d->public_url);
    mem_free(d->region);
    mem_free(d->account);
    mem_free(d);
}

void desk_add_service(struct desk *d, const struct service *s)
{
    assert(d->service_count < SERVICES_MAX);
    for (size_t i = 1; i < s->action_count; i++)
        assert(strcmp(s->actions[i - 1].name, s->actions[i].name) < 0);
    d->services[d->service_count++] = s;
}

size_t desk_service_count(const struct desk *d)
{
    return d->service_count;
}

const struct service *desk_service(const struct desk *d, size_t at)
{
    assert(at < d->service_count);
    return d->services[at];
}

void desk_add_page(struct desk *d, const char *method, const char *path,
                   void (*run)(struct call *c, void *arg), void *arg)
{
    assert(d->page_count < PAGES_MAX);
    d->pages[d->page_count++] = (struct page){method, path, run, arg, false};
}

void desk_add_open_page(struct desk *d, const char *method, const char *path,
                        void (*run)(struct call *c, void *arg), void *arg)
{
    desk_add_page(d, method, path, run, arg);
    d->pages[d->page_count - 1].is_open = true;
}

int desk_open_keys(struct desk *d, const char *path, struct fault *f)
{
    assert(!d->keys);
    return path[0] ? keys_open(&d->keys, path, f) : 0;
}

void desk_reload_keys(struct desk *d)
{
    struct fault f;
    if (!d->keys)
        return;
    fault_clear(&f);
    if (keys_reload(d->keys, &f))
        log_error("the keys were not reloaded: %s", f.text);
    else
        log_info("the keys were reloaded keys=%zu", keys_count(d->keys));
}

bool desk_verifies(const struct desk *d)
{
    return d->keys;
}

void desk_set_failing(struct desk *d, bool failing)
{
    d->failing = failing;
}

void desk_set_full(struct desk *d, bool full)
{
    d->full = full;
}

void desk_set_lost(struct desk *d, bool lost)
{
    d->lost = lost;
}

void desk_quiesce(struct desk *d)
{
    d->quiet = true;
}

u32 desk_waiting(const struct desk *d)
{
    return d->waiting;
}

/* --- taking ----------------------------------------------------------------------------------- */

/* Whether each part of the path is that of the pattern, or stands for its asterisk. */
static bool path_fits(str pattern, str path)
{
    while (pattern.p && path.p) {
        str want = str_cut(&pattern, '/'), part = str_cut(&path, '/');

        if (str_is(want, "*") ? part.n == 0 : !str_eq(want, part))
            return false;
    }
    return !pattern.p && !path.p;
}

/* A page for GET answers HEAD, too: the endpoint omits the body. Clients of an API may be sent to the
 * pages that begin with an underscore. */
static const struct page *find_page(const struct desk *d, const struct request *rq)
{
    str method = str_is(rq->method, "HEAD") ? STR("GET") : rq->method;
    if (rq->path.n <= 1 || (rq->target.n && !str_starts(rq->path, STR("/_"))))
        return NULL;
    for (size_t i = 0; i < d->page_count; i++)
        if (str_is(method, d->pages[i].method) && path_fits(str_of(d->pages[i].path), rq->path))
            return &d->pages[i];
    return NULL;
}

/* Why this call is not accepted now, or NULL. */
static const char *call_refusal_reason(const struct call *c)
{
    const struct desk *d = c->desk;
    if (d->quiet)
        return "The service is stopping. Try again.";
    if (d->waiting > d->waiting_max)
        return "Too many requests are pending. Try again.";
    if (d->failing && c->action && c->action->flags & ACTION_WRITES)
        return "The service cannot store anything at the moment. Try again.";
    if (d->full && c->action && c->action->flags & ACTION_GROWS)
        return "The disk is full: nothing more can be stored until there is room. Messages can be "
               "received and deleted.";
    if (d->lost && c->service && !c->service->forward)
        return "The service cannot read its store at the moment. Try again.";
    return NULL;
}

/* Only these methods run an action: above all a HEAD changes nothing. */
static bool is_calling(const struct request *rq)
{
    return str_is(rq->method, "POST") || str_is(rq->method, "GET") || str_is(rq->method, "CALL");
}

/* Finds action and caller, and reads the input unless the call is forwarded. Sets c->fault for a
 * call that is refused. */
static void call_prepare(struct call *c)
{
    sigv4_read(&c->request, &c->arena, &c->identity, &c->fault);
    call_find(c, c->desk->services, c->desk->service_count);
    if (!is_calling(&c->request)) {
        fault_clear(&c->fault);
        fault_set(&c->fault, CALL_FAULT_NO_ACTION, "Actions are called by GET and POST.");
    }
    const char *why = call_refusal_reason(c);
    if (why) {
        fault_clear(&c->fault);
        fault_set(&c->fault, CALL_FAULT_UNAVAILABLE, "%s", why);
    }
    const struct key *key = caller_verify(c);
    bool has_policy = key && key->policy;
    caller_decide(c);
    if (c->fault.code || (c->service->forward && !has_policy))
        return;
    if (!c->action) /* the other daemon may know it, but no policy can be evaluated for it */
        fault_set(&c->fault, CALL_FAULT_UNKNOWN_ACTION,
                  "The action is not valid for this endpoint.");
    else
        call_read(c);
    if (!c->fault.code)
        caller_place_unsigned(c);
    if (!c->fault.code && has_policy)
        caller_check_policy(c, key);
}

struct call *desk_take(struct desk *d, const struct request *rq,
                       enum call_outcome (*reply)(void *arg, struct call *c), void *arg)
{
    struct call *c = desk_call_new(d);
    c->request = *rq;
    c->reply = reply;
    c->reply_arg = arg;
    id_uuid(d->ids, c->answer.request_id);
    const struct page *page = find_page(d, rq);
    if (page) {
        bool may = caller_may_see(c, page);

        caller_decide(c);
        if (may)
            page->run(c, page->arg);
        else
            call_page(c, 403, STR("{\"error\":\"this page needs a signature\"}"));
        return c;
    }
    call_prepare(c);
    if (c->fault.code)
        call_done(c);
    else if (c->service->forward)
        c->service->forward(c);
    else
        c->action->run(c);
    return c;
}

struct answer *desk_refuse(struct desk *d, const struct request *rq, int code, const char *why)
{
    struct call *c = desk_call_new(d);
    c->request = *rq;
    id_uuid(d->ids, c->answer.request_id);
    sigv4_read(&c->request, &c->arena, &c->identity, &c->fault);
    call_find(c, d->services, d->service_count);
    fault_clear(&c->fault);
    fault_set(&c->fault, code, "%s", why);
    call_render(c);
    buf_deinit(&d->refusal.body);
    d->refusal = c->answer;
    c->answer.body = (struct buf){0};
    desk_call_return(d, c);
    return &d->refusal;
}
