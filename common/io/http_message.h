/* A request and its response at the level of HTTP, without their meaning. */
#ifndef TOQUE_HTTP_MESSAGE_H
#define TOQUE_HTTP_MESSAGE_H

#include "common/base/address.h"
#include "common/base/buf.h"

/* Most header fields of one request; more are refused with 431. */
#define HTTP_FIELDS_MAX 128
/* Most fields of a response in addition to those that the server writes itself. */
#define HTTP_RESPONSE_FIELDS_MAX 8

/* The kind of endpoint of a connection. */
enum http_kind { HTTP_TCP, HTTP_TLS, HTTP_UNIX };

struct http_field {
    str name, value; /* the value without blanks around it */
};

/* A complete request without its framing. All views live until the response is given. */
struct http_request {
    enum http_kind kind;
    struct address peer; /* family 0: none */
    str method;
    str path;   /* as received, undecoded; never empty */
    str query;  /* after the '?', without it */
    str host;   /* the target's authority, otherwise the Host field; "" if neither is given */
    str origin; /* of the web page that was accepted; "" if none */
    const struct http_field *fields; /* in their order, repeated ones too */
    u32 field_count;
    str body;
};

struct http_response {
    int status;
    const char *content_type;                           /* a static text; NULL: no body */
    struct http_field fields[HTTP_RESPONSE_FIELDS_MAX]; /* views valid until it is sent */
    u32 field_count;
    struct buf body; /* the response owns it */
};

static inline void http_response_add(struct http_response *r, const char *name, str value)
{
    assert(r->field_count < HTTP_RESPONSE_FIELDS_MAX);
    r->fields[r->field_count++] = (struct http_field){str_of(name), value};
}

#endif
