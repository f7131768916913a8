/* Who is calling: AWS Signature Version 4, read from the Authorization header or from the query of
 * a presigned URL. sigv4_read takes the credential apart; sigv4_check decides whether to believe
 * it: today it believes everybody (signatures are not verified), and it stands where it will stay,
 * in front of the reading of a call's input and its action. Rules: Signature Version 4 signing
 * process, AWS reference. */
#ifndef TOQUE_SIGV4_H
#define TOQUE_SIGV4_H

#include "common/aws/call.h"

/* Fills `ret` (views into the request or `arena`). No credentials at all: is_signed false, the rest
 * empty, 0. Credentials that cannot be taken apart: E_FAULT, CALL_FAULT_INCOMPLETE_SIGNATURE. */
int sigv4_read(const struct request *rq, struct arena *arena, struct identity *ret,
               struct fault *f);
/* 0 when the call may go on. */
int sigv4_check(const struct identity *id, const struct request *rq, struct fault *f);

#endif
