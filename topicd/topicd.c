/* See topicd.h. What belongs to a turn: the catalog's and the outbox's changes, committed together;
 * in the hook behind it the outbox is sent on, and matchers and store do what they put off. */
#include "topicd/topicd.h"

#include <sys/epoll.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "topicd/api.h"
#include "topicd/topology.h"

#define PROBE_MS 1000 /* between tries of a store that fails */
/* Slice of a matcher's put-off work in one turn. */
#define STEP_US   1000
#define CLOCK_KEY "clock_ms"

/* --- store ------------------------------------------------------------------------------------ */

static void set_failing(struct topicd *t, bool failing)
{
    t->failing = failing;
    desk_set_failing(t->desk, failing);
    directory_set_failing(&t->directory, failing);
    for (u32 i = 0; i < t->link_count; i++)
        queued_link_set_failing(t->links[i], failing);
}

static void reload(struct topicd *t)
{
    int err = catalog_reload(&t->catalog);

    desk_set_lost(t->desk, err != 0);
    if (err)
        log_error("topics and subscriptions cannot be read again: %s", err_text(err));
}

static void store_failed(void *arg, int err)
{
    struct topicd *t = arg;

    if (!t->failing)
        log_error("the store failed, calls that write are refused: %s",
                  *topic_store_error(t->store) ? topic_store_error(t->store) : err_text(err));
    if (t->catalog.changed || !t->catalog.usable)
        reload(t);
    if (topic_store_recount(t->store))
        log_error("the outboxes cannot be counted again: %s", topic_store_error(t->store));
    set_failing(t, true);
    loop_timer_set_real(t->loop, &t->probe, t->clock.mono_ms + PROBE_MS);
}

static void probe_due(struct loop_timer *timer)
{
    struct topicd *t = timer->arg;

    if (topic_store_probe(t->store) == 0 && !t->catalog.usable)
        reload(t);
    if (!t->catalog.usable || topic_store_recount(t->store) || topic_store_probe(t->store)) {
        loop_timer_set_real(t->loop, timer, t->clock.mono_ms + PROBE_MS);
        return;
    }
    set_failing(t, false);
    log_info("the store works again");
}

/* --- events of the links ---------------------------------------------------------------------- */

static void on_up(void *arg, struct queued_link *p)
{
    struct topicd *t = arg;

    directory_greeted(&t->directory, p->index);
    front_up(&t->front, p);
}

static void on_down(void *arg, struct queued_link *p)
{
    struct topicd *t = arg;

    front_lost(&t->front, p);
    pages_clock_gone(t, p);
}

static void on_queues(void *arg, struct queued_link *p, const struct frame_queues *q)
{
    directory_announced(&((struct topicd *)arg)->directory, p->index, q);
}

static void on_answer(void *arg, struct queued_link *p, struct frame_answer *a)
{
    front_answered(&((struct topicd *)arg)->front, a);
}

static void on_clock(void *arg, struct queued_link *p, i64 now_ms)
{
    pages_clock_seen(arg, p, now_ms);
}

static void on_freed(void *arg)
{
    fanout_freed(&((struct topicd *)arg)->fanout);
}

static i64 manual_ms(void *arg)
{
    const struct topicd *t = arg;

    return t->clock.manual ? t->clock.now_ms : 0;
}

static void forward(struct call *c)
{
    front_forward(&((struct topicd *)call_owner(c))->front, c);
}

/* --- behind each turn ------------------------------------------------------------------------- */

static bool is_idle(const struct topicd *t)
{
    if (t->fanout.scheduled || !list_is_empty(&t->clock_waits))
        return false;
    for (u32 i = 0; i < t->link_count; i++)
        if (!list_is_empty(&t->links[i]->unacked))
            return false;
    return desk_waiting(t->desk) == 0 && loop_is_settled(t->loop);
}

/* Stopping: when nothing is under way any more the loop may end. */
static void stop_when_done(struct topicd *t)
{
    if (!is_idle(t))
        return;
    if (t->flushed) {
        loop_stop(t->loop);
        return;
    }
    /* One more turn, for what the end of the sessions puts into the outbox. */
    t->flushed = true;
    for (u32 i = 0; i < t->link_count; i++)
        queued_link_flush(t->links[i]);
    loop_again(t->loop);
}

/* True: there is more. Without commits there is nothing to tidy. */
static bool tidy(struct topicd *t)
{
    u64 commits = loop_stats(t->loop).commits;

    t->untidy = t->untidy || t->tidied != commits;
    t->tidied = commits;
    if (t->untidy && !t->failing)
        t->untidy = topic_store_tidy(t->store);
    return t->untidy && !t->failing;
}

static bool flush(struct loop_hook *h)
{
    struct topicd *t = container_of(h, struct topicd, hook);
    bool more = fanout_send_on(&t->fanout);

    more = catalog_step(&t->catalog, STEP_US) || more;
    if (loop_is_settled(t->loop))
        catalog_committed(&t->catalog);
    more = tidy(t) || more;
    if (t->stopping)
        stop_when_done(t);
    return more;
}

