/* What a daemon's options say that it needs, and the sandbox around that (common/io/sandbox.h). */
#ifndef TOQUE_SERVER_SANDBOX_H
#define TOQUE_SERVER_SANDBOX_H

#include "common/aws/server_options.h"

/* Call it when the data directory is there, and before any thread is started. `link_url`: the address
 * at which the daemon listens for its peers, "" for none. What the kernel lacks is logged. */
void server_sandbox_enter(const struct server_options *o, const char *link_url);

#endif
