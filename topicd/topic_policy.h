/* The access policy of a topic as a document: its default, what the service accepts, the form in
 * which it is stored, and the statements of AddPermission (Amazon SNS developer guide, "Overview of
 * managing access in Amazon SNS"). common/aws/access_policy.h evaluates it. */
#ifndef TOQUE_TOPIC_POLICY_H
#define TOQUE_TOPIC_POLICY_H

#include "common/base/buf.h"
#include "common/base/err.h"

#define TOPIC_POLICY_TEXT_MAX   30720 /* bytes */
#define TOPIC_POLICY_STATEMENTS 100

/* Appends the policy of a topic for which none was set. */
void topic_policy_default(str topic_arn, str account, struct buf *out);
/* Appends the stored form of `text`: without blanks, an account number among the principals as the
 * ARN of its root user. E_FAULT: f->text is the whole text, which begins with `frame`. */
int topic_policy_keep(str text, const char *frame, struct buf *out, struct fault *f) MUST_CHECK;

/* What AddPermission adds. The lists are not empty. */
struct topic_grant {
    str topic_arn, label;
    const str *accounts; /* twelve digits each, not yet checked */
    size_t account_count;
    const str *actions; /* without "SNS:", not yet checked */
    size_t action_count;
};

/* Appends `policy`, one in its stored form, with the statement added at its end. E_FAULT: as
 * above. */
int topic_policy_grant(str policy, const struct topic_grant *g, struct buf *out,
                       struct fault *f) MUST_CHECK;
/* Appends `policy` without the statement of that label; without such a one it stays as it is. */
int topic_policy_revoke(str policy, str label, struct buf *out, struct fault *f) MUST_CHECK;

#endif
