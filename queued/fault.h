/* The callers' mistakes as Amazon SQS names them; api.c has the table of their public names. */
#ifndef TOQUE_QUEUED_FAULT_H
#define TOQUE_QUEUED_FAULT_H

#include "common/aws/call.h"

enum queued_fault {
    FAULT_NO_QUEUE = CALL_FAULT_OWN,
    FAULT_QUEUE_EXISTS,
    FAULT_QUEUE_DELETED_RECENTLY,
    FAULT_PURGE_IN_PROGRESS,
    FAULT_ATTRIBUTE_NAME,
    FAULT_ATTRIBUTE_VALUE,
    FAULT_MESSAGE_CONTENTS,
    FAULT_HANDLE_INVALID,
    FAULT_OVER_LIMIT,
    FAULT_THROTTLED,
    FAULT_NO_RESOURCE,
};

#endif
