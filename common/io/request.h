/* What a door took in, before anybody knows what it means, and what goes back out through it. Every
 * door (HTTP over TCP, HTTP over a Unix socket, the ipc door, the link for forwarded calls) makes a
 * struct request and takes a struct answer, so behind the doors there is only one road. */
#ifndef TOQUE_REQUEST_H
#define TOQUE_REQUEST_H

#include "common/base/buf.h"
#include "common/base/id.h"
#include "common/base/str.h"

enum door { DOOR_TCP, DOOR_UNIX, DOOR_IPC, DOOR_LINK };

/* All views are borrowed from the door and live until the answer was given or the client is gone.
 */
struct request {
    enum door door;
    str method; /* "GET", "POST"; "CALL" for the ipc door's JSON calls */
    str path;   /* decoded no further than the wire has it, without the query */
    str query;  /* behind the '?', without it */
    str host;   /* Host header, "" where there is none */
    str target; /* X-Amz-Target */
    str content_type;
    str accept;
    str authorization;
    str trace_id; /* X-Amzn-Trace-Id */
    str account;  /* ipc door and link: account and region stated outright; else "" */
    str region;
    str body;
};

enum answer_type { ANSWER_AWS_JSON, ANSWER_XML, ANSWER_JSON };

/* One answer. body belongs to it. */
struct answer {
    int status;
    enum answer_type type;
    char query_error[160]; /* x-amzn-query-error, "" for none */
    char request_id[ID_UUID_SIZE];
    struct buf body;
};

#endif
