/* The ipc endpoint: nng's REP protocol, version 0, spoken over byte streams (stream.h explains why
 * not over nng's own REP socket).
 *
 * Both sides begin with eight bytes: 0 'S' 'P' 0, the protocol as u16, two zeros. Then messages
 * follow: a byte 1, the length as u64, and the payload. A request's payload begins with u32 ids,
 * one for each device that it passed through and last, with the highest bit set, the client's own;
 * they are returned with the answer, so any number of calls can be pending. All numbers are
 * big-endian.
 *
 * Invariants: (1) a call belongs to the client on whose stream it came until it is answered or the
 * stream is closed; then it has no client, and its answer is dropped; (2) `waiting` counts the
 * calls that were handed over and are not answered, with or without a client. */
#include "common/io/ipc_door.h"

#include <endian.h>

#include "common/base/list.h"
#include "common/base/mem.h"
#include "common/io/stream.h"

/* Clients at once: more would be a leak on their side. */
#define IPC_CLIENTS_MAX 1000
/* Interval between checks for clients that do not read, while there are unread answers. */
#define IPC_LOOK_MS 1000
/* Devices that a request may have passed through: nng's own limit. */
#define IPC_IDS_MAX 15

#define GREETING_SIZE 8
#define HEAD_SIZE     9 /* type and length */
#define ID_OURS       0x80000000u
#define ID_SIZE       4

static const char greeting_of_rep[] = {0, 'S', 'P', 0, 0, 0x31, 0, 0};
static const char greeting_of_req[] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};

struct ipc_door {
    struct loop *loop;
    struct ipc_limits limits;
    struct ipc_handler handler;
    struct stream_port *port;
    struct list clients; /* ipc_client.link */
    u32 client_count;
    u32 waiting;
    struct budget *budget;
    struct loop_timer look;
};

struct ipc_client {
    struct list link;
    struct ipc_door *door;
    struct stream *stream;
    struct list calls; /* its bytes are being parsed: freed after that */
    bool greeted;
    bool taking; /* its bytes are being read: it is freed behind that */
    bool cut;
    u64 calls_size; /* bytes of their texts */
    u64 charged;    /* bytes of calls and unread answers: counted in the budget */
    i64 read_ms;    /* mono: when it last read something, or had nothing to read */
};

struct ipc_exchange {
    struct ipc_door *door;
    struct ipc_client *client; /* NULL: it disconnected */
    struct list link;
    str ids;    /* inside `text` */
    char *text; /* the whole payload */
    size_t size;
    void *data;
};

void ipc_exchange_set_data(struct ipc_exchange *x, void *data)
{
    x->data = data;
}

void *ipc_exchange_data(const struct ipc_exchange *x)
{
    return x->data;
}

/* --- answers ---------------------------------------------------------------------------------- */

static void client_count(struct ipc_client *c)
{
    struct ipc_door *d = c->door;

    budget_give(d->budget, c->charged);
    c->charged = c->calls_size + stream_waiting(c->stream);
    budget_take(d->budget, c->charged);
}

static void client_cut_off(struct ipc_client *c);

/* Sends it unless the budget has no room; false: the client is disconnected. */
static bool client_send(struct ipc_client *c, str ids, str text)
{
    struct ipc_door *d = c->door;
    struct buf *out = stream_out(c->stream);
    u64 size = htobe64(ids.n + text.n);

    if (!budget_room(d->budget, text.n)) {
        client_cut_off(c);
        return false;
    }
    if (!stream_waiting(c->stream))
        c->read_ms = loop_clock(d->loop)->mono_ms;
    buf_char(out, 1);
    buf_add(out, &size, sizeof(size));
    buf_str(out, ids);
    buf_str(out, text);
    stream_flush(c->stream);
    client_count(c);
    if (!d->look.node.place)
        loop_timer_set_real(d->loop, &d->look, c->read_ms + IPC_LOOK_MS);
    return true;
}

bool ipc_answer(struct ipc_exchange *x, str text)
{
    struct ipc_client *c = x->client;
    bool sent;

    list_remove(&x->link);
    if (c)
        c->calls_size -= x->size;
    sent = c && client_send(c, x->ids, text);
    x->door->waiting--;
    mem_free(x->text);
    mem_free(x);
    return sent;
}

/* Size of the ids at the front of a request; 0 when they are malformed. */

/* Bytes of the ids at the front of a request; 0 when they are not as they must be. */
static size_t ids_size(str payload)
{
    u32 id;

    for (size_t at = 0; at < IPC_IDS_MAX * ID_SIZE && at + ID_SIZE <= payload.n; at += ID_SIZE) {
        memcpy(&id, payload.p + at, sizeof(id));
        if (be32toh(id) & ID_OURS)
            return at + ID_SIZE;
    }
    return 0;
}

static void take_call(struct ipc_client *c, str payload)
{
    struct ipc_door *d = c->door;
    size_t n = ids_size(payload);
    struct ipc_exchange *x;

    if (n == 0)
        return; /* no REQ socket sends that, and no answer could be routed */
    x = mem_alloc(sizeof(*x));
    x->text = mem_dup(payload);
    x->size = payload.n;
    x->ids = str_from(x->text, n);
    x->door = d;
    x->client = c;
    list_push_back(&c->calls, &x->link);
    d->waiting++;
    c->calls_size += x->size;
    client_count(c);
    d->handler.request(d->handler.arg, x, str_from(x->text + n, payload.n - n));
}

