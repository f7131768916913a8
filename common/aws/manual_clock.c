#include "common/aws/manual_clock.h"

#include "common/base/json.h"

#define KEY         "clock_ms"
#define BODY_MAX    4096
#define ADVANCE_MAX (INT64_C(100) * 366 * 24 * 3600 * 1000) /* a hundred years */

/* A waiting call of the page. */
struct clock_wait {
    i64 now_ms;
    u64 missing; /* a bit for each peer that has not echoed that time yet */
};

void manual_clock_init(struct manual_clock *m, struct loop *l, struct engine *e)
{
    i64 kept_ms;

    *m = (struct manual_clock){.loop = l, .clock = loop_clock(l), .engine = e};
    list_init(&m->waits);
    if (m->clock->manual && engine_meta_get(e, KEY, &kept_ms) == 0)
        clock_move_to(m->clock, kept_ms);
}

void manual_clock_set_peers(struct manual_clock *m, const struct manual_clock_peers *peers)
{
    assert(peers->count <= MANUAL_CLOCK_PEERS_MAX);
    m->peers = *peers;
}

i64 manual_clock_shown_ms(const struct manual_clock *m)
{
    return m->clock->manual ? m->clock->now_ms : 0;
}

static void time_keep(struct manual_clock *m)
{
    if (!m->clock->manual || m->failing)
        return;
    engine_meta_set(m->engine, KEY, m->clock->now_ms);
    loop_dirty(m->loop);
}

void manual_clock_set_failing(struct manual_clock *m, bool failing)
{
    m->failing = failing;
    time_keep(m);
}

static void clock_moved(struct manual_clock *m)
{
    time_keep(m);
    for (u32 i = 0; i < m->peers.count; i++)
        m->peers.tell(m->peers.arg, i, m->clock->now_ms);
}

/* --- who waits -------------------------------------------------------------------------------- */

static void wait_end(struct call *c)
{
    const struct clock_wait *w = c->parked;
    str text = arena_printf(&c->arena, "{\"now_ms\":%" PRId64 "}", w->now_ms);

    list_remove(&c->link);
    c->parked = NULL;
    c->cancel = NULL;
    call_page(c, 200, text);
}

/* The peer has this time: calls that wait for it or an earlier one stop waiting for the peer. */
static void waits_shown(struct manual_clock *m, u32 peer, i64 now_ms)
{
    list_each(at, after, &m->waits) {
        struct call *c = list_item(at, struct call, link);
        struct clock_wait *w = c->parked;

        if (now_ms >= w->now_ms)
            w->missing &= ~(UINT64_C(1) << peer);
        if (!w->missing)
            wait_end(c);
    }
}

void manual_clock_release(struct manual_clock *m)
{
    while (!list_is_empty(&m->waits))
        wait_end(list_item(m->waits.next, struct call, link));
}

/* --- peers ------------------------------------------------------------------------------------ */

void manual_clock_greeted(struct manual_clock *m, u32 peer, i64 shown_ms)
{
    m->up |= UINT64_C(1) << peer;
    m->shown_ms[peer] = 0;
    if (shown_ms)
        manual_clock_heard(m, peer, shown_ms);
}

void manual_clock_heard(struct manual_clock *m, u32 peer, i64 now_ms)
{
    if (!m->clock->manual)
        return;
    m->shown_ms[peer] = now_ms;
    if (now_ms > m->clock->now_ms) {
        clock_move_to(m->clock, now_ms);
        clock_moved(m);
    } else if (now_ms < m->clock->now_ms) {
        m->peers.tell(m->peers.arg, peer, m->clock->now_ms);
    }
    waits_shown(m, peer, now_ms);
}

void manual_clock_gone(struct manual_clock *m, u32 peer)
{
    m->up &= ~(UINT64_C(1) << peer);
    waits_shown(m, peer, INT64_MAX);
}

/* --- the page --------------------------------------------------------------------------------- */

static int advance_read(str body, i64 *ret, struct fault *f)
{
    struct json_doc doc;

    if (body.n > BODY_MAX)
        return fault_set(f, JSON_FAULT, "the body is too large");
    int err = json_open(&doc, body, NULL, false, f);

    if (err)
        return err;
    struct json_at root = json_root(&doc);

    err = json_get_i64(&root, "advance_ms", ret, f);
    if (err == E_NOT_FOUND)
        err = fault_set(f, JSON_FAULT, "advance_ms is missing");
    else if (!err && (*ret < 0 || *ret > ADVANCE_MAX))
        err = fault_set(f, JSON_FAULT, "advance_ms must be 0 or more, and a hundred years at most");
    json_close(&doc);
    return err;
}

/* Whether all clocks are manual; if not, finishes the page's call. */
static bool all_are_manual(struct manual_clock *m, struct call *c)
{
    if (!m->clock->manual) {
        call_page_fail(
            c, 409,
            "the clock is real: start with --clock=manual, or make run CLOCK=manual, to move it");
        return false;
    }
    for (u32 i = 0; i < m->peers.count; i++) {
        if (!(m->up >> i & 1) || m->shown_ms[i])
            continue;
        call_page_fail(c, 409, "the clock of %s is real: start it with clock=manual, too",
                       m->peers.name(m->peers.arg, i));
        return false;
    }
    return true;
}

static void clock_page(struct call *c, void *arg)
{
    struct manual_clock *m = arg;
    struct clock_wait *w = arena_zalloc(&c->arena, sizeof(*w));
    struct fault f = {0};
    i64 advance_ms;

    if (!all_are_manual(m, c))
        return;
    if (advance_read(c->request.body, &advance_ms, &f)) {
        call_page_fail(c, 400, "%s", f.text);
        return;
    }
    clock_advance(m->clock, advance_ms);
    clock_moved(m);
    w->now_ms = m->clock->now_ms;
    for (u32 i = 0; i < m->peers.count; i++)
        if (m->up >> i & 1 && m->shown_ms[i] < w->now_ms)
            w->missing |= UINT64_C(1) << i;
    c->parked = w;
    c->cancel = wait_end;
    list_push_back(&m->waits, &c->link);
    if (!w->missing)
        wait_end(c);
}

void manual_clock_add_page(struct manual_clock *m, struct desk *d)
{
    desk_add_page(d, "POST", "/_toque/clock", clock_page, m);
}
