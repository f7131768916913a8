/* topicd's store: rows survive, the epoch grows with every open and durably, the outbox gives its
 * frames back in order and counts what waits, and a failed turn leaves nothing. */
#include "common/base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "common/aws/frame.h"
#include "common/base/buf.h"
#include "common/base/mem.h"
#include "tests/failing_vfs.h"
#include "tests/store_aid.h"
#include "topicd/topic_store.h"

#define NOW           1790000000000
#define QUEUE(q)      "arn:aws:sqs:us-east-1:000000000000:" q
#define HOME(q, home) "home " QUEUE(q) " at " home "\n"

struct world {
    char *dir, *path;
    struct topic_store *s;
};

static void open_world(struct world *w)
{
    struct fault f = {0};
    assert_int_equal(topic_store_open(&w->s, store_aid_options(w->dir, STORE_FULL), &f), 0);
}

static void reopen(struct world *w)
{
    topic_store_close(w->s);
    open_world(w);
}

static int set_up(void **state)
{
    struct world *w = mem_alloc(sizeof(*w));
    failing_vfs_install();
    failing_vfs_heal();
    w->dir = store_aid_dir();
    w->path = mem_printf("%s/topicd.db", w->dir);
    open_world(w);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    failing_vfs_heal();
    topic_store_close(w->s);
    store_aid_remove(w->dir);
    mem_free(w->path);
    mem_free(w);
    return 0;
}

/* What this process's death would leave: a copy of the files, opened anew; closed by the caller. */
static struct world crashed(struct world *w)
{
    struct world copy = {.dir = store_aid_dir()};
    copy.path = mem_printf("%s/topicd.db", copy.dir);
    store_aid_copy(w->path, copy.path);
    open_world(&copy);
    return copy;
}

static void close_copy(struct world *copy)
{
    topic_store_close(copy->s);
    store_aid_remove(copy->dir);
    mem_free(copy->path);
}

static int commit(struct world *w)
{
    u64 ticket;
    return topic_store_commit(w->s, &ticket);
}

static int list_topic(void *arg, const struct topic_row *t)
{
    buf_printf(arg, "topic %" PRIu64 " %.*s %.*s %" PRId64 "\n", t->id, STR_ARG(t->arn),
               STR_ARG(t->attributes), t->created_ms);
    return 0;
}

static int list_sub(void *arg, const struct sub_row *u)
{
    buf_printf(arg, "sub %" PRIu64 " of %" PRIu64 " %.*s %.*s %.*s", u->id, u->topic,
               STR_ARG(u->arn), STR_ARG(u->protocol), STR_ARG(u->endpoint));
    buf_printf(arg, " %.*s %.*s %" PRId64 "\n", STR_ARG(u->owner), STR_ARG(u->attributes),
               u->created_ms);
    return 0;
}

static int list_queued(void *arg, const struct queued_row *q)
{
    buf_printf(arg, "queued %" PRIu64 " %.*s at %.*s\n", q->id, STR_ARG(q->name), STR_ARG(q->url));
    return 0;
}

static int list_home(void *arg, str queue, u64 queued)
{
    buf_printf(arg, "home %.*s at %" PRIu64 "\n", STR_ARG(queue), queued);
    return 0;
}

static void check_all(struct world *w, const char *expected)
{
    struct buf out = {0};
    buf_z(&out, "");
    assert_int_equal(topic_store_load(w->s, list_topic, list_sub, &out), 0);
    assert_int_equal(topic_store_load_queueds(w->s, list_queued, &out), 0);
    assert_int_equal(topic_store_load_homes(w->s, list_home, &out), 0);
    assert_string_equal(out.p, expected);
    buf_deinit(&out);
}

static void put_sub(struct world *w, u64 id, u64 topic)
{
    topic_store_put_sub(w->s, &(struct sub_row){.id = id,
                                                .topic = topic,
                                                .arn = STR("arn:s"),
                                                .protocol = STR("sqs"),
                                                .endpoint = STR("arn:q"),
                                                .owner = STR("me"),
                                                .attributes = STR("{}"),
                                                .created_ms = NOW});
}

static void put_topic(struct world *w, u64 id)
{
    topic_store_put_topic(w->s, &(struct topic_row){.id = id,
                                                    .arn = STR("arn:t"),
                                                    .attributes = STR("{\"a\":1}"),
                                                    .created_ms = NOW});
}

static void add(struct world *w, u64 queued, u64 id, const char *frame)
{
    topic_store_outbox_add(
        w->s, &(struct outbox_row){.id = id, .queued = queued, .frame = str_of(frame)});
}

