/* A verdict told key by key: which branch of the policy held or came nearest, which of its keys
 * decided, which rule and value met or failed, and what the nearest miss was.
 *
 * The verdict is the matcher's own. Everything an explanation holds lives as long as it does; it
 * borrows from the policy and from the message, which must outlive it. Sentences (`words`) are
 * whole, in plain English, without a line break at their end, and quote values cut to
 * EXPLAIN_SHOWN_MAX. */
#ifndef TOQUE_FILTER_EXPLAIN_H
#define TOQUE_FILTER_EXPLAIN_H

#include "filter/policy/policy.h"

/* Bytes of a value or key that a sentence shows. */
#define EXPLAIN_SHOWN_MAX 80

/* Why a rule was not met; for each a short stable name (explain_miss_name). */
enum explain_miss {
    EXPLAIN_MET,            /* "met": it was */
    EXPLAIN_OTHER,          /* "other-value": nothing nearer than this */
    EXPLAIN_CASE,           /* "case": equal but for upper and lower case */
    EXPLAIN_BLANK,          /* "blank": equal but for blanks at an end */
    EXPLAIN_NUMBER_QUOTED,  /* "number-as-string": the rule wants a number, the value is its text */
    EXPLAIN_NUMBER_BARE,    /* "string-as-number": the rule wants a text, the value is a number */
    EXPLAIN_LITERAL_QUOTED, /* "literal-as-string": "true" for true, "null" for null, or the reverse
                             */
    EXPLAIN_TYPE,           /* "type": the rule cannot hold for a value of this type */
    EXPLAIN_SUBSTRING,      /* "substring": the text occurs in the value, at another place */
    EXPLAIN_EXCLUDED,       /* "excluded": the value is what anything-but excludes */
    EXPLAIN_BOUND,          /* "on-the-bound": the value is the bound, and the bound is outside */
    EXPLAIN_BELOW,          /* "below" the range */
    EXPLAIN_ABOVE,          /* "above" the range */
    EXPLAIN_NO_ADDRESS,     /* "no-address": the value is no IP address */
    EXPLAIN_ADDRESS_FAMILY, /* "address-family": IPv4 against IPv6 */
    EXPLAIN_ESCAPE,         /* "escape": attribute scope compares " and \ in their escaped form */
    EXPLAIN_ARRAY_IN_STRING, /* "array-in-string": a String that holds a JSON array */
    EXPLAIN_PRESENT,         /* "present": exists false, and there is a value */
    EXPLAIN_ABSENT,          /* "absent": no value at the key */
    EXPLAIN_KEY_CASE,    /* "key-case": a key that differs only in case, or in blanks, is there */
    EXPLAIN_DEEPER,      /* "deeper": the key is there, below another one */
    EXPLAIN_HIGHER,      /* "higher": the last name of the key is there, further up */
    EXPLAIN_OBJECT,      /* "object": the key holds an object, not a value */
    EXPLAIN_EMPTY_ARRAY, /* "empty-array": the key holds no element */
    EXPLAIN_BINARY,      /* "binary": Binary attributes count as absent */
    EXPLAIN_OTHER_SCOPE, /* "other-scope": the key is in the body, the policy looks at the
                            attributes, or the reverse */
};
const char *explain_miss_name(enum explain_miss miss);

enum explain_type {
    EXPLAIN_STRING,
    EXPLAIN_NUMBER,
    EXPLAIN_TRUE,
    EXPLAIN_FALSE,
    EXPLAIN_NULL,
};
const char *explain_type_name(enum explain_type type); /* "string", "number", … */

/* One value that the message offers at a key of the policy. */
struct explain_value {
    str place; /* where it was found, as people write it: "Items[1].sku" */
    enum explain_type type;
    str text; /* a string as it is compared, a number as spelled, "true", "false", "null" */
};

/* One entry of a key's list. */
struct explain_rule {
    const struct policy_entry *entry;
    bool holds;
    enum explain_miss miss; /* EXPLAIN_MET when it holds */
    const struct explain_value
        *value; /* the one that met it, or came nearest; NULL: there is none */
    str rule;   /* the entry's own text in the policy */
    str words;
};

/* One key of a branch. */
struct explain_key {
    const struct policy_leaf *leaf;
    bool holds; /* some value satisfies some rule, taken by itself */
    u32 value_count;
    const struct explain_value *values; /* all that the message offers here */
    u32 rule_count;
    const struct explain_rule *rules;   /* in the order of the policy */
    const struct explain_rule *nearest; /* the rule that met it, or came nearest */
    str words;
};

/* One way for the policy to hold: what is left after $or is resolved. */
struct explain_branch {
    const struct policy_branch *branch;
    bool holds;
    u32 failed; /* keys that do not hold by themselves */
    /* Every key holds by itself, but not all in one element of an array. */
    bool is_split;
    u32 key_count;
    const struct explain_key *keys;
};

enum explain_reason {
    EXPLAIN_HELD,         /* a branch holds: match */
    EXPLAIN_NO_POLICY,    /* the policy is empty: match */
    EXPLAIN_FAILED,       /* no branch holds */
    EXPLAIN_NOT_ELIGIBLE, /* see eligibility: no policy of this scope could hold */
    EXPLAIN_EMPTY_BODY,   /* {} satisfies no policy */
};
const char *explain_reason_name(enum explain_reason reason);

struct explanation {
    bool match; /* the matcher's verdict */
    enum explain_reason reason;
    enum filter_eligibility eligibility;
    str words;        /* the verdict in one or two sentences */
    str hint;         /* what to do about it; empty where there is nothing to say */
    u32 branch_count; /* 0 unless HELD or FAILED */
    const struct explain_branch *branches;
    /* Of HELD the branch that holds, of FAILED the one with the fewest failing keys; else NULL. */
    const struct explain_branch *nearest;
    const struct explain_key *decided; /* of FAILED: its first key that fails, or NULL (is_split) */
    struct arena arena;
};

/* Never NULL; free with explain_free. */
struct explanation *explain_new(const struct policy *p, const struct filter_message *msg);
void explain_free(struct explanation *x); /* NULL accepted */

#endif
