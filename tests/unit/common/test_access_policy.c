/* Access policies: who is let in by which statement and why not, what is no policy, and that the
 * worst policy costs no more than the bound. */
#include "common/base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/aws/access_pattern.h"
#include "common/aws/access_policy.h"
#include "common/base/json.h"

#define QUEUE  "arn:aws:sqs:us-east-1:111111111111:orders"
#define TOPIC  "arn:aws:sns:us-east-1:111111111111:receipts"
#define NEW(s) "{\"Version\":\"2012-10-17\",\"Statement\":[" s "]}"
#define OLD(s) "{\"Version\":\"2008-10-17\",\"Id\":\"x\",\"Statement\":[" s "]}"
/* A statement about anything, for the principals and the conditions. */
#define ALLOW(rest) "{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"," rest "}"
#define DENY(rest)  "{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"," rest "}"
#define EVERYONE    "\"Principal\":\"*\""
#define WHEN(test)  NEW(ALLOW(EVERYONE ",\"Condition\":{" test "}"))

struct asked {
    const char *policy;
    const char *caller; /* an ARN, "service:…", or NULL: nobody */
    const char *action, *resource;
    const char *facts; /* "key=value|key=value" */
    enum access_verdict verdict;
    enum access_part missed;
};

#define A           ACCESS_ALLOWED, ACCESS_PART_NONE
#define D           ACCESS_DENIED, ACCESS_PART_ACTION
#define N(part)     ACCESS_NO_STATEMENT, ACCESS_PART_##part
#define ALICE       "arn:aws:iam::111111111111:user/alice"
#define BOB         "arn:aws:iam::222222222222:user/bob"
#define SNS         "service:sns.amazonaws.com"
#define SEND        "sqs:SendMessage"
#define SENDS(p)    p, BOB, SEND, QUEUE, ""
#define FACTS(p, f) p, BOB, SEND, QUEUE, f

static const struct asked actions[] = {
    {NEW("{\"Effect\":\"Allow\"," EVERYONE ",\"Action\":\"sqs:SendMessage\",\"Resource\":\"*\"}"),
     BOB, SEND, QUEUE, "", A},
    {NEW("{\"Effect\":\"Allow\"," EVERYONE ",\"Action\":\"SQS:sendmessage\",\"Resource\":\"*\"}"),
     BOB, SEND, QUEUE, "", A},
    {NEW("{\"Effect\":\"Allow\"," EVERYONE ",\"Action\":\"sqs:Send*\",\"Resource\":\"*\"}"), BOB,
     SEND, QUEUE, "", A},
    {NEW("{\"Effect\":\"Allow\"," EVERYONE ",\"Action\":\"SQS:*\",\"Resource\":\"*\"}"), BOB, SEND,
     QUEUE, "", A},
    {NEW("{\"Effect\":\"Allow\"," EVERYONE ",\"Action\":\"*\",\"Resource\":\"*\"}"), BOB, SEND,
     QUEUE, "", A},
    {NEW("{\"Effect\":\"Allow\"," EVERYONE ",\"Action\":\"sqs:Sen?Message\",\"Resource\":\"*\"}"),
     BOB, SEND, QUEUE, "", A},
    {NEW("{\"Effect\":\"Allow\"," EVERYONE
         ",\"Action\":[\"sqs:ReceiveMessage\",\"sqs:SendMessage\"],\"Resource\":\"*\"}"),
     BOB, SEND, QUEUE, "", A},
    {NEW("{\"Effect\":\"Allow\"," EVERYONE ",\"Action\":\"sqs:SendMessage?\",\"Resource\":\"*\"}"),
     BOB, SEND, QUEUE, "", N(ACTION)},
    {NEW("{\"Effect\":\"Allow\"," EVERYONE ",\"Action\":\"sns:*\",\"Resource\":\"*\"}"), BOB, SEND,
     QUEUE, "", N(ACTION)},
    {NEW("{\"Effect\":\"Allow\"," EVERYONE ",\"Action\":\"sqs:Send\",\"Resource\":\"*\"}"), BOB,
     SEND, QUEUE, "", N(ACTION)},
    {NEW("{\"Effect\":\"Allow\"," EVERYONE ",\"NotAction\":\"sqs:Receive*\",\"Resource\":\"*\"}"),
     BOB, SEND, QUEUE, "", A},
    {NEW("{\"Effect\":\"Allow\"," EVERYONE ",\"NotAction\":[\"a:b\",\"sqs:Send*\"],"
         "\"Resource\":\"*\"}"),
     BOB, SEND, QUEUE, "", N(ACTION)},
};

#define RESOURCE(r)                                                                                \
    NEW("{\"Effect\":\"Allow\"," EVERYONE ",\"Action\":\"*\",\"Resource\":\"" r "\"}")

