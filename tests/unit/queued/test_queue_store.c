/* queued's store: what is put is read back, also after a restart; ids never come back; a failed
 * turn leaves nothing; updates write in place. */
#include "common/base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "queued/queue_store.h"
#include "tests/failing_vfs.h"
#include "tests/store_aid.h"

#define NOW 1790000000000

struct world {
    char *dir, *path;
    struct queue_store *s;
};

static void open_world(struct world *w)
{
    struct fault f = {0};
    assert_int_equal(queue_store_open(&w->s, store_aid_options(w->dir, STORE_FULL), &f), 0);
}

static void reopen(struct world *w)
{
    queue_store_close(w->s);
    open_world(w);
}

static int set_up(void **state)
{
    struct world *w = mem_alloc(sizeof(*w));
    failing_vfs_install();
    failing_vfs_heal();
    w->dir = store_aid_dir();
    w->path = mem_printf("%s/queued.db", w->dir);
    open_world(w);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    failing_vfs_heal();
    queue_store_close(w->s);
    store_aid_remove(w->dir);
    mem_free(w->path);
    mem_free(w);
    return 0;
}

/* What this process's death would leave: a copy of the files, opened anew; closed by the caller. */
static struct world crashed(struct world *w)
{
    struct world copy = {.dir = store_aid_dir()};
    copy.path = mem_printf("%s/queued.db", copy.dir);
    store_aid_copy(w->path, copy.path);
    open_world(&copy);
    return copy;
}

static void close_copy(struct world *copy)
{
    queue_store_close(copy->s);
    store_aid_remove(copy->dir);
    mem_free(copy->path);
}

static int commit(struct world *w)
{
    u64 ticket;
    return queue_store_commit(w->s, &ticket);
}

/* Everything of the store as text, one line a row. */
static int list_queue(void *arg, const struct queue_row *q)
{
    buf_printf(arg, "queue %" PRIu64 " %.*s/%.*s/%.*s %.*s %" PRId64 " %" PRId64 "\n", q->id,
               STR_ARG(q->account), STR_ARG(q->region), STR_ARG(q->name), STR_ARG(q->attributes),
               q->created_ms, q->modified_ms);
    return 0;
}

static int list_message(void *arg, const struct message_row *m)
{
    buf_printf(arg, "message %" PRIu64 " q%" PRIu64 " b%" PRIu64, m->seq, m->queue, m->body);
    buf_printf(arg, " %" PRId64 " %" PRId64 " %" PRId64 " %u %u", m->sent_ms, m->due_ms,
               m->first_ms, m->receives, m->flags);
    buf_printf(arg, " '%.*s'", STR_ARG(m->origin));
    if (m->identity.n || m->group_id.n || m->source.n)
        buf_printf(arg, " '%.*s' '%.*s' '%.*s'", STR_ARG(m->identity), STR_ARG(m->group_id),
                   STR_ARG(m->source));
    if (m->receives_before)
        buf_printf(arg, " %u", m->receives_before);
    buf_char(arg, '\n');
    return 0;
}

static int list_dedup(void *arg, const struct dedup_row *e)
{
    buf_printf(arg, "dedup %" PRIu64 " '%.*s' %" PRId64 "\n", e->seq, STR_ARG(e->key), e->sent_ms);
    return 0;
}

static int list_task(void *arg, const struct task_row *t)
{
    buf_printf(arg, "task %" PRIu64 " q%" PRIu64 " %.*s\n", t->id, t->queue, STR_ARG(t->state));
    return 0;
}

static int list_history(void *arg, u64 seq, str deliveries)
{
    buf_printf(arg, "history %" PRIu64 " '%.*s'\n", seq, STR_ARG(deliveries));
    return 0;
}

static int load(struct queue_store *s, int (*queue)(void *arg, const struct queue_row *q),
                int (*message)(void *arg, const struct message_row *m), void *arg)
{
    return queue_store_load(
        s, &(struct queue_store_walk){queue, list_task, message, list_history, list_dedup, arg});
}

static void check_all(struct world *w, const char *expected)
{
    struct buf out = {0};
    buf_z(&out, "");
    assert_int_equal(load(w->s, list_queue, list_message, &out), 0);
    assert_string_equal(out.p, expected);
    buf_deinit(&out);
}

