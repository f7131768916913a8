/* Request line and header fields as the server needs them itself. http_server.c's own, apart from
 * the library. */
#ifndef TOQUE_HTTP_HEAD_H
#define TOQUE_HTTP_HEAD_H

#include "common/io/http_message.h"

struct http_head {
    struct http_request rq; /* all of it but kind, peer, method and body */
    u64 content_length;     /* 0 where it is not stated */
    bool expects;           /* Expect: 100-continue */
    bool too_many;          /* more fields than HTTP_FIELDS_MAX */
    struct http_field fields[HTTP_FIELDS_MAX];
};

void http_head_init(struct http_head *h);
/* The request line's target; one in absolute form (RFC 9112, 3.2.2) loses its authority. */
void http_head_uri(struct http_head *h, str uri);
void http_head_field(struct http_head *h, str name, str value);

#endif
