/* Randomness: xoshiro256** (Blackman and Vigna, public domain algorithm), with its state filled by
 * the kernel, or by splitmix64 from a given seed; and SipHash-2-4 (Aumasson and Bernstein) with a
 * 128-bit result for ids that are derived from numbers. */
#include "common/base/id.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "common/base/ascii.h"
#include "common/base/err.h"

static void kernel_bytes(void *ret, size_t n)
{
    u8 *p = ret;

    while (n) {
        ssize_t got = getrandom(p, n, 0);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            /* Guessable ids are worse than no service. */
            fprintf(stderr, "the kernel gives no random bytes, stopping\n");
            abort();
        }
        p += got;
        n -= (size_t)got;
    }
}

static u64 rotl(u64 v, int by)
{
    return v << by | v >> (64 - by);
}

static u64 splitmix(u64 *state)
{
    u64 z = (*state += 0x9E3779B97F4A7C15u);

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

void id_init(struct id_source *s, u64 seed)
{
    s->seeded = seed != 0;
    if (!s->seeded) {
        kernel_bytes(s->state, sizeof(s->state));
        s->state[0] |= 1; /* all zeroes is the one state that never changes */
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(s->state); i++)
        s->state[i] = splitmix(&seed);
}

u64 id_u64(struct id_source *s)
{
    u64 *t = s->state;
    u64 result = rotl(t[1] * 5, 7) * 9;
    u64 shifted = t[1] << 17;

    t[2] ^= t[0];
    t[3] ^= t[1];
    t[1] ^= t[2];
    t[0] ^= t[3];
    t[2] ^= shifted;
    t[3] = rotl(t[3], 45);
    return result;
}

void id_secret(struct id_source *s, void *ret, size_t n)
{
    if (!s->seeded) {
        kernel_bytes(ret, n);
        return;
    }
    u8 *p = ret;
    for (size_t i = 0; i < n; i += 8) {
        u64 v = id_u64(s);
        memcpy(p + i, &v, MIN(n - i, sizeof(v)));
    }
}

char *id_uuid(struct id_source *s, char ret[ID_UUID_SIZE])
{
    u64 v[2] = {id_u64(s), id_u64(s)};
    u8 bytes[16];

    memcpy(bytes, v, sizeof(bytes));
    return id_uuid_of(bytes, ret);
}

/* Whether a UUID's text has a hyphen before byte i. */
static bool hyphen_before(size_t i)
{
    return i == 4 || i == 6 || i == 8 || i == 10;
}

char *id_uuid_of(const u8 bytes[16], char ret[ID_UUID_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    char *p = ret;

    for (size_t i = 0; i < 16; i++) {
        u8 b = bytes[i];
        if (i == 6)
            b = (u8)((b & 0x0F) | 0x40);
        else if (i == 8)
            b = (u8)((b & 0x3F) | 0x80);
        if (hyphen_before(i))
            *p++ = '-';
        *p++ = digits[b >> 4];
        *p++ = digits[b & 15];
    }
    *p = '\0';
    return ret;
}

int id_uuid_read(str text, u8 ret[16])
{
    u8 bytes[16];

    if (text.n != ID_UUID_SIZE - 1)
        return E_INVALID;
    const char *p = text.p;
    for (size_t i = 0; i < 16; i++) {
        if (hyphen_before(i) && *p++ != '-')
            return E_INVALID;
        int high = ascii_hex_value(p[0]), low = ascii_hex_value(p[1]);
        if (high < 0 || low < 0)
            return E_INVALID;
        bytes[i] = (u8)(high << 4 | low);
        p += 2;
    }
    memcpy(ret, bytes, sizeof(bytes));
    return 0;
}

static void sip_rounds(u64 v[4], int rounds)
{
    for (int i = 0; i < rounds; i++) {
        v[0] += v[1];
        v[1] = rotl(v[1], 13) ^ v[0];
        v[0] = rotl(v[0], 32);
        v[2] += v[3];
        v[3] = rotl(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotl(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotl(v[1], 17) ^ v[2];
        v[2] = rotl(v[2], 32);
    }
}

static u64 read_le(const u8 *p)
{
    u64 v = 0;

    for (int i = 7; i >= 0; i--)
        v = v << 8 | p[i];
    return v;
}

static void write_le(u64 v, u8 *p)
{
    for (int i = 0; i < 8; i++, v >>= 8)
        p[i] = (u8)v;
}

void id_derive(const u8 key[16], u64 number, u8 ret[16])
{
    u64 k0 = read_le(key), k1 = read_le(key + 8);
    u64 v[4] = {k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du ^ 0xee, k0 ^ 0x6c7967656e657261u,
                k1 ^ 0x7465646279746573u};
    const u64 words[2] = {number, (u64)8 << 56}; /* the eight bytes, and the length's own word */

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        v[3] ^= words[i];
        sip_rounds(v, 2);
        v[0] ^= words[i];
    }
    v[2] ^= 0xee;
    sip_rounds(v, 4);
    write_le(v[0] ^ v[1] ^ v[2] ^ v[3], ret);
    v[1] ^= 0xdd;
    sip_rounds(v, 4);
    write_le(v[0] ^ v[1] ^ v[2] ^ v[3], ret + 8);
}
