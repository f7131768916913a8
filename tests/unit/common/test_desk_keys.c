/* The desk with access keys: who signs is who calls, who does not is let into what is open only;
 * what was verified elsewhere is believed. */
#include "common/base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/aws/desk.h"
#include "common/aws/sigv4.h"
#include "common/base/hash.h"
#include "common/base/json.h"
#include "tests/key_file.h"

#define NOW_MS INT64_C(1767323045000)
#define STAMP  "20260102T030405Z"
#define DATE   "20260102"

static struct loop *loop;
static struct desk *desk;
static struct clock clock_;
static struct id_source ids;
static char key_file[] = KEY_FILE_TEMPLATE;
static char page_text[] = "{\"ok\":true}";

static struct {
    int status;
    char body[1024], query_error[160];
} answer;

/* --- two services ----------------------------------------------------------------------------- */

static void run_echo(struct call *c)
{
    call_out_text(c, "Account", c->account);
    call_out_text(c, "Region", c->region);
    call_out_text(c, "User", c->identity.user);
    call_done(c);
}

/* A call about the queue "place:name", where the place is a region or an account. */
static void names(struct call *c, struct arn *ret)
{
    str name = val_text(c->in, "Name"), place = str_cut(&name, ':');

    if (arn_is_account(place))
        ret->account = place;
    else if (place.n)
        ret->region = place;
    ret->resource = name.p ? name : STR("");
}

static const struct member in[] = {{.name = "Name", .type = VAL_STRING}, {.name = NULL}};
static const struct action actions[] = {
    {"Echo", in, run_echo, ACTION_RESULT},
    {"EchoBatch", in, run_echo, ACTION_RESULT},
    {"Open", in, run_echo, ACTION_RESULT | ACTION_OPEN},
};

static const struct service queues = {.signing_name = "sqs",
                                      .target_prefix = "AmazonSQS.",
                                      .query_version = "2012-11-05",
                                      .xml_namespace = "http://queue.example/",
                                      .unsigned_denied = true,
                                      .action_prefix = "sqs:",
                                      .names = names,
                                      .flattened = true,
                                      .actions = actions,
                                      .action_count = ARRAY_LEN(actions)};
static const struct service topics = {.signing_name = "sns",
                                      .target_prefix = "AmazonSNS.",
                                      .query_version = "2010-03-31",
                                      .xml_namespace = "http://sns.example/",
                                      .action_prefix = "SNS:",
                                      .names = names,
                                      .actions = actions,
                                      .action_count = ARRAY_LEN(actions)};

static void run_page(struct call *c, void *arg)
{
    call_page(c, 200, str_of(arg));
}

/* --- a caller --------------------------------------------------------------------------------- */

struct caller {
    struct request rq;
    struct http_field headers[4];
    char authorization[512];
};

static void caller_init(struct caller *who, const char *path, const char *target)
{
    *who = (struct caller){.rq = request_blank(DOOR_TCP)};
    who->rq.method = target[0] ? STR("POST") : STR("GET");
    who->rq.path = str_of(path);
    who->rq.host = STR("h:1");
    who->rq.target = str_of(target);
    if (target[0])
        who->rq.body = STR("{}");
    who->headers[0] = (struct http_field){STR("Host"), STR("h:1")};
    who->headers[1] = (struct http_field){STR("X-Amz-Date"), STR(STAMP)};
    who->headers[2] = (struct http_field){STR("X-Amz-Target"), str_of(target)};
    who->rq.headers = who->headers;
    who->rq.header_count = 3;
}

static void hmac_chain(u8 key[32], const char *text)
{
    u8 next[32];

    hash_hmac_sha256(str_from(key, 32), str_of(text), next);
    memcpy(key, next, sizeof next);
}