/* What a fetch brings, a line a body. */
struct fetched {
    struct body_fetch fetch;
    struct buf out;
    u32 n; /* bodies that came */
    bool done;
};

static void body_came(struct body_fetch *f, u32 i, int err, str content)
{
    struct fetched *got = container_of(f, struct fetched, fetch);
    assert_int_equal(i, got->n++);
    assert_false(got->done);
    if (err)
        buf_printf(&got->out, "(%s)", err_text(err));
    buf_str(&got->out, content.n ? content : STR(""));
    buf_char(&got->out, '\n');
}

static void bodies_came(struct body_fetch *f)
{
    struct fetched *got = container_of(f, struct fetched, fetch);
    assert_int_equal(got->n, f->n);
    assert_false(got->done);
    got->done = true;
}

static void check_bodies(struct world *w, const u64 *ids, u32 n, const char *expected)
{
    struct fetched got = {.fetch = {.n = n, .body = body_came, .done = bodies_came}};
    memcpy(got.fetch.ids, ids, n * sizeof *ids);
    queue_store_fetch(w->s, &got.fetch);
    assert_true(got.done); /* SQLite has them at hand */
    buf_char(&got.out, 0);
    assert_string_equal(got.out.p, expected);
    buf_deinit(&got.out);
}

static void check_body(struct world *w, u64 id, const char *expected)
{
    char *line = mem_printf("%s\n", expected ? expected : "(not found)");
    check_bodies(w, &id, 1, line);
    mem_free(line);
}

static u64 send(struct world *w, u64 queue, const char *body)
{
    u64 id = queue_store_next_id(w->s);
    queue_store_add_body(w->s, id, str_of(body));
    queue_store_add_message(
        w->s, &(struct message_row){
                  .seq = id, .queue = queue, .sent_ms = NOW, .due_ms = NOW, .origin = STR_NONE});
    return id;
}

/* --- what is put is read back ----------------------------------------------------------------- */

static void test_an_empty_store(void **state)
{
    struct world *w = *state;
    i64 value = 7;
    check_all(w, "");
    assert_int_equal(queue_store_next_id(w->s), 1);
    assert_int_equal(queue_store_meta_get(w->s, "clock", &value), E_NOT_FOUND);
    assert_int_equal(value, 7);
    assert_int_equal(queue_store_applied(w->s, STR("nobody")), 0);
    check_body(w, 1, NULL);
    assert_int_equal(commit(w), 0);
    assert_int_equal(queue_store_stats(w->s).commits, 1); /* the identity, at creation */
}

static void test_identity_is_made_once(void **state)
{
    struct world *w = *state;
    u8 secret[16], none[16] = {0};
    char *instance = mem_dup(str_of(queue_store_instance(w->s)));
    memcpy(secret, queue_store_secret(w->s), sizeof secret);
    assert_int_equal(strlen(instance), 36);
    assert_memory_not_equal(secret, none, sizeof none);
    reopen(w);
    assert_string_equal(queue_store_instance(w->s), instance);
    assert_memory_equal(queue_store_secret(w->s), secret, sizeof secret);
    mem_free(instance);
}

static void test_rows_survive(void **state)
{
    struct world *w = *state;
    i64 clock = 0;
    struct queue_row q = {.id = 1,
                          .account = STR("000000000000"),
                          .region = STR("us-east-1"),
                          .name = STR("orders"),
                          .attributes = STR("{\"a\":1}"),
                          .created_ms = NOW,
                          .modified_ms = NOW + 1};
    struct message_row delayed = {.seq = 3,
                                  .queue = 1,
                                  .sent_ms = NOW,
                                  .due_ms = NOW + 900000,
                                  .flags = 4000000000u,
                                  .origin = STR("by s1")};
    struct message_row shared = {
        .seq = 4, .queue = 1, .body = 2, .sent_ms = NOW, .origin = STR_NONE};

    queue_store_put_queue(w->s, &q);
    queue_store_add_body(w->s, 2, STR("for many"));
    queue_store_add_body(w->s, 3, STR(""));
    queue_store_add_message(w->s, &delayed);
    queue_store_add_message(w->s, &shared);
    queue_store_meta_set(w->s, "clock", -5);
    queue_store_set_applied(w->s, STR("some-instance"), UINT64_C(7) << 32);
    assert_int_equal(commit(w), 0);
    queue_store_update_message(w->s, 4, NOW + 30000, NOW + 10, 1);
    q.name = STR("renamed");
    queue_store_put_queue(w->s, &q);
    queue_store_set_applied(w->s, STR("some-instance"), (UINT64_C(7) << 32) + 1);
    assert_int_equal(commit(w), 0);
    reopen(w);

    check_all(w, "queue 1 000000000000/us-east-1/renamed {\"a\":1} 1790000000000 1790000000001\n"
                 "message 3 q1 b0 1790000000000 1790000900000 0 0 4000000000 'by s1'\n"
                 "message 4 q1 b2 1790000000000 1790000030000 1790000000010 1 0 ''\n");
    check_body(w, 2, "for many");
    check_body(w, 4, NULL);
    assert_int_equal(queue_store_meta_get(w->s, "clock", &clock), 0);
    assert_int_equal(clock, -5);
    assert_int_equal(queue_store_applied(w->s, STR("some-instance")), (UINT64_C(7) << 32) + 1);
    assert_int_equal(queue_store_applied(w->s, STR("some-instanc")), 0);
}