/* --- the end ---------------------------------------------------------------------------------- */

static void deadline_due(struct loop_timer *timer)
{
    struct topicd *t = timer->arg;

    front_refuse(&t->front);
    pages_clock_refuse(t);
    fanout_refuse_parked(&t->fanout);
    for (u32 i = 0; i < t->link_count; i++)
        queued_link_flush(t->links[i]);
}

void topicd_stop(struct topicd *t)
{
    if (t->stopping)
        return;
    t->stopping = true;
    log_info("stopping waiting=%u", desk_waiting(t->desk));
    desk_quiesce(t->desk);
    http_server_quiesce(t->http);
    front_refuse(&t->front);
    loop_timer_set_real(t->loop, &t->deadline, t->clock.mono_ms + t->options->stop_max_ms);
    loop_again(t->loop);
}

static void on_signal(struct loop_watch *w, u32 events)
{
    struct topicd *t = w->arg;

    while (daemon_signal(t->daemon))
        topicd_stop(t);
}

void topicd_run(struct topicd *t)
{
    loop_run(t->loop);
}

/* --- the beginning ---------------------------------------------------------------------------- */

static int open_store(struct topicd *t, struct fault *f)
{
    const struct topicd_options *o = t->options;
    struct store_options store = {
        .dir = o->data_dir,
        .durability = o->durability == TOPICD_DURABILITY_FULL ? STORE_FULL : STORE_RELAXED,
        .cache_kib = (u32)o->store_cache_kib,
        .clock = &t->clock,
        .ids = &t->ids};
    i64 kept_ms;
    int err = topic_store_open(&t->store, &store, f);

    if (err)
        return err;
    err = topic_store_serve(t->store, t->loop, store_failed, t);
    if (err)
        return fault_set(f, CONF_FAULT, "the store cannot be watched: %s", err_text(err));
    if (t->clock.manual && topic_store_meta_get(t->store, CLOCK_KEY, &kept_ms) == 0)
        clock_move_to(&t->clock, kept_ms);
    catalog_init(&t->catalog, t->store, t->loop, &t->seed);
    directory_init(&t->directory, t->store, t->loop, &t->seed, t->urls, t->link_count);
    err = catalog_reload(&t->catalog);
    if (!err)
        err = directory_load(&t->directory);
    if (err)
        return fault_set(f, CONF_FAULT, "%s: the store cannot be read: %s", t->options->data_dir,
                         err_text(err));
    if (t->options->topology[0])
        err = topology_create(t, t->options->topology, f);
    return err;
}

static int open_links(struct topicd *t, struct fault *f)
{
    const struct topicd_options *o = t->options;
    struct queued_link_limits limits = {.outbox_bytes_max = (u64)o->outbox_bytes_max,
                                        .window_bytes_max = (u64)o->outbox_window_bytes_max,
                                        .ack_max_ms = (u32)o->ack_max_ms,
                                        .link = LINK_LIMITS_DEFAULT};
    struct queued_link_events events = {on_up,    on_down,  on_queues, on_answer,
                                        on_clock, on_freed, manual_ms, t};

    limits.link.frame_size_max = (u32)o->link_frame_size_max;
    limits.link.heartbeat_ms = (u32)o->link_heartbeat_ms;
    limits.link.silence_max_ms = (u32)o->link_silence_max_ms;
    fanout_init(&t->fanout, t->loop, (u64)o->held_bytes_max);
    queued_route_init(&t->queued_route, &t->directory, t->links, t->link_count);
    fanout_add_route(&t->fanout, ROUTE_QUEUED, &t->queued_route.route);
    front_init(&t->front, t->loop, &t->seed, &t->directory, t->links, t->link_count,
               (u32)o->front_wait_max_ms);
    for (u32 i = 0; i < t->link_count; i++) {
        int err =
            queued_link_open(&t->links[i], t->loop, t->store, i, t->urls[i], &limits, events, f);

        if (err)
            return err;
    }
    return 0;
}

