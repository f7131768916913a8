/* Which keys a corpus has, and their values by frequency. Memory is bounded: beyond the limits only
 * sums are kept. */
#ifndef TOQUE_FILTER_CTL_KEYS_H
#define TOQUE_FILTER_CTL_KEYS_H

#include "common/base/map.h"
#include "common/base/mem.h"
#include "filter/filter.h"

#define KEYS_MAX       10000 /* keys of one scope */
#define KEY_VALUES_MAX 1000  /* distinct values of one key */
#define KEY_TEXT_MAX   256   /* bytes of a key or value that are kept */
/* Distinct values of all keys of one scope: together with their texts less than 100 MB. */
#define KEYS_VALUES_MAX 200000

struct key_value {
    str text; /* an attribute's value; of a body the JSON as spelled */
    u64 count;
};

struct key_stat {
    str name;
    bool is_read; /* some policy uses it: not counted */
    u64 count;    /* values seen there */
    struct map by_text;
    struct key_value **values;
    size_t value_n;
    u64 other; /* values beyond the limit */
};

struct keys {
    struct map by_name;
    struct key_stat **stats;
    size_t n, value_n;
    u64 other; /* values at keys beyond the limit */
    struct arena arena;
};

void keys_init(struct keys *k);
void keys_deinit(struct keys *k);
/* Some policy uses this path. */
void keys_read(struct keys *k, str path);
void keys_add_attributes(struct keys *k, const struct filter_message *msg);
/* Counts the keys of the body, dotted; a body that is not a JSON object has none. */
void keys_add_body(struct keys *k, str body);
/* Sorts keys by frequency, and the values of each likewise. */
void keys_sort(struct keys *k);

#endif
