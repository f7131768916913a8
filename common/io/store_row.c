#include "common/io/store_row.h"

void store_delete_row(struct store *s, sqlite3_stmt **slot, u64 id)
{
    sqlite3_stmt *stmt = store_write(s, slot);

    store_freed(s);
    store_bind_u64(stmt, 1, id);
    store_run(s, stmt);
}

int store_each_row(struct store *s, sqlite3_stmt *stmt, int (*row)(void *arg, sqlite3_stmt *stmt),
                   void *arg)
{
    int found, err = 0;

    while (err >= 0 && (found = store_row(s, stmt)) != 0) {
        if (found < 0)
            return found;
        err = row(arg, stmt);
    }
    store_row_end(stmt);
    return MIN(err, 0);
}
