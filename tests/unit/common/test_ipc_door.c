/* ipc_door.[ch] with real nng clients: calls are passed on and answered in any order; clients that
 * leave are reported. */
#include "common/io/ipc_door.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/mem.h"

/* Longest wait for an event that must come. */
#define PATIENCE_US 10000000
#define UNTIL(condition)                                                                           \
    for (i64 until_ = clock_micros() + PATIENCE_US; !(condition); loop_turn(loop, 5))              \
    assert_true(clock_micros() < until_)

enum { JOBS_MAX = 64 };

static struct clock the_clock;
static struct loop *loop;
static struct ipc_door *door;
static struct budget budget;
static char dir[] = "/tmp/toque-door-XXXXXX";
static char url[80], url_path[64];

static struct job {
    struct ipc_exchange *x;
    str text;
    bool done, gone;
} jobs[JOBS_MAX];
static int job_count, gone_count;
static bool at_once, answers_gone;

static void job_answer(struct job *j, const char *text)
{
    j->done = true;
    ipc_answer(j->x, str_of(text));
}

static void on_request(void *arg, struct ipc_exchange *x, str text)
{
    struct job *j = &jobs[job_count++];

    assert_true(job_count <= JOBS_MAX);
    *j = (struct job){.x = x, .text = text};
    ipc_exchange_set_data(x, j);
    if (at_once)
        job_answer(j, "at once");
}

static void on_gone(void *arg, struct ipc_exchange *x)
{
    struct job *j = ipc_exchange_data(x);

    j->gone = true;
    gone_count++;
    if (answers_gone)
        job_answer(j, "");
}

static i64 skipped_us;

static i64 wall_us(void *arg)
{
    return CLOCK_SYSTEM.wall_us(CLOCK_SYSTEM.arg) + skipped_us;
}

static i64 mono_us(void *arg)
{
    return CLOCK_SYSTEM.mono_us(CLOCK_SYSTEM.arg) + skipped_us;
}

static int set_up(void **state)
{
    static const struct clock_source source = {wall_us, mono_us, NULL};
    static const struct ipc_limits limits = {.message_size_max = 100000, .answer_timeout_s = 30};
    static struct fault f;

    job_count = gone_count = 0;
    at_once = answers_gone = false;
    skipped_us = 0;
    clock_init_from(&the_clock, &source, false);
    loop = loop_new(&the_clock);
    budget = (struct budget){.max = 1 << 20};
    return ipc_door_open(&door, loop, url, &limits, &budget,
                         (struct ipc_handler){on_request, on_gone, NULL}, &f);
}

static int tear_down(void **state)
{
    for (int i = 0; i < job_count; i++) {
        if (!jobs[i].done)
            job_answer(&jobs[i], "");
    }
    assert_int_equal(ipc_door_waiting(door), 0);
    ipc_door_close(door);
    assert_int_equal(budget.used, 0);
    loop_free(loop);
    unlink(url_path);
    return 0;
}

/* --- clients ---------------------------------------------------------------------------------- */

static nng_socket client_open(void)
{
    nng_socket s;

    assert_int_equal(nng_req0_open(&s), 0);
    assert_int_equal(nng_dial(s, url, NULL, NNG_FLAG_NONBLOCK), 0);
    return s;
}

static void client_ask(nng_socket s, const char *text)
{
    i64 end = clock_micros() + PATIENCE_US;

    while (nng_send(s, (void *)(uintptr_t)text, strlen(text), NNG_FLAG_NONBLOCK) != 0) {
        assert_true(clock_micros() < end);
        loop_turn(loop, 1);
    }
}

static void client_hear(nng_socket s, const char *expected)
{
    char text[4096];
    size_t n = sizeof(text) - 1;
    i64 end = clock_micros() + PATIENCE_US;

    while (nng_recv(s, text, &n, NNG_FLAG_NONBLOCK) != 0) {
        assert_true(clock_micros() < end);
        loop_turn(loop, 1);
        n = sizeof(text) - 1;
    }
    text[n] = '\0';
    assert_string_equal(text, expected);
}

