/* See queued_link.h for the states. Everything that comes from the link is read as hostile input: what
 * does not make sense is logged and ends the pipe. */
#include "topicd/queued_link.h"

#include "common/base/log.h"
#include "common/base/mem.h"

#define SENT_CAP_MIN          64
#define BATCH_WAITING_CAP_MIN 16
/* Frames sent from the outbox in one turn, so that other work gets its share of the loop. */
#define OUTBOX_FRAMES_A_TURN 256

struct outbox_sent {
    u64 sequence;
    u64 bytes;
};

static i64 mono(const struct queued_link *p)
{
    return loop_clock(p->loop)->mono_ms;
}

/* --- batches ---------------------------------------------------------------------------------- */

struct delivery_batch *delivery_batch_new(u64 sequence)
{
    struct delivery_batch *d = mem_alloc(sizeof(*d));

    list_init(&d->link);
    d->sequence = sequence;
    frame_deliver_begin(&d->frame, 0, sequence, 0);
    return d;
}

void delivery_batch_wait(struct delivery_batch *d, struct completion *done)
{
    if (d->n && d->waiting[d->n - 1] == done)
        return;
    if (d->n == d->cap) {
        d->cap = MAX(2 * d->cap, (u32)BATCH_WAITING_CAP_MIN);
        d->waiting = mem_grow(d->waiting, d->cap * sizeof(*d->waiting));
    }
    d->waiting[d->n++] = done;
    completion_add(done);
}

void delivery_batch_end(struct delivery_batch *d, int err)
{
    assert(list_is_empty(&d->link));
    for (u32 i = 0; i < d->n; i++)
        completion_end(d->waiting[i], err);
    mem_free(d->waiting);
    buf_deinit(&d->frame);
    mem_free(d);
}

/* --- the deadline of acknowledgements --------------------------------------------------------- */

static bool waits(const struct queued_link *p)
{
    return p->state == QUEUED_LINK_GREETING || !list_is_empty(&p->unacked) || p->sent_n > 0;
}

static void watch_progress(struct queued_link *p)
{
    if (p->timer.node.place == 0)
        loop_timer_set_real(p->loop, &p->timer, mono(p) + p->limits.ack_max_ms);
}

/* Something begins to wait for the queued's word. */
static void begin_waiting(struct queued_link *p)
{
    if (!waits(p))
        p->progress_ms = mono(p);
    watch_progress(p);
}

/* --- outbox ----------------------------------------------------------------------------------- */

static void delivery_batch_stored(struct loop_later *later, int err)
{
    struct delivery_batch *d = container_of(later, struct delivery_batch, stored);
    struct queued_link *p = d->owner;

    if (!err) {
        p->stored_frames++;
        p->stored_through = MAX(p->stored_through, d->sequence);
    }
    delivery_batch_end(d, err);
    loop_again(p->loop);
}

static void refuse(struct queued_link *p, struct delivery_batch *d, int err)
{
    p->refused_frames++;
    delivery_batch_end(d, err);
}

static void store_batch(struct queued_link *p, struct delivery_batch *d)
{
    if (p->store_failing) {
        refuse(p, d, E_IO);
        return;
    }
    if (p->outbox->bytes + d->frame.n > p->limits.outbox_bytes_max) {
        if (!p->told_full)
            log_error("the outbox of %s is full: publishes are refused frames=%" PRIu64
                      " bytes=%" PRIu64,
                      p->url, p->outbox->frames, p->outbox->bytes);
        p->told_full = true;
        refuse(p, d, E_FULL);
        return;
    }
    p->told_full = false;
    topic_store_outbox_add(p->store, str_of(p->url), d->sequence, buf_view(&d->frame));
    d->owner = p;
    d->stored.run = delivery_batch_stored;
    loop_dirty(p->loop);
    loop_later(p->loop, &d->stored);
}

/* --- sending ---------------------------------------------------------------------------------- */

