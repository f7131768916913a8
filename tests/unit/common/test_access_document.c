/* Permissions written into a policy and taken out of it, in the forms that the services were
 * recorded to use. */
#include "common/base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/aws/access_document.h"
#include "common/aws/access_policy.h"
#include "common/base/json.h"

#define QUEUE "arn:aws:sqs:us-east-1:000000000000:q"
#define HEAD  "{\"Version\":\"2008-10-17\",\"Id\":\"" QUEUE "/SQSDefaultPolicy\",\"Statement\":["
#define ONE(label, account)                                                                        \
    "{\"Sid\":\"" label "\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::" account   \
    ":root\"},\"Action\":\"SQS:ReceiveMessage\",\"Resource\":\"" QUEUE "\"}"

static const str two_accounts[] = {STR_INIT("111111111111"), STR_INIT("222222222222")};
static const str twice_one[] = {STR_INIT("111111111111"), STR_INIT("111111111111")};
static const str receive[] = {STR_INIT("ReceiveMessage")};
static const str both[] = {STR_INIT("ReceiveMessage"), STR_INIT("SendMessage")};

static int add(const char *policy, str label, const str *accounts, size_t n, const str *names,
               size_t m, struct buf *out)
{
    struct access_permission p = {.label = label,
                                  .accounts = accounts,
                                  .account_count = n,
                                  .prefix = "SQS:",
                                  .actions = names,
                                  .action_count = m,
                                  .resource = STR(QUEUE)};

    buf_reset(out);
    return access_document_add(str_of(policy), STR(QUEUE "/SQSDefaultPolicy"), &p, 3, out);
}

