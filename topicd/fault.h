/* The callers' mistakes as Amazon SNS names them; api.c has the table of their public names. */
#ifndef TOQUE_TOPICD_FAULT_H
#define TOQUE_TOPICD_FAULT_H

#include "common/aws/call.h"

enum topicd_fault {
    FAULT_INVALID = CALL_FAULT_OWN, /* InvalidParameter */
    FAULT_VALUE_INVALID,            /* ParameterValueInvalid: message attributes */
    FAULT_VALIDATION,               /* ValidationError: a member of a structure is missing */
    FAULT_NOT_FOUND,
    FAULT_RESOURCE_NOT_FOUND, /* not found, in tag actions */
    FAULT_AUTHORIZATION,
    FAULT_TOPIC_LIMIT,
    FAULT_SUBSCRIPTION_LIMIT,
    FAULT_POLICY_LIMIT,
    FAULT_TAG_LIMIT,
    FAULT_RATE,
    FAULT_ENDPOINT_DISABLED,
    FAULT_APPLICATION_DISABLED,
    FAULT_VERIFICATION, /* a wrong one-time password */
};

/* The beginning of most refusals. */
#define FAULT_PREFIX "Invalid parameter: "
/* Used instead for attributes of CreateTopic and Subscribe. */
#define FAULT_FRAME_CREATE "Invalid parameter: Attributes Reason: "

#endif