/* `frame` goes out as the next one of this session; its bytes are taken. */
static void send_frame(struct queued_link *p, struct buf *frame, u64 sequence)
{
    begin_waiting(p);
    frame_deliver_readdress(frame, p->session, p->previous);
    p->previous = sequence;
    p->delivered_frames++;
    /* A frame that does not get out is still in `unacked` or in the outbox, and `down` follows. */
    if (link_send(p->link, frame) == E_TOO_LARGE)
        log_error("a frame for %s is larger than the link takes: raise link_frame_size_max",
                  p->url);
}

static void send_batch(struct queued_link *p, struct delivery_batch *d)
{
    struct buf copy = {0};

    buf_str(&copy, buf_view(&d->frame));
    send_frame(p, &copy, d->sequence);
    list_push_back(&p->unacked, &d->link);
    p->unacked_bytes += d->frame.n;
}

u64 queued_link_next_sequence(struct queued_link *p)
{
    return p->next_sequence++;
}

void queued_link_take(struct queued_link *p, struct delivery_batch *d)
{
    if (p->state == QUEUED_LINK_LIVE)
        send_batch(p, d);
    else
        store_batch(p, d);
}

int queued_link_send(struct queued_link *p, struct buf *frame)
{
    if (queued_link_is_up(p))
        return link_send(p->link, frame);
    buf_deinit(frame);
    return E_DOWN;
}

static void push_sent(struct queued_link *p, u64 sequence, u64 bytes)
{
    if (p->sent_n == p->sent_cap) {
        u32 cap = MAX(2 * p->sent_cap, (u32)SENT_CAP_MIN);
        struct outbox_sent *ring = mem_array(cap, sizeof(*ring));

        for (u32 i = 0; i < p->sent_n; i++)
            ring[i] = p->sent[(p->sent_head + i) % p->sent_cap];
        mem_free(p->sent);
        p->sent = ring;
        p->sent_head = 0;
        p->sent_cap = cap;
    }
    p->sent[(p->sent_head + p->sent_n++) % p->sent_cap] = (struct outbox_sent){sequence, bytes};
    p->sent_bytes += bytes;
}

/* A reading of a session that is over brings nothing. */
static bool is_of_session(const struct queued_link *p)
{
    return p->state == QUEUED_LINK_CATCHING_UP && p->read_session == p->session;
}

static void outbox_frame_read(struct outbox_read *r, u64 sequence, str frame)
{
    struct queued_link *p = container_of(r, struct queued_link, read);
    struct buf out = {0};

    if (!is_of_session(p))
        return;
    buf_str(&out, frame);
    send_frame(p, &out, sequence);
    push_sent(p, sequence, frame.n);
    p->cursor = sequence;
}

/* What cannot be read now is tried again in a later turn. */
static void outbox_was_read(struct outbox_read *r, int err)
{
    struct queued_link *p = container_of(r, struct queued_link, read);

    p->reading = false;
    if (!err && is_of_session(p) && p->cursor == r->after)
        p->cursor = r->through; /* nothing is left up to there */
    if (!err)
        loop_again(p->loop);
}

static void outbox_send_on(struct queued_link *p)
{
    p->reading = true;
    p->read_session = p->session;
    p->read.after = p->cursor;
    p->read.through = p->stored_through;
    p->read.bytes_max = p->limits.window_bytes_max - p->sent_bytes;
    topic_store_outbox_read(p->store, str_of(p->url), &p->read);
}

void queued_link_pump(struct queued_link *p)
{
    if (p->state != QUEUED_LINK_CATCHING_UP || p->reading)
        return;
    if (p->cursor >= p->outbox->last)
        p->state = QUEUED_LINK_LIVE;
    else if (p->cursor < p->stored_through && p->sent_bytes < p->limits.window_bytes_max &&
             !link_is_full(p->link))
        outbox_send_on(p);
}

/* --- sessions --------------------------------------------------------------------------------- */

