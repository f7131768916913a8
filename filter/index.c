/* The choice between the builders, once for the process, and their memory. */
#include "filter/index.h"

#include "common/mem.h"

void index_deinit(struct index *x)
{
    mem_free(x->blocks);
    mem_free(x->brackets);
}

void index_more_brackets(struct index *x)
{
    x->bracket_cap = x->bracket_cap * 2 + 128;
    x->brackets = mem_grow(x->brackets, x->bracket_cap * sizeof(*x->brackets));
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
    bool bits = __builtin_cpu_supports("bmi") && __builtin_cpu_supports("pclmul");
    if (i->build == index_build_avx512)
        return bits && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    if (i->build == index_build_avx2)
        return bits && __builtin_cpu_supports("avx2");
#endif
    return i->build == index_build_portable;
}

static void choose(void)
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
        choose();
    if (text.n >= UINT32_MAX)
        return false;
    u32 blocks = (u32)(text.n / 64 + 2);
    if (blocks > x->block_cap) {
        x->block_cap = blocks + blocks / 2;
        x->blocks = mem_grow(x->blocks, x->block_cap * sizeof(*x->blocks));
    }
    x->size = (u32)text.n;
    x->bracket_n = 0;
    x->has_escapes = false;
    /* What is looked for is always found: behind the end stands one of everything. */
    x->blocks[(text.n + 63) / 64] = (struct index_block){~0ull, ~0ull, ~0ull};
    return chosen->build(x, text, mode);
}

const char *index_instructions(void)
{
    if (!chosen)
        choose();
    return chosen->name;
}