/* Signs as the service's signing process says. */
static void caller_sign(struct caller *who, const char *key, const char *secret,
                        const char *service)
{
    static const char names[] = "host;x-amz-date;x-amz-target";
    struct identity id = {.signed_headers = str_of(names)};
    struct arena arena;
    struct buf text = {0};
    char hex[HASH_SHA256_HEX], start[64];
    u8 mac[32];

    arena_init(&arena);
    sigv4_canonical(&who->rq, &id, str_of(hash_sha256_hex(who->rq.body, hex)), 0, &arena, &text);
    hash_sha256_hex(buf_view(&text), hex);
    buf_reset(&text);
    buf_printf(&text, "AWS4-HMAC-SHA256\n" STAMP "\n" DATE "/eu-west-1/%s/aws4_request\n%s",
               service, hex);
    snprintf(start, sizeof start, "AWS4%s", secret);
    hash_hmac_sha256(str_of(start), STR(DATE), mac);
    hmac_chain(mac, "eu-west-1");
    hmac_chain(mac, service);
    hmac_chain(mac, "aws4_request");
    hmac_chain(mac, text.p);
    hash_hex(mac, sizeof mac, hex);
    snprintf(who->authorization, sizeof who->authorization,
             "AWS4-HMAC-SHA256 Credential=%s/" DATE
             "/eu-west-1/%s/aws4_request, SignedHeaders=%s, Signature=%s",
             key, service, names, hex);
    who->rq.authorization = str_of(who->authorization);
    buf_deinit(&text);
    arena_deinit(&arena);
}

static enum call_outcome reply(void *arg, struct call *c)
{
    answer.status = c->answer.status;
    snprintf(answer.body, sizeof answer.body, "%s", c->answer.body.p ? c->answer.body.p : "");
    snprintf(answer.query_error, sizeof answer.query_error, "%s", c->answer.query_error);
    return CALL_SENT;
}

static void ask(const struct caller *who)
{
    answer.status = 0;
    desk_take(desk, &who->rq, reply, NULL);
    loop_turn(loop, 0);
}

