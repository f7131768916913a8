/* Listening sockets: TCP by address or name, Unix by path. Every failure names the address. */
#include "common/io/http_listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/log.h"

/* Ports tried until one is free at all addresses. */
#define PORT_TRIES_MAX 16

static int listen_fault(struct fault *f, const char *address, u16 port, int err, const char *why)
{
    int code = err == EADDRINUSE ? HTTP_FAULT_IN_USE : HTTP_FAULT_LISTEN;

    if (port)
        return fault_set(f, code, "cannot listen on %s:%u: %s", address, port, why);
    return fault_set(f, code, "cannot listen on %s: %s", address, why);
}

/* --- TCP -------------------------------------------------------------------------------------- */

/* A listening descriptor, or a negative errno. */
static int socket_listen(const struct addrinfo *ai, u16 port)
{
    struct sockaddr_storage at = {.ss_family = AF_UNSPEC};
    int on = 1, err;
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    memcpy(&at, ai->ai_addr, ai->ai_addrlen);
    if (ai->ai_family == AF_INET6)
        ((struct sockaddr_in6 *)&at)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)&at)->sin_port = htons(port);
    /* An address with connections in TIME_WAIT can still be bound. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    /* An IPv6 socket does not accept IPv4: list both to get both. */
    if (ai->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&at, ai->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    err = -errno;
    close(fd);
    return err;
}

static u16 socket_port(int fd)
{
    struct sockaddr_storage ss;
    socklen_t n = sizeof(ss);

    if (getsockname(fd, (struct sockaddr *)&ss, &n) < 0)
        return 0;
    if (ss.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&ss)->sin6_port);
    return ntohs(((struct sockaddr_in *)&ss)->sin_port);
}

static void sockets_close(struct http_sockets *s)
{
    while (s->n)
        close(s->fds[--s->n]);
}

/* Adds the usable addresses of a host. 0, or a negative errno when there is none. */
static int sockets_add(struct http_sockets *s, const struct addrinfo *found)
{
    u32 before = s->n;
    int err = -EADDRNOTAVAIL;

    for (const struct addrinfo *ai = found; ai && s->n < HTTP_SOCKETS_MAX; ai = ai->ai_next) {
        int fd = socket_listen(ai, s->port);

        if (fd < 0) {
            err = err == -EADDRINUSE ? err : fd;
            continue;
        }
        s->fds[s->n++] = fd;
        if (!s->port)
            s->port = socket_port(fd);
    }
    return s->n > before ? 0 : err;
}

static int host_add(struct http_sockets *s, const char *host, struct fault *f)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    int r = getaddrinfo(host, NULL, &hints, &found);

    if (r != 0)
        return listen_fault(f, host, s->port, 0, gai_strerror(r));
    r = sockets_add(s, found);
    freeaddrinfo(found);
    return r < 0 ? listen_fault(f, host, s->port, -r, strerror(-r)) : 0;
}

/* A machine without IPv6, or without IPv4, still has the loopback address of the other. */
static bool is_loopback(const char *host)
{
    return strcmp(host, "127.0.0.1") == 0 || strcmp(host, "::1") == 0;
}

static int hosts_add(struct http_sockets *s, const char *const *hosts, u32 n, struct fault *f)
{
    for (u32 i = 0; i < n; i++) {
        struct fault why;

        fault_clear(&why);
        if (host_add(s, hosts[i], &why) == 0)
            continue;
        if (is_loopback(hosts[i]) && why.code != HTTP_FAULT_IN_USE) {
            log_info("%s", why.text);
            continue;
        }
        return fault_set(f, why.code, "%s", why.text);
    }
    return s->n ? 0 : listen_fault(f, n ? hosts[0] : "no address", s->port, 0, "none is available");
}

int http_listen_tcp(const char *const *hosts, u32 host_count, u16 port, struct http_sockets *ret,
                    struct fault *f)
{
    int r;

    for (int i = 0;; i++) {
        *ret = (struct http_sockets){.port = port};
        r = hosts_add(ret, hosts, host_count, f);
        if (r == 0)
            return 0;
        sockets_close(ret);
        if (port || f->code != HTTP_FAULT_IN_USE || i == PORT_TRIES_MAX)
            return r;
        fault_clear(f); /* in use at another address: try a new one */
    }
}

/* --- Unix ------------------------------------------------------------------------------------- */

/* Removes a socket's file if its listener is dead. 0: the path is free. */
static int clear_stale(const struct sockaddr_un *addr, struct fault *f)
{
    struct stat st;
    int fd, r, err;

    if (lstat(addr->sun_path, &st) < 0)
        return 0;
    if (!S_ISSOCK(st.st_mode))
        return listen_fault(f, addr->sun_path, 0, 0, "a file that is not a socket exists there");
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return listen_fault(f, addr->sun_path, 0, errno, strerror(errno));
    r = connect(fd, (const struct sockaddr *)addr, sizeof(*addr));
    err = errno;
    close(fd);
    /* A full backlog (EAGAIN) means that the listener is alive. */
    if (r == 0 || err != ECONNREFUSED)
        return listen_fault(f, addr->sun_path, 0, EADDRINUSE, "another process is listening there");
    unlink(addr->sun_path);
    return 0;
}

int http_listen_unix(const char *path, int *ret_fd, struct fault *f)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    int fd, r, err;

    if (n == 0 || n >= sizeof(addr.sun_path))
        return listen_fault(f, path, 0, 0, "the path is empty or too long");
    memcpy(addr.sun_path, path, n + 1);
    r = clear_stale(&addr, f);
    if (r < 0)
        return r;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return listen_fault(f, path, 0, errno, strerror(errno));
    mode_t mask = umask(0177);

    r = bind(fd, (const struct sockaddr *)&addr, sizeof(addr));
    err = errno;
    umask(mask);
    if (r == 0 && listen(fd, SOMAXCONN) == 0) {
        *ret_fd = fd;
        return 0;
    }
    if (r == 0)
        err = errno;
    close(fd);
    return listen_fault(f, path, 0, err, strerror(err));
}
