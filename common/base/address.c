/* IP addresses parsed by hand: the C library's parsers accept spellings that the service does not
 * (octal parts, zones) and refuse some that it accepts (leading zeros). */
#include "common/base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "common/base/ascii.h"

#define IPV4_TEXT_MAX 15

static bool read_v4(str s, u8 out[4])
{
    if (s.n == 0 || s.n > IPV4_TEXT_MAX)
        return false;
    size_t at = 0;
    for (u32 part = 0; part < 4; part++) {
        if (part > 0 && (at >= s.n || s.p[at++] != '.'))
            return false;
        size_t start = at;
        u32 v = 0;
        for (; at < s.n && s.p[at] >= '0' && s.p[at] <= '9'; at++) {
            v = v * 10 + (u32)(s.p[at] - '0');
            if (v > 255)
                return false;
        }
        if (at == start)
            return false;
        out[part] = (u8)v;
    }
    return at == s.n;
}

/* One group of one to four hex digits at *at. */
static bool read_group(str s, size_t *at, u8 out[2])
{
    size_t start = *at;
    u32 v = 0;

    for (; *at < s.n && *at - start < 4 && ascii_hex_value(s.p[*at]) >= 0; ++*at)
        v = v * 16 + (u32)ascii_hex_value(s.p[*at]);
    out[0] = (u8)(v >> 8);
    out[1] = (u8)v;
    return *at > start;
}

/* Groups before and after "::" are read into one array; `gap` is where the zeros belong. */
static bool read_v6(str s, u8 out[16])
{
    u8 row[16];
    u32 n = 0;
    i64 gap = -1;
    size_t at = 0;

    if (s.n >= 2 && s.p[0] == ':' && s.p[1] == ':') {
        gap = 0;
        at = 2;
    }
    while (at < s.n) {
        str tail = str_slice(s, at, s.n);
        if (n <= 12 && str_find(tail, ':') < 0 && read_v4(tail, row + n)) {
            n += 4;
            at = s.n;
            break;
        }
        if (n == 16 || !read_group(s, &at, row + n))
            return false;
        n += 2;
        if (at == s.n)
            break;
        if (s.p[at++] != ':' || at == s.n)
            return false;
        if (s.p[at] == ':') {
            if (gap >= 0)
                return false;
            gap = n;
            at++;
        }
    }
    if (gap < 0 ? n != 16 : n > 14)
        return false;
    u32 head = gap < 0 ? 16 : (u32)gap;
    memset(out, 0, 16);
    memcpy(out, row, head);
    memcpy(out + 16 - (n - head), row + head, n - head);
    return true;
}

bool address_read(str text, struct address *ret)
{
    if (text.n < 2 || text.n > ADDRESS_TEXT_MAX)
        return false;
    /* Most strings are not addresses; the first byte nearly always shows that. */
    if (ascii_hex_value(text.p[0]) < 0 && text.p[0] != ':')
        return false;
    struct address a = {0};
    if (str_find(text, ':') >= 0) {
        a.family = 6;
        if (!read_v6(text, a.bytes))
            return false;
    } else {
        a.family = 4;
        if (!read_v4(text, a.bytes))
            return false;
    }
    *ret = a;
    return true;
}

static bool is_v4_shaped(str s)
{
    u32 dots = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '.') {
            if (i == 0 || s.p[i - 1] == '.')
                return false;
            dots++;
        } else if (s.p[i] < '0' || s.p[i] > '9') {
            return false;
        }
    }
    return dots == 3 && s.p[s.n - 1] != '.';
}

bool address_is_shaped(str text)
{
    struct address whole;

    if (address_read(text, &whole))
        return true;
    if (str_find(text, ':') < 0)
        return text.n > 0 && is_v4_shaped(text);
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != ':' && ascii_hex_value(text.p[i]) < 0)
            return false;
    }
    return true;
}

bool address_eq(const struct address *a, const struct address *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, 16) == 0;
}

void address_mask(struct address *a, u32 bits)
{
    for (u32 i = 0; i < 16; i++) {
        if (i * 8 >= bits)
            a->bytes[i] = 0;
        else if (i * 8 + 8 > bits)
            a->bytes[i] &= (u8)(0xff00 >> (bits - i * 8));
    }
}

bool address_in(const struct address *a, const struct address *net, u32 bits)
{
    if (a->family != net->family)
        return false;
    u32 whole = bits / 8, rest = bits % 8;
    if (memcmp(a->bytes, net->bytes, whole) != 0)
        return false;
    return rest == 0 || ((a->bytes[whole] ^ net->bytes[whole]) >> (8 - rest)) == 0;
}

struct address address_of_socket(const struct sockaddr *sa)
{
    static const u8 mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct address a = {.family = 0};

    if (sa && sa->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)sa;
        a.family = 4;
        memcpy(a.bytes, &in->sin_addr, 4);
    } else if (sa && sa->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)sa;
        const u8 *bytes = in->sin6_addr.s6_addr;
        bool is_mapped = memcmp(bytes, mapped, sizeof(mapped)) == 0;
        a.family = is_mapped ? 4 : 6;
        if (is_mapped)
            memcpy(a.bytes, bytes + sizeof(mapped), 4);
        else
            memcpy(a.bytes, bytes, 16);
    }
    return a;
}

bool address_of_bytes(str bytes, struct address *ret)
{
    if (bytes.n != 0 && bytes.n != 4 && bytes.n != 16)
        return false;
    *ret = (struct address){.family = bytes.n == 4 ? 4 : bytes.n == 16 ? 6 : 0};
    if (bytes.n)
        memcpy(ret->bytes, bytes.p, bytes.n);
    return true;
}

bool address_is_loopback(const struct address *a)
{
    static const u8 one[16] = {[15] = 1};

    if (a->family == 4)
        return a->bytes[0] == 127;
    return a->family == 6 && memcmp(a->bytes, one, sizeof(one)) == 0;
}

void address_write(struct buf *out, const struct address *a)
{
    char text[INET6_ADDRSTRLEN];

    if (a->family == 0)
        return;
    buf_z(out, inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->bytes, text, sizeof(text)));
}