static void expect(int status, const char *body)
{
    assert_int_equal(answer.status, status);
    assert_string_equal(answer.body, body);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void test_signed(void **state)
{
    struct caller who;

    caller_init(&who, "/", "AmazonSQS.Echo");
    caller_sign(&who, "AKALICE", "secret", "sqs");
    ask(&who);
    expect(200, "{\"Account\":\"111111111111\",\"Region\":\"eu-west-1\",\"User\":\"alice\"}");
    caller_init(&who, "/", "AmazonSNS.Echo");
    caller_sign(&who, "222222222222", "other", "sns");
    ask(&who);
    expect(200, "{\"Account\":\"333333333333\",\"Region\":\"eu-west-1\",\"User\":\"\"}");
}

static void test_wrong(void **state)
{
    struct caller who;

    caller_init(&who, "/", "AmazonSQS.Echo");
    caller_sign(&who, "AKALICE", "guess", "sqs");
    ask(&who);
    assert_int_equal(answer.status, 403);
    assert_string_equal(answer.query_error, "SignatureDoesNotMatch;Sender");
    assert_non_null(strstr(answer.body, "com.amazon.coral.service#InvalidSignatureException"));
    caller_sign(&who, "AKALICE", "secret", "sns");
    ask(&who);
    expect(403, "{\"__type\":\"com.amazon.coral.service#InvalidSignatureException\",\"message\":"
                "\"Credential should be scoped to correct service: 'sqs'.\"}");
    caller_sign(&who, "AKNOBODY", "secret", "sqs");
    ask(&who);
    expect(403, "{\"__type\":\"com.amazon.coral.service#UnrecognizedClientException\",\"message\":"
                "\"The security token included in the request is invalid.\"}");
    assert_string_equal(answer.query_error, "InvalidClientTokenId;Sender");
    who.rq.authorization = STR("AWS4-HMAC-SHA256 Credential=x");
    ask(&who);
    assert_int_equal(answer.status, 400);
    assert_string_equal(answer.query_error, "IncompleteSignature;Sender");
}

static void test_unsigned(void **state)
{
    struct caller who;

    caller_init(&who, "/000000000000/q", "AmazonSQS.Echo");
    ask(&who);
    expect(403, "{\"__type\":\"com.amazon.coral.service#AccessDeniedException\",\"message\":"
                "\"Access to the resource http://h:1/000000000000/q is denied.\"}");
    assert_string_equal(answer.query_error, "AccessDenied;Sender");
    caller_init(&who, "/", "AmazonSNS.Echo");
    ask(&who);
    expect(403, "{\"__type\":\"com.amazon.coral.service#MissingAuthenticationTokenException\","
                "\"message\":\"Request is missing Authentication Token\"}");
    caller_init(&who, "/", "AmazonSQS.Foo"); /* unknown comes first */
    ask(&who);
    assert_string_equal(answer.query_error, "InvalidAction;Sender");
}

static void test_open(void **state)
{
    struct caller who;

    caller_init(&who, "/", "AmazonSNS.Open");
    ask(&who);
    expect(200, "{\"Account\":\"000000000000\",\"Region\":\"us-east-1\",\"User\":\"\"}");
    caller_sign(&who, "AKALICE", "guess", "sns"); /* but no wrong signature is let in */
    ask(&who);
    assert_int_equal(answer.status, 403);
}

static void test_verified_elsewhere(void **state)
{
    struct caller who;

    caller_init(&who, "/", "AmazonSQS.Echo");
    who.rq.door = DOOR_LINK;
    who.rq.account = STR("444444444444");
    who.rq.region = STR("r");
    ask(&who);
    expect(200, "{\"Account\":\"444444444444\",\"Region\":\"r\",\"User\":\"\"}");
    who.rq.door = DOOR_IPC;
    ask(&who);
    assert_int_equal(answer.status, 200);
    who.rq.door = DOOR_UNIX;
    ask(&who);
    assert_int_equal(answer.status, 403);
}

static void test_policy(void **state)
{
    static const char user[] = "User: arn:aws:iam::111111111111:user/limited is not authorized to "
                               "perform: ";
    struct caller who;
    char want[1024];

    caller_init(&who, "/", "AmazonSQS.EchoBatch");
    who.rq.body = STR("{\"Name\":\":q\"}");
    caller_sign(&who, "AKLIMITED", "secret", "sqs");
    ask(&who);
    assert_int_equal(answer.status, 200);
    who.rq.body = STR("{\"Name\":\":p\"}");
    caller_sign(&who, "AKLIMITED", "secret", "sqs");
    ask(&who);
    snprintf(want, sizeof want,
             "{\"__type\":\"com.amazon.coral.service#AccessDeniedException\",\"message\":\"%s"
             "sqs:echo on resource: arn:aws:sqs:eu-west-1:111111111111:p because no "
             "identity-based policy allows the sqs:echo action\"}",
             user);
    expect(403, want);
    caller_init(&who, "/", "AmazonSNS.Open");
    caller_sign(&who, "AKLIMITED", "secret", "sns");
    ask(&who);
    assert_non_null(strstr(answer.body, "SNS:Open on resource: arn:aws:sns:eu-west-1:111111111111: "
                                        "with an explicit deny in an identity-based policy"));
    caller_init(&who, "/closed", "");
    caller_sign(&who, "AKLIMITED", "secret", "sqs");
    ask(&who);
    assert_int_equal(answer.status, 403);
}

/* A call that nobody signed is made where what it names is, unless somebody said where. */
static void test_unsigned_calls_have_a_place(void **state)
{
    static const struct {
        enum door door;
        const char *account, *name, *want_account, *want_region;
    } cases[] = {
        {DOOR_TCP, "", "", "000000000000", "us-east-1"},
        {DOOR_TCP, "", "123456789012:q", "123456789012", "us-east-1"},
        {DOOR_TCP, "", "eu-west-1:q", "000000000000", "eu-west-1"},
        {DOOR_TCP, "", "Mars:q", "000000000000", "us-east-1"},
        {DOOR_IPC, "444444444444", "123456789012:q", "444444444444", "us-east-1"},
        {DOOR_LINK, "444444444444", "123456789012:q", "123456789012", "us-east-1"},
    };
    struct caller who;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char body[64], want[128];

        caller_init(&who, "/", "AmazonSNS.Open");
        who.rq.door = cases[i].door;
        who.rq.account = str_of(cases[i].account);
        snprintf(body, sizeof body, "{\"Name\":\"%s\"}", cases[i].name);
        who.rq.body = str_of(body);
        ask(&who);
        snprintf(want, sizeof want, "{\"Account\":\"%s\",\"Region\":\"%s\",\"User\":\"\"}",
                 cases[i].want_account, cases[i].want_region);
        expect(200, want);
    }
    caller_init(&who, "/", "AmazonSNS.Open");
    who.rq.body = STR("{\"Name\":\"123456789012:q\"}");
    caller_sign(&who, "AKALICE", "secret", "sns");
    ask(&who);
    expect(200, "{\"Account\":\"111111111111\",\"Region\":\"eu-west-1\",\"User\":\"alice\"}");
}