static void test_deleting(void **state)
{
    struct world *w = *state;
    u64 own = send(w, 1, "own"), kept = send(w, 1, "kept");
    assert_int_equal(commit(w), 0);
    queue_store_delete_message(w->s, own, true);
    queue_store_delete_message(w->s, kept, false);
    queue_store_delete_message(w->s, 999, true); /* is not there: nothing to do */
    queue_store_put_queue(w->s, &(struct queue_row){.id = 50, .name = STR("gone")});
    queue_store_delete_queue(w->s, 50);
    assert_int_equal(commit(w), 0);
    check_all(w, "");
    check_body(w, own, NULL);
    check_body(w, kept, "kept");
    queue_store_delete_body(w->s, kept);
    assert_int_equal(commit(w), 0);
    check_body(w, kept, NULL);
}

/* All of a receive at once, in the order in which they were asked for; what the open turn has not
 * committed is there; what is missing or damaged is in nobody's way. */
static void test_bodies_of_a_receive(void **state)
{
    struct world *w = *state;
    u64 ids[BODY_FETCH_MAX], large = 0;
    char *text = mem_alloc((1 << 20) + 1);
    memset(text, 'x', 1 << 20);
    for (u32 i = 0; i < BODY_FETCH_MAX; i++)
        ids[i] = send(w, 1, (const char *[]){"a", "", "c"}[i % 3]);
    large = send(w, 1, text);
    assert_int_equal(commit(w), 0);
    queue_store_delete_body(w->s, ids[3]);
    ids[0] = send(w, 1, "new");
    check_bodies(w, ids, 5, "new\n\nc\n(not found)\n\n");
    assert_int_equal(commit(w), 0);
    reopen(w);
    u64 some[] = {ids[9], large, ids[2]};
    send(w, 1, "kept");
    failing_vfs_order((struct failing_order){.ops = FAILING_READ,
                                             .files = FAILING_ANY,
                                             .result = SQLITE_IOERR_READ,
                                             .after = 0,
                                             .times = 1,
                                             .mine = true});
    check_bodies(w, &large, 1, "(input or output failed)\n");
    failing_vfs_heal();
    assert_int_equal(commit(w), E_IO);                            /* SQLite gives such a turn up, */
    check_bodies(w, some, 3, "a\n(input or output failed)\nc\n"); /* but only once */
    send(w, 1, "kept");
    assert_int_equal(commit(w), 0);
    mem_free(text);
}

static void test_deduplication(void **state)
{
    struct world *w = *state;
    for (u64 seq = 5; seq < 10; seq++)
        queue_store_add_dedup(w->s, &(struct dedup_row){seq, STR("sixteen bytes id"), NOW});
    queue_store_delete_dedups(w->s, 7);
    assert_int_equal(commit(w), 0);
    reopen(w);
    check_all(w, "dedup 8 'sixteen bytes id' 1790000000000\n"
                 "dedup 9 'sixteen bytes id' 1790000000000\n");
}

/* A moved message is another row, the last to arrive; its body row stays, and so do origin and group.
 */
