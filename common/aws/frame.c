/* Frames, the writing half. See frame.h for the contract and frame_wire.h for the bytes.
 *
 * A DELIVER frame grows over a turn without any state beside its own bytes: the counts are at fixed
 * offsets and grow with every item; the offset of the open publication is kept in the head and
 * cleared at the end. The writer's input is our own, so sizes are asserted here; the reader checks
 * them.
 * */
#include "common/aws/frame.h"

#include "common/aws/frame_wire.h"

static void put_u8(struct buf *out, u8 v)
{
    buf_char(out, (char)v);
}

static void put_u32(struct buf *out, u32 v)
{
    store_u32(buf_room(out, sizeof(v)), v);
    out->n += sizeof(v);
}

static void put_u64(struct buf *out, u64 v)
{
    store_u64(buf_room(out, sizeof(v)), v);
    out->n += sizeof(v);
}

static void put_str(struct buf *out, str s)
{
    assert(s.n <= UINT32_MAX);
    put_u32(out, (u32)s.n);
    if (s.n)
        buf_str(out, s);
}

static void put_frame_head(struct buf *out, enum frame_kind kind)
{
    const char head[FRAME_HEAD_SIZE] = {FRAME_VERSION, (char)kind, 0, 0};

    buf_reset(out);
    buf_add(out, head, sizeof(head));
}

/* Increments the count at `at`. */
static void count_up(struct buf *out, size_t at)
{
    assert(at + sizeof(u32) <= out->n);
    store_u32(out->p + at, load_u32(out->p + at) + 1);
}

static void put_greeting(struct buf *out, enum frame_kind kind, const struct frame_greeting *g)
{
    put_frame_head(out, kind);
    put_str(out, g->instance);
    put_str(out, g->version);
    put_u32(out, g->session);
    put_u64(out, (u64)g->clock_ms);
}

void frame_write_hello(struct buf *out, const struct frame_greeting *g)
{
    put_greeting(out, FRAME_HELLO, g);
}

void frame_write_welcome(struct buf *out, const struct frame_greeting *g)
{
    put_greeting(out, FRAME_WELCOME, g);
}

void frame_write_ack(struct buf *out, const struct frame_ack *a)
{
    put_frame_head(out, FRAME_ACK);
    put_u32(out, a->session);
    put_u64(out, a->ordinal);
}

void frame_write_call(struct buf *out, const struct frame_call *c)
{
    const struct request *rq = &c->request;

    put_frame_head(out, FRAME_CALL);
    put_u64(out, c->id);
    put_u8(out, (u8)rq->door);
    put_u8(out, rq->secure);
    put_str(out, str_from(rq->peer.bytes, address_size(&rq->peer)));
    put_str(out, rq->method);
    put_str(out, rq->path);
    put_str(out, rq->query);
    put_str(out, rq->host);
    put_str(out, rq->target);
    put_str(out, rq->content_type);
    put_str(out, rq->accept);
    put_str(out, rq->authorization);
    put_str(out, rq->trace_id);
    put_str(out, rq->account);
    put_str(out, rq->region);
    put_str(out, rq->user);
    put_str(out, rq->body);
}

void frame_write_answer(struct buf *out, u64 id, bool asks, const struct answer *a)
{
    assert(a->status >= 0);
    put_frame_head(out, FRAME_ANSWER);
    put_u64(out, id);
    put_u32(out, (u32)a->status);
    put_u8(out, (u8)a->type);
    put_u8(out, asks);
    put_str(out, str_of(a->query_error));
    put_str(out, str_of(a->request_id));
    put_str(out, buf_view(&a->body));
}

void frame_write_answered(struct buf *out, const struct frame_answered *a)
{
    put_frame_head(out, FRAME_ANSWERED);
    put_u64(out, a->id);
    put_u8(out, (u8)a->outcome);
}

void frame_write_cancel(struct buf *out, u64 id)
{
    put_frame_head(out, FRAME_CANCEL);
    put_u64(out, id);
}

void frame_write_clock(struct buf *out, i64 now_ms)
{
    put_frame_head(out, FRAME_CLOCK);
    put_u64(out, (u64)now_ms);
}

void frame_write_sync(struct buf *out, u64 n)
{
    put_frame_head(out, FRAME_SYNC);
    put_u64(out, n);
}

/* --- DELIVER ---------------------------------------------------------------------------------- */

void frame_deliver_begin(struct buf *out, str incarnation)
{
    put_frame_head(out, FRAME_DELIVER);
    put_u32(out, 0); /* session */
    put_u64(out, 0); /* sequence */
    put_u64(out, 0); /* ordinal */
    put_u32(out, 0); /* publications */
    put_u32(out, 0);
    put_str(out, incarnation);
    assert(out->n == DELIVER_HEAD_SIZE);
}

/* Where the open publication begins; asserts that there is one. */
static size_t open_publication(const struct buf *out)
{
    assert(out->n >= DELIVER_HEAD_SIZE && out->p[1] == FRAME_DELIVER);
    size_t at = load_u32(out->p + DELIVER_OPEN);

    assert(at >= DELIVER_HEAD_SIZE && at + PUBLICATION_HEAD_SIZE <= out->n);
    return at;
}

