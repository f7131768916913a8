/* What a message says, as the bytes of a body row: written once, read at each receive. Either a
 * message that somebody sent, or a publication that one or many queues hold and that is rendered,
 * raw or in its envelope, for the queue that gives it out.
 *
 *   message:      u8 version · u8 kind · u16 attributes · 32 bytes of the body's digest ·
 *                 group id · trace header · attributes · body to the end
 *   FIFO message: the same, with the deduplication id behind the group id
 *   publication:  u8 version · u8 kind · u16 attributes · i64 time · topic · message id · subject ·
 *                 group id · dedup id · trace header · public URL · attributes as on the link ·
 *                 message to the end
 *
 * Integers are little-endian, a text is u32 length and bytes, an attribute three texts. */
#ifndef TOQUE_CONTENT_H
#define TOQUE_CONTENT_H

#include "common/aws/frame.h"
#include "queued/message_attr.h"

struct content {
    str body;
    char md5[HASH_MD5_HEX]; /* of the body */
    struct message_attrs attrs;
    str group_id; /* "" for none, as dedup_id */
    str dedup_id;
    str trace_header;  /* "" for none */
    bool is_published; /* came through a topic: the sender is the notification service */
};

/* Makes `out`, emptied first, the row of a message. */
void content_write(struct buf *out, const struct content *c);
/* The row of a publication; its targets are not part of it. */
void content_write_publication(struct buf *out, const struct frame_publication *p);

/* Reads a row. `raw` and `subscription` (ARN) say how a publication is rendered; `work` holds what
 * is rendered, the views of `ret` point into it and into the row. E_INVALID for a damaged row,
 * E_NEWER for one of a later version. */
int content_read(str row, bool raw, str subscription, struct buf *work,
                 struct content *ret) MUST_CHECK;

/* What a message row keeps of a subscription's ARN: the part behind the topic's and its colon, or
 * all of it where it does not begin so. */
str content_origin(str topic, str subscription);

#endif
