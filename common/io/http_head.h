/* What the doors need of a request's line and header fields, read once. http_server.c's own, apart
 * from the library. */
#ifndef TOQUE_HTTP_HEAD_H
#define TOQUE_HTTP_HEAD_H

#include "common/io/request.h"

struct http_head {
    struct request rq;  /* all of it but door, method and body */
    u64 content_length; /* 0 where it is not stated */
    bool expects;       /* Expect: 100-continue */
};

/* Empties it: every view is "". */
void http_head_init(struct http_head *h);
/* The request line's target; one in absolute form (RFC 9112, 3.2.2) loses its authority. */
void http_head_uri(struct http_head *h, str uri);
/* One header field. Of fields that come twice the first counts. */
void http_head_field(struct http_head *h, str name, str value);

#endif
