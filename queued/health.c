/* What is asked of the daemon beside the API: how it is, and the clock by hand.
 *
 * POST /_toque/clock moves this daemon's time and tells topicd; it answers when topicd says that it
 * has that time, too, or is gone. A CLOCK frame that says what we know already is an echo and is
 * not answered, so that nothing goes round in circles. */
#include "common/base/json.h"
#include "common/base/scan.h"
#include "queued/queued.h"
#include "queued/sweep.h"

#define CLOCK_BODY_MAX    4096
#define CLOCK_ADVANCE_MAX (INT64_C(100) * 366 * 24 * 3600 * 1000) /* a hundred years */
#define CLOCK_KEY         "clock_ms"

/* --- health ----------------------------------------------------------------------------------- */

static const char *link_word(const struct queued *d)
{
    if (!d->topicd.link)
        return "none";
    return topicd_link_is_up(&d->topicd) ? "ok" : "down";
}

static void health(struct call *c, void *arg)
{
    struct queued *d = arg;
    const struct queues *qs = &d->queues;
    struct store_stats store = queue_store_stats(d->store);
    struct loop_stats loop = loop_stats(d->loop);
    struct buf out = {0};
    buf_printf(&out,
               "{\"status\":\"%s\",\"version\":\"" TOQUE_VERSION "\",\"uptime_s\":%" PRId64
               ",\"store\":\"%s\",\"link\":\"%s\",\"waiting\":%u,\"long_polls\":%u",
               d->failing ? "failing" : "ok", (d->clock.mono_ms - d->started_ms) / 1000,
               d->failing ? "failing" : "ok", link_word(d), desk_waiting(d->desk) - 1,
               qs->waiting.parked);
    buf_printf(&out,
               ",\"queues\":%zu,\"messages\":%" PRIu64 ",\"delivered\":%" PRIu64
               ",\"unknown_targets\":%" PRIu64 ",\"refused_raw\":%" PRIu64 ",\"commits\":%" PRIu64
               ",\"commit_longest_us\":%" PRId64 ",\"turns\":%" PRIu64
               ",\"turn_longest_us\":%" PRId64 ",\"file_bytes\":%" PRIu64 ",\"free_bytes\":%" PRIu64
               ",\"wal_bytes\":%" PRIu64 "}",
               queues_count(qs), qs->msgs.msgs.used, d->topicd.delivered, d->topicd.unknown,
               d->topicd.unfit, store.commits, store.commit_longest_us, loop.turns, loop.longest_us,
               store.file_bytes, store.free_bytes, store.wal_bytes);
    call_page(c, 200, buf_view(&out));
    buf_deinit(&out);
}

static void localstack_health(struct call *c, void *arg)
{
    call_page(c, 200,
              STR("{\"services\":{\"sqs\":\"running\"},\"edition\":\"toque\",\"version\":"
                  "\"" TOQUE_VERSION "\"}"));
}

/* --- the clock by hand ------------------------------------------------------------------------ */

static void keep_time(struct queued *d)
{
    if (!d->failing) {
        queue_store_meta_set(d->store, CLOCK_KEY, d->clock.now_ms);
        loop_dirty(d->loop);
    }
    sweep_arm(&d->queues);
}

static void answer_clock(struct call *c)
{
    const i64 *now_ms = c->parked;
    str text = arena_printf(&c->arena, "{\"now_ms\":%" PRId64 "}", *now_ms);
    list_remove(&c->link);
    c->parked = NULL;
    c->cancel = NULL;
    call_page(c, 200, text);
}

/* Those who wait for a time up to this one are answered. */
static void clock_reached(struct queued *d, i64 now_ms)
{
    list_each(at, after, &d->clock_waits) {
        struct call *c = list_item(at, struct call, link);
        if (*(const i64 *)c->parked <= now_ms)
            answer_clock(c);
    }
}

void queued_clock_gone(struct queued *d)
{
    clock_reached(d, INT64_MAX);
}

void queued_clock_seen(struct queued *d, i64 now_ms)
{
    if (!d->clock.manual)
        return;
    clock_reached(d, now_ms);
    if (now_ms <= d->clock.now_ms)
        return;
    clock_move_to(&d->clock, now_ms);
    keep_time(d);
    topicd_link_tell_clock(&d->topicd, now_ms);
}

static int read_advance(str body, i64 *ret, struct fault *f)
{
    struct json_doc doc = {0};
    if (body.n > CLOCK_BODY_MAX)
        return fault_set(f, JSON_FAULT, "the body is too large");
    int err = json_open(&doc, body, NULL, false, f);
    if (err)
        return err;
    struct json_at root = json_root(&doc);
    err = json_get_i64(&root, "advance_ms", ret, f);
    if (err == E_NOT_FOUND)
        err = fault_set(f, JSON_FAULT, "advance_ms is missing");
    else if (!err && (*ret < 0 || *ret > CLOCK_ADVANCE_MAX))
        err = fault_set(f, JSON_FAULT, "advance_ms must be 0 or more, and a hundred years at most");
    json_close(&doc);
    return err;
}

static void refuse(struct call *c, const char *text)
{
    struct buf out = {0};
    buf_z(&out, "{\"error\":");
    scan_quote(&out, str_of(text));
    buf_char(&out, '}');
    call_page(c, 400, buf_view(&out));
    buf_deinit(&out);
}

static void move_clock(struct call *c, void *arg)
{
    struct queued *d = arg;
    struct fault f;
    i64 advance_ms, *until_ms = arena_alloc(&c->arena, sizeof *until_ms);
    fault_clear(&f);
    if (!d->clock.manual) {
        refuse(c, "the clock is real: start with clock=manual to move it");
        return;
    }
    if (read_advance(c->request.body, &advance_ms, &f)) {
        refuse(c, f.text);
        return;
    }
    clock_advance(&d->clock, advance_ms);
    keep_time(d);
    *until_ms = d->clock.now_ms;
    c->parked = until_ms;
    c->cancel = answer_clock;
    list_push_back(&d->clock_waits, &c->link);
    if (advance_ms == 0 || topicd_link_tell_clock(&d->topicd, d->clock.now_ms))
        answer_clock(c);
}

void queued_add_pages(struct queued *d)
{
    desk_add_open_page(d->desk, "GET", "/health", health, d);
    desk_add_open_page(d->desk, "GET", "/_localstack/health", localstack_health, d);
    desk_add_page(d->desk, "POST", "/_toque/clock", move_clock, d);
}
