/* See topicd.h. A turn's changes of the catalog and the outbox are committed together; the hook
 * after the commit sends from the outbox. */
#include "topicd/topicd.h"

#include "common/aws/queue_page.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "topicd/api.h"
#include "topicd/opt_out_page.h"
#include "topicd/topology.h"

/* --- as a server ------------------------------------------------------------------------------ */

static int topicd_reload(struct server *s)
{
    struct topicd *t = topicd_of(s);
    int err = t->catalog.changed || !t->catalog.usable ? catalog_reload(&t->catalog) : 0;

    if (!err && t->assets.changed)
        err = assets_reload(&t->assets);
    if (!err && t->captured.changed)
        err = captured_reload(&t->captured);
    return err ? err : topic_store_recount(t->store);
}

static void topicd_failing(struct server *s, bool failing)
{
    queueds_set_failing(&topicd_of(s)->queueds, failing);
}

static void topicd_stop(struct server *s)
{
    front_refuse(&topicd_of(s)->front);
}

/* Unacknowledged batches go to the outbox. */
static bool topicd_drain(struct server *s)
{
    queueds_flush(&topicd_of(s)->queueds);
    return true;
}

static void topicd_cut(struct server *s)
{
    struct topicd *t = topicd_of(s);

    front_refuse(&t->front);
    fanout_refuse_parked(&t->fanout);
    topicd_drain(s);
}

static bool topicd_is_busy(const struct server *s)
{
    const struct topicd *t = topicd_of(s);

    return t->fanout.scheduled || !queueds_are_idle(&t->queueds);
}

static bool topicd_is_linked(const struct server *s)
{
    return queueds_up(&topicd_of(s)->queueds) > 0;
}

static bool topicd_is_degraded(const struct server *s)
{
    const struct queueds *q = &topicd_of(s)->queueds;

    return queueds_up(q) < q->link_count;
}

static const struct server_ops topicd_ops = {
    .reload = topicd_reload,
    .failing = topicd_failing,
    .stop = topicd_stop,
    .cut = topicd_cut,
    .is_busy = topicd_is_busy,
    .drain = topicd_drain,
    .is_linked = topicd_is_linked,
    .is_degraded = topicd_is_degraded,
    .figures = topicd_figures,
};

/* --- events of the links ---------------------------------------------------------------------- */

static void topicd_clock_tell(void *arg, u32 peer, i64 now_ms)
{
    const struct topicd *t = arg;
    struct buf frame = {0};

    frame_write_clock(&frame, now_ms);
    /* An instance that is down gets the time with the next greeting. */
    int err = queued_link_send(t->queueds.links[peer], &frame);

    (void)err;
}

static const char *topicd_clock_peer(void *arg, u32 peer)
{
    return ((const struct topicd *)arg)->queueds.links[peer]->url;
}

static void topicd_on_up(void *arg, struct queued_link *p, i64 clock_ms)
{
    struct topicd *t = arg;
    const struct clock *clock = &t->server.clock;

    manual_clock_greeted(&t->server.manual_clock, p->index, clock_ms);
    /* A CLOCK that arrived before the WELCOME had no session for its echo, and a client of the
     * instance may wait for the echo: send it in any case. */
    if (clock->manual && clock_ms)
        topicd_clock_tell(t, p->index, clock->now_ms);
    front_up(&t->front, p);
}

static void topicd_on_down(void *arg, struct queued_link *p)
{
    struct topicd *t = arg;

    front_lost(&t->front, p);
    manual_clock_gone(&t->server.manual_clock, p->index);
}

static void topicd_on_answer(void *arg, struct queued_link *p, struct frame_answer *a)
{
    front_answered(&((struct topicd *)arg)->front, p, a);
}

static void topicd_on_clock(void *arg, struct queued_link *p, i64 now_ms)
{
    manual_clock_heard(&((struct topicd *)arg)->server.manual_clock, p->index, now_ms);
}

static void topicd_on_freed(void *arg)
{
    fanout_freed(&((struct topicd *)arg)->fanout);
}

static i64 topicd_greeting_ms(void *arg)
{
    const struct topicd *t = arg;

    return manual_clock_shown_ms(&t->server.manual_clock);
}

static void forward_sqs(struct call *c)
{
    front_forward(&((struct topicd *)call_owner(c))->front, c);
}

static void queue_page(struct call *c, void *arg)
{
    struct topicd *t = arg;

    c->service = &t->sqs;
    c->dialect = c->request.target.n ? DIALECT_JSON : DIALECT_QUERY;
    front_page(&t->front, c);
}

/* --- after each turn ------------------------------------------------------------------------- */

static void topicd_committed(struct topicd *t)
{
    catalog_committed(&t->catalog);
    assets_committed(&t->assets);
    captured_committed(&t->captured);
}

static bool topicd_flush_hook(struct loop_hook *h)
{
    struct topicd *t = container_of(h, struct topicd, hook);
    bool more = fanout_send_on(&t->fanout);

    if (loop_is_settled(t->server.loop))
        topicd_committed(t);
    return more;
}

/* --- life ------------------------------------------------------------------------------------- */

static struct queueds_conf queueds_conf_of(struct topicd *t)
{
    const struct topicd_options *o = t->options;

