/* Paths: a tree of member names below one root for each scope. An attribute name is one step; body
 * names are split at their dots, because dots and levels are equivalent there.
 *
 * A path knows which kinds of conditions exist on it, so that a value is looked up in those ways
 * only, and with which lengths (of prefixes, suffixes, address bits, grams, levels). */
#ifndef TOQUE_FILTER_PATH_H
#define TOQUE_FILTER_PATH_H

#include "filter/match/key.h"

struct matcher;

/* One way to look a value up: kind << 24 | length, and how many conditions need it. */
struct step {
    u32 key, count;
};
#define STEP_LENGTH_MAX 0xFFFFFFu

/* A child as the walk over a body finds it: eight bytes and the length identify most names. */
struct kid {
    u64 head;
    u32 n, path;
};
/* A path with more children finds them by hash only. */
#define PATH_KIDS_MAX 8

struct path {
    u32 parent;
    u32 refs; /* conditions on it, and children; roots have one more */
    u32 name_n;
    u32 kid_n;
    u32 kinds;           /* bit 1 << kind for each kind of condition looked up here */
    u32 present, absent; /* those conditions, 0: none */
    u32 step_n;
    u32 ties; /* rows of groups with two or more conditions at or below it that must agree
               * (same_element.c) */
    union {
        char in[16];
        char *text;
    } name;
    struct step *steps; /* ascending */
    struct kid *kids;   /* NULL beyond PATH_KIDS_MAX */
    u64 tags;           /* path_tag_bit of everything looked up here, and of some removed
                         * conditions */
};

/* What a message has at a path. */
struct path_seen {
    u32 epoch; /* of the match that found values here */
    u32 n;
    u32 first, last;  /* values in their order */
    bool tied;        /* one of them lies in an array element */
    bool has_bounds;  /* low and high are valid */
    u32 below;        /* conditions of one row at or below it, while they are being counted
                * (same_element.c) */
    double low, high; /* of the numbers, as event_approx; low > high when there are none */
};

/* A set of tags that rules out most values, if it has few bits set. */
static inline u64 path_tag_bit(u32 tag)
{
    return 1ull << (tag % 64);
}
static inline bool path_may_have(const struct path *p, u32 tag)
{
    return p->tags >> (tag % 64) & 1;
}

static inline str path_name(const struct path *p)
{
    return (str){p->name_n <= sizeof(p->name.in) ? p->name.in : p->name.text, p->name_n};
}

/* Whether conditions test the values here, rather than only values below. */
static inline bool path_is_asked(const struct path *p)
{
    return p->refs > p->kid_n;
}

/* Whether it matters which element of an array here contains a value: only when some expression has
 * conditions that must agree, and not for scalars with nothing below them. */
static inline bool path_in_same_element(const struct path *p)
{
    return p->ties && p->kid_n;
}

/* The path of a policy's leaf below the scope's root, created if needed; referenced for the
 * caller. */
u32 path_of(struct matcher *m, u32 root, str joined, bool dotted);
void path_release(struct matcher *m, u32 path);
/* A condition of this kind and text length was added to, or removed from, the path. */
void path_step_add(struct matcher *m, u32 path, u32 kind, u32 length);
void path_step_remove(struct matcher *m, u32 path, u32 kind, u32 length);
/* A root: a path with no name. */
u32 path_root(struct matcher *m);
/* The child with this name, by hash; 0: none. */
u32 path_child_by_hash(const struct matcher *m, u32 parent, str name);

static inline u64 path_head(str name)
{
    return name.n >= 8 ? key_word(name.p) : key_part(name.p, name.n);
}

#endif
