/* Signatures verified: everything that botocore signs is good, nothing that was changed afterwards
 * is, and each refusal has the service's own words. */
#include "common/base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/aws/sigv4.h"
#include "common/base/date.h"
#include "common/base/json.h"
#include "tests/key_file.h"

#define VECTORS     "tests/cases/sigv4/vectors.jsonl"
#define HEADERS_MAX 16
#define VECTORS_MIN 34

static struct keys *keys;
static i64 now_ms;

/* A request of the vectors. */
struct vector {
    json_t *json;
    struct call *call;
    struct http_field headers[HEADERS_MAX];
};

static str member(const struct vector *v, const char *name)
{
    const json_t *text = json_object_get(v->json, name);

    return str_from(json_string_value(text), json_string_length(text));
}

static struct call *new_call(void)
{
    struct call *c = mem_alloc(sizeof *c);

    arena_init(&c->arena);
    return c;
}

static void free_call(struct call *c)
{
    buf_deinit(&c->scratch);
    arena_deinit(&c->arena);
    mem_free(c);
}

static void read_headers(struct vector *v)
{
    json_t *pair;
    size_t i;
    struct request *rq = &v->call->request;

    json_array_foreach(json_object_get(v->json, "headers"), i, pair) {
        struct http_field *h = &v->headers[i];

        assert_true(i < HEADERS_MAX);
        h->name = str_of(json_string_value(json_array_get(pair, 0)));
        h->value = str_trim(str_of(json_string_value(json_array_get(pair, 1))));
        if (str_eq_nocase(h->name, STR("Authorization")))
            rq->authorization = h->value;
        if (str_eq_nocase(h->name, STR("X-Amz-Target")))
            rq->target = h->value;
        rq->header_count++;
    }
    rq->headers = v->headers;
}

static void vector_init(struct vector *v, json_t *json)
{
    *v = (struct vector){.json = json, .call = new_call()};
    v->call->request = request_blank(DOOR_TCP);
    v->call->request.method = member(v, "method");
    v->call->request.path = member(v, "path");
    v->call->request.query = member(v, "query");
    v->call->request.body = member(v, "body");
    read_headers(v);
    assert_int_equal(
        sigv4_read(&v->call->request, &v->call->arena, &v->call->identity, &v->call->fault), 0);
    assert_true(v->call->identity.is_signed);
}

static void vector_deinit(struct vector *v)
{
    free_call(v->call);
}

static int verify(struct vector *v)
{
    const struct key *key = NULL;
    int err;

    fault_clear(&v->call->fault);
    err = sigv4_verify(v->call, json_string_value(json_object_get(v->json, "service")), keys,
                       now_ms, &key);
    assert_int_equal(err == 0, key != NULL);
    assert_int_equal(err == 0, v->call->fault.code == 0);
    return err;
}

/* Calls `check` with every vector. */
static void each_vector(void (*check)(struct vector *v))
{
    FILE *f = fopen(VECTORS, "r");
    json_t *json;
    size_t n = 0;

    assert_non_null(f);
    while ((json = json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL))) {
        struct vector v;

        vector_init(&v, json);
        check(&v);
        vector_deinit(&v);
        json_decref(json);
        n++;
    }
    fclose(f);
    assert_true(n >= VECTORS_MIN);
}

/* A vector by its name; the caller ends it with vector_close. */
static struct vector *vector_open(const char *id)
{
    FILE *f = fopen(VECTORS, "r");
    json_t *json;

    while ((json = json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL)) &&
           strcmp(json_string_value(json_object_get(json, "id")), id) != 0)
        json_decref(json);
    fclose(f);
    assert_non_null(json);
    struct vector *v = mem_alloc(sizeof *v);

    vector_init(v, json);
    return v;
}

static void vector_close(struct vector *v)
{
    vector_deinit(v);
    json_decref(v->json);
    mem_free(v);
}

/* --- what is good ----------------------------------------------------------------------------- */

static void check_good(struct vector *v)
{
    if (verify(v))
        fail_msg("%s: %s", json_string_value(json_object_get(v->json, "id")), v->call->fault.text);
}

static void test_good(void **state)
{
    each_vector(check_good);
}

/* In one of the forms we sign what botocore signed. */
static void check_canonical(struct vector *v)
{
    str want = member(v, "canonical"), digest = str_slice(want, want.n - 64, want.n);
    struct call *c = v->call;
    struct buf got = {0};
    bool found = false;

    if (str_ends(want, STR("UNSIGNED-PAYLOAD")))
        digest = STR("UNSIGNED-PAYLOAD");
    for (unsigned as_sent = 0; as_sent < 4; as_sent++) {
        buf_reset(&got);
        sigv4_canonical(&c->request, &c->identity, digest, as_sent, &c->arena, &got);
        found |= str_eq(buf_view(&got), want);
    }
    if (!found)
        fail_msg("%s\n%s\n", got.p, want.p);
    buf_deinit(&got);
}

