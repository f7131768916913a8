/* The index by AVX-512. Instead of comparisons, a table gives the classes of each of 64 bytes, one
 * bit per class; transposing these bits gives one bitmap per class. */
#if defined(__x86_64__)
#include "filter/match/index.h"

#if defined(__clang__)
#pragma clang attribute push(                                                                      \
    __attribute__((target(                                                                         \
        "avx512f,avx512bw,avx512vbmi,avx512vpopcntdq,gfni,vpclmulqdq,bmi,bmi2,lzcnt,popcnt"))),    \
    apply_to = function)
#else
#pragma GCC target(                                                                                \
    "avx512f,avx512bw,avx512vbmi,avx512vpopcntdq,gfni,vpclmulqdq,bmi,bmi2,lzcnt,popcnt")
#endif
#include <immintrin.h>

#define LANES 8
typedef u64 lanes __attribute__((vector_size(64)));

static inline bool lanes_any(lanes x)
{
    return _mm512_test_epi64_mask((__m512i)x, (__m512i)x) != 0;
}

static inline u64 lanes_tops(lanes x)
{
    return _mm512_cmplt_epi64_mask((__m512i)x, _mm512_setzero_si512());
}

static inline lanes lanes_spread(u64 bits)
{
    return (lanes)_mm512_maskz_set1_epi64((__mmask8)bits, -1);
}

static inline lanes lanes_up(lanes x, lanes before)
{
    return (lanes)_mm512_alignr_epi64((__m512i)x, (__m512i)before, 7);
}

/* Lanes that overflow carry into the next, and through lanes that are all ones. */
static inline lanes lanes_add(lanes x, lanes y, u64 *carry)
{
    lanes sum = x + y;
    u64 over = _mm512_cmplt_epu64_mask((__m512i)sum, (__m512i)x);
    u64 full = _mm512_cmpeq_epi64_mask((__m512i)sum, _mm512_set1_epi64(-1));
    u64 in = ((over << 1 | *carry) + full) ^ full;

    *carry = in >> LANES & 1;
    return sum - lanes_spread(in);
}

/* Parity within a lane is a carry-less product; the parity of a whole lane is that of its
 * population count. */
static inline lanes lanes_parity(lanes x, u64 *odd)
{
    const __m512i ones = _mm512_set1_epi64(-1), one = _mm512_set1_epi64(1);

    *odd = _mm512_test_epi64_mask(_mm512_popcnt_epi64((__m512i)x), one);
    return (lanes)_mm512_unpacklo_epi64(_mm512_clmulepi64_epi128((__m512i)x, ones, 0x00),
                                        _mm512_clmulepi64_epi128((__m512i)x, ones, 0x01));
}

struct bytes {
    __m512i block[LANES];
};

#include "filter/match/index_core.h"

/* One bit for each map of struct group, in their order. */
enum { QUOTE = 1, SLASH = 2, OPEN = 4, CLOSE = 8, CURLY = 16, COMMA = 32, COLON = 64, BLANK = 128 };
enum {
    CONTROL = 1,
    HIGH = 2,
    DIGIT = 4,
    ZERO = 8,
    MINUS = 16,
    DOT = 32,
    PLUS = 64,
    EXPONENT = 128
};

static const u8 MARKS[128] = {
    ['"'] = QUOTE,         ['\\'] = SLASH, ['{'] = OPEN | CURLY, ['['] = OPEN,
    ['}'] = CLOSE | CURLY, [']'] = CLOSE,  [','] = COMMA,        [':'] = COLON,
    [' '] = BLANK,         ['\t'] = BLANK, ['\n'] = BLANK,       ['\r'] = BLANK,
};
#define EIGHT(x) x, x, x, x, x, x, x, x
static const u8 MASKS[128] = {
    EIGHT(CONTROL),       EIGHT(CONTROL),   EIGHT(CONTROL),   EIGHT(CONTROL),
    ['0'] = DIGIT | ZERO, ['1'] = DIGIT,    ['2'] = DIGIT,    ['3'] = DIGIT,
    ['4'] = DIGIT,        ['5'] = DIGIT,    ['6'] = DIGIT,    ['7'] = DIGIT,
    ['8'] = DIGIT,        ['9'] = DIGIT,    ['-'] = MINUS,    ['.'] = DOT,
    ['+'] = PLUS,         ['e'] = EXPONENT, ['E'] = EXPONENT, [127] = HIGH, /* and all beyond */
};

struct table {
    __m512i low, high;
};

CORE struct table table_of(const u8 *classes)
{
    return (struct table){_mm512_loadu_si512(classes), _mm512_loadu_si512(classes + 64)};
}

/* The bits of the block that lie before the end. */
CORE __mmask64 before_end(u64 at, u64 size)
{
    return at >= size ? 0 : size - at >= 64 ? ~0ull : _bzhi_u64(~0ull, (u32)(size - at));
}

/* Prefetch distance in bytes: groups are too far apart for the hardware prefetcher. */
enum { AHEAD = 1024 };

/* Prepares bytes for classification: each eight bytes reversed, and bytes beyond the tables mapped
 * to their last entry. */
