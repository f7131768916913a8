/* background.[ch]: who works when, how large slices become, and that all of them together take their
 * share and no more. Time is the test's own: what a piece and a commit cost is said here. */
#include "common/io/background.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/err.h"

struct rig {
    struct clock clock;
    struct loop *loop;
    struct background *background;
    struct loop_watch requests;
    i64 now_us;
    i64 commit_us;  /* of an empty commit */
    i64 page_us;    /* a commit takes longer for each dirty piece */
    i64 request_us; /* what a request costs */
    i64 longest_us; /* commit with background pieces in it */
    u64 served;     /* requests */
    u32 dirty;      /* pieces in the open turn */
    bool closed;    /* no class but DUE may work */
    int fail;       /* what the next commit answers */
    u64 ticket, durable;
    bool async;
};

struct job {
    struct background_job job;
    struct rig *rig;
    u64 left;
    i64 piece_us;
    bool writes;
    bool asks; /* whether its slice is over */
    u32 last;  /* pieces of the last slice */
    char letter;
};

static char journal[4096]; /* a letter a slice */

/* A piece at a time, until the slice is over; returns how many. */
static u32 job_ask(struct job *j, u32 max)
{
    u32 n = 0;

    while (n < max && !background_is_over(j->rig->background)) {
        j->rig->now_us += j->piece_us;
        n++;
    }
    return n;
}

static u32 job_step(void *arg, u32 pieces)
{
    struct job *j = arg;
    u32 n = (u32)MIN((u64)pieces, j->left);
    size_t at = strlen(journal);

    if (at + 1 < sizeof(journal)) {
        journal[at] = j->letter;
        journal[at + 1] = '\0';
    }
    if (j->asks)
        n = job_ask(j, n);
    else
        j->rig->now_us += n * j->piece_us;
    j->left -= n;
    j->last = n;
    if (j->writes && n) {
        j->rig->dirty += n;
        loop_dirty(j->rig->loop);
    }
    return n;
}

static void job_init(struct job *j, struct rig *r, char letter, enum background_class class,
                     i64 piece_us, bool writes)
{
    *j = (struct job){.rig = r, .letter = letter, .piece_us = piece_us, .writes = writes};
    j->job = (struct background_job){.name = "job", .class = class, .step = job_step, .arg = j};
}

static void give(struct job *j, u64 pieces)
{
    j->left += pieces;
    background_wake(j->rig->background, &j->job);
}

static int rig_commit(void *arg, u64 *ret_ticket)
{
    struct rig *r = arg;
    i64 us = r->commit_us + r->dirty * r->page_us;
    int err = r->fail;

    r->now_us += us;
    if (r->dirty)
        r->longest_us = MAX(r->longest_us, us);
    r->dirty = 0;
    r->fail = 0;
    if (err)
        return err;
    *ret_ticket = ++r->ticket;
    if (!r->async)
        r->durable = r->ticket;
    return 0;
}

static int rig_settled(void *arg, u64 *ret_ticket)
{
    *ret_ticket = ((struct rig *)arg)->durable;
    return 0;
}

static void rig_failed(void *arg, int err)
{
    ((struct rig *)arg)->dirty = 0;
}

static bool rig_may(void *arg, enum background_class class)
{
    return class == BACKGROUND_DUE || !((struct rig *)arg)->closed;
}

static i64 rig_now(void *arg)
{
    return ((struct rig *)arg)->now_us;
}

static i64 rig_wall(void *arg)
{
    return 0;
}

static void request_ready(struct loop_watch *w, u32 events)
{
    struct rig *r = w->arg;

    r->now_us += r->request_us;
    r->served++;
    loop_dirty(r->loop);
}

static void rig_init(struct rig *r, u32 share_percent)
{
    *r = (struct rig){.now_us = 1000000, .commit_us = 200, .request_us = 100};
    journal[0] = '\0';
    clock_init_from(&r->clock, &(struct clock_source){rig_wall, rig_now, r}, true);
    r->loop = loop_new(&r->clock);
    loop_set_store(r->loop, (struct loop_store){rig_commit, rig_settled, rig_failed, r});
    r->background = background_new(
        r->loop,
        &(struct background_conf){.share_percent = share_percent, .may = rig_may, .arg = r});
    r->requests = (struct loop_watch){
        .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .ready = request_ready, .arg = r};
    assert_int_equal(loop_watch(r->loop, &r->requests, EPOLLIN), 0);
}

static void rig_deinit(struct rig *r)
{
    int fd = r->requests.fd;

    loop_unwatch(r->loop, &r->requests);
    close(fd);
    background_free(r->background);
    loop_free(r->loop);
}

/* The rig's requests never end from now on: level triggered, nobody reads the event. */
static void begin_requests(struct rig *r)
{
    u64 one = 1;

    assert_int_equal(write(r->requests.fd, &one, sizeof(one)), sizeof(one));
}

static void turns(struct rig *r, u32 n)
{
    while (n-- > 0) {
        r->now_us += 10;
        loop_turn(r->loop, 0);
    }
}

