/* The attributes set on a topic or a subscription: names with texts, in the order in which they
 * were first set. Kept as the text of a JSON object, in memory and on disk, and parsed only where
 * needed. */
#ifndef TOQUE_SETTINGS_H
#define TOQUE_SETTINGS_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"

struct setting {
    str name, value;
};

struct settings {
    struct setting *items;
    size_t n, cap;
    struct arena arena; /* holds all texts and the items */
};

void settings_init(struct settings *s);
void settings_deinit(struct settings *s);
/* Empties it and keeps its memory. */
void settings_reset(struct settings *s);
/* Adds the members of `json`, a JSON object whose values are strings. E_INVALID otherwise. */
int settings_read(struct settings *s, str json) MUST_CHECK;
/* p is NULL when it is not set. */
str settings_get(const struct settings *s, str name);
/* Copies both; replaces. */
void settings_set(struct settings *s, str name, str value);
void settings_remove(struct settings *s, str name);
void settings_write(const struct settings *s, struct buf *out);

#endif