static const struct asked resources[] = {
    {SENDS(RESOURCE(QUEUE)), A},
    {SENDS(RESOURCE("arn:aws:sqs:us-east-1:111111111111:Orders")), N(RESOURCE)},
    {SENDS(RESOURCE("arn:aws:sqs:us-east-1:111111111111:order")), N(RESOURCE)},
    {SENDS(RESOURCE("arn:aws:sqs:us-east-1:111111111111:ord*")), A},
    {SENDS(RESOURCE("arn:aws:sqs:us-east-1:111111111111:order?")), A},
    {SENDS(RESOURCE("arn:aws:sqs:*:*:orders")), A},
    {SENDS(RESOURCE("arn:aws:sqs:*:orders")), A},
    {SENDS(RESOURCE("arn:aws:sqs:us-*-1:111111111111:orders")), A},
    {SENDS(RESOURCE("arn:aws:sqs:us-*-1:o*s")), N(RESOURCE)},
    {SENDS(RESOURCE("arn:aws:s*s:us-east-1:111111111111:orders")), A},
    {SENDS(RESOURCE("arn:aws:sqs:us*orders")), N(RESOURCE)},
    {SENDS(RESOURCE("arn:aws:sqs?us-east-1:111111111111:orders")), N(RESOURCE)},
    {SENDS(RESOURCE("arn:aws-cn:sqs:us-east-1:111111111111:orders")), N(RESOURCE)},
    {SENDS(RESOURCE("*")), A},
    {SENDS(RESOURCE("arn:aws:sqs:*")), A},
    {SENDS(RESOURCE("*:orders")), A},
    {SENDS(
         NEW("{\"Effect\":\"Allow\"," EVERYONE ",\"Action\":\"*\",\"NotResource\":\"" QUEUE "\"}")),
     N(RESOURCE)},
    {SENDS(NEW("{\"Effect\":\"Allow\"," EVERYONE ",\"Action\":\"*\",\"NotResource\":[\"" QUEUE
               "2\",\"x\"]}")),
     A},
    {FACTS(RESOURCE("arn:aws:sqs:us-east-1:111111111111:${aws:username}"), "aws:username=orders"),
     A},
    {FACTS(RESOURCE("arn:aws:sqs:us-east-1:111111111111:${aws:username}"), "aws:username=o*"),
     N(RESOURCE)},
    {SENDS(RESOURCE("arn:aws:sqs:us-east-1:111111111111:${aws:username}")), N(RESOURCE)},
    {SENDS(RESOURCE("arn:aws:sqs:us-east-1:111111111111:${aws:username, 'orders'}")), A},
    {SENDS(OLD("{\"Effect\":\"Allow\"," EVERYONE ",\"Action\":\"*\",\"Resource\":\"" QUEUE "\"}")),
     A},
    /* The older grammar knows no variables. */
    {FACTS(OLD("{\"Effect\":\"Allow\"," EVERYONE
               ",\"Action\":\"*\",\"Resource\":\"arn:aws:sqs:us-east-1:111111111111:${a}\"}"),
           "a=orders"),
     N(RESOURCE)},
};

#define WHO(who) NEW(ALLOW("\"Principal\":" who))

static const struct asked principals[] = {
    {WHO("\"*\""), BOB, SEND, QUEUE, "", A},
    {WHO("\"*\""), NULL, SEND, QUEUE, "", A},
    {WHO("\"*\""), SNS, SEND, QUEUE, "", A},
    {WHO("{\"AWS\":\"*\"}"), NULL, SEND, QUEUE, "", A},
    {WHO("{\"AWS\":\"*\"}"), SNS, SEND, QUEUE, "", A},
    {WHO("{\"AWS\":\"222222222222\"}"), BOB, SEND, QUEUE, "", A},
    {WHO("{\"AWS\":\"222222222222\"}"), ALICE, SEND, QUEUE, "", N(PRINCIPAL)},
    {WHO("{\"AWS\":\"222222222222\"}"), NULL, SEND, QUEUE, "", N(PRINCIPAL)},
    {WHO("{\"AWS\":\"222222222222\"}"), SNS, SEND, QUEUE, "", N(PRINCIPAL)},
    {WHO("{\"AWS\":\"arn:aws:iam::222222222222:root\"}"), BOB, SEND, QUEUE, "", A},
    {WHO("{\"AWS\":\"arn:aws-cn:iam::222222222222:root\"}"), BOB, SEND, QUEUE, "", A},
    {WHO("{\"AWS\":\"" BOB "\"}"), BOB, SEND, QUEUE, "", A},
    {WHO("{\"AWS\":\"" BOB "2\"}"), BOB, SEND, QUEUE, "", N(PRINCIPAL)},
    {WHO("{\"AWS\":[\"" ALICE "\",\"" BOB "\"]}"), BOB, SEND, QUEUE, "", A},
    {WHO("{\"AWS\":[\"111111111111\",\"333333333333\"]}"), BOB, SEND, QUEUE, "", N(PRINCIPAL)},
    {WHO("{\"Service\":\"sns.amazonaws.com\"}"), SNS, SEND, QUEUE, "", A},
    {WHO("{\"Service\":[\"s3.amazonaws.com\",\"sns.amazonaws.com\"]}"), SNS, SEND, QUEUE, "", A},
    {WHO("{\"Service\":\"sns.us-east-1.amazonaws.com\"}"), SNS, SEND, QUEUE, "", A},
    {WHO("{\"Service\":\"sns.eu-west-1.amazonaws.com\"}"), SNS, SEND, QUEUE, "", N(PRINCIPAL)},
    {WHO("{\"Service\":\"sns.amazonaws.com.cn\"}"), SNS, SEND, QUEUE, "", A},
    {WHO("{\"Service\":\"s3.amazonaws.com\"}"), SNS, SEND, QUEUE, "", N(PRINCIPAL)},
    {WHO("{\"Service\":\"sns\"}"), SNS, SEND, QUEUE, "", N(PRINCIPAL)},
    {WHO("{\"Service\":\"sns.amazonaws.com\"}"), BOB, SEND, QUEUE, "", N(PRINCIPAL)},
    {WHO("{\"Service\":\"sns.amazonaws.com\",\"AWS\":\"222222222222\"}"), BOB, SEND, QUEUE, "", A},
    {WHO("{\"Federated\":\"x\",\"CanonicalUser\":\"y\"}"), BOB, SEND, QUEUE, "", N(PRINCIPAL)},
    {NEW(DENY("\"NotPrincipal\":{\"AWS\":\"" BOB "\"}") "," ALLOW(EVERYONE)), BOB, SEND, QUEUE, "",
     A},
    {NEW(DENY("\"NotPrincipal\":{\"AWS\":\"" BOB "\"}") "," ALLOW(EVERYONE)), ALICE, SEND, QUEUE,
     "", D},
    {NEW(ALLOW("\"NotPrincipal\":{\"AWS\":\"222222222222\"}")), BOB, SEND, QUEUE, "", N(PRINCIPAL)},
};

