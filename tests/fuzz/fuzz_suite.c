/* Any bytes as a suite of cases: every case has a result, or the file is refused with a place. */
#include "filter/ctl/suite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(void *ctx, const struct suite_result *r)
{
    size_t *n = ctx;
    (*n)++;
    assert(r->id.n && r->line);
    assert(!r->trouble || !r->ok);
    assert(r->trouble || r->got != SUITE_INVALID || r->error.n);
    assert(!r->ok || r->got == r->expect);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *nowhere;
    struct fault fault;
    size_t n = 0;
    if (!nowhere)
        nowhere = fopen("/dev/null", "w");
    assert(nowhere);
    struct ctl c = {.verb = "test", .out = nowhere, .err = nowhere};
    fault_clear(&fault);
    int err = suite_run(&c, STR("nowhere-at-all/suite.json"), str_from(data, size), NULL, take, &n,
                        &fault);
    assert(err == 0 || (err == E_FAULT && fault.text[0] && fault.line));
    return 0;
}
