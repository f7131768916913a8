/* Reads the store back: at start, and after a failed commit. */
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

static int sql_load_queues(struct queue_sqlite *s, const struct queue_store_walk *walk)
{
    sqlite3_stmt *stmt = s->queue_load;
    int row, err = 0;
    while (err >= 0 && (row = store_row(s->store, stmt)) != 0) {
        if (row < 0)
            return row;
        struct queue_row q = {
            .id = store_column_u64(stmt, 0),
            .account = store_column_str(stmt, 1),
            .region = store_column_str(stmt, 2),
            .name = store_column_str(stmt, 3),
            .attributes = store_column_str(stmt, 4),
            .created_ms = sqlite3_column_int64(stmt, 5),
            .modified_ms = sqlite3_column_int64(stmt, 6),
        };
        err = walk->queue(walk->arg, &q);
    }
    store_row_end(stmt);
    return MIN(err, 0);
}

static int sql_load_tasks(struct queue_sqlite *s, const struct queue_store_walk *walk)
{
    sqlite3_stmt *stmt = s->task_load;
    int row, err = 0;
    while (err >= 0 && (row = store_row(s->store, stmt)) != 0) {
        if (row < 0)
            return row;
        struct task_row t = {.id = store_column_u64(stmt, 0),
                             .queue = store_column_u64(stmt, 1),
                             .state = store_column_str(stmt, 2)};
        err = walk->task(walk->arg, &t);
    }
    store_row_end(stmt);
    return MIN(err, 0);
}

static int sql_load_messages(struct queue_sqlite *s, const struct queue_store_walk *walk)
{
    sqlite3_stmt *stmt = s->message_load;
    int row, err = 0;
    while (err >= 0 && (row = store_row(s->store, stmt)) != 0) {
        if (row < 0)
            return row;
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
        err = walk->message(walk->arg, &m);
    }
    store_row_end(stmt);
    return MIN(err, 0);
}

static int sql_load_dedups(struct queue_sqlite *s, const struct queue_store_walk *walk)
{
    sqlite3_stmt *stmt = s->dedup_load;
    int row, err = 0;
    while (err >= 0 && (row = store_row(s->store, stmt)) != 0) {
        if (row < 0)
            return row;
        struct dedup_row e = {.seq = store_column_u64(stmt, 0),
                              .key = store_column_str(stmt, 1),
                              .sent_ms = sqlite3_column_int64(stmt, 2)};
        err = walk->dedup(walk->arg, &e);
    }
    store_row_end(stmt);
    return MIN(err, 0);
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
    int err = sql_load_applied(s, into);
    if (!err)
        err = sql_load_rejected(s, into);
    if (!err)
        err = sql_load_queues(s, walk);
    if (!err)
        err = sql_load_tasks(s, walk);
    if (!err)
        err = sql_load_messages(s, walk);
    return err ? err : sql_load_dedups(s, walk);
}
