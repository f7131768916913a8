/* The index by AVX2: 32 bytes are compared at once. */
#if defined(__x86_64__)
#include "filter/match/index.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt,pclmul"))),         \
                             apply_to = function)
#else
#pragma GCC target("avx2,bmi,bmi2,lzcnt,popcnt,pclmul")
#endif
#include <immintrin.h>

#include "filter/match/index_blocks.h"

struct pair {
    __m256i low, high;
};

CORE struct pair load(const u8 *p)
{
    return (struct pair){_mm256_loadu_si256((const __m256i *)(const void *)p),
                         _mm256_loadu_si256((const __m256i *)(const void *)(p + 32))};
}

CORE u64 bits(__m256i low, __m256i high)
{
    return (u32)_mm256_movemask_epi8(low) | (u64)(u32)_mm256_movemask_epi8(high) << 32;
}

CORE u64 equals(struct pair w, char c)
{
    __m256i with = _mm256_set1_epi8(c);

    return bits(_mm256_cmpeq_epi8(w.low, with), _mm256_cmpeq_epi8(w.high, with));
}

/* Bytes in the range of `n` values from `from` on. */
CORE u64 within(struct pair w, char from, char n)
{
    __m256i base = _mm256_set1_epi8(from), top = _mm256_set1_epi8((char)(n - 1));
    __m256i low = _mm256_sub_epi8(w.low, base), high = _mm256_sub_epi8(w.high, base);

    return bits(_mm256_cmpeq_epi8(_mm256_min_epu8(low, top), low),
                _mm256_cmpeq_epi8(_mm256_min_epu8(high, top), high));
}

CORE struct pair folded(struct pair w)
{
    __m256i bit = _mm256_set1_epi8(0x20);

    return (struct pair){_mm256_or_si256(w.low, bit), _mm256_or_si256(w.high, bit)};
}

/* Blanks by their low four bits: each has its slot in the table, and no other byte equals it. */
CORE u64 blanks(struct pair w)
{
    const __m256i table = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(' ', 0, 0, 0, 0, 0, 0, 0, 0, '\t', '\n', 0, 0, '\r', 0, 0));

    return bits(_mm256_cmpeq_epi8(_mm256_shuffle_epi8(table, w.low), w.low),
                _mm256_cmpeq_epi8(_mm256_shuffle_epi8(table, w.high), w.high));
}

CORE void block_marks(const u8 *p, struct group *g)
{
    struct pair w = load(p), f = folded(w);

    g->quote.all = equals(w, '"');
    g->slash.all = equals(w, '\\');
    g->open.all = equals(f, '{');
    g->close.all = equals(f, '}');
    g->curly.all = bits(_mm256_slli_epi16(w.low, 2), _mm256_slli_epi16(w.high, 2));
    g->comma.all = equals(w, ',');
    g->colon.all = equals(w, ':');
    g->blank.all = blanks(w);
}

CORE void block_masks(const u8 *p, struct group *g)
{
    struct pair w = load(p);

    g->control.all = within(w, 0, 0x20);
    g->high.all = bits(w.low, w.high);
}

CORE void block_digits(const u8 *p, struct group *g)
{
    struct pair w = load(p);

    g->digit.all = within(w, '0', 10);
    g->zero.all = equals(w, '0');
    g->minus.all = equals(w, '-');
    g->dot.all = equals(w, '.');
}

CORE void block_powers(const u8 *p, struct group *g)
{
    struct pair w = load(p);

    g->plus.all = equals(w, '+');
    g->exponent.all = equals(folded(w), 'e');
}

static inline u64 block_parity(u64 x)
{
    __m128i product = _mm_clmulepi64_si128(_mm_set_epi64x(0, (i64)x), _mm_set1_epi8((char)0xFF), 0);
    return (u64)_mm_cvtsi128_si64(product);
}

static inline u32 block_count(u64 x)
{
    return (u32)__builtin_popcountll(x);
}

bool index_build_avx2(struct index *x, str text, enum index_mode mode)
{
    switch (mode) {
    case INDEX_CHECKED: return build(x, text, INDEX_CHECKED);
    case INDEX_STRUCTURAL: return build(x, text, INDEX_STRUCTURAL);
    default: return build(x, text, INDEX_SKIP);
    }
}
#if defined(__clang__)
#pragma clang attribute pop
#endif
#else
typedef int index_avx2_is_for_x86_64;
#endif
