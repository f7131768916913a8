/* http_listen.[ch]: several addresses, one port; what cannot be listened on is named. */
#include "common/io/http_listen.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

static struct fault fault;

static void sockets_close(struct http_sockets *s)
{
    for (u32 i = 0; i < s->n; i++)
        close(s->fds[i]);
}

static bool has_ipv6(void)
{
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;

    close(fd);
    return has;
}

static bool can_connect(int family, u16 port)
{
    struct sockaddr_in in = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 in6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(family, SOCK_STREAM, 0);
    bool can = family == AF_INET ? connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0
                                 : connect(fd, (struct sockaddr *)&in6, sizeof(in6)) == 0;

    close(fd);
    return can;
}

/* Both addresses of this machine, on the port that was found free. */
static void both(void **state)
{
    const char *const hosts[] = {"127.0.0.1", "::1"}, *const one[] = {"::1"};
    struct http_sockets s, other;

    fault_clear(&fault);
    assert_int_equal(http_listen_tcp(hosts, 2, 0, &s, &fault), 0);
    assert_true(s.port > 0);
    assert_true(can_connect(AF_INET, s.port));
    assert_int_equal(s.n, has_ipv6() ? 2 : 1);
    assert_int_equal(can_connect(AF_INET6, s.port), has_ipv6());
    if (has_ipv6()) {
        assert_int_equal(http_listen_tcp(one, 1, s.port, &other, &fault), E_FAULT);
        assert_int_equal(fault.code, HTTP_FAULT_IN_USE);
    }
    sockets_close(&s);
    fault_clear(&fault);
    if (!has_ipv6()) /* alone it must be there */
        assert_int_equal(http_listen_tcp(one, 1, 0, &other, &fault), E_FAULT);
}

static void named(void **state)
{
    const char *const hosts[] = {"localhost"};
    struct http_sockets s;

    fault_clear(&fault);
    assert_int_equal(http_listen_tcp(hosts, 1, 0, &s, &fault), 0);
    assert_true(can_connect(AF_INET, s.port) || can_connect(AF_INET6, s.port));
    sockets_close(&s);
}

/* All or nothing: what was listened on already is let go. */
static void refused(void **state)
{
    const char *const hosts[] = {"127.0.0.1", "192.0.2.1"}, *const first[] = {"127.0.0.1"};
    struct http_sockets s, again;

    fault_clear(&fault);
    assert_int_equal(http_listen_tcp(first, 1, 0, &s, &fault), 0);
    u16 port = s.port;

    sockets_close(&s);
    assert_int_equal(http_listen_tcp(hosts, 2, port, &s, &fault), E_FAULT);
    assert_non_null(strstr(fault.text, "192.0.2.1"));
    fault_clear(&fault);
    assert_int_equal(http_listen_tcp(first, 1, port, &again, &fault), 0);
    assert_int_equal(http_listen_tcp(first, 1, port, &s, &fault), E_FAULT);
    assert_int_equal(fault.code, HTTP_FAULT_IN_USE);
    sockets_close(&again);
    fault_clear(&fault);
    assert_int_equal(http_listen_tcp(NULL, 0, 0, &s, &fault), E_FAULT);
    fault_clear(&fault);
    assert_int_equal(
        http_listen_tcp((const char *const[]){"no.such.host.invalid"}, 1, 7, &s, &fault), E_FAULT);
    assert_non_null(strstr(fault.text, "no.such.host.invalid:7"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both),
        cmocka_unit_test(named),
        cmocka_unit_test(refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
