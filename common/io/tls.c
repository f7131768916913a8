/* GnuTLS may accept data and then be unable to send it: it keeps the record and must be called
 * again before anything else is sent. Such a record counts as not sent here; `stuck` is its size.
 *
 * Credentials are reference-counted by the sessions that use them, so that new ones can replace
 * them. */
#include "common/io/tls.h"

#include <errno.h>
#include <gnutls/gnutls.h>

#include "common/base/mem.h"

#define PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct credentials {
    gnutls_certificate_credentials_t x509;
    u32 users;
};

struct tls_identity {
    char *certificate, *key;
    struct credentials *current;
    gnutls_priority_t priority;
    gnutls_datum_t tickets; /* key of session tickets */
};

struct tls {
    gnutls_session_t session;
    struct credentials *credentials;
    size_t stuck; /* bytes of a record that GnuTLS keeps */
};

/* --- what is shown ---------------------------------------------------------------------------- */

static void credentials_unref(struct credentials *c)
{
    if (!c || --c->users)
        return;
    gnutls_certificate_free_credentials(c->x509);
    mem_free(c);
}

static int credentials_load(struct tls_identity *id, struct credentials **ret, struct fault *f)
{
    struct credentials *c = mem_alloc(sizeof(*c));
    int err = gnutls_certificate_allocate_credentials(&c->x509);

    c->users = 1;
    if (err == 0)
        err = gnutls_certificate_set_x509_key_file(c->x509, id->certificate, id->key,
                                                   GNUTLS_X509_FMT_PEM);
    if (err >= 0) {
        *ret = c;
        return 0;
    }
    credentials_unref(c);
    return fault_set(f, TLS_FAULT, "TLS cannot be set up with certificate %s and key %s: %s",
                     id->certificate, id->key, gnutls_strerror(err));
}

int tls_identity_reload(struct tls_identity *id, struct fault *f)
{
    struct credentials *fresh;
    int err = credentials_load(id, &fresh, f);

    if (err)
        return err;
    credentials_unref(id->current);
    id->current = fresh;
    return 0;
}

int tls_identity_open(struct tls_identity **ret, const char *certificate, const char *key,
                      struct fault *f)
{
    struct tls_identity *id = mem_alloc(sizeof(*id));
    int err;

    id->certificate = mem_dup(str_of(certificate));
    id->key = mem_dup(str_of(key));
    err = credentials_load(id, &id->current, f);
    if (!err && (gnutls_priority_init(&id->priority, PRIORITY, NULL) < 0 ||
                 gnutls_session_ticket_key_generate(&id->tickets) < 0))
        err = fault_set(f, TLS_FAULT, "TLS cannot be set up: its library refuses");
    if (err) {
        tls_identity_close(id);
        return err;
    }
    *ret = id;
    return 0;
}

void tls_identity_close(struct tls_identity *id)
{
    if (!id)
        return;
    credentials_unref(id->current);
    if (id->priority)
        gnutls_priority_deinit(id->priority);
    if (id->tickets.data) {
        gnutls_memset(id->tickets.data, 0, id->tickets.size);
        gnutls_free(id->tickets.data);
    }
    mem_free(id->certificate);
    mem_free(id->key);
    mem_free(id);
}

/* --- sessions --------------------------------------------------------------------------------- */

struct tls *tls_open(struct tls_identity *id, int fd)
{
    static const gnutls_datum_t http = {(unsigned char *)(uintptr_t) "http/1.1", 8};
    struct tls *t = mem_alloc(sizeof(*t));

    t->credentials = id->current;
    t->credentials->users++;
    if (gnutls_init(&t->session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) < 0) {
        t->session = NULL;
        tls_close(t);
        return NULL;
    }
    gnutls_priority_set(t->session, id->priority);
    gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, t->credentials->x509);
    gnutls_session_ticket_enable_server(t->session, &id->tickets);
    gnutls_alpn_set_protocols(t->session, &http, 1, 0);
    gnutls_handshake_set_timeout(t->session, GNUTLS_INDEFINITE_TIMEOUT); /* its owner has a
                                                                          * deadline */
    gnutls_transport_set_int(t->session, fd);
    return t;
}

void tls_close(struct tls *t)
{
    if (!t)
        return;
    if (t->session)
        gnutls_deinit(t->session);
    credentials_unref(t->credentials);
    mem_free(t);
}

int tls_handshake(struct tls *t)
{
    int err;

    do
        err = gnutls_handshake(t->session);
    while (err == GNUTLS_E_INTERRUPTED ||
           (err < 0 && err != GNUTLS_E_AGAIN && !gnutls_error_is_fatal(err)));
    return err == 0 ? 0 : err == GNUTLS_E_AGAIN ? E_AGAIN : E_IO;
}

bool tls_wants_write(const struct tls *t)
{
    return gnutls_record_get_direction(t->session) == 1;
}

/* What recv or send would return. */
static ssize_t as_errno(ssize_t n)
{
    if (n >= 0)
        return n;
    errno = n == GNUTLS_E_AGAIN ? EAGAIN : n == GNUTLS_E_INTERRUPTED ? EINTR : ECONNRESET;
    return -1;
}

ssize_t tls_recv(struct tls *t, void *to, size_t n)
{
    ssize_t got = gnutls_record_recv(t->session, to, n);

    /* A client that closes its socket without close_notify has left as well; a TLS 1.2
     * renegotiation is refused. */
    if (got == GNUTLS_E_PREMATURE_TERMINATION)
        return 0;
    if (got == GNUTLS_E_REHANDSHAKE)
        got = GNUTLS_E_AGAIN;
    return as_errno(got);
}

ssize_t tls_send(struct tls *t, const void *from, size_t n)
{
    size_t sent = 0;

    while (sent < n) {
        size_t piece = t->stuck ? t->stuck : n - sent;
        ssize_t r = t->stuck ? gnutls_record_send(t->session, NULL, 0)
                             : gnutls_record_send(t->session, (const char *)from + sent, piece);

        if (r == GNUTLS_E_INTERRUPTED)
            continue;
        if (r == GNUTLS_E_AGAIN) {
            if (!t->stuck)
                t->stuck = MIN(piece, gnutls_record_get_max_size(t->session));
            break;
        }
        if (r < 0)
            return as_errno(r);
        t->stuck = 0;
        sent += (size_t)r;
    }
    if (sent)
        return (ssize_t)sent;
    errno = EAGAIN;
    return n ? -1 : 0;
}

bool tls_has_more(const struct tls *t)
{
    return gnutls_record_check_pending(t->session) > 0;
}

void tls_finish(struct tls *t)
{
    gnutls_bye(t->session, GNUTLS_SHUT_WR); /* does not wait for the peer's close_notify */
}
