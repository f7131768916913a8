/* Frames, the reading half: every byte is untrusted. See frame_wire.h for the layout.
 *
 * A reader consumes members from the front of a view and records whether one is incomplete; a frame
 * is valid only when all members are complete and no bytes are left. On failure *ret is unchanged.
 * */
#include "common/aws/frame.h"

#include "common/aws/frame_wire.h"
#include "common/base/id.h"

struct reader {
    str rest;
    bool bad;
};

static const char *get_bytes(struct reader *r, size_t n)
{
    const char *p = r->rest.p;

    if (r->bad || r->rest.n < n) {
        r->bad = true;
        return NULL;
    }
    r->rest.p += n;
    r->rest.n -= n;
    return p;
}

static u8 get_u8(struct reader *r)
{
    const char *p = get_bytes(r, 1);

    return p ? (u8)*p : 0;
}

static u32 get_u32(struct reader *r)
{
    const char *p = get_bytes(r, sizeof(u32));

    return p ? load_u32(p) : 0;
}

static u64 get_u64(struct reader *r)
{
    const char *p = get_bytes(r, sizeof(u64));

    return p ? load_u64(p) : 0;
}

static str get_str(struct reader *r)
{
    u32 n = get_u32(r);
    const char *p = get_bytes(r, n);

    return p ? str_from(p, n) : STR("");
}

static bool is_whole(const struct reader *r)
{
    return !r->bad && r->rest.n == 0;
}

int frame_kind(str frame, enum frame_kind *ret)
{
    if (frame.n < FRAME_HEAD_SIZE)
        return E_INVALID;
    u8 version = (u8)frame.p[0];
    u8 oldest = frame.p[1] == FRAME_DELIVER ? FRAME_VERSION_DELIVER : FRAME_VERSION;

    if (version < oldest || version > FRAME_VERSION)
        return version > FRAME_VERSION ? E_NEWER : E_INVALID;
    if (frame.p[1] < FRAME_HELLO || frame.p[1] > FRAME_SYNC || frame.p[2] || frame.p[3])
        return E_INVALID;
    *ret = (enum frame_kind)frame.p[1];
    return 0;
}

/* A reader positioned after the head of a frame of that kind; `other` is allowed, too. */
static struct reader reader_of(str frame, enum frame_kind kind, enum frame_kind other)
{
    struct reader r = {.rest = frame};
    enum frame_kind is = kind;

    if (frame_kind(frame, &is) < 0 || (is != kind && is != other))
        r.bad = true;
    get_bytes(&r, FRAME_HEAD_SIZE);
    return r;
}

int frame_read_greeting(str frame, struct frame_greeting *ret)
{
    struct reader r = reader_of(frame, FRAME_HELLO, FRAME_WELCOME);
    struct frame_greeting g;

    g.instance = get_str(&r);
    g.version = get_str(&r);
    g.session = get_u32(&r);
    g.clock_ms = (i64)get_u64(&r);
    if (!is_whole(&r) || g.clock_ms < 0 || g.clock_ms > FRAME_CLOCK_MAX)
        return E_INVALID;
    *ret = g;
    return 0;
}

int frame_read_ack(str frame, struct frame_ack *ret)
{
    struct reader r = reader_of(frame, FRAME_ACK, FRAME_ACK);
    struct frame_ack a;

    a.session = get_u32(&r);
    a.ordinal = get_u64(&r);
    if (!is_whole(&r))
        return E_INVALID;
    *ret = a;
    return 0;
}

int frame_read_call(str frame, struct frame_call *ret)
{
    struct reader r = reader_of(frame, FRAME_CALL, FRAME_CALL);
    struct frame_call c = {0};
    struct request *rq = &c.request;
    str peer;
    u8 door, secure;

    c.id = get_u64(&r);
    door = get_u8(&r);
    secure = get_u8(&r);
    peer = get_str(&r);
    rq->method = get_str(&r);
    rq->path = get_str(&r);
    rq->query = get_str(&r);
    rq->host = get_str(&r);
    rq->target = get_str(&r);
    rq->content_type = get_str(&r);
    rq->accept = get_str(&r);
    rq->authorization = get_str(&r);
    rq->trace_id = get_str(&r);
    rq->account = get_str(&r);
    rq->region = get_str(&r);
    rq->user = get_str(&r);
    rq->body = get_str(&r);
    if (!is_whole(&r) || door > DOOR_LINK || secure > 1 || !address_of_bytes(peer, &rq->peer))
        return E_INVALID;
    rq->door = (enum door)door;
    rq->secure = secure;
    *ret = c;
    return 0;
}

