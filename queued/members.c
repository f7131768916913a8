/* In the Query protocol lists and maps are flattened and have singular names. AttributeNames and
 * MessageSystemAttributeNames have the same wire name there, which is read as AttributeNames; the
 * latter is read from the longer name that some clients send. */
#include "queued/members.h"

#define END                                                                                        \
    {                                                                                              \
        .name = NULL                                                                               \
    }
#define TEXT(member)                                                                               \
    {                                                                                              \
        .name = member, .type = VAL_STRING                                                         \
    }
#define INT(member)                                                                                \
    {                                                                                              \
        .name = member, .type = VAL_INT                                                            \
    }
#define TEXTS(member, wire)                                                                        \
    {                                                                                              \
        .name = member, .query = wire, .type = VAL_LIST, .of = VAL_STRING                          \
    }

#define ATTRIBUTES                                                                                 \
    {                                                                                              \
        .name = "Attributes", .query = "Attribute", .type = VAL_MAP, .of = VAL_STRING              \
    }
#define MESSAGE_ATTRIBUTES(member, wire)                                                           \
    {                                                                                              \
        .name = member, .query = wire, .type = VAL_MAP, .of = VAL_STRUCT, .members = value         \
    }
#define TAGS(member)                                                                               \
    {                                                                                              \
        .name = member, .query = "Tag", .type = VAL_MAP, .of = VAL_STRING, .query_key = "Key",     \
        .query_value = "Value"                                                                     \
    }
#define ENTRIES(wire, entry)                                                                       \
    {                                                                                              \
        .name = "Entries", .query = wire, .type = VAL_LIST, .of = VAL_STRUCT, .members = entry     \
    }

static const struct member value[] = {
    TEXT("DataType"),
    TEXT("StringValue"),
    {.name = "BinaryValue", .type = VAL_BLOB},
    TEXTS("StringListValues", "StringListValue.StringListValue"),
    {.name = "BinaryListValues",
     .query = "BinaryListValue.BinaryListValue",
     .type = VAL_LIST,
     .of = VAL_BLOB},
    END,
};

static const struct member send_entry[] = {
    TEXT("Id"),
    TEXT("MessageBody"),
    INT("DelaySeconds"),
    MESSAGE_ATTRIBUTES("MessageAttributes", "MessageAttribute"),
    MESSAGE_ATTRIBUTES("MessageSystemAttributes", "MessageSystemAttribute"),
    TEXT("MessageDeduplicationId"),
    TEXT("MessageGroupId"),
    END,
};

static const struct member delete_entry[] = {TEXT("Id"), TEXT("ReceiptHandle"), END};

static const struct member change_entry[] = {
    TEXT("Id"),
    TEXT("ReceiptHandle"),
    INT("VisibilityTimeout"),
    END,
};

const struct member members_create_queue[] = {
    TEXT("QueueName"),
    ATTRIBUTES,
    TAGS("tags"),
    END,
};

const struct member members_queue_url[] = {TEXT("QueueUrl"), END};

const struct member members_get_queue_url[] = {
    TEXT("QueueName"),
    TEXT("QueueOwnerAWSAccountId"),
    END,
};

const struct member members_list_queues[] = {
    TEXT("QueueNamePrefix"),
    INT("MaxResults"),
    TEXT("NextToken"),
    END,
};

const struct member members_list_sources[] = {
    TEXT("QueueUrl"),
    INT("MaxResults"),
    TEXT("NextToken"),
    END,
};

const struct member members_start_move[] = {
    TEXT("SourceArn"),
    TEXT("DestinationArn"),
    INT("MaxNumberOfMessagesPerSecond"),
    END,
};

const struct member members_cancel_move[] = {TEXT("TaskHandle"), END};

const struct member members_list_moves[] = {TEXT("SourceArn"), INT("MaxResults"), END};

const struct member members_redrive[] = {
    TEXT("MessageId"),
    TEXT("MessageBody"),
    MESSAGE_ATTRIBUTES("MessageAttributes", "MessageAttribute"),
    TEXT("DestinationArn"),
    END,
};

const struct member members_get_attributes[] = {
    TEXT("QueueUrl"),
    TEXTS("AttributeNames", "AttributeName"),
    END,
};

const struct member members_set_attributes[] = {TEXT("QueueUrl"), ATTRIBUTES, END};

const struct member members_add_permission[] = {
    TEXT("QueueUrl"),
    TEXT("Label"),
    TEXTS("AWSAccountIds", "AWSAccountId"),
    TEXTS("Actions", "ActionName"),
    END,
};

const struct member members_remove_permission[] = {TEXT("QueueUrl"), TEXT("Label"), END};

const struct member members_tag_queue[] = {TEXT("QueueUrl"), TAGS("Tags"), END};

const struct member members_untag_queue[] = {TEXT("QueueUrl"), TEXTS("TagKeys", "TagKey"), END};

const struct member members_send[] = {
    TEXT("QueueUrl"),
    TEXT("MessageBody"),
    INT("DelaySeconds"),
    MESSAGE_ATTRIBUTES("MessageAttributes", "MessageAttribute"),
    MESSAGE_ATTRIBUTES("MessageSystemAttributes", "MessageSystemAttribute"),
    TEXT("MessageDeduplicationId"),
    TEXT("MessageGroupId"),
    END,
};

const struct member members_send_batch[] = {
    TEXT("QueueUrl"),
    ENTRIES("SendMessageBatchRequestEntry", send_entry),
    END,
};

const struct member members_receive[] = {
    TEXT("QueueUrl"),
    TEXTS("AttributeNames", "AttributeName"),
    TEXTS("MessageSystemAttributeNames", "MessageSystemAttributeName"),
    TEXTS("MessageAttributeNames", "MessageAttributeName"),
    INT("MaxNumberOfMessages"),
    INT("VisibilityTimeout"),
    INT("WaitTimeSeconds"),
    TEXT("ReceiveRequestAttemptId"),
    END,
};

const struct member members_delete[] = {TEXT("QueueUrl"), TEXT("ReceiptHandle"), END};

const struct member members_delete_batch[] = {
    TEXT("QueueUrl"),
    ENTRIES("DeleteMessageBatchRequestEntry", delete_entry),
    END,
};

const struct member members_change[] = {
    TEXT("QueueUrl"),
    TEXT("ReceiptHandle"),
    INT("VisibilityTimeout"),
    END,
};

const struct member members_change_batch[] = {
    TEXT("QueueUrl"),
    ENTRIES("ChangeMessageVisibilityBatchRequestEntry", change_entry),
    END,
};