static const struct asked verdicts[] = {
    {SENDS("{\"Statement\":[]}"), N(ACTION)},
    {SENDS("{\"Statement\":" ALLOW(EVERYONE) "}"), A},
    {SENDS(NEW(DENY(EVERYONE))), D},
    {SENDS(NEW(ALLOW(EVERYONE) "," DENY(EVERYONE))), D},
    {SENDS(NEW(DENY(EVERYONE) "," ALLOW(EVERYONE))), D},
    {SENDS(NEW(ALLOW(EVERYONE) "," DENY("\"Principal\":{\"AWS\":\"" ALICE "\"}"))), A},
    {SENDS(NEW(ALLOW("\"Principal\":{\"AWS\":\"" ALICE "\"}") "," ALLOW(EVERYONE))), A},
    /* What came closest is told: the condition, not the other statement's action. */
    {SENDS(NEW("{\"Effect\":\"Allow\"," EVERYONE ",\"Action\":\"a:b\",\"Resource\":\"*\"}," ALLOW(
         EVERYONE ",\"Condition\":{\"Null\":{\"aws:SourceArn\":\"false\"}}"))),
     N(CONDITION)},
};

#define SOURCE "aws:SourceArn=" TOPIC

static const struct asked conditions[] = {
    {FACTS(WHEN("\"StringEquals\":{\"aws:SourceArn\":\"" TOPIC "\"}"), SOURCE), A},
    {FACTS(WHEN("\"StringEquals\":{\"AWS:sourcearn\":\"" TOPIC "\"}"), SOURCE), A},
    {FACTS(WHEN("\"StringEquals\":{\"k\":\"a\"}"), "k=A"), N(CONDITION)},
    {FACTS(WHEN("\"StringEquals\":{\"k\":\"a*\"}"), "k=ab"), N(CONDITION)},
    {FACTS(WHEN("\"StringEquals\":{\"k\":\"a*\"}"), "k=a*"), A},
    {FACTS(WHEN("\"StringEquals\":{\"k\":[\"a\",\"b\"]}"), "k=b"), A},
    {FACTS(WHEN("\"StringEquals\":{\"k\":[]}"), "k=b"), N(CONDITION)},
    {FACTS(WHEN("\"StringEquals\":{\"k\":\"b\"}"), ""), N(CONDITION)},
    {FACTS(WHEN("\"StringEquals\":{\"k\":5}"), "k=5"), A},
    {FACTS(WHEN("\"StringEquals\":{\"k\":true}"), "k=true"), A},
    {FACTS(WHEN("\"StringEquals\":{\"k\":\"${j}\"}"), "k=v|j=v"), A},
    {FACTS(WHEN("\"StringEquals\":{\"k\":\"<${j}${j}>\"}"), "k=<vv>|j=v"), A},
    {FACTS(WHEN("\"StringEquals\":{\"k\":\"${$}{j}\"}"), "k=${j}|j=v"), A},
    {FACTS(WHEN("\"StringEquals\":{\"k\":\"${j}\"}"), "k=v"), N(CONDITION)},
    {FACTS(WHEN("\"StringEquals\":{\"k\":\"${}${\"}"), "k=${}${"), A},
    {FACTS(WHEN("\"StringNotEquals\":{\"k\":\"a\"}"), "k=b"), A},
    {FACTS(WHEN("\"StringNotEquals\":{\"k\":\"a\"}"), "k=a"), N(CONDITION)},
    {FACTS(WHEN("\"StringNotEquals\":{\"k\":[\"a\",\"b\"]}"), "k=b"), N(CONDITION)},
    {FACTS(WHEN("\"StringNotEquals\":{\"k\":\"a\"}"), ""), A},
    {FACTS(WHEN("\"StringEqualsIgnoreCase\":{\"k\":\"Abc\"}"), "k=aBC"), A},
    {FACTS(WHEN("\"StringNotEqualsIgnoreCase\":{\"k\":\"Abc\"}"), "k=aBC"), N(CONDITION)},
    {FACTS(WHEN("\"StringLike\":{\"aws:SourceArn\":\"arn:*:receipts\"}"), SOURCE), A},
    {FACTS(WHEN("\"StringLike\":{\"k\":\"a?c\"}"), "k=a\xC3\xA9"
                                                   "c"),
     A},
    {FACTS(WHEN("\"StringLike\":{\"k\":\"a??c\"}"), "k=a\xC3\xA9"
                                                    "c"),
     N(CONDITION)},
    {FACTS(WHEN("\"StringLike\":{\"k\":\"*\"}"), "k="), A},
    {FACTS(WHEN("\"StringLike\":{\"k\":\"a${*}c\"}"), "k=a*c"), A},
    {FACTS(WHEN("\"StringLike\":{\"k\":\"a${*}c\"}"), "k=abc"), N(CONDITION)},
    {FACTS(WHEN("\"StringLike\":{\"k\":\"${j}*\"}"), "k=v?x|j=v?"), A},
    {FACTS(WHEN("\"StringLike\":{\"k\":\"${j}*\"}"), "k=vyx|j=v?"), N(CONDITION)},
    {FACTS(WHEN("\"StringNotLike\":{\"k\":\"a*\"}"), "k=ba"), A},
    {FACTS(WHEN("\"StringNotLike\":{\"k\":\"a*\"}"), "k=ab"), N(CONDITION)},
    {FACTS(WHEN("\"ArnEquals\":{\"aws:SourceArn\":\"" TOPIC "\"}"), SOURCE), A},
    {FACTS(WHEN("\"ArnEquals\":{\"aws:SourceArn\":\"arn:aws:sns:*:*:rec*\"}"), SOURCE), A},
    {FACTS(WHEN("\"ArnLike\":{\"aws:SourceArn\":\"arn:aws:sns:*:111111111111:*\"}"), SOURCE), A},
    {FACTS(WHEN("\"ArnLike\":{\"aws:SourceArn\":\"arn:aws:sns:*:receipts\"}"), SOURCE),
     N(CONDITION)},
    {FACTS(WHEN("\"ArnLike\":{\"aws:SourceArn\":\"*\"}"), SOURCE), A},
    {FACTS(WHEN("\"ArnLike\":{\"aws:SourceArn\":\"*\"}"), "aws:SourceArn=x"), N(CONDITION)},
    {FACTS(WHEN("\"ArnLike\":{\"k\":\"arn:a:b:c:d:e:*\"}"), "k=arn:a:b:c:d:e:f:g"), A},
    {FACTS(WHEN("\"ArnLike\":{\"k\":\"arn:a:b:c*:e:f\"}"), "k=arn:a:b:c:d:e:f"), N(CONDITION)},
    {FACTS(WHEN("\"ArnLike\":{\"aws:SourceArn\":\"arn:aws:sns:*:${aws:SourceAccount}:*\"}"),
           SOURCE "|aws:SourceAccount=111111111111"),
     A},
    {FACTS(WHEN("\"ArnNotEquals\":{\"aws:SourceArn\":\"" TOPIC "\"}"), SOURCE), N(CONDITION)},
    {FACTS(WHEN("\"ArnNotLike\":{\"aws:SourceArn\":\"arn:aws:sns:*:*:x\"}"), SOURCE), A},
    {FACTS(WHEN("\"ArnNotLike\":{\"aws:SourceArn\":\"arn:aws:sns:*:*:x\"}"), ""), A},
    {FACTS(WHEN("\"Bool\":{\"aws:SecureTransport\":\"false\"}"), "aws:SecureTransport=false"), A},
    {FACTS(WHEN("\"Bool\":{\"aws:SecureTransport\":true}"), "aws:SecureTransport=false"),
     N(CONDITION)},
    {FACTS(WHEN("\"Bool\":{\"k\":\"TRUE\"}"), "k=true"), A},
    {FACTS(WHEN("\"Bool\":{\"k\":\"true\"}"), "k=yes"), N(CONDITION)},
    {FACTS(WHEN("\"NumericEquals\":{\"k\":\"12\"}"), "k=12.0"), A},
    {FACTS(WHEN("\"NumericNotEquals\":{\"k\":12}"), "k=13"), A},
    {FACTS(WHEN("\"NumericNotEquals\":{\"k\":12}"), "k=12"), N(CONDITION)},
    {FACTS(WHEN("\"NumericLessThan\":{\"k\":\"12\"}"), "k=11.9"), A},
    {FACTS(WHEN("\"NumericLessThan\":{\"k\":\"12\"}"), "k=12"), N(CONDITION)},
    {FACTS(WHEN("\"NumericLessThanEquals\":{\"k\":\"12\"}"), "k=12"), A},
    {FACTS(WHEN("\"NumericGreaterThan\":{\"k\":\"-1.5e1\"}"), "k=-14"), A},
    {FACTS(WHEN("\"NumericGreaterThanEquals\":{\"k\":\"12\"}"), "k=11"), N(CONDITION)},
    {FACTS(WHEN("\"NumericEquals\":{\"k\":\"12\"}"), "k=twelve"), N(CONDITION)},
    {FACTS(WHEN("\"DateGreaterThan\":{\"aws:CurrentTime\":\"2026-01-01T00:00:00Z\"}"),
           "aws:CurrentTime=2026-01-01T00:00:00.001Z"),
     A},
    {FACTS(WHEN("\"DateLessThan\":{\"aws:CurrentTime\":\"2026-01-01\"}"),
           "aws:CurrentTime=2026-01-01T00:00:00Z"),
     N(CONDITION)},
    {FACTS(WHEN("\"DateLessThanEquals\":{\"aws:EpochTime\":\"2026-01-02T03:04:05Z\"}"),
           "aws:EpochTime=1767323045"),
     A},
    {FACTS(WHEN("\"DateEquals\":{\"k\":1767323045}"), "k=2026-01-02T04:04:05+01:00"), A},
    {FACTS(WHEN("\"DateNotEquals\":{\"k\":1767323045}"), "k=2026-01-02T03:04:05Z"), N(CONDITION)},
    {FACTS(WHEN("\"DateGreaterThanEquals\":{\"k\":\"2026\"}"), "k=soon"), N(CONDITION)},
    {FACTS(WHEN("\"IpAddress\":{\"aws:SourceIp\":\"10.0.0.0/8\"}"), "aws:SourceIp=10.1.2.3"), A},
    {FACTS(WHEN("\"IpAddress\":{\"aws:SourceIp\":\"10.0.0.1\"}"), "aws:SourceIp=10.0.0.2"),
     N(CONDITION)},
    {FACTS(WHEN("\"IpAddress\":{\"aws:SourceIp\":[\"10.0.0.1\",\"2001:db8::/32\"]}"),
           "aws:SourceIp=2001:db8:1::1"),
     A},
    {FACTS(WHEN("\"NotIpAddress\":{\"aws:SourceIp\":\"10.0.0.0/8\"}"), "aws:SourceIp=11.1.2.3"), A},
    {FACTS(WHEN("\"NotIpAddress\":{\"aws:SourceIp\":[\"11.0.0.0/8\",\"10.0.0.0/8\"]}"),
           "aws:SourceIp=10.1.2.3"),
     N(CONDITION)},
    {FACTS(WHEN("\"BinaryEquals\":{\"k\":\"AQID\"}"), "k=AQID"), A},
    {FACTS(WHEN("\"Null\":{\"k\":\"true\"}"), ""), A},
    {FACTS(WHEN("\"Null\":{\"k\":\"true\"}"), "k=x"), N(CONDITION)},
    {FACTS(WHEN("\"Null\":{\"k\":false}"), "k=x"), A},
    {FACTS(WHEN("\"StringEqualsIfExists\":{\"k\":\"a\"}"), ""), A},
    {FACTS(WHEN("\"StringEqualsIfExists\":{\"k\":\"a\"}"), "k=b"), N(CONDITION)},
    {FACTS(WHEN("\"ArnLikeIfExists\":{\"aws:SourceArn\":\"arn:aws:sns:*:*:x\"}"), ""), A},
    {FACTS(WHEN("\"BoolIfExists\":{\"k\":\"true\"}"), ""), A},
    {FACTS(WHEN("\"ForAnyValue:StringEquals\":{\"k\":[\"a\",\"b\"]}"), "k=x|k=b"), A},
    {FACTS(WHEN("\"ForAnyValue:StringEquals\":{\"k\":[\"a\",\"b\"]}"), "k=x|k=y"), N(CONDITION)},
    {FACTS(WHEN("\"ForAnyValue:StringEquals\":{\"k\":\"a\"}"), ""), N(CONDITION)},
    {FACTS(WHEN("\"ForAnyValue:StringNotEquals\":{\"k\":\"a\"}"), "k=a|k=b"), A},
    {FACTS(WHEN("\"ForAnyValue:StringNotEquals\":{\"k\":\"a\"}"), ""), N(CONDITION)},
    {FACTS(WHEN("\"ForAllValues:StringLike\":{\"k\":[\"a*\",\"b*\"]}"), "k=ax|k=by"), A},
    {FACTS(WHEN("\"ForAllValues:StringLike\":{\"k\":[\"a*\",\"b*\"]}"), "k=ax|k=cy"), N(CONDITION)},
    {FACTS(WHEN("\"ForAllValues:StringEquals\":{\"k\":\"a\"}"), ""), A},
    {FACTS(WHEN("\"ForAllValues:StringNotEquals\":{\"k\":\"a\"}"), "k=b|k=a"), N(CONDITION)},
    /* All operators and all keys must hold. */
    {FACTS(WHEN("\"StringEquals\":{\"k\":\"a\",\"j\":\"b\"}"), "k=a|j=b"), A},
    {FACTS(WHEN("\"StringEquals\":{\"k\":\"a\",\"j\":\"b\"}"), "k=a|j=c"), N(CONDITION)},
    {FACTS(WHEN("\"StringEquals\":{\"k\":\"a\"},\"Bool\":{\"j\":\"true\"}"), "k=a|j=true"), A},
    {FACTS(WHEN("\"StringEquals\":{\"k\":\"a\"},\"Bool\":{\"j\":\"true\"}"), "k=a|j=false"),
     N(CONDITION)},
    {FACTS(WHEN(""), ""), A},
};

