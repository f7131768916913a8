/* Reads and checks the user attributes of a sent message. Rules and texts follow Amazon SQS
 * ("Amazon SQS message metadata", and recorded answers of the service). */
#ifndef TOQUE_QUEUED_MESSAGE_ATTR_H
#define TOQUE_QUEUED_MESSAGE_ATTR_H

#include "common/aws/call.h"
#include "common/aws/message_attr.h"

/* Reads and checks the MessageAttributes map of a send (NULL: none). `ret` holds views of the map.
 * E_FAULT: `f` is set. */
int message_attrs_read(const struct val *map, struct message_attrs *ret,
                       struct fault *f) MUST_CHECK;
/* The MessageSystemAttributes map: AWSTraceHeader is the only known name. *ret is its value, or "".
 * E_FAULT: `f` is set. */
int message_attrs_read_system(const struct val *map, str *ret, struct fault *f) MUST_CHECK;

#endif
