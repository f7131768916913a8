/* Invariants:
 * 1. A DELIVER is accepted only when its session is the current one and its ordinal is the next
 *    one, and applied only when its sequence is above the last one of its incarnation: nothing is
 *    skipped and nothing is applied twice (frame.h).
 * 2. QUEUES, REJECTED, ACK and the echo of SYNC report durable state: they are sent from callbacks
 *    after the commit, in the order of the changes.
 * 3. A forwarded call lives until its reply, even if its session ends. If its handler wants to know
 *    whether the answer was sent, it lives until topicd reports that or the session ends. */
#include "queued/topicd_link.h"

#include "common/base/log.h"
#include "common/base/mem.h"
#include "queued/intake.h"

/* ARNs in one QUEUES frame; a million queues are a thousand frames. */
#define ANNOUNCED_A_FRAME 1000
/* Targets in one REJECTED frame. */
#define REJECTED_A_FRAME 100000
/* SYNC echoes that may be pending; topicd sends the next SYNC after an echo. */
#define SYNCS_MAX 1000

/* An API call that topicd's front endpoint forwarded. */
struct forwarded {
    u64 id;
    struct topicd_link *topicd; /* NULL: its session ended, the answer is dropped */
    struct call *call;
    char *frame;   /* the bytes that the request's views point into */
    bool answered; /* waits for topicd's report whether the answer was sent */
};

/* A frame that is sent when its turn is durable. */
struct ack {
    struct loop_later later;
    struct topicd_link *topicd;
    u32 session;
    u64 ordinal;
    struct intake intake; /* the rejected places */
};

struct echo {
    struct loop_later later;
    struct topicd_link *topicd;
    u32 session;
    u64 n;
};

static int frame_send(struct topicd_link *p, struct buf *frame)
{
    if (p->link)
        return link_send(p->link, frame);
    buf_deinit(frame);
    return E_DOWN;
}

/* --- greeting --------------------------------------------------------------------------------- */

/* Sends all queues in frames flagged "all", the last one also flagged "last". */
static void send_all_queues(struct topicd_link *p)
{
    const struct map *queues = &p->queues->by_key;
    struct buf frame = {0};
    size_t pos = 0, left = queues->n;
    do {
        frame_queues_begin(&frame, true, left <= ANNOUNCED_A_FRAME);
        for (u32 i = 0; i < ANNOUNCED_A_FRAME && left > 0; i++, left--)
            frame_queues_add(&frame, str_of(((struct queue *)map_next(queues, &pos))->arn));
        frame_queues_end(&frame);
    } while (frame_send(p, &frame) == 0 && left > 0);
}

static void send_welcome(struct loop_later *later, int err)
{
    struct topicd_link *p = container_of(later, struct topicd_link, welcome);
    struct buf frame = {0};
    if (err || !p->greeted)
        return;
    frame_write_welcome(
        &frame, &(struct frame_greeting){.instance = str_of(queue_store_instance(p->queues->store)),
                                         .version = STR(TOQUE_VERSION),
                                         .session = p->session,
                                         .clock_ms = p->events.clock_ms(p->events.arg)});
    if (frame_send(p, &frame) == 0)
        send_all_queues(p);
}

static int on_hello(struct topicd_link *p, str frame)
{
    struct frame_greeting g;
    u8 uuid[16];
    if (frame_read_greeting(frame, &g) || id_uuid_read(g.instance, uuid))
        return E_INVALID;
    /* While the store fails nothing can become durable; topicd tries again. */
    if (p->queues->failing)
        return E_AGAIN;
    memcpy(p->instance, g.instance.p, ID_UUID_SIZE - 1);
    p->instance[ID_UUID_SIZE - 1] = '\0';
    p->session = g.session;
    p->taken = 0;
    p->greetings++;
    p->greeted = true;
    log_info("topicd is up instance=%s session=%u", p->instance, p->session);
    p->events.greeted(p->events.arg, g.clock_ms);
    if (!p->welcome.link.next || list_is_empty(&p->welcome.link))
        loop_later(p->loop, &p->welcome);
    return 0;
}

/* --- deliveries ------------------------------------------------------------------------------- */

static void send_rejected(struct topicd_link *p, const struct ack *a)
{
    struct buf frame = {0};
    for (u32 i = 0; i < a->intake.rejected_n;) {
        u32 end = MIN(i + REJECTED_A_FRAME, a->intake.rejected_n);
        frame_rejected_begin(&frame, a->session, a->ordinal);
        while (i < end)
            frame_rejected_add(&frame, a->intake.rejected[i++]);
        frame_send(p, &frame);
    }
}