static str account_of(const char *arn)
{
    return str_from(arn + strlen("arn:aws:iam::"), 12);
}

static struct access_request request_of(const struct asked *q)
{
    static const str service = STR_INIT("service:");
    struct access_request rq = {.action = str_of(q->action), .resource = str_of(q->resource)};

    if (q->caller && str_starts(str_of(q->caller), service)) {
        rq.service = str_of(q->caller + service.n);
        rq.service_region = STR("us-east-1");
    } else if (q->caller) {
        rq.principal = str_of(q->caller);
        rq.account = account_of(q->caller);
    }
    for (str rest = str_of(q->facts); rest.n;) {
        str value = str_cut(&rest, '|'), name = str_cut(&value, '=');

        access_request_add(&rq, name, value);
    }
    return rq;
}

static struct access_policy *open_policy(const char *text)
{
    static struct fault f;
    struct access_policy *p = NULL;

    fault_clear(&f);
    if (access_policy_open(&p, str_of(text), ACCESS_OF_RESOURCE, &f))
        fail_msg("%s\n%s", text, f.text);
    return p;
}

static void judge_all(const struct asked *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct asked *q = &cases[i];
        struct access_request rq = request_of(q);
        struct access_policy *p = open_policy(q->policy);
        struct access_decision d = access_policy_judge(p, &rq);

        if (d.verdict != q->verdict)
            fail_msg("case %zu: verdict %d: %s %s", i, d.verdict, q->policy, q->facts);
        if (d.verdict == ACCESS_NO_STATEMENT && d.statement)
            assert_int_equal(d.missed, q->missed);
        access_policy_free(p);
    }
}

