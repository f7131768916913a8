/* The compiled matcher against the reference of the tests. The first byte chooses: the others
 * decide what the generator makes, or are a body and a String.Array for fixed policies as they
 * stand. */
#include "filter/filter.h"
#include "tests/filter_differential.h"
#include "tests/reference_filter.h"

#define RAW_SIZE_MAX 600 /* the reference tries all combinations of values */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    enum filter_scope scope;
    const char *text;
} POLICIES[] = {
    {FILTER_BODY, "{\"a\":[\"x\",5,null,{\"prefix\":\"p\"},{\"wildcard\":\"w*w\"}]}"},
    {FILTER_BODY, "{\"a\":{\"b\":[{\"anything-but\":[\"x\"]}],\"c\":[{\"exists\":true}]}}"},
    {FILTER_BODY, "{\"a\":{\"b\":[{\"numeric\":[\">\",1,\"<=\",10]}],\"c\":[{\"exists\":false}]}}"},
    {FILTER_BODY, "{\"a.b\":[{\"equals-ignore-case\":\"\xc3\xa9\"},{\"cidr\":\"10.0.0.0/8\"}]}"},
    {FILTER_BODY, "{\"a\":[{\"suffix\":\"s\"}],\"b\":[true],\"c\":[{\"exists\":false}]}"},
    {FILTER_ATTRIBUTES, "{\"a\":[\"x\",5,null,{\"prefix\":\"p\"},{\"wildcard\":\"w*w\"}]}"},
    {FILTER_ATTRIBUTES, "{\"a\":[{\"anything-but\":[5,6]}]}"},
    {FILTER_ATTRIBUTES, "{\"a\":[{\"suffix\":\"\\\\\\\"\"}],\"b\":[{\"exists\":false}]}"},
};

static void check_raw(const struct policy *p, const struct filter_message *msg)
{
    struct matcher *m = matcher_new(NULL);
    struct filter_hits hits = {0};
    matcher_add(m, 1, p);
    matcher_match(m, msg, &hits);
    assert(hits.total == reference_match(p, msg));
    enum filter_eligibility e = policy_scope(p) == FILTER_BODY ? hits.body : hits.attributes;
    assert(e == reference_eligibility(policy_scope(p), msg));
    filter_hits_deinit(&hits);
    matcher_free(m);
}

static void fuzz_raw(str text)
{
    static struct fault fault;
    struct filter_attr attrs[] = {{STR("a"), STR("String.Array"), text},
                                  {STR("a"), STR("Number"), text},
                                  {STR("a"), STR("String"), text}};
    for (size_t i = 0; i < ARRAY_LEN(POLICIES); i++) {
        struct policy *p;
        int err =
            policy_new(&p, str_of(POLICIES[i].text), POLICIES[i].scope, &FILTER_LIMITS_SNS, &fault);
        assert(!err);
        for (size_t k = 0; k < (POLICIES[i].scope == FILTER_BODY ? 1 : ARRAY_LEN(attrs)); k++) {
            struct filter_message msg = {.attrs = &attrs[k], .attr_count = 1, .body = text};
            check_raw(p, &msg);
        }
        policy_free(p);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] % 2) {
        char *copy = mem_grow(NULL, size); /* no NUL behind it: reading on is seen */
        memcpy(copy, data, size);
        if (size <= RAW_SIZE_MAX)
            fuzz_raw(str_from(copy + 1, size - 1));
        mem_free(copy);
        return 0;
    }
    struct generator g;
    struct differential_stats stats = {0};
    gen_init(&g, size, data + 1, size - 1);
    bool is_equal = differential_round(&g, &stats);
    gen_deinit(&g);
    assert(is_equal);
    return 0;
}
