/* IP addresses as policies and messages spell them. */
#ifndef TOQUE_ADDRESS_H
#define TOQUE_ADDRESS_H

#include "common/base/buf.h"

struct sockaddr;

struct address {
    u8 family;    /* 4 or 6; 0: none */
    u8 bytes[16]; /* network order; 4 of them for IPv4, the others 0 */
};

/* The longest text that address_read accepts. */
#define ADDRESS_TEXT_MAX 45

/* Whole text: dotted quad in decimal (leading zeros allowed) or any spelling of IPv6, also with a
 * dotted tail; no zone, no brackets. False otherwise. */
bool address_read(str text, struct address *ret);
/* Whether the text is an address or has the shape of one (four numbers between dots, or nothing but
 * hex digits and colons with at least one colon): the service distinguishes the two kinds of
 * failure.
 * */
bool address_is_shaped(str text);

/* Address bits of the family: 32 or 128. */
static inline u32 address_bits(const struct address *a)
{
    return a->family == 4 ? 32 : 128;
}
/* Bytes of the address: 4, 16, or 0 if there is none. */
static inline u32 address_size(const struct address *a)
{
    return a->family == 4 ? 4 : a->family == 6 ? 16 : 0;
}
bool address_eq(const struct address *a, const struct address *b);
/* Clears all but the first `bits` bits. */
void address_mask(struct address *a, u32 bits);
/* A socket address; an IPv4-mapped IPv6 address becomes the IPv4 one. Family 0 for NULL and for
 * sockets that have no address. */
struct address address_of_socket(const struct sockaddr *sa);
/* From as many bytes as address_size says, in network order. False for any other number of bytes.
 * */
bool address_of_bytes(str bytes, struct address *ret);
bool address_is_loopback(const struct address *a);
/* Appends its text; nothing for family 0. */
void address_write(struct buf *out, const struct address *a);
/* Whether `a` is of net's family and shares its first `bits` bits. */
bool address_in(const struct address *a, const struct address *net, u32 bits);

#endif
