/* http_head.[ch] and http_chunks.[ch]: what is a request, what is none, whatever the pieces in which
 * it comes. */
#include "common/io/http_chunks.h"
#include "common/io/http_head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/base/mem.h"

enum { SIZE_MAX_ = 8192 };

static struct http_head head;

static ptrdiff_t read_all(str bytes)
{
    size_t scanned = 0;

    return http_head_read(&head, bytes, &scanned, SIZE_MAX_);
}

/* The same, one byte more at a time, each time at another place in memory. */
static ptrdiff_t read_bytewise(str bytes)
{
    size_t scanned = 0;
    ptrdiff_t r = 0;
    static char copy[2 * SIZE_MAX_];

    assert_true(bytes.n <= sizeof(copy) / 2);
    for (size_t n = 1; n <= bytes.n && r == 0; n++) {
        char *at = copy + n % 7;

        memcpy(at, bytes.p, n);
        r = http_head_read(&head, str_from(at, n), &scanned, SIZE_MAX_);
    }
    return r;
}

#define HOST "Host: h\r\n"

static void parts(void **state)
{
    str text = STR("\r\n\r\nPOST /a%20b?q=1&r=2 HTTP/1.1\r\nHOST: h:1\r\nContent-Length: 12\r\n"
                   "X-Empty:\r\nx-blank: \t a b \t\r\nConnection: foo, close\r\n"
                   "Expect: 100-Continue\r\n\r\nbody");

    for (int bytewise = 0; bytewise < 2; bytewise++) {
        ptrdiff_t n = bytewise ? read_bytewise(text) : read_all(text);

        assert_int_equal(n, text.n - 4);
        assert_true(str_is(head.rq.method, "POST") && str_is(head.rq.path, "/a%20b"));
        assert_true(str_is(head.rq.query, "q=1&r=2") && str_is(head.rq.host, "h:1"));
        assert_int_equal(head.rq.field_count, 6);
        assert_true(str_is(head.fields[2].name, "X-Empty") && head.fields[2].value.n == 0);
        assert_true(str_is(head.fields[3].value, "a b"));
        assert_int_equal(head.content_length, 12);
        assert_true(head.expects && !head.keeps && !head.chunked && !head.old);
    }
}

static void moved(void **state)
{
    char from[] = "GET /p?q HTTP/1.1\r\nHost: h\r\n\r\n", to[sizeof(from)];

    assert_int_equal(read_all(str_of(from)), sizeof(from) - 1);
    memcpy(to, from, sizeof(from));
    http_head_move(&head, from, to);
    memset(from, 'x', sizeof(from));
    assert_true(str_is(head.rq.method, "GET") && str_is(head.rq.path, "/p"));
    assert_true(str_is(head.rq.query, "q") && str_is(head.rq.host, "h"));
    assert_true(str_is(head.fields[0].name, "Host") && str_is(head.fields[0].value, "h"));
}

static void targets(void **state)
{
    static const struct {
        const char *target, *path, *query, *host;
    } cases[] = {
        {"/", "/", "", "h"},
        {"/?", "/", "", "h"},
        {"/a//b/../c#d", "/a//b/../c#d", "", "h"},
        {"http://other:80/abs?q", "/abs", "q", "other:80"},
        {"HTTPS://other", "/", "", "other"},
        {"http://other?q=/x", "/", "q=/x", "other"},
        {"*", "*", "", "h"},
        {"/\xc3\xa4", "/\xc3\xa4", "", "h"},
    };
    static const char *const bad[] = {"q",      "http://", "http:///p", "ftp://h/",
                                      "/a\x7f", "/a\tb",   "?q"};
    char text[200];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n" HOST "\r\n", cases[i].target);
        assert_true(read_all(str_of(text)) > 0);
        assert_true(str_is(head.rq.path, cases[i].path));
        assert_true(str_is(head.rq.query, cases[i].query));
        assert_true(str_is(head.rq.host, cases[i].host));
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n" HOST "\r\n", bad[i]);
        assert_int_equal(read_all(str_of(text)), E_FAULT);
        assert_int_equal(head.status, 400);
    }
}