static void test_moving(void **state)
{
    struct world *w = *state;
    queue_store_add_body(w->s, 1, STR("moved"));
    queue_store_add_message(w->s, &(struct message_row){.seq = 1,
                                                        .queue = 10,
                                                        .sent_ms = NOW,
                                                        .due_ms = NOW,
                                                        .origin = STR("by s1"),
                                                        .group_id = STR("group")});
    send(w, 10, "second");
    assert_int_equal(commit(w), 0);
    queue_store_move_message(w->s, 1,
                             &(struct message_row){.seq = 3,
                                                   .queue = 11,
                                                   .body = 1,
                                                   .sent_ms = NOW + 1,
                                                   .first_ms = NOW + 2,
                                                   .receives = 5,
                                                   .flags = 1,
                                                   .identity = STR("sixteen bytes id"),
                                                   .source = STR("arn"),
                                                   .receives_before = 0x1234567});
    assert_int_equal(queue_store_next_id(w->s), 4);
    assert_int_equal(commit(w), 0);
    reopen(w);
    check_all(w, "message 2 q10 b0 1790000000000 1790000000000 0 0 0 ''\n"
                 "message 3 q11 b1 1790000000001 0 1790000000002 5 1 'by s1'"
                 " 'sixteen bytes id' 'group' 'arn' 19088743\n");
    check_body(w, 1, "moved");
}

/* Also a row whose texts are cut off anywhere. */
static void test_texts_of_a_row(void **state)
{
    struct world *w = *state;
    struct message_row m = {.seq = 1, .queue = 1, .origin = STR("\001begins like a tag")};
    queue_store_add_message(w->s, &m);
    m = (struct message_row){.seq = 2, .queue = 1, .group_id = STR("d"), .source = STR("s")};
    queue_store_add_message(w->s, &m);
    assert_int_equal(commit(w), 0);
    check_all(w, "message 1 q1 b0 0 0 0 0 0 '\001begins like a tag'\n"
                 "message 2 q1 b0 0 0 0 0 0 '' '' 'd' 's'\n");
    queue_store_delete_message(w->s, 1, false);
    assert_int_equal(commit(w), 0);
    static const char *const cut[] = {"X'0301006404010073'", "X'03010064040100'",
                                      "X'0301006404'",       "X'03010064'",
                                      "X'030100'",           "X'03'",
                                      "X'1F0000'",           "NULL"};
    for (size_t i = 0; i < ARRAY_LEN(cut); i++) {
        char *sql = mem_printf("UPDATE message SET extra=%s", cut[i]);
        queue_store_close(w->s);
        store_aid_sql(w->path, sql);
        open_world(w);
        check_all(w, i == 0  ? "message 2 q1 b0 0 0 0 0 0 '' '' 'd' 's'\n"
                     : i < 4 ? "message 2 q1 b0 0 0 0 0 0 '' '' 'd' ''\n"
                             : "message 2 q1 b0 0 0 0 0 0 ''\n");
        mem_free(sql);
    }
}

static int stop_at_third(void *arg, const struct message_row *m)
{
    int *n = arg;
    return ++*n == 3 ? E_TOO_LARGE : 1;
}

static int no_queue(void *arg, const struct queue_row *q)
{
    return E_DENIED;
}

static void test_a_callback_stops_the_walk(void **state)
{
    struct world *w = *state;
    int n = 0;
    for (int i = 0; i < 5; i++)
        send(w, 1, "x");
    assert_int_equal(commit(w), 0);
    assert_int_equal(load(w->s, no_queue, stop_at_third, &n), E_TOO_LARGE);
    assert_int_equal(n, 3);
    queue_store_put_queue(w->s, &(struct queue_row){.id = 9});
    assert_int_equal(load(w->s, no_queue, stop_at_third, &n), E_DENIED);
    assert_int_equal(n, 3);
    assert_int_equal(commit(w), 0); /* no statement of the walk is left in the way */
}

static void test_large_body_and_many_receives(void **state)
{
    struct world *w = *state;
    size_t n = 1 << 20;
    char *body = mem_alloc(n + 1);
    memset(body, 'a', n);
    u64 id = send(w, 1, body);
    queue_store_update_message(w->s, id, NOW, NOW, UINT32_MAX);
    assert_int_equal(commit(w), 0);
    check_body(w, id, body);
    check_all(w, "message 1 q1 b0 1790000000000 1790000000000 1790000000000 4294967295 0 ''\n");
    mem_free(body);
}

