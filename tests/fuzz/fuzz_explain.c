/* A policy (the first line) and a body or attribute value (the rest), both any bytes: what is told
 * key by key agrees with the matcher's verdict, in both scopes. */
#include "filter/explain/explain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(str text, enum filter_scope scope, const struct filter_message *msg)
{
    static struct fault fault;
    struct policy *p;
    fault_clear(&fault);
    if (policy_new(&p, text, scope, &FILTER_LIMITS_SNS, &fault))
        return;
    struct explanation *x = explain_new(p, msg);
    assert(x->match == (x->reason == EXPLAIN_HELD || x->reason == EXPLAIN_NO_POLICY));
    assert(x->words.n > 0);
    explain_free(x);
    policy_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = mem_grow(NULL, size + 1);
    memcpy(copy, data, size);
    str rest = {copy, size};
    str text = str_cut(&rest, '\n');
    if (!rest.p)
        rest = STR("");
    const char *const types[] = {"String", "Number", "String.Array"};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct filter_attr attr = {STR("k"), str_of(types[i]), rest};
        struct filter_message msg = {.attrs = &attr, .attr_count = 1, .body = rest};
        check(text, FILTER_ATTRIBUTES, &msg);
        if (i == 0)
            check(text, FILTER_BODY, &msg);
    }
    mem_free(copy);
    return 0;
}
