/* What lint finds in one policy. Codes are stable: programs and comments refer to them.
 *
 *   L001  the service refuses it
 *   L002  nested keys, but the scope is MessageAttributes (refused)
 *   L003  an empty numeric range (refused)
 *   L101  an entry that can never match
 *   L102  an entry, an excluded value or an alternative of $or that another one covers
 *   L103  anything-but beside an entry that accepts what it excludes
 *   L104  two anything-but in one list
 *   L105  a policy that always matches
 *   L106  a policy that never matches
 *   L107  a dotted attribute name, or one that no attribute can have
 *   L108  a body policy, and messages are not JSON
 *   L109  a number beyond the documented precision
 *   L110  combinations near the limit
 *   L111  a key that a later one replaces
 *   L112  only absence is required
 *   L113  an entry that every string matches
 *   L114  a wildcard without an asterisk
 *   L115  leading or trailing blanks in a value
 *   L116  quotes or backslashes escaped once, in attribute scope */
#ifndef TOQUE_FILTER_CTL_LINT_H
#define TOQUE_FILTER_CTL_LINT_H

#include "filter/ctl/policies.h"
#include "filter/policy/policy.h"
#include "filter/policy/tree.h"

#define LINT_FINDINGS_MAX 1000 /* of one policy */
#define LINT_ENTRIES_MAX  2000 /* of one key: more are not held against one another */
#define LINT_BRANCHES_MAX 150  /* alternatives likewise; the service takes fewer anyway */

struct lint_finding {
    const char *code;
    size_t at;          /* byte of the policy's own text */
    str words;          /* what is wrong */
    const char *advice; /* what to do */
};

struct lint {
    const struct ctl_policy *subject;
    struct lint_finding *findings;
    size_t n, cap;
    struct arena arena;
};

void lint_init(struct lint *l, const struct ctl_policy *subject);
void lint_deinit(struct lint *l);
/* Collects all findings of the subject, ordered by place. */
void lint_run(struct lint *l);
void lint_say(struct lint *l, const char *code, size_t at, const char *advice, const char *fmt, ...)
    PRINTF_LIKE(5, 6);

/* Adds the one finding about a policy that was refused. */
void lint_refusal(struct lint *l);

/* --- lint_cover.c: how entries relate to each other ------------------------------------------------ */

/* Whether every value that satisfies `b` satisfies `a`. False if unknown. */
bool entry_covers(const struct policy_entry *a, const struct policy_entry *b);
/* Whether the entry accepts everything that operand `op` of the anything-but `but` excludes. */
bool entry_admits(const struct policy_entry *e, const struct policy_entry *but,
                  const struct policy_operand *op);
/* The operand of an anything-but that makes operand k redundant, or NULL. */
const struct policy_operand *entry_repeats(const struct policy_entry *but, u32 k);
/* Whether every message that satisfies `b` satisfies `a`. False if unknown. */
bool branch_covers(const struct policy_branch *a, const struct policy_branch *b);
/* Whether every string satisfies the entry, judged by its form. */
bool entry_takes_any_string(const struct policy_entry *e);
/* Whether some entry of the leaf holds for every present value. */
bool leaf_is_open(const struct policy_leaf *leaf);

#endif
