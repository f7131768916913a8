/* Access policies, the JSON documents that say who may do what: a queue's and a topic's own, and
 * those of an access key. Parsed once, then asked. Rules: IAM user guide, "Grammar of the IAM JSON
 * policy language" and "Policy evaluation logic".
 *
 *   {"Version": "2012-10-17", "Id": "…", "Statement": [{
 *       "Sid": "…", "Effect": "Allow",
 *       "Principal": {"Service": "sns.amazonaws.com"},        or NotPrincipal
 *       "Action": "sqs:SendMessage",                          or NotAction
 *       "Resource": "arn:aws:sqs:us-east-1:000000000000:q",   or NotResource
 *       "Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:…"}}}]}
 *
 * A request is allowed when a statement allows it and none denies it. What a policy and a request
 * may cost is bounded; a request that would cost more is denied. */
#ifndef TOQUE_ACCESS_POLICY_H
#define TOQUE_ACCESS_POLICY_H

#include "common/aws/access_request.h"
#include "common/base/buf.h"
#include "common/base/err.h"

#define ACCESS_POLICY_SIZE_MAX       30720 /* bytes; Amazon SNS's bound, SQS's is lower */
#define ACCESS_POLICY_STATEMENTS_MAX 100   /* likewise */
#define ACCESS_POLICY_PRINCIPALS_MAX 200   /* of one statement; likewise */

enum {
    ACCESS_POLICY_FAULT = 850, /* with JSON_FAULT the codes of a struct fault from here */
};

/* Whose policy it is. */
enum access_policy_kind {
    ACCESS_OF_RESOURCE, /* every statement has a Principal or NotPrincipal */
    ACCESS_OF_IDENTITY, /* none has */
};

struct access_policy;
struct access_statement;
struct access_test;

/* E_FAULT: not JSON, not a policy, or beyond a bound; f->text says what and where. */
int access_policy_open(struct access_policy **ret, str text, enum access_policy_kind kind,
                       struct fault *f) MUST_CHECK;
/* NULL accepted. */
void access_policy_free(struct access_policy *p);
/* Its statements. */
u32 access_policy_count(const struct access_policy *p);

/* --- asking ----------------------------------------------------------------------------------- */

enum access_verdict {
    ACCESS_NO_STATEMENT, /* none applies: it depends on who owns the resource */
    ACCESS_ALLOWED,
    ACCESS_DENIED, /* by a Deny, or because judging it would cost too much */
};

/* The first part of a statement that does not fit a request, in the order in which they are looked
 * at. */
enum access_part {
    ACCESS_PART_ACTION,
    ACCESS_PART_RESOURCE,
    ACCESS_PART_PRINCIPAL,
    ACCESS_PART_CONDITION,
    ACCESS_PART_NONE,
};

struct access_decision {
    enum access_verdict verdict;
    bool too_costly;
    /* The statement that decided; for ACCESS_NO_STATEMENT the Allow that came closest, and NULL
     * when there is no Allow at all. */
    const struct access_statement *statement;
    enum access_part missed;        /* ACCESS_NO_STATEMENT: of that statement */
    const struct access_test *test; /* the test that did not hold, for ACCESS_PART_CONDITION */
};

struct access_decision access_policy_judge(const struct access_policy *p,
                                           const struct access_request *rq);
/* Appends a sentence for logs and traces: which statement decided, or what was missing. */
void access_decision_tell(const struct access_decision *d, const struct access_request *rq,
                          struct buf *out);

#endif