/* Whether the connection is kept, by version and field. */
static void keeping(void **state)
{
    static const struct {
        const char *version, *fields;
        bool keeps;
    } cases[] = {
        {"1.1", "", true},
        {"1.1", "Connection: close\r\n", false},
        {"1.1", "Connection: keep-alive\r\nconnection: x, CLOSE\r\n", false},
        {"1.1", "Connection: closed\r\n", true},
        {"1.9", "", true},
        {"1.0", "", false},
        {"1.0", "Connection: Keep-Alive\r\n", true},
        {"1.0", "Connection: keep-alive, close\r\n", false},
    };
    char text[200];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        snprintf(text, sizeof(text), "GET / HTTP/%s\r\n" HOST "%s\r\n", cases[i].version,
                 cases[i].fields);
        assert_true(read_all(str_of(text)) > 0);
        assert_int_equal(head.keeps, cases[i].keeps);
    }
}

#define CASE(status, text)                                                                         \
    {                                                                                              \
        status, text, sizeof(text) - 1                                                             \
    }
#define P(version, fields) "POST / HTTP/" version "\r\n" fields "\r\n"

/* RFC 9112's rules on where a request ends, and the bounds on what it may be. */
static void refusals(void **state)
{
    static const struct {
        int status;
        const char *text;
        size_t n;
    } cases[] = {
        CASE(0, P("1.1", HOST)),
        CASE(0, P("1.0", "")),
        CASE(0, P("1.1", HOST "Content-Length: 5\r\nContent-Length: 5\r\n")),
        CASE(0, P("1.1", HOST "Content-Length: 5, 5\r\n")),
        CASE(0, P("1.1", HOST "Content-Length: 0005\r\n")),
        CASE(0, P("1.1", HOST "Transfer-Encoding: CHUNKED\r\n")),
        CASE(0, P("1.1", HOST "X: \xff\xfe\r\n")),
        CASE(0, P("1.1", "Host:\r\n")),
        CASE(400, P("1.1", HOST "Content-Length: 5\r\nContent-Length: 6\r\n")),
        CASE(400, P("1.1", HOST "Content-Length: 5, 6\r\n")),
        CASE(400, P("1.1", HOST "Content-Length: 5,\r\n")),
        CASE(400, P("1.1", HOST "Content-Length:\r\n")),
        CASE(400, P("1.1", HOST "Content-Length: +5\r\n")),
        CASE(400, P("1.1", HOST "Content-Length: -1\r\n")),
        CASE(400, P("1.1", HOST "Content-Length: 0x5\r\n")),
        CASE(400, P("1.1", HOST "Content-Length: 5 5\r\n")),
        CASE(400, P("1.1", HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")),
        CASE(400, P("1.1", HOST "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n")),
        CASE(400, P("1.1", HOST "Transfer-Encoding: chunked, chunked\r\n")),
        CASE(400, P("1.1", HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")),
        CASE(400, P("1.1", HOST "Transfer-Encoding:\r\n")),
        CASE(400, P("1.0", "Transfer-Encoding: chunked\r\n")),
        CASE(501, P("1.1", HOST "Transfer-Encoding: gzip, chunked\r\n")),
        CASE(501, P("1.1", HOST "Transfer-Encoding: identity\r\n")),
        CASE(501, P("1.1", HOST "Transfer-Encoding: xchunked\r\n")),
        CASE(501, P("1.1", HOST "Transfer-Encoding: \"chunked\"\r\n")),
        CASE(400, P("1.1", "")),
        CASE(400, P("1.1", HOST HOST)),
        CASE(400, P("1.1", "Host : h\r\n")),
        CASE(400, P("1.1", HOST "X\t: y\r\n")),
        CASE(400, P("1.1", HOST ": y\r\n")),
        CASE(400, P("1.1", HOST "no colon\r\n")),
        CASE(400, P("1.1", HOST "nocolon\r\n")),
        CASE(400, P("1.1", HOST "X(: y\r\n")),
        CASE(400, P("1.1", HOST "X\xe4: y\r\n")),
        CASE(400, P("1.1", " Host: h\r\n")),
        CASE(400, P("1.1", HOST "X: a\r\n b\r\n")),
        CASE(400, P("1.1", HOST "X: a\r\n\tb: c\r\n")),
        CASE(400, P("1.1", HOST "X: a\0b\r\n")),
        CASE(400, P("1.1", HOST "X\0: b\r\n")),
        CASE(400, P("1.1", HOST "X: a\rb\r\n")),
        CASE(400, P("1.1", HOST "X: a\r\r\n")),
        CASE(400, P("1.1", HOST "X: a\x01\r\n")),
        CASE(400, P("1.1", HOST "X: a\x7f\r\n")),
        CASE(400, "GET / HTTP/1.1\nHost: h\n\n"),
        CASE(400, "GET / HTTP/1.1\r\nHost: h\n\r\n"),
        CASE(400, "GET / HTTP/1.1\r\nHost: h\r\n\n"),
        CASE(400, "GET / HTTP/1.1\r\r\nHost: h\r\n\r\n"),
        CASE(400, "GET  / HTTP/1.1\r\nHost: h\r\n\r\n"),
        CASE(400, "GET /  HTTP/1.1\r\nHost: h\r\n\r\n"),
        CASE(400, "GET / HTTP/1.1 \r\nHost: h\r\n\r\n"),
        CASE(400, " GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
        CASE(400, "GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n"),
        CASE(400, "GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n"),
        CASE(400, "G(T / HTTP/1.1\r\nHost: h\r\n\r\n"),
        CASE(400, "GET /\r\n\r\n"),
        CASE(400, "GARBAGE\r\n\r\n"),
        CASE(400, "GET / http/1.1\r\nHost: h\r\n\r\n"),
        CASE(400, "GET / HTTP/1.12\r\nHost: h\r\n\r\n"),
        CASE(400, "GET / HTTP/1\r\nHost: h\r\n\r\n"),
        CASE(400, "GET / HTTP/x.1\r\nHost: h\r\n\r\n"),
        CASE(505, "GET / HTTP/2.0\r\nHost: h\r\n\r\n"),
        CASE(505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        CASE(505, "GET / HTTP/0.9\r\nHost: h\r\n\r\n"),
        CASE(417, P("1.1", HOST "Expect: 200-maybe\r\n")),
        CASE(400, "\x16\x03\x01\x02"), /* TLS, at its first byte */
        CASE(400, "\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"),
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        str text = str_from(cases[i].text, cases[i].n);

        for (int bytewise = 0; bytewise < 2; bytewise++) {
            ptrdiff_t n = bytewise ? read_bytewise(text) : read_all(text);

            if (cases[i].status) {
                assert_int_equal(n, E_FAULT);
                assert_int_equal(head.status, cases[i].status);
                assert_true(head.why && *head.why);
            } else {
                assert_int_equal(n, text.n);
            }
        }
    }
}

static void lengths(void **state)
{
    assert_true(read_all(STR(P("1.1", HOST "Content-Length: 0005, 5\r\n"))) > 0);
    assert_int_equal(head.content_length, 5);
    /* One that fits nowhere is not taken for a small one. */
    assert_true(read_all(STR(P("1.1", HOST "Content-Length: 184467440737095516170\r\n"))) > 0);
    assert_true(head.content_length > INT64_MAX / 1000);
}

static void bounds(void **state)
{
    struct buf b = {0};

    buf_z(&b, "GET / HTTP/1.1\r\n" HOST);
    for (int i = 1; i < HTTP_FIELDS_MAX; i++)
        buf_printf(&b, "X-%d: y\r\n", i);
    size_t at = b.n;

    buf_z(&b, "\r\n");
    assert_int_equal(read_all(buf_view(&b)), b.n);
    assert_int_equal(head.rq.field_count, HTTP_FIELDS_MAX);
    b.n = at;
    buf_z(&b, "Z: y\r\n\r\n");
    assert_int_equal(read_all(buf_view(&b)), E_FAULT);
    assert_int_equal(head.status, 431);
    /* Too large, whether its end has come or not. */
    b.n = at;
    buf_z(&b, "Z: ");
    while (b.n <= SIZE_MAX_)
        buf_char(&b, 'z');
    assert_int_equal(read_all(buf_view(&b)), E_FAULT);
    assert_int_equal(head.status, 431);
    buf_z(&b, "\r\n\r\n");
    assert_int_equal(read_all(buf_view(&b)), E_FAULT);
    assert_int_equal(head.status, 431);
    buf_reset(&b);
    while (b.n <= SIZE_MAX_)
        buf_z(&b, "\r\n");
    assert_int_equal(read_all(buf_view(&b)), E_FAULT);
    buf_reset(&b);
    while (b.n < 40)
        buf_char(&b, 'M');
    buf_z(&b, " / HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(read_all(buf_view(&b)), E_FAULT);
    assert_int_equal(head.status, 400);
    buf_deinit(&b);
}

/* --- chunked bodies --------------------------------------------------------------------------- */

/* Feeds `text` in pieces of `step` bytes; the data in *out. Returns the bytes taken when the body
 * ended, 0 when it did not, E_INVALID. */
static ptrdiff_t unchunk(str text, size_t step, struct buf *out)
{
    struct http_chunks c = {0};
    size_t at = 0;

    buf_reset(out);
    while (at < text.n && !http_chunks_done(&c)) {
        str data;
        ptrdiff_t n = http_chunks_read(&c, str_slice(text, at, at + step), &data);

        if (n < 0)
            return n;
        assert_true(n > 0);
        buf_str(out, data);
        at += (size_t)n;
    }
    return http_chunks_done(&c) ? (ptrdiff_t)at : 0;
}

static void chunks(void **state)
{
    static const struct {
        const char *text, *data; /* data NULL: malformed */
        size_t behind;           /* bytes that are not the body's */
    } cases[] = {
        {"0\r\n\r\n", "", 0},
        {"5\r\nhello\r\n0\r\n\r\nGET", "hello", 3},
        {"5\r\nhello\r\n1;x=y\r\n \r\n00005 ; a=\"b;c\"\r\nworld\r\n000\r\n\r\n", "hello world", 0},
        {"A\r\n0123456789\r\na;\r\n0123456789\r\n0\r\nT: x\r\nu-v:\r\n\r\n", "01234567890123456789",
         0},
        {"1\r\nx\r\n0;last\r\n\r\n", "x", 0},
        {"\r\n0\r\n\r\n", NULL, 0},
        {"x\r\n", NULL, 0},
        {"-1\r\n", NULL, 0},
        {"0x1\r\n", NULL, 0},
        {"+1\r\na\r\n0\r\n\r\n", NULL, 0},
        {"1\na\r\n0\r\n\r\n", NULL, 0},
        {"1\r\rna\r\n0\r\n\r\n", NULL, 0},
        {"1;a\nb\r\na\r\n0\r\n\r\n", NULL, 0},
        {"1\r\nab\r\n0\r\n\r\n", NULL, 0},
        {"1\r\na\n0\r\n\r\n", NULL, 0},
        {"1\r\na\r\n\r\n0\r\n\r\n", NULL, 0},
        {"0000000000000001\r\na\r\n0\r\n\r\n", NULL, 0},
        {"ffffffffffffffff\r\na", NULL, 0},
        {"0\r\n: x\r\n\r\n", NULL, 0},
        {"0\r\n T: x\r\n\r\n", NULL, 0},
        {"0\r\nT : x\r\n\r\n", NULL, 0},
        {"0\r\nT\r\n\r\n", NULL, 0},
        {"0\r\nT: x\n\r\n", NULL, 0},
        {"0\r\n\n", NULL, 0},
    };
    struct buf out = {0};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        str text = str_of(cases[i].text);

        for (size_t step = 1; step <= text.n; step++) {
            ptrdiff_t n = unchunk(text, step, &out);

            if (!cases[i].data) {
                assert_int_equal(n, E_INVALID);
                continue;
            }
            assert_int_equal(n, text.n - cases[i].behind);
            assert_true(str_is(buf_view(&out), cases[i].data));
        }
    }
    buf_deinit(&out);
}

static void chunk_bounds(void **state)
{
    struct buf text = {0}, out = {0};

    buf_z(&text, "1;");
    while (text.n < HTTP_CHUNK_LINE_MAX - 2)
        buf_char(&text, 'e');
    size_t n = text.n;

    buf_z(&text, "\r\na\r\n0\r\n\r\n");
    assert_true(unchunk(buf_view(&text), 100, &out) > 0);
    text.n = n;
    buf_z(&text, "eee\r\na\r\n0\r\n\r\n");
    assert_int_equal(unchunk(buf_view(&text), 100, &out), E_INVALID);
    buf_reset(&text);
    buf_z(&text, "0\r\n");
    while (text.n < HTTP_CHUNK_TRAILERS_MAX)
        buf_z(&text, "T: x\r\n");
    buf_z(&text, "\r\n");
    assert_int_equal(unchunk(buf_view(&text), 100, &out), E_INVALID);
    buf_deinit(&text);
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts),   cmocka_unit_test(moved),    cmocka_unit_test(targets),
        cmocka_unit_test(keeping), cmocka_unit_test(refusals), cmocka_unit_test(lengths),
        cmocka_unit_test(bounds),  cmocka_unit_test(chunks),   cmocka_unit_test(chunk_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
