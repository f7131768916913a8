/* What the tests of the stores share: a folder of their own, copies of a database as a crash would
 * leave it, and SQL of the tests' own beside the store. Everything here stops the test when it
 * fails. */
#ifndef TOQUE_TESTS_STORE_AID_H
#define TOQUE_TESTS_STORE_AID_H

#include "common/io/store.h"

/* A new empty folder; store_aid_remove frees the name too. */
char *store_aid_dir(void);
void store_aid_remove(char *dir);
/* How a daemon would open its store in `dir`: by the system's clock, ids from a fixed seed. Valid
 * until the next call. */
const struct store_options *store_aid_options(const char *dir, enum store_durability durability);
const struct clock *store_aid_clock(void);
void store_aid_write(const char *path, const char *text);
/* Database and WAL as they are now, as if the process died; the index in shared memory dies too. */
void store_aid_copy(const char *from, const char *to);
void store_aid_sql(const char *path, const char *sql);
/* The first column of the first row; -1 where there is none. */
i64 store_aid_number(const char *path, const char *sql);

#endif