static void test_canonical(void **state)
{
    each_vector(check_canonical);
}

static void test_canonical_query(void **state)
{
    static const char *const cases[][2] = {
        {"p=a+b", "p=a%20b"},
        {"p=a*b", "p=a%2Ab"},
        {"p=%c3%bc", "p=%C3%BC"},
        {"b=2&a=1&a=0&=&b", "=&a=0&a=1&b=&b=2"},
        {"&&a=1&&", "a=1"},
        {"p=%zz&q=%", "p=%zz&q=%"},
        {"X-Amz-Signature=1&a=1&X-Amz-Signature=2", "a=1"},
        {"x-amz-signature=1", "x-amz-signature=1"},
        {"a=b=c", "a=b%3Dc"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct call *c = new_call();
        struct buf out = {0};
        char *want = mem_printf("GET\n/\n%s\nhost:\n\nhost\n-", cases[i][1]);

        c->request = request_blank(DOOR_TCP);
        c->request.method = STR("GET");
        c->request.path = STR("/");
        c->request.query = str_of(cases[i][0]);
        c->identity.signed_headers = STR("host");
        sigv4_canonical(&c->request, &c->identity, STR("-"), 0, &c->arena, &out);
        assert_string_equal(out.p, want);
        mem_free(want);
        buf_deinit(&out);
        free_call(c);
    }
}

/* --- what was changed ------------------------------------------------------------------------- */

static void expect_mismatch(struct vector *v)
{
    static const char text[] =
        "The request signature we calculated does not match the signature you provided. Check your "
        "AWS Secret Access Key and signing method. Consult the service documentation for details."
        "\n\nThe Canonical String for this request should have been\n'";

    assert_int_equal(verify(v), E_FAULT);
    assert_int_equal(v->call->fault.code, CALL_FAULT_SIGNATURE);
    assert_memory_equal(v->call->fault.text, text, sizeof text - 1);
}

/* A copy of the text with its byte `at` changed. */
static str changed(struct call *c, str s, size_t at)
{
    str copy = arena_dup(&c->arena, s);

    ((char *)copy.p)[at] ^= 1;
    return copy;
}

/* Each part of the request, changed in one place, is not what was signed. */
static void check_changed(struct vector *v)
{
    struct call *c = v->call;
    struct request as_was = c->request;
    bool body_counts = !str_ends(member(v, "canonical"), STR("UNSIGNED-PAYLOAD"));

    c->request.method = STR("PUT");
    expect_mismatch(v);
    c->request = as_was;
    c->request.path = STR("/other");
    expect_mismatch(v);
    c->request = as_was;
    c->request.query = arena_printf(&c->arena, "%.*s&zzz=1", STR_ARG(as_was.query));
    expect_mismatch(v);
    c->request = as_was;
    c->request.body = arena_printf(&c->arena, "%.*sx", STR_ARG(as_was.body));
    if (body_counts)
        expect_mismatch(v);
    else
        assert_int_equal(verify(v), 0);
    c->request = as_was;
    for (size_t i = 0; i < c->identity.signature.n; i += 21) {
        str signature = c->identity.signature;

        c->identity.signature = changed(c, signature, i);
        expect_mismatch(v);
        c->identity.signature = str_slice(signature, 0, i);
        expect_mismatch(v);
        c->identity.signature = signature;
    }
    assert_int_equal(verify(v), 0);
}

static void test_changed(void **state)
{
    each_vector(check_changed);
}

static void test_changed_headers(void **state)
{
    struct vector *v = vector_open("post-json");

    for (u32 i = 0; i < v->call->request.header_count; i++) {
        struct http_field *h = &v->headers[i];
        str value = h->value;

        if (str_eq_nocase(h->name, STR("X-Amz-Date")) ||
            str_eq_nocase(h->name, STR("Authorization")))
            continue;
        h->value = changed(v->call, value, value.n - 1);
        if (str_eq_nocase(h->name, STR("User-Agent")))
            assert_int_equal(verify(v), 0); /* not signed */
        else
            expect_mismatch(v);
        h->value = value;
    }
    vector_close(v);
}

static void test_help(void **state)
{
    struct vector *v = vector_open("post-json");
    char *help = mem_printf("been\n'%s'\n\nThe String-to-Sign should have been\n'%s'\n",
                            member(v, "canonical").p, member(v, "to_sign").p);

    v->call->identity.signature = STR("0");
    expect_mismatch(v);
    assert_true(str_ends(str_of(v->call->fault.text), str_of(help)));
    mem_free(help);
    vector_close(v);
}

/* --- what is refused before ------------------------------------------------------------------- */

static void expect_refusal(struct vector *v, int code, const char *text)
{
    assert_int_equal(verify(v), E_FAULT);
    assert_string_equal(v->call->fault.text, text);
    assert_int_equal(v->call->fault.code, code);
}

#define INVALID_TOKEN "The security token included in the request is invalid."

static void test_keys(void **state)
{
    struct vector *v = vector_open("post-json");

    v->call->identity.access_key = STR("AKIDUNKNOWN");
    expect_refusal(v, CALL_FAULT_UNKNOWN_KEY, INVALID_TOKEN);
    v->call->identity.access_key = STR("AKIDSNSONLY");
    expect_refusal(v, CALL_FAULT_NO_SUBSCRIPTION,
                   "The AWS Access Key Id needs a subscription for the service");
    v->call->identity.access_key = STR("AKIDOTHERSECRET");
    expect_mismatch(v);
    vector_close(v);
}

static void test_tokens(void **state)
{
    static const char *const ids[] = {"token", "presigned-token"};

    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        struct vector *v = vector_open(ids[i]);

        v->call->identity.access_key = STR("AKIDEXAMPLE"); /* whose calls carry none */
        expect_refusal(v, CALL_FAULT_UNKNOWN_KEY, INVALID_TOKEN);
        v->call->identity.access_key = STR("ASIAEXPIRED");
        expect_refusal(v, CALL_FAULT_TOKEN_EXPIRED,
                       "The security token included in the request is expired");
        vector_close(v);
    }
    struct vector *v = vector_open("post-json");

    v->call->identity.access_key = STR("ASIAEXAMPLE"); /* whose calls carry one */
    expect_refusal(v, CALL_FAULT_UNKNOWN_KEY, INVALID_TOKEN);
    vector_close(v);
}