static void send_ack(struct loop_later *later, int err)
{
    struct ack *a = container_of(later, struct ack, later);
    struct topicd_link *p = a->topicd;
    struct buf frame = {0};
    if (!err && p->greeted && a->session == p->session) {
        send_rejected(p, a);
        frame_write_ack(&frame, &(struct frame_ack){a->session, a->ordinal});
        frame_send(p, &frame);
    }
    intake_deinit(&a->intake);
    mem_free(a);
}

/* messages_max is reached: unaccepted deliveries stay in topicd's outbox, which sends them again
 * with its next session. */
static bool is_full(struct topicd_link *p)
{
    const struct queues *qs = p->queues;
    bool full = qs->msgs.msgs.used >= qs->limits.messages_max;
    if (full && !p->told_full)
        log_error("messages_max is reached: deliveries are refused messages=%" PRIu64,
                  qs->msgs.msgs.used);
    p->told_full = full;
    return full;
}

static void intake_count(struct topicd_link *p, const struct intake *in)
{
    p->delivered += in->delivered;
    p->unknown += in->counts[FRAME_REJECTED_NO_QUEUE];
    p->forbidden += in->counts[FRAME_REJECTED_FORBIDDEN];
    p->unfit += in->unfit;
}

/* Stores the rejected targets in the form of the REJECTED frame. */
static void remember_rejected(struct topicd_link *p, const struct frame_deliver *d,
                              const struct intake *in)
{
    struct buf frame = {0};
    struct frame_rejected j;
    frame_rejected_begin(&frame, 0, 0);
    for (u32 i = 0; i < in->rejected_n; i++)
        frame_rejected_add(&frame, in->rejected[i]);
    int err = frame_read_rejected(buf_view(&frame), &j);
    assert(!err);
    queue_store_add_rejected(p->queues->store,
                             &(struct rejected_row){d->incarnation, d->sequence, j.places});
    buf_deinit(&frame);
}

static void deliver_apply(struct topicd_link *p, const struct frame_deliver *d, struct intake *in)
{
    struct queue_store *store = p->queues->store;
    struct frame_publication publication;
    str rest = d->publications;
    for (u32 i = 0; frame_next_publication(&rest, &publication) > 0; i++)
        intake_publication(in, p->queues, &publication, i);
    intake_count(p, in);
    queue_store_set_applied(store, d->incarnation, d->sequence);
    if (in->rejected_n)
        remember_rejected(p, d, in);
}

/* The DELIVER was applied before; reports its rejected targets again, which topicd may not have
 * received. */
static void reject_again(struct topicd_link *p, const struct frame_deliver *d, struct intake *in)
{
    str places = queue_store_rejected(p->queues->store, d->incarnation, d->sequence);
    struct frame_place place;
    while (frame_next_place(&places, &place) > 0)
        intake_reject(in, place);
}

static int on_deliver(struct topicd_link *p, str frame)
{
    struct frame_deliver d;
    if (frame_read_deliver(frame, &d))
        return E_INVALID;
    if (!p->greeted || p->queues->failing || p->queues->full || d.session != p->session ||
        d.ordinal != p->taken + 1 || is_full(p))
        return 0;
    struct ack *a = mem_alloc(sizeof *a);
    *a = (struct ack){.topicd = p, .session = p->session, .ordinal = d.ordinal};
    queue_store_heard(p->queues->store, d.incarnation, d.sequence, p->greetings);
    if (d.sequence > queue_store_applied(p->queues->store, d.incarnation))
        deliver_apply(p, &d, &a->intake);
    else
        reject_again(p, &d, &a->intake);
    loop_dirty(p->loop);
    p->taken = d.ordinal;
    a->later.run = send_ack;
    loop_later(p->loop, &a->later);
    return 0;
}

/* --- what topicd asks ------------------------------------------------------------------------- */

static void send_echo(struct loop_later *later, int err)
{
    struct echo *e = container_of(later, struct echo, later);
    struct topicd_link *p = e->topicd;
    struct buf frame = {0};
    if (!err && p->greeted && e->session == p->session) {
        frame_write_sync(&frame, e->n);
        frame_send(p, &frame);
    }
    p->syncs--;
    mem_free(e);
}

