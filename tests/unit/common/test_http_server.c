/* http_server.[ch] over real sockets: what arrives, in whatever pieces, reaches the handler whole
 * and within its bounds; whoever is parked is told when its client leaves; answers keep their
 * order. */
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

#include "common/base/mem.h"

/* Longest wait for an event that must come. */
#define PATIENCE_US 10000000

enum { BODY_MAX = 100000, JOBS_MAX = 64 };

static struct clock the_clock;
static struct loop *loop;
static struct http_server *server;
static u16 port;

/* --- the handler: answers at once, behind the commit, or when the test says so ---------------- */

enum mode { AT_ONCE, BEHIND_COMMIT, PARKED };

struct job {
    struct http_exchange *x;
    struct loop_later later;
    bool done, gone;
    char echo[256];
};

static enum mode mode;
static struct job jobs[JOBS_MAX];
static int job_count, gone_count;
static struct {
    struct http_request rq; /* views are good while the exchange is parked */
    size_t body_size;
    u32 body_sum;
} last;

static void job_answer(struct job *j)
{
    struct http_response r = {.status = 200, .content_type = "text/plain"};

    buf_z(&r.body, j->echo);
    j->done = true;
    http_answer(j->x, &r);
}

static void job_run(struct loop_later *later, int err)
{
    job_answer(container_of(later, struct job, later));
}

static void on_request(void *arg, struct http_exchange *x, const struct http_request *rq)
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

static void on_gone(void *arg, struct http_exchange *x)
{
    ((struct job *)http_exchange_data(x))->gone = true;
    gone_count++;
}

static void server_open(const struct http_limits *limits)
{
    static struct fault f;

    clock_init(&the_clock, false);
    loop = loop_new(&the_clock);
    job_count = gone_count = 0;
    mode = AT_ONCE;
    assert_int_equal(
        http_server_new(&server, loop, limits, (struct http_handler){on_request, on_gone, NULL}),
        0);
    assert_int_equal(http_server_listen_tcp(server, "127.0.0.1", 0, &port, &f), 0);
    assert_true(port > 0);
}

static const struct http_limits usual = {.body_size_max = BODY_MAX,
                                         .header_size_max = 16 << 10,
                                         .connections_max = 20,
                                         .idle_timeout_s = 30,
                                         .memory_max = 1 << 20};

static int set_up(void **state)
{
    server_open(&usual);
    return 0;
}

static int tear_down(void **state)
{
    for (int i = 0; i < job_count; i++) {
        if (!jobs[i].done)
            job_answer(&jobs[i]);
    }
    assert_int_equal(http_server_waiting(server), 0);
    http_server_free(server);
    loop_free(loop);
    return 0;
}

/* --- clients ---------------------------------------------------------------------------------- */

struct client {
    int fd;
    bool closed; /* by the server */
    int reads;   /* that brought bytes */
    struct buf in;
};

static void client_open(struct client *c)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    *c = (struct client){.fd = socket(AF_INET, SOCK_STREAM, 0)};
    assert_int_equal(connect(c->fd, (struct sockaddr *)&to, sizeof(to)), 0);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
}

static void client_close(struct client *c)
{
    close(c->fd);
    buf_deinit(&c->in);
}

static void client_read(struct client *c)
{
    char *room = buf_room(&c->in, 65536);
    ssize_t n = recv(c->fd, room, 65536, 0);

    if (n > 0) {
        c->in.n += (size_t)n;
        c->in.p[c->in.n] = '\0';
        c->reads++;
    } else if (n == 0 || errno != EAGAIN) {
        c->closed = true;
    }
}

static void client_send(struct client *c, const void *bytes, size_t n)
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

static void client_say(struct client *c, const char *text)
{
    client_send(c, text, strlen(text));
}

static int count_of(const struct client *c, const char *text)
{
    int n = 0;

    for (const char *p = c->in.p; p && (p = strstr(p, text)); p += strlen(text))
        n++;
    return n;
}

/* Turns the loop until `text` was heard n times. */
static void client_expect(struct client *c, const char *text, int n)
{
    i64 end = clock_micros() + PATIENCE_US;

    while (count_of(c, text) < n) {
        assert_true(clock_micros() < end);
        assert_false(c->closed);
        loop_turn(loop, 1);
        client_read(c);
    }
}

