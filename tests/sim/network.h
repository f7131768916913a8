/* The network between the daemons: a route for every link address, and what happens on it. It takes
 * the place of common/io/stream.c. Bytes of one direction arrive in order, in pieces of any size. */
#ifndef TOQUE_SIM_NETWORK_H
#define TOQUE_SIM_NETWORK_H

#include "common/base/base.h"

struct node;
struct incarnation;

void network_begin(void);
void network_end(void);
/* Links over this address from now on. */
void network_route(const char *url);

/* What a route does wrong. The two directions are those of the bytes: from whoever dials, to him. */
enum network_way { NETWORK_FROM_DIALER, NETWORK_TO_DIALER };
/* Every connection ends, in mid-frame; none is made until it is mended. */
void network_cut(const char *url, bool cut);
/* Nothing arrives, and nobody is told; it comes when the route is mended. */
void network_hold(const char *url, enum network_way way, bool hold);
/* What is sent next that way, on every connection, ends somewhere, and so does the connection. */
void network_truncate(const char *url, enum network_way way);
/* Another connection, which begins as the last one did, and ends or falls silent somewhere. */
void network_double(const char *url);
/* Everything takes so much longer. */
void network_slow(const char *url, i64 latency_us);

/* The incarnation is gone: its connections end. Without power, nobody tells the other sides before
 * the node is up again. */
void network_sever(struct incarnation *of, bool silently);
void network_is_up(struct node *n);

/* In all runs. */
extern u64 network_bytes, network_connections, network_truncated, network_doubled;

#endif
