/* link.[ch]: two ends in one loop. Frames arrive whole and in order, every change of pipe is told,
 * up and down in turns; a peer that falls silent is down though its pipe stands. */
#include "common/io/link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/aws/frame.h"
#include "common/base/mem.h"
#include "common/io/link_greeting.h"

/* Longest wait for an event that must come. */
#define PATIENCE_US 10000000
#define UNTIL(condition)                                                                           \
    for (i64 until_ = clock_micros() + PATIENCE_US; !(condition); loop_turn(loop, 5))              \
    assert_true(clock_micros() < until_)

static struct clock the_clock;
static struct loop *loop;
static char dir[] = "/tmp/toque-link-XXXXXX";
static char url[80], url_path[64];

struct end {
    struct link *link;
    int ups, downs, frames;
    bool is_up;
    u64 next; /* expected number of the next frame, when `counts` */
    bool counts;
    bool hangs_up; /* at the next frame */
    size_t size_last;
    bool greets; /* sends number 0 as soon as it is up */
};

static void send_number(struct end *e, u64 n, size_t size)
{
    struct buf b = {0};

    frame_write_cancel(&b, n);
    if (size > b.n) {
        size_t more = size - b.n;

        memset(buf_room(&b, more), 'x', more);
        b.n += more;
    }
    assert_int_equal(link_send(e->link, &b), 0);
    assert_null(b.p);
}

static void on_up(void *arg)
{
    struct end *e = arg;

    assert_false(e->is_up);
    e->is_up = true;
    e->ups++;
    if (e->greets)
        send_number(e, 0, 0);
}

static void on_down(void *arg)
{
    struct end *e = arg;

    assert_true(e->is_up);
    e->is_up = false;
    e->downs++;
}

static void on_frame(void *arg, str frame)
{
    struct end *e = arg;
    u64 n;

    assert_true(e->is_up);
    e->frames++;
    e->size_last = frame.n;
    if (e->counts) {
        assert_int_equal(frame_read_cancel(str_slice(frame, 0, 12), &n), 0);
        assert_int_equal(n, e->next);
        e->next++;
    }
    if (e->hangs_up) {
        e->hangs_up = false;
        link_hang_up(e->link);
    }
}

static const struct link_limits quick = {.frame_size_max = 1 << 20,
                                         .heartbeat_ms = 20,
                                         .silence_max_ms = 10000,
                                         .reconnect_min_ms = 1,
                                         .reconnect_max_ms = 20,
                                         .waiting_size_max = 64 << 10,
                                         .greeting_max_ms = 10000,
                                         .key = STR_INIT("")};

static struct link_events events_of(struct end *e)
{
    return (struct link_events){on_up, on_down, on_frame, e};
}

static void dial(struct end *e, const struct link_limits *limits)
{
    static struct fault f;

    assert_int_equal(link_dial(&e->link, loop, url, limits, events_of(e), &f), 0);
}

static void listen_on(struct end *e, const struct link_limits *limits)
{
    static struct fault f;

    assert_int_equal(link_listen(&e->link, loop, url, limits, events_of(e), &f), 0);
}

static int set_up(void **state)
{
    clock_init(&the_clock, true); /* heartbeats follow real time all the same */
    loop = loop_new(&the_clock);
    return 0;
}

static int tear_down(void **state)
{
    loop_free(loop);
    unlink(url_path);
    return 0;
}

static void in_order_both_ways(void **state)
{
    struct end a = {.counts = true}, b = {.counts = true, .greets = true};
    struct buf nobody = {0};

    enum { FRAMES = 5000 };
    dial(&a, &quick); /* the other side comes later */
    loop_turn(loop, 0);
    assert_false(link_is_up(a.link));
    frame_write_clock(&nobody, 1);
    assert_int_equal(link_send(a.link, &nobody), E_DOWN);
    assert_null(nobody.p);
    listen_on(&b, &quick);
    UNTIL(a.is_up && b.is_up);
    assert_true(link_is_up(a.link) && link_is_up(b.link));
    for (u64 n = 0; n < FRAMES; n++) {
        send_number(&a, n, 100);
        send_number(&b, n + 1, n % 10 ? 50 : 5000);
    }
    UNTIL(b.frames == FRAMES && a.frames == FRAMES + 1);
    assert_int_equal(a.ups + b.ups, 2);
    assert_int_equal(a.downs + b.downs, 0);
    link_close(a.link);
    UNTIL(b.downs == 1);
    assert_false(link_is_up(b.link));
    link_close(b.link);
    link_close(NULL);
}