    return (struct queueds_conf){
        .loop = t->server.loop,
        .store = t->store,
        .ids = &t->server.ids,
        .seed = &t->server.seed,
        .urls = (const char *const *)o->queued.items,
        .link_count = (u32)o->queued.n,
        .outbox_bytes_max = (u64)o->outbox_bytes_max,
        .limits = {.window_bytes_max = (u64)o->outbox_window_bytes_max,
                   .ack_max_ms = (u32)o->ack_max_ms},
        .events = {topicd_on_up, topicd_on_down, topicd_on_answer, topicd_on_clock, topicd_on_freed,
                   topicd_greeting_ms, t},
    };
}

static void init_state(struct topicd *t)
{
    struct loop *l = t->server.loop;
    struct background *b = t->server.background;
    const struct map_seed *seed = &t->server.seed;

    catalog_init(&t->catalog, t->store, l, b, seed);
    fifo_dedup_init(&t->fifo_dedup, t->store, l, b, seed);
    assets_init(&t->assets, t->store, l, b, seed);
    captured_init(&t->captured, t->store, l, (u64)t->options->captured_messages_max,
                  (u64)t->options->captured_bytes_max);
    captured_add_pages(&t->captured, t->server.desk);
    opt_out_add_page(t);
}

static int load_state(struct topicd *t)
{
    struct queueds_conf queueds = queueds_conf_of(t);
    int err = catalog_reload(&t->catalog);

    if (!err)
        err = fifo_dedup_load(&t->fifo_dedup);
    if (!err)
        err = assets_reload(&t->assets);
    if (!err)
        err = captured_reload(&t->captured);
    return err ? err : queueds_load(&t->queueds, &queueds);
}

static int topicd_open_store(struct topicd *t, struct fault *f)
{
    struct store_options store = server_store_options(&t->server);
    int err = topic_store_open(&t->store, &store, f);

    if (!err)
        err = server_serve_store(&t->server, &t->store->engine, f);
    if (err)
        return err;
    init_state(t);
    err = load_state(t);
    return err ? fault_set(f, CONF_FAULT, "%s: the store cannot be read: %s", store.dir,
                           err_text(err))
               : 0;
}

static int open_links(struct topicd *t, struct fault *f)
{
    struct queueds_conf queueds = queueds_conf_of(t);
    struct queueds *q = &t->queueds;
    int err =
        server_link_limits(&t->server, queueds.urls, queueds.link_count, &queueds.limits.link, f);

    fanout_init(&t->fanout, t->server.loop, (u64)t->options->held_bytes_max);
    queued_route_init(&t->queued_route, q);
    fanout_add_route(&t->fanout, ROUTE_QUEUED, &t->queued_route.route);
    captured_route_init(&t->captured_route, &t->captured, &t->assets, &q->failed);
    fanout_add_route(&t->fanout, ROUTE_CAPTURED, &t->captured_route.route);
    front_init(&t->front, t->server.loop, &t->server.seed, &q->directory, q->links, q->link_count,
               (u32)t->options->front_wait_max_ms);
    if (!err)
        err = queueds_open(q, &queueds, f);

    manual_clock_set_peers(
        &t->server.manual_clock,
        &(struct manual_clock_peers){q->link_count, topicd_clock_tell, topicd_clock_peer, t});
    return err;
}

static int topicd_start(struct topicd *t, struct fault *f)
{
    const struct server_options *o = &t->options->server;
    int err = topicd_open_store(t, f);

    t->sns = api_service(t);
    t->sqs = front_service(t, forward_sqs);
    desk_add_service(t->server.desk, &t->sns);
    desk_add_service(t->server.desk, &t->sqs);
    queue_page_add(t->server.desk, NULL, queue_page, t);
    if (!err && o->topology[0])
        err = topology_create(t, o->topology, f);
    if (!err)
        err = open_links(t, f);
    if (err)
        return err;
    t->hook.flush = topicd_flush_hook;
    loop_add_hook(t->server.loop, &t->hook);
    err = server_listen(&t->server, f);
    if (err)
        return err;
    log_info("ready version=" TOQUE_VERSION " http=%s topics=%zu subscriptions=%" PRIu64,
             t->server.listens, t->catalog.topics.n, catalog_sub_count(&t->catalog));
    return 0;
}

int topicd_open(struct topicd **ret, const struct topicd_options *options,
                const struct environment *env, struct daemon *signals, struct fault *f)
{
    struct topicd *t = mem_alloc(sizeof(*t));

    t->options = options;
    server_open(&t->server, &topicd_ops, &options->server, env, signals);
    int err = topicd_start(t, f);

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
    server_close_endpoints(&t->server);
    if (t->front.under_way) {
        front_deinit(&t->front);
        fanout_deinit(&t->fanout);
        queued_route_deinit(&t->queued_route);
    }
    if (t->store) {
        queueds_close(&t->queueds);
        captured_deinit(&t->captured);
        assets_deinit(&t->assets);
        fifo_dedup_deinit(&t->fifo_dedup);
        catalog_deinit(&t->catalog);
        topic_store_close(t->store);
    }
    server_close(&t->server);
    mem_free(t);
}
