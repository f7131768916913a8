/* HTTP doors over libmicrohttpd, run inside the daemon's own loop.
 *
 * The life of an exchange; each arrow is the function that performs it:
 *
 *   READING ──hand_over──> HELD ──http_answer──> ANSWERED ──queue_answer──> SENDING ──> gone
 *                           └──park──> PARKED ──http_answer──^
 *
 * A request that is answered in the turn that read it is never suspended: the library calls
 * access_handler for it again with every MHD_run, which costs a fraction of the four system calls
 * that a suspension does. Only what is still unanswered when the turn flushes is parked: suspended,
 * and its socket watched by the loop, since the library watches a suspended one no longer.
 *
 * Invariants: (1) an exchange is freed when the library has let go of it (con is NULL) and nobody
 * owes it an answer, whichever comes last; (2) `pending` of a door counts its exchanges that need
 * another MHD_run: HELD, ANSWERED, and PARKED ones whose client left; (3) libmicrohttpd's functions
 * are called from the loop thread only. */
#include "common/io/http_server.h"

#include <poll.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/io/http_head.h"
#include "common/io/http_listen.h"
#include "common/base/log.h"
#include "common/base/mem.h"

/* Doors of one server: TCP, Unix, and room for more addresses. */
#define HTTP_DOORS_MAX 16
/* A body that is refused is read to its end and thrown away up to here, so that the client hears
 * why; a longer one ends with its connection. */
#define HTTP_DRAIN_SIZE_MAX (64u << 20)
/* A body's memory that is taken on the word of Content-Length alone. */
#define HTTP_RESERVE_SIZE_MAX (64u << 10)
/* Exchanges kept for the next request, and the most memory that each keeps. */
#define HTTP_SPARE_MAX      512
#define HTTP_SPARE_SIZE_MAX (16u << 10)

enum exchange_state { READING, HELD, PARKED, ANSWERED, SENDING };

struct http_door {
    struct http_server *server;
    struct MHD_Daemon *daemon;
    struct loop_watch watch;
    char *unix_path; /* NULL: TCP */
    bool quiet;      /* accepts no longer */
    bool left;       /* a connection ended: the library looks for new ones only in another run */
    u32 pending;
};

struct http_exchange {
    struct http_server *server;
    struct http_door *door;
    struct MHD_Connection *con; /* NULL: the library let go of it */
    struct MHD_Response *response;
    struct buf uri, body;
    struct loop_watch watch; /* while parked */
    enum exchange_state state;
    bool started; /* the library called for the first time */
    bool owed;    /* handed over and not answered */
    bool gone;    /* the client left */
    bool inside;  /* hand_over is calling the handler */
    bool pending; /* counted in the door's pending */
    int status;   /* of the answer */
    int refused;  /* status with which its body is refused; 0: it is not */
    u64 turn;     /* the flush after this one parks it */
    u64 drained;
    u64 charged; /* bytes counted in the server's memory */
    void *data;
    struct http_exchange *next_spare;
    struct http_head head; /* last: what is before it is cleared for the next request */
};

struct http_server {
    struct loop *loop;
    struct http_limits limits;
    struct http_handler handler;
    struct loop_hook hook;
    struct http_door doors[HTTP_DOORS_MAX];
    u32 door_count;
    u32 waiting;
    u64 memory; /* bytes of bodies held */
    u64 turn;   /* grows with every flush */
    bool flushing;
    i64 due_ms; /* the library's next idle limit, mono; -1: none */
    struct http_exchange *spare;
    u32 spare_count;
};

/* --- exchanges -------------------------------------------------------------------------------- */

static struct http_exchange *exchange_new(struct http_door *door, struct MHD_Connection *con)
{
    struct http_server *s = door->server;
    struct http_exchange *x = s->spare;

    if (x) {
        struct buf uri = x->uri, body = x->body;

        s->spare = x->next_spare;
        s->spare_count--;
        memset(x, 0, offsetof(struct http_exchange, head));
        x->uri = uri;
        x->body = body;
        buf_reset(&x->uri);
        buf_reset(&x->body);
    } else {
        x = mem_alloc(sizeof(*x));
    }
    x->server = s;
    x->door = door;
    x->con = con;
    x->watch.fd = -1;
    return x;
}

