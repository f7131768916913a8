/* A request to an AWS API before it is read, and the answer to it. Whatever a call came through
 * (HTTP over TCP or a Unix socket, the ipc endpoint, the link for forwarded calls), it becomes a
 * struct request and is answered by a struct answer, so behind the endpoints there is one path. */
#ifndef TOQUE_REQUEST_H
#define TOQUE_REQUEST_H

#include "common/base/buf.h"
#include "common/base/id.h"
#include "common/base/str.h"
#include "common/io/http_message.h"

enum door { DOOR_TCP, DOOR_UNIX, DOOR_IPC, DOOR_LINK };

/* All views are borrowed and live until the answer was given or the client is gone. */
struct request {
    enum door door;
    bool secure;         /* it came over TLS */
    struct address peer; /* the client's; family 0 where it has none */
    str method;          /* "GET", "POST"; "CALL" for the ipc door's JSON calls */
    str path;            /* decoded no further than the wire has it, without the query */
    str query;           /* behind the '?', without it */
    str host;            /* Host header, "" where there is none */
    str target;          /* X-Amz-Target */
    str content_type;
    str accept;
    str authorization;
    str trace_id; /* X-Amzn-Trace-Id */
    str account;  /* ipc door and link: account and region stated outright; else "" */
    str region;
    str body;
    const struct http_field *headers; /* all of them, as they came; none but with HTTP */
    u32 header_count;
};

/* One that says nothing yet: every text is "". */
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
                            .body = none};
}

enum answer_type { ANSWER_AWS_JSON, ANSWER_XML, ANSWER_JSON };

/* One answer. body belongs to it. */
struct answer {
    int status;
    enum answer_type type;
    char query_error[160]; /* x-amzn-query-error, "" for none */
    char request_id[ID_UUID_SIZE];
    struct buf body;
};

/* What became of an answer: it is on its way to the client, or will be, or none of it is, or only a
 * part; or the turn was lost and with it what was done for the call. */
enum call_outcome { CALL_SENT, CALL_SENDING, CALL_LOST, CALL_CUT, CALL_UNDONE };

#endif
