/* Credentials in headers and presigned URLs: taken apart, or refused with what is missing. */
#include "common/base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/aws/sigv4.h"

static struct arena arena;

static int read_request(const char *header, const char *query, struct identity *ret,
                        struct fault *f)
{
    struct request rq = {.authorization = str_of(header), .query = str_of(query)};
    fault_clear(f);
    *ret = (struct identity){.is_signed = false};
    return sigv4_read(&rq, &arena, ret, f);
}

static void expect(const char *header, const char *query, const char *key, const char *region,
                   const char *service)
{
    struct identity id;
    static struct fault f;
    assert_int_equal(read_request(header, query, &id, &f), 0);
    assert_true(id.is_signed);
    assert_true(str_is(id.access_key, key));
    assert_true(str_is(id.region, region));
    assert_true(str_is(id.service, service));
}

static void test_headers(void **state)
{
    expect("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1/sqs/aws4_request, "
           "SignedHeaders=content-type;host, Signature=6e28",
           "", "AKIDEXAMPLE", "us-east-1", "sqs");
    expect("  AWS4-HMAC-SHA256\tSignature=6e28,SignedHeaders=host,"
           "Credential=000000000001/20260102/eu-west-1/sns/aws4_request ",
           "", "000000000001", "eu-west-1", "sns");
    expect("AWS4-HMAC-SHA256 Credential=k////, SignedHeaders=, Signature=", "", "k", "", "");
}

static void test_presigned(void **state)
{
    expect("",
           "Action=ReceiveMessage&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE"
           "%2F20260102%2Fus-east-1%2Fsqs%2Faws4_request&X-Amz-Date=20260102T030405Z"
           "&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=c3dc",
           "AKIDEXAMPLE", "us-east-1", "sqs");
    expect("",
           "X-Amz-Signature=c3dc&X-Amz-Credential=A/20260102/us-east-1/sqs/aws4_request"
           "&X-Amz-SignedHeaders=host&X-Amz-Algorithm=AWS4-HMAC-SHA256",
           "A", "us-east-1", "sqs");
}

static void test_unsigned(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"", "Action=Publish"},
        {"", "X-Amz-Credential=a"},
        {"Basic dXNlcjpwYXNz", ""},
        {"AWS4-HMAC-SHA2567 Credential=x", ""},
        {"AWS4-ECDSA-P256-SHA256 Credential=x", ""},
        {"AWS AKID:sig", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct identity id;
        static struct fault f;
        assert_int_equal(read_request(cases[i][0], cases[i][1], &id, &f), 0);
        assert_false(id.is_signed);
        assert_int_equal(id.access_key.n + id.region.n + id.service.n, 0);
        assert_int_equal(f.code, 0);
    }
}

static void test_refused(void **state)
{
    static const char *const cases[][3] = {
        {"AWS4-HMAC-SHA256", "",
         "Authorization header requires 'Credential' parameter. Authorization header requires "
         "'Signature' parameter. Authorization header requires 'SignedHeaders' parameter."},
        {"AWS4-HMAC-SHA256 Credential=a/b/c/d/e", "",
         "Authorization header requires 'Signature' parameter. Authorization header requires "
         "'SignedHeaders' parameter."},
        {"AWS4-HMAC-SHA256 Credential=a/b/c/d/e, Signature=x", "",
         "Authorization header requires 'SignedHeaders' parameter."},
        {"AWS4-HMAC-SHA256 Credential=a/b/c/d, SignedHeaders=h, Signature=x", "",
         "Credential must have exactly 5 slash-delimited elements, e.g. "
         "keyid/date/region/service/term, got 'a/b/c/d'"},
        {"AWS4-HMAC-SHA256 Credential=a/b/c/d/e/f, SignedHeaders=h, Signature=x", "",
         "Credential must have exactly 5 slash-delimited elements, e.g. "
         "keyid/date/region/service/term, got 'a/b/c/d/e/f'"},
        {"AWS4-HMAC-SHA256 Credential=/b/c/d/e, SignedHeaders=h, Signature=x", "",
         "Credential must have exactly 5 slash-delimited elements, e.g. "
         "keyid/date/region/service/term, got '/b/c/d/e'"},
        {"", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=1&X-Amz-SignedHeaders=h",
         "AWS query-string parameters must include 'X-Amz-Credential'. Re-examine the query-string "
         "parameters."},
        {"",
         "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=1&X-Amz-SignedHeaders=h"
         "&X-Amz-Credential=a%2",
         "X-Amz-Credential is not percent-encoded as it must be."},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct identity id;
        static struct fault f;
        assert_int_equal(read_request(cases[i][0], cases[i][1], &id, &f), E_FAULT);
        assert_int_equal(f.code, CALL_FAULT_INCOMPLETE_SIGNATURE);
        assert_string_equal(f.text, cases[i][2]);
        assert_false(id.is_signed);
    }
}

static void test_long_credential_is_shown_in_part(void **state)
{
    char header[4096];
    struct identity id;
    static struct fault f;
    int n = snprintf(header, sizeof header,
                     "AWS4-HMAC-SHA256 SignedHeaders=h, Signature=x, Credential=");
    memset(header + n, 'k', sizeof header - (size_t)n - 1);
    header[sizeof header - 1] = '\0';
    assert_int_equal(read_request(header, "", &id, &f), E_FAULT);
    assert_true(strlen(f.text) < 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_presigned),
        cmocka_unit_test(test_unsigned),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_long_credential_is_shown_in_part),
    };
    arena_init(&arena);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_deinit(&arena);
    return failed;
}
