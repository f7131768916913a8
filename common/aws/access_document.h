/* An access policy as the text that a queue's or topic's Policy attribute holds, edited in the way
 * of AddPermission and RemovePermission. Members keep their order; the result has no blanks.
 *
 * A permission is one statement: Sid is its label, Principal the accounts by the ARNs of their
 * roots, Action the names behind the service's prefix; a single account or action is a string,
 * several are a list. Forms: recorded from Amazon SQS and SNS. */
#ifndef TOQUE_ACCESS_DOCUMENT_H
#define TOQUE_ACCESS_DOCUMENT_H

#include "common/base/buf.h"
#include "common/base/err.h"

/* All texts are UTF-8. */
struct access_permission {
    str label;
    const str *accounts; /* twelve digits each; duplicates count once */
    size_t account_count;
    const char *prefix; /* "SQS:" or "SNS:" */
    const str *actions; /* without the prefix, likewise */
    size_t action_count;
    str resource; /* ARN; the principals are of its partition */
};

/* Appends to `out` the policy with the permission as its last statement; where `policy` is "", a
 * new policy with the given `id`. E_EXISTS: a statement has that label; E_FULL: it has
 * statements_max already; E_INVALID: the policy cannot be read. */
int access_document_add(str policy, str id, const struct access_permission *p,
                        size_t statements_max, struct buf *out) MUST_CHECK;
/* Appends the policy without the statements of that label, and nothing when none is left.
 * E_NOT_FOUND: there is none; E_INVALID as above. */
int access_document_remove(str policy, str label, struct buf *out) MUST_CHECK;
/* Appends the policy in the form in which Amazon SNS stores it: compact, an account as principal by
 * the ARN of its root, of the partition given. E_INVALID as above. */
int access_document_normal(str policy, str partition, struct buf *out) MUST_CHECK;

#endif
