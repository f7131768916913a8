/* The SQLite engine of queue_store.h, for its own files: queue_store_sqlite.c opens and writes,
 * queue_sqlite_load.c reads everything back. */
#ifndef TOQUE_QUEUE_SQLITE_H
#define TOQUE_QUEUE_SQLITE_H

#include "common/base/buf.h"
#include "common/io/store_engine.h"
#include "common/io/store_row.h"
#include "queued/queue_store.h"

/* Receive counts are stored less this: they are 16 bits wide up to 32,639, so that an update never
 * makes its row longer. */
#define QUEUE_SQLITE_RECEIVES_BASE 32768

struct queue_sqlite {
    struct queue_store base;
    struct store_engine sql;
    struct store *store; /* of sql */
    const struct clock *clock;
    struct idmap unreadable; /* body rows, until then: */
    i64 unreadable_until_ms; /* mono */
    struct idmap left_alone; /* messages whose rows cannot be changed: the file is damaged there */
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
