/* Who is calling: AWS Signature Version 4, from the Authorization header or from the query of a
 * presigned URL.
 *
 *   sigv4_read    parses the credential; without keys its access key id is trusted
 *   sigv4_verify  computes the signature with the caller's secret, and compares
 *
 * A canonical form of the request is signed: method, path, query, the headers that the caller
 * listed, and the digest of the body. Rules: "Signature Version 4 signing process", IAM user guide;
 * the texts of refusals are those of the service. */
#ifndef TOQUE_SIGV4_H
#define TOQUE_SIGV4_H

#include "common/aws/call.h"
#include "common/aws/keys.h"

/* A signature is valid this long before and after its time. */
#define SIGV4_SKEW_MS (15 * 60 * INT64_C(1000))
/* Longest validity of a presigned URL. */
#define SIGV4_EXPIRES_MAX_S (7 * 24 * 3600)
/* Headers that a signature may cover; SDKs sign up to a dozen. */
#define SIGV4_HEADERS_MAX 64

/* Fills `ret` (views into the request or `arena`). No credentials at all: is_signed false, the rest
 * empty, 0. Credentials that cannot be taken apart: E_FAULT, CALL_FAULT_INCOMPLETE_SIGNATURE. */
int sigv4_read(const struct request *rq, struct arena *arena, struct identity *ret,
               struct fault *f);
/* Verifies the call's request, whose identity is_signed, for the service of that signing name. 0
 * and the key; or E_FAULT, and c->fault is set. */
int sigv4_verify(struct call *c, const char *service, struct keys *keys, i64 now_ms,
                 const struct key **ret);

/* --- used by sigv4.c and its tests ------------------------------------------------------------ */

/* Parts of a request that stay as the client wrote them instead of being normalised. */
enum sigv4_as_sent { SIGV4_PATH_AS_SENT = 1, SIGV4_QUERY_AS_SENT = 2 };

/* Appends the canonical form of the request. `digest` is the body's digest as that form has it. */
void sigv4_canonical(const struct request *rq, const struct identity *id, str digest,
                     unsigned as_sent, struct arena *arena, struct buf *out);
/* The value of a parameter of the query, decoded; p NULL when it is not there or is not
 * percent-encoded as it must be. */
str sigv4_query_param(const struct request *rq, const char *name, struct arena *arena);
/* The value of the first header of that name, "" where there is none. */
str sigv4_header(const struct request *rq, const char *name);

#endif
