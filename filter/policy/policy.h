/* The content of a validated policy: the matcher compiles from it, and explain and the tests'
 * reference matcher read it.
 *
 *   policy    an OR of branches
 *   branch    an AND of leaves, each path once ($or is expanded, a repeated path replaced)
 *   leaf      an OR of entries over the values at one path
 *   entry     one rule; with anything-but its operands are what the value must not be
 *
 * All memory is the policy's; strings are decoded (JSON escapes resolved). */
#ifndef TOQUE_FILTER_POLICY_H
#define TOQUE_FILTER_POLICY_H

#include "common/base/address.h"
#include "filter/filter.h"
#include "filter/policy/number.h"
#include "filter/policy/pattern.h"

/* Bounds that hold with every filter_limits, also FILTER_LIMITS_NONE: $or may multiply. */
#define POLICY_BRANCHES_MAX      10000  /* branches of one policy */
#define POLICY_BRANCH_LEAVES_MAX 200000 /* leaves, summed over its branches */
/* Significant digits of an operand of "numeric": as many as a Number attribute has. */
#define POLICY_DIGITS_MAX 38

enum policy_kind {
    POLICY_STRING, /* equals the text; compared as addresses if the operand is one */
    POLICY_NUMBER, /* equals the number */
    POLICY_TRUE,
    POLICY_FALSE,
    POLICY_NULL,
    POLICY_PREFIX,
    POLICY_SUFFIX,
    POLICY_FOLDED, /* equals-ignore-case */
    POLICY_PREFIX_FOLDED,
    POLICY_SUFFIX_FOLDED,
    POLICY_WILDCARD,
    POLICY_NUMERIC, /* lies in the range */
    POLICY_EXISTS,  /* there is a value */
    POLICY_ABSENT,  /* there is no value */
    POLICY_CIDR,
};

/* A numeric range; "=" has both bounds, equal and closed. */
struct policy_range {
    struct number low, high;
    bool has_low, has_high;
    bool low_open, high_open; /* the bound itself is excluded */
};

struct policy_operand {
    str text;               /* as decoded: STRING, PREFIX, SUFFIX, *FOLDED, WILDCARD, CIDR; NUMBER:
                               its spelling */
    str folded;             /* *FOLDED: text after fold_text */
    struct number number;   /* NUMBER */
    struct pattern pattern; /* WILDCARD */
    struct policy_range range; /* NUMERIC */
    struct address address;    /* CIDR: the network, host bits cleared. STRING: when is_address */
    u8 cidr_bits;              /* CIDR: 0..31 or 0..127 */
    bool is_address;           /* STRING: compare as addresses (never with anything-but) */
    u32 at;                    /* its first byte in policy_text */
};

struct policy_entry {
    enum policy_kind kind;
    /* anything-but: holds for a present value of any type that satisfies none of the operands. Only
     * with STRING, NUMBER, PREFIX, SUFFIX, FOLDED and WILDCARD. */
    bool negated;
    u32 at, end; /* bytes [at, end) of policy_text */
    u32 n;       /* operands: 0 for TRUE, FALSE, NULL, EXISTS, ABSENT; 1 without anything-but */
    const struct policy_operand *operands;
};

struct policy_leaf {
    str path;  /* member names joined by dots; in attribute scope the attribute's name */
    u32 level; /* object levels in the policy: 1 at the top, $or adds none */
    u32 at;    /* first byte of its member name in policy_text */
    u32 n;
    const struct policy_entry *entries;
};

/* The same leaf is shared by all branches that contain it: pointers may be compared. */
struct policy_branch {
    u32 n; /* at least 1 */
    const struct policy_leaf *const *leaves;
};

struct policy {
    enum filter_scope scope;
    str text; /* compact */
    u32 n;    /* branches; 0: empty policy, accepts everything */
    const struct policy_branch *branches;
    u32 leaf_count;   /* leaf lists as the service counts them, on all levels */
    u64 combinations; /* as the service counts them; saturates */
    struct arena arena;
};

#endif