/* An update that made its row grow would split the full pages of rows that came in order. */
static void test_updates_write_in_place(void **state)
{
    struct world *w = *state;
    u64 first = queue_store_next_id(w->s);
    for (int i = 0; i < 5000; i++) {
        u64 id = queue_store_next_id(w->s);
        queue_store_add_message(w->s, &(struct message_row){.seq = id,
                                                            .queue = 1,
                                                            .body = 1,
                                                            .sent_ms = NOW,
                                                            .due_ms = i % 2 ? NOW : 0,
                                                            .origin = STR_NONE});
    }
    assert_int_equal(commit(w), 0);
    u64 before = queue_store_stats(w->s).file_bytes;
    for (u32 receives = 1; receives < 400; receives += 130) {
        for (u64 i = 0; i < 5000; i++)
            queue_store_update_message(w->s, first + i, NOW + 43200000, NOW + 1, receives);
        assert_int_equal(commit(w), 0);
    }
    assert_int_equal(queue_store_stats(w->s).file_bytes, before);
}

/* --- ids -------------------------------------------------------------------------------------- */

static void test_ids_never_come_back(void **state)
{
    struct world *w = *state;
    u64 last = 0;
    for (int i = 0; i < 10; i++)
        last = send(w, 1, "x");
    assert_int_equal(last, 10);
    assert_int_equal(commit(w), 0);
    for (u64 id = 1; id <= last; id++)
        queue_store_delete_message(w->s, id, true);
    assert_int_equal(commit(w), 0);
    struct world copy = crashed(w);
    check_all(&copy, "");
    assert_true(queue_store_next_id(copy.s) > last); /* the newest rows are gone */
    send(&copy, 1, "y");
    assert_int_equal(commit(&copy), 0);
    close_copy(&copy);
    reopen(w);
    assert_int_equal(queue_store_next_id(w->s), last + 1); /* an orderly end wastes none */
    reopen(w);
    assert_int_equal(queue_store_next_id(w->s), last + 1);
}

/* The reserve is used up, and a turn that would raise it fails. */
static void test_ids_over_the_reserve(void **state)
{
    struct world *w = *state;
    send(w, 1, "first");
    assert_int_equal(commit(w), 0);
    u64 far = 5000000;
    queue_store_add_body(w->s, far, STR("far"));
    failing_vfs_order((struct failing_order){
        .ops = FAILING_SYNC, .files = FAILING_ANY, .result = SQLITE_IOERR_FSYNC, .times = -1});
    assert_int_equal(commit(w), E_UNSURE);
    failing_vfs_heal();
    assert_true(queue_store_next_id(w->s) > far);
    struct world copy = crashed(w);
    check_body(&copy, far, NULL);
    close_copy(&copy);

    u64 id = send(w, 1, "second");
    assert_int_equal(commit(w), 0);
    queue_store_delete_message(w->s, id, true);
    assert_int_equal(commit(w), 0);
    copy = crashed(w);
    assert_true(queue_store_next_id(copy.s) > id);
    close_copy(&copy);
}

/* --- failures --------------------------------------------------------------------------------- */

/* Every operation of a turn with all kinds of rows fails once: the turn is whole or not there. */
static void test_no_failed_turn_leaves_anything(void **state)
{
    struct world *w = *state;
    static const int kinds[] = {FAILING_WRITE, FAILING_SYNC};
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        u64 kept = send(w, 1, "kept");
        assert_int_equal(commit(w), 0);
        struct buf before = {0}, after = {0};
        assert_int_equal(load(w->s, list_queue, list_message, &before), 0);
        int err, failures = 0;
        for (int n = 0;; n++) {
            failing_vfs_order((struct failing_order){.ops = kinds[k],
                                                     .files = FAILING_WAL,
                                                     .result = SQLITE_FULL,
                                                     .after = n,
                                                     .times = 1,
                                                     .torn = true,
                                                     .mine = true});
            u64 id = send(w, 2, "never");
            queue_store_put_queue(w->s, &(struct queue_row){.id = 5000, .name = STR("never")});
            queue_store_update_message(w->s, kept, NOW + 5, NOW + 5, 9);
            queue_store_set_applied(w->s, STR("topicd"), 77);
            err = commit(w);
            failing_vfs_heal();
            if (!err) {
                queue_store_delete_message(w->s, id, true);
                break;
            }
            failures++;
            assert_int_equal(err, E_FULL);
            struct world copy = crashed(w);
            buf_reset(&after);
            assert_int_equal(load(w->s, list_queue, list_message, &after), 0);
            assert_string_equal(after.p, before.p);
            buf_reset(&after);
            assert_int_equal(load(copy.s, list_queue, list_message, &after), 0);
            assert_string_equal(after.p, before.p);
            check_body(&copy, id, NULL);
            assert_int_equal(queue_store_applied(copy.s, STR("topicd")), 0);
            close_copy(&copy);
        }
        assert_true(failures > 0);
        queue_store_delete_message(w->s, kept, true);
        queue_store_delete_queue(w->s, 5000);
        queue_store_set_applied(w->s, STR("topicd"), 0);
        assert_int_equal(commit(w), 0);
        buf_deinit(&before);
        buf_deinit(&after);
    }
}

