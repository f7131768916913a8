/* Conditions: the tests that policies apply to one path, each stored once however many policies
 * share it.
 *
 * A leaf condition is found by looking up properties of a value (its text, its prefixes of the
 * lengths in use, its folded text, its number, ...). Conditions built on others are their parents:
 * an OR holds when a child does, an anything-but is excluded by its children, and a wildcard or
 * range has a child as its anchor: a necessary condition that is cheap to look up; the parent is
 * checked when the anchor holds. */
#ifndef TOQUE_FILTER_COND_H
#define TOQUE_FILTER_COND_H

#include "filter/policy/policy.h"

struct matcher;

enum cond_kind {
    /* Looked up by a property of a value; `text` is the operand. */
    COND_STRING,
    COND_FOLDED,
    COND_PREFIX,
    COND_PREFIX_FOLDED,
    COND_SUFFIX,
    COND_SUFFIX_FOLDED,
    COND_NUMBER,  /* text: decimal_key, or number_key if it is not a decimal */
    COND_ADDRESS, /* text: family, bits, masked bytes; full length for an exact address */
    COND_TRUE,
    COND_FALSE,
    COND_NULL,
    COND_GRAM,  /* the string contains these 1, 2, 3, 4 or 8 bytes; only as an anchor */
    COND_BLOCK, /* the number lies in a block of 2^level keys (range.c); only as an anchor */
    /* Evaluated against a value. */
    COND_WILDCARD,
    COND_RANGE,
    /* Evaluated against the path. */
    COND_PRESENT,
    COND_ABSENT,
    COND_BUT, /* anything-but: some value satisfies none of the operands (kids) */
    COND_BUT_OR_ABSENT,
    COND_OR, /* some kid holds */
    /* Evaluated against the message. */
    COND_SCOPE, /* it is eligible for the path's scope */
    COND_ALWAYS,
};
#define COND_LOOKED_UP COND_WILDCARD /* kinds below this are found by their text */

/* A wildcard pattern in memory of its own. */
#define WILD_PAIRS_MAX 6
struct wild {
    struct pattern pattern;
    u16 pairs[WILD_PAIRS_MAX]; /* slots of byte pairs that the text must contain (cond_eval.c) */
    u32 pair_n;
    u32 anchor; /* while watched */
    u32 size;
    str text;
};

/* A numeric range in memory of its own. */
struct range {
    struct policy_range exact;
    double low, high; /* decimal_approx_of the bounds; infinite where there is none */
    u32 anchors[2];   /* while watched; 0: none */
    u32 size;
    str key;
};

struct cond {
    u8 kind;
    bool lazy; /* may hold although nothing fires it: contains an absence or an anything-but */
    u8 unused[2];
    u32 path;
    u32 refs;     /* expressions and conditions that reference it */
    u32 watchers; /* pivots of groups and parents that need it fired */
    u32 tag;      /* in the table of conditions */
    u32 n;        /* bytes of text, or kids */
    u32 parent_n, group_n;
    union {
        char in[16]; /* text of up to 16 bytes */
        char *text;
        struct wild *wild;
        struct range *range;
        struct {
            u32 *ids;
            u32 count, last; /* BUT: values excluded, and the last of them */
        } kids;
        struct {
            char in[8];
            u32 unused, last; /* serial of the last value that satisfied it */
        } gram;
    };
    union ids {
        u32 one;
        u32 *many;
    } parents, groups; /* groups: those of which it is the pivot */
};

static inline str cond_text(const struct cond *c)
{
    return (str){c->n <= sizeof(c->in) ? c->in : c->text, c->n};
}
static inline const u32 *cond_groups(const struct cond *c)
{
    return c->group_n == 1 ? &c->groups.one : c->groups.many;
}
static inline const u32 *cond_parents(const struct cond *c)
{
    return c->parent_n == 1 ? &c->parents.one : c->parents.many;
}

/* Each returns the condition with a reference for the caller, released with cond_release. */
u32 cond_of_text(struct matcher *m, enum cond_kind kind, u32 path, str text);
u32 cond_of_wild(struct matcher *m, u32 path, str text, const struct pattern *p);
u32 cond_of_range(struct matcher *m, u32 path, const struct policy_range *r);
/* PRESENT, ABSENT; SCOPE with the scope's root as path; ALWAYS with path 0. */
u32 cond_of_path(struct matcher *m, enum cond_kind kind, u32 path);
/* OR, BUT and BUT_OR_ABSENT of distinct conditions in ascending order, whose references it takes
 * over. */
u32 cond_of_kids(struct matcher *m, enum cond_kind kind, u32 path, const u32 *kids, u32 n);
u32 cond_hold(struct matcher *m, u32 cond);
void cond_release(struct matcher *m, u32 cond);

/* From now on it fires whenever it holds. Not for lazy conditions. */
void cond_watch(struct matcher *m, u32 cond);
void cond_unwatch(struct matcher *m, u32 cond);

/* The text of COND_ADDRESS for an address whose host bits are cleared. */
#define COND_ADDRESS_SIZE 18
static inline str cond_address_text(const struct address *a, u32 bits, char out[COND_ADDRESS_SIZE])
{
    size_t n = address_bits(a) / 8;

    out[0] = (char)a->family;
    out[1] = (char)bits;
    memcpy(out + 2, a->bytes, n);
    return str_from(out, n + 2);
}

/* Lists of ids that store a single id in place. */
void ids_add(struct matcher *m, union ids *ids, u32 *n, u32 id);
void ids_remove(struct matcher *m, union ids *ids, u32 *n, u32 id);

/* --- cond_eval.c: pairs of adjacent bytes, as slots of a set -------------------------------------- */

#define PAIR_SLOTS 1024
static inline u32 pair_slot(const char *p)
{
    return ((u32)(u8)p[0] * 0x9E5Bu ^ (u32)(u8)p[1] * 0x85EBu) % PAIR_SLOTS;
}

/* --- range.c ---------------------------------------------------------------------------------- */

/* Maps doubles to integers of the same order. */
u64 range_key(double d);
/* Text of the block of 2^level keys that contains `key`. */
#define RANGE_BLOCK_SIZE 9
void range_block(u64 key, u32 level, char out[RANGE_BLOCK_SIZE]);
/* The one or two blocks that cover the range; 0 when it has only one bound, or no useful one. */
u32 range_blocks(const struct range *r, char blocks[2][RANGE_BLOCK_SIZE]);
/* A range in memory of its own, and whether a number lies in it. */
struct range *range_new(struct matcher *m, const struct policy_range *exact, str key);
struct value;
bool range_takes(const struct range *r, struct value *v);
/* Whether some number at the path surely lies in it (1), surely none does (-1), or each must be
 * checked; the smallest and largest decide most cases. */
int range_takes_some(struct matcher *m, const struct range *r, u32 path);

#endif
