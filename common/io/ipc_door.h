/* The local call endpoint: an nng REP socket at an ipc:// address, for programs that have nng and
 * want no HTTP. A call is a message and so is its answer; what they say is the handler's. Many
 * calls, long polls among them, are under way at once. A client whose pipe goes away is told
 * to the handler as gone. A request over the bound ends the client's connection. Calls, and answers
 * that are not read, count against `budget`. */
#ifndef TOQUE_IPC_DOOR_H
#define TOQUE_IPC_DOOR_H

#include "common/base/err.h"
#include "common/io/budget.h"
#include "common/io/loop.h"

#include "common/base/buf.h"

struct ipc_door;
struct ipc_exchange;

struct ipc_handler {
    /* A call; its text lives until it is answered. Answer exactly once, now or later. */
    void (*request)(void *arg, struct ipc_exchange *x, str text);
    void (*gone)(void *arg, struct ipc_exchange *x);
    void *arg;
};

struct ipc_limits {
    u32 message_size_max; /* bytes of one call */
    u32 answer_timeout_s; /* for a client to go on reading */
};

int ipc_door_open(struct ipc_door **ret, struct loop *l, const char *url,
                  const struct ipc_limits *limits, struct budget *budget,
                  struct ipc_handler handler, struct fault *f) MUST_CHECK;
u32 ipc_door_waiting(const struct ipc_door *d);
void ipc_door_close(struct ipc_door *d);

void ipc_exchange_set_data(struct ipc_exchange *x, void *data);
void *ipc_exchange_data(const struct ipc_exchange *x);
/* False: its client is gone, or cut off since there is no room for what it does not read. */
bool ipc_answer(struct ipc_exchange *x, str text);

#endif
