/* The shape of bodies: the path that each member of an object led to, remembered by the object's
 * path and the member's position in it. The bodies of one topic mostly have the same members in the
 * same order, so a name is found by one comparison with the previous name at that position. */
#ifndef TOQUE_FILTER_SHAPE_H
#define TOQUE_FILTER_SHAPE_H

#include "filter/match/key.h"

/* Longer names are not remembered. */
#define SHAPE_NAME_MAX 21

/* A name with its quotes and colon, as the first bytes of one to three words. */
struct shape_name {
    u64 word[3], mask[3];
    u32 path, child; /* the object's, and where the name leads; 0: no policy names it */
    u8 size;         /* with quotes and colon; 0: nothing is remembered */
    u8 bytes;        /* of the words that are in use */
    bool asked;      /* conditions test the values there, not only values below */
};

#define SHAPE_NAMES 128 /* positions remembered; further ones share slots */

struct shape {
    u32 changes; /* path_changes of the matcher when it was learnt */
    struct shape_name names[SHAPE_NAMES];
};

/* The slot for member number `place` of an object at `path`. */
static inline struct shape_name *shape_at(struct shape *s, u32 path, u32 place)
{
    return &s->names[(path * 11 + place) % SHAPE_NAMES];
}

/* Whether the `n` bytes at `text` begin with this name, in an object at `path`. */
static inline bool shape_is(const struct shape_name *s, u32 path, const char *text, u32 n)
{
    if (UNLIKELY(s->path != path || n < s->bytes))
        return false;
    u64 other = (key_word(text) ^ s->word[0]) & s->mask[0];
    if (s->bytes > 8)
        other |= (key_word(text + 8) ^ s->word[1]) & s->mask[1];
    if (UNLIKELY(s->bytes > 16))
        other |= (key_word(text + 16) ^ s->word[2]) & s->mask[2];
    return !other;
}

/* Remembers that the name of `n` bytes whose quote is at `text`, without escapes and directly
 * followed by its colon, leads to `child`. */
static inline void shape_learn(struct shape_name *s, u32 path, u32 child, bool asked,
                               const char *text, size_t n)
{
    u8 bytes[24] = {0}, mask[24] = {0};
    size_t size = n + 3; /* two quotes and the colon */

    if (n > SHAPE_NAME_MAX)
        return;
    memcpy(bytes, text, size);
    memset(mask, 0xFF, size);
    memcpy(s->word, bytes, sizeof(bytes));
    memcpy(s->mask, mask, sizeof(mask));
    s->size = (u8)size;
    s->bytes = (u8)((size + 7) / 8 * 8);
    s->path = path;
    s->child = child;
    s->asked = asked;
}

#endif
