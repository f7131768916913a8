/* Listening sockets: TCP by address or name, Unix by path. Every failure names the address. */
#include "common/io/http_listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int listen_fault(struct fault *f, const char *what, const char *address, u16 port,
                        const char *why)
{
    if (port)
        return fault_set(f, HTTP_FAULT_LISTEN, "%s %s:%u: %s", what, address, port, why);
    return fault_set(f, HTTP_FAULT_LISTEN, "%s %s: %s", what, address, why);
}

static int bind_one(const struct addrinfo *ai)
{
    int on = 1;
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    /* An address whose old connections linger is still ours. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, SOMAXCONN) < 0) {
        int err = errno;

        close(fd);
        errno = err;
        return -1;
    }
    return fd;
}

static u16 port_of(int fd)
{
    struct sockaddr_storage ss;
    socklen_t n = sizeof(ss);

    if (getsockname(fd, (struct sockaddr *)&ss, &n) < 0)
        return 0;
    if (ss.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&ss)->sin6_port);
    return ntohs(((struct sockaddr_in *)&ss)->sin_port);
}

int http_listen_tcp(const char *host, u16 port, int *ret_fd, u16 *ret_port, struct fault *f)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char service[8];
    int fd = -1;
    int err = 0;
    int r;

    snprintf(service, sizeof(service), "%u", port);
    r = getaddrinfo(host, service, &hints, &found);
    if (r != 0)
        return listen_fault(f, "cannot listen on", host, port, gai_strerror(r));
    for (struct addrinfo *ai = found; ai && fd < 0; ai = ai->ai_next) {
        fd = bind_one(ai);
        if (fd < 0 && !err)
            err = errno;
    }
    freeaddrinfo(found);
    if (fd < 0)
        return listen_fault(f, "cannot listen on", host, port, strerror(err));
    *ret_fd = fd;
    if (ret_port)
        *ret_port = port_of(fd);
    return 0;
}

/* Takes the file of a socket out of the way when its listener is dead. 0: the path is free. */
static int clear_stale(const struct sockaddr_un *addr, struct fault *f)
{
    struct stat st;
    int fd, r, err;

    if (lstat(addr->sun_path, &st) < 0)
        return 0;
    if (!S_ISSOCK(st.st_mode))
        return listen_fault(f, "cannot listen on", addr->sun_path, 0, "a file is in the way");
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return listen_fault(f, "cannot listen on", addr->sun_path, 0, strerror(errno));
    r = connect(fd, (const struct sockaddr *)addr, sizeof(*addr));
    err = errno;
    close(fd);
    /* A full backlog (EAGAIN) belongs to a listener that lives. */
    if (r == 0 || err != ECONNREFUSED)
        return listen_fault(f, "cannot listen on", addr->sun_path, 0,
                            "another process is listening there");
    unlink(addr->sun_path);
    return 0;
}

int http_listen_unix(const char *path, int *ret_fd, struct fault *f)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    int fd, r, err;

    if (n == 0 || n >= sizeof(addr.sun_path))
        return listen_fault(f, "cannot listen on", path, 0, "the path is empty or too long");
    memcpy(addr.sun_path, path, n + 1);
    r = clear_stale(&addr, f);
    if (r < 0)
        return r;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return listen_fault(f, "cannot listen on", path, 0, strerror(errno));
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
    return listen_fault(f, "cannot listen on", path, 0, strerror(err));
}
