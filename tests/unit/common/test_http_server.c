/* http_server.[ch] over real sockets: what arrives, in whatever pieces, reaches the handler whole,
 * and its answer the client, in order; what breaks HTTP is refused. */
#include "common/io/http_browser.h"
#include "http_rig.h"

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
    assert_int_equal(http_answer(jobs[0].x, &r), HTTP_SENT);
    buf_deinit(&r.body);
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

/* Whoever sends too much hears so, also while it still sends, and is closed. */
static void oversized(void **state)
{
    static const char *const heads[] = {
        "POST /q HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n",
        "POST /q HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n493e0\r\n",
        "POST /q HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n",
    };
    struct client c;
    char *body = mem_alloc(300000);

    memset(body, 'x', 300000);
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        client_open(&c);
        client_say(&c, heads[i]);
        client_send(&c, body, 300000);
        client_expect(&c, "HTTP/1.1 413 Content Too Large", 1);
        client_expect(&c, "Connection: close", 1);
        client_expect(&c, "The request body is too large.", 1);
        client_close(&c);
    }
    assert_int_equal(job_count, 0);
    UNTIL(http_server_stats(server).connections == 0);
    mem_free(body);
}

/* What is no request is answered with a status that says so, and its connection ends in order. */
static void broken(void **state)
{
    static const struct {
        int status;
        const char *text;
    } cases[] = {
        {400, "GARBAGE\r\n\r\n"},
        {400, "POST /q HTTP/1.1\r\nHost: h\r\nContent-Length: twelve\r\n\r\n"},
        {400, "POST /q HTTP/1.1\r\nContent-Length: 0\r\n\r\n"},
        {400, "POST /q HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"},
        {400, "POST /q HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n"
              "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        {501, "POST /q HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\nbody"},
        {505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
        {400, "\1\2\3\r\n\r\n"},
        {400, POST("2") "okPOST\r\n\r\n"}, /* behind one that is right */
    };
    struct client c;
    char *longer = mem_alloc(40000), status[32];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        client_open(&c);
        client_say(&c, cases[i].text);
        client_expect_end(&c);
        snprintf(status, sizeof(status), "HTTP/1.1 %d ", cases[i].status);
        assert_int_equal(count_of(&c, status), 1);
        assert_int_equal(count_of(&c, "Connection: close\r\n"), 1);
        client_close(&c);
    }
    assert_int_equal(job_count, 1);
    /* Headers beyond the limit. */
    memset(longer, 'a', 39000);
    client_open(&c);
    client_say(&c, "GET /q HTTP/1.1\r\nHost: h\r\nX: ");
    client_send(&c, longer, 39000);
    client_expect_end(&c);
    assert_int_equal(count_of(&c, "HTTP/1.1 431 "), 1);
    client_close(&c);
    client_open(&c);
    client_say(&c, POST("2") "ok");
    client_expect(&c, "|ok", 1);
    client_close(&c);
    assert_int_equal(http_server_stats(server).refused, ARRAY_LEN(cases) + 1);
    mem_free(longer);
}

static void on_refused(void *arg, const struct http_request *rq, int status, const char *why,
                       struct http_response *r)
{
    r->content_type = "application/json";
    http_response_add(r, "X-Method", rq->method);
    buf_printf(&r->body, "{\"path\":\"%.*s\",\"fields\":%u,\"status\":%d}", STR_ARG(rq->path),
               rq->field_count, status);
    assert_true(why && *why);
}

/* The handler words what the server refuses, from what is known of the request. */
static void worded(void **state)
{
    struct client c;

    tear_down(state);
    handler.refused = on_refused;
    server_open(&usual);
    handler.refused = NULL;
    client_open(&c);
    client_say(&c, "POST /q?x HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n");
    client_expect_end(&c);
    assert_int_equal(count_of(&c, "{\"path\":\"/q\",\"fields\":2,\"status\":413}"), 1);
    assert_int_equal(count_of(&c, "X-Method: POST\r\n"), 1);
    client_close(&c);
    client_open(&c);
    client_say(&c, "?\r\n\r\n");
    client_expect_end(&c);
    assert_int_equal(count_of(&c, "{\"path\":\"\",\"fields\":0,\"status\":400}"), 1);
    client_close(&c);
}

/* Who speaks HTTP/1.0, or asks for it, is closed behind the answer; who says otherwise is not. */
static void keeping(void **state)
{
    static const struct {
        const char *text, *expected;
        bool closed;
    } cases[] = {
        {"GET /q HTTP/1.0\r\n\r\n", "Connection: close\r\n", true},
        {"GET /q HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "Connection: keep-alive\r\n", false},
        {"GET /q HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET /ignored",
         "Connection: close\r\n", true},
        {"GET /q HTTP/1.1\r\nHost: h\r\n\r\n", "200 OK\r\n", false},
    };
    struct client c;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        client_open(&c);
        client_say(&c, cases[i].text);
        client_expect(&c, cases[i].expected, 1);
        client_expect(&c, "GET /q|", 1);
        if (cases[i].closed) {
            client_expect_end(&c);
        } else {
            client_say(&c, POST("2") "ok");
            client_expect(&c, "|ok", 1);
        }
        client_close(&c);
    }
}

/* --- pages of browsers ------------------------------------------------------------------------ */

static void guarded(void **state)
{
    static const char *const origins[] = {"loopback"};
    const struct http_browsers browsers = {origins, 1, NULL, 0};
    struct client c;

    http_server_guard(server, &browsers);
    client_open(&c);
    client_say(&c, POST("1") "a"); /* programs notice nothing */
    client_expect(&c, "|a", 1);
    assert_int_equal(count_of(&c, "Access-Control"), 0);
    client_say(&c, "OPTIONS /q HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:3000\r\n"
                   "Access-Control-Request-Method: POST\r\n"
                   "Access-Control-Request-Headers: x-amz-target,authorization\r\n\r\n");
    client_expect(&c, "HTTP/1.1 204 No Content\r\n", 1);
    client_expect(&c, "Access-Control-Allow-Headers: x-amz-target,authorization\r\n", 1);
    client_expect(&c, "Access-Control-Allow-Methods: ", 1);
    client_expect(&c, "Access-Control-Allow-Origin: http://localhost:3000\r\n", 1);
    assert_int_equal(job_count, 1);
    client_say(&c, "POST /q HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:3000\r\n"
                   "Content-Length: 1\r\n\r\nb");
    client_expect(&c, "|b", 1);
    assert_int_equal(count_of(&c, "Access-Control-Allow-Origin: http://localhost:3000\r\n"), 2);
    client_say(&c, "POST /q HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n"
                   "Content-Length: 1\r\n\r\nc");
    client_expect_end(&c);
    assert_int_equal(count_of(&c, "HTTP/1.1 403 Forbidden\r\n"), 1);
    assert_int_equal(job_count, 2);
    client_close(&c);
}

/* --- endpoints ------------------------------------------------------------------------------------ */

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

    assert_int_equal(http_server_listen_tcp(server, local, 1, port, &other, &f), E_FAULT);
    snprintf(place, sizeof(place), "127.0.0.1:%u", port);
    assert_non_null(strstr(f.text, place));
    fault_clear(&f);
    assert_int_equal(
        http_server_listen_tcp(server, (const char *const[]){"no such host"}, 1, 1, &other, &f),
        E_FAULT);
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

static void unix_endpoint(void **state)
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
        WITH_SERVER(broken),
        WITH_SERVER(worded),
        WITH_SERVER(keeping),
        WITH_SERVER(guarded),
        WITH_SERVER(quiet),
        WITH_SERVER(port_in_use),
        WITH_SERVER(unix_endpoint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
