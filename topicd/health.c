/* What is asked of a daemon beside the API: how it is, and the clock by hand.
 *
 * POST /_toque/clock moves this daemon's time and tells every queued; it answers when each has said
 * that it has that time, or is gone. What a queued's own door moved comes here as a CLOCK frame,
 * and goes on to the others. A frame that says what we know already is an echo and is not answered,
 * so nothing goes round in circles. */
#include "common/base/json.h"
#include "common/base/scan.h"
#include "topicd/topicd.h"

#define CLOCK_BODY_MAX    4096
#define CLOCK_ADVANCE_MAX (INT64_C(100) * 366 * 24 * 3600 * 1000) /* a hundred years */
#define CLOCK_KEY         "clock_ms"

/* --- health ----------------------------------------------------------------------------------- */

static void health(struct call *c, void *arg)
{
    const struct topicd *t = arg;
    struct store_stats store = topic_store_stats(t->store);
    struct buf out = {0};
    u32 up = 0;

    for (u32 i = 0; i < t->link_count; i++)
        up += queued_link_is_up(t->links[i]);
    buf_printf(&out,
               "{\"status\":\"%s\",\"version\":\"" TOQUE_VERSION "\",\"uptime_s\":%" PRId64
               ",\"store\":\"%s\",\"link\":\"%s\",\"links_up\":%u,\"links\":%u,\"waiting\":%u",
               t->failing            ? "failing"
               : up == t->link_count ? "ok"
                                     : "degraded",
               (t->clock.mono_ms - t->started_ms) / 1000, t->failing ? "failing" : "ok",
               up == t->link_count ? "ok"
               : up                ? "partial"
                                   : "down",
               up, t->link_count, desk_waiting(t->desk) - 1);
    buf_printf(&out,
               ",\"topics\":%zu,\"subscriptions\":%zu,\"published\":%" PRIu64
               ",\"matched\":%" PRIu64 ",\"filtered_out\":%" PRIu64 ",\"refused_raw\":%" PRIu64
               ",\"held_bytes\":%" PRIu64 ",\"commits\":%" PRIu64 ",\"commit_longest_us\":%" PRId64,
               t->catalog.topics.n, t->catalog.subs.n, t->fanout.published, t->fanout.matched,
               t->fanout.filtered_out, t->queued_route.refused_raw, fanout_held_bytes(&t->fanout),
               store.commits, store.commit_longest_us);
    buf_z(&out, ",\"queueds\":[");
    for (u32 i = 0; i < t->link_count; i++) {
        static const char *const states[] = {"down", "greeting", "catching up", "live"};
        const struct queued_link *p = t->links[i];

        buf_printf(&out,
                   "%s{\"state\":\"%s\",\"unacknowledged_bytes\":%" PRIu64
                   ",\"outbox_frames\":%" PRIu64 ",\"outbox_bytes\":%" PRIu64 "}",
                   i ? "," : "", states[p->state], p->unacked_bytes, p->outbox->frames,
                   p->outbox->bytes);
    }
    buf_z(&out, "]}");
    call_page(c, 200, buf_view(&out));
    buf_deinit(&out);
}

static void localstack_health(struct call *c, void *arg)
{
    call_page(c, 200,
              STR("{\"services\":{\"sns\":\"running\",\"sqs\":\"running\"},\"edition\":\"toque\","
                  "\"version\":\"" TOQUE_VERSION "\"}"));
}

/* --- the clock by hand ------------------------------------------------------------------------ */

/* A call that waits: which queueds have not answered yet. */
struct clock_wait {
    struct topicd *t;
    i64 now_ms;
    u64 missing; /* a bit a queued, CONF_LIST_MAX of them at most */
};

static void tell(struct topicd *t, struct queued_link *p)
{
    struct buf frame = {0};

    frame_write_clock(&frame, t->clock.now_ms);
    /* One that is away hears it with the next greeting. */
    int err = queued_link_send(p, &frame);

    (void)err;
}

static void keep_time(struct topicd *t)
{
    if (t->failing)
        return;
    topic_store_meta_set(t->store, CLOCK_KEY, t->clock.now_ms);
    loop_dirty(t->loop);
}

static void answer_clock(struct call *c)
{
    const struct clock_wait *w = c->parked;
    str text = arena_printf(&c->arena, "{\"now_ms\":%" PRId64 "}", w->now_ms);

    list_remove(&c->link);
    c->parked = NULL;
    c->cancel = NULL;
    call_page(c, 200, text);
}

static void answered(struct topicd *t, const struct queued_link *p, i64 now_ms)
{
    list_each(item, next, &t->clock_waits) {
        struct call *c = list_item(item, struct call, link);
        struct clock_wait *w = c->parked;

        if (now_ms >= w->now_ms)
            w->missing &= ~(UINT64_C(1) << p->index);
        if (!w->missing)
            answer_clock(c);
    }
}

void pages_clock_seen(struct topicd *t, struct queued_link *p, i64 now_ms)
{
    if (!t->clock.manual)
        return;
    if (now_ms > t->clock.now_ms) {
        clock_move_to(&t->clock, now_ms);
        keep_time(t);
        for (u32 i = 0; i < t->link_count; i++)
            tell(t, t->links[i]);
    } else if (now_ms < t->clock.now_ms) {
        tell(t, p);
    }
    answered(t, p, now_ms);
}

void pages_clock_gone(struct topicd *t, struct queued_link *p)
{
    answered(t, p, INT64_MAX);
}

void pages_clock_refuse(struct topicd *t)
{
    for (u32 i = 0; i < t->link_count; i++)
        answered(t, t->links[i], INT64_MAX);
}

static int read_advance(str body, i64 *ret, struct fault *f)
{
    struct json_doc doc;

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

static void page_refuse(struct call *c, int status, const char *text)
{
    struct buf out = {0};

    buf_z(&out, "{\"error\":");
    scan_quote(&out, str_of(text));
    buf_char(&out, '}');
    call_page(c, status, buf_view(&out));
    buf_deinit(&out);
}

static void clock_cancel(struct call *c)
{
    answer_clock(c);
}

static void move_clock(struct call *c, void *arg)
{
    struct topicd *t = arg;
    struct clock_wait *w = arena_zalloc(&c->arena, sizeof(*w));
    struct fault f = {0};
    i64 advance_ms;

    if (!t->clock.manual) {
        page_refuse(c, 409, "the clock is real: start with clock=manual to move it");
        return;
    }
    if (read_advance(c->request.body, &advance_ms, &f)) {
        page_refuse(c, 400, f.text);
        return;
    }
    clock_advance(&t->clock, advance_ms);
    keep_time(t);
    w->t = t;
    w->now_ms = t->clock.now_ms;
    for (u32 i = 0; i < t->link_count; i++) {
        if (queued_link_is_up(t->links[i]))
            w->missing |= UINT64_C(1) << i;
        tell(t, t->links[i]);
    }
    c->parked = w;
    c->cancel = clock_cancel;
    list_push_back(&t->clock_waits, &c->link);
    if (!w->missing)
        answer_clock(c);
}

void pages_add(struct topicd *t)
{
    desk_add_open_page(t->desk, "GET", "/health", health, t);
    desk_add_open_page(t->desk, "GET", "/_localstack/health", localstack_health, t);
    desk_add_page(t->desk, "POST", "/_toque/clock", move_clock, t);
}
