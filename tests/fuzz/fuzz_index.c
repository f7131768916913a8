/* Any bytes as a body: every builder of the index says what the tokenizer, byte by byte, says, and
 * all of them find the same. */
#include "common/base/mem.h"
#include "filter/match/index.h"

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

static void check_same(const struct index *a, const struct index *b, str text)
{
    size_t n = (text.n + 63) / 64, size = n * sizeof(u64);
    assert(a->root == b->root && a->has_escapes == b->has_escapes);
    assert(memcmp(a->quotes, b->quotes, size) == 0);
    assert(memcmp(a->ops, b->ops, size) == 0);
    assert(memcmp(a->opens, b->opens, size) == 0);
    assert(memcmp(a->closes, b->closes, size) == 0);
    assert(memcmp(a->least, b->least, n * sizeof(*a->least)) == 0);
}

static void check(str text, index_build *other)
{
    for (enum index_mode mode = INDEX_CHECKED; mode <= INDEX_SKIP; mode++) {
        struct index *x = mem_alloc(2 * sizeof(*x));
        bool good = index_by(index_build_portable, &x[0], text, mode);
        if (mode == INDEX_CHECKED)
            assert(good == is_object(text));
        if (other)
            assert(index_by(other, &x[1], text, mode) == good);
        if (other && good && mode != INDEX_SKIP)
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
    if (index_use(STR("avx2")))
        check(str_from(copy, size), index_build_avx2);
    if (index_use(STR("avx512")))
        check(str_from(copy, size), index_build_avx512);
#endif
    mem_free(copy);
    return 0;
}
