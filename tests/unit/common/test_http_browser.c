/* http_browser.[ch]: programs are not judged; pages are let in by origin and host. */
#include "common/io/http_browser.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const char *const usual_origins[] = {"loopback", "https://app.example:8443"};
static const char *const usual_hosts[] = {"toque.lan"};
static const struct http_browsers usual = {usual_origins, 2, usual_hosts, 1};

static enum http_browser_verdict judge_at(const struct http_browsers *b, const char *method,
                                          const char *target, const char *host, const char *fields)
{
    static struct http_head h;
    static char text[1000];
    const char *why = NULL;
    size_t scanned = 0;
    enum http_browser_verdict verdict;

    snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", method, target, host,
             fields);
    assert_true(http_head_read(&h, str_of(text), &scanned, sizeof(text)) > 0);
    verdict = http_browser_judge(b, &h, &why);
    assert_int_equal(why != NULL, verdict == HTTP_BROWSER_OUT);
    if (verdict == HTTP_BROWSER || verdict == HTTP_PREFLIGHT)
        assert_true(str_eq(h.rq.origin, h.origin) || !h.origin.p);
    else
        assert_int_equal(h.rq.origin.n, 0);
    return verdict;
}

static enum http_browser_verdict judge(const struct http_browsers *b, const char *method,
                                       const char *host, const char *fields)
{
    return judge_at(b, method, "/p", host, fields);
}

static void verdicts(void **state)
{
    static const struct {
        enum http_browser_verdict verdict;
        const char *host, *fields;
    } cases[] = {
        /* programs, whatever host they use */
        {HTTP_NO_BROWSER, "localhost:4566", ""},
        {HTTP_NO_BROWSER, "host.docker.internal:4566", "User-Agent: Boto3/1.34\r\n"},
        {HTTP_NO_BROWSER, "evil.example", "Accept: */*\r\n"},
        {HTTP_NO_BROWSER, "evil.example", "User-Agent: node\r\nAccept-Language: *\r\n"},
        /* browsers that do not say which page: by known names, which they would have told */
        {HTTP_NO_BROWSER, "localhost:4566", "User-Agent: Mozilla/5.0 (X11)\r\n"},
        {HTTP_NO_BROWSER, "127.0.0.1:4566", "Accept-Language: de\r\n"},
        {HTTP_NO_BROWSER, "10.0.0.5:4566", "User-Agent: Mozilla/5.0 (X11)\r\n"},
        {HTTP_NO_BROWSER, "toque.lan", "Accept-Language: de\r\n"},
        {HTTP_BROWSER_OUT, "evil.example:4566", "User-Agent: Mozilla/5.0 (X11)\r\n"},
        {HTTP_BROWSER_OUT, "evil.example", "User-Agent: curl\r\nAccept-Language: de\r\n"},
        /* pages of this machine, and listed ones */
        {HTTP_BROWSER, "localhost:4566", "Origin: http://localhost:3000\r\n"},
        {HTTP_BROWSER, "127.0.0.1", "Origin: https://127.0.0.1\r\n"},
        {HTTP_BROWSER, "[::1]:9324", "Origin: http://[::1]:3000\r\n"},
        {HTTP_BROWSER, "192.168.1.7:9324", "Origin: http://127.9.9.9\r\n"},
        {HTTP_BROWSER, "app.localhost:9324", "Origin: http://dev.app.localhost:80\r\n"},
        {HTTP_BROWSER, "toque.lan:9324", "Origin: https://APP.example:8443\r\n"},
        {HTTP_BROWSER, "LOCALHOST", "Origin: http://LocalHost\r\nSec-Fetch-Site: cross-site\r\n"},
        {HTTP_BROWSER, "localhost", "Referer: http://localhost:3000/page?x=http://evil\r\n"},
        {HTTP_BROWSER, "localhost", "Sec-Fetch-Site: none\r\n"},
        {HTTP_BROWSER, "localhost", "Sec-Fetch-Site: same-origin\r\n"},
        /* what was served here itself, by an address */
        {HTTP_BROWSER, "10.0.0.5:9324", "Origin: http://10.0.0.5:9324\r\n"},
        {HTTP_BROWSER, "10.0.0.5:9324", "Referer: http://10.0.0.5:9324/_toque/\r\n"},
        /* pages of others */
        {HTTP_BROWSER_OUT, "localhost:4566", "Origin: https://evil.example\r\n"},
        {HTTP_BROWSER_OUT, "localhost:4566", "Origin: null\r\n"},
        {HTTP_BROWSER_OUT, "localhost:4566", "Origin:\r\n"},
        {HTTP_BROWSER_OUT, "localhost:4566", "Origin: http://10.0.0.5:4566\r\n"},
        {HTTP_BROWSER_OUT, "localhost:4566", "Origin: https://app.example\r\n"},
        {HTTP_BROWSER_OUT, "localhost:4566", "Origin: https://app.example:8443.evil\r\n"},
        {HTTP_BROWSER_OUT, "localhost:4566", "Origin: http://localhost.evil.example\r\n"},
        {HTTP_BROWSER_OUT, "localhost:4566", "Origin: http://evillocalhost\r\n"},
        {HTTP_BROWSER_OUT, "localhost:4566", "Origin: http://127.0.0.1.evil.example\r\n"},
        {HTTP_BROWSER_OUT, "localhost:4566", "Origin: file://localhost\r\n"},
        {HTTP_BROWSER_OUT, "localhost:4566", "Referer: https://evil.example/localhost\r\n"},
        {HTTP_BROWSER_OUT, "localhost:4566", "Referer: nonsense\r\n"},
        {HTTP_BROWSER_OUT, "localhost:4566", "Sec-Fetch-Site: cross-site\r\n"},
        {HTTP_BROWSER_OUT, "localhost:4566", "Sec-Fetch-Site: same-site\r\n"},
        {HTTP_BROWSER_OUT, "localhost:4566", "Sec-Fetch-Site: new-word\r\n"},
        {HTTP_BROWSER_OUT, "localhost:4566",
         "Origin: https://evil.example\r\nReferer: http://localhost/\r\n"},
        /* names that were made to resolve to this machine */
        {HTTP_BROWSER_OUT, "evil.example:4566", "Origin: http://evil.example:4566\r\n"},
        {HTTP_BROWSER_OUT, "evil.example:4566", "Referer: http://evil.example:4566/\r\n"},
        {HTTP_BROWSER_OUT, "evil.example:4566", "Sec-Fetch-Site: same-origin\r\n"},
        {HTTP_BROWSER_OUT, "evil.example:4566", "Sec-Fetch-Site: none\r\n"},
        {HTTP_BROWSER_OUT, "evil.example", "Origin: http://localhost:3000\r\n"},
        {HTTP_BROWSER_OUT, "localhost.evil.example", "Sec-Fetch-Site: none\r\n"},
        {HTTP_BROWSER_OUT, "", "Sec-Fetch-Site: none\r\n"},
        {HTTP_BROWSER_OUT, "[::1", "Origin: https://evil.example\r\n"},
    };
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "OPTIONS"};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (size_t m = 0; m < ARRAY_LEN(methods); m++)
            assert_int_equal(judge(&usual, methods[m], cases[i].host, cases[i].fields),
                             cases[i].verdict);
}

