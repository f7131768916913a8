/* The life of a server: its store, its turns, its orderly stop. */
#include "common/aws/server_parts.h"

#include <signal.h>
#include <sys/epoll.h>

#include "common/base/log.h"
#include "common/base/mem.h"

#define PROBE_MS      1000  /* interval between attempts when the store fails */
#define LOOK_MS       1000  /* interval between checks of the store's files, and */
#define LOOK_IDLE_MS  10000 /* while nothing is committed */
#define SPACE_LOOK_MS 250   /* interval between checks for free pages */
#define SPACE_PIECES  4     /* of free space, between two readings of the clock */
#define LINGER_MS     20    /* time for nng's threads to send what they were given */

/* --- store ------------------------------------------------------------------------------------ */

static void store_set_failing(struct server *s, bool failing)
{
    s->failing = failing;
    desk_set_failing(s->desk, failing);
    manual_clock_set_failing(&s->manual_clock, failing);
    if (s->ops->failing)
        s->ops->failing(s, failing);
}

static void store_reload(struct server *s)
{
    int err = s->ops->reload(s);

    s->lost = err != 0;
    desk_set_lost(s->desk, s->lost);
    if (err)
        log_error("the store cannot be reloaded: %s", err_text(err));
}

/* Another process has taken over: pending calls are refused, and so are new ones, until this
 * process ends. */
static void store_fenced(struct server *s)
{
    log_error("another process has taken over the store: this one exits");
    s->fenced = true;
    desk_set_lost(s->desk, true);
    server_stop(s);
}

/* Calls that would make the store grow are refused while the disk is full. */
static void look_for_room(struct server *s)
{
    bool full = engine_is_full(s->engine);

    if (full == s->full)
        return;
    s->full = full;
    desk_set_full(s->desk, full);
    if (s->ops->full)
        s->ops->full(s, full);
    if (full)
        log_error("the disk is full: sends and creates are refused, receives and deletes continue");
    else
        log_info("the disk has room again");
}

/* None of the turn's effects remain; after E_UNSURE that is not certain yet. */
static void store_failed(void *arg, int err)
{
    struct server *s = arg;

    if (!s->failing)
        log_error("the store failed, calls that write are refused: %s",
                  *engine_error(s->engine) ? engine_error(s->engine) : err_text(err));
    store_set_failing(s, true);
    if (err == E_FENCED && !s->fenced)
        store_fenced(s);
    if (s->end != SERVER_RUNS)
        return;
    store_reload(s);
    look_for_room(s);
    /* On a full disk the reserve helps at once; what is damaged is left alone from now on. */
    bool at_once = s->full || engine_is_damaged(s->engine);
    loop_timer_set_real(s->loop, &s->probe, s->clock.mono_ms + (at_once ? 0 : PROBE_MS));
}

static void probe_due(struct loop_timer *t)
{
    struct server *s = t->arg;

    if (s->end != SERVER_RUNS)
        return;
    if (engine_probe(s->engine) == 0) {
        if (s->lost)
            store_reload(s);
        if (!s->lost) {
            store_set_failing(s, false);
            log_info("the store works again");
            return;
        }
    }
    loop_timer_set_real(s->loop, t, s->clock.mono_ms + PROBE_MS);
}

/* The store's files may have been deleted or replaced. */
static void look_due(struct loop_timer *t)
{
    struct server *s = t->arg;

    if (!s->failing && s->looked_commits != loop_stats(s->loop).commits &&
        engine_note_time(s->engine, s->clock.now_ms))
        loop_dirty(s->loop);
    s->looked_commits = loop_stats(s->loop).commits;
    s->look_is_soon = false;
    if (!s->failing && engine_look(s->engine))
        loop_dirty(s->loop); /* the turn is lost */
    look_for_room(s);
    loop_timer_set_real(s->loop, t, s->clock.mono_ms + (s->full ? LOOK_MS : LOOK_IDLE_MS));
}

/* Something was committed: the next check comes soon, even if nothing more happens. */
static void look_soon(struct server *s)
{
    u64 commits = loop_stats(s->loop).commits;

    if (s->look_is_soon || s->looked_commits == commits)
        return;
    s->look_is_soon = true;
    loop_timer_set_real(s->loop, &s->look, s->clock.mono_ms + LOOK_MS);
}

/* Work that nobody waits for does not delay the daemon's end, and needs a working store with time
 * to spare. */
static bool server_may_work(void *arg, enum background_class class)
{
    const struct server *s = arg;

    if (s->failing || s->end != SERVER_RUNS)
        return false;
    return class == BACKGROUND_DUE || !engine_is_behind(s->engine);
}

