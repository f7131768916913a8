/* Sessions and sending. See queued_link.h for the states. */
#include "topicd/queued_link_parts.h"

#include "common/base/log.h"
#include "common/base/mem.h"

/* Sent from the outbox in one turn, a frame at least; the bounds leave time for other work: a MiB is
 * read, copied and sent in about 2 ms. */
#define OUTBOX_FRAMES_A_TURN 256
#define OUTBOX_BYTES_A_TURN  ((u64)1 << 20)

/* --- the deadline of acknowledgements --------------------------------------------------------- */

static bool link_awaits_ack(const struct queued_link *p)
{
    return p->state == QUEUED_LINK_GREETING || !list_is_empty(&p->unacked);
}

static void watch_progress(struct queued_link *p)
{
    if (p->timer.node.place == 0)
        loop_timer_set_real(p->loop, &p->timer, queued_link_now_ms(p) + p->limits.ack_max_ms);
}

/* A wait for an acknowledgement begins. */
static void begin_waiting(struct queued_link *p)
{
    if (!link_awaits_ack(p))
        p->progress_ms = queued_link_now_ms(p);
    watch_progress(p);
}

/* --- sending ---------------------------------------------------------------------------------- */

/* Sends it as the next one of this session. On failure the batch is still in memory or in the
 * outbox, and `down` follows. */
static void send_batch(struct queued_link *p, struct delivery_batch *d)
{
    struct buf copy = {0};

    begin_waiting(p);
    frame_deliver_address(&d->frame, p->session, ++p->sent);
    buf_str(&copy, buf_view(&d->frame));
    list_push_back(&p->unacked, &d->link);
    d->in_window = d->row != 0;
    *queued_link_bytes(p, d) += d->frame.n;
    p->delivered_frames++;
    if (link_send(p->link, &copy) == E_TOO_LARGE)
        log_error("a frame for %s is larger than the link takes: raise link_frame_size_max",
                  p->url);
}

void queued_link_take(struct queued_link *p, struct delivery_batch *d)
{
    if (p->state == QUEUED_LINK_LIVE)
        send_batch(p, d);
    else
        home_store(p->home, d);
}

int queued_link_send(struct queued_link *p, struct buf *frame)
{
    if (queued_link_is_up(p))
        return link_send(p->link, frame);
    buf_deinit(frame);
    return E_DOWN;
}

void queued_link_send_sync(struct queued_link *p)
{
    struct buf frame = {0};

    frame_write_sync(&frame, p->asked);
    link_send(p->link, &frame);
}

void queued_link_sync(struct queued_link *p, u64 n)
{
    p->asked = n;
    if (queued_link_is_up(p))
        queued_link_send_sync(p);
}

/* --- the outbox ------------------------------------------------------------------------------- */

/* Stores sent batches that are in memory only, so that rows added next come behind them. */
void queued_link_use_outbox(struct queued_link *p)
{
    if (p->state != QUEUED_LINK_LIVE)
        return;
    list_each(item, next, &p->unacked) {
        struct delivery_batch *d = queued_link_batch(item);

        if (d->row)
            continue;
        if (home_put(p->home, d, false))
            return; /* the store fails: no rows are added */
        *queued_link_bytes(p, d) -= d->frame.n;
        d->in_window = true;
        *queued_link_bytes(p, d) += d->frame.n;
    }
    p->cursor = p->home->outbox->last;
    p->state = QUEUED_LINK_CATCHING_UP;
    p->events.freed(p->events.arg);
}

static void outbox_row_read(struct outbox_read *r, const struct outbox_row *row)
{
    struct queued_link *p = container_of(r, struct queued_link, read);
    struct frame_deliver deliver;

    p->cursor = row->id;
    if (frame_read_deliver(row->frame, &deliver)) {
        log_error("a frame in the outbox is damaged and skipped url=%s row=%" PRIu64, p->url,
                  row->id);
        return;
    }
    struct delivery_batch *d = delivery_batch_new(deliver.incarnation);

    buf_reset(&d->frame);
    buf_str(&d->frame, row->frame);
    d->row = row->id;
    d->attempt = row->attempt;
    list_push_back(&p->read_rows, &d->link);
}

/* A failed read is tried again in a later turn. */
static void outbox_was_read(struct outbox_read *r, int err)
{
    struct queued_link *p = container_of(r, struct queued_link, read);

    p->reading = false;
    if (!err && p->cursor == r->after)
        p->cursor = r->through; /* no rows are left up to there */
    while (!list_is_empty(&p->read_rows)) {
        struct delivery_batch *d = queued_link_batch(p->read_rows.next);

        list_remove(&d->link);
        send_batch(p, d);
    }
    if (!err)
        loop_again(p->loop);
}

void queued_link_pump(struct queued_link *p)
{
    if (p->state != QUEUED_LINK_CATCHING_UP || p->reading)
        return;
    if (p->cursor >= p->home->outbox->last) {
        p->state = QUEUED_LINK_LIVE;
        return;
    }
    if (p->homes->failing || p->cursor >= home_readable(p->home) ||
        p->window_bytes >= p->limits.window_bytes_max || link_is_full(p->link))
        return;
    p->reading = true;
    p->read.after = p->cursor;
    p->read.through = home_readable(p->home);
    p->read.bytes_max = MIN(p->limits.window_bytes_max - p->window_bytes, OUTBOX_BYTES_A_TURN);
    topic_store_outbox_read(p->homes->store, p->home->id, &p->read);
}

