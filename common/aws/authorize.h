/* Authorization of a call by the policy of the caller's access key. */
#ifndef TOQUE_AUTHORIZE_H
#define TOQUE_AUTHORIZE_H

#include "common/aws/access_request.h"
#include "common/aws/call.h"
#include "common/aws/keys.h"

/* Fills in the request context that policies test: caller, action, resource and condition keys.
 * Needs c->in, and account and region of the call. Lives as long as the call. */
void authorize_request(struct call *c, struct access_request *ret);
/* 0 when the key has no policy or its policy allows the call. Else E_FAULT: c->fault is set, and
 * `why` has the statement that denies it or the missing permission. */
int authorize(struct call *c, const struct key *key, struct buf *why);

#endif
