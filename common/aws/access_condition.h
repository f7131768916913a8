/* One test of a statement's Condition: an operator, a condition key, and the values to compare
 * with, as in {"ArnLike": {"aws:SourceArn": ["…", "…"]}}. All tests of a statement must hold.
 *
 * Operators: String… (Equals, NotEquals, EqualsIgnoreCase, NotEqualsIgnoreCase, Like, NotLike),
 * Numeric… and Date… (Equals, NotEquals, LessThan, LessThanEquals, GreaterThan, GreaterThanEquals),
 * Bool, BinaryEquals, IpAddress, NotIpAddress, Arn… (Equals, NotEquals, Like, NotLike), Null; with
 * IfExists behind all but Null, with ForAnyValue: or ForAllValues: before. Rules: IAM user guide,
 * "Policy elements: Condition operators" and "Multivalued context keys". */
#ifndef TOQUE_ACCESS_CONDITION_H
#define TOQUE_ACCESS_CONDITION_H

#include "common/aws/access_request.h"
#include "common/base/address.h"
#include "common/base/err.h"
#include "common/base/mem.h"

struct access_operator;

/* Whether one value of the key must satisfy the test, or all of them. */
enum access_quantity { ACCESS_SINGLE, ACCESS_ANY_VALUE, ACCESS_ALL_VALUES };

/* A value of the policy, by the operator's kind. */
union access_operand {
    str pattern; /* String, Arn, Binary */
    double number;
    i64 ms;
    bool flag;
    struct {
        struct address address;
        u32 bits;
    } network;
};

struct access_test {
    const struct access_operator *op;
    enum access_quantity quantity;
    bool if_exists; /* holds also where the key is missing */
    str written;    /* the operator as the policy spells it; for reports */
    str key;
    union access_operand *operands;
    u32 operand_count;
};

/* Reads an operator's spelling. E_INVALID: there is no such. */
int access_test_init(struct access_test *t, str written) MUST_CHECK;
/* Reads one value into *ret; `variables`: "${…}" is special. E_INVALID: it is not of the operator's
 * kind. The operand lives as long as the arena and `text`. */
int access_test_operand(const struct access_test *t, str text, bool variables, struct arena *a,
                        union access_operand *ret) MUST_CHECK;
/* Whether the request satisfies the test. Takes from *steps_left as access_pattern_match. */
bool access_test_holds(const struct access_test *t, const struct access_request *rq,
                       u64 *steps_left);

#endif
