/* Who is calling: AWS Signature Version 4, from the Authorization header or from the query of a
 * presigned URL.
 *
 *   sigv4_read    takes the credential apart; who it names is believed where there are no keys
 *   sigv4_verify  works the signature out again with the caller's secret, and compares
 *
 * What is signed is a canonical form of the request: method, path, query, the headers that the
 * caller listed, and the digest of the body. Rules: "Signature Version 4 signing process", IAM user
 * guide; the texts of refusals are those of the service. */
#ifndef TOQUE_SIGV4_H
#define TOQUE_SIGV4_H

#include "common/aws/call.h"
#include "common/aws/keys.h"

/* A signature is good for so long before and after its time. */
#define SIGV4_SKEW_MS (15 * 60 * INT64_C(1000))
/* A presigned URL at most for so long. */
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

/* What of a request stays as the client wrote it; else it is brought into the one form that the
 * rules know. */
enum sigv4_as_sent { SIGV4_PATH_AS_SENT = 1, SIGV4_QUERY_AS_SENT = 2 };

/* Appends the canonical form of the request. `digest` is the body's, as the form has it. */
void sigv4_canonical(const struct request *rq, const struct identity *id, str digest,
                     unsigned as_sent, struct arena *arena, struct buf *out);
/* The value of a parameter of the query, decoded; p NULL when it is not there or is not
 * percent-encoded as it must be. */
str sigv4_query_param(const struct request *rq, const char *name, struct arena *arena);
/* The value of the first header of that name, "" where there is none. */
str sigv4_header(const struct request *rq, const char *name);

#endif
