/* A writing connection to a database file: opened, set up, its schema brought up to date. Used by
 * store.c only; results are SQLite's codes unless stated otherwise. */
#ifndef TOQUE_STORE_CONNECTION_H
#define TOQUE_STORE_CONNECTION_H

#include "common/io/store.h"

/* 8 KiB was measured too: 15 % more rows a second with 256 a turn, 3 % less with one. */
#define STORE_PAGE_SIZE 4096

/* Once a process, before the first connection. */
void store_connection_init(void);
/* E_FULL or E_IO, as the failure of `db` (may be NULL) that `rc` stands for. */
int store_err_of(struct sqlite3 *db, int rc);
/* On failure *ret is NULL, or has the error message and is closed by the caller. A read-only file
 * system fails here. */
int store_connection_open(struct sqlite3 **ret, const struct store_conf *conf) MUST_CHECK;
/* Refuses a foreign or newer database, migrates an older one. E_ codes; `f` has the text.
 * */
int store_connection_migrate(struct sqlite3 *db, const struct store_conf *conf,
                             struct fault *f) MUST_CHECK;

#endif