/* --- clients ---------------------------------------------------------------------------------- */

static void ipc_on_opened(void *arg, struct stream *s)
{
    struct ipc_door *d = arg;
    struct ipc_client *c;

    if (d->client_count >= IPC_CLIENTS_MAX) {
        stream_close(s);
        return;
    }
    c = mem_alloc(sizeof(*c));
    c->door = d;
    c->stream = s;
    list_init(&c->calls);
    list_push_back(&d->clients, &c->link);
    d->client_count++;
    stream_set_data(s, c);
    buf_add(stream_out(s), greeting_of_rep, GREETING_SIZE);
    stream_flush(s);
}

/* Reports the calls whose client is gone. The handler may answer the reported call. */
static void client_free(struct ipc_client *c)
{
    struct ipc_door *d = c->door;

    list_remove(&c->link);
    d->client_count--;
    budget_give(d->budget, c->charged);
    list_each(item, next, &c->calls) {
        struct ipc_exchange *x = list_item(item, struct ipc_exchange, link);

        list_remove(&x->link);
        x->client = NULL;
        d->handler.gone(d->handler.arg, x);
    }
    mem_free(c);
}

static void ipc_on_closed(void *arg, struct stream *s)
{
    client_free(stream_data(s));
}

static void client_cut_off(struct ipc_client *c)
{
    stream_close(c->stream);
    c->cut = true;
    if (!c->taking)
        client_free(c);
}

static void on_taken(void *arg, struct stream *s)
{
    struct ipc_client *c = stream_data(s);

    c->read_ms = loop_clock(c->door->loop)->mono_ms;
    client_count(c);
}

/* Disconnects clients that have stopped reading. */
static void look_due(struct loop_timer *t)
{
    struct ipc_door *d = t->arg;
    i64 now_ms = loop_clock(d->loop)->mono_ms;
    bool any = false;

    list_each(item, next, &d->clients) {
        struct ipc_client *c = list_item(item, struct ipc_client, link);

        if (!stream_waiting(c->stream))
            continue;
        if (now_ms - c->read_ms >= (i64)d->limits.answer_timeout_s * 1000)
            client_cut_off(c);
        else
            any = true;
    }
    if (any)
        loop_timer_set_real(d->loop, &d->look, now_ms + IPC_LOOK_MS);
}

static size_t bytes_refuse(struct ipc_client *c)
{
    client_cut_off(c);
    return 0;
}

static size_t ipc_on_bytes(void *arg, struct stream *s, str got, size_t *want)
{
    struct ipc_client *c = stream_data(s);
    size_t at = 0;
    u64 size;

    if (!c->greeted) {
        if (memcmp(got.p, greeting_of_req, MIN(got.n, GREETING_SIZE)) != 0)
            return bytes_refuse(c);
        if (got.n < GREETING_SIZE)
            return 0;
        c->greeted = true;
        at = GREETING_SIZE;
    }
    while (got.n - at >= HEAD_SIZE) {
        memcpy(&size, got.p + at + 1, sizeof(size));
        size = be64toh(size);
        if (got.p[at] != 1 || size > c->door->limits.message_size_max)
            return bytes_refuse(c);
        if (got.n - at - HEAD_SIZE < size) {
            *want = HEAD_SIZE + (size_t)size - (got.n - at);
            break;
        }
        c->taking = true;
        take_call(c, str_slice(got, at + HEAD_SIZE, at + HEAD_SIZE + (size_t)size));
        c->taking = false;
        if (c->cut)
            return bytes_refuse(c);
        at += HEAD_SIZE + (size_t)size;
    }
    return at;
}

/* --- life ------------------------------------------------------------------------------------- */

int ipc_door_open(struct ipc_door **ret, struct loop *l, const char *url,
                  const struct ipc_limits *limits, struct budget *budget,
                  struct ipc_handler handler, struct fault *f)
{
    struct ipc_door *d = mem_alloc(sizeof(*d));
    int r;

    assert(handler.request && handler.gone);
    d->loop = l;
    d->limits = *limits;
    d->budget = budget;
    d->look = (struct loop_timer){.due = look_due, .arg = d};
    d->handler = handler;
    list_init(&d->clients);
    r = stream_listen(&d->port, l, url,
                      (struct stream_events){.opened = ipc_on_opened,
                                             .bytes = ipc_on_bytes,
                                             .closed = ipc_on_closed,
                                             .taken = on_taken,
                                             .arg = d},
                      f);
    if (r < 0) {
        mem_free(d);
        return r;
    }
    *ret = d;
    return 0;
}

u32 ipc_door_waiting(const struct ipc_door *d)
{
    return d->waiting;
}

void ipc_door_close(struct ipc_door *d)
{
    if (!d)
        return;
    assert(d->waiting == 0);
    stream_port_close(d->port);
    list_each(item, next, &d->clients) {
        struct ipc_client *c = list_item(item, struct ipc_client, link);

        budget_give(d->budget, c->charged);
        mem_free(c);
    }
    loop_timer_clear(d->loop, &d->look);
    mem_free(d);
}
