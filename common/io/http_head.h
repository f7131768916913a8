/* The head of a request: request line and header fields, parsed strictly as in RFC 9112, since two
 * parsers that disagree about the end of a request allow request smuggling. */
#ifndef TOQUE_HTTP_HEAD_H
#define TOQUE_HTTP_HEAD_H

#include "common/base/err.h"
#include "common/io/http_message.h"

struct http_head {
    struct http_request rq; /* all of it but kind, peer and body; views into the bytes read */
    u64 content_length;     /* 0: no body */
    bool chunked;
    bool old;                        /* HTTP/1.0 */
    bool keeps;                      /* the connection may be used for another request */
    bool expects;                    /* 100-continue */
    str origin, referer, fetch_site; /* p NULL: not given */
    str user_agent, language;        /* Accept-Language; likewise */
    int status;                      /* of a head that is refused */
    const char *why;
    struct http_field fields[HTTP_FIELDS_MAX];
};

/* Reads a head from the beginning of `bytes`. Returns its size, 0 while it is incomplete, or
 * E_FAULT with status and why. *scanned, 0 for a new head, is how far an incomplete one was
 * searched. A head of more than size_max bytes is refused. */
ptrdiff_t http_head_read(struct http_head *h, str bytes, size_t *scanned, size_t size_max);
/* Adjusts every view after the bytes have moved from `from` to `to`. */
void http_head_move(struct http_head *h, const char *from, const char *to);

/* Characters of a token, and those of a field's value (RFC 9110, 5.6.2 and 5.5). */
bool http_is_token(u8 c);
static inline bool http_is_text(u8 c)
{
    return (c >= 0x20 && c != 0x7f) || c == '\t';
}
/* The next member of a comma-separated list, without surrounding blanks; *rest becomes STR_NONE
 * after the last. */
str http_list_next(str *rest);

#endif