static void full_and_drained(void **state)
{
    struct end a = {.counts = true}, b = {.counts = true};
    u64 n = 0;

    listen_on(&b, &quick);
    dial(&a, &quick);
    UNTIL(a.is_up && b.is_up);
    assert_false(link_is_full(a.link));
    for (; !link_is_full(a.link) && n < 1000; n++)
        send_number(&a, n, 100000);
    assert_true(link_is_full(a.link));
    send_number(&a, n++, 100000); /* a warning, not a refusal */
    UNTIL(b.frames == (int)n);
    UNTIL(!link_is_full(a.link));
    assert_int_equal(b.size_last, 100000);
    link_close(a.link);
    link_close(b.link);
}

static void listener_dies_and_comes_again(void **state)
{
    struct end a = {.counts = true}, b = {.greets = true, .counts = true};

    dial(&a, &quick);
    for (int round = 1; round <= 5; round++) {
        b = (struct end){.greets = true, .counts = true};
        a.next = 0; /* the greeting is the first thing that is heard on every pipe */
        listen_on(&b, &quick);
        UNTIL(a.ups == round && a.frames == round);
        UNTIL(b.is_up);
        link_close(b.link);
        UNTIL(a.downs == round);
    }
    link_close(a.link);
}

static void dialer_dies_and_comes_again(void **state)
{
    struct end a, b = {0};

    listen_on(&b, &quick);
    for (int round = 1; round <= 5; round++) {
        a = (struct end){.greets = true};
        dial(&a, &quick);
        UNTIL(b.ups == round && b.frames == round);
        link_close(a.link);
        UNTIL(b.downs == round);
    }
    link_close(b.link);
}

static void hangs_up(void **state)
{
    struct end a = {0}, b = {.hangs_up = true};

    listen_on(&b, &quick);
    dial(&a, &quick);
    UNTIL(a.is_up && b.is_up);
    for (u64 n = 0; n < 10; n++)
        send_number(&a, n, 0);
    UNTIL(b.downs == 1);
    assert_int_equal(b.frames, 1); /* nothing more was heard on that pipe */
    UNTIL(a.ups == 2 && b.ups == 2);
    send_number(&b, 0, 0);
    UNTIL(a.frames == 1);
    link_close(a.link);
    link_close(b.link);
}

static void too_large(void **state)
{
    struct link_limits large = quick;
    struct end a = {0}, b = {0};
    struct buf big = {0};

    large.frame_size_max = 4 << 20;
    listen_on(&b, &quick);
    dial(&a, &large);
    UNTIL(a.is_up && b.is_up);
    memset(buf_room(&big, 5 << 20), 'x', 5 << 20);
    big.n = 5 << 20;
    assert_int_equal(link_send(a.link, &big), E_TOO_LARGE);
    assert_null(big.p);
    send_number(&a, 0, 2 << 20); /* within our bound, beyond the peer's: it ends the pipe */
    UNTIL(a.downs >= 1 && b.downs >= 1);
    assert_int_equal(b.frames, 0);
    link_close(a.link);
    link_close(b.link);
}

static void exactly_the_largest(void **state)
{
    struct end a = {0}, b = {0};

    listen_on(&b, &quick);
    dial(&a, &quick);
    UNTIL(a.is_up && b.is_up);
    send_number(&a, 0, quick.frame_size_max);
    UNTIL(b.frames == 1);
    assert_int_equal(b.size_last, quick.frame_size_max);
    assert_int_equal(a.downs + b.downs, 0);
    link_close(a.link);
    link_close(b.link);
}

