/* A publication that came over the link, put into the queues it is for: its body once, a light row
 * for each queue. */
#ifndef TOQUE_INTAKE_H
#define TOQUE_INTAKE_H

#include "common/aws/frame.h"
#include "queued/queues.h"

/* What became of a DELIVER's targets. */
struct intake {
    u64 delivered; /* messages made */
    u64 unfit; /* that cannot take it: FIFO queues what has no group; raw, more attributes than a message
                  * may have */
    struct frame_place *rejected; /* those that get no message, in order */
    u32 rejected_n, rejected_cap;
    u64 counts[FRAME_REJECTIONS]; /* of them, by why */
};

void intake_deinit(struct intake *in);
/* What was rejected before. */
void intake_reject(struct intake *in, struct frame_place place);
/* Adds to `in`. The publication's lists were checked (frame_read_deliver); it is the number-th of
 * its frame, from 0. */
void intake_publication(struct intake *in, struct queues *qs, const struct frame_publication *p,
                        u32 number);
#endif
