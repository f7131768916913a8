/* The local call door: an nng REP socket at an ipc:// address that takes the API's calls as JSON,
 * for programs that have nng and want no HTTP:
 *
 *   {"target":"AmazonSQS.SendMessage","input":{…}}      account and region: optional members
 *   {"status":200,"output":{…}}
 *   {"status":400,"error":{"__type":"…","message":"…","code":"…"}}
 *
 * SNS calls are "AmazonSNS.Publish" with the members of the Query protocol. Many calls, long
 * polls among them, are under way at once. A client whose pipe goes away is told
 * to the handler as gone. A request over the bound ends the client's connection. */
#ifndef TOQUE_IPC_DOOR_H
#define TOQUE_IPC_DOOR_H

#include "common/base/err.h"
#include "common/io/loop.h"
#include "common/io/request.h"

struct ipc_door;
struct ipc_exchange;

struct ipc_handler {
    /* rq->method is "CALL", rq->target, account, region are set and rq->body is the text of
     * "input". Answer exactly once. */
    void (*request)(void *arg, struct ipc_exchange *x, const struct request *rq);
    void (*gone)(void *arg, struct ipc_exchange *x);
    void *arg;
};

struct ipc_limits {
    u32 message_size_max; /* bytes of one call */
    u32 waiting_max;      /* calls under way; above it 503 at once */
};

int ipc_door_open(struct ipc_door **ret, struct loop *l, const char *url,
                  const struct ipc_limits *limits, struct ipc_handler handler,
                  struct fault *f) MUST_CHECK;
u32 ipc_door_waiting(const struct ipc_door *d);
void ipc_door_close(struct ipc_door *d);

void ipc_exchange_set_data(struct ipc_exchange *x, void *data);
void *ipc_exchange_data(const struct ipc_exchange *x);
/* Takes the answer's body. */
void ipc_answer(struct ipc_exchange *x, struct answer *a);

#endif
