/* See queued.h. What belongs to a turn: all changes of queues and messages, and the sequences of
 * what topicd delivered, committed together; behind it the store does its housekeeping. */
#include "queued/queued.h"

#include <sys/epoll.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "queued/api.h"
#include "queued/sweep.h"
#include "queued/topology.h"
#include "queued/waiter.h"

#define PROBE_MS  1000 /* between tries of a store that fails */
#define LINGER_MS 20
#define CLOCK_KEY "clock_ms"

/* --- store ------------------------------------------------------------------------------------ */

static void set_failing(struct queued *d, bool failing)
{
    d->failing = failing;
    d->queues.failing = failing;
    desk_set_failing(d->desk, failing);
}

static void reload(struct queued *d)
{
    int err = queues_reload(&d->queues);
    d->reloaded = err == 0;
    desk_set_lost(d->desk, err != 0);
    if (err)
        log_error("queues and messages cannot be read again: %s", err_text(err));
}

/* None of the turn happened: back to what is on disk. What topicd delivered in it comes again after
 * the next greeting. */
static void failed(void *arg, int err)
{
    struct queued *d = arg;
    if (!d->failing)
        log_error("the store failed, calls that write are refused: %s",
                  *queue_store_error(d->store) ? queue_store_error(d->store) : err_text(err));
    set_failing(d, true);
    topicd_link_hang_up(&d->topicd);
    reload(d);
    loop_timer_set_real(d->loop, &d->probe, d->clock.mono_ms + PROBE_MS);
}

static void probe_due(struct loop_timer *t)
{
    struct queued *d = t->arg;
    if (queue_store_probe(d->store) == 0) {
        if (!d->reloaded)
            reload(d);
        if (d->reloaded) {
            set_failing(d, false);
            log_info("the store works again");
            return;
        }
    }
    loop_timer_set_real(d->loop, t, d->clock.mono_ms + PROBE_MS);
}

/* --- at the end of each turn ------------------------------------------------------------------ */

static bool before_commit(struct loop_hook *h)
{
    struct queues *qs = &container_of(h, struct queued, hook)->queues;
    bool more = waiters_serve(qs);
    qs->moves_left = QUEUES_MOVES_A_TURN;
    return more;
}

/* Stopping: when nothing is under way any more the loop may end; where answers go out through nng,
 * a moment later, since its threads may still hold them. */
static void stop_when_done(struct queued *d)
{
    if (d->lingering || desk_waiting(d->desk) || http_server_waiting(d->http) ||
        !loop_is_settled(d->loop))
        return;
    d->lingering = true;
    if (topicd_link_is_up(&d->topicd) || d->ipc)
        loop_timer_set_real(d->loop, &d->deadline, d->clock.mono_ms + LINGER_MS);
    else
        loop_stop(d->loop);
}