static void check_size(struct world *w, u64 queued, u64 frames, u64 bytes)
{
    const struct topic_outbox *o = topic_store_outbox(w->s, queued);
    assert_int_equal(o->frames, frames);
    assert_int_equal(o->bytes, bytes);
}

/* What a reading brings: "ID=FRAME;…". */
struct reading {
    struct outbox_read read;
    struct buf out;
    int err;
    bool done;
};

static void row_came(struct outbox_read *r, const struct outbox_row *row)
{
    struct reading *got = container_of(r, struct reading, read);
    assert_false(got->done);
    buf_printf(&got->out, "%" PRIu64 "=%.*s;", row->id, STR_ARG(row->frame));
}

static void reading_done(struct outbox_read *r, int err)
{
    struct reading *got = container_of(r, struct reading, read);
    assert_false(got->done);
    got->done = true;
    got->err = err;
}

static void check_bounded(struct world *w, u64 queued, u64 after, u64 through, u32 frames_max,
                          u64 bytes_max, const char *expected)
{
    struct reading got = {.read = {.after = after,
                                   .through = through,
                                   .frames_max = frames_max,
                                   .bytes_max = bytes_max,
                                   .row = row_came,
                                   .done = reading_done}};
    buf_z(&got.out, "");
    topic_store_outbox_read(w->s, queued, &got.read);
    assert_true(got.done); /* SQLite has them at hand */
    assert_int_equal(got.err, 0);
    assert_string_equal(got.out.p, expected);
    topic_store_outbox_cancel(&got.read); /* harmless */
    buf_deinit(&got.out);
}

static void check_read(struct world *w, u64 queued, u64 after, const char *expected)
{
    check_bounded(w, queued, after, UINT64_MAX, 100, 1000, expected);
}

/* --- topics, subscriptions, homes ------------------------------------------------------------- */

static void test_rows_survive(void **state)
{
    struct world *w = *state;
    i64 clock = 0;
    check_all(w, "");
    assert_int_equal(topic_store_next_topic_id(w->s), 1);
    assert_int_equal(topic_store_next_sub_id(w->s), 1);
    put_topic(w, 1);
    put_topic(w, 2);
    put_sub(w, 1, 1);
    put_sub(w, 2, 2);
    put_sub(w, 3, 2);
    put_sub(w, 4, 1);
    topic_store_put_queued(w->s, &(struct queued_row){1, STR("a"), STR("ipc://a")});
    topic_store_put_queued(w->s, &(struct queued_row){2, STR("b"), STR("ipc://b")});
    topic_store_put_queued(w->s, &(struct queued_row){3, STR("c"), STR("ipc://c")});
    topic_store_put_queued(w->s, &(struct queued_row){1, STR("a"), STR("")});
    topic_store_delete_queued(w->s, 3);
    topic_store_put_home(w->s, STR("arn:q"), 1);
    topic_store_put_home(w->s, STR("arn:q"), 2);
    topic_store_put_home(w->s, STR("arn:z"), 2);
    topic_store_delete_home(w->s, STR("arn:z"));
    topic_store_delete_sub(w->s, 4);
    topic_store_delete_topic(w->s, 2);
    topic_store_delete_sub(w->s, 2);
    topic_store_meta_set(w->s, "clock", NOW);
    assert_int_equal(commit(w), 0);
    reopen(w);
    /* What subscribed to a topic is deleted one by one, and comes without it until then. */
    check_all(w, "topic 1 arn:t {\"a\":1} 1790000000000\n"
                 "sub 1 of 1 arn:s sqs arn:q me {} 1790000000000\n"
                 "sub 3 of 2 arn:s sqs arn:q me {} 1790000000000\n"
                 "queued 1 a at \n"
                 "queued 2 b at ipc://b\n"
                 "home arn:q at 2\n");
    assert_int_equal(topic_store_meta_get(w->s, "clock", &clock), 0);
    assert_int_equal(clock, NOW);
    assert_int_equal(topic_store_next_topic_id(w->s), 3);
    assert_int_equal(topic_store_next_sub_id(w->s), 5);
}

static void test_ids_never_come_back(void **state)
{
    struct world *w = *state;
    put_topic(w, 7);
    put_sub(w, 20000, 7);
    assert_int_equal(commit(w), 0);
    topic_store_delete_topic(w->s, 7);
    topic_store_delete_sub(w->s, 20000);
    assert_int_equal(commit(w), 0);
    struct world copy = crashed(w);
    check_all(&copy, "");
    assert_true(topic_store_next_topic_id(copy.s) > 7);
    assert_true(topic_store_next_sub_id(copy.s) > 20000);
    close_copy(&copy);
}

