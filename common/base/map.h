/* Hash table from bytes, or from a 64-bit number, to a pointer. Open addressing; the hash is
 * seeded, so that collisions cannot be provoked from outside. Keys are borrowed: they usually live
 * in the value, and must stay where they are while the entry is in the table.
 *
 * The cost of a call does not depend on the size of the table: it grows and shrinks in steps.
 *
 * The order of a walk depends on the seed and on the history of insertions and removals. A daemon
 * gives its tables a seed of its own, so that a run can be repeated; NULL means one that the
 * process draws at its start, for tables that are never walked. */
#ifndef TOQUE_MAP_H
#define TOQUE_MAP_H

#include "common/base/id.h"
#include "common/base/str.h"

struct map_seed {
    u64 word[3];
};
void map_seed_init(struct map_seed *seed, struct id_source *chance);

struct map_slot;
struct map {
    struct map_slot *slots;
    size_t n, cap, used; /* entries; slots; slots used since the last resize */
    struct map_old {     /* the slots before it, while they are being moved */
        struct map_slot *slots;
        size_t cap, n, at; /* entries that are still there; slots before `at` are empty */
    } old;
    const struct map_seed *seed;
};

/* The seed must live as long as the table. */
void map_init(struct map *m, const struct map_seed *seed);
/* Frees the table, not the values. */
void map_deinit(struct map *m);
void *map_get(const struct map *m, str key);
/* Returns the previous value, or NULL. The value must not be NULL. On replacement the new key is
 * kept. */
void *map_put(struct map *m, str key, void *value);
/* Returns the removed value, or NULL. */
void *map_del(struct map *m, str key);
/* Walk: start with *pos = 0; returns NULL at the end. Removing the current entry is allowed. */
void *map_next(const struct map *m, size_t *pos);
/* Takes less memory where most of it stands empty, a bit of the way with every call; not in a walk. */
void map_shrink(struct map *m);

/* The same for 64-bit keys (kept by value), 16 bytes a slot. Key and value must not be 0/NULL. */
struct idmap {
    struct idmap_slot *slots;
    size_t n, cap;
    struct idmap_old {
        struct idmap_slot *slots;
        size_t cap, at;
    } old;
    const struct map_seed *seed;
};

void idmap_init(struct idmap *m, const struct map_seed *seed);
void idmap_deinit(struct idmap *m);
void *idmap_get(const struct idmap *m, u64 key);
void *idmap_put(struct idmap *m, u64 key, void *value);
void *idmap_del(struct idmap *m, u64 key);
void *idmap_next(const struct idmap *m, size_t *pos);
/* As map_shrink. */
void idmap_shrink(struct idmap *m);

/* 64-bit hash of bytes. */
u64 map_hash(const struct map_seed *seed, str key);

#endif