static int on_sync(struct topicd_link *p, str frame)
{
    u64 n;
    if (frame_read_sync(frame, &n) || p->syncs == SYNCS_MAX)
        return E_INVALID;
    struct echo *e = mem_alloc(sizeof *e);
    *e = (struct echo){.topicd = p, .session = p->session, .n = n};
    e->later.run = send_echo;
    loop_later(p->loop, &e->later);
    p->syncs++;
    return 0;
}

/* --- calls from the front endpoint
 * ---------------------------------------------------------------- */

/* The answer exceeds the frame limit: reports that to the client, which may ask for less. */
static void send_too_large(struct topicd_link *p, u64 id, struct call *c)
{
    struct buf frame = {0};
    log_error("an answer exceeds the link's frame limit: raise link_frame_size_max bytes=%zu",
              c->answer.body.n);
    fault_clear(&c->fault);
    fault_set(&c->fault, CALL_FAULT_UNAVAILABLE,
              "The answer exceeds the frame limit of the link between the daemons.");
    call_render(c);
    frame_write_answer(&frame, id, false, &c->answer);
    frame_send(p, &frame);
}

static void forwarded_free(struct forwarded *f)
{
    if (f->topicd)
        idmap_del(&f->topicd->calls, f->id);
    mem_free(f->frame);
    mem_free(f);
}

static enum call_outcome on_reply(void *arg, struct call *c)
{
    struct forwarded *f = arg;
    struct topicd_link *p = f->topicd;
    struct buf frame = {0};
    int err = E_DOWN;
    if (p) {
        frame_write_answer(&frame, f->id, c->sent != NULL, &c->answer);
        err = frame_send(p, &frame);
    }
    if (err == E_TOO_LARGE)
        send_too_large(p, f->id, c);
    f->answered = !err && c->sent;
    if (f->answered) { /* topicd has the answer now */
        buf_deinit(&c->answer.body);
        desk_let_go(c);
        return CALL_SENDING;
    }
    forwarded_free(f);
    return err ? CALL_LOST : CALL_SENT;
}

static int on_call(struct topicd_link *p, str frame)
{
    struct frame_call call;
    struct forwarded *f = mem_alloc(sizeof *f);
    f->frame = mem_dup(frame);
    if (!p->greeted || frame_read_call(str_from(f->frame, frame.n), &call) || call.id == 0 ||
        idmap_get(&p->calls, call.id)) {
        mem_free(f->frame);
        mem_free(f);
        return E_INVALID;
    }
    f->id = call.id;
    f->topicd = p;
    idmap_put(&p->calls, f->id, f);
    call.request.door = DOOR_LINK;
    f->call = desk_take(p->desk, &call.request, on_reply, f);
    return 0;
}

static int on_cancel(struct topicd_link *p, str frame)
{
    u64 id;
    if (frame_read_cancel(frame, &id))
        return E_INVALID;
    struct forwarded *f = id ? idmap_get(&p->calls, id) : NULL;
    if (f && !f->answered)
        desk_cancel(f->call);
    return 0;
}

static void forwarded_sent(struct forwarded *f, enum call_outcome outcome)
{
    struct call *c = f->call;
    forwarded_free(f);
    desk_sent(c, outcome);
}

static int on_answered(struct topicd_link *p, str frame)
{
    struct frame_answered a;
    if (frame_read_answered(frame, &a))
        return E_INVALID;
    struct forwarded *f = a.id ? idmap_get(&p->calls, a.id) : NULL;
    if (f && f->answered)
        forwarded_sent(f, a.outcome);
    return 0;
}

static int on_clock(struct topicd_link *p, str frame)
{
    i64 now_ms;
    if (frame_read_clock(frame, &now_ms))
        return E_INVALID;
    p->events.clock(p->events.arg, now_ms);
    return 0;
}

/* --- frames ----------------------------------------------------------------------------------- */

static int take_frame(struct topicd_link *p, str frame)
{
    enum frame_kind kind;
    int err = frame_kind(frame, &kind);
    if (err)
        return err;
    switch (kind) {
    case FRAME_HELLO: return on_hello(p, frame);
    case FRAME_DELIVER: return on_deliver(p, frame);
    case FRAME_CALL: return on_call(p, frame);
    case FRAME_CANCEL: return on_cancel(p, frame);
    case FRAME_CLOCK: return on_clock(p, frame);
    case FRAME_ANSWERED: return on_answered(p, frame);
    case FRAME_SYNC: return on_sync(p, frame);
    default: return E_INVALID; /* kinds that topicd never sends */
    }
}