/* A socket that listens at the url's path, or is connected to it. */
static int bare_socket(bool listens)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | (listens ? SOCK_NONBLOCK : 0), 0);

    snprintf(at.sun_path, sizeof(at.sun_path), "%s", url_path);
    if (listens) {
        assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
        assert_int_equal(listen(fd, 10), 0);
    } else {
        assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    }
    return fd;
}

static ssize_t bare_read(int fd, void *ret, size_t n)
{
    return recv(fd, ret, n, MSG_DONTWAIT);
}

/* Whether the other side ends the connection without another word. */
static bool is_cut(int fd)
{
    char c;

    return bare_read(fd, &c, 1) == 0;
}

/* Greets on a bare socket as a link does; LINK_GREETING_MORE: the other side hung up. */
static enum link_greeting_state greet(int fd, bool dials, const char *key)
{
    struct link_greeting g;
    struct id_source chance;
    struct buf out = {0}, got = {0};
    enum link_greeting_state state = LINK_GREETING_MORE;
    size_t taken;
    ssize_t n = 1;

    id_init(&chance, 0);
    link_greeting_begin(&g, dials, str_of(key), &chance, &out);
    while (state == LINK_GREETING_MORE && n != 0) {
        if (out.n)
            assert_int_equal(write(fd, out.p, out.n), (ssize_t)out.n);
        buf_reset(&out);
        loop_turn(loop, 1);
        n = bare_read(fd, buf_room(&got, 1), 1);
        got.n += n > 0 ? (size_t)n : 0;
        state = link_greeting_read(&g, buf_view(&got), &taken, &out);
        got.n -= taken;
    }
    if (out.n)
        assert_int_equal(write(fd, out.p, out.n), (ssize_t)out.n);
    buf_deinit(&out);
    buf_deinit(&got);
    return state;
}

static int bare_peer(void)
{
    int fd = bare_socket(false);

    assert_int_equal(greet(fd, true, ""), LINK_GREETING_DONE);
    return fd;
}

