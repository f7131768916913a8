/* Any bytes as a call at the ipc door: refused with a reason, or read into views that stay inside,
 * with an input that is an object; and as the body of an answer: what comes out is one object when
 * the body was JSON or the answer an error of the door's own words. */
#include "common/aws/ipc_request.h"
#include "common/base/mem.h"
#include "common/base/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_json(str text)
{
    struct scan s;
    struct scan_text t;
    enum scan_token token;

    scan_init(&s, text);
    do
        token = scan_next(&s, &t);
    while (token != SCAN_ERROR && token != SCAN_END);
    return token == SCAN_END;
}

static void check_answer(str body, int status)
{
    struct answer a = {.status = status, .type = ANSWER_AWS_JSON};
    struct buf out = {0};

    buf_str(&a.body, body);
    ipc_answer_write(&out, &a);
    if (is_json(body))
        assert(is_json(buf_view(&out)));
    buf_deinit(&a.body);
    buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = mem_alloc(size ? size : 1);
    str text = {copy, size};
    struct ipc_request q;
    const char *why = NULL;

    if (size)
        memcpy(copy, data, size);
    if (ipc_request_read(text, &q, &why) < 0) {
        assert(why && *why);
    } else {
        assert(is_json(text) && is_json(q.input));
        assert(q.input.p[0] == '{' && q.target.n > 0);
        assert(q.target.n <= IPC_NAME_SIZE_MAX && q.account.n <= IPC_NAME_SIZE_MAX);
    }
    check_answer(text, 200);
    check_answer(text, 400);
    mem_free(copy);
    return 0;
}
