/* Shared by message.c, which knows the formats, and message_attrs.c, which reads attribute maps. All
 * return 0 or E_INVALID. */
#ifndef TOQUE_FILTER_CTL_MESSAGE_PARTS_H
#define TOQUE_FILTER_CTL_MESSAGE_PARTS_H

#include "filter/ctl/message.h"

/* Refuses the line; `p` is the position of the error if it lies within the line. */
int message_refuse(struct message_reader *r, const char *p, const char *why);
/* Refuses the line for what the scanner found. */
int message_refuse_scan(struct message_reader *r, const struct scan *s);
/* The whole value whose first token was just read. */
int message_value_rest(struct message_reader *r, struct scan *s, enum scan_token token, str *ret);
/* The value of MessageAttributes, whose first token was just read: into r->attrs. */
int message_read_attr_map(struct message_reader *r, struct scan *s, enum scan_token token);

#endif
