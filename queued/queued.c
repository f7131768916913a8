/* See queued.h. A turn's changes of queues and messages, and the sequences of the deliveries that
 * it applied, are committed together. */
#include "queued/queued.h"

#include "common/base/log.h"
#include "common/base/mem.h"
#include "queued/api.h"
#include "queued/sweep.h"
#include "queued/topology.h"
#include "queued/waiter.h"

/* --- as a server ------------------------------------------------------------------------------ */

/* topicd sends the deliveries of the failed turn again in its next session. */
static int queued_reload(struct server *s)
{
    struct queued *d = queued_of(s);

    topicd_link_hang_up(&d->topicd);
    return queues_reload(&d->queues);
}

static void queued_failing(struct server *s, bool failing)
{
    queued_of(s)->queues.failing = failing;
}

static void queued_full(struct server *s, bool full)
{
    queued_of(s)->queues.full = full;
}

static void queued_end_polls(struct server *s)
{
    waiters_end_all(&queued_of(s)->queues, WAITER_EMPTY);
}

static bool queued_is_linked(const struct server *s)
{
    return topicd_link_is_up(&queued_of(s)->topicd);
}

static void queued_cut(struct server *s)
{
    queued_end_polls(s);
    topicd_link_forget(&queued_of(s)->topicd);
}

static const struct server_ops queued_ops = {
    .reload = queued_reload,
    .failing = queued_failing,
    .full = queued_full,
    .stop = queued_end_polls,
    .cut = queued_cut,
    .is_linked = queued_is_linked,
    .figures = queued_figures,
};

/* --- at the end of each turn ------------------------------------------------------------------ */

static bool before_commit(struct loop_hook *h)
{
    struct queues *qs = &container_of(h, struct queued, hook)->queues;
    bool more = waiters_serve(qs);
    qs->moves_left = QUEUES_MOVES_A_TURN;
    return more;
}

static bool queued_flush(struct loop_hook *h)
{
    sweep_arm(&container_of(h, struct queued, hook)->queues);
    return false;
}

/* --- the link's events ------------------------------------------------------------------------ */

/* topicd is the only peer of the manual clock. */
#define TOPICD_PEER 0

static void clock_tell(void *arg, u32 peer, i64 now_ms)
{
    struct queued *d = arg;

    /* If topicd is down it gets the time when its next session begins. */
    int err = topicd_link_tell_clock(&d->topicd, now_ms);

    (void)err;
}

static const char *clock_peer(void *arg, u32 peer)
{
    return "topicd";
}

static void link_greeted(void *arg, i64 shown_ms)
{
    struct queued *d = arg;

    manual_clock_greeted(&d->server.manual_clock, TOPICD_PEER, shown_ms);
}

static void link_clock(void *arg, i64 now_ms)
{
    struct queued *d = arg;

    manual_clock_heard(&d->server.manual_clock, TOPICD_PEER, now_ms);
}

static void link_down(void *arg)
{
    struct queued *d = arg;

    manual_clock_gone(&d->server.manual_clock, TOPICD_PEER);
}

static i64 link_clock_ms(void *arg)
{
    const struct queued *d = arg;

    return manual_clock_shown_ms(&d->server.manual_clock);
}

static void queue_came_or_went(void *arg, const struct queue *q)
{
    topicd_link_changed(arg, q);
}

/* --- a clock that may be wrong ---------------------------------------------------------------- */

/* A difference from the last known time that makes the clock doubtful. */
#define CLOCK_FAR_MS 3600000

static void clock_trust(struct loop_timer *t)
{
    struct queued *d = t->arg;

    d->queues.expiry_lag_ms = 0;
    log_info("messages expire by the clock again");
    loop_again(d->server.loop);
}

/* Messages that expire because of a wrong clock are lost; so after a start with a clock far ahead,
 * expiry is suspended for a while. */
static void clock_doubt(struct queued *d)
{
    i64 last_ms = engine_last_ms(&d->store->engine), lag_ms = d->server.clock.now_ms - last_ms;
    i64 grace_ms = d->options->expiry_grace_s * 1000;

    d->grace = (struct loop_timer){.due = clock_trust, .arg = d};
    if (last_ms == 0 || d->server.clock.manual || grace_ms == 0 ||
        (lag_ms < CLOCK_FAR_MS && lag_ms > -CLOCK_FAR_MS))
        return;
    if (lag_ms < 0) { /* messages expire later than they should; nothing is lost */
        log_warning("the clock is behind the last known time ms=%" PRId64, -lag_ms);
        return;
    }
    log_warning("the clock is far from the last known time ms=%" PRId64
                ": nothing expires for the next %" PRId64 " s",
                lag_ms, d->options->expiry_grace_s);
    d->queues.expiry_lag_ms = lag_ms;
    loop_timer_set_real(d->server.loop, &d->grace, d->server.clock.mono_ms + grace_ms);
}

