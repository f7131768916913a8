/* Authorization of a call, by the policy of the caller's access key and by the policy of the resource
 * that is called. Rules: IAM user guide, "Policy evaluation logic". */
#ifndef TOQUE_AUTHORIZE_H
#define TOQUE_AUTHORIZE_H

#include "common/aws/access_request.h"
#include "common/aws/call.h"
#include "common/aws/keys.h"

/* Fills in the request context that policies test: caller, action, resource and condition keys.
 * Needs c->in, and account and region of the call. Lives as long as the call. */
void authorize_request(struct call *c, struct access_request *ret);
/* The same for Amazon SNS, which delivers a topic's message to a queue. `time` is scratch that lives as
 * long as the request. */
void authorize_topic(struct access_request *ret, str topic, str queue, i64 now_ms,
                     char time[CLOCK_ISO_SIZE]);
/* 0 when the key has no policy or its policy allows the call. Else E_FAULT: c->fault is set, and
 * `why` has the statement that denies it or the missing permission. */
int authorize(struct call *c, const struct key *key, struct buf *why);

/* What is called, and its own policy. */
struct resource_policy {
    str arn;
    str owner;                          /* account */
    const struct access_policy *policy; /* NULL: none */
};

/* 0 when the resource's policy allows the call, or the caller's account owns the resource and the
 * policy does not deny it. Else E_FAULT, as above. */
int authorize_by_resource(struct call *c, const struct resource_policy *r, struct buf *why);

#endif
