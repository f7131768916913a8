/* The checkpointer of a store: a thread with a connection of its own that copies the WAL into the
 * database. Used by store.c only. */
#ifndef TOQUE_STORE_COPIER_H
#define TOQUE_STORE_COPIER_H

#include "common/base/base.h"

struct store_copier;

/* Requests that arrive while it works are merged into one. Returns an SQLite code. */
int store_copier_start(struct store_copier **ret, const char *path) MUST_CHECK;
/* Waits for its end. NULL accepted. */
void store_copier_stop(struct store_copier *c);
void store_copier_wake(struct store_copier *c);
/* Requests a copy in about a second, so that more is copied at once. */
void store_copier_wake_later(struct store_copier *c);
/* Whether it is idle; with `wait` true it waits until it is. */
bool store_copier_rests(struct store_copier *c, bool wait);
u64 store_copier_failures(struct store_copier *c);

#endif
