/* The ipc door: nng's REP protocol, version 0, spoken over byte streams (stream.h says why not over
 * nng's own REP socket).
 *
 * Both sides begin with eight bytes: 0 'S' 'P' 0, the protocol as u16, two zeros. Then messages,
 * each a byte 1, the length as u64 and the payload. A request's payload begins with u32 ids, one
 * for each device that it came through and last, with the highest bit set, the client's own; they
 * go back with the answer, so any number of calls is under way at once. All numbers are big-endian.
 *
 * Invariants: (1) a call belongs to the client on whose stream it came until it is answered or the
 * stream is gone; then it has no client, and its answer goes nowhere; (2) `waiting` counts the
 * calls that were handed over and are not answered, with or without a client. */
#include "common/io/ipc_door.h"

#include <endian.h>

#include "common/base/list.h"
#include "common/base/mem.h"
#include "common/io/stream.h"

/* Clients at once: more is a leak of theirs. */
#define IPC_CLIENTS_MAX 1000
/* Answers that wait for a client that does not read; above it the client is cut off. */
#define IPC_UNREAD_SIZE_MAX (16u << 20)
/* Devices that a request may have come through: nng's own limit. */
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
};

struct ipc_client {
    struct list link;
    struct ipc_door *door;
    struct stream *stream;
    struct list calls; /* ipc_exchange.link, in the order of arrival */
    bool greeted;
};

struct ipc_exchange {
    struct ipc_door *door;
    struct ipc_client *client; /* NULL: it left */
    struct list link;
    str ids;    /* inside `text` */
    char *text; /* the whole payload */
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

bool ipc_answer(struct ipc_exchange *x, str text)
{
    bool there = x->client != NULL;

    if (there) {
        struct buf *out = stream_out(x->client->stream);
        u64 size = htobe64(x->ids.n + text.n);

        buf_char(out, 1);
        buf_add(out, &size, sizeof(size));
        buf_str(out, x->ids);
        buf_str(out, text);
        stream_flush(x->client->stream);
    }
    list_remove(&x->link);
    x->door->waiting--;
    mem_free(x->text);
    mem_free(x);
    return there;
}

/* --- calls ------------------------------------------------------------------------------------ */

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
        return; /* no REQ socket sends that, and nobody could be answered */
    x = mem_alloc(sizeof(*x));
    x->text = mem_dup(payload);
    x->ids = str_from(x->text, n);
    x->door = d;
    x->client = c;
    list_push_back(&c->calls, &x->link);
    d->waiting++;
    d->handler.request(d->handler.arg, x, str_from(x->text + n, payload.n - n));
}

/* --- clients ---------------------------------------------------------------------------------- */

static void on_opened(void *arg, struct stream *s)
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

/* Tells of the calls that nobody waits for any more. The handler may answer the call that it is
 * told of. */
static void client_free(struct ipc_client *c)
{
    struct ipc_door *d = c->door;

    list_remove(&c->link);
    d->client_count--;
    list_each(item, next, &c->calls) {
        struct ipc_exchange *x = list_item(item, struct ipc_exchange, link);

        list_remove(&x->link);
        x->client = NULL;
        d->handler.gone(d->handler.arg, x);
    }
    mem_free(c);
}

static void on_closed(void *arg, struct stream *s)
{
    client_free(stream_data(s));
}

static size_t cut_off(struct ipc_client *c)
{
    stream_close(c->stream);
    client_free(c);
    return 0;
}

static size_t on_bytes(void *arg, struct stream *s, str got, size_t *want)
{
    struct ipc_client *c = stream_data(s);
    size_t at = 0;
    u64 size;

    if (!c->greeted) {
        if (memcmp(got.p, greeting_of_req, MIN(got.n, GREETING_SIZE)) != 0)
            return cut_off(c);
        if (got.n < GREETING_SIZE)
            return 0;
        c->greeted = true;
        at = GREETING_SIZE;
    }
    while (got.n - at >= HEAD_SIZE) {
        memcpy(&size, got.p + at + 1, sizeof(size));
        size = be64toh(size);
        if (got.p[at] != 1 || size > c->door->limits.message_size_max ||
            stream_waiting(s) > IPC_UNREAD_SIZE_MAX)
            return cut_off(c);
        if (got.n - at - HEAD_SIZE < size) {
            *want = HEAD_SIZE + (size_t)size - (got.n - at);
            break;
        }
        take_call(c, str_slice(got, at + HEAD_SIZE, at + HEAD_SIZE + (size_t)size));
        at += HEAD_SIZE + (size_t)size;
    }
    return at;
}

/* --- life ------------------------------------------------------------------------------------- */

int ipc_door_open(struct ipc_door **ret, struct loop *l, const char *url,
                  const struct ipc_limits *limits, struct ipc_handler handler, struct fault *f)
{
    struct ipc_door *d = mem_alloc(sizeof(*d));
    int r;

    assert(handler.request && handler.gone);
    d->loop = l;
    d->limits = *limits;
    d->handler = handler;
    list_init(&d->clients);
    r = stream_listen(&d->port, l, url,
                      (struct stream_events){on_opened, on_bytes, on_closed, NULL, d}, f);
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
    list_each(item, next, &d->clients)
        mem_free(list_item(item, struct ipc_client, link));
    mem_free(d);
}