static void exchange_drop_body(struct http_exchange *x)
{
    x->server->memory -= x->charged;
    x->charged = 0;
    if (x->body.cap > HTTP_SPARE_SIZE_MAX)
        buf_deinit(&x->body);
    else
        buf_reset(&x->body);
}

static void exchange_set_pending(struct http_exchange *x, bool pending)
{
    if (x->pending == pending)
        return;
    x->pending = pending;
    x->door->pending += pending ? 1 : -1u;
}

/* Frees it once both sides are done with it. */
static void exchange_release(struct http_exchange *x)
{
    struct http_server *s = x->server;

    if (x->con || x->owed)
        return;
    assert(x->watch.fd < 0 && !x->pending);
    if (x->response)
        MHD_destroy_response(x->response);
    exchange_drop_body(x);
    if (s->spare_count < HTTP_SPARE_MAX && x->uri.cap <= HTTP_SPARE_SIZE_MAX) {
        x->next_spare = s->spare;
        s->spare = x;
        s->spare_count++;
        return;
    }
    buf_deinit(&x->uri);
    buf_deinit(&x->body);
    mem_free(x);
}

void http_exchange_set_data(struct http_exchange *x, void *data)
{
    x->data = data;
}

void *http_exchange_data(const struct http_exchange *x)
{
    return x->data;
}

/* --- answers ---------------------------------------------------------------------------------- */

static struct MHD_Response *response_of(struct http_response *from)
{
    size_t size = from->body.n;
    char *bytes = buf_detach(&from->body);
    struct MHD_Response *r =
        MHD_create_response_from_buffer_with_free_callback(size, bytes, mem_free);
    char name[64], value[1024];

    assert(r);
    if (from->content_type)
        MHD_add_response_header(r, "Content-Type", from->content_type);
    for (u32 i = 0; i < from->field_count; i++) {
        snprintf(name, sizeof(name), "%.*s", STR_ARG(from->fields[i].name));
        snprintf(value, sizeof(value), "%.*s", STR_ARG(from->fields[i].value));
        MHD_add_response_header(r, name, value);
    }
    return r;
}

static struct MHD_Response *refusal(const struct http_exchange *x)
{
    char text[96];
    int n;

    if (x->refused == MHD_HTTP_CONTENT_TOO_LARGE)
        n = snprintf(text, sizeof(text), "The request body is larger than %u bytes.\n",
                     x->server->limits.body_size_max);
    else if (x->refused == MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE)
        n = snprintf(text, sizeof(text), "The request has more than %d header fields.\n",
                     HTTP_FIELDS_MAX);
    else
        n = snprintf(text, sizeof(text), "Too much is under way. Try again.\n");
    struct MHD_Response *r =
        MHD_create_response_from_buffer((size_t)n, text, MHD_RESPMEM_MUST_COPY);

    assert(r);
    MHD_add_response_header(r, "Content-Type", "text/plain");
    return r;
}

static enum MHD_Result queue_answer(struct http_exchange *x)
{
    enum MHD_Result r = MHD_queue_response(x->con, (unsigned)x->status, x->response);

    MHD_destroy_response(x->response);
    x->response = NULL;
    x->state = SENDING;
    exchange_set_pending(x, false);
    return r;
}

void http_answer(struct http_exchange *x, struct http_response *r)
{
    assert(x->owed);
    x->owed = false;
    x->server->waiting--;
    if (x->gone) {
        buf_deinit(&r->body);
        exchange_release(x);
        return;
    }
    x->response = response_of(r);
    x->status = r->status;
    if (x->state == PARKED) {
        loop_unwatch(x->server->loop, &x->watch);
        MHD_resume_connection(x->con);
        exchange_set_pending(x, true);
    }
    x->state = ANSWERED;
}

/* --- parked exchanges ------------------------------------------------------------------------- */

static void exchange_lost(struct http_exchange *x)
{
    x->gone = true;
    if (x->owed)
        x->server->handler.gone(x->server->handler.arg, x);
}