/* Copies a text that must fit and hold no NUL. */
static bool copy_text(str s, char *ret, size_t size)
{
    if (s.n >= size || str_find(s, '\0') >= 0)
        return false;
    memcpy(ret, s.p, s.n);
    ret[s.n] = '\0';
    return true;
}

int frame_read_answer(str frame, struct frame_answer *ret)
{
    struct reader r = reader_of(frame, FRAME_ANSWER, FRAME_ANSWER);
    struct frame_answer a = {0};
    u32 status;
    u8 type, asks;
    str query_error, request_id, body;

    a.id = get_u64(&r);
    status = get_u32(&r);
    type = get_u8(&r);
    asks = get_u8(&r);
    query_error = get_str(&r);
    request_id = get_str(&r);
    body = get_str(&r);
    if (!is_whole(&r) || status < 200 || status > 599 || type > ANSWER_JSON || asks > 1)
        return E_INVALID;
    if (!copy_text(query_error, a.answer.query_error, sizeof(a.answer.query_error)) ||
        !copy_text(request_id, a.answer.request_id, sizeof(a.answer.request_id)))
        return E_INVALID;
    a.asks = asks;
    a.answer.status = (int)status;
    a.answer.type = (enum answer_type)type;
    buf_str(&a.answer.body, body);
    *ret = a;
    return 0;
}

int frame_read_answered(str frame, struct frame_answered *ret)
{
    struct reader r = reader_of(frame, FRAME_ANSWERED, FRAME_ANSWERED);
    u64 id = get_u64(&r);
    u8 outcome = get_u8(&r);

    if (!is_whole(&r) || (outcome != CALL_SENT && outcome != CALL_LOST && outcome != CALL_CUT))
        return E_INVALID;
    *ret = (struct frame_answered){id, (enum call_outcome)outcome};
    return 0;
}

int frame_read_cancel(str frame, u64 *ret_id)
{
    struct reader r = reader_of(frame, FRAME_CANCEL, FRAME_CANCEL);
    u64 id = get_u64(&r);

    if (!is_whole(&r))
        return E_INVALID;
    *ret_id = id;
    return 0;
}

int frame_read_clock(str frame, i64 *ret_now_ms)
{
    struct reader r = reader_of(frame, FRAME_CLOCK, FRAME_CLOCK);
    i64 now_ms = (i64)get_u64(&r);

    if (!is_whole(&r) || now_ms < 0 || now_ms > FRAME_CLOCK_MAX)
        return E_INVALID;
    *ret_now_ms = now_ms;
    return 0;
}

int frame_read_sync(str frame, u64 *ret_n)
{
    struct reader r = reader_of(frame, FRAME_SYNC, FRAME_SYNC);
    u64 n = get_u64(&r);

    if (!is_whole(&r))
        return E_INVALID;
    *ret_n = n;
    return 0;
}

/* --- lists ------------------------------------------------------------------------------------ */

int frame_next_str(str *rest, str *ret)
{
    struct reader r = {.rest = *rest};

    if (rest->n == 0)
        return 0;
    str s = get_str(&r);

    if (r.bad)
        return E_INVALID;
    *rest = r.rest;
    *ret = s;
    return 1;
}

int frame_next_place(str *rest, struct frame_place *ret)
{
    struct reader r = {.rest = *rest};
    struct frame_place p;

    if (rest->n == 0)
        return 0;
    u32 first = get_u32(&r);

    p.publication = first & PLACE_PUBLICATION_MASK;
    p.why = (enum frame_rejection)(first >> PLACE_WHY_SHIFT);
    p.target = get_u32(&r);
    if (r.bad || p.why >= FRAME_REJECTIONS)
        return E_INVALID;
    *rest = r.rest;
    *ret = p;
    return 1;
}

int frame_next_attr(str *rest, struct message_attr *ret)
{
    struct reader r = {.rest = *rest};
    struct message_attr a;

    if (rest->n == 0)
        return 0;
    a.name = get_str(&r);
    a.type = get_str(&r);
    a.value = get_str(&r);
    if (r.bad)
        return E_INVALID;
    *rest = r.rest;
    *ret = a;
    return 1;
}

int frame_next_target(str *rest, struct frame_target *ret)
{
    struct reader r = {.rest = *rest};
    struct frame_target t;

    if (rest->n == 0)
        return 0;
    t.queue = get_str(&r);
    t.subscription = get_str(&r);
    t.form = get_u8(&r);
    if (r.bad || t.form > PUBLICATION_WRAPPED)
        return E_INVALID;
    *rest = r.rest;
    *ret = t;
    return 1;
}