static void test_actions(void **state)
{
    judge_all(actions, ARRAY_LEN(actions));
}

static void test_resources(void **state)
{
    judge_all(resources, ARRAY_LEN(resources));
}

static void test_principals(void **state)
{
    judge_all(principals, ARRAY_LEN(principals));
}

static void test_verdicts(void **state)
{
    judge_all(verdicts, ARRAY_LEN(verdicts));
}

static void test_conditions(void **state)
{
    judge_all(conditions, ARRAY_LEN(conditions));
}

static void test_policies_of_keys(void **state)
{
    static struct fault f;
    struct access_policy *p;
    struct access_request rq = {.action = STR("sqs:SendMessage"), .resource = STR(QUEUE)};

    fault_clear(&f);
    assert_int_equal(access_policy_open(&p,
                                        STR(NEW("{\"Effect\":\"Allow\",\"Action\":\"sqs:*\","
                                                "\"Resource\":\"*\"}")),
                                        ACCESS_OF_IDENTITY, &f),
                     0);
    assert_int_equal(access_policy_judge(p, &rq).verdict, ACCESS_ALLOWED);
    access_policy_free(p);
    assert_int_equal(access_policy_open(&p, STR(NEW(ALLOW(EVERYONE))), ACCESS_OF_IDENTITY, &f),
                     E_FAULT);
}

