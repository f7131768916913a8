/* The content of a message as the bytes of a body row: written once, read at each receive. A row is
 * either a sent message, or a publication that one or more queues share; a publication is rendered
 * for the subscription that delivered it, raw or in its envelope.
 *
 *   row:          u8 version · u8 kind · u16 attributes · u64 digest of all that follows, and then
 *   message:      32 bytes of the body's digest · group id · trace header · attributes ·
 *                 body to the end
 *   FIFO message: the same, with the deduplication id after the group id
 *   publication:  i64 time · topic · message id · subject · FIFO part (frame.h) ·
 *                 trace header · public URL · attributes as on the link · message to the end
 *
 * Rows of version 1 have no row digest; in message rows of that version the body's digest is
 * checked. A changed byte on disk thus makes a row unreadable; it never yields a different message.
 *
 * Integers are little-endian. A text is a u32 length and its bytes. An attribute is three texts. */
#ifndef TOQUE_CONTENT_H
#define TOQUE_CONTENT_H

#include "common/aws/frame.h"
#include "queued/message_attr.h"

struct content {
    str body;
    char md5[HASH_MD5_HEX]; /* of the body */
    struct message_attrs attrs;
    str group_id; /* "": none; likewise dedup_id */
    str dedup_id;
    str trace_header;  /* "" for none */
    bool is_published; /* it came through a topic: the SenderId is that of SNS */
};

/* Replaces the contents of `out` with the row of a message. */
void content_write(struct buf *out, const struct content *c);
/* Likewise the row of a publication, without its targets. */
void content_write_publication(struct buf *out, const struct frame_publication *p);

/* Reads a row. `raw` and `subscription` (ARN) determine how a publication is rendered, into `work`;
 * the views in `ret` point into `work` and the row. E_INVALID: the row is damaged. E_NEWER: it is
 * of a later version. */
int content_read(str row, bool raw, str subscription, struct buf *work,
                 struct content *ret) MUST_CHECK;

/* The part of a subscription's ARN that a message row keeps: what follows the topic's ARN and a
 * colon, or the whole ARN if it has another prefix. */
str content_origin(str topic, str subscription);

#endif