/* Another owner took an epoch: from then on nothing of this one is written, whatever it has open. */
static void test_an_owner_that_was_replaced(void **state)
{
    struct world *w = *state;
    u64 epoch = w->s->engine.epoch;
    send(w, 1, "kept");
    assert_int_equal(commit(w), 0);
    reopen(w);
    assert_true(w->s->engine.epoch > epoch);
    store_aid_sql(w->path, "INSERT INTO meta VALUES('foreign',1)"); /* somebody only writes */
    send(w, 1, "kept too");
    assert_int_equal(commit(w), 0);
    send(w, 1, "kept as well");
    assert_int_equal(commit(w), 0);
    store_aid_sql(w->path, "UPDATE meta SET value=value+1 WHERE key='epoch'");
    i64 limit = store_aid_number(w->path, "SELECT value FROM meta WHERE key='id_limit'");
    send(w, 1, "never");
    assert_int_equal(commit(w), E_FENCED);
    assert_non_null(strstr(queue_store_error(w->s), "taken"));
    queue_store_set_applied(w->s, STR("topicd"), 9);
    assert_int_equal(commit(w), E_FENCED);
    assert_int_equal(queue_store_probe(w->s), E_FENCED);
    queue_store_tidy(w->s);
    assert_int_equal(store_aid_number(w->path, "SELECT count(*) FROM message"), 3);
    queue_store_close(w->s);
    assert_int_equal(store_aid_number(w->path, "SELECT count(*) FROM body"), 3);
    assert_int_equal(store_aid_number(w->path, "SELECT value FROM meta WHERE key='id_limit'"),
                     limit);
    open_world(w); /* who comes next takes an epoch of its own */
    send(w, 1, "again");
    assert_int_equal(commit(w), 0);
}

/* An older copy is opened while the clock is behind its last epoch: the epoch is none that the
 * original has had since. */
static void test_epochs_of_a_copy(void **state)
{
    struct world *w = *state;
    u64 far = UINT64_C(1) << (ENGINE_EPOCH_BITS - 1), epochs[2];
    engine_meta_set(&w->s->engine, "epoch", (i64)far);
    assert_int_equal(commit(w), 0);
    for (int i = 0; i < 2; i++) {
        struct world copy = crashed(w);
        epochs[i] = copy.s->engine.epoch;
        close_copy(&copy);
    }
    assert_true(epochs[0] > far && epochs[1] > far && epochs[0] != epochs[1]);
}

/* After a failure the connection is a new one, which has seen nothing yet. */
static void test_replaced_while_it_failed(void **state)
{
    struct world *w = *state;
    failing_vfs_order((struct failing_order){
        .ops = FAILING_SYNC, .files = FAILING_ANY, .result = SQLITE_IOERR_FSYNC, .times = 1});
    send(w, 1, "never");
    assert_int_equal(commit(w), E_IO);
    failing_vfs_heal();
    store_aid_sql(w->path, "DELETE FROM meta WHERE key='epoch'");
    send(w, 1, "never");
    assert_int_equal(commit(w), E_FENCED);
    assert_int_equal(store_aid_number(w->path, "SELECT count(*) FROM message"), 0);
}