static void test_pages(void **state)
{
    struct caller who;

    caller_init(&who, "/open", "");
    ask(&who);
    expect(200, page_text);
    caller_init(&who, "/closed", "");
    ask(&who);
    expect(403, "{\"error\":\"this page needs a signature\"}");
    caller_sign(&who, "AKALICE", "guess", "sqs");
    ask(&who);
    expect(403, "{\"error\":\"this page needs a signature\"}");
    caller_sign(&who, "AKALICE", "secret", "s3");
    ask(&who);
    expect(403, "{\"error\":\"this page needs a signature\"}");
    caller_sign(&who, "AKALICE", "secret", "sns");
    ask(&who);
    expect(200, page_text);
    caller_init(&who, "/closed", "");
    who.rq.door = DOOR_UNIX;
    ask(&who);
    expect(200, page_text);
}

static void test_without_keys(void **state)
{
    static struct fault f;
    struct caller who;

    assert_int_equal(desk_open_keys(desk, "", &f), 0);
    assert_false(desk_verifies(desk));
    caller_init(&who, "/", "AmazonSQS.Echo");
    caller_sign(&who, "222222222222", "guess", "sqs");
    ask(&who);
    expect(200, "{\"Account\":\"222222222222\",\"Region\":\"eu-west-1\",\"User\":\"\"}");
    caller_init(&who, "/closed", "");
    ask(&who);
    expect(200, page_text);
}

/* --- set-up ----------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    const struct desk_conf conf = {
        .account = "000000000000", .region = "us-east-1", .waiting_max = 3};

    clock_init(&clock_, true);
    clock_.now_ms = NOW_MS;
    id_init(&ids, 1);
    loop = loop_new(&clock_);
    desk = desk_new(loop, &ids, &conf);
    desk_add_service(desk, &queues);
    desk_add_service(desk, &topics);
    desk_add_open_page(desk, "GET", "/open", run_page, page_text);
    desk_add_page(desk, "GET", "/closed", run_page, page_text);
    return 0;
}

static int set_up_keys(void **state)
{
    static struct fault f;
    int err = set_up(state);

    err = err ? err : desk_open_keys(desk, key_file, &f);
    assert_true(desk_verifies(desk));
    return err;
}

static int tear_down(void **state)
{
    desk_free(desk);
    loop_free(loop);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_keys, tear_down)
#define ALICE                                                                                      \
    "{\"access_key_id\":\"AKALICE\",\"secret_access_key\":\"secret\",\"account\":"                 \
    "\"111111111111\",\"user\":\"alice\"}"
#define OTHER                                                                                      \
    "{\"access_key_id\":\"222222222222\",\"secret_access_key\":\"other\",\"account\":"             \
    "\"333333333333\"}"

#define LIMITED                                                                                    \
    "{\"access_key_id\":\"AKLIMITED\",\"secret_access_key\":\"secret\",\"account\":"               \
    "\"111111111111\",\"user\":\"limited\",\"policy\":{\"Statement\":[{\"Effect\":\"Allow\","      \
    "\"Action\":\"sqs:Echo\",\"Resource\":\"*:q\"},{\"Effect\":\"Deny\",\"Action\":\"sns:*\","     \
    "\"Resource\":\"*\"}]}}"

static void test_reloaded(void **state)
{
    struct caller who;

    caller_init(&who, "/", "AmazonSQS.Echo");
    caller_sign(&who, "AKALICE", "secret", "sqs");
    key_file_write(key_file, "{\"keys\":[" OTHER "]}");
    ask(&who);
    assert_int_equal(answer.status, 200); /* not told yet */
    desk_reload_keys(desk);
    ask(&who);
    assert_string_equal(answer.query_error, "InvalidClientTokenId;Sender");
    key_file_write(key_file, "{\"keys\":[" ALICE "," OTHER "]}");
    desk_reload_keys(desk);
    ask(&who);
    assert_int_equal(answer.status, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_signed),
        TEST(test_wrong),
        TEST(test_unsigned),
        TEST(test_open),
        TEST(test_verified_elsewhere),
        TEST(test_policy),
        TEST(test_unsigned_calls_have_a_place),
        TEST(test_pages),
        TEST(test_reloaded),
        cmocka_unit_test_setup_teardown(test_without_keys, set_up, tear_down),
    };

    json_setup();
    key_file_make(key_file, "{\"keys\":[" ALICE "," OTHER "," LIMITED "]}");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    unlink(key_file);
    return failed;
}