/* --- what is said ----------------------------------------------------------------------------- */

static void test_told(void **state)
{
    static const struct {
        struct asked asked;
        const char *told;
    } cases[] = {
        {{SENDS(NEW(ALLOW("\"Sid\":\"all\"," EVERYONE))), A}, "allowed by statement 1 (all)"},
        {{SENDS(NEW(ALLOW(EVERYONE) "," DENY(EVERYONE))), D}, "denied by statement 2"},
        {{SENDS("{\"Statement\":[]}"), N(ACTION)}, "no statement allows anything"},
        {{SENDS(RESOURCE("x")), N(RESOURCE)},
         "no statement allows it; statement 1 comes closest, but it is about other resources than "
         "arn:aws:sqs:us-east-1:111111111111:orders"},
        {{SENDS(NEW("{\"Effect\":\"Allow\"," EVERYONE ",\"Action\":\"a:b\",\"Resource\":\"*\"}")),
          N(ACTION)},
         "no statement allows it; statement 1 comes closest, but it is about other actions than "
         "sqs:SendMessage"},
        {{WHO("{\"AWS\":\"" ALICE "\"}"), BOB, SEND, QUEUE, "", N(PRINCIPAL)},
         "no statement allows it; statement 1 comes closest, but it does not name "
         "arn:aws:iam::222222222222:user/bob"},
        {{WHO("{\"AWS\":\"" ALICE "\"}"), NULL, SEND, QUEUE, "", N(PRINCIPAL)},
         "no statement allows it; statement 1 comes closest, but it does not name an anonymous "
         "caller"},
        {{FACTS(WHEN("\"ArnEquals\":{\"aws:SourceArn\":\"" TOPIC "2\"}"), SOURCE), N(CONDITION)},
         "no statement allows it; statement 1 comes closest, but its condition ArnEquals on "
         "aws:SourceArn does not hold: the request has "
         "arn:aws:sns:us-east-1:111111111111:receipts"},
        {{SENDS(WHEN("\"ArnEquals\":{\"aws:SourceArn\":\"" TOPIC "\"}")), N(CONDITION)},
         "no statement allows it; statement 1 comes closest, but its condition ArnEquals on "
         "aws:SourceArn does not hold: the request does not have it"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct access_request rq = request_of(&cases[i].asked);
        struct access_policy *p = open_policy(cases[i].asked.policy);
        struct access_decision d = access_policy_judge(p, &rq);
        struct buf told = {0};

        access_decision_tell(&d, &rq, &told);
        assert_string_equal(told.p, cases[i].told);
        buf_deinit(&told);
        access_policy_free(p);
    }
}

static void test_facts_of_the_caller(void **state)
{
    struct access_request rq = {.account = STR("222222222222"), .principal = STR(BOB)};
    u32 at = 0;
    str value;

    access_request_add_caller(&rq);
    assert_true(access_request_next(&rq, STR("aws:principalarn"), &at, &value));
    assert_true(str_is(value, BOB));
    assert_false(access_request_next(&rq, STR("aws:principalarn"), &at, &value));
    at = 0;
    assert_true(access_request_next(&rq, STR("aws:PrincipalIsAWSService"), &at, &value));
    assert_true(str_is(value, "false"));
    rq = (struct access_request){.service = STR("sns.amazonaws.com")};
    access_request_add_caller(&rq);
    at = 0;
    assert_true(access_request_next(&rq, STR("aws:PrincipalServiceName"), &at, &value));
    assert_true(str_is(value, "sns.amazonaws.com"));
}

/* --- what is no policy ------------------------------------------------------------------------ */

static void test_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "line 1 column 1"},
        {"[]", "must be an object"},
        {"{\"Statement\":[],\"Statement\":[]}", "duplicate"},
        {"{}", "needs Statement"},
        {"{\"Statement\":[],\"Foo\":1}", "has no member Foo"},
        {"{\"Version\":\"2020-01-01\",\"Statement\":[]}", "Version must be"},
        {"{\"Version\":1,\"Statement\":[]}", "Version: must be a string"},
        {"{\"Id\":1,\"Statement\":[]}", "Id: must be a string"},
        {"{\"Statement\":1}", "must be an object"},
        {"{\"Statement\":[1]}", "Statement[0]: must be an object"},
        {NEW("{}"), "Statement[0]: Effect must be Allow or Deny"},
        {NEW("{\"Effect\":\"allow\"}"), "Effect must be Allow or Deny"},
        {NEW("{\"Effect\":\"Allow\"}"), "needs Principal or NotPrincipal"},
        {NEW("{\"Effect\":\"Allow\"," EVERYONE "}"), "needs Action or NotAction"},
        {NEW("{\"Effect\":\"Allow\"," EVERYONE ",\"Action\":\"a:b\"}"),
         "needs Resource or NotResource"},
        {NEW("{\"Effect\":\"Allow\"," EVERYONE
             ",\"Action\":\"a:b\",\"NotAction\":\"c:d\",\"Resource\":\"*\"}"),
         "has both Action and NotAction"},
        {NEW("{\"Effect\":\"Allow\"," EVERYONE ",\"Action\":\"Send\",\"Resource\":\"*\"}"),
         "begin with a service"},
        {NEW("{\"Effect\":\"Allow\"," EVERYONE ",\"Action\":[],\"Resource\":\"*\"}"),
         "Action: must not be empty"},
        {NEW("{\"Effect\":\"Allow\"," EVERYONE ",\"Action\":[1],\"Resource\":\"*\"}"),
         "Action[0]: must be a string"},
        {WHO("\"222222222222\""), "must be an object"},
        {WHO("{}"), "must not be empty"},
        {WHO("{\"Who\":\"x\"}"), "has no member Who"},
        {WHO("{\"AWS\":\"bob\"}"), "must be \"*\", an account"},
        {WHO("{\"AWS\":\"arn:aws:iam::222222222222:user/*\"}"), "must be \"*\", an account"},
        {WHO("{\"AWS\":[]}"), "must not be empty"},
        {NEW(ALLOW(EVERYONE ",\"Sid\":1")), "Sid: must be a string"},
        {NEW(ALLOW(EVERYONE ",\"Foo\":1")), "has no member Foo"},
        {NEW(ALLOW(EVERYONE ",\"Condition\":1")), "Condition: must be an object"},
        {WHEN("\"StringIs\":{\"k\":\"v\"}"), "StringIs: is not an operator"},
        {WHEN("\"stringequals\":{\"k\":\"v\"}"), "is not an operator"},
        {WHEN("\"NullIfExists\":{\"k\":\"true\"}"), "is not an operator"},
        {WHEN("\"ForAnyValue:Null\":{\"k\":\"true\"}"), "is not an operator"},
        {WHEN("\"StringEquals\":\"v\""), "must be an object"},
        {WHEN("\"StringEquals\":{\"k\":{}}"), "must be a string"},
        {WHEN("\"Bool\":{\"k\":\"maybe\"}"), "is not a value for Bool"},
        {WHEN("\"NumericEquals\":{\"k\":\"0x10\"}"), "is not a value for NumericEquals"},
        {WHEN("\"NumericEquals\":{\"k\":\"inf\"}"), "is not a value for NumericEquals"},
        {WHEN("\"NumericEquals\":{\"k\":\"\"}"), "is not a value for NumericEquals"},
        {WHEN("\"DateEquals\":{\"k\":\"tomorrow\"}"), "is not a value for DateEquals"},
        {WHEN("\"IpAddress\":{\"k\":\"10.0.0.0/33\"}"), "is not a value for IpAddress"},
        {WHEN("\"IpAddress\":{\"k\":\"host\"}"), "is not a value for IpAddress"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        static struct fault f;
        struct access_policy *p = NULL;

        fault_clear(&f);
        assert_int_equal(access_policy_open(&p, str_of(cases[i].text), ACCESS_OF_RESOURCE, &f),
                         E_FAULT);
        assert_null(p);
        if (!strstr(f.text, cases[i].why))
            fail_msg("%s\nsays: %s", cases[i].text, f.text);
    }
}