static void greet(struct queued_link *p)
{
    struct buf hello = {0};

    begin_waiting(p);
    p->state = QUEUED_LINK_GREETING;
    p->session++;
    frame_write_hello(&hello,
                      &(struct frame_greeting){.instance = str_of(topic_store_instance(p->store)),
                                               .version = STR(TOQUE_VERSION),
                                               .session = p->session,
                                               .clock_ms = p->events.clock_ms(p->events.arg)});
    link_send(p->link, &hello);
}

/* The session is over: what was sent in it is unknown. */
static void end_session(struct queued_link *p)
{
    bool was_up = queued_link_is_up(p);

    p->state = QUEUED_LINK_DOWN;
    p->sent_n = 0;
    p->sent_bytes = 0;
    p->unacked_bytes = 0;
    while (!list_is_empty(&p->unacked)) {
        struct delivery_batch *d = list_item(p->unacked.next, struct delivery_batch, link);

        list_remove(&d->link);
        store_batch(p, d);
    }
    if (was_up)
        p->events.down(p->events.arg, p);
    p->events.freed(p->events.arg);
}

static void timer_due(struct loop_timer *t)
{
    struct queued_link *p = t->arg;

    if (!waits(p) || p->state == QUEUED_LINK_DOWN)
        return;
    if (mono(p) - p->progress_ms < p->limits.ack_max_ms) {
        loop_timer_set_real(p->loop, t, p->progress_ms + p->limits.ack_max_ms);
        return;
    }
    log_warning("queued says nothing to what it was sent: a new session url=%s session=%u", p->url,
                p->session);
    p->progress_ms = mono(p);
    end_session(p);
    if (link_is_up(p->link))
        greet(p);
}

static void on_up(void *arg)
{
    struct queued_link *p = arg;

    p->progress_ms = mono(p);
    greet(p);
}

static void on_down(void *arg)
{
    struct queued_link *p = arg;

    if (queued_link_is_up(p))
        log_warning("queued is down url=%s unacknowledged_bytes=%" PRIu64, p->url,
                    p->unacked_bytes);
    loop_timer_clear(p->loop, &p->timer);
    end_session(p);
}

/* --- what the queued says --------------------------------------------------------------------- */

/* Everything up to `sequence` is applied and durable over there. */
static void acknowledged(struct queued_link *p, u64 sequence)
{
    bool stored = false;

    p->progress_ms = mono(p);
    while (!list_is_empty(&p->unacked)) {
        struct delivery_batch *d = list_item(p->unacked.next, struct delivery_batch, link);

        if (d->sequence > sequence)
            break;
        list_remove(&d->link);
        p->unacked_bytes -= d->frame.n;
        delivery_batch_end(d, 0);
    }
    while (p->sent_n && p->sent[p->sent_head].sequence <= sequence) {
        u64 bytes = p->sent[p->sent_head].bytes;

        p->sent_head = (p->sent_head + 1) % p->sent_cap;
        p->sent_n--;
        p->sent_bytes -= bytes;
        stored = true;
    }
    if (stored && !p->store_failing) {
        topic_store_outbox_acked(p->store, str_of(p->url), sequence);
        loop_dirty(p->loop);
    }
    p->events.freed(p->events.arg);
}

static int on_welcome(struct queued_link *p, str frame)
{
    struct frame_greeting g;

    if (frame_read_greeting(frame, &g))
        return E_INVALID;
    if (p->state != QUEUED_LINK_GREETING || g.session != p->session)
        return 0;
    u64 applied = g.applied;

    /* It knows more of us than we do: our store is older than what was sent from it. */
    if (applied >= p->next_sequence) {
        log_warning("%s has applied frames that this store does not know of: its outbox is older "
                    "than it should be",
                    p->url);
        p->next_sequence = applied + 1;
    }

    if (p->outbox->frames && applied && !p->store_failing) {
        topic_store_outbox_acked(p->store, str_of(p->url), applied);
        loop_dirty(p->loop);
    }
    p->state = QUEUED_LINK_CATCHING_UP;
    p->cursor = p->previous = applied;
    p->progress_ms = mono(p);
    log_info("queued is up url=%s session=%u applied=%" PRIu64 " waiting_frames=%" PRIu64, p->url,
             p->session, applied, p->outbox->frames);
    p->events.up(p->events.arg, p, g.clock_ms);
    loop_again(p->loop);
    return 0;
}

