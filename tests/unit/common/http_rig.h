/* An HTTP server in a loop that the test turns, a handler that answers when the test says so, and
 * clients over real sockets. Time goes on by itself and is moved by skip_ms. */
#ifndef TOQUE_HTTP_RIG_H
#define TOQUE_HTTP_RIG_H

#include "common/base/mem.h"
#include "common/io/http_server.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

/* Longest wait for an event that must come. */
#define PATIENCE_US 10000000

enum { BODY_MAX = 100000, JOBS_MAX = 64, MEMORY_MAX = 1 << 20 };

static struct clock the_clock;
static i64 skipped_us; /* by the test: real time goes on beneath */
static struct loop *loop;
static struct budget budget;
static struct http_server *server;
static u16 port;
static UNUSED const char *const local[] = {"127.0.0.1"};

/* --- the handler: answers at once, behind the commit, or when the test says so ---------------- */

enum mode { AT_ONCE, BEHIND_COMMIT, PARKED };

struct job {
    struct http_exchange *x;
    struct loop_later later;
    bool done, gone;
    enum http_outcome outcome;
    char echo[256];
};

static enum mode mode;
static struct job jobs[JOBS_MAX];
static UNUSED int job_count, gone_count;
static struct {
    struct http_request rq; /* views are good while the exchange is parked */
    size_t body_size;
    u32 body_sum;
} last;

/* With a body of `size` bytes; 0: what was asked. */
static UNUSED void job_answer_sized(struct job *j, size_t size)
{
    struct http_response r = {.status = 200, .content_type = "text/plain"};

    if (size)
        memset(buf_room(&r.body, size), 'x', size);
    r.body.n += size;
    if (!size)
        buf_z(&r.body, j->echo);
    j->done = true;
    j->outcome = http_answer(j->x, &r);
    buf_deinit(&r.body);
}

static UNUSED void job_answer(struct job *j)
{
    job_answer_sized(j, 0);
}

static UNUSED void job_run(struct loop_later *later, int err)
{
    job_answer(container_of(later, struct job, later));
}

static UNUSED void on_request(void *arg, struct http_exchange *x, const struct http_request *rq)
{
    struct job *j = &jobs[job_count++];

    assert_true(job_count <= JOBS_MAX);
    *j = (struct job){.x = x, .later.run = job_run};
    http_exchange_set_data(x, j);
    last.rq = *rq;
    last.body_size = rq->body.n;
    last.body_sum = 0;
    for (size_t i = 0; i < rq->body.n; i++)
        last.body_sum += (u8)rq->body.p[i];
    snprintf(j->echo, sizeof(j->echo), "%.*s %.*s|%.*s", STR_ARG(rq->method), STR_ARG(rq->path),
             (int)MIN(rq->body.n, 100), rq->body.p);
    if (mode == AT_ONCE)
        job_answer(j);
    else if (mode == BEHIND_COMMIT)
        loop_later(loop, &j->later);
}

static UNUSED void on_gone(void *arg, struct http_exchange *x)
{
    ((struct job *)http_exchange_data(x))->gone = true;
    gone_count++;
}

/* The outcome of an answer that was not sent at once. */
static UNUSED void on_sent(void *arg, struct http_exchange *x, enum http_outcome outcome)
{
    struct job *j = http_exchange_data(x);

    assert_int_equal(j->outcome, HTTP_SENDING);
    assert_int_not_equal(outcome, HTTP_SENDING);
    j->outcome = outcome;
}

static i64 rig_wall_us(void *arg)
{
    return CLOCK_SYSTEM.wall_us(CLOCK_SYSTEM.arg) + skipped_us;
}

static i64 rig_mono_us(void *arg)
{
    return CLOCK_SYSTEM.mono_us(CLOCK_SYSTEM.arg) + skipped_us;
}

static struct http_handler handler = {.request = on_request, .gone = on_gone, .sent = on_sent};

