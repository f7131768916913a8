/* http_server.[ch] against clients that leave, send slowly, read slowly, or are too many: what they
 * hold is bounded, comes back at once, and never keeps others out. */
#include "http_rig.h"

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

    assert_int_equal(
        http_server_new(&server, loop, &usual, &budget,
                        (struct http_handler){.request = on_request, .gone = on_gone_answer}),
        0);
    assert_int_equal(http_server_listen_tcp(server, local, 1, 0, &port, &f), 0);
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

/* A client that only sends no more is answered all the same. */
static void half_closed(void **state)
{
    struct client c;

    for (mode = AT_ONCE; mode <= BEHIND_COMMIT; mode++) {
        client_open(&c);
        client_say(&c, POST("3") "abc" POST("3") "def");
        shutdown(c.fd, SHUT_WR);
        while (count_of(&c, "|abc") + count_of(&c, "|def") < 2) {
            assert_false(c.closed);
            loop_turn(loop, 1);
            client_read(&c);
        }
        client_expect_end(&c);
        client_close(&c);
    }
}

/* 5,000 clients that die in the middle of a request hold nothing, whatever the kernel had to say
 * about how they came and went. */
static void dies_in_mid_request(void **state)
{
    static const char *const parts[] = {
        "", "P",
        "POST /q HTTP/1.1\r\nHost:", "POST /q HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab",
        "POST /q HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked"
        "\r\n\r\n5\r\nab"};
    struct linger hard = {.l_onoff = 1};
    struct client c;

    for (int i = 0; i < 5000; i++) {
        client_open(&c);
        client_say(&c, parts[(size_t)i % ARRAY_LEN(parts)]);
        if (i % 3 == 0)
            loop_turn(loop, 0); /* its end comes apart from its bytes */
        if (i % 2)
            setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
        client_close(&c);
        if (i % 16 == 0)
            loop_turn(loop, 0);
    }
    UNTIL(http_server_stats(server).accepted >= 5000 - 64 &&
          http_server_stats(server).connections == 0);
    assert_int_equal(budget.used, 0);
    assert_int_equal(job_count, 0);
}

static void abandoned(void **state)
{
    struct client c;

    mode = PARKED;
    client_open(&c);
    client_say(&c, POST("3") "abc");
    UNTIL(job_count == 1);
    jobs[0].done = true;
    http_abandon(jobs[0].x);
    client_expect_end(&c);
    assert_int_equal(c.in.n, 0);
    assert_int_equal(http_server_stats(server).lost, 1);
    client_close(&c);
}

/* --- deadlines -------------------------------------------------------------------------------- */

static void idle(void **state)
{
    struct client silent, used, parked;

    mode = PARKED;
    client_open(&silent);
    client_open(&parked);
    client_open(&used);
    client_say(&parked, POST("0"));
    UNTIL(job_count == 1);
    skip_ms(20000);
    turn(2);
    client_say(&used, POST("0"));
    UNTIL(job_count == 2);
    job_answer(&jobs[1]);
    client_expect(&used, "200 OK", 1);
    skip_ms(15000);
    client_expect_end(&silent);
    client_read(&used);
    assert_false(used.closed);
    skip_ms(30000);
    client_expect_end(&used);
    skip_ms(3600000);
    turn(3);
    client_read(&parked);
    assert_false(parked.closed); /* a long poll may take its time */
    assert_int_equal(gone_count, 0);
    job_answer(&jobs[0]);
    client_expect(&parked, "200 OK", 1);
    assert_int_equal(http_server_stats(server).expired, 2);
    client_close(&silent);
    client_close(&used);
    client_close(&parked);
}

/* A request has one deadline, however steadily its bytes drip in; the next one has its own. */
static void dripping(void **state)
{
    static const char *const begins[] = {
        "POST /q HTTP/1.1\r\nHost: h\r\nX: ",
        "POST /q HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n",
        "POST /q HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;"};
    struct client c;

    for (size_t i = 0; i < ARRAY_LEN(begins); i++) {
        client_open(&c);
        client_say(&c, POST("1") "x");
        client_expect(&c, "|x", 1);
        skip_ms(29000);
        turn(1);
        client_say(&c, begins[i]);
        for (int ms = 0; ms < 29000; ms += 1000) {
            client_say(&c, "x");
            turn(1);
            skip_ms(1000);
        }
        turn(1);
        client_read(&c);
        assert_false(c.closed);
        skip_ms(1500);
        client_expect_end(&c);
        client_close(&c);
    }
    assert_int_equal(http_server_stats(server).expired, ARRAY_LEN(begins));
}

/* --- many ------------------------------------------------------------------------------------- */

static void server_reopen(void **state, u32 connections, u32 per_address)
{
    struct http_limits limits = usual;

    tear_down(state);
    limits.connections_max = connections;
    limits.connections_per_address_max = per_address;
    server_open(&limits);
}

