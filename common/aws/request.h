/* An AWS API request that is not parsed yet, and its answer. Every endpoint (HTTP over TCP or a
 * Unix socket, the ipc endpoint, the link for forwarded calls) converts its requests to struct
 * request and is given a struct answer, so all further processing is common. */
#ifndef TOQUE_REQUEST_H
#define TOQUE_REQUEST_H

#include "common/base/buf.h"
#include "common/base/id.h"
#include "common/base/str.h"
#include "common/io/http_message.h"

enum door { DOOR_TCP, DOOR_UNIX, DOOR_IPC, DOOR_LINK };

/* All views are borrowed and live until the reply. */
struct request {
    enum door door;
    bool secure;         /* it came over TLS */
    struct address peer; /* the client's; family 0: unknown */
    str method;          /* "GET", "POST"; "CALL" for JSON calls of the ipc endpoint */
    str path;            /* as on the wire, not decoded, without the query */
    str query;           /* what follows the '?' */
    str host;            /* Host header, "" where there is none */
    str target;          /* X-Amz-Target */
    str content_type;
    str accept;
    str authorization;
    str trace_id; /* X-Amzn-Trace-Id */
    str account;  /* ipc endpoint and link: explicit account and region; else "" */
    str region;
    str user; /* link: the caller's user, whose signature topicd verified; else "" */
    str body;
    const struct http_field *headers; /* HTTP: all of them in order; else none */
    u32 header_count;
};

/* A request in which every text is "". */
static inline struct request request_blank(enum door door)
{
    str none = STR("");
    return (struct request){.door = door,
                            .method = none,
                            .path = none,
                            .query = none,
                            .host = none,
                            .target = none,
                            .content_type = none,
                            .accept = none,
                            .authorization = none,
                            .trace_id = none,
                            .account = none,
                            .region = none,
                            .user = none,
                            .body = none};
}

enum answer_type { ANSWER_AWS_JSON, ANSWER_XML, ANSWER_JSON };

/* An answer; owns body. */
struct answer {
    int status;
    enum answer_type type;
    char query_error[160]; /* x-amzn-query-error, "" for none */
    char request_id[ID_UUID_SIZE];
    struct buf body;
};

/* What happened to an answer: it was sent to the client; is still being sent; was not sent at all;
 * was sent in part; or the turn, and with it the call's effects, was lost. */
enum call_outcome { CALL_SENT, CALL_SENDING, CALL_LOST, CALL_CUT, CALL_UNDONE };

#endif
