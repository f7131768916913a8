/* The errors of Amazon SQS that a caller can get; api.c has the table of their public names. */
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
    /* In the service's model, but returned by test aids only. */
    FAULT_ADDRESS,
    FAULT_SECURITY,
    FAULT_ID_FORMAT,
    FAULT_NOT_IN_FLIGHT,
    FAULT_KMS_ACCESS_DENIED,
    FAULT_KMS_DISABLED,
    FAULT_KMS_KEY_USAGE,
    FAULT_KMS_STATE,
    FAULT_KMS_NOT_FOUND,
    FAULT_KMS_OPT_IN,
    FAULT_KMS_THROTTLED,
};

#endif
