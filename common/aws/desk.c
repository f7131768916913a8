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
#include "common/aws/desk.h"

#include <stdarg.h>

#include "common/aws/arn.h"
#include "common/aws/authorize.h"
#include "common/aws/dialect.h"
#include "common/aws/sigv4.h"
#include "common/base/log.h"
#include "common/base/scan.h"

#define SERVICES_MAX 4
#define PAGES_MAX    32
#define POOL_MAX     256 /* idle calls that are kept: as many as one turn may accept */
/* Most memory that an idle call keeps for input, scratch and answer. */
#define KEEP_MAX (16 * 1024)

/* Denied calls that are logged per second. */
#define TOLD_MAX 10

#define HOST_SIZE_MAX 255

struct page {
    const char *method, *path;
    void (*run)(struct call *c, void *arg);
    void *arg;
    bool is_open; /* needs no signature */
};

struct desk {
    struct loop *loop;
    struct id_source *ids;
    char *account, *region, *public_url;
    bool public_url_always;
    u32 waiting_max, waiting;
    struct budget *clients;
    const struct service *services[SERVICES_MAX];
    size_t service_count;
    struct page pages[PAGES_MAX];
    size_t page_count;
    struct answer refusal; /* the last one returned by desk_refuse */
    struct keys *keys;     /* NULL: signatures are not verified */
    i64 told_second;       /* second of the last logged denials, and their number */
    u32 told;
    struct list pool;
    u32 pool_count;
    bool failing, full, lost, quiet;
};

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