static void connections_open(struct client *c, int n, const char *text)
{
    u64 before = http_server_stats(server).accepted;

    for (int i = 0; i < n; i++) {
        client_open(&c[i]);
        client_say(&c[i], text);
        UNTIL(http_server_stats(server).accepted == before + (u64)i + 1);
        turn(1);
        skip_ms(1);
    }
}

/* Whoever idles longest makes room; whoever is being served does not. */
static void evicted(void **state)
{
    static const char *const texts[] = {"", "POST /q HTTP/1.1\r\nHost: h", POST("5") "ab",
                                        POST("1") "x"};
    struct client c[4], late;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        server_reopen(state, 4, 0);
        connections_open(c, 4, texts[i]);
        client_open(&late);
        client_say(&late, POST("4") "late");
        client_expect(&late, "|late", 1);
        client_expect_end(&c[0]);
        for (int k = 1; k < 4; k++) {
            client_read(&c[k]);
            assert_false(c[k].closed);
        }
        assert_int_equal(http_server_stats(server).connections, 4);
        assert_int_equal(http_server_stats(server).evicted, 1);
        client_close(&late);
        for (int k = 0; k < 4; k++)
            client_close(&c[k]);
    }
}

/* The oldest of all, be it idle or dripping, goes first. */
static void evicted_by_age(void **state)
{
    struct client idle_one, dripping_one, newer, late[2];

    server_reopen(state, 3, 0);
    connections_open(&dripping_one, 1, "POST /q HTTP/1.1\r\nHost: h");
    connections_open(&idle_one, 1, "");
    connections_open(&newer, 1, "");
    client_say(&newer, POST("1") "x");
    client_expect(&newer, "|x", 1);
    connections_open(&late[0], 1, "");
    client_expect_end(&dripping_one);
    client_say(&idle_one, POST("1") "y"); /* and is not the oldest any more */
    client_expect(&idle_one, "|y", 1);
    connections_open(&late[1], 1, "");
    client_expect_end(&newer);
    client_read(&idle_one);
    assert_false(idle_one.closed);
    client_close(&idle_one);
    client_close(&dripping_one);
    client_close(&newer);
    client_close(&late[0]);
    client_close(&late[1]);
}

/* The one that idles is found among many that are being served, whenever it was used last. */
static void evicted_among_busy(void **state)
{
    struct client busy[6], used, late;

    server_reopen(state, 7, 0);
    mode = PARKED;
    connections_open(busy, 3, POST("1") "b");
    connections_open(&used, 1, POST("1") "u");
    connections_open(busy + 3, 3, POST("1") "b");
    UNTIL(job_count == 7);
    for (int i = 0; i < 7; i++)
        if (strstr(jobs[i].echo, "|u"))
            job_answer(&jobs[i]);
    client_expect(&used, "|u", 1);
    client_open(&late);
    client_say(&late, POST("1") "l");
    UNTIL(job_count == 8);
    client_expect_end(&used);
    job_answer(&jobs[7]);
    client_expect(&late, "|l", 1);
    for (int i = 0; i < 6; i++)
        client_close(&busy[i]);
    client_close(&used);
    client_close(&late);
}

/* Where all are being served a newcomer waits, at no cost, until one is done. */
static void all_busy(void **state)
{
    struct client c[2], late;

    server_reopen(state, 2, 0);
    mode = PARKED;
    connections_open(c, 2, POST("1") "x");
    UNTIL(job_count == 2);
    client_open(&late);
    client_say(&late, POST("1") "z");
    turn(5);
    assert_int_equal(http_server_stats(server).accepted, 2);
    i64 from_us = clock_micros();

    loop_turn(loop, 50); /* nothing wakes it */
    assert_true(clock_micros() - from_us >= 40000);
    job_answer(&jobs[0]);
    client_expect(&c[0], "|x", 1);
    UNTIL(job_count == 3);
    job_answer(&jobs[2]);
    client_expect(&late, "|z", 1);
    client_close(&late);
    client_close(&c[0]);
    client_close(&c[1]);
}

static void one_address(void **state)
{
    struct client c[3];

    server_reopen(state, 20, 2);
    connections_open(c, 2, POST("1") "x");
    client_open(&c[2]);
    client_expect_end(&c[2]);
    client_close(&c[2]);
    client_close(&c[0]);
    UNTIL(http_server_stats(server).connections == 1);
    client_open(&c[2]);
    client_say(&c[2], POST("1") "y");
    client_expect(&c[2], "|y", 1);
    client_close(&c[1]);
    client_close(&c[2]);
    UNTIL(http_server_stats(server).connections == 0);
}

/* --- memory ----------------------------------------------------------------------------------- */

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
    assert_true(n > 3 && n < 12);
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

enum { LARGE = (16 << 20) - 4096 };

/* A client that reads nothing of a LARGE answer, for now. */
static void reader_open(struct client *c, int window)
{
    int n = job_count;

    client_open(c);
    setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof(window));
    client_say(c, POST("1") "x");
    UNTIL(job_count == n + 1);
    job_answer_sized(&jobs[n], LARGE);
}