static void test_scope(void **state)
{
    struct vector *v = vector_open("post-json");
    struct identity *id = &v->call->identity, as_was = *id;

    id->region = STR("US East");
    expect_refusal(v, CALL_FAULT_SIGNATURE,
                   "Credential should be scoped to a valid region, not 'US East'.");
    *id = as_was;
    id->service = STR("sns");
    expect_refusal(v, CALL_FAULT_SIGNATURE,
                   "Credential should be scoped to correct service: 'sqs'.");
    *id = as_was;
    id->terminator = STR("aws4");
    expect_refusal(v, CALL_FAULT_SIGNATURE,
                   "Credential should be scoped with a valid terminator: 'aws4_request', not "
                   "'aws4'.");
    *id = as_was;
    id->date = STR("20260101");
    id->region = STR("");
    expect_refusal(
        v, CALL_FAULT_SIGNATURE,
        "Credential should be scoped to a valid region, not ''. Date in Credential scope "
        "does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260101' != "
        "'20260102', from '20260102T030405Z'.");
    vector_close(v);
}

static void test_time(void **state)
{
    struct vector *v = vector_open("post-json");
    i64 then_ms = now_ms;

    now_ms = then_ms + SIGV4_SKEW_MS;
    assert_int_equal(verify(v), 0);
    now_ms = then_ms - SIGV4_SKEW_MS;
    assert_int_equal(verify(v), 0);
    now_ms = then_ms + SIGV4_SKEW_MS + 1000;
    expect_refusal(v, CALL_FAULT_SIGNATURE,
                   "Signature expired: 20260102T030405Z is now earlier than 20260102T030406Z "
                   "(20260102T031906Z - 15 min.)");
    now_ms = then_ms - SIGV4_SKEW_MS - 1000;
    expect_refusal(v, CALL_FAULT_SIGNATURE,
                   "Signature not yet current: 20260102T030405Z is still later than "
                   "20260102T030404Z (20260102T024904Z + 15 min.)");
    now_ms = then_ms;
    vector_close(v);
}

static void test_expiry(void **state)
{
    struct vector *v = vector_open("presigned"); /* good for 60 s */
    i64 then_ms = now_ms;

    now_ms = then_ms + 60 * 1000;
    assert_int_equal(verify(v), 0);
    now_ms++;
    expect_refusal(v, CALL_FAULT_REQUEST_EXPIRED, "Request has expired.");
    now_ms = then_ms - SIGV4_SKEW_MS;
    assert_int_equal(verify(v), 0);
    now_ms = then_ms - SIGV4_SKEW_MS - 1000;
    expect_refusal(v, CALL_FAULT_SIGNATURE,
                   "Signature not yet current: 20260102T030405Z is still later than "
                   "20260102T030404Z (20260102T024904Z + 15 min.)");
    now_ms = then_ms;
    vector_close(v);
}