/* A piece that the engine has to search for costs a hundred times what the next one costs. */
static u32 space_step(void *arg, u32 pieces)
{
    struct server *s = arg;
    u32 n = 0, asked, done;

    do {
        asked = MIN(pieces - n, SPACE_PIECES);
        done = engine_give_back(s->engine, asked);
        n += done;
    } while (done == asked && n < pieces && !background_is_over(s->background));
    if (n)
        loop_dirty(s->loop);
    return n;
}

/* Counting free pages takes some microseconds: not after every turn. */
static void space_look(struct server *s)
{
    if (!engine_has_free(s->engine) || s->clock.mono_ms < s->space_ms)
        return;
    s->space_ms = s->clock.mono_ms + SPACE_LOOK_MS;
    background_wake(s->background, &s->space);
}

struct store_options server_store_options(struct server *s)
{
    return (struct store_options){.dir = s->options->data_dir,
                                  .durability = (enum store_durability)s->options->durability,
                                  .cache_kib = (u32)s->options->store_cache_kib,
                                  .reserve_bytes = (u64)s->options->disk_reserve_bytes,
                                  .clock = &s->clock,
                                  .ids = &s->ids};
}

int server_serve_store(struct server *s, struct engine *e, struct fault *f)
{
    int err = engine_serve(e, s->loop, store_failed, s);

    if (err)
        return fault_set(f, CONF_FAULT, "the store cannot be watched: %s", err_text(err));
    s->engine = e;
    loop_timer_set_real(s->loop, &s->look, s->clock.mono_ms + LOOK_IDLE_MS);
    manual_clock_init(&s->manual_clock, s->loop, e);
    manual_clock_add_page(&s->manual_clock, s->desk);
    return 0;
}

/* --- the end ---------------------------------------------------------------------------------- */

static bool is_under_way(const struct server *s)
{
    return desk_waiting(s->desk) || http_server_waiting(s->http) || http_server_sending(s->http) ||
           !loop_is_settled(s->loop) || (s->ops->is_busy && s->ops->is_busy(s));
}

static void deadline_set(struct server *s, i64 ms)
{
    loop_timer_set_real(s->loop, &s->deadline, s->clock.mono_ms + ms);
}

/* Makes what is in memory only, and what was refused while it lingered, durable before the loop
 * stops, or gives it up in its turn. */
static void server_drain(struct server *s)
{
    bool more = s->ops->drain && s->ops->drain(s);

    s->end = SERVER_DRAINS;
    if (more || is_under_way(s)) {
        deadline_set(s, s->options->stop_max_ms);
        loop_again(s->loop);
    } else {
        loop_stop(s->loop);
    }
}

static void stop_when_done(struct server *s)
{
    if (s->end == SERVER_LINGERS || is_under_way(s))
        return;
    if (s->end == SERVER_DRAINS) {
        loop_stop(s->loop);
    } else if (s->ipc || (s->ops->is_linked && s->ops->is_linked(s))) {
        s->end = SERVER_LINGERS;
        deadline_set(s, LINGER_MS);
    } else {
        server_drain(s);
    }
}

static void deadline_due(struct loop_timer *t)
{
    struct server *s = t->arg;

    if (s->end == SERVER_LINGERS) {
        server_drain(s);
        return;
    }
    log_warning("pending calls are cut off waiting=%u", desk_waiting(s->desk));
    manual_clock_release(&s->manual_clock);
    http_server_cut(s->http);
    if (s->ops->cut)
        s->ops->cut(s);
    engine_abandon(s->engine);
}

void server_stop(struct server *s)
{
    if (s->end != SERVER_RUNS)
        return;
    s->end = SERVER_STOPS;
    log_info("stopping waiting=%u", desk_waiting(s->desk));
    desk_quiesce(s->desk);
    http_server_quiesce(s->http);
    manual_clock_release(&s->manual_clock);
    if (s->ops->stop)
        s->ops->stop(s);
    deadline_set(s, s->options->stop_max_ms);
    loop_again(s->loop);
}

/* Reads certificate and key again; on failure the old ones stay. */
static void reload_tls(struct server *s)
{
    struct fault f;

    if (!s->tls)
        return;
    fault_clear(&f);
    if (tls_identity_reload(s->tls, &f))
        log_error("%s", f.text);
    else
        log_info("the certificate was reloaded");
}

static void signal_came(struct loop_watch *w, u32 events)
{
    struct server *s = w->arg;

    int which;

    while ((which = daemon_signal(s->daemon))) {
        if (which == SIGHUP) {
            desk_reload_keys(s->desk);
            reload_tls(s);
        } else
            server_stop(s);
    }
}

static void tell_step(struct server *s)
{
    i64 ms = clock_stepped(&s->clock);

    if (ms)
        log_warning("the system's clock was stepped ms=%" PRId64 ": the daemon's time goes on, and "
                    "follows by %d ms a day",
                    ms, CLOCK_SLEW_PPM * 86400 / 1000);
}