CORE __m512i prepared(__m512i w)
{
    const __m512i backwards = _mm512_set4_epi32(0x08090A0B, 0x0C0D0E0F, 0x00010203, 0x04050607);

    return _mm512_shuffle_epi8(_mm512_min_epu8(w, _mm512_set1_epi8(127)), backwards);
}

CORE void index_bytes(struct bytes *b, const u8 *text, u64 size, u64 base)
{
#pragma GCC unroll 8
    for (u32 i = 0; i < LANES; i++)
        __builtin_prefetch(text + base + AHEAD + (u64)i * 64);
    if (base + sizeof(*b) <= size) {
#pragma GCC unroll 8
        for (u32 i = 0; i < LANES; i++)
            b->block[i] = prepared(_mm512_loadu_si512(text + base + (u64)i * 64));
    } else {
#pragma GCC unroll 8
        for (u32 i = 0; i < LANES; i++)
            b->block[i] = prepared(_mm512_mask_loadu_epi8(_mm512_set1_epi8(' '),
                                                          before_end(base + (u64)i * 64, size),
                                                          text + base + (u64)i * 64));
    }
}

/* The maps of one block, class i in lane i. Each eight bytes are a bit matrix, one row per byte;
 * transposed, each byte holds the eight bits of one class, and those of one class are gathered. */
CORE __m512i maps(__m512i w, struct table t)
{
    const __m512i rows = _mm512_set1_epi64((i64)0x8040201008040201ull);
    const __m512i together = _mm512_set_epi64(
        0x3F372F271F170F07, 0x3E362E261E160E06, 0x3D352D251D150D05, 0x3C342C241C140C04,
        0x3B332B231B130B03, 0x3A322A221A120A02, 0x3931292119110901, 0x3830282018100800);
    __m512i classes = _mm512_permutex2var_epi8(t.low, w, t.high);

    return _mm512_permutexvar_epi8(together, _mm512_gf2p8affine_epi64_epi8(rows, classes, 0));
}

/* Transposes from one lane per class to one lane per block. */
CORE void turn(__m512i r[8], union set *to)
{
    __m512i pairs[8], quads[8];

#pragma GCC unroll 4
    for (u32 i = 0; i < 4; i++) {
        pairs[i] = _mm512_unpacklo_epi64(r[2 * i], r[2 * i + 1]);
        pairs[4 + i] = _mm512_unpackhi_epi64(r[2 * i], r[2 * i + 1]);
    }
#pragma GCC unroll 2
    for (u32 odd = 0; odd < 2; odd++) {
        const __m512i *p = pairs + 4 * (size_t)odd;
        quads[0] = _mm512_shuffle_i64x2(p[0], p[1], 0x88);
        quads[1] = _mm512_shuffle_i64x2(p[0], p[1], 0xDD);
        quads[2] = _mm512_shuffle_i64x2(p[2], p[3], 0x88);
        quads[3] = _mm512_shuffle_i64x2(p[2], p[3], 0xDD);
        to[odd].all = (lanes)_mm512_shuffle_i64x2(quads[0], quads[2], 0x88);
        to[odd + 4].all = (lanes)_mm512_shuffle_i64x2(quads[0], quads[2], 0xDD);
        to[odd + 2].all = (lanes)_mm512_shuffle_i64x2(quads[1], quads[3], 0x88);
        to[odd + 6].all = (lanes)_mm512_shuffle_i64x2(quads[1], quads[3], 0xDD);
    }
}

/* Eight maps of the group. */
CORE void classify(const struct bytes *b, const u8 *classes, union set *to)
{
    struct table t = table_of(classes);
    __m512i r[LANES];

#pragma GCC unroll 8
    for (u32 i = 0; i < LANES; i++)
        r[i] = maps(b->block[i], t);
    turn(r, to);
}

CORE void index_marks(const struct bytes *b, struct group *g)
{
    classify(b, MARKS, g->marks);
}

CORE void index_masks(const struct bytes *b, struct group *g)
{
    classify(b, MASKS, g->masks);
}

/* Computed together with the others. */
CORE void index_digits(const struct bytes *b, struct group *g)
{
}

CORE void index_powers(const struct bytes *b, struct group *g)
{
}

/* Prefix sums over the lanes, in three steps. */
CORE u32 index_depths(lanes open, lanes close, u32 depth, i32 *least)
{
    const __m512i none = _mm512_setzero_si512();
    __m512i opened = _mm512_popcnt_epi64((__m512i)open);
    __m512i sum = _mm512_sub_epi64(opened, _mm512_popcnt_epi64((__m512i)close));

    sum = _mm512_add_epi64(sum, _mm512_alignr_epi64(sum, none, 7));
    sum = _mm512_add_epi64(sum, _mm512_alignr_epi64(sum, none, 6));
    sum = _mm512_add_epi64(sum, _mm512_alignr_epi64(sum, none, 4));
    sum = _mm512_add_epi64(sum, _mm512_set1_epi64((i64)depth));
    _mm256_storeu_si256((__m256i *)(void *)least,
                        _mm512_cvtepi64_epi32(_mm512_sub_epi64(sum, opened)));
    return (u32)_mm_extract_epi32(_mm512_extracti32x4_epi32(sum, 3), 2);
}

CORE u64 index_pick(u64 x, u64 mask)
{
    return _pext_u64(x, mask);
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