static void test_presigned_parts(void **state)
{
    static const char *const cases[][2] = {
        {"X-Amz-Date=20260102T030405Z&X-Amz-Expires=604801",
         "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires "
         "must be less than 604800 seconds"},
        {"X-Amz-Date=20260102T030405Z&X-Amz-Expires=x",
         "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires "
         "must be less than 604800 seconds"},
        {"a=b", "AWS query-string parameters must include 'X-Amz-Date'. Re-examine the "
                "query-string parameters."},
        {"X-Amz-Date=today", "Date must be in ISO-8601 'basic format'. Got 'today'. See "
                             "http://en.wikipedia.org/wiki/ISO_8601"},
    };
    struct vector *v = vector_open("presigned");

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        v->call->request.query = str_of(cases[i][0]);
        expect_refusal(v, CALL_FAULT_INCOMPLETE_SIGNATURE, cases[i][1]);
    }
    vector_close(v);
}

static void test_date_headers(void **state)
{
    struct vector *v = vector_open("post-json");
    struct http_field *date = NULL;

    for (u32 i = 0; i < v->call->request.header_count; i++)
        if (str_is(v->headers[i].name, "X-Amz-Date"))
            date = &v->headers[i];
    assert_non_null(date);
    date->name = STR("X-Other");
    expect_refusal(v, CALL_FAULT_INCOMPLETE_SIGNATURE,
                   "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' "
                   "header.");
    date->name = STR("Date");
    date->value = STR("yesterday");
    expect_refusal(v, CALL_FAULT_INCOMPLETE_SIGNATURE,
                   "Date must be in ISO-8601 'basic format'. Got 'yesterday'. See "
                   "http://en.wikipedia.org/wiki/ISO_8601");
    date->value = STR("20260102T030405Z");
    expect_mismatch(v); /* read, but another header was signed */
    vector_close(v);
}

static void test_signed_headers(void **state)
{
    struct vector *v = vector_open("post-json");
    struct identity *id = &v->call->identity;
    struct buf many = {0};

    id->signed_headers = STR("x-amz-date;x-amz-target");
    expect_refusal(v, CALL_FAULT_SIGNATURE,
                   "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
    id->signed_headers = STR("host;x-amz-date");
    expect_refusal(v, CALL_FAULT_SIGNATURE,
                   "'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization.");
    buf_z(&many, "host;x-amz-target");
    for (int i = 0; i < SIGV4_HEADERS_MAX - 1; i++)
        buf_z(&many, ";a");
    id->signed_headers = buf_view(&many);
    expect_refusal(v, CALL_FAULT_INCOMPLETE_SIGNATURE, "Too many headers are signed.");
    buf_deinit(&many);
    vector_close(v);
}

/* --- set-up ----------------------------------------------------------------------------------- */

#define SECRET "\"secret_access_key\":\"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\","
#define TOKEN                                                                                      \
    "\"session_token\":\"AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQW+\""
#define ACCOUNT "\"account\":\"000000000000\""

static void open_keys(void)
{
    static struct fault f;
    char path[] = KEY_FILE_TEMPLATE;

    key_file_make(path,
                  "{\"keys\":["
                  "{\"access_key_id\":\"AKIDEXAMPLE\"," SECRET ACCOUNT "},"
                  "{\"access_key_id\":\"ASIAEXAMPLE\"," SECRET ACCOUNT "," TOKEN "},"
                  "{\"access_key_id\":\"ASIAEXPIRED\"," SECRET ACCOUNT "," TOKEN
                  ",\"expires\":\"2026-01-02T03:04:05Z\"},"
                  "{\"access_key_id\":\"AKIDSNSONLY\"," SECRET ACCOUNT ",\"services\":[\"sns\"]},"
                  "{\"access_key_id\":\"AKIDOTHERSECRET\",\"secret_access_key\":"
                  "\"other\"," ACCOUNT "}]}");
    if (keys_open(&keys, path, &f)) {
        printf("%s\n", f.text);
        exit(1);
    }
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_canonical),
        cmocka_unit_test(test_canonical_query),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_changed_headers),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_scope),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_presigned_parts),
        cmocka_unit_test(test_date_headers),
        cmocka_unit_test(test_signed_headers),
    };

    json_setup();
    open_keys();
    if (date_read_basic(STR("20260102T030405Z"), &now_ms))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    keys_free(keys);
    return failed;
}
