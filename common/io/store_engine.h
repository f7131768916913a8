/* SQLite as an engine: the common part of its two stores, that is the file, small values (table
 * `meta`), identity, epoch, and the turn. Rows are the daemons' own. A store's migrations create
 * the table:
 *
 *   meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID */
#ifndef TOQUE_STORE_ENGINE_H
#define TOQUE_STORE_ENGINE_H

#include "common/io/engine.h"
#include "common/io/store.h"

struct store_engine {
    struct engine *engine;
    struct store *store;
    const struct clock *clock;
    struct id_source *ids;
    char *path;
    bool is_ready;
    struct sqlite3_stmt *meta_all, *meta_get, *meta_set;
};

/* The database file of one daemon; as in struct store_conf. */
struct store_kind {
    const char *file; /* in the directory of the options */
    u32 kind;
    u64 wal_checkpoint_bytes;
    const char *const *migrations;
    u32 migration_count;
};

/* Opens or creates the file, reads the small values, and begins the turn that takes the epoch and,
 * in a new file, the identity. `f` says what is wrong; nothing is left open then. `q` is part of
 * whatever `e` is part of, and lives as long. */
int store_engine_open(struct store_engine *q, struct engine *e, const struct store_options *o,
                      const struct store_kind *kind, struct fault *f) MUST_CHECK;
/* Secret bytes, made with the file. Before store_engine_ready. */
int store_engine_secret(struct store_engine *q, u8 *ret, size_t size) MUST_CHECK;
/* Completes the opening with a durable commit, whatever the configured durability. On failure the
 * caller closes. */
int store_engine_ready(struct store_engine *q, struct fault *f) MUST_CHECK;
/* `f` says in one line what went wrong while opening; returns err. */
int store_engine_failed(struct store_engine *q, int err, struct fault *f);
void store_engine_close(struct store_engine *q);

#endif
