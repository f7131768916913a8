/* Any bytes as a policy: refused with words, or accepted with a compact text that reads back as the
 * same policy. */
#include "filter/policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fault fault;

static void check_again(const struct policy *p)
{
    struct policy *again;
    fault_clear(&fault);
    int err = policy_new(&again, policy_text(p), p->scope, &FILTER_LIMITS_NONE, &fault);
    assert(err == 0);
    assert(str_eq(policy_text(p), policy_text(again)));
    assert(p->n == again->n && p->combinations == again->combinations);
    for (u32 i = 0; i < p->n; i++) {
        assert(p->branches[i].n == again->branches[i].n && p->branches[i].n > 0);
        for (u32 k = 0; k < p->branches[i].n; k++) {
            const struct policy_leaf *a = p->branches[i].leaves[k],
                                     *b = again->branches[i].leaves[k];
            assert(a->n == b->n && a->n > 0 && a->at == b->at && str_eq(a->path, b->path));
            for (u32 e = 0; e < a->n; e++)
                assert(a->entries[e].end <= p->text.n && a->entries[e].at < a->entries[e].end);
        }
    }
    policy_free(again);
}

static void check(str text, enum filter_scope scope, const struct filter_limits *limits)
{
    struct policy *p = NULL;
    fault_clear(&fault);
    int err = policy_new(&p, text, scope, limits, &fault);
    if (err) {
        assert(err == E_FAULT && fault.text[0]);
        assert(fault.code == FILTER_FAULT_POLICY || fault.code == FILTER_FAULT_SCOPE);
        return;
    }
    check_again(p);
    policy_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = mem_grow(NULL, size); /* no NUL behind it: reading on is seen */
    if (size)
        memcpy(copy, data, size);
    str text = {copy, size};
    check(text, FILTER_ATTRIBUTES, &FILTER_LIMITS_SNS);
    check(text, FILTER_BODY, &FILTER_LIMITS_NONE);
    mem_free(copy);
    return 0;
}