static void client_expect_end(struct client *c)
{
    i64 end = clock_micros() + PATIENCE_US;

    while (!c->closed) {
        assert_true(clock_micros() < end);
        loop_turn(loop, 1);
        client_read(c);
    }
}

#define UNTIL(condition)                                                                           \
    for (i64 until_ = clock_micros() + PATIENCE_US; !(condition); loop_turn(loop, 1))              \
    assert_true(clock_micros() < until_)

#define POST(size) "POST /q HTTP/1.1\r\nHost: h\r\nContent-Length: " size "\r\n\r\n"

/* --- requests --------------------------------------------------------------------------------- */

/* All of them, in their order, repeated ones too, without the blanks around their values. */
static void check_fields(void)
{
    static const char *const expected[][2] = {
        {"Host", "localhost:9324"},
        {"x-amz-TARGET", "AmazonSQS.SendMessage"},
        {"Content-Type", "application/x-amz-json-1.0"},
        {"Accept", "*/*"},
        {"X-Twice", "one"},
        {"x-empty", ""},
        {"X-TWICE", "two"},
        {"Content-Length", "5"},
    };

    assert_int_equal(last.rq.field_count, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        assert_true(str_is(last.rq.fields[i].name, expected[i][0]));
        assert_true(str_is(last.rq.fields[i].value, expected[i][1]));
    }
}

static void what_the_handler_sees(void **state)
{
    struct client c;

    mode = PARKED;
    client_open(&c);
    client_say(&c, "POST /000000000000/a%20b+c?Action=x%26y&z=%31 HTTP/1.1\r\n"
                   "Host: localhost:9324\r\nx-amz-TARGET: AmazonSQS.SendMessage\r\n"
                   "Content-Type: application/x-amz-json-1.0\r\nAccept: */*\r\n"
                   "X-Twice: one\r\nx-empty:\r\nX-TWICE:\t two  \r\n"
                   "Content-Length: 5\r\n\r\nhello");
    UNTIL(job_count == 1);
    assert_int_equal(http_server_waiting(server), 1);
    assert_int_equal(last.rq.kind, HTTP_TCP);
    assert_true(address_is_loopback(&last.rq.peer));
    assert_true(str_is(last.rq.method, "POST"));
    assert_true(str_is(last.rq.path, "/000000000000/a%20b+c"));
    assert_true(str_is(last.rq.query, "Action=x%26y&z=%31"));
    check_fields();
    assert_true(str_is(last.rq.body, "hello"));
    job_answer(&jobs[0]);
    client_expect(&c, "|hello", 1);
    assert_int_equal(http_server_waiting(server), 0);
    client_close(&c);
}

static void what_the_client_sees(void **state)
{
    struct client c;
    struct http_response r = {.status = 400, .content_type = "text/xml"};

    mode = PARKED;
    client_open(&c);
    client_say(&c, "GET /q HTTP/1.1\r\nHost: h\r\n\r\n");
    UNTIL(job_count == 1);
    http_response_add(&r, "x-amzn-RequestId", STR("some-id"));
    http_response_add(&r, "x-amzn-query-error", STR("AWS.SimpleQueueService.X;Sender"));
    buf_z(&r.body, "<Error/>");
    jobs[0].done = true;
    http_answer(jobs[0].x, &r);
    assert_null(r.body.p);
    client_expect(&c, "<Error/>", 1);
    assert_int_equal(c.reads, 1); /* head and body together */
    assert_int_equal(count_of(&c, "HTTP/1.1 400 Bad Request\r\n"), 1);
    assert_int_equal(count_of(&c, "Content-Type: text/xml\r\n"), 1);
    assert_int_equal(count_of(&c, "x-amzn-RequestId: some-id\r\n"), 1);
    assert_int_equal(count_of(&c, "x-amzn-query-error: AWS.SimpleQueueService.X;Sender\r\n"), 1);
    assert_int_equal(count_of(&c, "Content-Length: 8\r\n"), 1);
    char date[CLOCK_HTTP_SIZE];

    clock_http(the_clock.now_ms, date);
    assert_int_equal(count_of(&c, "Date: "), 1);
    date[16] = '\0'; /* the day */
    assert_int_equal(count_of(&c, date), 1);
    client_close(&c);
}

