/* The store: what opens and what does not, what a failed turn leaves (nothing), that it works again
 * afterwards, and that neither the WAL nor the file grows for ever. */
#include "common/base/base.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/io/engine.h"
#include "common/io/store.h"
#include "common/io/store_wal.h"
#include "tests/failing_vfs.h"
#include "tests/store_aid.h"

#define KIND 77

static const char *const migrations[] = {
    "CREATE TABLE thing (id INTEGER PRIMARY KEY, word BLOB)",
    "ALTER TABLE thing ADD COLUMN colour TEXT DEFAULT 'red'",
};

struct world {
    char *dir, *path;
    struct store *s;
    sqlite3_stmt *put, *count, *wipe, *drop;
};

static struct store_conf conf_of(const char *path)
{
    return (struct store_conf){
        .path = path,
        .kind = KIND,
        .durability = STORE_FULL,
        .cache_kib = 1024,
        .clock = store_aid_clock(),
        .wal_checkpoint_bytes = 1 << 20,
        .wal_size_max = 4 << 20,
        .migrations = migrations,
        .migration_count = 1,
    };
}

static void prepare(struct world *w)
{
    store_prepare(w->s, &w->put, "INSERT INTO thing(id,word) VALUES(?1,zeroblob(?2))");
    store_prepare(w->s, &w->count, "SELECT count(*),max(id) FROM thing");
    store_prepare(w->s, &w->wipe, "DELETE FROM thing");
    store_prepare(w->s, &w->drop, "DELETE FROM thing WHERE id=?1");
}

static void open_world(struct world *w)
{
    struct fault f = {0};
    struct store_conf conf = conf_of(w->path);
    assert_int_equal(store_open(&w->s, &conf, &f), 0);
    prepare(w);
}

static int set_up(void **state)
{
    struct world *w = mem_alloc(sizeof(*w));
    failing_vfs_install();
    failing_vfs_heal();
    w->dir = store_aid_dir();
    w->path = mem_printf("%s/t.db", w->dir);
    open_world(w);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    failing_vfs_heal();
    store_close(w->s);
    store_aid_remove(w->dir);
    mem_free(w->path);
    mem_free(w);
    return 0;
}

static int put(struct world *w, i64 id, int size)
{
    store_begin(w->s);
    sqlite3_bind_int64(w->put, 1, id);
    sqlite3_bind_int(w->put, 2, size);
    return store_run(w->s, w->put);
}

static int commit(struct world *w)
{
    u64 ticket;
    return store_commit(w->s, &ticket);
}

static i64 count(struct world *w)
{
    i64 n = -1;
    if (store_row(w->s, w->count) == 1) {
        n = sqlite3_column_int64(w->count, 0);
        store_row_end(w->count);
    }
    return n;
}

/* The rows that are there after the process died now: a copy of the files, opened anew. */
static i64 count_after_crash(struct world *w)
{
    struct world copy = {.dir = store_aid_dir()};
    copy.path = mem_printf("%s/t.db", copy.dir);
    store_aid_copy(w->path, copy.path);
    open_world(&copy);
    i64 n = count(&copy);
    store_close(copy.s);
    store_aid_remove(copy.dir);
    mem_free(copy.path);
    return n;
}

/* --- opening ---------------------------------------------------------------------------------- */

static void check_refused(const char *path, struct store_conf conf, int err, const char *words)
{
    struct store *s = NULL;
    struct fault f = {0};
    conf.path = path;
    assert_int_equal(store_open(&s, &conf, &f), err);
    assert_null(s);
    assert_int_equal(f.code, err);
    assert_non_null(strstr(f.text, path));
    if (!strstr(f.text, words))
        fail_msg("'%s' without '%s'", f.text, words);
    assert_null(strchr(f.text, '\n'));
}

