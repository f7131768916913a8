/* Any bytes as the body of a JSON call, to both kinds of service: it is read or refused, what was
 * read is whole, and the answer can be written either way. The first byte picks the service. */
#include "tests/demo_service.h"

#include "common/base/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(str body)
{
    struct scan s;
    struct scan_text t;
    enum scan_token token;
    scan_init(&s, body);
    do
        token = scan_next(&s, &t);
    while (token != SCAN_END && token != SCAN_ERROR);
    assert(token == SCAN_END);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    /* Of its own size, so that a read behind its end is seen. */
    char *copy = mem_alloc(size);
    memcpy(copy, data, size);
    struct request rq = demo_request("/000000000000/q");
    rq.target = data[0] & 1 ? STR("AmazonSNS.Publish") : STR("AmazonSQS.SendMessage");
    rq.body = str_from(copy + 1, size - 1);
    struct call *c = demo_call(rq);
    call_find(c, demo_services, ARRAY_LEN(demo_services));
    assert(!c->fault.code);
    call_read(c);
    if (!c->fault.code) {
        struct buf told = {0};
        demo_tell(c->in, &told);
        call_out_text(c, "Told", str_is_utf8(buf_view(&told)) ? buf_view(&told) : STR("?"));
        buf_deinit(&told);
    }
    call_render(c);
    check_answer(buf_view(&c->answer.body));
    demo_call_free(c);
    mem_free(copy);
    return 0;
}