static bool flush(struct loop_hook *h)
{
    struct queued *d = container_of(h, struct queued, hook);
    sweep_arm(&d->queues);
    if (d->stopping)
        stop_when_done(d);
    return !d->failing && queue_store_tidy(d->store);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void deadline_due(struct loop_timer *t)
{
    struct queued *d = t->arg;
    if (d->lingering) {
        loop_stop(d->loop);
        return;
    }
    log_warning("calls under way are cut off waiting=%u", desk_waiting(d->desk));
    waiters_end_all(&d->queues, WAITER_EMPTY);
    queued_clock_gone(d);
}

void queued_stop(struct queued *d)
{
    if (d->stopping)
        return;
    d->stopping = true;
    log_info("stopping waiting=%u long_polls=%u", desk_waiting(d->desk), d->queues.waiting.parked);
    desk_quiesce(d->desk);
    http_server_quiesce(d->http);
    waiters_end_all(&d->queues, WAITER_EMPTY);
    queued_clock_gone(d);
    loop_timer_set_real(d->loop, &d->deadline, d->clock.mono_ms + d->options->stop_max_ms);
    loop_again(d->loop);
}

static void on_signal(struct loop_watch *w, u32 events)
{
    struct queued *d = w->arg;
    while (daemon_signal(d->daemon))
        queued_stop(d);
}

void queued_run(struct queued *d)
{
    loop_run(d->loop);
}

/* --- the beginning ---------------------------------------------------------------------------- */

static void on_clock(void *arg, i64 now_ms)
{
    queued_clock_seen(arg, now_ms);
}

static void on_down(void *arg)
{
    queued_clock_gone(arg);
}

static i64 manual_ms(void *arg)
{
    const struct queued *d = arg;
    return d->clock.manual ? d->clock.now_ms : 0;
}

static void on_changed(void *arg, const struct queue *q, bool came)
{
    topicd_link_changed(arg, q, came);
}

static int open_store(struct queued *d, struct fault *f)
{
    const struct queued_options *o = d->options;
    struct queues_limits limits = {.queues_max = (u32)o->queues_max,
                                   .messages_max = (u64)o->messages_max,
                                   .parked_max = (u32)o->long_polls_max,
                                   .in_flight_max = (u32)o->in_flight_max,
                                   .strict = o->strict_waits};
    struct store_options store = {
        .dir = o->data_dir,
        .durability = o->durability == QUEUED_DURABILITY_FULL ? STORE_FULL : STORE_RELAXED,
        .cache_kib = (u32)o->store_cache_kib,
        .clock = &d->clock,
        .ids = &d->ids};
    i64 kept_ms;
    int err = queue_store_open(&d->store, &store, f);

    if (err)
        return err;
    if (d->clock.manual && queue_store_meta_get(d->store, CLOCK_KEY, &kept_ms) == 0)
        clock_move_to(&d->clock, kept_ms);
    err = queue_store_serve(d->store, d->loop, failed, d);
    if (err)
        return fault_set(f, CONF_FAULT, "the store cannot be watched: %s", err_text(err));
    queues_init(&d->queues, d->loop, d->store, &d->seed, &limits);
    err = queues_reload(&d->queues);
    if (err)
        return fault_set(f, CONF_FAULT, "%s: the store cannot be read: %s", o->data_dir,
                         err_text(err));
    d->reloaded = true;
    return o->topology[0] ? queued_topology_create(&d->queues, o->topology, str_of(o->account),
                                                   str_of(o->region), f)
                          : 0;
}

static void make_desk(struct queued *d)
{
    const struct queued_options *o = d->options;
    char *url = o->public_url[0] ? mem_dup(str_of(o->public_url))
                                 : mem_printf("http://%s:%" PRId64, o->http_host, o->http_port);
    d->desk = desk_new(d->loop, &d->ids,
                       &(struct desk_conf){.account = o->account,
                                           .region = o->region,
                                           .public_url = url,
                                           .public_url_always = o->public_url_always,
                                           .waiting_max = (u32)o->calls_waiting_max});
    mem_free(url);
    api_init(&d->service, &d->queues);
    desk_add_service(d->desk, &d->service);
    queued_add_pages(d);
}

static int open_link(struct queued *d, struct fault *f)
{
    const struct queued_options *o = d->options;
    struct link_limits limits = LINK_LIMITS_DEFAULT;
    struct topicd_link_events events = {
        .clock = on_clock, .down = on_down, .clock_ms = manual_ms, .arg = d};
    limits.frame_size_max = (u32)o->link_frame_size_max;
    limits.heartbeat_ms = (u32)o->link_heartbeat_ms;
    limits.silence_max_ms = (u32)o->link_silence_max_ms;
    topicd_link_init(&d->topicd, &d->queues, d->desk, events);
    d->queues.changed = on_changed;
    d->queues.changed_arg = &d->topicd;
    return o->link_url[0] ? topicd_link_listen(&d->topicd, o->link_url, &limits, f) : 0;
}

static int open_doors(struct queued *d, struct fault *f)
{
    const struct queued_options *o = d->options;
    struct http_limits limits = {.body_size_max = (u32)o->body_size_max,
                                 .header_size_max = (u32)o->header_size_max,
                                 .connections_max = (u32)o->connections_max,
                                 .connections_per_address_max = (u32)o->connections_per_address_max,
                                 .idle_timeout_s = (u32)o->idle_timeout_s,
                                 .request_timeout_s = (u32)o->request_timeout_s,
                                 .answer_timeout_s = (u32)o->answer_timeout_s};
    struct ipc_limits ipc = {.message_size_max = (u32)o->ipc_message_size_max};
    int err;

    d->clients.max = (u64)o->client_memory_max;
    err = http_server_new(&d->http, d->loop, &limits, &d->clients, desk_http_handler(d->desk));
    if (err)
        return fault_set(f, CONF_FAULT, "the HTTP door cannot be made: %s", err_text(err));
    err = http_server_listen_tcp(d->http, (const char *const[]){o->http_host}, 1, (u16)o->http_port,
                                 &d->http_port, f);
    if (!err && o->unix_socket[0])
        err = http_server_listen_unix(d->http, o->unix_socket, f);
    if (!err && o->ipc_url[0])
        err = ipc_door_open(&d->ipc, d->loop, o->ipc_url, &ipc, desk_ipc_handler(d->desk), f);
    return err;
}

static int start(struct queued *d, struct fault *f)
{
    const struct queued_options *o = d->options;
    int err = open_store(d, f);
    if (err)
        return err;
    /* What the topology file made is durable before anybody is let in. */
    if (queue_store_flush(d->store))
        return fault_set(f, CONF_FAULT, "%s: the store cannot be written: %s", o->data_dir,
                         queue_store_error(d->store));
    make_desk(d);
    err = open_link(d, f);
    if (!err)
        err = open_doors(d, f);
    if (err)
        return err;
    d->hook.before_commit = before_commit;
    d->hook.flush = flush;
    loop_add_hook(d->loop, &d->hook);
    if (d->daemon) {
        d->signals = (struct loop_watch){.fd = d->daemon->signal_fd, .ready = on_signal, .arg = d};
        if (loop_watch(d->loop, &d->signals, EPOLLIN))
            return fault_set(f, CONF_FAULT, "signals cannot be watched");
    }
    if (strcmp(o->http_host, "127.0.0.1") != 0 && strcmp(o->http_host, "localhost") != 0)
        log_warning("the HTTP door is open to other machines host=%s", o->http_host);
    log_info("ready version=" TOQUE_VERSION " http=%s:%u queues=%zu messages=%" PRIu64,
             o->http_host, d->http_port, queues_count(&d->queues), d->queues.msgs.msgs.used);
    return 0;
}

int queued_open(struct queued **ret, const struct queued_options *options,
                const struct environment *env, struct daemon *signals, struct fault *f)
{
    struct queued *d = mem_alloc(sizeof *d);
    d->options = options;
    d->daemon = signals;
    d->signals.fd = -1;
    list_init(&d->clock_waits);
    clock_init_from(&d->clock, env->clock, options->clock == QUEUED_CLOCK_MANUAL);
    d->started_ms = d->clock.mono_ms;
    id_init(&d->ids, env->seed);
    map_seed_init(&d->seed, &d->ids);
    d->loop = loop_new(&d->clock);
    d->probe = (struct loop_timer){.due = probe_due, .arg = d};
    d->deadline = (struct loop_timer){.due = deadline_due, .arg = d};
    int err = start(d, f);
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
    loop_timer_clear(d->loop, &d->probe);
    loop_timer_clear(d->loop, &d->deadline);
    loop_unwatch(d->loop, &d->signals);
    if (d->ipc)
        ipc_door_close(d->ipc);
    if (d->http)
        http_server_free(d->http);
    if (d->topicd.queues)
        topicd_link_deinit(&d->topicd);
    desk_free(d->desk);
    if (d->queues.loop)
        queues_deinit(&d->queues);
    queue_store_close(d->store);
    loop_free(d->loop);
    mem_free(d);
}