static void test_refusals(void **state)
{
    struct world *w = *state;
    struct store_conf conf = conf_of(w->path);
    char *other = mem_printf("%s/other.db", w->dir);
    char *nowhere = mem_printf("%s/none/t.db", w->dir);
    char text[64];

    snprintf(text, sizeof text, "in use by another process, pid %ld", (long)getpid());
    check_refused(w->path, conf, E_EXISTS, text);
    check_refused(nowhere, conf, E_IO, "No such file");
    check_refused(w->dir, conf, E_IO, "Is a directory");

    store_aid_write(other,
                    "This is the text of a letter, and long enough to be read as a header.......");
    check_refused(other, conf, E_INVALID, "not a database");
    store_aid_write(other, "");
    store_aid_sql(other, "CREATE TABLE theirs(a)");
    check_refused(other, conf, E_INVALID, "not one of this daemon");
    store_close(w->s);
    conf.kind = KIND + 1;
    check_refused(w->path, conf, E_INVALID, "not one of this daemon");
    store_aid_sql(w->path, "PRAGMA user_version=9");
    conf.kind = KIND;
    check_refused(w->path, conf, E_NEWER, "newer version of toque (schema 9, this one knows 1)");
    store_aid_sql(w->path, "PRAGMA user_version=-1");
    check_refused(w->path, conf, E_INVALID, "not one of this daemon");
    store_aid_sql(w->path, "PRAGMA user_version=1");
    open_world(w);
    mem_free(other);
    mem_free(nowhere);
}