/* The first write behind a failure opens the connection anew, and is done by it. */
static void test_a_turn_behind_a_failure(void **state)
{
    struct world *w = *state;
    u64 ids[3] = {send(w, 1, "a"), send(w, 1, "b"), send(w, 1, "c")};
    assert_int_equal(commit(w), 0);
    for (int k = 0; k < 3; k++) {
        failing_vfs_order((struct failing_order){
            .ops = FAILING_CHANGES, .files = FAILING_ANY, .result = SQLITE_FULL, .times = -1});
        queue_store_set_applied(w->s, STR("topicd"), 7);
        assert_int_equal(commit(w), E_FULL);
        failing_vfs_heal();
        if (k == 0)
            queue_store_update_message(w->s, ids[0], NOW + 5, NOW + 5, 9);
        else if (k == 1)
            queue_store_delete_message(w->s, ids[1], true);
        else
            queue_store_put_queue(w->s, &(struct queue_row){.id = 1, .name = STR("q")});
        assert_int_equal(commit(w), 0);
    }
    check_body(w, ids[1], NULL);
    check_body(w, ids[2], "c");
}

static void test_the_probe_tells(void **state)
{
    struct world *w = *state;
    assert_int_equal(queue_store_probe(w->s), 0);
    send(w, 1, "x");
    assert_int_equal(queue_store_probe(w->s), E_AGAIN);
    failing_vfs_order((struct failing_order){
        .ops = FAILING_CHANGES, .files = FAILING_ANY, .result = SQLITE_FULL, .times = -1});
    assert_int_equal(commit(w), E_FULL);
    assert_int_equal(queue_store_probe(w->s), E_FULL);
    assert_non_null(strstr(queue_store_error(w->s), "full"));
    check_all(w, "");
    failing_vfs_heal();
    assert_int_equal(queue_store_probe(w->s), 0);
    send(w, 1, "x");
    assert_int_equal(commit(w), 0);
}

static void test_opening_fails_with_words(void **state)
{
    struct world *w = *state;
    struct queue_store *s = NULL;
    struct fault f = {0};
    assert_int_equal(queue_store_open(&s, store_aid_options("/nowhere/at/all", STORE_FULL), &f),
                     E_IO);
    assert_non_null(strstr(f.text, "/nowhere/at/all/queued.db"));
    fault_clear(&f);
    assert_int_equal(queue_store_open(&s, store_aid_options(w->dir, STORE_FULL), &f), E_EXISTS);
    fault_clear(&f);
    queue_store_close(w->s);
    failing_vfs_order((struct failing_order){
        .ops = FAILING_CHANGES, .files = FAILING_ANY, .result = SQLITE_FULL, .times = -1});
    char *empty = store_aid_dir();
    assert_int_equal(queue_store_open(&s, store_aid_options(empty, STORE_FULL), &f), E_FULL);
    assert_int_equal(f.code, E_FULL);
    assert_null(s);
    failing_vfs_heal();
    fault_clear(&f);
    store_aid_sql(w->path, "UPDATE meta SET value='who?' WHERE key='instance'");
    assert_int_equal(queue_store_open(&s, store_aid_options(w->dir, STORE_FULL), &f), E_INVALID);
    assert_non_null(strstr(f.text, w->path));
    fault_clear(&f);
    assert_int_equal(queue_store_open(&s, store_aid_options(empty, STORE_FULL), &f), 0);
    queue_store_close(s);
    store_aid_remove(empty);
    store_aid_sql(w->path, "DELETE FROM meta");
    open_world(w);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_empty_store),
        TEST(test_identity_is_made_once),
        TEST(test_rows_survive),
        TEST(test_deleting),
        TEST(test_bodies_of_a_receive),
        TEST(test_deduplication),
        TEST(test_moving),
        TEST(test_texts_of_a_row),
        TEST(test_a_callback_stops_the_walk),
        TEST(test_large_body_and_many_receives),
        TEST(test_updates_write_in_place),
        TEST(test_ids_never_come_back),
        TEST(test_ids_over_the_reserve),
        TEST(test_no_failed_turn_leaves_anything),
        TEST(test_an_owner_that_was_replaced),
        TEST(test_epochs_of_a_copy),
        TEST(test_replaced_while_it_failed),
        TEST(test_a_turn_behind_a_failure),
        TEST(test_the_probe_tells),
        TEST(test_opening_fails_with_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