/* The client of a parked exchange left: give the connection back, so that it is closed. */
static void parked_ready(struct loop_watch *w, u32 events)
{
    struct http_exchange *x = w->arg;

    loop_unwatch(x->server->loop, w);
    MHD_resume_connection(x->con);
    exchange_set_pending(x, true);
    exchange_lost(x);
}

bool http_exchange_is_there(const struct http_exchange *x)
{
    struct pollfd socket = {.events = POLLRDHUP};

    if (x->gone || !x->con)
        return false;
    socket.fd = MHD_get_connection_info(x->con, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    return poll(&socket, 1, 0) <= 0;
}

static void park(struct http_exchange *x)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(x->con, MHD_CONNECTION_INFO_CONNECTION_FD);

    MHD_suspend_connection(x->con);
    x->state = PARKED;
    exchange_set_pending(x, false);
    x->watch = (struct loop_watch){.fd = info->connect_fd, .ready = parked_ready, .arg = x};
    /* Where the kernel takes no more watches, a client that leaves is noticed by the answer. */
    if (loop_watch(x->server->loop, &x->watch, EPOLLRDHUP) < 0)
        x->watch.fd = -1;
}

/* --- requests --------------------------------------------------------------------------------- */

static void *on_uri(void *arg, const char *uri, struct MHD_Connection *con)
{
    struct http_exchange *x = exchange_new(arg, con);

    buf_z(&x->uri, uri);
    return x;
}

static size_t keep_escaped(void *arg, struct MHD_Connection *con, char *text)
{
    return strlen(text);
}

static enum MHD_Result on_header(void *arg, enum MHD_ValueKind kind, const char *key, size_t key_n,
                                 const char *value, size_t value_n)
{
    struct http_exchange *x = arg;

    http_head_field(&x->head, str_from(key, key_n), str_from(value ? value : "", value_n));
    return MHD_YES;
}

static void refuse(struct http_exchange *x, int status)
{
    x->refused = status;
    exchange_drop_body(x);
}

static struct address peer_of(struct MHD_Connection *con)
{
    return address_of_socket(
        MHD_get_connection_info(con, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);
}

/* First sight of a request, its headers only. */
static enum MHD_Result exchange_start(struct http_exchange *x, const char *method)
{
    struct http_server *s = x->server;

    x->started = true;
    http_head_init(&x->head);
    x->head.rq.kind = x->door->unix_path ? HTTP_UNIX : HTTP_TCP;
    x->head.rq.peer = peer_of(x->con);
    x->head.rq.method = str_of(method);
    http_head_uri(&x->head, buf_view(&x->uri));
    MHD_get_connection_values_n(x->con, MHD_HEADER_KIND, on_header, x);
    if (x->head.too_many)
        refuse(x, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE);
    else if (x->head.content_length > s->limits.body_size_max)
        refuse(x, MHD_HTTP_CONTENT_TOO_LARGE);
    else if (s->memory + x->head.content_length > s->limits.memory_max)
        refuse(x, MHD_HTTP_SERVICE_UNAVAILABLE);
    if (x->refused && (x->head.expects || x->head.content_length > HTTP_DRAIN_SIZE_MAX)) {
        /* The body is not on its way yet, or too long to be waited for. */
        x->response = refusal(x);
        x->status = x->refused;
        return queue_answer(x);
    }
    if (!x->refused && x->head.content_length)
        buf_room(&x->body, (size_t)MIN(x->head.content_length, HTTP_RESERVE_SIZE_MAX));
    return MHD_YES;
}

static enum MHD_Result exchange_take(struct http_exchange *x, const char *bytes, size_t *n)
{
    struct http_server *s = x->server;

    if (!x->refused) {
        if (x->body.n + *n > s->limits.body_size_max)
            refuse(x, MHD_HTTP_CONTENT_TOO_LARGE);
        else if (s->memory + *n > s->limits.memory_max)
            refuse(x, MHD_HTTP_SERVICE_UNAVAILABLE);
    }
    if (x->refused) {
        x->drained += *n;
        *n = 0;
        return x->drained > HTTP_DRAIN_SIZE_MAX ? MHD_NO : MHD_YES;
    }
    buf_add(&x->body, bytes, *n);
    s->memory += x->body.cap - x->charged;
    x->charged = x->body.cap;
    *n = 0;
    return MHD_YES;
}

static enum MHD_Result hand_over(struct http_exchange *x)
{
    struct http_server *s = x->server;

