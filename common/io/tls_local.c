/* Files: ca.pem and ca-key.pem are kept once created; server.pem and server-key.pem are rewritten
 * at every start. Keys are readable by their owner only. */
#include "common/io/tls_local.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/address.h"
#include "common/base/mem.h"
#include "common/io/tls.h"

#define DAY_S            (INT64_C(24) * 3600)
#define AUTHORITY_DAYS   3650
#define CERTIFICATE_DAYS 397 /* longer ones are refused by some clients */
#define SERIAL_SIZE      16

static const char *const own_names[] = {"localhost", "127.0.0.1", "::1", "host.docker.internal"};

struct pair {
    gnutls_x509_crt_t certificate;
    gnutls_x509_privkey_t key;
};

static void pair_deinit(struct pair *p)
{
    if (p->certificate)
        gnutls_x509_crt_deinit(p->certificate);
    if (p->key)
        gnutls_x509_privkey_deinit(p->key);
    *p = (struct pair){0};
}

/* --- files ------------------------------------------------------------------------------------ */

static int file_write(const char *path, mode_t mode, const gnutls_datum_t *data, struct fault *f)
{
    char *fresh = mem_printf("%s.new", path);
    int fd, err = 0;

    unlink(fresh);
    fd = open(fresh, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0 || write(fd, data->data, data->size) != (ssize_t)data->size || fsync(fd) != 0 ||
        rename(fresh, path) != 0)
        err = fault_set(f, TLS_FAULT, "%s cannot be written: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    mem_free(fresh);
    return err;
}

static int pair_write(const struct pair *p, const struct pair *above, const char *certificate,
                      const char *key, struct fault *f)
{
    gnutls_datum_t text = {0}, more = {0}, key_text = {0};
    struct buf chain = {0};
    int err = 0;

    if (gnutls_x509_crt_export2(p->certificate, GNUTLS_X509_FMT_PEM, &text) < 0 ||
        (above && gnutls_x509_crt_export2(above->certificate, GNUTLS_X509_FMT_PEM, &more) < 0) ||
        gnutls_x509_privkey_export2_pkcs8(p->key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
                                          &key_text) < 0)
        err = fault_set(f, TLS_FAULT, "%s cannot be made", certificate);
    if (!err) {
        buf_add(&chain, text.data, text.size);
        if (more.size)
            buf_add(&chain, more.data, more.size);
        gnutls_datum_t all = {(unsigned char *)chain.p, (unsigned)chain.n};

        /* The key first: a certificate without its key is useless. */
        err = file_write(key, 0600, &key_text, f);
        if (!err)
            err = file_write(certificate, 0644, &all, f);
    }
    if (key_text.data)
        gnutls_memset(key_text.data, 0, key_text.size);
    gnutls_free(text.data);
    gnutls_free(more.data);
    gnutls_free(key_text.data);
    buf_deinit(&chain);
    return err;
}

/* E_NOT_FOUND when there is none. */
static int pair_read(struct pair *p, const char *certificate, const char *key, struct fault *f)
{
    gnutls_datum_t text = {0}, key_text = {0};
    int err = 0;

    if (access(certificate, F_OK) != 0 && errno == ENOENT)
        return E_NOT_FOUND;
    if (gnutls_load_file(certificate, &text) < 0 || gnutls_load_file(key, &key_text) < 0 ||
        gnutls_x509_crt_init(&p->certificate) < 0 || gnutls_x509_privkey_init(&p->key) < 0 ||
        gnutls_x509_crt_import(p->certificate, &text, GNUTLS_X509_FMT_PEM) < 0 ||
        gnutls_x509_privkey_import2(p->key, &key_text, GNUTLS_X509_FMT_PEM, NULL, 0) < 0)
        err =
            fault_set(f, TLS_FAULT,
                      "%s and %s are not a certificate and its key: remove both to create new ones",
                      certificate, key);
    if (key_text.data)
        gnutls_memset(key_text.data, 0, key_text.size);
    gnutls_free(text.data);
    gnutls_free(key_text.data);
    return err;
}

/* A key, and a certificate with everything that both kinds have in common. */

/* A key, and a certificate with all that both kinds have. */
static int pair_begin(struct pair *p, const char *name, i64 now_s, i64 days)
{
    u8 serial[SERIAL_SIZE];

    if (gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial)) < 0)
        return E_IO;
    serial[0] &= 0x7f; /* a positive number */
    if (gnutls_x509_privkey_init(&p->key) < 0 || gnutls_x509_crt_init(&p->certificate) < 0 ||
        gnutls_x509_privkey_generate(p->key, GNUTLS_PK_ECDSA,
                                     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) < 0 ||
        gnutls_x509_crt_set_version(p->certificate, 3) < 0 ||
        gnutls_x509_crt_set_serial(p->certificate, serial, sizeof(serial)) < 0 ||
        gnutls_x509_crt_set_activation_time(p->certificate, (time_t)(now_s - DAY_S)) < 0 ||
        gnutls_x509_crt_set_expiration_time(p->certificate, (time_t)(now_s + days * DAY_S)) < 0 ||
        gnutls_x509_crt_set_key(p->certificate, p->key) < 0 ||
        gnutls_x509_crt_set_dn_by_oid(p->certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                      (unsigned)strlen(name)) < 0)
        return E_IO;
    return 0;
}