/* A peer that takes the connection, greets, and says nothing more. */
static void silence(void **state)
{
    struct link_limits limits = quick;
    struct end a = {0};
    int listener = bare_socket(true), fd;
    i64 start;

    limits.silence_max_ms = 100;
    dial(&a, &limits);
    UNTIL((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0);
    assert_int_equal(greet(fd, false, ""), LINK_GREETING_DONE);
    UNTIL(a.is_up);
    start = the_clock.mono_ms;
    UNTIL(a.downs == 1);
    assert_true(the_clock.mono_ms - start >= 100);
    assert_true(the_clock.mono_ms - start < 5000);
    close(fd);
    UNTIL((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0); /* and it tries again */
    close(fd);
    close(listener);
    link_close(a.link);
}

/* The peer closes in the very turn of our own end: it is one end, and the next pipe is spared. */
static void both_hang_up(void **state)
{
    struct end b = {0};
    int fd;

    listen_on(&b, &quick);
    fd = bare_peer();
    UNTIL(b.is_up);
    close(fd);
    usleep(100000); /* the end has arrived, and nobody has looked */
    link_hang_up(b.link);
    UNTIL(b.downs == 1);
    fd = bare_peer();
    UNTIL(b.ups == 2);
    for (int i = 0; i < 20; i++)
        loop_turn(loop, 1);
    assert_int_equal(b.downs, 1);
    close(fd);
    link_close(b.link);
}

static int slow_commit(void *arg, u64 *ret_ticket)
{
    *ret_ticket = 1;
    return *(bool *)arg ? E_AGAIN : 0;
}

static int slow_settled(void *arg, u64 *ret_ticket)
{
    *ret_ticket = *(bool *)arg ? 0 : 1;
    return 0;
}

static void slow_failed(void *arg, int err)
{
    fail();
}

static void nothing_later(struct loop_later *later, int err)
{
}

/* A store that is behind: nothing more is read, and nobody is taken for silent meanwhile. */
static void reads_no_more_than_the_store_takes(void **state)
{
    struct link_limits brief = quick;
    struct end a = {.counts = true}, b = {.counts = true};
    static struct loop_later many[10000];
    bool behind = true;
    u32 n = 0;

    enum { FRAMES = 200 };
    brief.silence_max_ms = 60;
    loop_set_store(loop, (struct loop_store){slow_commit, slow_settled, slow_failed, &behind});
    listen_on(&b, &brief);
    dial(&a, &brief);
    UNTIL(a.is_up && b.is_up);
    loop_dirty(loop);
    while (!loop_is_full(loop)) {
        assert_true(n < ARRAY_LEN(many));
        many[n].run = nothing_later;
        loop_later(loop, &many[n++]);
        loop_turn(loop, 0);
    }
    for (u64 i = 0; i < FRAMES; i++)
        send_number(&a, i, 10000);
    i64 end_us = clock_micros() + 4 * (i64)brief.silence_max_ms * 1000;
    UNTIL(clock_micros() > end_us);
    assert_true(b.frames < FRAMES / 2);
    behind = false;
    UNTIL(b.frames == FRAMES);
    assert_int_equal(a.downs + b.downs, 0);
    link_close(a.link);
    link_close(b.link);
}

/* A dialer that speaks no frames: a length beyond every bound, one cut short, bytes one by one. */
static void strangers(void **state)
{
    struct end b = {0};
    int fd;

    listen_on(&b, &quick);
    fd = bare_peer();
    assert_int_equal(write(fd, "GET / HTTP/1.1\r\n", 16), 16);
    UNTIL(b.downs == 1);
    close(fd);
    fd = bare_peer();
    assert_int_equal(write(fd, "\10\0\0\0cut", 7), 7);
    UNTIL(b.ups == 2);
    close(fd);
    UNTIL(b.downs == 2);
    assert_int_equal(b.frames, 0);
    fd = bare_peer();
    for (size_t i = 0; i < 9; i++) {
        assert_int_equal(write(fd, "\3\0\0\0abc\0\0" + i, 1), 1);
        loop_turn(loop, 1);
    }
    UNTIL(b.frames == 1);
    assert_int_equal(b.size_last, 3);
    close(fd);
    UNTIL(b.downs == 3);
    link_close(b.link);
}

/* --- greetings -------------------------------------------------------------------------------- */

static struct link_limits with_key(const char *key)
{
    struct link_limits limits = quick;

    limits.key = str_of(key);
    return limits;
}

static void one_key(void **state)
{
    struct link_limits limits = with_key("a key that both know");
    struct end a = {0}, b = {.greets = true};

    listen_on(&b, &limits);
    dial(&a, &limits);
    UNTIL(a.is_up && b.is_up && a.frames == 1);
    link_close(a.link);
    link_close(b.link);
}

/* Another key, or none on either side: nobody is up, again and again; the right one gets in. */
static void other_keys(void **state)
{
    static const char *const pairs[][2] = {
        {"one key", "another"}, {"one key", ""}, {"", "one key"}};

    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct link_limits left = with_key(pairs[i][0]), right = with_key(pairs[i][1]);
        struct end a = {0}, b = {0}, c = {0};

        listen_on(&b, &left);
        dial(&a, &right);
        for (int n = 0; n < 50; n++)
            loop_turn(loop, 2);
        assert_int_equal(a.ups + b.ups, 0);
        dial(&c, &left);
        UNTIL(c.is_up && b.is_up);
        assert_int_equal(a.ups, 0);
        link_close(a.link);
        link_close(c.link);
        link_close(b.link);
    }
}

/* A listener that does not know the key proves nothing, so the dialer says nothing to it. */
static void a_listener_without_the_key(void **state)
{
    struct link_limits limits = with_key("a key");
    struct end a = {.greets = true};
    int listener = bare_socket(true), fd;

    dial(&a, &limits);
    UNTIL((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0);
    assert_int_equal(greet(fd, false, "a guess"), LINK_GREETING_KEY);
    close(fd);
    assert_int_equal(a.ups, 0);
    close(listener);
    link_close(a.link);
}

/* What was heard of one greeting opens no other pipe. */
static void replay(void **state)
{
    struct link_limits limits = with_key("a key");
    struct end b = {0};
    struct link_greeting g;
    struct id_source chance;
    struct buf heard = {0};
    char challenge[64];
    ssize_t n = 0;
    size_t taken;

    id_init(&chance, 1);
    listen_on(&b, &limits);
    int fd = bare_socket(false);

    UNTIL((n = bare_read(fd, challenge, sizeof challenge)) > 0);
    link_greeting_begin(&g, true, STR("a key"), &chance, &heard);
    link_greeting_read(&g, str_from(challenge, (size_t)n), &taken, &heard);
    assert_int_equal(write(fd, heard.p, heard.n), (ssize_t)heard.n);
    UNTIL(b.is_up);
    close(fd);
    UNTIL(!b.is_up);
    fd = bare_socket(false);
    assert_int_equal(write(fd, heard.p, heard.n), (ssize_t)heard.n);
    UNTIL(bare_read(fd, challenge, sizeof challenge) > 0);
    UNTIL(is_cut(fd));
    assert_int_equal(b.ups, 1);
    close(fd);
    buf_deinit(&heard);
    link_close(b.link);
}

/* Who does not greet keeps nobody out, however many there are, and is cut when its time is over. */
static void silent_guests(void **state)
{
    struct link_limits limits = quick;
    struct end a = {0}, b = {0};
    int fds[40];
    char challenge[64];

    limits.greeting_max_ms = 300;
    listen_on(&b, &limits);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = bare_socket(false);
        UNTIL(bare_read(fds[i], challenge, sizeof challenge) > 0);
    }
    assert_true(is_cut(fds[0])); /* newer ones came */
    assert_false(is_cut(fds[ARRAY_LEN(fds) - 1]));
    dial(&a, &quick);
    UNTIL(a.is_up && b.is_up);
    UNTIL(is_cut(fds[ARRAY_LEN(fds) - 1]));
    assert_int_equal(b.downs, 0);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
    link_close(a.link);
    link_close(b.link);
}

static void aliens(void **state)
{
    static const char *const texts[] = {"GET / HTTP/1.1\r\n\r\n", "toquelk\2", "\4\0\0\0abcd"};
    struct end b = {0};
    char challenge[64];

    listen_on(&b, &quick);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        int fd = bare_socket(false);

        UNTIL(bare_read(fd, challenge, sizeof challenge) > 0);
        assert_true(write(fd, texts[i], strlen(texts[i])) > 0);
        UNTIL(is_cut(fd));
        close(fd);
    }
    assert_int_equal(b.ups, 0);
    link_close(b.link);
}