static void other_methods(void **state)
{
    struct client c;

    client_open(&c);
    client_say(&c, "HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n");
    client_expect(&c, "\r\n\r\n", 1);
    assert_int_equal(count_of(&c, "HEAD /x"), 0); /* no body behind it */
    client_say(&c, "BREW /pot HTTP/1.1\r\nHost: h\r\n\r\n");
    client_expect(&c, "BREW /pot|", 1);
    client_say(&c, "POST http://proxied:80/abs?q HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    client_expect(&c, "POST /abs|", 1);
    assert_true(str_is(last.rq.query, "q"));
    client_close(&c);
}

static void chunked(void **state)
{
    struct client c;

    client_open(&c);
    client_say(&c, "POST /q HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "5\r\nhello\r\n1;x=y\r\n \r\n");
    for (int i = 0; i < 5; i++)
        loop_turn(loop, 0);
    assert_int_equal(job_count, 0);
    client_say(&c, "5\r\nworld\r\n0\r\nTrailer: x\r\n\r\n");
    client_expect(&c, "POST /q|hello world", 1);
    client_say(&c, POST("2") "ok");
    client_expect(&c, "POST /q|ok", 1);
    client_close(&c);
}

static void byte_by_byte(void **state)
{
    static const char text[] = POST("7") "slowly!";
    struct client c;

    client_open(&c);
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        assert_int_equal(job_count, 0);
        client_send(&c, text + i, 1);
        loop_turn(loop, 0);
        loop_turn(loop, 0);
    }
    client_expect(&c, "POST /q|slowly!", 1);
    client_close(&c);
}

static void big_body(void **state)
{
    struct client c;
    char *body = mem_alloc(BODY_MAX);
    u32 sum = 0;

    for (int i = 0; i < BODY_MAX; i++)
        sum += (u8)(body[i] = (char)(i * 7));
    client_open(&c);
    client_say(&c, "POST /q HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
    client_send(&c, body, BODY_MAX);
    client_expect(&c, "200 OK", 1);
    assert_int_equal(last.body_size, BODY_MAX);
    assert_int_equal(last.body_sum, sum);
    mem_free(body);
    client_close(&c);
}

static void expects_continue(void **state)
{
    struct client c;

    client_open(&c);
    client_say(&c, "POST /q HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n"
                   "Expect: 100-continue\r\n\r\n");
    client_expect(&c, "100 Continue", 1);
    assert_int_equal(job_count, 0);
    client_say(&c, "body");
    client_expect(&c, "POST /q|body", 1);
    client_close(&c);
    /* One that is too large hears so before it sends. */
    client_open(&c);
    client_say(&c, "POST /q HTTP/1.1\r\nHost: h\r\nContent-Length: 100001\r\n"
                   "Expect: 100-continue\r\n\r\n");
    client_expect(&c, " 413 ", 1);
    assert_int_equal(count_of(&c, "100 Continue"), 0);
    client_close(&c);
    assert_int_equal(job_count, 1);
}

static void pipelined(void **state)
{
    for (mode = AT_ONCE; mode <= BEHIND_COMMIT; mode++) {
        struct client c;
        const char *at;

        client_open(&c);
        client_say(&c, POST("1") "a" POST("1") "b" POST("0") POST("1") "d");
        client_expect(&c, "POST /q|", 4);
        client_expect(&c, "|d", 1);
        at = strstr(c.in.p, "|a");
        assert_non_null(at);
        at = strstr(at, "|b");
        assert_non_null(at);
        assert_non_null(strstr(at, "|d"));
        client_close(&c);
    }
}

static void pipelined_behind_a_parked_one(void **state)
{
    struct client c;

    mode = PARKED;
    client_open(&c);
    client_say(&c, POST("1") "a" POST("1") "b");
    UNTIL(job_count == 1);
    for (int i = 0; i < 5; i++)
        loop_turn(loop, 0);
    assert_int_equal(job_count, 1);
    job_answer(&jobs[0]);
    client_expect(&c, "|a", 1);
    UNTIL(job_count == 2);
    job_answer(&jobs[1]);
    client_expect(&c, "|b", 1);
    client_close(&c);
}

/* --- bounds ----------------------------------------------------------------------------------- */

static void oversized(void **state)
{
    struct client c;
    char *body = mem_alloc(300000);

    memset(body, 'x', 300000);
    client_open(&c);
    client_say(&c, "POST /q HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n");
    client_send(&c, body, 300000);
    client_expect(&c, " 413 ", 1);
    client_expect(&c, "The request body is larger than 100000 bytes.", 1);
    client_say(&c, "POST /q HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n493e0\r\n");
    client_send(&c, body, 300000);
    client_say(&c, "\r\n0\r\n\r\n");
    client_expect(&c, " 413 ", 2);
    assert_int_equal(job_count, 0);
    client_say(&c, POST("2") "ok"); /* the connection goes on */
    client_expect(&c, "POST /q|ok", 1);
    client_close(&c);
    /* One that nobody waits for ends in order. */
    client_open(&c);
    client_say(&c, "POST /q HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999\r\n\r\n");
    client_expect(&c, " 413 ", 1);
    client_expect_end(&c);
    client_close(&c);
    mem_free(body);
}

static void memory_ends(void **state)
{
    struct client parked[15], c;
    char *body = mem_alloc(90000);
    int n = 0;

    memset(body, 'x', 90000);
    mode = PARKED;
    for (; n < 15; n++) {
        client_open(&parked[n]);
        client_say(&parked[n], "POST /q HTTP/1.1\r\nHost: h\r\nContent-Length: 90000\r\n\r\n");
        client_send(&parked[n], body, 90000);
        UNTIL(job_count == n + 1 || (client_read(&parked[n]), parked[n].in.n > 0));
        if (parked[n].in.n)
            break;
    }
    assert_true(n > 3 && n < 15);
    client_expect(&parked[n], " 503 ", 1);
    client_expect(&parked[n], "Too much is under way. Try again.", 1);
    for (int i = 0; i < job_count; i++)
        job_answer(&jobs[i]);
    for (int i = 0; i < n; i++) {
        client_expect(&parked[i], "200 OK", 1);
        client_close(&parked[i]);
    }
    client_close(&parked[n]);
    mode = AT_ONCE;
    client_open(&c);
    client_say(&c, "POST /q HTTP/1.1\r\nHost: h\r\nContent-Length: 90000\r\n\r\n");
    client_send(&c, body, 90000);
    client_expect(&c, "200 OK", 1);
    client_close(&c);
    mem_free(body);
}

static void broken(void **state)
{
    static const char *const texts[] = {
        "GARBAGE\r\n\r\n",
        "POST /q HTTP/1.1\r\nHost: h\r\nContent-Length: twelve\r\n\r\n",
        "POST /q HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        "POST /q HTTP/1.1\r\nContent-Length: 0\r\n\r\n", /* 1.1 without Host */
        "POST /q HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "\0\1\2\3\r\n\r\n",
    };
    struct client c;
    char *longer = mem_alloc(40000);

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        client_open(&c);
        client_say(&c, texts[i][0] ? texts[i] : "\1\2\3\r\n\r\n");
        client_expect_end(&c);
        /* The library ends some without a word; what it says is a 400. */
        assert_true(c.in.n == 0 || str_starts(buf_view(&c.in), STR("HTTP/1.1 400 ")) ||
                    str_starts(buf_view(&c.in), STR("HTTP/1.0 400 ")));
        client_close(&c);
    }
    /* Headers beyond the limit. */
    memset(longer, 'a', 39000);
    client_open(&c);
    client_say(&c, "GET /q HTTP/1.1\r\nHost: h\r\nX: ");
    send(c.fd, longer, 39000, MSG_NOSIGNAL);
    client_expect_end(&c);
    client_close(&c);
    assert_int_equal(job_count, 0);
    client_open(&c);
    client_say(&c, POST("2") "ok");
    client_expect(&c, "|ok", 1);
    client_close(&c);
    mem_free(longer);
}

static void idle(void **state)
{
    struct http_limits limits = usual;
    struct client silent, slow, parked;

    tear_down(state);
    limits.idle_timeout_s = 1;
    server_open(&limits);
    mode = PARKED;
    client_open(&silent);
    client_open(&slow);
    client_open(&parked);
    client_say(&slow, "POST /q HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nab");
    client_say(&parked, POST("0"));
    client_expect_end(&silent);
    client_expect_end(&slow);
    assert_int_equal(job_count, 1);
    assert_int_equal(gone_count, 0);
    client_read(&parked);
    assert_false(parked.closed); /* a long poll may take its time */
    job_answer(&jobs[0]);
    client_expect(&parked, "200 OK", 1);
    client_close(&silent);
    client_close(&slow);
    client_close(&parked);
}

/* --- clients that leave ----------------------------------------------------------------------- */

static void leaves_while_parked(void **state)
{
    struct client c, other;

    mode = PARKED;
    client_open(&c);
    client_open(&other);
    client_say(&c, POST("3") "abc");
    client_say(&other, POST("3") "def");
    UNTIL(job_count == 2);
    for (int i = 0; i < 3; i++)
        loop_turn(loop, 0);
    assert_int_equal(gone_count, 0);
    client_close(&c);
    UNTIL(gone_count == 1);
    struct job *left = jobs[0].gone ? &jobs[0] : &jobs[1];
    struct job *stays = left == &jobs[0] ? &jobs[1] : &jobs[0];

    assert_non_null(strstr(left->echo, "|abc"));
    for (int i = 0; i < 5; i++)
        loop_turn(loop, 0);
    assert_int_equal(http_server_waiting(server), 2);
    job_answer(left); /* allowed, and goes nowhere */
    assert_int_equal(http_server_waiting(server), 1);
    assert_int_equal(gone_count, 1);
    job_answer(stays);
    client_expect(&other, "|def", 1);
    client_close(&other);
}

static void leaves_with_a_reset(void **state)
{
    struct linger hard = {.l_onoff = 1};
    struct client c;

    mode = PARKED;
    client_open(&c);
    client_say(&c, POST("3") "abc");
    UNTIL(job_count == 1);
    loop_turn(loop, 0);
    setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    client_close(&c);
    UNTIL(gone_count == 1);
}

/* It sent its request and is gone before the turn begins. */
static void leaves_at_once(void **state)
{
    struct client c;

    mode = PARKED;
    client_open(&c);
    client_say(&c, POST("3") "abc");
    client_close(&c);
    UNTIL(job_count == 1 && gone_count == 1);
}

/* The handler answers from within `gone`. */
static void on_gone_answer(void *arg, struct http_exchange *x)
{
    gone_count++;
    job_answer(http_exchange_data(x));
}

static void answers_when_told(void **state)
{
    static struct fault f;
    struct http_server *first = server;
    struct client c;

    assert_int_equal(http_server_new(&server, loop, &usual,
                                     (struct http_handler){on_request, on_gone_answer, NULL}),
                     0);
    assert_int_equal(http_server_listen_tcp(server, "127.0.0.1", 0, &port, &f), 0);
    mode = PARKED;
    client_open(&c);
    client_say(&c, POST("3") "abc");
    UNTIL(job_count == 1);
    loop_turn(loop, 0);
    client_close(&c);
    UNTIL(gone_count == 1);
    assert_int_equal(http_server_waiting(server), 0);
    http_server_free(server);
    server = first;
}

/* --- doors ------------------------------------------------------------------------------------ */

static void quiet(void **state)
{
    struct client parked, late;

    mode = PARKED;
    client_open(&parked);
    client_say(&parked, POST("1") "a");
    UNTIL(job_count == 1);
    http_server_quiesce(server);
    http_server_quiesce(server); /* harmless */
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    late = (struct client){.fd = socket(AF_INET, SOCK_STREAM, 0)};
    assert_int_equal(connect(late.fd, (struct sockaddr *)&to, sizeof(to)), -1);
    job_answer(&jobs[0]);
    client_expect(&parked, "|a", 1);
    client_close(&parked);
    client_close(&late);
}

static void port_in_use(void **state)
{
    static struct fault f;
    char place[32];
    u16 other = 0;

    assert_int_equal(http_server_listen_tcp(server, "127.0.0.1", port, &other, &f), E_FAULT);
    snprintf(place, sizeof(place), "127.0.0.1:%u", port);
    assert_non_null(strstr(f.text, place));
    fault_clear(&f);
    assert_int_equal(http_server_listen_tcp(server, "no such host", 1, &other, &f), E_FAULT);
    assert_non_null(strstr(f.text, "no such host:1"));
}

static int unix_connect(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
        close(fd);
        return -1;
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void unix_door(void **state)
{
    static struct fault f;
    char dir[] = "toque-test-XXXXXX", path[64], file[64];
    struct sockaddr_un stale = {.sun_family = AF_UNIX};
    struct client c = {0};
    int fd;

    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/http.sock", dir);
    snprintf(file, sizeof(file), "%s/file", dir);
    /* A socket whose listener is dead. */
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(stale.sun_path, sizeof(stale.sun_path), "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&stale, sizeof(stale)), 0);
    close(fd);
    assert_int_equal(http_server_listen_unix(server, path, &f), 0);
    c.fd = unix_connect(path);
    assert_true(c.fd >= 0);
    mode = PARKED;
    client_say(&c, POST("5") "local");
    UNTIL(job_count == 1);
    assert_int_equal(last.rq.kind, HTTP_UNIX);
    assert_int_equal(last.rq.peer.family, 0);
    job_answer(&jobs[0]);
    client_expect(&c, "|local", 1);
    client_say(&c, POST("5") "again");
    UNTIL(job_count == 2);
    loop_turn(loop, 0);
    client_close(&c);
    UNTIL(gone_count == 1);
    /* One that lives is left alone, and so is what is no socket. */
    assert_int_equal(http_server_listen_unix(server, path, &f), E_FAULT);
    assert_non_null(strstr(f.text, path));
    fault_clear(&f);
    fd = open(file, O_CREAT | O_WRONLY, 0600);
    close(fd);
    assert_int_equal(http_server_listen_unix(server, file, &f), E_FAULT);
    assert_int_equal(unlink(file), 0);
    fault_clear(&f);
    char longer[200];

    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(http_server_listen_unix(server, longer, &f), E_FAULT);
    http_server_quiesce(server);
    assert_int_equal(unix_connect(path), -1);
    assert_int_equal(rmdir(dir), 0); /* its file went with the door */
}

static void connections_bounded(void **state)
{
    struct http_limits limits = usual;
    struct client c[3];

    tear_down(state);
    limits.connections_max = 2;
    server_open(&limits);
    for (int i = 0; i < 3; i++) {
        client_open(&c[i]);
        client_say(&c[i], POST("1") "x");
    }
    client_expect(&c[0], "|x", 1);
    client_expect(&c[1], "|x", 1);
    assert_int_equal(job_count, 2);
    client_close(&c[0]);
    client_expect(&c[2], "|x", 1);
    client_close(&c[1]);
    client_close(&c[2]);
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(what_the_handler_sees),
        WITH_SERVER(what_the_client_sees),
        WITH_SERVER(other_methods),
        WITH_SERVER(chunked),
        WITH_SERVER(byte_by_byte),
        WITH_SERVER(big_body),
        WITH_SERVER(expects_continue),
        WITH_SERVER(pipelined),
        WITH_SERVER(oversized),
        WITH_SERVER(pipelined_behind_a_parked_one),
        WITH_SERVER(memory_ends),
        WITH_SERVER(broken),
        WITH_SERVER(idle),
        WITH_SERVER(leaves_while_parked),
        WITH_SERVER(leaves_with_a_reset),
        WITH_SERVER(leaves_at_once),
        WITH_SERVER(answers_when_told),
        WITH_SERVER(quiet),
        WITH_SERVER(port_in_use),
        WITH_SERVER(unix_door),
        WITH_SERVER(connections_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
