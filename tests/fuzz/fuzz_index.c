/* Any bytes as a body: every builder of the index says what the tokenizer, byte by byte, says, and
 * all of them find the same. */
#include "common/mem.h"
#include "filter/index.h"

#define ROOM 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_object(str text)
{
    struct scan s;
    struct scan_text t;
    enum scan_token token;
    scan_init(&s, text);
    if (scan_next(&s, &t) != SCAN_OBJECT)
        return false;
    do
        token = scan_next(&s, &t);
    while (token != SCAN_ERROR && token != SCAN_END);
    return token == SCAN_END;
}

static bool build_with(index_build *build, struct index *x, str text, enum index_mode mode)
{
    x->block_cap = (u32)(text.n / 64 + 2);
    x->blocks = mem_array(x->block_cap, sizeof(*x->blocks));
    x->size = (u32)text.n;
    return build(x, text, mode);
}

static void check_same(const struct index *a, const struct index *b, str text)
{
    assert(a->bracket_n == b->bracket_n);
    if (text.n >= 64)
        assert(memcmp(a->blocks, b->blocks, text.n / 64 * sizeof(*a->blocks)) == 0);
    for (u32 i = 0; i < a->bracket_n; i++)
        assert(memcmp(&a->brackets[i], &b->brackets[i], sizeof(a->brackets[i])) == 0);
}

static void check(str text, index_build *other)
{
    for (enum index_mode mode = INDEX_CHECKED; mode <= INDEX_SKIP; mode++) {
        struct index *x = mem_alloc(2 * sizeof(*x));
        bool good = build_with(index_build_portable, &x[0], text, mode);
        if (mode == INDEX_CHECKED)
            assert(good == is_object(text));
        if (other)
            assert(build_with(other, &x[1], text, mode) == good);
        if (other && good)
            check_same(&x[0], &x[1], text);
        index_deinit(&x[0]);
        index_deinit(&x[1]);
        mem_free(x);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = mem_grow(NULL, size ? size : 1); /* no NUL behind it: reading on is seen */
    if (size > ROOM)
        size = ROOM;
    if (size)
        memcpy(copy, data, size);
    check(str_from(copy, size), NULL);
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("pclmul"))
        check(str_from(copy, size), index_build_avx2);
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        check(str_from(copy, size), index_build_avx512);
#endif
    mem_free(copy);
    return 0;
}
