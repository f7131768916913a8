/* Any bytes as the form body of a Query call: what is read is whole, and the answer is rendered.
 * The first byte picks the service, whether the path names a queue, and the answer's form. */
#include "tests/demo_service.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *copy = mem_alloc(size);
    memcpy(copy, data, size);
    struct request rq = demo_request(data[0] & 2 ? "/000000000000/q" : "/");
    if (!(data[0] & 4))
        rq.query = data[0] & 1 ? STR("Action=Publish") : STR("Action=SendMessage");
    if (data[0] & 8)
        rq.accept = STR("application/json");
    rq.body = str_from(copy + 1, size - 1);
    struct call *c = demo_call(rq);
    call_find(c, demo_services, ARRAY_LEN(demo_services));
    assert(c->service && (c->action || c->fault.code));
    if (!c->fault.code)
        call_read(c);
    if (!c->fault.code) {
        struct buf told = {0};
        demo_tell(c->in, &told);
        if (c->action->flags & ACTION_RESULT)
            call_out_text(c, "Told", str_is_utf8(buf_view(&told)) ? buf_view(&told) : STR("?"));
        buf_deinit(&told);
    }
    call_render(c);
    assert(str_is_utf8(buf_view(&c->answer.body)));
    demo_call_free(c);
    mem_free(copy);
    return 0;
}