/* Only root can be somebody else. */
static void other_users(void **state)
{
    struct link_limits limits = with_key("a key");
    struct end b = {0};
    int fd;

    if (geteuid() != 0)
        skip();
    for (int has_key = 0; has_key < 2; has_key++) {
        listen_on(&b, has_key ? &limits : &quick);
        assert_int_equal(chmod(dir, 0711) | chmod(url_path, 0777), 0);
        assert_int_equal(seteuid(65534), 0);
        fd = bare_socket(false);
        assert_int_equal(seteuid(0), 0);
        if (has_key) { /* who knows it may be anybody */
            assert_int_equal(greet(fd, true, "a key"), LINK_GREETING_DONE);
            UNTIL(b.is_up);
        } else {
            UNTIL(is_cut(fd));
            assert_int_equal(b.ups, 0);
        }
        close(fd);
        link_close(b.link);
        unlink(url_path);
    }
}

static void open_to_all(void **state)
{
    assert_false(link_is_open_to_all("ipc:///run/toque/queued.link"));
    assert_false(link_is_open_to_all("abstract://x"));
    assert_true(link_is_open_to_all("tcp://127.0.0.1:5555"));
    assert_true(link_is_open_to_all("tls+tcp://h:1"));
    assert_true(link_is_open_to_all("ws://h:1"));
    assert_true(link_is_open_to_all(""));
}

