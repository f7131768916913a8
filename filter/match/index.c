/* Chooses the builder, once per process, and allocates the index. */
#include "filter/match/index.h"

#include "common/base/mem.h"

/* Room for whole groups of blocks with any builder, and for the sentinels after the end. */
enum { BLOCKS_MIN = 64, BLOCKS_AHEAD = 16, ALIGNED = 64 };

void index_deinit(struct index *x)
{
    mem_free(x->memory);
}

static void index_room(struct index *x, u32 blocks)
{
    if (LIKELY(blocks + BLOCKS_AHEAD <= x->cap))
        return;
    x->cap = (blocks + blocks / 2 + BLOCKS_MIN) / BLOCKS_AHEAD * BLOCKS_AHEAD;
    mem_free(x->memory);
    x->memory = mem_alloc(x->cap * (4 * sizeof(u64) + sizeof(u32)) + ALIGNED);
    u64 *at = (u64 *)(((uintptr_t)x->memory + ALIGNED - 1) / ALIGNED * ALIGNED);
    x->quotes = at;
    x->ops = at + x->cap;
    x->opens = at + 2 * (size_t)x->cap;
    x->closes = at + 3 * (size_t)x->cap;
    x->least = (i32 *)(at + 4 * (size_t)x->cap);
}

bool index_by(index_build *build, struct index *x, str text, enum index_mode mode)
{
    if (text.n >= UINT32_MAX)
        return false;
    u32 end = (u32)((text.n + 63) / 64);
    index_room(x, end);
    x->size = (u32)text.n;
    x->has_escapes = false;
    bool good = build(x, text, mode);
    x->quotes[end] = x->ops[end] = x->opens[end] = x->closes[end] = ~0ull;
    x->least[end] = 0;
    return good;
}

struct instructions {
    index_build *build;
    const char *name;
};

static const struct instructions ALL[] = {
#if defined(__x86_64__)
    {index_build_avx512, "avx512"},
    {index_build_avx2, "avx2"},
#endif
    {index_build_portable, "portable"},
};
static const struct instructions *chosen;

static bool has(const struct instructions *i)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool bits = __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
    if (i->build == index_build_avx512)
        return bits && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vbmi") &&
               __builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("gfni") &&
               __builtin_cpu_supports("vpclmulqdq");
    if (i->build == index_build_avx2)
        return bits && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("pclmul");
#endif
    return i->build == index_build_portable;
}

static void choose_builder(void)
{
    chosen = ALL;
    while (!has(chosen))
        chosen++;
}

bool index_use(str name)
{
    for (size_t i = 0; i < ARRAY_LEN(ALL); i++) {
        if (!str_is(name, ALL[i].name) || !has(&ALL[i]))
            continue;
        chosen = &ALL[i];
        return true;
    }
    return false;
}

bool index_of(struct index *x, str text, enum index_mode mode)
{
    if (UNLIKELY(!chosen))
        choose_builder();
    return index_by(chosen->build, x, text, mode);
}

const char *index_instructions(void)
{
    if (!chosen)
        choose_builder();
    return chosen->name;
}
