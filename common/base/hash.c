/* Digests by GnuTLS, text forms by hand. A digest over memory can fail only if the library refuses
 * the algorithm altogether: that ends the program at the first call. */
#include "common/base/hash.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "common/base/err.h"

static void hash_digest(gnutls_digest_algorithm_t which, str data, u8 *ret)
{
    int err = gnutls_hash_fast(which, data.n ? data.p : "", data.n, ret);

    assert(err == 0);
    (void)err;
}

char *hash_md5_hex(str data, char ret[HASH_MD5_HEX])
{
    u8 raw[16];

    hash_digest(GNUTLS_DIG_MD5, data, raw);
    hash_hex(raw, sizeof(raw), ret);
    return ret;
}

char *hash_sha256_hex(str data, char ret[HASH_SHA256_HEX])
{
    u8 raw[32];

    hash_sha256(data, raw);
    hash_hex(raw, sizeof(raw), ret);
    return ret;
}

void hash_sha256(str data, u8 ret[32])
{
    hash_digest(GNUTLS_DIG_SHA256, data, ret);
}

void hash_hmac_sha256(str key, str data, u8 ret[32])
{
    int err = gnutls_hmac_fast(GNUTLS_MAC_SHA256, key.n ? key.p : "", key.n, data.n ? data.p : "",
                               data.n, ret);

    assert(err == 0);
    (void)err;
}

void hash_hex(const u8 *bytes, size_t n, char *ret)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        ret[2 * i] = digits[bytes[i] >> 4];
        ret[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret[2 * n] = '\0';
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t hash_base64_size(size_t n)
{
    return (n / 3 + (n % 3 != 0)) * 4;
}

void hash_base64(struct buf *out, str bytes)
{
    size_t size = hash_base64_size(bytes.n);
    char *to = buf_room(out, size);
    const u8 *p = (const u8 *)bytes.p;
    size_t n = bytes.n;

    for (; n >= 3; n -= 3, p += 3, to += 4) {
        u32 v = (u32)p[0] << 16 | (u32)p[1] << 8 | p[2];
        to[0] = alphabet[v >> 18];
        to[1] = alphabet[v >> 12 & 63];
        to[2] = alphabet[v >> 6 & 63];
        to[3] = alphabet[v & 63];
    }
    if (n) {
        u32 v = (u32)p[0] << 16 | (n == 2 ? (u32)p[1] << 8 : 0);
        to[0] = alphabet[v >> 18];
        to[1] = alphabet[v >> 12 & 63];
        to[2] = n == 2 ? alphabet[v >> 6 & 63] : '=';
        to[3] = '=';
    }
    out->n += size;
}

/* Value of a character, or 64 or more if it has none. */
static u32 base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (u32)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (u32)(c - 'a') + 26;
    if (c >= '0' && c <= '9')
        return (u32)(c - '0') + 52;
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

/* The last group, with its padding: 1 or 2 bytes; 0 when malformed. */
static size_t last_group(const char *p, u8 *to)
{
    u32 a = base64_value(p[0]), b = base64_value(p[1]);
    u32 c = p[2] == '=' ? 0 : base64_value(p[2]);
    /* Bits beyond the last byte must be zero, so that every value has exactly one text. */
    bool one = p[2] == '=';

    if ((a | b | c) > 63 || (one ? b & 15 : c & 3))
        return 0;
    to[0] = (u8)(a << 2 | b >> 4);
    if (one)
        return 1;
    to[1] = (u8)(b << 4 | c >> 2);
    return 2;
}

int hash_unbase64(str text, struct buf *out)
{
    if (text.n % 4)
        return E_INVALID;
    if (!text.n)
        return 0;
    bool padded = text.p[text.n - 1] == '=';
    size_t whole = text.n / 4 - padded;
    u8 *start = (u8 *)buf_room(out, text.n / 4 * 3), *to = start;
    const char *p = text.p;
    u32 bad = 0;
    for (size_t i = 0; i < whole; i++, p += 4, to += 3) {
        u32 a = base64_value(p[0]), b = base64_value(p[1]), c = base64_value(p[2]),
            d = base64_value(p[3]);
        u32 v = a << 18 | b << 12 | c << 6 | d;
        bad |= a | b | c | d;
        to[0] = (u8)(v >> 16);
        to[1] = (u8)(v >> 8);
        to[2] = (u8)v;
    }
    size_t tail = padded ? last_group(p, to) : 0;
    if (bad > 63 || (padded && !tail)) {
        *start = '\0';
        return E_INVALID;
    }
    out->n += (size_t)(to - start) + tail;
    out->p[out->n] = '\0';
    return 0;
}

bool hash_eq_secret(str a, str b)
{
    if (a.n != b.n)
        return false;
    u8 differ = 0;
    for (size_t i = 0; i < a.n; i++)
        differ |= (u8)(a.p[i] ^ b.p[i]);
    return differ == 0;
}