/* Two ends that have nothing to say stay up far beyond the limit, by their heartbeats. */
static void heartbeats(void **state)
{
    struct link_limits limits = quick;
    struct end a = {0}, b = {0};
    i64 start;

    limits.silence_max_ms = 400;
    listen_on(&b, &limits);
    dial(&a, &limits);
    UNTIL(a.is_up && b.is_up);
    start = the_clock.mono_ms;
    UNTIL(the_clock.mono_ms - start > 1000);
    assert_int_equal(a.downs + b.downs, 0);
    assert_int_equal(a.frames + b.frames, 0); /* they are the link's own */
    link_close(a.link);
    link_close(b.link);
}

/* A second dialer on a link that has its peer is kept out, and takes over when the first is gone.
 */
static void two_dialers(void **state)
{
    struct end a = {0}, c = {0}, b = {0};

    listen_on(&b, &quick);
    dial(&a, &quick);
    UNTIL(a.is_up && b.is_up);
    dial(&c, &quick);
    for (int i = 0; i < 20; i++)
        loop_turn(loop, 5);
    send_number(&a, 1, 0);
    UNTIL(b.frames == 1);
    assert_int_equal(b.downs, 0);
    link_close(a.link);
    UNTIL(b.ups == 2 && c.is_up);
    send_number(&c, 2, 0);
    UNTIL(b.frames == 2);
    link_close(c.link);
    link_close(b.link);
}

/* Either end goes while both send as fast as they can: the other one hears of it and goes on. */
static void cut_under_load(void **state)
{
    struct end a = {0}, b;
    int downs = 0;

    dial(&a, &quick);
    for (int round = 0; round < 60; round++) {
        b = (struct end){0};
        listen_on(&b, &quick);
        UNTIL(a.is_up && b.is_up);
        for (u64 n = 0; n < 30; n++) {
            send_number(&a, n, round % 2 ? 300000 : 1000);
            send_number(&b, n, round % 2 ? 1000 : 300000);
        }
        for (int i = 0; i < round % 5; i++)
            loop_turn(loop, 0);
        if (round % 3) {
            link_close(b.link);
            UNTIL(a.downs > downs);
        } else {
            link_close(a.link);
            UNTIL(b.downs == 1);
            link_close(b.link);
            a = (struct end){.downs = a.downs};
            dial(&a, &quick);
        }
        downs = a.downs;
    }
    link_close(a.link);
}

static void bad_addresses(void **state)
{
    static struct fault f;
    struct end a = {0}, b = {0};
    struct link *second;

    assert_int_equal(link_dial(&second, loop, "nonsense", &quick, events_of(&a), &f), E_FAULT);
    assert_non_null(strstr(f.text, "nonsense"));
    fault_clear(&f);
    listen_on(&b, &quick);
    assert_int_equal(link_listen(&second, loop, url, &quick, events_of(&a), &f), E_FAULT);
    assert_non_null(strstr(f.text, url));
    link_close(b.link);
}

#define WITH_LOOP(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LOOP(in_order_both_ways),
        WITH_LOOP(full_and_drained),
        WITH_LOOP(listener_dies_and_comes_again),
        WITH_LOOP(dialer_dies_and_comes_again),
        WITH_LOOP(hangs_up),
        WITH_LOOP(both_hang_up),
        WITH_LOOP(too_large),
        WITH_LOOP(exactly_the_largest),
        WITH_LOOP(silence),
        WITH_LOOP(reads_no_more_than_the_store_takes),
        WITH_LOOP(strangers),
        WITH_LOOP(cut_under_load),
        WITH_LOOP(heartbeats),
        WITH_LOOP(two_dialers),
        WITH_LOOP(one_key),
        WITH_LOOP(other_keys),
        WITH_LOOP(a_listener_without_the_key),
        WITH_LOOP(replay),
        WITH_LOOP(silent_guests),
        WITH_LOOP(aliens),
        WITH_LOOP(other_users),
        cmocka_unit_test(open_to_all),
        WITH_LOOP(bad_addresses),
    };
    int r;

    if (!mkdtemp(dir))
        return 1;
    snprintf(url_path, sizeof(url_path), "%s/link.ipc", dir);
    snprintf(url, sizeof(url), "ipc://%s", url_path);
    r = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(dir);
    return r;
}