static void listed(void **state)
{
    static const char *const any[] = {"*"}, *const null[] = {"null"};
    const struct http_browsers all = {any, 1, NULL, 0}, files = {null, 1, NULL, 0}, none = {0};

    assert_int_equal(judge(&all, "POST", "localhost", "Origin: https://evil.example\r\n"),
                     HTTP_BROWSER);
    assert_int_equal(judge(&all, "POST", "evil.example", "Origin: https://evil.example\r\n"),
                     HTTP_BROWSER_OUT);
    assert_int_equal(judge(&files, "POST", "localhost", "Origin: null\r\n"), HTTP_BROWSER);
    assert_int_equal(judge(&none, "POST", "localhost", "Origin: http://localhost:3000\r\n"),
                     HTTP_BROWSER_OUT);
    assert_int_equal(judge(&none, "GET", "toque.lan", "Sec-Fetch-Site: none\r\n"),
                     HTTP_BROWSER_OUT);
}

/* Any page may have made a browser send this: an address that is not of this machine, no site. */
static void calls_of_unnamed_pages(void **state)
{
    static const char browser[] = "User-Agent: Mozilla/5.0 (X11)\r\n",
                      call[] = "/?Action=ListQueues";
    static const char *const any[] = {"*"};
    const struct http_browsers all = {any, 1, usual_hosts, 1};

    assert_int_equal(judge_at(&usual, "GET", call, "10.0.0.5", browser), HTTP_BROWSER_OUT);
    assert_int_equal(judge_at(&usual, "GET", call, "toque.lan", browser), HTTP_BROWSER_OUT);
    assert_int_equal(judge_at(&usual, "GET", call, "10.0.0.5", "User-Agent: curl\r\n"),
                     HTTP_NO_BROWSER);
    assert_int_equal(judge_at(&usual, "GET", call, "127.0.0.1", browser), HTTP_NO_BROWSER);
    assert_int_equal(judge_at(&usual, "GET", "/health", "10.0.0.5", browser), HTTP_NO_BROWSER);
    assert_int_equal(judge_at(&all, "GET", call, "10.0.0.5", browser), HTTP_NO_BROWSER);
    assert_int_equal(judge_at(&all, "GET", "/health", "evil.example", browser), HTTP_BROWSER_OUT);
}

static void preflights(void **state)
{
    assert_int_equal(judge(&usual, "OPTIONS", "localhost",
                           "Origin: http://localhost:3000\r\n"
                           "Access-Control-Request-Method: POST\r\n"),
                     HTTP_PREFLIGHT);
    assert_int_equal(judge(&usual, "POST", "localhost",
                           "Origin: http://localhost:3000\r\n"
                           "Access-Control-Request-Method: POST\r\n"),
                     HTTP_BROWSER);
    assert_int_equal(judge(&usual, "OPTIONS", "localhost",
                           "Origin: http://evil.example\r\n"
                           "Access-Control-Request-Method: POST\r\n"),
                     HTTP_BROWSER_OUT);
    assert_int_equal(judge(&usual, "OPTIONS", "localhost",
                           "Sec-Fetch-Site: none\r\nAccess-Control-Request-Method: POST\r\n"),
                     HTTP_BROWSER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts),
        cmocka_unit_test(listed),
        cmocka_unit_test(calls_of_unnamed_pages),
        cmocka_unit_test(preflights),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
