/* Counters with names. A counter is a plain u64 that its owner adds to; the table only knows where
 * it is and what it is called. The loop's thread owns both. */
#ifndef TOQUE_STATS_H
#define TOQUE_STATS_H

#include "common/buf.h"

#define STATS_MAX 256 /* a program's own tables; one more is our bug */

struct stats_counter {
    const char *name; /* borrowed; letters, digits and underscores, unit last */
    const u64 *value;
};

/* A zeroed struct stats is an empty one. */
struct stats {
    struct stats_counter counters[STATS_MAX];
    size_t n;
};

/* `value` must live as long as `s`. A name is given once. */
void stats_add(struct stats *s, const char *name, const u64 *value);
/* The counter's present value, 0 when there is none of that name. */
u64 stats_get(const struct stats *s, const char *name);
/* {"name":value,…} in the order of adding. */
void stats_json(const struct stats *s, struct buf *out);

#endif