static void call_free(struct call *c)
{
    buf_deinit(&c->answer.body);
    buf_deinit(&c->scratch);
    arena_deinit(&c->arena);
    mem_free(c);
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
        call_free(list_item(at, struct call, link));
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

/* --- calls and their pool --------------------------------------------------------------------- */

static struct call *call_take(struct desk *d)
{
    struct call *c;
    if (list_is_empty(&d->pool)) {
        c = mem_grow(NULL, sizeof *c); /* not zeroed: the fault alone is 4 KiB */
        arena_init(&c->arena);
        c->scratch = c->answer.body = (struct buf){0};
    } else {
        c = list_item(d->pool.next, struct call, link);
        list_remove(&c->link);
        d->pool_count--;
    }
    struct arena arena = c->arena;
    struct buf scratch = c->scratch, body = c->answer.body;
    memset(c, 0, offsetof(struct call, out));
    c->arena = arena;
    c->scratch = scratch;
    c->answer.body = body;
    buf_reset(&c->answer.body);
    c->desk = d;
    list_init(&c->link);
    c->out.depth = 0;
    c->out.begun = false;
    fault_clear(&c->fault);
    d->waiting++;
    return c;
}

static void call_give_back(struct desk *d, struct call *c)
{
    assert(d->waiting > 0);
    d->waiting--;
    if (d->pool_count >= POOL_MAX) {
        call_free(c);
        return;
    }
    if (c->answer.body.cap > KEEP_MAX)
        buf_deinit(&c->answer.body);
    if (c->scratch.cap > KEEP_MAX)
        buf_deinit(&c->scratch);
    arena_reset(&c->arena);
    if (c->arena.at && (size_t)(c->arena.end - c->arena.at) > KEEP_MAX)
        arena_deinit(&c->arena);
    list_push_front(&d->pool, &c->link);
    d->pool_count++;
}

struct clock *call_clock(const struct call *c)
{
    return loop_clock(c->desk->loop);
}

/* --- the end of a call ------------------------------------------------------------------------ */

static void call_render_failure(struct call *c, int code, const char *why)
{
    fault_clear(&c->fault);
    fault_set(&c->fault, code, "%s", why);
    if (c->service)
        call_render(c);
    else
        call_render_page(c, 503, STR("{\"error\":\"the store is failing\"}"));
}

static void call_refuse_unavailable(struct call *c, const char *why)
{
    call_render_failure(c, CALL_FAULT_UNAVAILABLE, why);
}

/* 503 says that nothing happened, 500 that nobody knows. */
static void call_unsure(struct call *c)
{
    call_render_failure(c, CALL_FAULT_INTERNAL, CALL_UNSURE_TEXT);
}

void desk_let_go(struct call *c)
{
    if (c->desk->clients)
        budget_give(c->desk->clients, c->held);
    c->held = 0;
}

u32 desk_room(struct desk *d, u64 each, u32 want)
{
    struct budget *b = d->clients;
    if (!b || budget_room(b, each * want))
        return want;
    u64 fits = b->used < b->max ? (b->max - b->used) / each : 0;
    if (fits == 0 && b->used < b->max / 2)
        fits = 1;
    return (u32)MIN(fits, (u64)want);
}

/* The answer was sent or dropped. */
static void call_end(struct call *c, enum call_outcome outcome)
{
    if (c->sent)
        c->sent(c, outcome);
    desk_let_go(c);
    call_give_back(c->desk, c);
}

void desk_sent(struct call *c, enum call_outcome outcome)
{
    assert(c->done && c->sent && outcome != CALL_SENDING);
    call_end(c, outcome);
}

static void call_leave(struct loop_later *later, int err)
{
    struct call *c = list_item(later, struct call, later);
    if (err < 0) {
        if (c->sent)
            c->sent(c, CALL_UNDONE);
        c->sent = NULL;
    }
    if (err == E_UNSURE)
        call_unsure(c);
    else if (err < 0)
        call_refuse_unavailable(c, "The service could not store the request. Try again.");
    enum call_outcome outcome = c->reply(c->reply_arg, c);
    if (outcome != CALL_SENDING || !c->sent)
        call_end(c, outcome);
}

static void call_leave_bound(struct loop_later *later, int err)
{
    call_leave(later, list_item(later, struct call, later)->turn_err);
}

static void call_turn_over(struct loop_later *later, int err)
{
    struct call *c = list_item(later, struct call, later);
    c->turn_over = true;
    c->turn_err = err;
    if (c->done)
        call_leave(later, err);
}

void call_bind(struct call *c)
{
    assert(!c->done && !c->bound);
    c->bound = true;
    c->later.run = call_turn_over;
    loop_later(c->desk->loop, &c->later);
}

/* c->answer is ready. */
static void call_finish(struct call *c)
{
    assert(!c->done);
    assert(list_is_empty(&c->link));
    c->done = true;
    c->cancel = NULL;
    if (c->desk->clients) {
        c->held = c->answer.body.cap;
        budget_take(c->desk->clients, c->held);
    }
    if (!c->bound) {
        c->later.run = call_leave;
        loop_later(c->desk->loop, &c->later);
    } else if (c->turn_over) {
        c->later.run = call_leave_bound;
        loop_soon(c->desk->loop, &c->later);
    }
}

void call_done(struct call *c)
{
    call_render(c);
    call_finish(c);
}

void call_done_with(struct call *c, struct answer *a)
{
    buf_deinit(&c->answer.body);
    if (!a->request_id[0])
        memcpy(a->request_id, c->answer.request_id, sizeof a->request_id);
    c->answer = *a;
    a->body = (struct buf){0};
    call_finish(c);
}

void call_fail(struct call *c, int code, const char *fmt, ...)
{
    char text[FAULT_TEXT_MAX + 2]; /* one more, so that fault_set sees what is too long */
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    fault_set(&c->fault, code, "%s", text);
    call_done(c);
}

void call_page(struct call *c, int status, str json)
{
    call_render_page(c, status, json);
    call_finish(c);
}

void call_page_as(struct call *c, int status, enum answer_type type, str body)
{
    call_render_page(c, status, body);
    c->answer.type = type;
    call_finish(c);
}

void call_page_fail(struct call *c, int status, const char *fmt, ...)
{
    char text[FAULT_TEXT_MAX];
    struct buf out = {0};
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    buf_z(&out, "{\"error\":");
    scan_quote(&out, str_of(text));
    buf_char(&out, '}');
    call_page(c, status, buf_view(&out));
    buf_deinit(&out);
}

void desk_cancel(struct call *c)
{
    if (c->gone)
        return;
    c->gone = true;
    if (!c->done && c->cancel)
        c->cancel(c);
}

/* --- who asks --------------------------------------------------------------------------------- */

/* Test set-ups isolate tenants by made-up access keys and regions: where signatures are not
 * verified, an access key id of twelve digits is an account, as in other implementations. */
static void decide_caller(struct call *c)
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

/* The key of the call's signature. NULL: c->fault is set. */
static const struct key *call_verify(struct call *c, const char *service)
{
    const struct key *key;
    if (sigv4_verify(c, service, c->desk->keys, call_clock(c)->now_ms, &key))
        return NULL;
    c->identity.account = arena_dup(&c->arena, key->account);
    c->identity.user = arena_dup(&c->arena, key->user);
    return key;
}

/* An unsigned call is for the account and region of the resource that it names, unless the request
 * states them explicitly. */
static void place_unsigned(struct call *c)
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

/* Checks the policy of the caller's key. Repeated denials are logged at a bounded rate. */
static void check_key_policy(struct call *c, const struct key *key)
{
    struct desk *d = c->desk;
    struct buf why = {0};
    i64 second = call_clock(c)->mono_ms / 1000;
    if (d->told_second != second)
        d->told = 0;
    d->told_second = second;
    if (authorize(c, key, &why) && d->told++ < TOLD_MAX)
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

/* With verified signatures the caller is the signer. NULL: not known by a key. */
static const struct key *check_call_signature(struct call *c)
{
    if (!c->desk->keys || is_verified_elsewhere(c) || c->fault.code)
        return NULL;
    if (c->identity.is_signed)
        return call_verify(c, c->service->signing_name);
    if (!c->action || !(c->action->flags & ACTION_OPEN))
        refuse_unsigned(c);
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
    const struct key *key = check_call_signature(c);
    bool has_policy = key && key->policy;
    decide_caller(c);
    if (c->fault.code || (c->service->forward && !has_policy))
        return;
    if (!c->action) /* the other daemon may know it, but no policy can be evaluated for it */
        fault_set(&c->fault, CALL_FAULT_UNKNOWN_ACTION,
                  "The action is not valid for this endpoint.");
    else
        call_read(c);
    if (!c->fault.code)
        place_unsigned(c);
    if (!c->fault.code && has_policy)
        check_key_policy(c, key);
}

/* Pages show and change what belongs to all accounts: where signatures are verified they need a key
 * without policy, for either service, or the Unix socket. */
static bool may_see(struct call *c, const struct page *page)
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

struct call *desk_take(struct desk *d, const struct request *rq,
                       enum call_outcome (*reply)(void *arg, struct call *c), void *arg)
{
    struct call *c = call_take(d);
    c->request = *rq;
    c->reply = reply;
    c->reply_arg = arg;
    id_uuid(d->ids, c->answer.request_id);
    const struct page *page = find_page(d, rq);
    if (page) {
        bool may = may_see(c, page);

        decide_caller(c);
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
    struct call *c = call_take(d);
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
    call_give_back(d, c);
    return &d->refusal;
}
