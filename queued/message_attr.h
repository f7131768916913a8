/* User attributes of a message as a send gives them: read and checked. Rules and texts as Amazon SQS
 * has them ("Amazon SQS message metadata", and what the service was seen to answer). */
#ifndef TOQUE_QUEUED_MESSAGE_ATTR_H
#define TOQUE_QUEUED_MESSAGE_ATTR_H

#include "common/aws/call.h"
#include "common/aws/message_attr.h"

/* The MessageAttributes map of a send (NULL: none), checked. Views point into it. E_FAULT and `f`.
 */
int message_attrs_read(const struct val *map, struct message_attrs *ret,
                       struct fault *f) MUST_CHECK;
/* The MessageSystemAttributes map: AWSTraceHeader alone is known. *ret is its value, or "". */
int message_attrs_read_system(const struct val *map, str *ret, struct fault *f) MUST_CHECK;

#endif