static bool server_flush_hook(struct loop_hook *h)
{
    struct server *s = container_of(h, struct server, hook);

    tell_step(s);

    if (s->end != SERVER_RUNS)
        stop_when_done(s);
    if (!s->failing) {
        look_soon(s);
        engine_tidy(s->engine);
        space_look(s);
    }
    mem_return_turn(&s->memory, loop_stats(s->loop).events);
    return false;
}

static i64 server_hook_next_ms(struct loop_hook *h)
{
    const struct server *s = container_of(h, struct server, hook);
    bool waits = !s->failing && engine_has_free(s->engine) && !background_is_awake(&s->space);
    i64 memory_ms = mem_return_due_ms(&s->memory);

    if (!waits)
        return memory_ms;
    return memory_ms < 0 ? s->space_ms : MIN(memory_ms, s->space_ms);
}

/* --- life ------------------------------------------------------------------------------------- */

static int watch_signals(struct server *s, struct fault *f)
{
    if (!s->daemon)
        return 0;
    s->signals = (struct loop_watch){.fd = s->daemon->signal_fd, .ready = signal_came, .arg = s};
    int err = loop_watch(s->loop, &s->signals, EPOLLIN);

    return err ? fault_set(f, CONF_FAULT, "signals cannot be watched: %s", err_text(err)) : 0;
}

int server_listen(struct server *s, struct fault *f)
{
    if (engine_flush(s->engine))
        return fault_set(f, CONF_FAULT, "%s: the store cannot be written: %s", s->options->data_dir,
                         engine_error(s->engine));
    int err = desk_open_keys(s->desk, s->options->keys, f);

    if (!err)
        err = server_open_endpoints(s, f);
    if (!err)
        err = watch_signals(s, f);
    if (err)
        return err;
    s->hook.flush = server_flush_hook;
    s->hook.next_ms = server_hook_next_ms;
    loop_add_hook(s->loop, &s->hook);
    return 0;
}

static void make_desk(struct server *s)
{
    const struct server_options *o = s->options;
    str url = str_of(o->public_url);

    while (str_ends(url, STR("/")))
        url.n--;
    s->public_url = mem_dup(url); /* "" until the address is known */
    s->desk = desk_new(s->loop, &s->ids,
                       &(struct desk_conf){.account = o->account,
                                           .region = o->region,
                                           .public_url = s->public_url,
                                           .public_url_always = o->public_url_always,
                                           .waiting_max = (u32)o->calls_waiting_max,
                                           .clients = &s->clients});
    server_add_pages(s);
}

void server_open(struct server *s, const struct server_ops *ops,
                 const struct server_options *options, const struct environment *env,
                 struct daemon *signals)
{
    assert(ops->reload);
    *s = (struct server){.ops = ops, .options = options, .daemon = signals, .signals.fd = -1};
    clock_init_from(&s->clock, env->clock, options->clock == SERVER_CLOCK_MANUAL);
    s->started_ms = s->clock.mono_ms;
    id_init(&s->ids, env->seed);
    map_seed_init(&s->seed, &s->ids);
    s->loop = loop_new(&s->clock);
    s->clients.max = (u64)options->client_memory_max;
    mem_return_init(&s->memory, &s->clock);
    s->background = background_new(
        s->loop, &(struct background_conf){.share_percent = (u32)options->background_share_percent,
                                           .may = server_may_work,
                                           .arg = s});
    s->space = (struct background_job){
        .name = "space", .class = BACKGROUND_SPACE, .step = space_step, .arg = s};
    s->probe = (struct loop_timer){.due = probe_due, .arg = s};
    s->look = (struct loop_timer){.due = look_due, .arg = s};
    s->deadline = (struct loop_timer){.due = deadline_due, .arg = s};
    make_desk(s);
}

void server_run(struct server *s)
{
    mem_give_back(); /* of the start */
    loop_run(s->loop);
}

void server_close_endpoints(struct server *s)
{
    loop_timer_clear(s->loop, &s->probe);
    loop_timer_clear(s->loop, &s->look);
    loop_timer_clear(s->loop, &s->deadline);
    loop_unwatch(s->loop, &s->signals);
    if (s->ipc)
        ipc_door_close(s->ipc);
    if (s->http)
        http_server_free(s->http);
    tls_identity_close(s->tls);
}

void server_close(struct server *s)
{
    desk_free(s->desk);
    background_sleep(s->background, &s->space);
    background_free(s->background);
    loop_free(s->loop);
    if (s->link_key.n)
        explicit_bzero(s->link_key.p, s->link_key.n);
    buf_deinit(&s->link_key);
    mem_free(s->public_url);
    mem_free(s->listens);
}
