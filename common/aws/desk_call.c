/* The calls of the desk: their pool, and their end. See desk.c for the states of a call. */
#include "common/aws/desk_parts.h"

#include <stdarg.h>

#include "common/base/scan.h"

#define POOL_MAX 256 /* idle calls that are kept: as many as one turn may accept */
/* Most memory that an idle call keeps for input, scratch and answer. */
#define KEEP_MAX (16 * 1024)

/* --- calls and their pool --------------------------------------------------------------------- */

void desk_call_free(struct call *c)
{
    buf_deinit(&c->answer.body);
    buf_deinit(&c->scratch);
    arena_deinit(&c->arena);
    mem_free(c);
}

struct call *desk_call_new(struct desk *d)
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

void desk_call_return(struct desk *d, struct call *c)
{
    assert(d->waiting > 0);
    d->waiting--;
    if (d->pool_count >= POOL_MAX) {
        desk_call_free(c);
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
    desk_call_return(c->desk, c);
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