static void test_the_epoch_grows(void **state)
{
    struct world *w = *state;
    struct fault f = {0};
    u64 first = w->s->engine.epoch;
    assert_true(first >
                (u64)6 * 365 * 24 * 3600 * 1000); /* a time: an old copy's next one is later */
    char *instance = mem_dup(str_of(topic_store_instance(w->s)));
    assert_int_equal(strlen(instance), 36);
    reopen(w);
    u64 second = w->s->engine.epoch;
    assert_true(second > first);
    assert_string_equal(topic_store_instance(w->s), instance);
    struct world copy = crashed(w);
    assert_true(copy.s->engine.epoch > second);
    close_copy(&copy);
    topic_store_close(w->s);
    failing_vfs_heal(); /* relaxed or not, it is synced */
    assert_int_equal(topic_store_open(&w->s, store_aid_options(w->dir, STORE_RELAXED), &f), 0);
    u64 third = w->s->engine.epoch;
    assert_true(third > second);
    assert_true(failing_vfs_count(FAILING_SYNC, FAILING_WAL) > 0);
    topic_store_close(w->s);
    w->s = NULL;
    failing_vfs_order((struct failing_order){
        .ops = FAILING_SYNC, .files = FAILING_ANY, .result = SQLITE_IOERR_FSYNC, .times = -1});
    assert_int_equal(topic_store_open(&w->s, store_aid_options(w->dir, STORE_RELAXED), &f),
                     E_UNSURE);
    assert_null(w->s);
    assert_int_equal(f.code, E_UNSURE);
    failing_vfs_heal();
    open_world(w);
    assert_true(w->s->engine.epoch > third);
    mem_free(instance);
}

/* --- the outbox ------------------------------------------------------------------------------- */

static void test_the_outbox(void **state)
{
    struct world *w = *state;
    check_read(w, 1, 0, "");
    check_size(w, 1, 0, 0);
    assert_int_equal(topic_store_next_outbox_id(w->s), 1);
    topic_store_outbox_acked(w->s, 1, 0, 5);
    assert_false(topic_store_stats(w->s).failures);
    add(w, 1, 1, "one");
    add(w, 2, 2, "its own");
    add(w, 1, 3, "two");
    add(w, 1, 4, "three");
    check_size(w, 1, 3, 11);
    assert_int_equal(commit(w), 0);
    reopen(w);

    assert_int_equal(topic_store_next_outbox_id(w->s), 5);
    check_size(w, 1, 3, 11);
    check_size(w, 2, 1, 7);
    assert_int_equal(topic_store_outbox(w->s, 1)->last, 4);
    check_read(w, 1, 0, "1=one;3=two;4=three;");
    check_read(w, 1, 1, "3=two;4=three;");
    check_read(w, 1, 4, "");
    check_read(w, 1, UINT64_MAX, "");
    check_bounded(w, 1, 0, 3, 100, 1000, "1=one;3=two;");
    check_bounded(w, 1, 0, UINT64_MAX, 2, 1000, "1=one;3=two;");
    check_bounded(w, 1, 0, UINT64_MAX, 100, 4, "1=one;3=two;"); /* up to the row that reaches it */
    check_bounded(w, 1, 0, UINT64_MAX, 100, 1, "1=one;");
    check_read(w, 2, 0, "2=its own;");
    topic_store_outbox_acked(w->s, 1, 0, 3);
    check_size(w, 1, 1, 5);
    check_read(w, 1, 0, "4=three;");
    topic_store_outbox_set(w->s, 1, 4, STR("less"));
    check_size(w, 1, 1, 4);
    check_read(w, 1, 0, "4=less;");
    assert_int_equal(commit(w), 0);
    topic_store_outbox_acked(w->s, 1, 3, UINT64_MAX);
    assert_int_equal(commit(w), 0);
    check_size(w, 1, 0, 0);
    check_size(w, 2, 1, 7);
    check_read(w, 1, 0, "");
    reopen(w);
    check_size(w, 1, 0, 0);
    check_read(w, 2, 0, "2=its own;");
    assert_int_equal(topic_store_next_outbox_id(w->s), 5);
}

