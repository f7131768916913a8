/* A publication that came over the link, put into the queues it is for: its body once, a light row
 * for each queue. */
#ifndef TOQUE_INTAKE_H
#define TOQUE_INTAKE_H

#include "common/aws/frame.h"
#include "queued/queues.h"

struct intake_count {
    u64 delivered; /* messages made */
    u64 unknown;   /* targets whose queue is not here any more */
    u64 unfit;     /* raw targets of a publication with more attributes than a message may have */
};

/* Adds to `count`. The publication's lists were checked (frame_read_deliver). */
void intake_publication(struct queues *qs, const struct frame_publication *p,
                        struct intake_count *count);

#endif
