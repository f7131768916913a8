/* What network.c and network_stream.c share. */
#ifndef TOQUE_SIM_NETWORK_PIPE_H
#define TOQUE_SIM_NETWORK_PIPE_H

#include "common/base/buf.h"
#include "common/io/stream.h"
#include "tests/sim/network.h"
#include "tests/sim/node.h"

struct route;

/* A connection. End 0 dialed, end 1 listened; way i is what end i sends. */
struct pipe {
    struct list link; /* of its route */
    struct route *route;
    struct stream *ends[2];
    struct node *nodes[2];
    u64 under_way[2]; /* bytes */
    i64 last_us[2];   /* when the last segment arrives */
    u32 refs;
    bool opened;                    /* the first bytes of its dialer are sent */
    bool broken;                    /* nothing arrives any more */
    bool silent;                    /* one end lost its power and told nobody */
    bool truncate[2], truncated[2]; /* what is sent next is cut off; nothing follows it */
};

/* network.c */
struct route *network_find(const char *url);
bool network_is_closed(const struct route *r);
bool network_is_held(const struct route *r);
i64 network_latency_us(const struct route *r);
struct pipe *pipe_new(struct route *r, struct stream *dialer, struct stream *listener);
void pipe_put(struct pipe *p, int way, str bytes);
void pipe_leave(struct pipe *p, int end, bool silently);
/* Connections that this node left silently end for the other side, too. */
void network_broken(struct node *n);

/* network_stream.c */
void network_streams_begin(void);
/* A connection with whoever listens there, from nowhere; NULL: nobody listens. */
struct pipe *network_connect(struct route *r, const char *url);
/* Bytes came, or the end. */
void network_arrived(struct stream *to, str bytes, bool end);
/* Something of what it sent has arrived. */
void network_may_send(struct stream *s);

#endif
