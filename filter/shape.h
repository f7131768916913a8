/* The shape of bodies: what path each member of an object led to, remembered by the object's path
 * and the member's place in it. The bodies of one topic mostly have the same members in the same
 * order, so a name is found by one comparison with the name that stood there last time. */
#ifndef TOQUE_FILTER_SHAPE_H
#define TOQUE_FILTER_SHAPE_H

#include "filter/key.h"

/* Longer names are not remembered. */
#define SHAPE_NAME_MAX 21

/* A name with its quotes and colon, as the last bytes of one to three words. */
struct shape_name {
    u64 word[3], mask[3]; /* the last word first */
    u32 bytes;            /* of the words that are in use; 0: nothing is remembered */
    u32 path, child;      /* the object's, and where the name leads; 0: nobody asks */
};

#define SHAPE_NAMES 128 /* places that are remembered; others take each other's */

struct shape {
    u32 changes; /* path_changes of the matcher when it was learnt */
    struct shape_name names[SHAPE_NAMES];
};

/* Where member number `place` of an object at `path` is remembered. */
static inline struct shape_name *shape_at(struct shape *s, u32 path, u32 place)
{
    return &s->names[(path * 11 + place) % SHAPE_NAMES];
}

/* Whether the name that ends with the colon at text[colon] is this one, in an object at `path`. In
 * texts without escapes only. */
static inline bool shape_knows(const struct shape_name *n, u32 path, const char *text, u32 colon)
{
    const char *end = text + colon + 1;
    if (UNLIKELY(n->path != path || n->bytes > colon + 1 || !n->bytes))
        return false;
    u64 other = (key_word(end - 8) ^ n->word[0]) & n->mask[0];
    if (n->bytes > 8)
        other |= (key_word(end - 16) ^ n->word[1]) & n->mask[1];
    if (UNLIKELY(n->bytes > 16))
        other |= (key_word(end - 24) ^ n->word[2]) & n->mask[2];
    return !other;
}

/* The name that ends with that colon, right behind its quote, leads to `child`. */
static inline void shape_learn(struct shape_name *n, u32 path, u32 child, const char *text,
                               u32 colon, size_t name_n)
{
    u8 bytes[24] = {0}, mask[24] = {0};
    size_t size = name_n + 3; /* two quotes and the colon */
    n->bytes = 0;
    if (name_n > SHAPE_NAME_MAX || (size + 7) / 8 * 8 > (size_t)colon + 1)
        return;
    memcpy(bytes + 24 - size, text + colon + 1 - size, size);
    memset(mask + 24 - size, 0xFF, size);
    for (u32 i = 0; i < 3; i++) {
        memcpy(&n->word[i], bytes + 16 - 8 * i, 8);
        memcpy(&n->mask[i], mask + 16 - 8 * i, 8);
    }
    n->bytes = (u32)(size + 7) / 8 * 8;
    n->path = path;
    n->child = child;
}

#endif
