/* A parsed policy from the inside: what access_policy.c builds and access_judge.c reads. Nobody
 * else includes this. All views lie in the policy's arena. */
#ifndef TOQUE_ACCESS_STATEMENT_H
#define TOQUE_ACCESS_STATEMENT_H

#include "common/aws/access_condition.h"
#include "common/aws/access_policy.h"

enum access_principal_kind {
    ACCESS_EVERYONE,  /* "*" */
    ACCESS_ACCOUNT,   /* a whole account: twelve digits, or the ARN of its root */
    ACCESS_USER,      /* one ARN */
    ACCESS_SERVICE,   /* "sns.amazonaws.com" */
    ACCESS_ELSEWHERE, /* federated and canonical users: nobody here is one */
};

struct access_principal {
    enum access_principal_kind kind;
    str value;
};

/* "Action" and "NotAction" and their like: what is listed, or everything but that. */
struct access_list {
    str *patterns; /* access_pattern.h */
    u32 n;
    bool is_not;
};

struct access_statement {
    u32 number; /* its place in the document, from 1 */
    str sid;    /* p NULL: none */
    bool is_deny;
    bool has_principals;
    bool not_principals;
    struct access_principal *principals;
    u32 principal_count;
    struct access_list actions, resources;
    struct access_test *tests;
    u32 test_count;
};

struct access_policy {
    struct arena arena;
    struct access_statement *statements;
    u32 n;
};

#endif
