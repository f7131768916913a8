/* Listening sockets for the HTTP doors: non-blocking, closed on exec, with a long backlog. */
#ifndef TOQUE_HTTP_LISTEN_H
#define TOQUE_HTTP_LISTEN_H

#include "common/base/err.h"

/* Code of the faults that name an address which cannot be listened on. */
#define HTTP_FAULT_LISTEN 1

/* Host is an address or name; port 0 takes a free one, *ret_port says which (may be NULL). */
int http_listen_tcp(const char *host, u16 port, int *ret_fd, u16 *ret_port,
                    struct fault *f) MUST_CHECK;
/* Replaces a socket file on which nobody answers; only the owner may connect. */
int http_listen_unix(const char *path, int *ret_fd, struct fault *f) MUST_CHECK;

#endif