static int on_ack(struct queued_link *p, str frame)
{
    struct frame_ack ack;

    if (frame_read_ack(frame, &ack))
        return E_INVALID;
    if (queued_link_is_up(p) && ack.sequence <= p->previous)
        acknowledged(p, ack.sequence);
    return 0;
}

static int on_answer(struct queued_link *p, str frame)
{
    struct frame_answer answer = {0};

    if (frame_read_answer(frame, &answer))
        return E_INVALID;
    p->events.answer(p->events.arg, p, &answer);
    buf_deinit(&answer.answer.body);
    return 0;
}

static int on_queues(struct queued_link *p, str frame)
{
    struct frame_queues queues;

    if (frame_read_queues(frame, &queues))
        return E_INVALID;
    p->events.queues(p->events.arg, p, &queues);
    return 0;
}

static int on_clock(struct queued_link *p, str frame)
{
    i64 now_ms;

    if (frame_read_clock(frame, &now_ms))
        return E_INVALID;
    p->events.clock(p->events.arg, p, now_ms);
    return 0;
}

static void on_frame(void *arg, str frame)
{
    struct queued_link *p = arg;
    enum frame_kind kind;
    int err = frame_kind(frame, &kind);

    if (err) {
        log_error("frames of %s are not understood: %s", p->url, err_text(err));
        link_hang_up(p->link);
        return;
    }
    switch (kind) {
    case FRAME_WELCOME: err = on_welcome(p, frame); break;
    case FRAME_ACK: err = on_ack(p, frame); break;
    case FRAME_ANSWER: err = on_answer(p, frame); break;
    case FRAME_QUEUES: err = on_queues(p, frame); break;
    case FRAME_CLOCK: err = on_clock(p, frame); break;
    case FRAME_HELLO:
    case FRAME_DELIVER:
    case FRAME_CALL:
    case FRAME_CANCEL:
    case FRAME_ANSWERED: break;
    }
    if (err) {
        log_error("a broken frame from %s: the link is closed kind=%d", p->url, (int)kind);
        link_hang_up(p->link);
    }
}

/* --- life ------------------------------------------------------------------------------------- */

int queued_link_open(struct queued_link **ret, struct loop *l, struct topic_store *store, u32 index,
                     const char *url, const struct queued_link_limits *limits,
                     struct queued_link_events events, struct fault *f)
{
    struct queued_link *p = mem_alloc(sizeof(*p));

    p->index = index;
    p->url = mem_dup(str_of(url));
    p->loop = l;
    p->store = store;
    p->limits = *limits;
    p->events = events;
    p->next_sequence = (topic_store_epoch(store) << QUEUED_LINK_EPOCH_SHIFT) + 1;
    p->stored_through = p->next_sequence - 1;
    list_init(&p->unacked);
    p->timer.due = timer_due;
    p->timer.arg = p;
    p->outbox = topic_store_outbox(store, str_of(url));
    p->read = (struct outbox_read){
        .frames_max = OUTBOX_FRAMES_A_TURN, .frame = outbox_frame_read, .done = outbox_was_read};
    int err = link_dial(&p->link, l, url, &limits->link,
                        (struct link_events){on_up, on_down, on_frame, p}, f);

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
    topic_store_outbox_cancel(&p->read);
    if (p->link)
        link_close(p->link);
    mem_free(p->sent);
    mem_free(p->url);
    mem_free(p);
}

void queued_link_set_failing(struct queued_link *p, bool failing)
{
    p->store_failing = failing;
}

void queued_link_flush(struct queued_link *p)
{
    loop_timer_clear(p->loop, &p->timer);
    end_session(p);
}
