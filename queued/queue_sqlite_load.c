/* Loads the store: at start, and after a failed commit. */
#include "queued/queue_sqlite.h"

#include "queued/message_extra.h"

static int sql_load_applied(struct queue_sqlite *s, struct queue_store *into)
{
    sqlite3_stmt *stmt = s->applied_load;
    int row;
    while ((row = store_row(s->store, stmt)) == 1)
        queue_store_hold_applied(into,
                                 &(struct applied_row){.incarnation = store_column_str(stmt, 0),
                                                       .sequence = store_column_u64(stmt, 1),
                                                       .use = store_column_u64(stmt, 2)});
    return row;
}

/* Scans a table by the row numbers in column 0 and skips damage: the rows on an unreadable page are
 * lost, and the scan continues with the first readable number after them. */
struct scan {
    struct queue_sqlite *store;
    sqlite3_stmt *stmt;
    const struct queue_store_walk *walk;
    int (*row)(const struct scan *scan);
};

/* Starts the scan at that number. Returns 1, 0 or an E_ code, as store_read does. */
static int scan_from(const struct scan *scan, i64 number)
{
    store_row_end(scan->stmt);
    sqlite3_bind_int64(scan->stmt, 1, number);
    return store_read(scan->store->store, scan->stmt);
}

static i64 number_behind(i64 number, u32 power)
{
    i64 sum;
    return __builtin_add_overflow(number, INT64_C(1) << power, &sum) ? INT64_MAX : sum;
}

/* Advances *at to the next number from which rows can be read. An E_ code: there is none. */
static int scan_skip(const struct scan *scan, i64 *at)
{
    i64 bad = *at, good = 0;
    u32 power = 0;
    int row = E_IO;
    for (; power < 63 && row < 0; power++)
        row = scan_from(scan, good = number_behind(*at, power));
    if (row < 0)
        return row;
    while (good - bad > 1) {
        i64 middle = bad + (good - bad) / 2;
        if (scan_from(scan, middle) < 0)
            bad = middle;
        else
            good = middle;
    }
    *at = good;
    return 0;
}

static int scan_run(const struct scan *scan)
{
    i64 next = INT64_MIN;
    int err = 0, row = scan_from(scan, next);
    while (err >= 0 && row != 0) {
        if (row < 0) {
            if (store_is_open(scan->store->store) || scan_skip(scan, &next))
                return row;
            scan->store->base.unreadable++;
            row = scan_from(scan, next);
            continue;
        }
        i64 number = sqlite3_column_int64(scan->stmt, 0);
        if (number < next) { /* out of order: the table is damaged */
            scan->store->base.unreadable++;
            row = store_read(scan->store->store, scan->stmt);
            continue;
        }
        if (!idmap_get(&scan->store->left_alone, (u64)number ? (u64)number : UINT64_MAX))
            err = scan->row(scan);
        if (number == INT64_MAX)
            break;
        next = number + 1;
        row = store_read(scan->store->store, scan->stmt);
    }
    store_row_end(scan->stmt);
    return MIN(err, 0);
}

static int scan_queue(const struct scan *scan)
{
    sqlite3_stmt *stmt = scan->stmt;
    struct queue_row q = {
        .id = store_column_u64(stmt, 0),
        .account = store_column_str(stmt, 1),
        .region = store_column_str(stmt, 2),
        .name = store_column_str(stmt, 3),
        .attributes = store_column_str(stmt, 4),
        .created_ms = sqlite3_column_int64(stmt, 5),
        .modified_ms = sqlite3_column_int64(stmt, 6),
    };
    return scan->walk->queue(scan->walk->arg, &q);
}

static int scan_message(const struct scan *scan)
{
    sqlite3_stmt *stmt = scan->stmt;
    struct message_row m = {
        .seq = store_column_u64(stmt, 0),
        .queue = store_column_u64(stmt, 1),
        .body = store_column_u64(stmt, 2),
        .sent_ms = sqlite3_column_int64(stmt, 3),
        .due_ms = store_column_time(stmt, 4),
        .first_ms = store_column_time(stmt, 5),
        .receives = (u32)(sqlite3_column_int64(stmt, 6) + QUEUE_SQLITE_RECEIVES_BASE),
        .flags = (u32)sqlite3_column_int64(stmt, 7),
    };
    message_extra_read(store_column_str(stmt, 8), &m);
    return scan->walk->message(scan->walk->arg, &m);
}

static int scan_history(const struct scan *scan)
{
    sqlite3_stmt *stmt = scan->stmt;
    return scan->walk->history(scan->walk->arg, store_column_u64(stmt, 0),
                               store_column_str(stmt, 1));
}

static int scan_dedup(const struct scan *scan)
{
    sqlite3_stmt *stmt = scan->stmt;
    struct dedup_row e = {.seq = store_column_u64(stmt, 0),
                          .key = store_column_str(stmt, 1),
                          .sent_ms = sqlite3_column_int64(stmt, 2)};
    return scan->walk->dedup(scan->walk->arg, &e);
}

static int scan_task(const struct scan *scan)
{
    sqlite3_stmt *stmt = scan->stmt;
    struct task_row t = {.id = store_column_u64(stmt, 0),
                         .queue = store_column_u64(stmt, 1),
                         .state = store_column_str(stmt, 2)};
    return scan->walk->task(scan->walk->arg, &t);
}

static int sql_load_rejected(struct queue_sqlite *s, struct queue_store *into)
{
    sqlite3_stmt *stmt = s->rejected_load;
    int row;
    while ((row = store_row(s->store, stmt)) == 1)
        queue_store_hold_rejected(into,
                                  &(struct rejected_row){.incarnation = store_column_str(stmt, 0),
                                                         .sequence = store_column_u64(stmt, 1),
                                                         .places = store_column_str(stmt, 2)});
    return row;
}

int queue_sqlite_load(struct queue_store *base, struct queue_store *into,
                      const struct queue_store_walk *walk)
{
    struct queue_sqlite *s = queue_sqlite_of(base);
    assert(walk->queue && walk->task && walk->message && walk->history && walk->dedup);
    int err = sql_load_applied(s, into);
    if (!err)
        err = sql_load_rejected(s, into);
    const struct scan scans[] = {{s, s->queue_load, walk, scan_queue},
                                 {s, s->task_load, walk, scan_task},
                                 {s, s->message_load, walk, scan_message},
                                 {s, s->history_load, walk, scan_history},
                                 {s, s->dedup_load, walk, scan_dedup}};
    base->unreadable = s->left_alone.n;
    for (size_t i = 0; i < ARRAY_LEN(scans) && !err; i++)
        err = scan_run(&scans[i]);
    return err;
}
