/* ipc_request.[ch]: calls as JSON text, and answers. */
#include "common/aws/ipc_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void request_texts(void **state)
{
    struct ipc_request q;
    const char *why;

    assert_int_equal(ipc_request_read(STR("{\"target\":\"A\\u006dazon\\\"\",\"other\":[{}],"
                                          "\"input\":{ \"x\" : \"}\" } }"),
                                      &q, &why),
                     0);
    assert_true(str_is(q.target, "Amazon\""));
    assert_true(str_is(q.input, "{ \"x\" : \"}\" }"));
    assert_true(str_is(q.account, "") && str_is(q.region, ""));
    assert_int_equal(ipc_request_read(STR("{\"target\":1}"), &q, &why), E_INVALID);
    assert_int_equal(ipc_request_read(STR("{\"target\":\"a\",\"region\":null}"), &q, &why),
                     E_INVALID);
    assert_int_equal(ipc_request_read(STR("{\"target\":\"a\",\"z\":tru}"), &q, &why), E_INVALID);
    assert_int_equal(ipc_request_read(STR("{\"target\":\"a\""), &q, &why), E_INVALID);
    assert_int_equal(ipc_request_read(STR(""), &q, &why), E_INVALID);
    char text[400] = "{\"target\":\"";
    size_t n = strlen(text);

    memset(text + n, 'a', 300);
    memcpy(text + n + 300, "\"}", 3);
    assert_int_equal(ipc_request_read(str_of(text), &q, &why), E_INVALID);
}

static void check_answer(const struct answer *like, const char *body, const char *expected)
{
    struct answer a = *like;
    struct buf out = {0};

    buf_z(&a.body, body);
    ipc_answer_write(&out, &a);
    assert_string_equal(out.p, expected);
    buf_deinit(&a.body);
    buf_deinit(&out);
}

static void answer_texts(void **state)
{
    struct answer ok = {.status = 200, .type = ANSWER_AWS_JSON},
                  xml = {200, ANSWER_XML, "", "", {0}};
    struct answer bad = {.status = 400, .type = ANSWER_AWS_JSON};

    check_answer(&ok, "", "{\"status\":200,\"output\":{}}");
    check_answer(&ok, "{\"a\":1}", "{\"status\":200,\"output\":{\"a\":1}}");
    check_answer(&xml, "<a>\"</a>", "{\"status\":200,\"output\":\"<a>\\\"</a>\"}");
    check_answer(&bad, "{\"__type\":\"x#Y\"}",
                 "{\"status\":400,\"error\":{\"__type\":\"x#Y\",\"code\":\"Y\"}}");
    check_answer(&bad, "{}", "{\"status\":400,\"error\":{}}");
    check_answer(&bad, "broken", "{\"status\":400,\"error\":{\"message\":\"broken\"}}");
    snprintf(bad.query_error, sizeof(bad.query_error), "C;Sender");
    check_answer(&bad, "{}", "{\"status\":400,\"error\":{\"code\":\"C\"}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_texts),
        cmocka_unit_test(answer_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