static void a_call(void **state)
{
    nng_socket s = client_open();

    client_ask(s, "{\"target\":\"AmazonSQS.SendMessage\"}");
    UNTIL(job_count == 1);
    assert_int_equal(ipc_door_waiting(door), 1);
    assert_true(str_is(jobs[0].text, "{\"target\":\"AmazonSQS.SendMessage\"}"));
    job_answer(&jobs[0], "any text");
    assert_int_equal(ipc_door_waiting(door), 0);
    client_hear(s, "any text");
    at_once = true;
    client_ask(s, "again");
    client_hear(s, "at once");
    nng_close(s);
}

static void any_order(void **state)
{
    nng_socket s[3];

    for (int i = 0; i < 3; i++) {
        s[i] = client_open();
        client_ask(s[i], "ask");
        UNTIL(job_count == i + 1);
    }
    job_answer(&jobs[2], "2");
    job_answer(&jobs[0], "0");
    client_hear(s[0], "0");
    client_hear(s[2], "2");
    job_answer(&jobs[1], "1");
    client_hear(s[1], "1");
    for (int i = 0; i < 3; i++)
        nng_close(s[i]);
}

static void clients_leave(void **state)
{
    nng_socket stays = client_open();

    client_ask(stays, "{\"target\":\"stays.x\"}");
    UNTIL(job_count == 1);
    for (int i = 1; i <= 10; i++) {
        nng_socket leaves = client_open();

        answers_gone = i % 2;
        client_ask(leaves, "{\"target\":\"leaves.x\"}");
        UNTIL(job_count == i + 1);
        nng_close(leaves);
        UNTIL(gone_count == i);
        assert_true(jobs[i].gone && !jobs[0].gone);
        if (!jobs[i].done)
            job_answer(&jobs[i], "nobody"); /* goes nowhere */
        assert_int_equal(ipc_door_waiting(door), 1);
    }
    job_answer(&jobs[0], "yours");
    client_hear(stays, "yours");
    nng_close(stays);
}

/* --- bytes that no nng socket sends ----------------------------------------------------------- */