static UNUSED void server_open(const struct http_limits *limits)
{
    static const struct clock_source source = {rig_wall_us, rig_mono_us, NULL};

    static struct fault f;

    skipped_us = 0;
    clock_init_from(&the_clock, &source, false);
    loop = loop_new(&the_clock);
    job_count = gone_count = 0;
    mode = AT_ONCE;
    budget = (struct budget){.max = MEMORY_MAX};
    assert_int_equal(http_server_new(&server, loop, limits, &budget, handler), 0);
    assert_int_equal(http_server_listen_tcp(server, local, 1, 0, &port, &f), 0);
    assert_true(port > 0);
}

static const struct http_limits usual = {.body_size_max = BODY_MAX,
                                         .header_size_max = 16 << 10,
                                         .connections_max = 20,
                                         .idle_timeout_s = 30,
                                         .request_timeout_s = 30,
                                         .answer_timeout_s = 30};

static UNUSED int set_up(void **state)
{
    server_open(&usual);
    return 0;
}

static UNUSED int tear_down(void **state)
{
    for (int i = 0; i < job_count; i++) {
        if (!jobs[i].done)
            job_answer(&jobs[i]);
    }
    assert_int_equal(http_server_waiting(server), 0);
    http_server_free(server);
    loop_free(loop);
    assert_int_equal(budget.used, 0);
    return 0;
}

/* --- clients ---------------------------------------------------------------------------------- */

struct client {
    int fd;
    bool closed; /* by the server */
    int reads;   /* that brought bytes */
    struct buf in;
};

static UNUSED void client_open(struct client *c)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    *c = (struct client){.fd = socket(AF_INET, SOCK_STREAM, 0)};
    assert_int_equal(connect(c->fd, (struct sockaddr *)&to, sizeof(to)), 0);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
}

static UNUSED void client_close(struct client *c)
{
    close(c->fd);
    buf_deinit(&c->in);
}

static UNUSED void client_read(struct client *c)
{
    char *room = buf_room(&c->in, 65536);
    ssize_t n = recv(c->fd, room, 65536, 0);

    if (n > 0) {
        c->in.n += (size_t)n;
        c->reads++;
    } else if (n == 0 || errno != EAGAIN) {
        c->closed = true;
    }
    c->in.p[c->in.n] = '\0'; /* also when nothing has come yet */
}

static UNUSED void client_send(struct client *c, const void *bytes, size_t n)
{
    const char *p = bytes;
    i64 end = clock_micros() + PATIENCE_US;

    while (n) {
        ssize_t sent = send(c->fd, p, n, MSG_NOSIGNAL);

        assert_true(clock_micros() < end);
        if (sent < 0) {
            assert_int_equal(errno, EAGAIN);
            loop_turn(loop, 0);
            client_read(c);
            continue;
        }
        p += sent;
        n -= (size_t)sent;
    }
}

static UNUSED void client_say(struct client *c, const char *text)
{
    client_send(c, text, strlen(text));
}

static UNUSED int count_of(const struct client *c, const char *text)
{
    int n = 0;

    for (const char *p = c->in.p; p && (p = strstr(p, text)); p += strlen(text))
        n++;
    return n;
}

/* Turns the loop until `text` was heard n times. */
static UNUSED void client_expect(struct client *c, const char *text, int n)
{
    i64 end = clock_micros() + PATIENCE_US;

    while (count_of(c, text) < n) {
        assert_true(clock_micros() < end);
        assert_false(c->closed);
        loop_turn(loop, 1);
        client_read(c);
    }
}

static UNUSED void client_expect_end(struct client *c)
{
    i64 end = clock_micros() + PATIENCE_US;

    while (!c->closed) {
        assert_true(clock_micros() < end);
        loop_turn(loop, 1);
        client_read(c);
    }
}

static UNUSED void skip_ms(i64 ms)
{
    skipped_us += ms * 1000;
}

static UNUSED void turn(int times)
{
    while (times--)
        loop_turn(loop, 0);
}

#define UNTIL(condition)                                                                           \
    for (i64 until_ = clock_micros() + PATIENCE_US; !(condition); loop_turn(loop, 1))              \
    assert_true(clock_micros() < until_)

#define POST(size) "POST /q HTTP/1.1\r\nHost: h\r\nContent-Length: " size "\r\n\r\n"

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
