/* The local call endpoint: an nng REP socket at an ipc:// address, for programs that use nng
 * instead of HTTP. A call is a message and so is its answer; the handler defines their content.
 * Many calls, including long polls, may be pending at once. The handler is notified when a client's
 * pipe closes. A request over the bound closes the client's connection. Calls and unread answers
 * count against `budget`. */
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
/* False: its client is gone, or was disconnected since the budget has no room for what it does not
 * read. */
bool ipc_answer(struct ipc_exchange *x, str text);

#endif