    if (x->refused) {
        x->response = refusal(x);
        x->status = x->refused;
        return queue_answer(x);
    }
    x->head.rq.body = buf_view(&x->body);
    x->state = HELD;
    x->owed = true;
    x->turn = s->turn;
    s->waiting++;
    x->inside = true;
    s->handler.request(s->handler.arg, x, &x->head.rq);
    x->inside = false;
    if (x->state == ANSWERED)
        return queue_answer(x);
    exchange_set_pending(x, true);
    return MHD_YES;
}

/* Called by the library: once with the headers, then with every part of the body, then without
 * bytes; and again in every run as long as the exchange is HELD. */
static enum MHD_Result access_handler(void *arg, struct MHD_Connection *con, const char *url,
                                      const char *method, const char *version, const char *bytes,
                                      size_t *n, void **con_cls)
{
    struct http_exchange *x = *con_cls;

    if (!x->started)
        return exchange_start(x, method);
    if (*n)
        return exchange_take(x, bytes, n);
    switch (x->state) {
    case READING: return hand_over(x);
    case HELD:
        if (x->server->flushing && x->turn < x->server->turn)
            park(x);
        return MHD_YES;
    case PARKED: return MHD_NO; /* resumed only when the client left */
    case ANSWERED: return queue_answer(x);
    case SENDING: break;
    }
    return MHD_YES;
}

static void on_completed(void *arg, struct MHD_Connection *con, void **con_cls,
                         enum MHD_RequestTerminationCode why)
{
    struct http_exchange *x = *con_cls;

    *con_cls = NULL;
    if (!x)
        return;
    loop_unwatch(x->server->loop, &x->watch);
    exchange_set_pending(x, false);
    if (x->owed && !x->gone)
        exchange_lost(x);
    x->con = NULL;
    exchange_release(x);
}

static void on_connection(void *arg, struct MHD_Connection *con, void **con_cls,
                          enum MHD_ConnectionNotificationCode what)
{
    struct http_door *door = arg;

    if (what == MHD_CONNECTION_NOTIFY_CLOSED)
        door->left = true;
}

/* --- doors ------------------------------------------------------------------------------------ */

static void door_ready(struct loop_watch *w, u32 events)
{
    struct http_door *door = w->arg;

    MHD_run(door->daemon);
}

/* Lets the door send what was answered, park what was not, and end what idles too long. Answers the
 * time until it must run again, -1: not by itself. */
static i64 door_flush(struct http_door *door)
{
    MHD_UNSIGNED_LONG_LONG left;
    bool due = MHD_get_timeout(door->daemon, &left) == MHD_YES && left == 0;

    if (due || door->pending || door->left) {
        door->left = false;
        /* One run queues the answers, the next one writes them. */
        MHD_run(door->daemon);
        MHD_run(door->daemon);
    }
    if (door->pending || door->left)
        return 0;
    if (MHD_get_timeout(door->daemon, &left) != MHD_YES)
        return -1;
    return (i64)MIN(left, (MHD_UNSIGNED_LONG_LONG)INT32_MAX);
}

static bool server_flush(struct loop_hook *h)
{
    struct http_server *s = container_of(h, struct http_server, hook);
    i64 wait = -1;

    s->turn++;
    s->flushing = true;
    for (u32 i = 0; i < s->door_count; i++) {
        i64 left = door_flush(&s->doors[i]);

        if (left >= 0)
            wait = wait < 0 ? left : MIN(wait, left);
    }
    s->flushing = false;
    s->due_ms = wait < 0 ? -1 : loop_clock(s->loop)->mono_ms + wait;
    return wait == 0;
}

static i64 server_next_ms(struct loop_hook *h)
{
    struct http_server *s = container_of(h, struct http_server, hook);

    for (u32 i = 0; i < s->door_count; i++) {
        if (s->doors[i].pending)
            return 0;
    }
    return s->due_ms;
}

int http_server_new(struct http_server **ret, struct loop *l, const struct http_limits *limits,
                    struct http_handler handler)
{
    struct http_server *s = mem_alloc(sizeof(*s));

