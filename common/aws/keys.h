/* Access keys: who may sign calls, and for which account and user. With a file of keys both
 * services verify signatures; without one any secret works.
 *
 *   {"keys": [{
 *       "access_key_id": "AKIAIOSFODNN7EXAMPLE",
 *       "secret_access_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
 *       "account": "123456789012",
 *       "user": "publisher",                    without it: the account's root
 *       "policy": {"Statement": […]},           without it: everything
 *       "services": ["sqs"],                    without it: all
 *       "session_token": "…",                   calls must carry it; without it: must carry none
 *       "expires": "2026-12-31T00:00:00Z"}]}    without it: never
 *
 * Members whose name begins with "//" are comments. The file must belong to the daemon's user or to
 * root, and must not be accessible to others. */
#ifndef TOQUE_KEYS_H
#define TOQUE_KEYS_H

#include "common/aws/access_policy.h"
#include "common/base/err.h"

#define KEYS_MAX           10000
#define KEYS_FILE_SIZE_MAX (16 * 1024 * 1024)
#define KEYS_ID_MAX        128 /* bytes of an access key id; AWS's own bound */
#define KEYS_SECRET_MAX    256
#define KEYS_TOKEN_MAX     4096
#define KEYS_USER_MAX      64 /* characters of a user's name; AWS's own bound */
#define KEYS_SERVICES_MAX  8

struct key {
    str id, secret;
    str account; /* twelve digits */
    str user;    /* "": the root */
    str session_token;
    i64 expires_ms;
    struct access_policy *policy; /* NULL: allows everything */
    str services[KEYS_SERVICES_MAX];
    u32 service_count; /* 0: all */
};

struct keys;

/* Reads the file. E_FAULT: it cannot be read, is accessible to others, or is invalid; f->text is
 * the whole line, with the file and the place; its code is of secret_file.h or json.h. */
int keys_open(struct keys **ret, const char *path, struct fault *f) MUST_CHECK;
/* NULL accepted. */
void keys_free(struct keys *k);
/* Reads the same file again. On E_FAULT the keys stay as they are. Keys found before are gone. */
int keys_reload(struct keys *k, struct fault *f) MUST_CHECK;
size_t keys_count(const struct keys *k);
/* NULL: unknown id. Valid until the next reload. */
const struct key *keys_find(const struct keys *k, str id);
/* Whether the key may call the service of that signing name. */
bool key_serves(const struct key *key, const char *service);

/* --- what signatures are made with ------------------------------------------------------------ */

#define KEYS_SIGNING_SIZE 32
/* Cached derived keys: one for each day, region and service in which a key is used. */
#define KEYS_SIGNING_MAX 256

/* The signing key for a credential scope: from the cache (true), or derived by four HMACs. */
bool keys_signing_key(const struct keys *k, const struct key *key, str date, str region,
                      str service, u8 ret[KEYS_SIGNING_SIZE]);
/* Caches it, replacing another if necessary. Call it only after a valid signature, so that nobody
 * without the secret can displace cached keys. */
void keys_keep_signing_key(struct keys *k, const struct key *key, str date, str region, str service,
                           const u8 signing[KEYS_SIGNING_SIZE]);

#endif
