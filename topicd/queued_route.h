/* The route to queues: what is published in one turn goes to each queued concerned as one DELIVER
 * frame, with every message once and the list of its targets. Frames grow while the turn gathers
 * and are handed to their links when its commit is done. */
#ifndef TOQUE_QUEUED_ROUTE_H
#define TOQUE_QUEUED_ROUTE_H

#include "topicd/directory.h"
#include "topicd/queued_link.h"
#include "topicd/route.h"

/* A frame that reaches this size is closed and another one begun. Small enough to travel while the
 * next is made, large enough to share its cost among thousands of targets. */
#define QUEUED_ROUTE_FRAME_SIZE ((size_t)1 << 20)

/* This turn's frames for one queued. */
struct queued_frames {
    struct delivery_batch *open; /* the one that grows, or NULL */
    bool begun;                  /* the publication in hand is in it */
    struct list closed;          /* full ones, in order */
};

struct queued_route {
    struct route route;
    struct directory *directory;
    struct queued_link **links;
    u32 link_count;
    size_t frame_size; /* QUEUED_ROUTE_FRAME_SIZE; tests make it small */
    struct queued_frames *frames;
    u64 closed_bytes; /* of the closed frames */
    u64 refused_raw;  /* ever, for the statistics: raw messages with too many attributes */
};

void queued_route_init(struct queued_route *r, struct directory *d, struct queued_link **links,
                       u32 link_count);
/* No publish may be under way. */
void queued_route_deinit(struct queued_route *r);

#endif
