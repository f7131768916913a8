/* Listening sockets for the HTTP endpoints: non-blocking, closed on exec, with a long backlog. */
#ifndef TOQUE_HTTP_LISTEN_H
#define TOQUE_HTTP_LISTEN_H

#include "common/base/err.h"

enum http_listen_fault {
    HTTP_FAULT_LISTEN = 1, /* the address cannot be listened on */
    HTTP_FAULT_IN_USE,     /* another socket listens there */
};

/* The listening sockets of one endpoint: one for each address. */
#define HTTP_SOCKETS_MAX 16
struct http_sockets {
    int fds[HTTP_SOCKETS_MAX];
    u32 n;
    u16 port; /* of all */
};

/* Listens on every address of every host, which is an address or a name; port 0 takes a port that
 * is free on all of them. For a name with several addresses, and for the two loopback addresses
 * 127.0.0.1 and ::1, it is sufficient that one works; otherwise E_FAULT, and no socket is kept. */
int http_listen_tcp(const char *const *hosts, u32 host_count, u16 port, struct http_sockets *ret,
                    struct fault *f) MUST_CHECK;
/* Replaces a socket file on which no process listens; only the owner may connect. */
int http_listen_unix(const char *path, int *ret_fd, struct fault *f) MUST_CHECK;

#endif