void topicd_link_frame(struct topicd_link *p, str frame)
{
    int err = take_frame(p, frame);
    if (err == 0)
        return;
    if (err != E_AGAIN)
        log_error("invalid frame from topicd: the link is closed: %s", err_text(err));
    topicd_link_hang_up(p);
}

void topicd_link_forget(struct topicd_link *p)
{
    struct forwarded *f;
    for (size_t pos = 0; (f = idmap_next(&p->calls, &pos));)
        if (f->answered)
            forwarded_sent(f, CALL_SENT);
}

void topicd_link_down(struct topicd_link *p)
{
    struct forwarded *f;
    if (p->greeted)
        log_warning("topicd is down instance=%s calls=%zu", p->instance, p->calls.n);
    p->greeted = false;
    for (size_t pos = 0; (f = idmap_next(&p->calls, &pos));) {
        idmap_del(&p->calls, f->id);
        f->topicd = NULL;
        /* It is unknown whether topicd sent the answer: assume that it did. */
        if (f->answered)
            forwarded_sent(f, CALL_SENT);
        else
            desk_cancel(f->call);
    }
    p->events.down(p->events.arg);
}

static void link_is_there(void *arg)
{
    struct topicd_link *p = arg;
    p->greeted = false; /* topicd sends the first frame */
}

static void link_is_gone(void *arg)
{
    topicd_link_down(arg);
}

static void link_frame(void *arg, str frame)
{
    topicd_link_frame(arg, frame);
}

/* --- what we tell ----------------------------------------------------------------------------- */

static bool is_here(const struct topicd_link *p, str arn)
{
    return queues_find_arn(p->queues, arn) != NULL;
}

/* Adds the changed queues that exist now, or those that do not: only the present state counts, not
 * how often a name was created and deleted in between. */
static void add_changed(struct topicd_link *p, struct buf *frame, bool here)
{
    str rest = buf_view(&p->changed);
    while (rest.n) {
        str arn = str_cut(&rest, '\n');
        if (is_here(p, arn) == here)
            frame_queues_add(frame, arn);
    }
}

static void send_changes(struct loop_later *later, int err)
{
    struct topicd_link *p = container_of(later, struct topicd_link, announce);
    struct buf frame = {0};
    if (!err && p->greeted) {
        frame_queues_begin(&frame, false, false);
        add_changed(p, &frame, true);
        frame_queues_removed(&frame);
        add_changed(p, &frame, false);
        frame_queues_end(&frame);
        frame_send(p, &frame);
    }
    buf_reset(&p->changed);
}

void topicd_link_changed(struct topicd_link *p, const struct queue *q)
{
    buf_z(&p->changed, q->arn);
    buf_char(&p->changed, '\n');
    if (!p->announce.link.next || list_is_empty(&p->announce.link))
        loop_later(p->loop, &p->announce);
}

int topicd_link_tell_clock(struct topicd_link *p, i64 now_ms)
{
    struct buf frame = {0};
    if (!topicd_link_is_up(p))
        return E_DOWN;
    frame_write_clock(&frame, now_ms);
    return frame_send(p, &frame);
}

/* --- life ------------------------------------------------------------------------------------- */

void topicd_link_init(struct topicd_link *p, struct queues *qs, struct desk *desk,
                      struct topicd_link_events events)
{
    *p = (struct topicd_link){.queues = qs, .desk = desk, .loop = qs->loop, .events = events};
    p->welcome.run = send_welcome;
    p->announce.run = send_changes;
    idmap_init(&p->calls, qs->seed);
}

int topicd_link_listen(struct topicd_link *p, const char *url, const struct link_limits *limits,
                       struct fault *f)
{
    struct link_events events = {
        .up = link_is_there, .down = link_is_gone, .frame = link_frame, .arg = p};
    return link_listen(&p->link, p->loop, url, limits, events, f);
}

void topicd_link_deinit(struct topicd_link *p)
{
    if (p->link)
        link_close(p->link);
    p->link = NULL;
    assert(p->calls.n == 0);
    loop_later_cancel(p->loop, &p->welcome);
    loop_later_cancel(p->loop, &p->announce);
    idmap_deinit(&p->calls);
    buf_deinit(&p->changed);
}

bool topicd_link_is_up(const struct topicd_link *p)
{
    return p->greeted;
}

void topicd_link_hang_up(struct topicd_link *p)
{
    if (p->link)
        link_hang_up(p->link);
    p->greeted = false;
}