static void test_queueds_that_are_the_same(void **state)
{
    struct world *w = *state;
    topic_store_put_queued(w->s, &(struct queued_row){1, STR("ipc://a"), STR("ipc://a")});
    topic_store_put_queued(w->s, &(struct queued_row){2, STR("b"), STR("ipc://a")});
    add(w, 1, 1, "one");
    add(w, 2, 2, "two");
    add(w, 1, 3, "three");
    topic_store_put_home(w->s, STR("arn:q"), 1);
    assert_int_equal(commit(w), 0);
    topic_store_merge_queued(w->s, 1, 2);
    check_size(w, 1, 0, 0);
    check_size(w, 2, 3, 11);
    assert_int_equal(topic_store_outbox(w->s, 2)->last, 3);
    assert_int_equal(commit(w), 0);
    reopen(w);
    check_size(w, 2, 3, 11);
    check_read(w, 2, 0, "1=one;2=two;3=three;");
    check_all(w, "queued 2 b at ipc://a\n"
                 "home arn:q at 2\n");
}

/* Counts that a failed turn changed are not believed after it. */
static void test_the_outbox_after_failed_turns(void **state)
{
    struct world *w = *state;
    struct failing_order sync = {
        .ops = FAILING_SYNC, .files = FAILING_WAL, .result = SQLITE_IOERR_FSYNC, .mine = true};
    add(w, 1, 10, "kept");
    assert_int_equal(commit(w), 0);
    sync.times = 1;
    failing_vfs_order(sync);
    add(w, 2, 11, "never");
    add(w, 1, 12, "never");
    topic_store_outbox_acked(w->s, 1, 0, 10);
    put_topic(w, 1);
    assert_int_equal(commit(w), E_IO);
    failing_vfs_order((struct failing_order){.ops = FAILING_READ,
                                             .result = SQLITE_IOERR_READ,
                                             .times = -1,
                                             .files = FAILING_ANY,
                                             .mine = true});
    assert_int_equal(topic_store_recount(w->s), E_IO);
    assert_int_equal(topic_store_outbox(w->s, 1)->last, 12); /* nothing overtakes what may be */
    failing_vfs_heal();
    assert_int_equal(topic_store_recount(w->s), 0);
    check_size(w, 1, 1, 4);
    assert_int_equal(topic_store_outbox(w->s, 1)->last, 10);
    check_size(w, 2, 0, 0);
    check_all(w, "");
    assert_int_equal(topic_store_next_outbox_id(w->s), 13);
    struct world copy = crashed(w);
    check_size(&copy, 1, 1, 4);
    check_size(&copy, 2, 0, 0);
    check_all(&copy, "");
    close_copy(&copy);
    add(w, 3, 13, "c");
    add(w, 2, 14, "again");
    assert_int_equal(commit(w), 0);
    check_read(w, 2, 0, "14=again;");
    check_read(w, 3, 0, "13=c;");
    check_read(w, 1, 0, "10=kept;");
}

/* Rows that could not be counted were not deleted: the turn is lost. */
static void test_a_count_that_fails(void **state)
{
    struct world *w = *state;
    u64 ticket;
    add(w, 1, 10, "kept");
    assert_int_equal(commit(w), 0);
    reopen(w);
    store_aid_sql(
        w->path,
        "UPDATE meta SET value = value + 1 WHERE key = 'outbox_id'"); /* nothing of it is cached now */
    failing_vfs_order((struct failing_order){.ops = FAILING_READ,
                                             .result = SQLITE_IOERR_READ,
                                             .times = -1,
                                             .files = FAILING_ANY,
                                             .mine = true});
    topic_store_outbox_acked(w->s, 1, 0, 10);
    failing_vfs_heal();
    assert_int_not_equal(topic_store_commit(w->s, &ticket), 0);
    assert_int_equal(topic_store_recount(w->s), 0);
    check_size(w, 1, 1, 4);
}

/* --- stores of earlier versions --------------------------------------------------------------- */

static void frame_of_1(struct outbox_read *r, const struct outbox_row *row)
{
    struct reading *got = container_of(r, struct reading, read);
    struct frame_deliver d;
    struct frame_publication p;
    struct frame_target t;
    assert_int_equal(frame_read_deliver(row->frame, &d), 0);
    assert_true(str_is(d.incarnation, "ab781070-a9fa-4d9c-9f7d-93d6387a67e7"));
    assert_int_equal(d.publication_count, 1);
    assert_int_equal(frame_next_publication(&d.publications, &p), 1);
    assert_int_equal(frame_next_target(&p.targets, &t), 1);
    buf_printf(&got->out, "%" PRIu64 ".%" PRIu64 " %.*s to %.*s\n", row->id,
               d.sequence - 915198260447019011, STR_ARG(p.message_id), STR_ARG(t.queue));
}