static int open_doors(struct topicd *t, struct fault *f)
{
    const struct topicd_options *o = t->options;
    struct http_limits limits = {.body_size_max = (u32)o->body_size_max,
                                 .header_size_max = (u32)o->header_size_max,
                                 .connections_max = (u32)o->connections_max,
                                 .connections_per_address_max = (u32)o->connections_per_address_max,
                                 .idle_timeout_s = (u32)o->idle_timeout_s,
                                 .request_timeout_s = (u32)o->request_timeout_s,
                                 .answer_timeout_s = (u32)o->answer_timeout_s};
    struct ipc_limits ipc = {.message_size_max = (u32)o->ipc_message_size_max};
    u16 port;
    int err;

    t->clients.max = (u64)o->client_memory_max;
    err = http_server_new(&t->http, t->loop, &limits, &t->clients, desk_http_handler(t->desk));

    if (err)
        return fault_set(f, CONF_FAULT, "the HTTP door cannot be made: %s", err_text(err));
    err = http_server_listen_tcp(t->http, (const char *const[]){o->http_host}, 1, (u16)o->http_port,
                                 &port, f);
    if (!err && o->unix_socket[0])
        err = http_server_listen_unix(t->http, o->unix_socket, f);
    if (!err && o->ipc_url[0])
        err = ipc_door_open(&t->ipc, t->loop, o->ipc_url, &ipc, desk_ipc_handler(t->desk), f);
    if (!err)
        log_info("ready version=" TOQUE_VERSION " http=%s:%u topics=%zu subscriptions=%zu",
                 o->http_host, port, t->catalog.topics.n, t->catalog.subs.n);
    if (!err && strcmp(o->http_host, "127.0.0.1") != 0 && strcmp(o->http_host, "localhost") != 0)
        log_warning("the HTTP door is open to other machines host=%s", o->http_host);
    return err;
}

static void make_desk(struct topicd *t)
{
    const struct topicd_options *o = t->options;
    str url = str_of(o->public_url);

    while (str_ends(url, STR("/")))
        url.n--;
    t->public_url =
        url.n ? mem_dup(url) : mem_printf("http://%s:%" PRId64, o->http_host, o->http_port);
    t->desk = desk_new(t->loop, &t->ids,
                       &(struct desk_conf){.account = o->account,
                                           .region = o->region,
                                           .public_url = t->public_url,
                                           .public_url_always = o->public_url_always,
                                           .waiting_max = (u32)o->calls_waiting_max});
    t->sns = api_service(t);
    t->sqs = front_service(t, forward);
    desk_add_service(t->desk, &t->sns);
    desk_add_service(t->desk, &t->sqs);
    pages_add(t);
}

static int start(struct topicd *t, struct fault *f)
{
    int err = open_store(t, f);

    if (!err)
        err = open_links(t, f);
    if (err)
        return err;
    /* What the topology file made is durable before anybody is let in. */
    if (topic_store_flush(t->store))
        return fault_set(f, CONF_FAULT, "%s: the store cannot be written", t->options->data_dir);
    catalog_committed(&t->catalog);
    t->hook.flush = flush;
    loop_add_hook(t->loop, &t->hook);
    err = open_doors(t, f);
    if (err || !t->daemon)
        return err;
    t->signals = (struct loop_watch){.fd = t->daemon->signal_fd, .ready = on_signal, .arg = t};
    err = loop_watch(t->loop, &t->signals, EPOLLIN);
    return err ? fault_set(f, CONF_FAULT, "signals cannot be watched: %s", err_text(err)) : 0;
}

int topicd_open(struct topicd **ret, const struct topicd_options *options,
                const struct environment *env, struct daemon *signals, struct fault *f)
{
    struct topicd *t = mem_alloc(sizeof(*t));

    t->options = options;
    t->daemon = signals;
    t->signals.fd = -1;
    list_init(&t->clock_waits);
    clock_init_from(&t->clock, env->clock, options->clock == TOPICD_CLOCK_MANUAL);
    t->started_ms = t->clock.mono_ms;
    id_init(&t->ids, env->seed);
    map_seed_init(&t->seed, &t->ids);
    t->loop = loop_new(&t->clock);
    t->probe = (struct loop_timer){.due = probe_due, .arg = t};
    t->deadline = (struct loop_timer){.due = deadline_due, .arg = t};
    t->link_count = (u32)options->queued.n;
    t->links = mem_array(t->link_count, sizeof(struct queued_link *));
    t->urls = mem_array(t->link_count, sizeof(char *));
    for (u32 i = 0; i < t->link_count; i++)
        t->urls[i] = options->queued.items[i];
    make_desk(t);
    int err = start(t, f);

    if (err) {
        topicd_close(t);
        return err;
    }
    *ret = t;
    return 0;
}

void topicd_close(struct topicd *t)
{
    if (!t)
        return;
    loop_timer_clear(t->loop, &t->probe);
    loop_timer_clear(t->loop, &t->deadline);
    loop_unwatch(t->loop, &t->signals);
    if (t->ipc)
        ipc_door_close(t->ipc);
    if (t->http)
        http_server_free(t->http);
    for (u32 i = 0; i < t->link_count; i++)
        queued_link_close(t->links[i]);
    if (t->front.under_way) {
        front_deinit(&t->front);
        fanout_deinit(&t->fanout);
        queued_route_deinit(&t->queued_route);
    }
    if (t->store) {
        directory_deinit(&t->directory);
        catalog_deinit(&t->catalog);
        topic_store_close(t->store);
    }
    desk_free(t->desk);
    loop_free(t->loop);
    mem_free(t->public_url);
    mem_free(t->links);
    mem_free(t->urls);
    mem_free(t);
}