    assert(handler.request && handler.gone);
    s->loop = l;
    s->limits = *limits;
    s->handler = handler;
    s->due_ms = -1;
    s->hook = (struct loop_hook){.flush = server_flush, .next_ms = server_next_ms};
    loop_add_hook(l, &s->hook);
    *ret = s;
    return 0;
}

__attribute__((format(printf, 2, 0))) static void on_log(void *arg, const char *fmt, va_list args)
{
    char text[256];

    vsnprintf(text, sizeof(text), fmt, args);
    text[strcspn(text, "\n")] = '\0';
    log_debug("http: %s", text);
}

/* Starts the library on a listening socket; takes `fd` and `unix_path`. */
static int door_open(struct http_server *s, int fd, char *unix_path, struct fault *f)
{
    struct http_door *door = &s->doors[s->door_count];
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
    const union MHD_DaemonInfo *info;

    if (log_is_on(LOG_LEVEL_DEBUG))
        flags |= MHD_USE_ERROR_LOG;
    *door = (struct http_door){.server = s, .unix_path = unix_path, .watch = {.fd = -1}};
    door->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, access_handler, door, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket)fd, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)s->limits.connections_max, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)s->limits.header_size_max, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)s->limits.idle_timeout_s, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, door, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, door, MHD_OPTION_URI_LOG_CALLBACK, on_uri, door, MHD_OPTION_UNESCAPE_CALLBACK,
        keep_escaped, NULL, MHD_OPTION_END);
    if (!door->daemon) {
        close(fd);
        mem_free(unix_path);
        return fault_set(f, HTTP_FAULT_LISTEN, "cannot start the HTTP server");
    }
    info = MHD_get_daemon_info(door->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    door->watch = (struct loop_watch){.fd = info->epoll_fd, .ready = door_ready, .arg = door};
    if (loop_watch(s->loop, &door->watch, EPOLLIN) < 0) {
        MHD_stop_daemon(door->daemon);
        mem_free(unix_path);
        return fault_set(f, HTTP_FAULT_LISTEN, "cannot watch the HTTP server's sockets");
    }
    s->door_count++;
    return 0;
}

int http_server_listen_tcp(struct http_server *s, const char *host, u16 port, u16 *ret_port,
                           struct fault *f)
{
    int fd = -1;
    int r;

    assert(s->door_count < HTTP_DOORS_MAX);
    r = http_listen_tcp(host, port, &fd, ret_port, f);
    return r < 0 ? r : door_open(s, fd, NULL, f);
}

int http_server_listen_unix(struct http_server *s, const char *path, struct fault *f)
{
    int fd = -1;
    int r;

    assert(s->door_count < HTTP_DOORS_MAX);
    r = http_listen_unix(path, &fd, f);
    return r < 0 ? r : door_open(s, fd, mem_dup(str_of(path)), f);
}

static void door_quiesce(struct http_door *door)
{
    if (door->quiet)
        return;
    door->quiet = true;
    close(MHD_quiesce_daemon(door->daemon));
    if (door->unix_path)
        unlink(door->unix_path);
}

void http_server_quiesce(struct http_server *s)
{
    for (u32 i = 0; i < s->door_count; i++)
        door_quiesce(&s->doors[i]);
}

u32 http_server_waiting(const struct http_server *s)
{
    return s->waiting;
}

void http_server_free(struct http_server *s)
{
    if (!s)
        return;
    assert(s->waiting == 0);
    for (u32 i = 0; i < s->door_count; i++) {
        struct http_door *door = &s->doors[i];

        door_quiesce(door);
        door_flush(door);
        loop_unwatch(s->loop, &door->watch);
        MHD_stop_daemon(door->daemon);
        assert(door->pending == 0);
        mem_free(door->unix_path);
    }
    assert(s->memory == 0 && s->waiting == 0);
    while (s->spare) {
        struct http_exchange *x = s->spare;

        s->spare = x->next_spare;
        buf_deinit(&x->uri);
        buf_deinit(&x->body);
        mem_free(x);
    }
    list_remove(&s->hook.link);
    mem_free(s);
}