int frame_next_publication(str *rest, struct frame_publication *ret)
{
    struct reader outer = {.rest = *rest};
    struct frame_publication p;

    if (rest->n == 0)
        return 0;
    struct reader r = {.rest = get_str(&outer)};

    p.attr_count = get_u32(&r);
    p.target_count = get_u32(&r);
    u32 attrs_size = get_u32(&r);

    p.time_ms = (i64)get_u64(&r);
    p.topic = get_str(&r);
    p.message_id = get_str(&r);
    p.subject = get_str(&r);
    p.message = get_str(&r);
    p.group_id = get_str(&r);
    p.fifo = get_str(&r);
    p.trace_header = get_str(&r);
    p.public_url = get_str(&r);
    const char *attrs = get_bytes(&r, attrs_size);

    if (outer.bad || r.bad || p.time_ms < 0 || p.time_ms > FRAME_CLOCK_MAX ||
        (p.fifo.n && p.fifo.n <= FRAME_SEQUENCE_SIZE) || p.attr_count > FRAME_ATTRS_MAX ||
        p.target_count > FRAME_TARGETS_MAX)
        return E_INVALID;
    p.attrs = str_from(attrs, attrs_size);
    p.targets = r.rest;
    *rest = outer.rest;
    *ret = p;
    return 1;
}

/* Whether the lists of a publication have exactly as many items as their counts say. */
static bool publication_is_good(const struct frame_publication *p)
{
    struct message_attr attr;
    struct frame_target target;
    str rest = p->attrs;
    u32 left;
    int r;

    for (left = p->attr_count; (r = frame_next_attr(&rest, &attr)) > 0; left--) {
        if (left == 0)
            return false;
    }
    if (r < 0 || left)
        return false;
    rest = p->targets;
    for (left = p->target_count; (r = frame_next_target(&rest, &target)) > 0; left--) {
        if (left == 0)
            return false;
    }
    return r == 0 && left == 0;
}

int frame_read_deliver(str frame, struct frame_deliver *ret)
{
    struct reader r = reader_of(frame, FRAME_DELIVER, FRAME_DELIVER);
    struct frame_deliver d;
    struct frame_publication p;
    u8 uuid[16];
    u32 zero, left;
    int n;

    d.session = get_u32(&r);
    d.sequence = get_u64(&r);
    d.ordinal = get_u64(&r);
    d.publication_count = get_u32(&r);
    zero = get_u32(&r);
    d.incarnation = get_str(&r);
    d.publications = r.rest;
    if (r.bad || zero || d.publication_count > FRAME_PUBLICATIONS_MAX ||
        id_uuid_read(d.incarnation, uuid) || d.sequence == 0 || d.sequence > INT64_MAX)
        return E_INVALID;
    left = d.publication_count;
    while ((n = frame_next_publication(&r.rest, &p)) > 0) {
        if (left-- == 0 || !publication_is_good(&p))
            return E_INVALID;
    }
    if (n < 0 || left)
        return E_INVALID;
    *ret = d;
    return 0;
}

int frame_read_rejected(str frame, struct frame_rejected *ret)
{
    struct reader r = reader_of(frame, FRAME_REJECTED, FRAME_REJECTED);
    struct frame_rejected j;
    struct frame_place place;
    int n;

    j.session = get_u32(&r);
    j.ordinal = get_u64(&r);
    j.count = get_u32(&r);
    j.places = r.rest;
    if (r.bad || j.places.n != (u64)j.count * PLACE_SIZE)
        return E_INVALID;
    for (str rest = j.places; (n = frame_next_place(&rest, &place)) > 0;)
        ;
    if (n < 0)
        return E_INVALID;
    *ret = j;
    return 0;
}

/* Whether `list` holds exactly `count` strings. */
static bool strings_are_good(str list, u32 count)
{
    str s;
    int n;

    for (; (n = frame_next_str(&list, &s)) > 0; count--) {
        if (count == 0)
            return false;
    }
    return n == 0 && count == 0;
}

int frame_read_queues(str frame, struct frame_queues *ret)
{
    struct reader r = reader_of(frame, FRAME_QUEUES, FRAME_QUEUES);
    struct frame_queues q;
    u32 flags, added_size;

    flags = get_u32(&r);
    q.added_count = get_u32(&r);
    q.removed_count = get_u32(&r);
    added_size = get_u32(&r);
    const char *added = get_bytes(&r, added_size);

    if (r.bad || flags > (QUEUES_FLAG_ALL | QUEUES_FLAG_LAST) || q.added_count > FRAME_QUEUES_MAX ||
        q.removed_count > FRAME_QUEUES_MAX)
        return E_INVALID;
    q.all = flags & QUEUES_FLAG_ALL;
    q.last = flags & QUEUES_FLAG_LAST;
    q.added = str_from(added, added_size);
    q.removed = r.rest;
    if (!strings_are_good(q.added, q.added_count) || !strings_are_good(q.removed, q.removed_count))
        return E_INVALID;
    *ret = q;
    return 0;
}
