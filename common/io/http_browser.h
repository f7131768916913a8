/* Which web pages may use an endpoint. A browser lets any page send requests to this machine, and
 * names the page's site in header fields (Origin, Referer, Sec-Fetch-Site). Programs send none of
 * them and always pass.
 *
 * A page is accepted when its origin is listed. Its request must also name an address, localhost or
 * a configured host: a name of the page's own that resolves to this machine would make the endpoint
 * part of the page's origin (DNS rebinding). That holds as well where a browser names no site: over
 * plain HTTP it does so for names of this machine only, and is known by its User-Agent and
 * Accept-Language. There it calls no action. */
#ifndef TOQUE_HTTP_BROWSER_H
#define TOQUE_HTTP_BROWSER_H

#include "common/io/http_head.h"

/* Texts live as long as the server. */
struct http_browsers {
    /* "http://host:port" as browsers spell it; "loopback": pages of this machine, any port; "*": any
     * page; "null": pages without an origin (files, sandboxes). */
    const char *const *origins;
    u32 origin_count;
    const char *const *hosts; /* names, without ports, beside addresses and localhost */
    u32 host_count;
};

enum http_browser_verdict {
    HTTP_NO_BROWSER,  /* no sign that it comes from a page */
    HTTP_BROWSER,     /* let in */
    HTTP_PREFLIGHT,   /* an accepted preflight: OPTIONS that asks for a method */
    HTTP_BROWSER_OUT, /* *ret_why */
};

/* Judges a head; where its page is let in and has an origin, h->rq.origin becomes it. */
enum http_browser_verdict http_browser_judge(const struct http_browsers *b, struct http_head *h,
                                             const char **ret_why);
/* The fields that tell the browser so. */
void http_browser_allow(const struct http_head *h, struct http_response *r);

#endif
