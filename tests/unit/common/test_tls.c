/* TLS on the HTTP endpoint: the server's own authority, clients that trust it, certificates that
 * change under way, and clients that break the handshake. The clients are GnuTLS's. */
#include "http_rig.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <sys/stat.h>

#include "common/io/tls.h"
#include "common/io/tls_local.h"

static char dir[] = "/tmp/toque-tls-XXXXXX";
static struct tls_local files;
static struct tls_identity *identity;
static struct fault fault;

static void make_files(void)
{
    static const char *const names[] = {"queue.lan", "10.1.2.3"};
    char *path = mem_printf("%s/tls", dir);

    assert_int_equal(
        tls_local_make(&files, path, names, 2, clock_wall_ms(&the_clock) / 1000, &fault), 0);
    mem_free(path);
}

static int tls_set_up(void **state)
{
    server_open(&usual);
    make_files();
    assert_int_equal(tls_identity_open(&identity, files.certificate, files.key, &fault), 0);
    assert_int_equal(http_server_listen_tls(server, local, 1, 0, identity, &port, &fault), 0);
    return 0;
}

static int tls_tear_down(void **state)
{
    tear_down(state);
    tls_identity_close(identity);
    tls_local_deinit(&files);
    return 0;
}

/* --- a client --------------------------------------------------------------------------------- */

struct tls_client {
    struct client c; /* its socket */
    gnutls_session_t session;
    gnutls_certificate_credentials_t trust;
};

static int shake(struct tls_client *t)
{
    i64 end = clock_micros() + PATIENCE_US;
    int r;

    while ((r = gnutls_handshake(t->session)) < 0 && !gnutls_error_is_fatal(r)) {
        assert_true(clock_micros() < end);
        loop_turn(loop, 1);
    }
    return r;
}

/* The result of the handshake, which checks the certificate against `name`. */
static int tls_client_open(struct tls_client *t, const char *name, const char *priority)
{
    *t = (struct tls_client){0};
    client_open(&t->c);
    gnutls_init(&t->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK);
    gnutls_certificate_allocate_credentials(&t->trust);
    assert_int_equal(
        gnutls_certificate_set_x509_trust_file(t->trust, files.authority, GNUTLS_X509_FMT_PEM), 1);
    gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, t->trust);
    gnutls_priority_set_direct(t->session, priority, NULL);
    gnutls_session_set_verify_cert(t->session, name, 0);
    gnutls_transport_set_int(t->session, t->c.fd);
    return shake(t);
}

static void tls_client_close(struct tls_client *t)
{
    gnutls_deinit(t->session);
    gnutls_certificate_free_credentials(t->trust);
    client_close(&t->c);
}

static void tls_say(struct tls_client *t, const char *bytes, size_t n)
{
    i64 end = clock_micros() + PATIENCE_US;

    while (n) {
        ssize_t r = gnutls_record_send(t->session, bytes, n);

        assert_true(clock_micros() < end);
        if (r > 0) {
            bytes += r;
            n -= (size_t)r;
        } else {
            assert_int_equal(r, GNUTLS_E_AGAIN);
        }
        loop_turn(loop, 0);
    }
}

static void tls_expect(struct tls_client *t, const char *text, size_t at_least)
{
    i64 end = clock_micros() + PATIENCE_US;

    while (count_of(&t->c, text) < 1 || t->c.in.n < at_least) {
        char *room = buf_room(&t->c.in, 65536);
        ssize_t n = gnutls_record_recv(t->session, room, 65536);

        assert_true(clock_micros() < end);
        assert_true(n > 0 || n == GNUTLS_E_AGAIN);
        t->c.in.n += n > 0 ? (size_t)n : 0;
        t->c.in.p[t->c.in.n] = '\0';
        loop_turn(loop, 0);
    }
}

/* --- tests ------------------------------------------------------------------------------------ */

#define NORMAL "NORMAL"

static void trusted(void **state)
{
    static const char *const names[] = {"localhost", "queue.lan", "127.0.0.1", "10.1.2.3", "::1"};
    static const char *const versions[] = {"NORMAL:-VERS-ALL:+VERS-TLS1.3",
                                           "NORMAL:-VERS-ALL:+VERS-TLS1.2"};
    struct tls_client t;

    for (size_t v = 0; v < ARRAY_LEN(versions); v++) {
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
            assert_int_equal(tls_client_open(&t, names[i], versions[v]), 0);
            tls_say(&t, POST("1") "x", strlen(POST("1") "x"));
            tls_expect(&t, "POST /q|x", 0);
            assert_int_equal(last.rq.kind, HTTP_TLS);
            tls_client_close(&t);
        }
    }
    assert_true(tls_client_open(&t, "other.lan", NORMAL) < 0);
    tls_client_close(&t);
    assert_true(tls_client_open(&t, "localhost", "NORMAL:-VERS-ALL:+VERS-TLS1.1") < 0);
    tls_client_close(&t);
    UNTIL(http_server_stats(server).connections == 0);
}