/* A policy of `n` times the middle. */
static int open_repeated(const char *before, const char *middle, size_t n, const char *after)
{
    static struct fault f;
    struct access_policy *p = NULL;
    struct buf text = {0};

    buf_z(&text, before);
    for (size_t i = 0; i < n; i++) {
        buf_z(&text, i ? "," : "");
        buf_z(&text, middle);
    }
    buf_z(&text, after);
    fault_clear(&f);
    int err = access_policy_open(&p, buf_view(&text), ACCESS_OF_RESOURCE, &f);

    access_policy_free(p);
    buf_deinit(&text);
    return err;
}

static void test_bounds(void **state)
{
    assert_int_equal(open_repeated("{\"Statement\":[", ALLOW(EVERYONE), 100, "]}"), 0);
    assert_int_equal(open_repeated("{\"Statement\":[", ALLOW(EVERYONE), 101, "]}"), E_FAULT);
    assert_int_equal(open_repeated("{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\","
                                   "\"Resource\":\"*\",\"Principal\":{\"AWS\":[",
                                   "\"222222222222\"", 200, "]}}}"),
                     0);
    assert_int_equal(open_repeated("{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\","
                                   "\"Resource\":\"*\",\"Principal\":{\"AWS\":[",
                                   "\"222222222222\"", 201, "]}}}"),
                     E_FAULT);
    assert_int_equal(open_repeated("", "[", 20000, ""), E_FAULT);
    assert_int_equal(open_repeated("{\"Statement\":[", "                ", 3000, "]}"), E_FAULT);
}