/* Turns until the loop would wait; the wait then passes, up to `us` in all. */
static void run_idle(struct rig *r, i64 us)
{
    i64 end = r->now_us + us;

    while (r->now_us < end) {
        i64 wait_ms = loop_wait_ms(r->loop);

        if (wait_ms < 0)
            return;
        r->now_us += MAX(wait_ms * 1000, 10);
        loop_turn(r->loop, 0);
    }
}

static void a_job_works_until_it_has_nothing_to_do(void **state)
{
    struct rig r;
    struct job a;

    rig_init(&r, 15);
    job_init(&a, &r, 'a', BACKGROUND_CLEAR, 1, true);
    assert_false(background_is_awake(&a.job));
    background_sleep(r.background, &a.job);
    give(&a, 1000);
    give(&a, 1000);
    assert_true(background_is_awake(&a.job));
    run_idle(&r, 1000000);
    assert_int_equal(a.left, 0);
    assert_false(background_is_awake(&a.job));
    assert_int_equal(a.job.pieces_done, 2000);
    assert_int_equal(background_stats(r.background).awake, 0);
    assert_int_equal(loop_wait_ms(r.loop), -1);
    give(&a, 1);
    run_idle(&r, 1000000);
    assert_int_equal(a.left, 0);
    rig_deinit(&r);
}

static void beside_other_work_it_takes_its_share(void **state)
{
    for (u32 share = 5; share <= 50; share += 15) {
        struct rig r;
        struct job a;

        rig_init(&r, share);
        r.page_us = 3;
        job_init(&a, &r, 'a', BACKGROUND_CLEAR, 2, true);
        begin_requests(&r);
        turns(&r, 100); /* what a commit costs without slices is learned */
        give(&a, 100000000);
        turns(&r, 2000);
        i64 begin_us = r.now_us, cost_us = background_stats(r.background).us;
        u64 left = a.left;

        turns(&r, 20000);
        double took = (double)(left - a.left) * (2 + 3) / (double)(r.now_us - begin_us);

        assert_true(took > share * 0.007 && took < share * 0.0105);
        double told =
            (double)(background_stats(r.background).us - cost_us) / (double)(r.now_us - begin_us);

        assert_true(told > share * 0.007 && told < share * 0.0105);
        assert_true(a.last * 5 <= BACKGROUND_SLICE_US * 11 / 10);
        background_sleep(r.background, &a.job);
        rig_deinit(&r);
    }
}

static void alone_it_takes_all_and_no_commit_is_long(void **state)
{
    struct rig r;
    struct job a;

    rig_init(&r, 15);
    r.page_us = 20;
    job_init(&a, &r, 'a', BACKGROUND_CLEAR, 1, true);
    give(&a, 100000);
    run_idle(&r, BACKGROUND_IDLE_US * 2);
    i64 begin_us = r.now_us;
    u64 left = a.left;

    run_idle(&r, 1000000);
    double took = (double)(left - a.left) * 21 / (double)(r.now_us - begin_us);

    assert_true(took > 0.8);
    assert_true(r.longest_us <= BACKGROUND_COMMIT_US * 5 / 4);
    assert_in_range(background_stats(r.background).commit_median_us, 1000, BACKGROUND_COMMIT_US);
    background_sleep(r.background, &a.job);
    rig_deinit(&r);
}

static void a_slow_disk_does_not_make_slices_tiny(void **state)
{
    struct rig r;
    struct job a;

    rig_init(&r, 15);
    r.commit_us = 10000;
    r.page_us = 10;
    job_init(&a, &r, 'a', BACKGROUND_CLEAR, 1, true);
    begin_requests(&r);
    turns(&r, 50);
    give(&a, 1000000);
    turns(&r, 500);
    assert_true(a.last > 50);
    background_sleep(r.background, &a.job);
    rig_deinit(&r);
}

/* A piece suddenly costs a thousand times what all before it did. */
static void a_job_that_asks_makes_no_long_slice(void **state)
{
    struct rig r;
    struct job a;

    rig_init(&r, 15);
    job_init(&a, &r, 'a', BACKGROUND_CLEAR, 1, true);
    a.asks = true;
    give(&a, 1000000);
    run_idle(&r, 300000);
    assert_true(a.last > 100);
    a.piece_us = 1000;
    i64 longest_us = 0;
    u64 left = a.left;

    for (int i = 0; i < 50; i++) {
        i64 begin_us = r.now_us;

        turns(&r, 1);
        longest_us = MAX(longest_us, r.now_us - begin_us);
    }
    assert_true(a.left < left);
    assert_true(longest_us <= BACKGROUND_SLICE_IDLE_US + 1000 + BACKGROUND_COMMIT_US);
    assert_true(background_is_awake(&a.job)); /* though it did fewer than it was asked for */
    a.piece_us = 1;
    run_idle(&r, 10000000);
    assert_int_equal(a.left, 0);
    assert_false(background_is_awake(&a.job));
    rig_deinit(&r);
}