static void reads_slowly(void **state)
{
    struct client c;

    budget.max = 64 << 20;
    mode = PARKED;
    reader_open(&c, 1 << 20);
    assert_int_equal(jobs[0].outcome, HTTP_SENDING);
    assert_int_equal(http_server_sending(server), 1);
    assert_true(budget.used > LARGE / 4);
    client_say(&c, POST("1") "y"); /* waits until the answer is sent */
    turn(5);
    assert_int_equal(job_count, 1);
    for (i64 end = clock_micros() + PATIENCE_US; c.in.n < LARGE; loop_turn(loop, 1)) {
        assert_true(clock_micros() < end);
        client_read(&c);
        assert_false(c.closed);
    }
    UNTIL(jobs[0].outcome == HTTP_SENT);
    assert_int_equal(http_server_sending(server), 0);
    UNTIL(job_count == 2);
    buf_reset(&c.in);
    job_answer(&jobs[1]);
    client_expect(&c, "|y", 1);
    client_close(&c);
    UNTIL(http_server_stats(server).connections == 0);
    assert_int_equal(budget.used, 0);
}

static void reads_nothing(void **state)
{
    struct client c;

    budget.max = 64 << 20;
    mode = PARKED;
    reader_open(&c, 4096);
    assert_int_equal(jobs[0].outcome, HTTP_SENDING);
    assert_true(budget.used >= 16 << 20); /* the memory, not what is in it */
    skip_ms(29000);
    turn(2);
    assert_int_equal(jobs[0].outcome, HTTP_SENDING);
    skip_ms(2000);
    UNTIL(jobs[0].outcome == HTTP_CUT);
    assert_int_equal(http_server_stats(server).expired, 1);
    assert_int_equal(http_server_stats(server).lost, 1);
    assert_int_equal(budget.used, 0);
    client_close(&c);
    /* One that leaves in the middle. */
    reader_open(&c, 4096);
    assert_int_equal(jobs[1].outcome, HTTP_SENDING);
    client_close(&c);
    UNTIL(jobs[1].outcome == HTTP_CUT);
}

/* Answers that nobody reads are held as far as the budget goes; then the oldest makes room. */
static void budget_ends(void **state)
{
    struct client c[4];

    budget.max = LARGE * 5 / 2;
    mode = PARKED;
    reader_open(&c[0], 4096);
    reader_open(&c[1], 4096);
    assert_int_equal(jobs[1].outcome, HTTP_SENDING);
    reader_open(&c[2], 4096); /* the others have only just begun */
    assert_int_equal(jobs[2].outcome, HTTP_CUT);
    assert_true(budget.used <= budget.max);
    skip_ms(1500);
    turn(1);
    reader_open(&c[3], 4096);
    assert_int_equal(jobs[3].outcome, HTTP_SENDING);
    assert_int_equal(jobs[0].outcome, HTTP_CUT);
    assert_int_equal(jobs[1].outcome, HTTP_SENDING);
    assert_int_equal(http_server_stats(server).evicted, 1);
    for (int i = 0; i < 4; i++)
        client_close(&c[i]);
    UNTIL(budget.used == 0);
}

/* Requests behind one that is being served are left with the system beyond a bound. */
static void pipelines_without_end(void **state)
{
    char *many = mem_alloc(1 << 20);
    struct client c;
    ssize_t n = 1;

    mode = PARKED;
    client_open(&c);
    memset(many, 'x', 1 << 20);
    client_say(&c, POST("0"));
    UNTIL(job_count == 1);
    for (int i = 0; i < 100 && n > 0; i++) {
        n = send(c.fd, many, 1 << 20, MSG_NOSIGNAL);
        turn(3);
    }
    assert_true(n < 0); /* nobody takes more */
    assert_true(budget.used < 200000);
    job_answer(&jobs[0]);
    client_expect(&c, "200 OK", 1);
    client_expect_end(&c); /* what came is no request */
    client_close(&c);
    mem_free(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(leaves_while_parked),
        WITH_SERVER(leaves_with_a_reset),
        WITH_SERVER(leaves_at_once),
        WITH_SERVER(answers_when_told),
        WITH_SERVER(half_closed),
        WITH_SERVER(dies_in_mid_request),
        WITH_SERVER(abandoned),
        WITH_SERVER(idle),
        WITH_SERVER(dripping),
        WITH_SERVER(evicted),
        WITH_SERVER(evicted_by_age),
        WITH_SERVER(all_busy),
        WITH_SERVER(evicted_among_busy),
        WITH_SERVER(one_address),
        WITH_SERVER(memory_ends),
        WITH_SERVER(reads_slowly),
        WITH_SERVER(reads_nothing),
        WITH_SERVER(budget_ends),
        WITH_SERVER(pipelines_without_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
