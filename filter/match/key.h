/* Seeded 64-bit hashes of short byte strings. A key can be computed word by word, so that the keys
 * of all prefixes of a text cost one pass over it, and from the end, for suffixes. The seed is the
 * process's own, so collisions cannot be chosen from outside. */
#ifndef TOQUE_FILTER_KEY_H
#define TOQUE_FILTER_KEY_H

#include "common/base/str.h"

#define KEY_A 0xA0B428DB9C4F7E35ull
#define KEY_B 0xD6C1A5E37B92F40Dull

static inline u64 key_fold(u64 a, u64 b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (u64)product ^ (u64)(product >> 64);
}

static inline u64 key_word(const char *p)
{
    u64 w;

    memcpy(&w, p, 8);
    return w;
}

/* The n < 8 bytes at p as a number, the first one lowest. */
static inline u64 key_part(const char *p, size_t n)
{
    if (n >= 4) {
        u32 low, high;
        memcpy(&low, p, 4);
        memcpy(&high, p + n - 4, 4);
        return low | (u64)high << (8 * (n - 4));
    }
    if (n == 0)
        return 0;
    return (u64)(u8)p[0] | (u64)(u8)p[n / 2] << (8 * (n / 2)) | (u64)(u8)p[n - 1] << (8 * (n - 1));
}

/* Initial state of a key: the kind of thing that it names, and the path below which it is. */
static inline u64 key_start(u64 seed, u32 kind, u32 path)
{
    return key_fold(seed ^ ((u64)kind << 32 | path), KEY_A);
}

static inline u64 key_step(u64 h, u64 word)
{
    return key_fold(h ^ word, KEY_B);
}

/* h: after all whole words; part: the rest, n: length of the whole. */
static inline u32 key_end(u64 h, u64 part, size_t n)
{
    return (u32)(key_fold(h ^ part ^ KEY_B, KEY_A ^ n) >> 32);
}

static inline u32 key_of(u64 h, str s)
{
    size_t at = 0;

    for (; at + 8 <= s.n; at += 8)
        h = key_step(h, key_word(s.p + at));
    return key_end(h, key_part(s.p + at, s.n - at), s.n);
}

/* The same from the end: whole words are taken from the back. */
static inline u32 key_of_back(u64 h, str s)
{
    size_t left = s.n;

    for (; left >= 8; left -= 8)
        h = key_step(h, key_word(s.p + left - 8));
    return key_end(h, key_part(s.p, left), s.n);
}

/* One-to-one: equal keys mean equal numbers. */
static inline u32 key_of_id(u64 seed, u32 id)
{
    u32 h = id ^ (u32)seed;

    h *= 0x9E3779B1u;
    h ^= h >> 15;
    h = (h ^ (u32)(seed >> 32)) * 0x85EBCA77u;
    return h ^ h >> 13;
}

#endif