static void test_version_1(void **state)
{
    struct world *w = *state;
    struct reading got = {.read = {.through = UINT64_MAX,
                                   .frames_max = 100,
                                   .bytes_max = UINT64_MAX,
                                   .row = frame_of_1,
                                   .done = reading_done}};
    topic_store_close(w->s);
    store_aid_copy("tests/stores/v1/topicd.db", w->path);
    open_world(w);
    struct buf out = {0};
    assert_int_equal(topic_store_load_queueds(w->s, list_queued, &out), 0);
    assert_int_equal(topic_store_load_homes(w->s, list_home, &out), 0);
    assert_string_equal(
        out.p,
        "queued 1 ipc:///run/toque/queued2.link at ipc:///run/toque/queued2.link\n"
        "queued 2 ipc:///run/toque/queued.link at ipc:///run/toque/queued.link\n" HOME(
            "delayed", "1") HOME("far-0", "2") HOME("far-1", "2") HOME("far-2", "2")
            HOME("far-3", "2") HOME("far-4", "2") HOME("far-5", "1") HOME("in-flight", "1")
                HOME("plain", "2") HOME("purged", "1") HOME("raw", "1") HOME("wrapped", "2"));
    check_size(w, 1, 3, 3 * 401);
    assert_int_equal(topic_store_next_outbox_id(w->s), 4);
    buf_z(&got.out, "");
    topic_store_outbox_read(w->s, 1, &got.read);
    assert_string_equal(
        got.out.p, "1.0 cc6d558a-9730-4177-881b-4eed41813e2a to " QUEUE(
                       "far-5") "\n"
                                "2.1 98da40b5-cf85-42a9-800a-9f100f644d50 to " QUEUE(
                                    "far-5") "\n"
                                             "3.2 06a1154d-878d-4fdb-a761-111e94eb0504 to " QUEUE(
                                                 "far-5") "\n");
    buf_deinit(&got.out);
    buf_deinit(&out);
}

static void test_the_probe_tells(void **state)
{
    struct world *w = *state;
    assert_int_equal(topic_store_probe(w->s), 0);
    put_topic(w, 1);
    assert_int_equal(topic_store_probe(w->s), E_AGAIN);
    failing_vfs_order((struct failing_order){
        .ops = FAILING_CHANGES, .files = FAILING_ANY, .result = SQLITE_FULL, .times = -1});
    assert_int_equal(commit(w), E_FULL);
    assert_int_equal(topic_store_probe(w->s), E_FULL);
    assert_true(*topic_store_error(w->s));
    failing_vfs_heal();
    assert_int_equal(topic_store_probe(w->s), 0);
    check_all(w, "");
    assert_true(topic_store_next_topic_id(w->s) > 1);
}

static int list_dedup(void *arg, const struct fifo_row *r)
{
    buf_printf(arg, "%" PRIu64 " %.*s %.*s %" PRId64 "\n", r->sequence, STR_ARG(r->key),
               STR_ARG(r->message_id), r->sent_ms);
    return 0;
}

static void test_deduplication(void **state)
{
    struct world *w = *state;
    struct buf rows = {0};
    u64 first = topic_store_next_sequence(w->s), ticket;

    for (u64 i = 0; i < 3; i++) {
        assert_int_equal(topic_store_note_sequence(w->s, first + i), i == 0);
        topic_store_put_dedup(w->s, &(struct fifo_row){.sequence = first + i,
                                                       .key = STR("key"),
                                                       .message_id = STR("id"),
                                                       .sent_ms = NOW + (i64)i});
    }
    topic_store_delete_dedups(w->s, first + 1);
    assert_int_equal(topic_store_commit(w->s, &ticket), 0);
    reopen(w);
    assert_int_equal(topic_store_load_dedups(w->s, list_dedup, &rows), 0);
    char *expected = mem_printf("%" PRIu64 " key id %" PRId64 "\n", first + 2, (i64)NOW + 2);

    assert_string_equal(rows.p, expected);
    assert_true(topic_store_next_sequence(w->s) >= first + 3);
    mem_free(expected);
    buf_deinit(&rows);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_rows_survive),
        TEST(test_ids_never_come_back),
        TEST(test_the_epoch_grows),
        TEST(test_the_outbox),
        TEST(test_queueds_that_are_the_same),
        TEST(test_the_outbox_after_failed_turns),
        TEST(test_a_count_that_fails),
        TEST(test_version_1),
        TEST(test_the_probe_tells),
        TEST(test_deduplication),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
