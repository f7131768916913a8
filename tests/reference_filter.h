/* The filter language read directly off its rules: one policy and one message at a time, no
 * compilation, nothing clever. The compiled matcher is held against it.
 *
 * It takes the checked policy (policy.h) as given and shares with filter/ the reader of policy
 * texts (for bodies too), the parser of addresses and the folding of one character; comparing,
 * ranges, wildcards, arrays and eligibility are its own. */
#ifndef TOQUE_TESTS_REFERENCE_FILTER_H
#define TOQUE_TESTS_REFERENCE_FILTER_H

#include "filter/policy/policy.h"

/* Whether any policy of the scope could match at all. */
enum filter_eligibility reference_eligibility(enum filter_scope scope,
                                              const struct filter_message *msg);
/* The verdict. Empty policies let everything through. */
bool reference_match(const struct policy *p, const struct filter_message *msg);

#endif
