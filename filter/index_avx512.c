/* The index by AVX-512: 64 bytes are compared at once, and the answer is a mask already. */
#if defined(__x86_64__)
#include "filter/index.h"

#if defined(__clang__)
#pragma clang attribute push(                                                                      \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx2,bmi,bmi2,lzcnt,popcnt,pclmul"))),        \
    apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512vl,avx2,bmi,bmi2,lzcnt,popcnt,pclmul")
#endif
#include <immintrin.h>

#include "filter/index_core.h"

static inline __m512i load(const u8 *p)
{
    return _mm512_loadu_si512(p);
}

static inline u64 equals(__m512i w, char c)
{
    return _mm512_cmpeq_epi8_mask(w, _mm512_set1_epi8(c));
}

/* Bytes from `from` on, `n` of them. */
static inline u64 within(__m512i w, char from, char n)
{
    return _mm512_cmplt_epu8_mask(_mm512_sub_epi8(w, _mm512_set1_epi8(from)), _mm512_set1_epi8(n));
}

static inline __m512i folded(__m512i w)
{
    return _mm512_or_si512(w, _mm512_set1_epi8(0x20));
}

static inline u64 blanks(__m512i w)
{
    const __m512i table = _mm512_broadcast_i32x4(
        _mm_setr_epi8(' ', 0, 0, 0, 0, 0, 0, 0, 0, '\t', '\n', 0, 0, '\r', 0, 0));
    return _mm512_cmpeq_epi8_mask(_mm512_shuffle_epi8(table, w), w);
}

static inline struct index_marks index_marks(const u8 *p)
{
    __m512i w = load(p), f = folded(w);
    return (struct index_marks){
        .quote = equals(w, '"'),
        .slash = equals(w, '\\'),
        .open = equals(f, '{'),
        .close = equals(f, '}'),
    };
}

static inline struct index_masks index_masks(const u8 *p)
{
    __m512i w = load(p);
    return (struct index_masks){
        .curly = equals(w, '{'),
        .comma = equals(w, ','),
        .colon = equals(w, ':'),
        .blank = blanks(w),
        .control = within(w, 0, 0x20),
        .high = _mm512_movepi8_mask(w),
    };
}

static inline struct index_digits index_digits(const u8 *p)
{
    __m512i w = load(p);
    return (struct index_digits){
        .digit = within(w, '0', 10),
        .zero = equals(w, '0'),
        .minus = equals(w, '-'),
        .dot = equals(w, '.'),
    };
}

static inline struct index_powers index_powers(const u8 *p)
{
    __m512i w = load(p);
    return (struct index_powers){.plus = equals(w, '+'), .exponent = equals(folded(w), 'e')};
}

static inline u64 index_parity(u64 x)
{
    __m128i product = _mm_clmulepi64_si128(_mm_set_epi64x(0, (i64)x), _mm_set1_epi8((char)0xFF), 0);
    return (u64)_mm_cvtsi128_si64(product);
}

static inline i64 index_count(u64 x)
{
    return __builtin_popcountll(x);
}

bool index_build_avx512(struct index *x, str text, enum index_mode mode)
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
typedef int index_avx512_is_for_x86_64;
#endif