static int set_key_id(gnutls_x509_crt_t of, gnutls_x509_crt_t certificate, bool authority)
{
    u8 id[64];
    size_t size = sizeof(id);

    if (gnutls_x509_crt_get_key_id(of, GNUTLS_KEYID_USE_SHA1, id, &size) < 0)
        return E_IO;
    return (authority ? gnutls_x509_crt_set_authority_key_id(certificate, id, size)
                      : gnutls_x509_crt_set_subject_key_id(certificate, id, size)) < 0
               ? E_IO
               : 0;
}

static int make_authority(struct pair *p, i64 now_s)
{
    if (pair_begin(p, "toque local authority", now_s, AUTHORITY_DAYS) ||
        gnutls_x509_crt_set_basic_constraints(p->certificate, 1, 0) < 0 ||
        gnutls_x509_crt_set_key_usage(p->certificate,
                                      GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN) < 0 ||
        set_key_id(p->certificate, p->certificate, false) ||
        gnutls_x509_crt_sign2(p->certificate, p->certificate, p->key, GNUTLS_DIG_SHA256, 0) < 0)
        return E_IO;
    return 0;
}

static int add_name(gnutls_x509_crt_t certificate, const char *name)
{
    struct address a;
    bool is_address = address_read(str_of(name), &a);
    const void *data = is_address ? (const void *)a.bytes : name;
    unsigned size = is_address ? address_size(&a) : (unsigned)strlen(name);

    return gnutls_x509_crt_set_subject_alt_name(
               certificate, is_address ? GNUTLS_SAN_IPADDRESS : GNUTLS_SAN_DNSNAME, data, size,
               GNUTLS_FSAN_APPEND) < 0
               ? E_IO
               : 0;
}

static int add_names(gnutls_x509_crt_t certificate, const char *const *names, u32 n)
{
    char host[256];
    int err = 0;

    for (size_t i = 0; i < ARRAY_LEN(own_names) && !err; i++)
        err = add_name(certificate, own_names[i]);
    if (!err && gethostname(host, sizeof(host) - 1) == 0) {
        host[sizeof(host) - 1] = '\0';
        err = add_name(certificate, host);
    }
    for (u32 i = 0; i < n && !err; i++)
        err = add_name(certificate, names[i]);
    return err;
}

static int make_certificate(struct pair *p, const struct pair *authority, const char *const *names,
                            u32 n, i64 now_s)
{
    if (pair_begin(p, "localhost", now_s, CERTIFICATE_DAYS) ||
        add_names(p->certificate, names, n) ||
        gnutls_x509_crt_set_basic_constraints(p->certificate, 0, -1) < 0 ||
        gnutls_x509_crt_set_key_usage(p->certificate, GNUTLS_KEY_DIGITAL_SIGNATURE) < 0 ||
        gnutls_x509_crt_set_key_purpose_oid(p->certificate, GNUTLS_KP_TLS_WWW_SERVER, 0) < 0 ||
        set_key_id(p->certificate, p->certificate, false) ||
        set_key_id(authority->certificate, p->certificate, true) ||
        gnutls_x509_crt_sign2(p->certificate, authority->certificate, authority->key,
                              GNUTLS_DIG_SHA256, 0) < 0)
        return E_IO;
    return 0;
}

/* --- the whole -------------------------------------------------------------------------------- */

static int authority_open(struct pair *p, const char *certificate, const char *key, i64 now_s,
                          struct fault *f)
{
    int err = pair_read(p, certificate, key, f);

    if (err != E_NOT_FOUND)
        return err;
    if (make_authority(p, now_s))
        return fault_set(f, TLS_FAULT, "%s cannot be made", certificate);
    return pair_write(p, NULL, certificate, key, f);
}

int tls_local_make(struct tls_local *ret, const char *dir, const char *const *names, u32 name_count,
                   i64 now_s, struct fault *f)
{
    struct pair authority = {0}, server = {0};
    char *key = mem_printf("%s/ca-key.pem", dir);
    int err = 0;

    *ret = (struct tls_local){mem_printf("%s/ca.pem", dir), mem_printf("%s/server.pem", dir),
                              mem_printf("%s/server-key.pem", dir)};
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        err = fault_set(f, TLS_FAULT, "directory %s cannot be created: %s", dir, strerror(errno));
    if (!err)
        err = authority_open(&authority, ret->authority, key, now_s, f);
    if (!err && make_certificate(&server, &authority, names, name_count, now_s))
        err = fault_set(f, TLS_FAULT, "%s cannot be made", ret->certificate);
    if (!err)
        err = pair_write(&server, &authority, ret->certificate, ret->key, f);
    pair_deinit(&authority);
    pair_deinit(&server);
    mem_free(key);
    if (err)
        tls_local_deinit(ret);
    return err;
}

void tls_local_deinit(struct tls_local *l)
{
    mem_free(l->authority);
    mem_free(l->certificate);
    mem_free(l->key);
    *l = (struct tls_local){0};
}