static void what_is_due_comes_first_and_at_once(void **state)
{
    struct rig r;
    struct job due, clear, space;

    rig_init(&r, 15);
    job_init(&due, &r, 'd', BACKGROUND_DUE, 1, false);
    job_init(&clear, &r, 'c', BACKGROUND_CLEAR, 10, true);
    job_init(&space, &r, 's', BACKGROUND_SPACE, 10, true);
    begin_requests(&r);
    turns(&r, 20);
    give(&space, 1000000);
    give(&clear, 1000000);
    turns(&r, 100);
    assert_non_null(strchr(journal, 'c'));
    assert_null(strchr(journal, 's'));
    for (int i = 0; i < 20; i++) {
        /* Whatever the others do, a few that fall due are done in the turn that finds them. */
        give(&due, 5);
        turns(&r, 1);
        assert_int_equal(due.left, 0);
    }
    /* A mass is not: it keeps to the share, and the others wait until it is done. */
    give(&due, 1000000);
    turns(&r, 200);
    assert_true(due.left > 0);
    u64 left = clear.left;
    size_t at = strlen(journal);

    turns(&r, 1000);
    assert_int_equal(clear.left, left);
    assert_non_null(strchr(journal + at, 'd'));
    due.left = 0;
    turns(&r, 1000);
    assert_true(clear.left < left);
    background_sleep(r.background, &due.job);
    background_sleep(r.background, &clear.job);
    background_sleep(r.background, &space.job);
    rig_deinit(&r);
}

static void jobs_of_a_class_take_turns(void **state)
{
    struct rig r;
    struct job a, b;

    rig_init(&r, 15);
    job_init(&a, &r, 'a', BACKGROUND_CLEAR, 1, true);
    job_init(&b, &r, 'b', BACKGROUND_CLEAR, 1, true);
    give(&a, 10000000);
    give(&b, 10000000);
    run_idle(&r, 400000);
    assert_memory_equal(journal, "abababab", 8);
    background_sleep(r.background, &a.job);
    background_sleep(r.background, &b.job);
    run_idle(&r, 100000);
    assert_int_equal(background_stats(r.background).awake, 0);
    rig_deinit(&r);
}

static void a_class_that_may_not_work_is_asked_again(void **state)
{
    struct rig r;
    struct job a;

    rig_init(&r, 15);
    job_init(&a, &r, 'a', BACKGROUND_CLEAR, 1, true);
    r.closed = true;
    give(&a, 10);
    turns(&r, 1);
    assert_in_range(loop_wait_ms(r.loop), 1, 10);
    run_idle(&r, 200000);
    assert_int_equal(a.left, 10);
    r.closed = false;
    run_idle(&r, 20000);
    assert_int_equal(a.left, 0);
    rig_deinit(&r);
}

static void no_slice_begins_before_the_last_one_is_settled(void **state)
{
    struct rig r;
    struct job a;

    rig_init(&r, 100);
    r.async = true;
    job_init(&a, &r, 'a', BACKGROUND_CLEAR, 1, true);
    give(&a, 1000000);
    turns(&r, 10);
    assert_string_equal(journal, "a");
    r.durable = r.ticket;
    turns(&r, 1);
    assert_string_equal(journal, "aa");
    /* Settled badly: the job is its owner's to put right, the scheduler goes on. */
    r.durable = r.ticket;
    r.fail = E_IO;
    turns(&r, 10);
    assert_true(strlen(journal) >= 3);
    r.durable = r.ticket + 10;
    background_sleep(r.background, &a.job);
    turns(&r, 3);
    assert_int_equal(loop_wait_ms(r.loop), -1);
    rig_deinit(&r);
}

/* Where no time passes, as in a simulation, slices follow from the counts alone. */
static void without_time_slices_are_the_same_in_every_run(void **state)
{
    char first[sizeof(journal)] = "";

    for (int run = 0; run < 2; run++) {
        struct rig r;
        struct job a;

        rig_init(&r, 15);
        r.commit_us = r.request_us = 0;
        job_init(&a, &r, 'a', BACKGROUND_CLEAR, 0, true);
        give(&a, 1000000);
        while (a.left > 0)
            loop_turn(r.loop, 0);
        if (run)
            assert_string_equal(journal, first);
        else
            memcpy(first, journal, sizeof(first));
        background_sleep(r.background, &a.job);
        rig_deinit(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_works_until_it_has_nothing_to_do),
        cmocka_unit_test(beside_other_work_it_takes_its_share),
        cmocka_unit_test(alone_it_takes_all_and_no_commit_is_long),
        cmocka_unit_test(a_slow_disk_does_not_make_slices_tiny),
        cmocka_unit_test(a_job_that_asks_makes_no_long_slice),
        cmocka_unit_test(what_is_due_comes_first_and_at_once),
        cmocka_unit_test(jobs_of_a_class_take_turns),
        cmocka_unit_test(a_class_that_may_not_work_is_asked_again),
        cmocka_unit_test(no_slice_begins_before_the_last_one_is_settled),
        cmocka_unit_test(without_time_slices_are_the_same_in_every_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