void frame_publication_begin(struct buf *out, const struct frame_publication *p)
{
    assert(out->n >= DELIVER_HEAD_SIZE && out->n <= UINT32_MAX);
    assert(load_u32(out->p + DELIVER_OPEN) == 0);
    size_t at = out->n;

    store_u32(out->p + DELIVER_OPEN, (u32)at);
    count_up(out, DELIVER_COUNT);
    put_u32(out, 0); /* size */
    put_u32(out, 0); /* attributes */
    put_u32(out, 0); /* targets */
    put_u32(out, 0); /* until frame_publication_targets: offset of the attributes */
    put_u64(out, (u64)p->time_ms);
    put_str(out, p->topic);
    put_str(out, p->message_id);
    put_str(out, p->subject);
    put_str(out, p->message);
    put_str(out, p->group_id);
    put_str(out, p->fifo);
    put_str(out, p->trace_header);
    put_str(out, p->public_url);
    store_u32(out->p + at + PUBLICATION_ATTRS_SIZE, (u32)(out->n - at));
}

void frame_publication_copy(struct buf *out, const struct frame_publication *p)
{
    frame_publication_begin(out, p);
    size_t at = open_publication(out);

    store_u32(out->p + at + PUBLICATION_ATTRS, p->attr_count);
    if (p->attrs.n)
        buf_str(out, p->attrs);
    frame_publication_targets(out);
}

void frame_put_attr(struct buf *out, const struct message_attr *a)
{
    count_up(out, open_publication(out) + PUBLICATION_ATTRS);
    put_str(out, a->name);
    put_str(out, a->type);
    put_str(out, a->value);
}

void frame_publication_targets(struct buf *out)
{
    size_t at = open_publication(out);
    size_t begin = at + load_u32(out->p + at + PUBLICATION_ATTRS_SIZE);

    store_u32(out->p + at + PUBLICATION_ATTRS_SIZE, (u32)(out->n - begin));
}

void frame_put_target(struct buf *out, const struct frame_target *t)
{
    count_up(out, open_publication(out) + PUBLICATION_TARGETS);
    put_str(out, t->queue);
    put_str(out, t->subscription);
    put_u8(out, t->form);
}

void frame_publication_end(struct buf *out)
{
    size_t at = open_publication(out);

    assert(out->n - at <= UINT32_MAX);
    store_u32(out->p + at, (u32)(out->n - at - sizeof(u32)));
    store_u32(out->p + DELIVER_OPEN, 0);
}

void frame_deliver_end(struct buf *out)
{
    assert(out->n >= DELIVER_HEAD_SIZE && out->n <= UINT32_MAX);
    assert(load_u32(out->p + DELIVER_OPEN) == 0);
}

void frame_deliver_number(struct buf *frame, u64 sequence)
{
    assert(frame->n >= DELIVER_HEAD_SIZE && frame->p[1] == FRAME_DELIVER);
    assert(load_u64(frame->p + DELIVER_SEQUENCE) == 0 && sequence <= INT64_MAX);
    store_u64(frame->p + DELIVER_SEQUENCE, sequence);
}

void frame_deliver_address(struct buf *frame, u32 session, u64 ordinal)
{
    assert(frame->n >= DELIVER_HEAD_SIZE && frame->p[1] == FRAME_DELIVER);
    store_u32(frame->p + DELIVER_SESSION, session);
    store_u64(frame->p + DELIVER_ORDINAL, ordinal);
}

/* --- REJECTED --------------------------------------------------------------------------------- */

void frame_rejected_begin(struct buf *out, u32 session, u64 ordinal)
{
    put_frame_head(out, FRAME_REJECTED);
    put_u32(out, session);
    put_u64(out, ordinal);
    put_u32(out, 0);
    assert(out->n == REJECTED_HEAD_SIZE);
}

void frame_rejected_add(struct buf *out, struct frame_place place)
{
    count_up(out, REJECTED_COUNT);
    assert(place.publication <= PLACE_PUBLICATION_MASK);
    put_u32(out, place.publication | (u32)place.why << PLACE_WHY_SHIFT);
    put_u32(out, place.target);
}

/* --- QUEUES ----------------------------------------------------------------------------------- */

/* Placeholder in the size of the added list while it grows. */
#define QUEUES_ADDING UINT32_MAX

void frame_queues_begin(struct buf *out, bool all, bool last)
{
    put_frame_head(out, FRAME_QUEUES);
    put_u32(out, (all ? QUEUES_FLAG_ALL : 0u) | (last ? QUEUES_FLAG_LAST : 0u));
    put_u32(out, 0);
    put_u32(out, 0);
    put_u32(out, QUEUES_ADDING);
    assert(out->n == QUEUES_HEAD_SIZE);
}

void frame_queues_add(struct buf *out, str arn)
{
    assert(out->n >= QUEUES_HEAD_SIZE && out->p[1] == FRAME_QUEUES);
    bool adding = load_u32(out->p + QUEUES_ADDED_SIZE) == QUEUES_ADDING;

    count_up(out, adding ? QUEUES_ADDED : QUEUES_REMOVED);
    put_str(out, arn);
}

void frame_queues_removed(struct buf *out)
{
    assert(out->n >= QUEUES_HEAD_SIZE && out->n < UINT32_MAX);
    assert(load_u32(out->p + QUEUES_ADDED_SIZE) == QUEUES_ADDING);
    store_u32(out->p + QUEUES_ADDED_SIZE, (u32)(out->n - QUEUES_HEAD_SIZE));
}

void frame_queues_end(struct buf *out)
{
    if (load_u32(out->p + QUEUES_ADDED_SIZE) == QUEUES_ADDING)
        frame_queues_removed(out);
}