/* Many records in and out, more than a turn reads, and answers that wait for their reader. */
static void large(void **state)
{
    char *body = mem_alloc(BODY_MAX);
    struct tls_client t;

    budget.max = 64 << 20;
    mode = PARKED;
    memset(body, 'x', BODY_MAX);
    assert_int_equal(tls_client_open(&t, "localhost", NORMAL), 0);
    tls_say(&t, "POST /q HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n", 54);
    tls_say(&t, body, BODY_MAX);
    tls_say(&t, POST("1") "y", strlen(POST("1") "y"));
    UNTIL(job_count == 1);
    assert_int_equal(last.body_size, BODY_MAX);
    job_answer_sized(&jobs[0], 8 << 20);
    assert_int_equal(jobs[0].outcome, HTTP_SENDING);
    tls_expect(&t, "200 OK", 8 << 20);
    UNTIL(jobs[0].outcome == HTTP_SENT);
    UNTIL(job_count == 2); /* what came behind it, decrypted long ago */
    buf_reset(&t.c.in);
    job_answer(&jobs[1]);
    tls_expect(&t, "|y", 0);
    tls_client_close(&t);
    mem_free(body);
}

static void broken_handshakes(void **state)
{
    static const char *const texts[] = {"", "\x16", "\x16\x03\x01\x02\x00\x01",
                                        "GET / HTTP/1.1\r\n\r\n"};
    struct client c;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        client_open(&c);
        client_say(&c, texts[i]);
        turn(3);
        client_close(&c);
        UNTIL(http_server_stats(server).connections == 0);
    }
    client_open(&c); /* one that says nothing at all */
    UNTIL(http_server_stats(server).connections == 1);
    skip_ms(31000);
    client_expect_end(&c);
    client_close(&c);
    assert_int_equal(job_count, 0);
}

static void leaves_while_parked(void **state)
{
    struct tls_client t;

    mode = PARKED;
    assert_int_equal(tls_client_open(&t, "localhost", NORMAL), 0);
    tls_say(&t, POST("1") "x", strlen(POST("1") "x"));
    UNTIL(job_count == 1);
    assert_true(http_exchange_is_there(jobs[0].x));
    tls_client_close(&t);
    UNTIL(gone_count == 1);
}

/* A new certificate is shown to new clients, the old sessions go on, and a bad one changes nothing. */
static void certificate_changes(void **state)
{
    struct tls_client before, after;
    struct stat old, kept;

    assert_int_equal(tls_client_open(&before, "localhost", NORMAL), 0);
    stat(files.authority, &old);
    tls_local_deinit(&files);
    make_files(); /* as a start does: the authority stays */
    stat(files.authority, &kept);
    assert_int_equal(old.st_ino, kept.st_ino);
    assert_int_equal(tls_identity_reload(identity, &fault), 0);
    assert_int_equal(tls_client_open(&after, "localhost", NORMAL), 0);
    tls_say(&before, POST("1") "b", strlen(POST("1") "b"));
    tls_expect(&before, "|b", 0);
    tls_say(&after, POST("1") "a", strlen(POST("1") "a"));
    tls_expect(&after, "|a", 0);
    assert_int_equal(truncate(files.certificate, 10), 0);
    assert_int_equal(tls_identity_reload(identity, &fault), E_FAULT);
    assert_non_null(strstr(fault.text, files.certificate));
    tls_client_close(&after);
    assert_int_equal(tls_client_open(&after, "localhost", NORMAL), 0);
    tls_client_close(&after);
    tls_client_close(&before);
}

static void files_are_private(void **state)
{
    char *key = mem_printf("%s/tls/ca-key.pem", dir);
    struct stat st;

    assert_int_equal(stat(key, &st), 0);
    assert_int_equal(st.st_mode & 077, 0);
    assert_int_equal(stat(files.key, &st), 0);
    assert_int_equal(st.st_mode & 077, 0);
    mem_free(key);
}

/* Whoever has the server's key can be no authority by it. */
static void certificate_signs_nothing(void **state)
{
    const char *const paths[] = {files.certificate, files.authority};

    for (unsigned i = 0; i < 2; i++) {
        gnutls_x509_crt_t certificate;
        gnutls_datum_t text;
        unsigned critical;

        assert_int_equal(gnutls_load_file(paths[i], &text), 0);
        gnutls_x509_crt_init(&certificate);
        assert_int_equal(gnutls_x509_crt_import(certificate, &text, GNUTLS_X509_FMT_PEM), 0);
        assert_int_equal(gnutls_x509_crt_get_ca_status(certificate, &critical), i);
        gnutls_x509_crt_deinit(certificate);
        gnutls_free(text.data);
    }
}

#define WITH_TLS(test) cmocka_unit_test_setup_teardown(test, tls_set_up, tls_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_TLS(trusted),
        WITH_TLS(large),
        WITH_TLS(broken_handshakes),
        WITH_TLS(leaves_while_parked),
        WITH_TLS(files_are_private),
        WITH_TLS(certificate_signs_nothing),
        WITH_TLS(certificate_changes),
    };
    int r;
    char *remove;

    if (!mkdtemp(dir))
        return 1;
    r = cmocka_run_group_tests(tests, NULL, NULL);
    remove = mem_printf("rm -r %s", dir);
    r = system(remove) != 0 || r;
    mem_free(remove);
    return r;
}