static void test_rights_and_settings(void **state)
{
    struct world *w = *state;
    struct stat st;
    assert_int_equal(put(w, 1, 10), 0);
    assert_int_equal(commit(w), 0);
    char *wal = mem_printf("%s-wal", w->path);
    assert_int_equal(stat(w->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(wal, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(store_aid_number(w->path, "PRAGMA auto_vacuum"), 2);
    assert_int_equal(store_aid_number(w->path, "PRAGMA application_id"), KIND);
    assert_int_equal(store_aid_number(w->path, "PRAGMA user_version"), 1);
    store_close(w->s);
    assert_int_equal(access(wal, F_OK), -1); /* an orderly end leaves one file */
    open_world(w);
    mem_free(wal);
}

static void test_migration_keeps_what_is_there(void **state)
{
    struct world *w = *state;
    struct fault f = {0};
    struct store_conf conf = conf_of(w->path);
    assert_int_equal(put(w, 5, 10), 0);
    assert_int_equal(commit(w), 0);
    store_close(w->s);

    /* A step that fails takes the whole migration back. */
    static const char *const broken[] = {"", "ALTER TABLE thing ADD COLUMN colour TEXT; NONSENSE"};
    conf.migrations = broken;
    conf.migration_count = 2;
    assert_int_equal(store_open(&w->s, &conf, &f), E_IO);
    assert_int_equal(store_aid_number(w->path, "PRAGMA user_version"), 1);

    fault_clear(&f);
    conf.migrations = migrations;
    assert_int_equal(store_open(&w->s, &conf, &f), 0);
    assert_int_equal(store_aid_number(w->path, "PRAGMA user_version"), 2);
    assert_int_equal(store_aid_number(w->path, "SELECT id FROM thing WHERE colour='red'"), 5);
    prepare(w);
}

/* --- turns ------------------------------------------------------------------------------------ */

static void test_turns_and_tickets(void **state)
{
    struct world *w = *state;
    u64 first = 0, ticket = 0;
    assert_int_equal(store_commit(w->s, &first), 0); /* nothing to commit */
    assert_false(store_is_open(w->s));
    assert_int_equal(put(w, 1, 10), 0);
    assert_true(store_is_open(w->s));
    assert_int_equal(count(w), 1); /* a turn sees itself */
    assert_int_equal(count_after_crash(w), 0);
    assert_int_equal(store_commit(w->s, &ticket), 0);
    assert_true(ticket > first);
    assert_true(store_ticket(w->s) >= ticket);
    assert_int_equal(count_after_crash(w), 1);
    assert_int_equal(put(w, 2, 10), 0);
    store_rollback(w->s);
    assert_int_equal(count(w), 1);
    assert_int_equal(store_stats(w->s).commits, 1);
    assert_int_equal(store_stats(w->s).failures, 0);
    assert_string_equal(store_error(w->s), "");
}

static void test_full_syncs_and_relaxed_does_not(void **state)
{
    struct world *w = *state;
    struct fault f = {0};
    struct store_conf conf = conf_of(w->path);
    assert_int_equal(put(w, 1, 10), 0);
    assert_int_equal(commit(w), 0);
    for (int i = 2; i < 5; i++) {
        failing_vfs_heal();
        assert_int_equal(put(w, i, 10), 0);
        assert_int_equal(failing_vfs_count(FAILING_SYNC, FAILING_ANY), 0);
        assert_int_equal(commit(w), 0);
        assert_int_equal(failing_vfs_count(FAILING_SYNC, FAILING_WAL), 1);
        assert_int_equal(failing_vfs_count(FAILING_CHANGES, FAILING_DB), 0);
    }
    store_close(w->s);
    conf.durability = STORE_RELAXED;
    assert_int_equal(store_open(&w->s, &conf, &f), 0);
    prepare(w);
    assert_int_equal(put(w, 5, 10), 0);
    assert_int_equal(commit(w), 0);
    failing_vfs_heal();
    assert_int_equal(put(w, 6, 10), 0);
    assert_int_equal(commit(w), 0);
    assert_int_equal(failing_vfs_count(FAILING_SYNC, FAILING_ANY), 0);
    assert_int_equal(store_sync(w->s), 0);
    assert_int_equal(failing_vfs_count(FAILING_SYNC, FAILING_WAL), 1);
    assert_int_equal(count_after_crash(w), 6);
}

/* --- failures --------------------------------------------------------------------------------- */

/* A turn of some ten pages, beside one that stays; every single operation of it fails once, in each
 * way. Either the turn is whole or nothing of it is there, in this process and after its death. */
static void sweep(struct world *w, struct failing_order order, int err)
{
    i64 stays = count(w), id = 1000000 + stays * 1000;
    int failures = 0;
    order.mine = true;
    for (order.after = 0;; order.after++) {
        failing_vfs_order(order);
        for (int i = 0; i < 20; i++)
            put(w, id + i, 2000);
        int got = commit(w);
        int hits = failing_vfs_hits();
        failing_vfs_heal();
        if (got == 0) {
            assert_int_equal(hits, 0);
            break;
        }
        failures++;
        assert_int_equal(got, err);
        assert_true(*store_error(w->s));
        assert_int_equal(count(w), stays);
        assert_int_equal(count_after_crash(w), stays);
        assert_true(order.after < 1000);
    }
    assert_true(failures > 0);
    assert_int_equal(count(w), stays + 20);
    assert_int_equal(count_after_crash(w), stays + 20);
}

static void test_no_failed_turn_leaves_anything(void **state)
{
    struct world *w = *state;
    struct failing_order writes = {FAILING_WRITE, FAILING_WAL, SQLITE_FULL, 0, 1, false, false};
    assert_int_equal(put(w, 1, 5000), 0);
    assert_int_equal(commit(w), 0);
    sweep(w, writes, E_FULL);
    writes.torn = true;
    sweep(w, writes, E_FULL);
    writes.result = SQLITE_IOERR_WRITE;
    sweep(w, writes, E_IO);
    sweep(w,
          (struct failing_order){FAILING_SYNC, FAILING_WAL, SQLITE_IOERR_FSYNC, 0, 1, false, false},
          E_IO);
}

/* The WAL's first pages again, when it starts from its beginning: header and salts change there. */
static void test_failures_at_the_wals_beginning(void **state)
{
    struct world *w = *state;
    struct failing_order orders[] = {
        {FAILING_WRITE, FAILING_WAL, SQLITE_FULL, 0, 1, true, false},
        {FAILING_SYNC, FAILING_WAL, SQLITE_IOERR_FSYNC, 0, 1, false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        assert_int_equal(put(w, (i64)i + 1, 50000), 0);
        assert_int_equal(commit(w), 0);
        store_aid_sql(w->path, "PRAGMA wal_checkpoint(PASSIVE)");
        sweep(w, orders[i], i == 0 ? E_FULL : E_IO);
    }
}

/* Nothing can be written for a while, not even the cut: turns fail, reading goes on, and then all
 * is as it was. */
static void test_a_disk_that_is_away_for_a_while(void **state)
{
    struct world *w = *state;
    static const struct failing_order orders[] = {
        {FAILING_CHANGES, FAILING_ANY, SQLITE_IOERR_WRITE, 0, -1, false, false},
        {FAILING_CHANGES | FAILING_OPEN, FAILING_ANY, SQLITE_IOERR_WRITE, 3, -1, true, false},
        {FAILING_WRITE | FAILING_OPEN, FAILING_ANY, SQLITE_FULL, 1, -1, false, false},
        {FAILING_SYNC, FAILING_ANY, SQLITE_IOERR_FSYNC, 0, -1, false, false},
    };
    assert_int_equal(put(w, 1, 5000), 0);
    assert_int_equal(commit(w), 0);
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        i64 stays = count(w);
        failing_vfs_order(orders[i]);
        for (int turn = 0; turn < 5; turn++) {
            for (int k = 0; k < 10; k++)
                put(w, 100 + k, 2000);
            assert_true(commit(w) < 0);
            assert_false(store_is_open(w->s));
            assert_int_equal(count(w), stays);
            store_tidy(w->s);
        }
        assert_true(failing_vfs_hits() > 0);
        failing_vfs_heal();
        assert_int_equal(put(w, 1000 + (i64)i, 2000), 0);
        assert_int_equal(commit(w), 0);
        assert_int_equal(count(w), stays + 1);
        assert_int_equal(count_after_crash(w), stays + 1);
    }
    assert_int_equal(store_stats(w->s).failures >= 20, true);
}

/* What a failed commit left behind the WAL's end could not be cut off yet: until it is, a turn that
 * went well would be followed by it. */
static void test_no_turn_begins_in_doubt(void **state)
{
    struct world *w = *state;
    struct failing_order order = {
        FAILING_SYNC | FAILING_TRUNCATE, FAILING_WAL, SQLITE_IOERR_FSYNC, 0, -1, false, true};
    assert_int_equal(put(w, 1, 5000), 0);
    assert_int_equal(commit(w), 0);
    failing_vfs_order(order);
    put(w, 2, 5000);
    assert_int_equal(commit(w), E_UNSURE);
    assert_int_equal(count(w), 1);
    failing_vfs_heal();
    assert_int_equal(count_after_crash(w), 2); /* so nobody may be told that it did not happen */
    order.ops = FAILING_TRUNCATE;
    failing_vfs_order(order);
    assert_int_equal(put(w, 3, 10), E_IO);
    assert_int_equal(commit(w), E_IO);
    assert_int_equal(count(w), 1);
    failing_vfs_heal();
    assert_int_equal(put(w, 3, 10), 0);
    assert_int_equal(commit(w), 0);
    assert_int_equal(count(w), 2);
    assert_int_equal(count_after_crash(w), 2);
}

/* What a failed sync left only in the page cache, in an earlier process: a start writes all of the WAL
 * again, since no sync does. */
static void test_a_start_writes_the_wal_again(void **state)
{
    struct world *w = *state;
    struct world copy = {.dir = store_aid_dir()};
    struct store_conf conf;
    struct fault f = {0};
    copy.path = mem_printf("%s/t.db", copy.dir);
    for (int i = 1; i < 10; i++) {
        assert_int_equal(put(w, i, 5000), 0);
        assert_int_equal(commit(w), 0);
    }
    u64 frames = (store_stats(w->s).wal_bytes - 32) / (24 + 4096);
    store_aid_copy(w->path, copy.path);
    conf = conf_of(copy.path);
    failing_vfs_heal();
    failing_vfs_order((struct failing_order){
        .ops = FAILING_SYNC, .files = FAILING_WAL, .result = SQLITE_IOERR_FSYNC, .times = 1});
    assert_int_equal(store_open(&copy.s, &conf, &f), E_IO);
    assert_true(failing_vfs_count(FAILING_WRITE, FAILING_WAL) == (int)frames + 1);
    failing_vfs_heal();
    store_aid_copy(w->path, copy.path);
    open_world(&copy);
    assert_int_equal(count(&copy), 9);
    store_close(copy.s);
    store_aid_remove(copy.dir);
    mem_free(copy.path);
}

/* After the first failure of a turn SQLite is outside of any transaction: what the turn still wants
 * to do must not be done one by one. */
static void test_the_rest_of_a_failed_turn_is_not_run(void **state)
{
    struct world *w = *state;
    assert_int_equal(put(w, 1, 10), 0);
    assert_int_equal(commit(w), 0);
    assert_int_equal(put(w, 2, 10), 0);
    assert_true(put(w, 2, 10) < 0); /* the same key */
    assert_true(put(w, 3, 10) < 0);
    assert_true(count(w) < 0);
    assert_int_equal(commit(w), E_IO);
    assert_int_equal(count(w), 1);
    assert_int_equal(put(w, 3, 10), 0);
    assert_int_equal(commit(w), 0);
    assert_int_equal(count(w), 2);
}

static void test_reading_that_fails_fails_its_turn(void **state)
{
    struct world *w = *state;
    for (int i = 1; i < 400; i++)
        assert_int_equal(put(w, i, 8000), 0); /* more than the cache holds */
    assert_int_equal(commit(w), 0);
    assert_int_equal(put(w, 1000, 10), 0);
    failing_vfs_order(
        (struct failing_order){FAILING_READ, FAILING_ANY, SQLITE_IOERR_READ, 0, -1, false, false});
    assert_true(count(w) < 0);
    failing_vfs_heal();
    assert_int_equal(commit(w), E_IO);
    assert_int_equal(count(w), 399);
}

/* --- growth ----------------------------------------------------------------------------------- */

static void test_steady_traffic_grows_nothing(void **state)
{
    struct world *w = *state;
    u64 wal_most = 0, file_most = 0, file_early = 0;
    for (int turn = 0; turn < 4000; turn++) {
        for (int i = 0; i < 8; i++) {
            put(w, turn * 8 + i, 1000);
            sqlite3_bind_int64(w->drop, 1, turn * 8 + i - 400);
            store_run(w->s, w->drop);
        }
        assert_int_equal(commit(w), 0);
        struct store_stats stats = store_stats(w->s);
        wal_most = MAX(wal_most, stats.wal_bytes);
        file_most = MAX(file_most, stats.file_bytes);
        if (turn == 400)
            file_early = file_most;
    }
    assert_int_equal(count(w), 400);
    /* A turn more than the limit, and no more. */
    assert_true(wal_most < (4 << 20) + (1 << 19));
    assert_true(file_most <= file_early + (1 << 19));
}

static void test_a_drained_file_shrinks(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 4000; i++) {
        put(w, i, 4000);
        if (i % 200 == 199)
            assert_int_equal(commit(w), 0);
    }
    u64 full = store_stats(w->s).file_bytes;
    assert_true(full > 15000000);
    assert_int_equal(store_give_back(w->s, 10), 0);
    assert_false(store_has_free(w->s));
    store_begin(w->s);
    store_freed(w->s);
    assert_int_equal(store_run(w->s, w->wipe), 0);
    assert_int_equal(commit(w), 0);
    assert_true(store_has_free(w->s));
    u64 free = store_stats(w->s).free_bytes;
    assert_true(free > 15000000);
    /* As a part of turns that have other work, and taken back with them. */
    assert_int_equal(put(w, 10000, 10), 0);
    assert_int_equal(store_give_back(w->s, 100), 100);
    store_rollback(w->s);
    assert_int_equal(store_stats(w->s).free_bytes, free);
    u32 slices = 0, n;
    do {
        assert_int_equal(put(w, 10000 + slices++, 10), 0);
        n = store_give_back(w->s, 200);
        assert_int_equal(commit(w), 0);
    } while (n == 200);
    assert_in_range(slices, 15, 25);
    assert_false(store_has_free(w->s));
    assert_int_equal(store_give_back(w->s, 10), 0);
    assert_true(store_stats(w->s).file_bytes < 2000000);
    assert_in_range(store_stats(w->s).free_bytes, 256 * 4096, 2000000); /* for what comes next */
    struct stat st;
    store_close(w->s);
    assert_int_equal(stat(w->path, &st), 0);
    assert_true(st.st_size < 2000000);
    open_world(w);
    assert_int_equal(count(w), slices);
}

/* However little is left in the WAL, an idle daemon's file is cut: the checkpointer comes to it. */
static void test_an_idle_file_is_cut(void **state)
{
    struct world *w = *state;
    struct stat st;
    i64 end = clock_micros() + 20000000;
    for (int i = 0; i < 2000; i++)
        put(w, i, 4000);
    assert_int_equal(commit(w), 0);
    store_aid_sql(w->path, "PRAGMA wal_checkpoint(PASSIVE)");
    assert_int_equal(stat(w->path, &st), 0);
    assert_true(st.st_size > 7000000);
    store_begin(w->s);
    store_freed(w->s);
    assert_int_equal(store_run(w->s, w->wipe), 0);
    assert_int_equal(commit(w), 0);
    while (store_give_back(w->s, 100) == 100)
        assert_int_equal(commit(w), 0);
    assert_int_equal(commit(w), 0);
    store_tidy(w->s);
    while (stat(w->path, &st) == 0 && st.st_size >= 2000000 && clock_micros() < end)
        sched_yield();
    assert_true(st.st_size < 2000000);
}

/* The loop does what is left of a checkpoint when that is little, or the checkpointer gets no closer. */
static void test_the_end_of_a_checkpoint(void **state)
{
    assert_true(store_wal_may_finish(1, 0));
    assert_true(store_wal_may_finish(STORE_WAL_FINISH_FEW, 0));
    assert_false(store_wal_may_finish(STORE_WAL_FINISH_FEW + 1, 0));
    assert_false(store_wal_may_finish(200, 4000));
    assert_false(store_wal_may_finish(100, 200));
    assert_true(store_wal_may_finish(101, 200));
    assert_true(store_wal_may_finish(STORE_WAL_FINISH_MAX, 100));
    assert_false(store_wal_may_finish(STORE_WAL_FINISH_MAX + 1, 100));
}

/* The database file cannot be written: the WAL takes what comes, and is copied when that works
 * again. */
static void test_a_checkpoint_that_fails(void **state)
{
    struct world *w = *state;
    failing_vfs_order(
        (struct failing_order){FAILING_CHANGES, FAILING_DB, SQLITE_FULL, 0, -1, false, false});
    int i = 0;
    while (store_stats(w->s).wal_bytes < (6 << 20)) {
        put(w, i++, 4000);
        assert_int_equal(commit(w), 0);
    }
    assert_true(store_stats(w->s).failures > 0);
    failing_vfs_heal();
    i64 stays = i;
    while (store_stats(w->s).wal_bytes > (1 << 20)) {
        put(w, i++, 4000);
        assert_int_equal(commit(w), 0);
        assert_true(i < stays + 10000);
    }
    assert_int_equal(count(w), i);
    assert_int_equal(count_after_crash(w), i);
}

/* Somebody looks at the file with a shell, and holds an old state of it. */
static void test_a_reader_beside(void **state)
{
    struct world *w = *state;
    sqlite3 *other;
    int i = 0;
    put(w, i++, 10);
    assert_int_equal(commit(w), 0);
    assert_int_equal(sqlite3_open_v2(w->path, &other, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN; SELECT * FROM thing", NULL, NULL, NULL),
                     SQLITE_OK);
    while (store_stats(w->s).wal_bytes < (8 << 20)) {
        put(w, i++, 4000);
        assert_int_equal(commit(w), 0);
    }
    sqlite3_close(other);
    int with = i;
    while (store_stats(w->s).wal_bytes > (1 << 20)) {
        put(w, i++, 4000);
        assert_int_equal(commit(w), 0);
        assert_true(i < with + 10000);
    }
    assert_int_equal(count(w), i);
}

/* The database file's syncs in a copy. */
static int syncs_of(int (*copy)(sqlite3 *db), sqlite3 *copier)
{
    failing_vfs_heal();
    assert_int_equal(copy(copier), SQLITE_OK);
    return failing_vfs_count(FAILING_SYNC, FAILING_DB);
}

/* Whoever completes a checkpoint does not find all unsynced that was copied before. */
static void test_a_copy_ahead_is_synced(void **state)
{
    struct world *w = *state;
    sqlite3 *other, *copier;
    put(w, 1, 10);
    assert_int_equal(commit(w), 0);
    assert_int_equal(sqlite3_open_v2(w->path, &other, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN; SELECT * FROM thing", NULL, NULL, NULL),
                     SQLITE_OK);
    put(w, 2, 10);
    assert_int_equal(commit(w), 0);
    assert_int_equal(store_wal_copier_open(&copier, w->path), SQLITE_OK);
    assert_int_equal(syncs_of(store_wal_copy, copier), 0); /* that reader hinders its completion */
    assert_int_equal(syncs_of(store_wal_copy_ahead, copier), 1);
    sqlite3_close(other);
    assert_in_range(syncs_of(store_wal_copy, copier), 1, 2);
    sqlite3_close(copier);
}

static i64 us_of(void *arg)
{
    return *(i64 *)arg;
}

/* They are the time of the open, and grow whatever the time is. */
static void test_epochs(void **state)
{
    i64 us = INT64_C(1577836800000000) + 5000 * 1000; /* in 2020, at five seconds */
    const struct clock_source source = {us_of, us_of, &us};
    struct clock clock;
    clock_init_from(&clock, &source, false);
    assert_int_equal(engine_epoch_after(0, &clock), 5000);
    assert_int_equal(engine_epoch_after(4999, &clock), 5000);
    assert_int_equal(engine_epoch_after(5000, &clock), 5001);
    assert_int_equal(engine_epoch_after(9000, &clock), 9001);
    us = 0;
    assert_int_equal(engine_epoch_after(0, &clock), 1);
    assert_int_equal(engine_epoch_after(9000, &clock), 9001);
    assert_int_equal(engine_epoch_after((UINT64_C(1) << ENGINE_EPOCH_BITS) - 1, &clock), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_epochs),
        TEST(test_refusals),
        TEST(test_rights_and_settings),
        TEST(test_migration_keeps_what_is_there),
        TEST(test_turns_and_tickets),
        TEST(test_full_syncs_and_relaxed_does_not),
        TEST(test_no_failed_turn_leaves_anything),
        TEST(test_failures_at_the_wals_beginning),
        TEST(test_a_disk_that_is_away_for_a_while),
        TEST(test_no_turn_begins_in_doubt),
        TEST(test_a_start_writes_the_wal_again),
        TEST(test_the_rest_of_a_failed_turn_is_not_run),
        TEST(test_reading_that_fails_fails_its_turn),
        TEST(test_steady_traffic_grows_nothing),
        TEST(test_a_drained_file_shrinks),
        TEST(test_an_idle_file_is_cut),
        TEST(test_the_end_of_a_checkpoint),
        TEST(test_a_checkpoint_that_fails),
        TEST(test_a_reader_beside),
        TEST(test_a_copy_ahead_is_synced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