static void stop_reading(struct queued_link *p)
{
    topic_store_outbox_cancel(&p->read);
    p->reading = false;
    while (!list_is_empty(&p->read_rows)) {
        struct delivery_batch *d = queued_link_batch(p->read_rows.next);

        list_remove(&d->link);
        delivery_batch_end(d, 0);
    }
}

/* --- sessions --------------------------------------------------------------------------------- */

static void link_greet(struct queued_link *p)
{
    struct buf hello = {0};

    begin_waiting(p);
    p->state = QUEUED_LINK_GREETING;
    p->session++;
    p->sent = p->acked = p->cursor = 0;
    p->greeted_sync = p->asked;
    frame_write_hello(
        &hello, &(struct frame_greeting){.instance = str_of(topic_store_instance(p->homes->store)),
                                         .version = STR(TOQUE_VERSION),
                                         .session = p->session,
                                         .clock_ms = p->events.clock_ms(p->events.arg)});
    link_send(p->link, &hello);
}

/* The session has ended: whether its unacknowledged batches were applied is unknown. */
static void end_session(struct queued_link *p)
{
    bool was_up = queued_link_is_up(p);

    p->state = QUEUED_LINK_DOWN;
    stop_reading(p);
    while (!list_is_empty(&p->unacked)) {
        struct delivery_batch *d = queued_link_batch(p->unacked.next);

        list_remove(&d->link);
        if (!d->row)
            home_store(p->home, d);
        else if (!d->storing) /* else it ends when the row is durable */
            delivery_batch_end(d, 0);
    }
    p->unacked_bytes = p->window_bytes = 0;
    if (was_up)
        p->events.down(p->events.arg, p);
    p->events.freed(p->events.arg);
}

static void new_session(struct queued_link *p)
{
    p->progress_ms = queued_link_now_ms(p);
    end_session(p);
    if (link_is_up(p->link))
        link_greet(p);
}

static void ack_timer_due(struct loop_timer *t)
{
    struct queued_link *p = t->arg;

    if (!link_awaits_ack(p) || p->state == QUEUED_LINK_DOWN)
        return;
    if (queued_link_now_ms(p) - p->progress_ms < p->limits.ack_max_ms) {
        loop_timer_set_real(p->loop, t, p->progress_ms + p->limits.ack_max_ms);
        return;
    }
    log_warning("queued acknowledges nothing: starting a new session url=%s session=%u", p->url,
                p->session);
    new_session(p);
}

static void pipe_up(void *arg)
{
    struct queued_link *p = arg;

    p->progress_ms = queued_link_now_ms(p);
    link_greet(p);
}

static void pipe_down(void *arg)
{
    struct queued_link *p = arg;

    if (queued_link_is_up(p))
        log_warning("queued is down url=%s unacknowledged_bytes=%" PRIu64, p->url,
                    p->unacked_bytes);
    loop_timer_clear(p->loop, &p->timer);
    end_session(p);
}

/* --- life ------------------------------------------------------------------------------------- */

int queued_link_open(struct queued_link **ret, struct loop *l, struct homes *homes, u32 index,
                     const char *url, const struct queued_link_limits *limits,
                     struct queued_link_events events, struct fault *f)
{
    struct queued_link *p = mem_alloc(sizeof(*p));

    p->index = index;
    p->url = mem_dup(str_of(url));
    p->loop = l;
    p->homes = homes;
    p->limits = *limits;
    p->events = events;
    list_init(&p->unacked);
    list_init(&p->read_rows);
    p->timer.due = ack_timer_due;
    p->timer.arg = p;
    p->read = (struct outbox_read){
        .frames_max = OUTBOX_FRAMES_A_TURN, .row = outbox_row_read, .done = outbox_was_read};
    p->home = homes_at(homes, url);
    if (p->home)
        p->home->link = p;
    int err = link_dial(&p->link, l, url, &limits->link,
                        (struct link_events){pipe_up, pipe_down, queued_link_frame, p}, f);

    if (err) {
        p->link = NULL;
        queued_link_close(p);
        return err;
    }
    *ret = p;
    return 0;
}

void queued_link_close(struct queued_link *p)
{
    if (!p)
        return;
    assert(list_is_empty(&p->unacked));
    loop_timer_clear(p->loop, &p->timer);
    stop_reading(p);
    if (p->link)
        link_close(p->link);
    mem_free(p->url);
    mem_free(p);
}

void queued_link_leave(struct queued_link *p)
{
    assert(!queued_link_is_up(p) && list_is_empty(&p->unacked));
    p->home = NULL;
}

void queued_link_renew(struct queued_link *p)
{
    if (queued_link_is_up(p) && p->home->outbox->frames)
        new_session(p);
}

void queued_link_flush(struct queued_link *p)
{
    loop_timer_clear(p->loop, &p->timer);
    end_session(p);
}