/* --- life ------------------------------------------------------------------------------------- */

static int open_store(struct queued *d, struct fault *f)
{
    const struct queued_options *o = d->options;
    struct store_options store = server_store_options(&d->server);
    struct queues_limits limits = {.queues_max = (u32)o->queues_max,
                                   .messages_max = (u64)o->messages_max,
                                   .parked_max = (u32)o->long_polls_max,
                                   .in_flight_max = (u32)o->in_flight_max,
                                   .strict = o->strict_waits,
                                   .enforce = o->enforce_policies};
    int err = queue_store_open(&d->store, &store, f);

    if (!err)
        err = server_serve_store(&d->server, &d->store->engine, f);
    if (err)
        return err;
    queues_init(&d->queues, d->server.loop, d->server.background, d->store, &d->server.seed,
                &limits);
    clock_doubt(d);
    err = queues_reload(&d->queues);
    return err ? fault_set(f, CONF_FAULT, "%s: the store cannot be read: %s", store.dir,
                           err_text(err))
               : 0;
}

static int open_link(struct queued *d, struct fault *f)
{
    const char *url = d->options->link_url;
    struct link_limits limits;
    struct topicd_link_events events = {.greeted = link_greeted,
                                        .clock = link_clock,
                                        .down = link_down,
                                        .clock_ms = link_clock_ms,
                                        .arg = d};

    topicd_link_init(&d->topicd, &d->queues, d->server.desk, events);
    manual_clock_set_peers(&d->server.manual_clock,
                           &(struct manual_clock_peers){1, clock_tell, clock_peer, d});
    d->queues.changed = queue_came_or_went;
    d->queues.changed_arg = &d->topicd;
    if (!url[0])
        return 0;
    int err = server_link_limits(&d->server, &url, 1, &limits, f);
    return err ? err : topicd_link_listen(&d->topicd, url, &limits, f);
}

static int queued_start(struct queued *d, struct fault *f)
{
    const struct server_options *o = &d->options->server;
    int err = open_store(d, f);

    if (!err && o->topology[0])
        err = queued_topology_create(&d->queues, o->topology, str_of(o->account), str_of(o->region),
                                     f);
    if (err)
        return err;
    api_init(&d->service, &d->queues);
    desk_add_service(d->server.desk, &d->service);
    d->peek = (struct peek_pages){&d->queues, &d->service, d->options->peek_remote};
    peek_pages_add(&d->peek, d->server.desk);
    d->redrive = (struct redrive_pages){&d->queues, &d->service, d->options->peek_remote};
    redrive_pages_add(&d->redrive, d->server.desk);
    d->aids = (struct aids_pages){&d->queues, &d->service};
    if (d->options->test_aids)
        aids_pages_add(&d->aids, d->server.desk);
    err = open_link(d, f);
    if (err)
        return err;
    d->hook.before_commit = before_commit;
    d->hook.flush = queued_flush;
    loop_add_hook(d->server.loop, &d->hook);
    err = server_listen(&d->server, f);
    if (err)
        return err;
    log_info("ready version=" TOQUE_VERSION " http=%s queues=%zu messages=%" PRIu64,
             d->server.listens, queues_count(&d->queues), d->queues.msgs.msgs.used);
    return 0;
}

int queued_open(struct queued **ret, const struct queued_options *options,
                const struct environment *env, struct daemon *signals, struct fault *f)
{
    struct queued *d = mem_alloc(sizeof(*d));

    d->options = options;
    server_open(&d->server, &queued_ops, &options->server, env, signals);
    int err = queued_start(d, f);

    if (err) {
        queued_close(d);
        return err;
    }
    *ret = d;
    return 0;
}

void queued_close(struct queued *d)
{
    if (!d)
        return;
    server_close_endpoints(&d->server);
    if (d->grace.due)
        loop_timer_clear(d->server.loop, &d->grace);
    if (d->topicd.queues)
        topicd_link_deinit(&d->topicd);
    if (d->queues.loop)
        queues_deinit(&d->queues);
    queue_store_close(d->store);
    server_close(&d->server);
    mem_free(d);
}