/* --- hostile patterns ------------------------------------------------------------------------- */

/* Against the obvious matcher by recursion, over all short patterns and texts. */
static bool matches_slowly(const char *pattern, const char *text)
{
    if (!*pattern)
        return !*text;
    if (*pattern == '*')
        return matches_slowly(pattern + 1, text) || (*text && matches_slowly(pattern, text + 1));
    return *text && (*pattern == '?' || *pattern == *text) && matches_slowly(pattern + 1, text + 1);
}

/* The same for ARNs: a star inside a segment stops at a colon. */
static bool matches_arn_slowly(const char *pattern, const char *text)
{
    if (!*pattern)
        return !*text;
    if (*pattern == '*') {
        bool stops = pattern[1] && pattern[1] != ':' && pattern[1] != '*' && *text == ':';

        return matches_arn_slowly(pattern + 1, text) ||
               (*text && !stops && matches_arn_slowly(pattern, text + 1));
    }
    return *text && (*pattern == '?' ? *text != ':' : *pattern == *text) &&
           matches_arn_slowly(pattern + 1, text + 1);
}

/* The i-th text over the alphabet, without two stars in a row. */
static bool spell(size_t i, const char *alphabet, char *ret, size_t size)
{
    size_t n = strlen(alphabet), at = 0;

    for (; i && at + 1 < size; i /= n + 1) {
        if (i % (n + 1) == 0)
            return false;
        ret[at++] = alphabet[i % (n + 1) - 1];
        if (at > 1 && ret[at - 1] == '*' && ret[at - 2] == '*')
            return false;
    }
    ret[at] = '\0';
    return true;
}

static void test_patterns(void **state)
{
    struct arena a;
    size_t compared = 0;

    arena_init(&a);
    for (size_t i = 0; i < 20000; i++) {
        char pattern[12], text[12];

        if (!spell(i, "ab*:?", pattern, sizeof pattern))
            continue;
        str read = access_pattern_read(&a, str_of(pattern), ACCESS_WILDCARDS);

        for (size_t j = 0; j < 1300; j += 1 + i % 3) {
            u64 steps = UINT64_MAX;

            if (!spell(j, "ab:", text, sizeof text))
                continue;
            if (access_pattern_match(read, str_of(text), 0, &steps) !=
                matches_slowly(pattern, text))
                fail_msg("%s against %s", pattern, text);
            if (access_pattern_match(read, str_of(text), ACCESS_SEGMENTS, &steps) !=
                matches_arn_slowly(pattern, text))
                fail_msg("%s against the ARN %s", pattern, text);
            compared++;
        }
    }
    assert_true(compared > 1000000);
    arena_deinit(&a);
}

static void test_cost_is_bounded(void **state)
{
    struct buf policy = {0}, value = {0};

    buf_z(&policy,
          "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"," EVERYONE
          ",\"Condition\":{\"StringLike\":{\"k\":[");
    for (int i = 0; i < 200; i++)
        buf_z(&policy, i ? ",\"*a*a*a*a*a*a*a*a*a*aaaaaaaaaaaaaaaaaaaaaaaab\""
                         : "\"*a*a*a*a*a*a*a*a*a*aaaaaaaaaaaaaaaaaaaaaaaab\"");
    buf_z(&policy, "]}}}]}");
    for (int i = 0; i < 2000; i++)
        buf_char(&value, 'a');
    struct access_policy *p = open_policy(policy.p);
    struct access_request rq = {.action = STR("sqs:SendMessage"), .resource = STR(QUEUE)};

    access_request_add(&rq, STR("k"), buf_view(&value));
    struct access_decision d = access_policy_judge(p, &rq);

    assert_int_equal(d.verdict, ACCESS_DENIED);
    assert_true(d.too_costly);
    buf_reset(&value);
    access_decision_tell(&d, &rq, &value);
    assert_string_equal(value.p,
                        "denied: the policy costs too much to evaluate, up to statement 1");
    access_policy_free(p);
    buf_deinit(&policy);
    buf_deinit(&value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_actions),    cmocka_unit_test(test_resources),
        cmocka_unit_test(test_principals), cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_conditions), cmocka_unit_test(test_policies_of_keys),
        cmocka_unit_test(test_told),       cmocka_unit_test(test_facts_of_the_caller),
        cmocka_unit_test(test_refused),    cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_patterns),   cmocka_unit_test(test_cost_is_bounded),
    };

    json_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