static void test_added(void **state)
{
    struct buf out = {0};

    assert_int_equal(add("", STR("L"), two_accounts, 1, receive, 1, &out), 0);
    assert_string_equal(out.p, HEAD ONE("L", "111111111111") "]}");
    assert_int_equal(add("", STR("L"), twice_one, 2, receive, 1, &out), 0);
    assert_string_equal(out.p, HEAD ONE("L", "111111111111") "]}");
    assert_int_equal(add("", STR("L"), two_accounts, 2, both, 2, &out), 0);
    assert_string_equal(out.p,
                        HEAD "{\"Sid\":\"L\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":["
                             "\"arn:aws:iam::111111111111:root\",\"arn:aws:iam::222222222222:root\""
                             "]},\"Action\":[\"SQS:ReceiveMessage\",\"SQS:SendMessage\"],"
                             "\"Resource\":\"" QUEUE "\"}]}");
    assert_int_equal(
        add(HEAD ONE("L", "111111111111") "]}", STR("M"), two_accounts + 1, 1, receive, 1, &out),
        0);
    assert_string_equal(out.p, HEAD ONE("L", "111111111111") "," ONE("M", "222222222222") "]}");
    buf_deinit(&out);
}

static void test_added_to_what_was_there(void **state)
{
    struct buf out = {0};

    /* A statement alone becomes a list; what the policy says else stays. */
    assert_int_equal(add("{ \"Statement\" : {\"Effect\":\"Deny\"}, \"Version\":\"2012-10-17\" }",
                         STR("L"), two_accounts, 1, receive, 1, &out),
                     0);
    assert_string_equal(out.p, "{\"Statement\":[{\"Effect\":\"Deny\"}," ONE(
                                   "L", "111111111111") "],\"Version\":\"2012-10-17\"}");
    buf_deinit(&out);
}

static void test_partition(void **state)
{
    struct buf out = {0};
    struct access_permission p = {.label = STR("L"),
                                  .accounts = two_accounts,
                                  .account_count = 1,
                                  .prefix = "SNS:",
                                  .actions = receive,
                                  .action_count = 1,
                                  .resource = STR("arn:aws-cn:sns:cn-north-1:000000000000:t")};

    assert_int_equal(access_document_add(STR(""), STR("i"), &p, 1, &out), 0);
    assert_non_null(strstr(out.p, "\"arn:aws-cn:iam::111111111111:root\""));
    assert_non_null(strstr(out.p, "\"SNS:ReceiveMessage\""));
    buf_deinit(&out);
}

static void test_not_added(void **state)
{
    struct buf out = {0};
    const char *full = "{\"Statement\":[{},{},{}]}";

    assert_int_equal(
        add(HEAD ONE("L", "111111111111") "]}", STR("L"), two_accounts, 1, receive, 1, &out),
        E_EXISTS);
    assert_int_equal(add(full, STR("L"), two_accounts, 1, receive, 1, &out), E_FULL);
    assert_int_equal(add("{}", STR("L"), two_accounts, 1, receive, 1, &out), E_INVALID);
    assert_int_equal(add("[", STR("L"), two_accounts, 1, receive, 1, &out), E_INVALID);
    assert_int_equal(add("{\"Statement\":1}", STR("L"), two_accounts, 1, receive, 1, &out),
                     E_INVALID);
    assert_int_equal(out.n, 0);
    buf_deinit(&out);
}

static void test_removed(void **state)
{
    struct buf out = {0};
    str policy = STR(HEAD ONE("L", "111111111111") "," ONE("M", "222222222222") "]}");

    assert_int_equal(access_document_remove(policy, STR("L"), &out), 0);
    assert_string_equal(out.p, HEAD ONE("M", "222222222222") "]}");
    buf_reset(&out);
    assert_int_equal(access_document_remove(policy, STR("l"), &out), E_NOT_FOUND);
    assert_int_equal(out.n, 0);
    policy = STR(HEAD ONE("M", "222222222222") "]}");
    assert_int_equal(access_document_remove(policy, STR("M"), &out), 0);
    assert_int_equal(out.n, 0);
    assert_int_equal(access_document_remove(STR(""), STR("M"), &out), E_INVALID);
    buf_deinit(&out);
}

static void test_normal(void **state)
{
    struct buf out = {0};

    assert_int_equal(
        access_document_normal(
            STR("{ \"Statement\": [ {\"Principal\": {\"AWS\": \"111111111111\"}}, {\"Principal\": "
                "{\"AWS\": [\"222222222222\", \"*\", \"arn:aws:iam::3:user/x\"]}}, {\"Principal\": "
                "\"*\"}, 5 ], \"Version\": \"2012-10-17\" }"),
            STR("aws"), &out),
        0);
    assert_string_equal(out.p, "{\"Statement\":[{\"Principal\":{\"AWS\":\"arn:aws:iam::"
                               "111111111111:root\"}},{\"Principal\":{\"AWS\":[\"arn:aws:iam::"
                               "222222222222:root\",\"*\",\"arn:aws:iam::3:user/x\"]}},"
                               "{\"Principal\":\"*\"},5],\"Version\":\"2012-10-17\"}");
    buf_deinit(&out);
}

/* What is written is a policy, and means what the permission says. */
static void test_means_it(void **state)
{
    static struct fault f;
    struct buf out = {0};
    struct access_policy *p;
    struct access_request rq = {.account = STR("222222222222"),
                                .principal = STR("arn:aws:iam::222222222222:user/bob"),
                                .action = STR("sqs:SendMessage"),
                                .resource = STR(QUEUE)};

    assert_int_equal(add("", STR("L"), two_accounts, 2, both, 2, &out), 0);
    fault_clear(&f);
    assert_int_equal(access_policy_open(&p, buf_view(&out), ACCESS_OF_RESOURCE, &f), 0);
    assert_int_equal(access_policy_judge(p, &rq).verdict, ACCESS_ALLOWED);
    rq.account = STR("333333333333");
    assert_int_equal(access_policy_judge(p, &rq).verdict, ACCESS_NO_STATEMENT);
    access_policy_free(p);
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_added),     cmocka_unit_test(test_added_to_what_was_there),
        cmocka_unit_test(test_partition), cmocka_unit_test(test_not_added),
        cmocka_unit_test(test_removed),   cmocka_unit_test(test_normal),
        cmocka_unit_test(test_means_it),
    };

    json_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
