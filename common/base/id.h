/* The only source of randomness: request ids, message ids, secrets. It can be seeded, so that a run
 * can be repeated; otherwise the kernel seeds it. */
#ifndef TOQUE_ID_H
#define TOQUE_ID_H

#include "common/base/str.h"

struct id_source {
    u64 state[4];
    bool seeded; /* by number, not by the kernel */
};

/* seed 0: from the kernel. */
void id_init(struct id_source *s, u64 seed);
u64 id_u64(struct id_source *s);
/* Unpredictable bytes: always from the kernel unless the source was seeded by number. */
void id_secret(struct id_source *s, void *ret, size_t n);

#define ID_UUID_SIZE 37
/* A version 4 UUID in lower case, with its NUL. */
char *id_uuid(struct id_source *s, char ret[ID_UUID_SIZE]);
/* 16 bytes as the text of a version 4 UUID; sets the version and variant bits. */
char *id_uuid_of(const u8 bytes[16], char ret[ID_UUID_SIZE]);
/* The 16 bytes of a UUID text; E_INVALID when it is none. */
int id_uuid_read(str text, u8 ret[16]);

/* 128 bits of SipHash-2-4 under a 16-byte key: turns a number into an id that looks random and can
 * be computed again. */
void id_derive(const u8 key[16], u64 number, u8 ret[16]);

#endif
