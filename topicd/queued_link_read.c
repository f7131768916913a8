/* Frames received from a `queued` instance. All input is untrusted: an invalid frame is logged and
 * closes the pipe. */
#include "topicd/queued_link_parts.h"

#include "common/base/log.h"

/* What was rejected of a batch whose row stays is rejected again. */
static void batch_acknowledged(struct queued_link *p, struct delivery_batch *d)
{
    bool stays = d->row && p->homes->failing;
    int err = d->rejected.n && !stays ? p->events.returned(p->events.arg, p, d) : 0;

    *queued_link_bytes(p, d) -= d->frame.n;
    list_remove(&d->link);
    delivery_batch_end(d, err);
}

/* Batches up to `ordinal` are applied and durable at the instance. */
static void batches_acknowledged(struct queued_link *p, u64 ordinal)
{
    u64 row = 0;

    p->progress_ms = queued_link_now_ms(p);
    while (p->acked < ordinal) {
        struct delivery_batch *d = queued_link_batch(p->unacked.next);

        p->acked++;
        row = MAX(row, d->row);
        batch_acknowledged(p, d);
    }
    /* While the store fails they are kept, and sent again when it works. */
    if (row && !p->homes->failing) {
        topic_store_outbox_acked(p->homes->store, p->home->id, 0, row);
        loop_dirty(p->loop);
    }
    p->events.freed(p->events.arg);
}

/* Two instances with one name: one has a copy of the other's store. It could take new deliveries
 * for already applied ones. The pipe is closed and dialled again. */
static int refuse_copy(struct queued_link *p, str name)
{
    if (!p->is_copy)
        log_error("the queued instance at %s has the store %.*s of one that is up: it is a copy, "
                  "and not used",
                  p->url, STR_ARG(name));
    p->is_copy = true;
    p->state = QUEUED_LINK_DOWN;
    link_hang_up(p->link);
    return 0;
}

static int welcome_received(struct queued_link *p, str frame)
{
    struct frame_greeting g;
    u8 uuid[16];

    if (frame_read_greeting(frame, &g) || id_uuid_read(g.instance, uuid))
        return E_INVALID;
    if (p->state != QUEUED_LINK_GREETING || g.session != p->session)
        return 0;
    struct home *home = homes_meet(p->homes, p, p->url, p->home, g.instance);

    if (!home)
        return refuse_copy(p, g.instance);
    p->is_copy = false;
    p->home = home;
    p->state = QUEUED_LINK_CATCHING_UP;
    p->progress_ms = queued_link_now_ms(p);
    log_info("queued is up url=%s instance=%s session=%u waiting_frames=%" PRIu64, p->url,
             home->name, p->session, home->outbox->frames);
    if (p->asked > p->greeted_sync)
        queued_link_send_sync(p);
    p->events.up(p->events.arg, p, g.clock_ms);
    loop_again(p->loop);
    return 0;
}

static int ack_received(struct queued_link *p, str frame)
{
    struct frame_ack ack;

    if (frame_read_ack(frame, &ack))
        return E_INVALID;
    if (!queued_link_is_up(p) || ack.session != p->session)
        return 0;
    if (ack.ordinal > p->sent)
        return E_INVALID;
    batches_acknowledged(p, ack.ordinal);
    return 0;
}

static int rejected_received(struct queued_link *p, str frame)
{
    struct frame_rejected j;

    if (frame_read_rejected(frame, &j))
        return E_INVALID;
    if (!queued_link_is_up(p) || j.session != p->session)
        return 0;
    if (j.ordinal <= p->acked || j.ordinal > p->sent)
        return E_INVALID;
    struct list *at = p->unacked.next;

    for (u64 n = p->acked + 1; n < j.ordinal; n++)
        at = at->next;
    return p->events.rejected(p->events.arg, p, queued_link_batch(at), &j) ? 0 : E_INVALID;
}

static int queues_received(struct queued_link *p, str frame)
{
    struct frame_queues queues;

    if (frame_read_queues(frame, &queues))
        return E_INVALID;
    if (!queued_link_is_up(p))
        return 0;
    p->events.queues(p->events.arg, p, &queues);
    if (queues.all && queues.last)
        p->synced = MAX(p->synced, p->greeted_sync);
    return 0;
}

static int sync_received(struct queued_link *p, str frame)
{
    u64 n;

    if (frame_read_sync(frame, &n) || n > p->asked)
        return E_INVALID;
    p->synced = MAX(p->synced, n);
    return 0;
}

static int answer_received(struct queued_link *p, str frame)
{
    struct frame_answer answer = {0};

    if (frame_read_answer(frame, &answer))
        return E_INVALID;
    p->events.answer(p->events.arg, p, &answer);
    buf_deinit(&answer.answer.body);
    return 0;
}

static int clock_received(struct queued_link *p, str frame)
{
    i64 now_ms;

    if (frame_read_clock(frame, &now_ms))
        return E_INVALID;
    p->events.clock(p->events.arg, p, now_ms);
    return 0;
}

void queued_link_frame(void *arg, str frame)
{
    struct queued_link *p = arg;
    enum frame_kind kind;
    int err = frame_kind(frame, &kind);

    if (err) {
        log_error("frames of %s cannot be read: %s", p->url, err_text(err));
        link_hang_up(p->link);
        return;
    }
    switch (kind) {
    case FRAME_WELCOME: err = welcome_received(p, frame); break;
    case FRAME_ACK: err = ack_received(p, frame); break;
    case FRAME_ANSWER: err = answer_received(p, frame); break;
    case FRAME_QUEUES: err = queues_received(p, frame); break;
    case FRAME_CLOCK: err = clock_received(p, frame); break;
    case FRAME_REJECTED: err = rejected_received(p, frame); break;
    case FRAME_SYNC: err = sync_received(p, frame); break;
    case FRAME_HELLO:
    case FRAME_DELIVER:
    case FRAME_CALL:
    case FRAME_CANCEL:
    case FRAME_ANSWERED: break;
    }
    if (err) {
        log_error("invalid frame from %s: the link is closed kind=%d", p->url, (int)kind);
        link_hang_up(p->link);
    }
}
