/* The text of a call at the ipc endpoint, and of its answer:
 *
 *   {"target":"AmazonSQS.SendMessage","input":{…}}      account and region: optional members
 *   {"status":200,"output":{…}}
 *   {"status":400,"error":{"__type":"…","message":"…","code":"…"}}
 *
 * SNS calls are "AmazonSNS.Publish" with the members of the Query protocol. */
#ifndef TOQUE_IPC_REQUEST_H
#define TOQUE_IPC_REQUEST_H

#include "common/base/err.h"
#include "common/aws/request.h"

/* Longest target, account or region in bytes as written; longer ones are unknown. */
#define IPC_NAME_SIZE_MAX 256

/* A parsed call. The views point into the text, or into `names` where escapes were decoded. */
struct ipc_request {
    str target, account, region; /* "" if absent */
    str input;                   /* the object as written; "{}" if absent */
    char names[3][IPC_NAME_SIZE_MAX];
};

/* 0, or E_INVALID with a static text that says what is wrong. */
int ipc_request_read(str text, struct ipc_request *ret, const char **ret_why);

/* {"status":…,"output":…} or {"status":…,"error":…} */
void ipc_answer_write(struct buf *out, const struct answer *a);

#endif
