/* A verdict explained key by key: which branch of the policy held or came nearest, which key
 * decided, which rule and value matched or failed, and what the nearest miss was.
 *
 * The verdict is the matcher's own. All memory belongs to the explanation; it borrows from the
 * policy and from the message, which must outlive it. `words` are complete English sentences
 * without a trailing newline; values in them are cut to EXPLAIN_SHOWN_MAX. */
#ifndef TOQUE_FILTER_EXPLAIN_H
#define TOQUE_FILTER_EXPLAIN_H

#include "filter/policy/policy.h"

/* Bytes of a value or key that a sentence quotes. */
#define EXPLAIN_SHOWN_MAX 80

/* Why a rule did not match. Each has a short, stable name (explain_miss_name). */
enum explain_miss {
    EXPLAIN_MET,            /* "met": it matched */
    EXPLAIN_OTHER,          /* "other-value": none of the more specific reasons */
    EXPLAIN_CASE,           /* "case": equal except for upper and lower case */
    EXPLAIN_BLANK,          /* "blank": equal except for leading or trailing blanks */
    EXPLAIN_NUMBER_QUOTED,  /* "number-as-string": the rule has a number, the value is a string */
    EXPLAIN_NUMBER_BARE,    /* "string-as-number": the rule has a string, the value is a number */
    EXPLAIN_LITERAL_QUOTED, /* "literal-as-string": "true" for true, "null" for null, or the reverse
                             */
    EXPLAIN_TYPE,           /* "type": the rule never matches a value of this type */
    EXPLAIN_SUBSTRING,      /* "substring": the value contains the text, but elsewhere */
    EXPLAIN_EXCLUDED,       /* "excluded": anything-but excludes the value */
    EXPLAIN_BOUND,          /* "on-the-bound": the value equals the bound, which is exclusive */
    EXPLAIN_BELOW,          /* "below" the range */
    EXPLAIN_ABOVE,          /* "above" the range */
    EXPLAIN_NO_ADDRESS,     /* "no-address": the value is not an IP address */
    EXPLAIN_ADDRESS_FAMILY, /* "address-family": IPv4 versus IPv6 */
    EXPLAIN_ESCAPE,         /* "escape": attribute scope compares the escaped form of " and \ */
    EXPLAIN_ARRAY_IN_STRING, /* "array-in-string": a String attribute that holds a JSON array */
    EXPLAIN_PRESENT,         /* "present": exists false, but the key has a value */
    EXPLAIN_ABSENT,          /* "absent": no value at the key */
    EXPLAIN_KEY_CASE,        /* "key-case": a key exists that differs only in case or blanks */
    EXPLAIN_DEEPER,          /* "deeper": the key exists at a deeper level */
    EXPLAIN_HIGHER,          /* "higher": the key's last name exists at a higher level */
    EXPLAIN_OBJECT,          /* "object": the key holds an object, not a value */
    EXPLAIN_EMPTY_ARRAY,     /* "empty-array": the key's array has no elements */
    EXPLAIN_BINARY,          /* "binary": Binary attributes count as absent */
    EXPLAIN_OTHER_SCOPE, /* "other-scope": a body key in a policy on attributes, or the reverse */
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

/* One value that the message has at a key of the policy. */
struct explain_value {
    str place; /* where it was found, in readable form: "Items[1].sku" */
    enum explain_type type;
    str text; /* a string in the form compared, a number as spelled, "true", "false", "null" */
};

/* One entry of a key's list. */
struct explain_rule {
    const struct policy_entry *entry;
    bool holds;
    enum explain_miss miss;            /* EXPLAIN_MET when it holds */
    const struct explain_value *value; /* the value that matched or came nearest; NULL: none */
    str rule;                          /* the entry's text in the policy */
    str words;
};

/* One key of a branch. */
struct explain_key {
    const struct policy_leaf *leaf;
    bool holds; /* some value satisfies some rule, this key taken alone */
    u32 value_count;
    const struct explain_value *values; /* all values of the message at this key */
    u32 rule_count;
    const struct explain_rule *rules;   /* in policy order */
    const struct explain_rule *nearest; /* the rule that matched or came nearest */
    str words;
};

/* One way for the policy to match: a conjunction of keys, with $or expanded. */
struct explain_branch {
    const struct policy_branch *branch;
    bool holds;
    u32 failed; /* keys that do not hold by themselves */
    /* Every key holds by itself, but not all within one array element. */
    bool is_split;
    u32 key_count;
    const struct explain_key *keys;
};

enum explain_reason {
    EXPLAIN_HELD,         /* a branch holds: match */
    EXPLAIN_NO_POLICY,    /* the policy is empty: match */
    EXPLAIN_FAILED,       /* no branch holds */
    EXPLAIN_NOT_ELIGIBLE, /* see eligibility: no policy of this scope can match */
    EXPLAIN_EMPTY_BODY,   /* {} matches no policy */
};
const char *explain_reason_name(enum explain_reason reason);

struct explanation {
    bool match; /* the matcher's verdict */
    enum explain_reason reason;
    enum filter_eligibility eligibility;
    str words;        /* the verdict in one or two sentences */
    str hint;         /* suggested remedy; empty: none */
    u32 branch_count; /* 0 unless HELD or FAILED */
    const struct explain_branch *branches;
    /* HELD: the branch that holds; FAILED: the one with the fewest failing keys; otherwise NULL. */
    const struct explain_branch *nearest;
    const struct explain_key *decided; /* FAILED: its first failing key, or NULL (is_split) */
    struct arena arena;
};

/* Never NULL; free with explain_free. */
struct explanation *explain_new(const struct policy *p, const struct filter_message *msg);
void explain_free(struct explanation *x); /* NULL accepted */

#endif
