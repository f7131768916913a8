/* The texts of a message row that few messages have, in one column: either the origin alone, or
 * tagged texts, each u8 tag · u16 length · bytes. Tags are below 32; no origin begins with such a
 * byte. */
#ifndef TOQUE_MESSAGE_EXTRA_H
#define TOQUE_MESSAGE_EXTRA_H

#include "common/base/buf.h"
#include "queued/queue_store.h"

/* Fills the row's texts with views of the stored column; of a damaged column, with what can be
 * read. */
void message_extra_read(str stored, struct message_row *m);
/* Returns the column's bytes: a view of the row, or of `out`. */
str message_extra_write(const struct message_row *row, struct buf *out);

#endif
