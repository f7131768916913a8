/* Whether a call may be made: what the policy of the caller's access key says of it. */
#ifndef TOQUE_AUTHORIZE_H
#define TOQUE_AUTHORIZE_H

#include "common/aws/access_request.h"
#include "common/aws/call.h"
#include "common/aws/keys.h"

/* Fills in what policies ask about a call: its caller, action, resource and the facts around it.
 * Needs c->in, and account and region of the call. Lives as long as the call. */
void authorize_request(struct call *c, struct access_request *ret);
/* 0 when the key has no policy or its policy allows the call. Else E_FAULT, c->fault is set, and
 * `why` says which statement denies it or what was missing. */
int authorize(struct call *c, const struct key *key, struct buf *why);

#endif
