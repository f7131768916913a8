/* Digests and text forms of bytes. The only file that sees GnuTLS's digests. */
#ifndef TOQUE_HASH_H
#define TOQUE_HASH_H

#include "common/base/buf.h"
#include "common/base/str.h"

#define HASH_MD5_HEX    33
#define HASH_SHA256_HEX 65

/* Lower-case hex with its NUL. */
char *hash_md5_hex(str data, char ret[HASH_MD5_HEX]);
char *hash_sha256_hex(str data, char ret[HASH_SHA256_HEX]);
void hash_sha256(str data, u8 ret[32]);
void hash_hmac_sha256(str key, str data, u8 ret[32]);

void hash_hex(const u8 *bytes, size_t n, char *ret); /* 2n characters and a NUL */
/* Standard alphabet with padding. */
void hash_base64(struct buf *out, str bytes);
/* Length of the base64 text of n bytes. */
size_t hash_base64_size(size_t n);
/* Strict: standard alphabet, padded, without surrounding characters. E_INVALID otherwise. */
int hash_unbase64(str text, struct buf *out);
/* Whether both are equal, in time that depends on the lengths only. */
bool hash_eq_secret(str a, str b);

#endif
