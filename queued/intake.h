/* Puts a publication from the link into its target queues: the body is stored once, with a small
 * message row for each queue. */
#ifndef TOQUE_INTAKE_H
#define TOQUE_INTAKE_H

#include "common/aws/frame.h"
#include "queued/queues.h"

/* The results of a DELIVER's targets. */
struct intake {
    u64 delivered; /* messages made */
    u64 unfit;     /* targets that cannot take it: a FIFO queue without a group; raw delivery with
                * too many attributes */
    struct frame_place *rejected; /* the targets that get no message, in order */
    u32 rejected_n, rejected_cap;
    u64 counts[FRAME_REJECTIONS]; /* of the rejected ones, by reason */
};

void intake_deinit(struct intake *in);
/* What was rejected before. */
void intake_reject(struct intake *in, struct frame_place place);
/* Adds the results to `in`. frame_read_deliver has checked the publication's lists. `number`: its
 * index in the frame, from 0. */
void intake_publication(struct intake *in, struct queues *qs, const struct frame_publication *p,
                        u32 number);
#endif
