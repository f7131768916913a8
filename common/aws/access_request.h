/* The request context that an access policy is evaluated against: caller, action, resource, and the
 * facts that conditions test. Filled by the code that accepts the call; all texts are borrowed
 * views. */
#ifndef TOQUE_ACCESS_REQUEST_H
#define TOQUE_ACCESS_REQUEST_H

#include "common/base/base.h"
#include "common/base/str.h"

/* Facts of one request. The standard ones are some fifteen, a service adds two or three. */
#define ACCESS_FACTS_MAX 32

/* A condition key of the request, "aws:SourceArn", and its value as text. A key that has several
 * values is there several times. Names are compared without regard to case, as AWS does. */
struct access_fact {
    str name, value;
};

struct access_request {
    str account;   /* of the caller; "": unsigned, or an AWS service acts */
    str principal; /* ARN of the caller, arn:aws:iam::ACCOUNT:user/NAME or …:root; "" likewise */
    str service;   /* "sns.amazonaws.com" when an AWS service acts, else "" */
    str service_region; /* where it acts */
    str action;         /* "sqs:SendMessage" */
    str resource;       /* ARN */
    struct access_fact facts[ACCESS_FACTS_MAX];
    u32 fact_count;
};

/* Adds a fact. At most ACCESS_FACTS_MAX: more are a bug of the caller. */
void access_request_add(struct access_request *rq, str name, str value);
/* Adds the facts that follow from the caller: aws:PrincipalArn, aws:PrincipalAccount,
 * aws:PrincipalIsAWSService and, for a service, aws:PrincipalServiceName. */
void access_request_add_caller(struct access_request *rq);
/* The next value of the key, from *at on (0 at first); false when there is none. */
bool access_request_next(const struct access_request *rq, str name, u32 *at, str *ret);

#endif