static int bare_connect(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(to.sun_path, sizeof(to.sun_path), "%s", url_path);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

#define SP_REQ  "\0SP\0\0\x30\0\0"
#define ID_7    "\x80\0\0\7"
#define SIZE(n) "\1\0\0\0\0\0\0\0" n

static void bare_send(int fd, const char *bytes, size_t n)
{
    assert_int_equal(write(fd, bytes, n), n);
}

/* Reads exactly what is expected, then, if asked, the end. */
static void bare_expect(int fd, const char *expected, size_t n, bool ends)
{
    char text[512];
    size_t got = 0;
    ssize_t r;

    assert_true(n <= sizeof(text));
    for (i64 end = clock_micros() + PATIENCE_US; got < n || ends;) {
        assert_true(clock_micros() < end);
        loop_turn(loop, 1);
        r = recv(fd, text + got, n - got + ends, MSG_DONTWAIT);
        if (r == 0)
            break;
        got += r > 0 ? (size_t)r : 0;
    }
    assert_int_equal(got, n);
    assert_memory_equal(text, expected, n);
}

/* A client that does not read is cut off when there is no room for its answers, or in the end. */
static void reads_nothing(void **state)
{
    static const char call[] = SIZE("\6") ID_7 "hi";
    char *text = mem_alloc(300001);
    int fd = bare_connect();

    memset(text, 'x', 300000);
    bare_send(fd, SP_REQ, 8);
    for (int i = 0; i < 5; i++) {
        bare_send(fd, call, sizeof(call) - 1);
        UNTIL(job_count == i + 1);
    }
    assert_true(budget.used > 0 && budget.used < 100);
    int cut = 0;

    for (int i = 0; i < 5; i++) {
        jobs[i].done = true;
        cut += !ipc_answer(jobs[i].x, str_of(text));
        assert_true(budget.used <= budget.max);
    }
    assert_true(cut >= 1 && cut <= 4);
    UNTIL(budget.used == 0);
    close(fd);
    fd = bare_connect();
    bare_send(fd, SP_REQ, 8);
    bare_send(fd, call, sizeof(call) - 1);
    bare_send(fd, call, sizeof(call) - 1);
    UNTIL(job_count == 7);
    jobs[5].done = jobs[6].done = true;
    assert_true(ipc_answer(jobs[5].x, str_of(text)));
    assert_true(ipc_answer(jobs[6].x, str_of(text)));
    for (int i = 0; i < 50; i++)
        loop_turn(loop, 1);
    assert_true(budget.used > 0); /* the system has not taken it all */
    skipped_us += 31 * INT64_C(1000000);
    UNTIL(budget.used == 0);
    close(fd);
    mem_free(text);
}

static void strangers(void **state)
{
    static const char rep[] = "\0SP\0\0\x31\0\0";
    static const char ok[] = SIZE("\36") ID_7 "{\"status\":200,\"output\":{}}";
    static const struct {
        const char *bytes;
        size_t n;
    } bad[] = {
        {"GET / HTTP/1.1\r\n\r\n", 18},
        {"\0SP\0\0\x50\0\0", 8},           /* another protocol */
        {SP_REQ "\2\0\0\0\0\0\0\0\0", 17}, /* another type of message */
        {SP_REQ "\1\0\0\0\0\0\2\0\0", 17}, /* over the bound */
        {SP_REQ "\1\377\377\377\377\377\377\377\377", 17},
    };
    int fd;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        fd = bare_connect();
        assert_int_equal(write(fd, bad[i].bytes, bad[i].n), bad[i].n);
        bare_expect(fd, rep, 8, true);
        close(fd);
    }
    /* Without an id, too short for one, with ids of devices: only the last has an answer. */
    static const char calls[] = SP_REQ SIZE("\3") "\0\0\1" SIZE("\10") "\0\0\0\1\0\0\0\2" SIZE("\0")
        SIZE("\26") "\0\0\0\5" ID_7 "{\"target\":\"a\"}";

    fd = bare_connect();
    for (size_t i = 0; i < sizeof(calls) - 1; i++) { /* byte by byte */
        assert_int_equal(write(fd, calls + i, 1), 1);
        loop_turn(loop, 1);
    }
    UNTIL(job_count == 1);
    job_answer(&jobs[0], ok + 13);
    bare_expect(fd, rep, 8, false);
    bare_expect(fd, SIZE("\42") "\0\0\0\5", 13, false);
    bare_expect(fd, ok + 9, sizeof(ok) - 10, false);
    close(fd);
}

/* The bound of set_up itself is let in, one byte more is not. */
static void exactly_the_largest(void **state)
{
    static const char largest[] = SP_REQ "\1\0\0\0\0\0\1\x86\xa0" ID_7; /* 100000 with the id */
    char *text = mem_alloc(100000 - 4);
    int fd = bare_connect();

    memset(text, 'x', 100000 - 4);
    bare_send(fd, largest, 21);
    bare_send(fd, text, 100000 - 4);
    UNTIL(job_count == 1);
    assert_int_equal(jobs[0].text.n, 100000 - 4);
    job_answer(&jobs[0], "");
    close(fd);
    fd = bare_connect();
    bare_send(fd, SP_REQ "\1\0\0\0\0\0\1\x86\xa1", 17);
    bare_expect(fd, "\0SP\0\0\x31\0\0", 8, true);
    close(fd);
    mem_free(text);
}

#define WITH_DOOR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DOOR(a_call),    WITH_DOOR(any_order),     WITH_DOOR(clients_leave),
        WITH_DOOR(strangers), WITH_DOOR(reads_nothing), WITH_DOOR(exactly_the_largest),
    };
    int r;

    if (!mkdtemp(dir))
        return 1;
    snprintf(url_path, sizeof(url_path), "%s/door.ipc", dir);
    snprintf(url, sizeof(url), "ipc://%s", url_path);
    r = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(dir);
    return r;
}
