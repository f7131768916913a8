/* Internal header of the SQLite engine of queue_store.h: queue_store_sqlite.c opens and writes the
 * store, queue_sqlite_load.c loads it. */
#ifndef TOQUE_QUEUE_SQLITE_H
#define TOQUE_QUEUE_SQLITE_H

#include "common/base/buf.h"
#include "common/io/store_engine.h"
#include "common/io/store_row.h"
#include "queued/queue_store.h"

/* Subtracted from receive counts when they are stored, so that SQLite encodes counts up to 32,639
 * in 16 bits and an update does not lengthen the row. */
#define QUEUE_SQLITE_RECEIVES_BASE 32768

struct queue_sqlite {
    struct queue_store base;
    struct store_engine sql;
    struct store *store; /* of sql */
    const struct clock *clock;
    struct idmap unreadable; /* body rows that are not read again until */
    i64 unreadable_until_ms; /* monotonic ms */
    struct idmap left_alone; /* messages whose rows cannot be changed because the file is damaged */
    sqlite3_stmt *queue_put, *queue_delete, *queue_load;
    sqlite3_stmt *task_put, *task_delete, *task_load;
    sqlite3_stmt *history_put, *history_delete, *history_load;
    sqlite3_stmt *body_add, *body_delete, *bodies_delete, *body_read;
    sqlite3_stmt *message_add, *message_move, *message_update, *message_delete, *messages_delete;
    sqlite3_stmt *message_load;
    sqlite3_stmt *message_extra, *dedup_add, *dedup_delete, *dedup_load;
    sqlite3_stmt *applied_set, *applied_forget, *applied_load;
    sqlite3_stmt *rejected_add, *rejected_forget, *rejected_load;
    struct buf extra, moved; /* scratch */
};

static inline struct queue_sqlite *queue_sqlite_of(struct queue_store *s)
{
    return container_of(s, struct queue_sqlite, base);
}

/* queue_store_ops.load */
int queue_sqlite_load(struct queue_store *base, struct queue_store *into,
                      const struct queue_store_walk *walk);

#endif
