/* The authentication code is a chain of keyed digests over fixed-length members (SipHash,
 * id_derive): each digest is the key of the next. The first key is derived from a number that is
 * not an id, since values derived from ids are public: they are the message ids. */
#include "queued/receipt.h"

#include <endian.h>

#include "common/base/err.h"
#include "common/base/hash.h"
#include "common/base/id.h"

#define VERSION   1
#define CODE_SIZE 10
#define RAW_SIZE  39
#define NO_ID     UINT64_MAX

static_assert(RAW_SIZE % 3 == 0, "no padding");
static_assert(RAW_SIZE / 3 * 4 + 1 == RECEIPT_SIZE, "as the header says");

static void receipt_code(const u8 *secret, const struct receipt *h, u8 ret[16])
{
    const u64 links[] = {NO_ID, h->queue, h->message, h->delivery, (u64)h->received_ms};
    u8 key[16];
    memcpy(key, secret, sizeof key);
    for (size_t i = 0; i < ARRAY_LEN(links); i++) {
        id_derive(key, links[i], ret);
        memcpy(key, ret, sizeof key);
    }
}

static void encode64(const u8 *in, char *out)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < RAW_SIZE; i += 3) {
        u32 w = (u32)in[i] << 16 | (u32)in[i + 1] << 8 | in[i + 2];
        *out++ = letters[w >> 18];
        *out++ = letters[w >> 12 & 63];
        *out++ = letters[w >> 6 & 63];
        *out++ = letters[w & 63];
    }
    *out = '\0';
}

static size_t receipt_put(u8 *raw, size_t at, const void *p, size_t n)
{
    memcpy(raw + at, p, n);
    return at + n;
}

str receipt_issue(const u8 *secret, const struct receipt *h, char ret[RECEIPT_SIZE])
{
    u8 raw[RAW_SIZE] = {VERSION}, c[16];
    u64 queue = htole64(h->queue), message = htole64(h->message);
    u64 received = htole64((u64)h->received_ms);
    u32 delivery = htole32(h->delivery);
    size_t at = 1;
    receipt_code(secret, h, c);
    at = receipt_put(raw, at, &queue, 8);
    at = receipt_put(raw, at, &message, 8);
    at = receipt_put(raw, at, &delivery, 4);
    at = receipt_put(raw, at, &received, 8);
    at = receipt_put(raw, at, c, CODE_SIZE);
    assert(at == RAW_SIZE);
    encode64(raw, ret);
    return (str){ret, RECEIPT_SIZE - 1};
}

static int letter64(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static int decode64(str text, u8 raw[RAW_SIZE])
{
    if (text.n != RECEIPT_SIZE - 1)
        return E_INVALID;
    for (size_t i = 0, o = 0; i < text.n; i += 4, o += 3) {
        int a = letter64(text.p[i]), b = letter64(text.p[i + 1]), c = letter64(text.p[i + 2]),
            d = letter64(text.p[i + 3]);
        if ((a | b | c | d) < 0)
            return E_INVALID;
        u32 w = (u32)a << 18 | (u32)b << 12 | (u32)c << 6 | (u32)d;
        raw[o] = (u8)(w >> 16);
        raw[o + 1] = (u8)(w >> 8);
        raw[o + 2] = (u8)w;
    }
    return 0;
}

int receipt_read(const u8 *secret, str text, struct receipt *ret)
{
    u8 raw[RAW_SIZE], c[16];
    u64 queue, message, received;
    u32 delivery;
    if (decode64(text, raw) || raw[0] != VERSION)
        return E_INVALID;
    memcpy(&queue, raw + 1, 8);
    memcpy(&message, raw + 9, 8);
    memcpy(&delivery, raw + 17, 4);
    memcpy(&received, raw + 21, 8);
    struct receipt h = {.queue = le64toh(queue),
                        .message = le64toh(message),
                        .delivery = le32toh(delivery),
                        .received_ms = (i64)le64toh(received)};
    receipt_code(secret, &h, c);
    if (!hash_eq_secret(str_from(c, CODE_SIZE), str_from(raw + 29, CODE_SIZE)))
        return E_INVALID;
    *ret = h;
    return 0;
}
