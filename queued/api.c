/* To add an action: a row in sqs.h and one here, its members in members.c, and its handler in its
 * family's file. */
#include "queued/api.h"

#include "common/aws/sqs.h"
#include "queued/access.h"
#include "queued/aids.h"
#include "queued/fault.h"
#include "queued/members.h"

#define READ  ACTION_RESULT
#define WRITE ACTION_WRITES
#define BOTH  (ACTION_RESULT | ACTION_WRITES)
#define GROWS ACTION_GROWS

#define ROW(name, in, run, flags) [SQS_##name] = {#name, in, run, flags}

static const struct action actions[SQS_ACTION_COUNT] = {
    ROW(AddPermission, members_add_permission, api_add_permission, WRITE | GROWS | ACTION_OWNER),
    ROW(CancelMessageMoveTask, members_cancel_move, api_cancel_move, BOTH | ACTION_OWNER),
    ROW(ChangeMessageVisibility, members_change, api_change, WRITE),
    ROW(ChangeMessageVisibilityBatch, members_change_batch, api_change_batch, BOTH),
    ROW(CreateQueue, members_create_queue, api_create_queue,
        BOTH | GROWS | ACTION_NO_QUEUE_PATH | ACTION_OWNER),
    ROW(DeleteMessage, members_delete, api_delete, WRITE),
    ROW(DeleteMessageBatch, members_delete_batch, api_delete_batch, BOTH),
    ROW(DeleteQueue, members_queue_url, api_delete_queue, WRITE | ACTION_OWNER),
    ROW(GetQueueAttributes, members_get_attributes, api_get_attributes, READ | ACTION_UNLOCKS),
    ROW(GetQueueUrl, members_get_queue_url, api_get_queue_url, READ),
    ROW(ListDeadLetterSourceQueues, members_list_sources, api_list_sources, READ),
    ROW(ListMessageMoveTasks, members_list_moves, api_list_moves, READ | ACTION_OWNER),
    ROW(ListQueueTags, members_queue_url, api_list_queue_tags, READ | ACTION_OWNER),
    ROW(ListQueues, members_list_queues, api_list_queues,
        READ | ACTION_NO_QUEUE_PATH | ACTION_OWNER),
    ROW(PurgeQueue, members_queue_url, api_purge_queue, WRITE),
    ROW(ReceiveMessage, members_receive, api_receive, BOTH),
    ROW(RemovePermission, members_remove_permission, api_remove_permission, WRITE | ACTION_OWNER),
    ROW(SendMessage, members_send, api_send, BOTH | GROWS),
    ROW(SendMessageBatch, members_send_batch, api_send_batch, BOTH | GROWS),
    ROW(SetQueueAttributes, members_set_attributes, api_set_attributes,
        WRITE | GROWS | ACTION_OWNER | ACTION_UNLOCKS),
    ROW(StartMessageMoveTask, members_start_move, api_start_move, BOTH | GROWS | ACTION_OWNER),
    ROW(TagQueue, members_tag_queue, api_tag_queue, WRITE | GROWS | ACTION_OWNER),
    ROW(UntagQueue, members_untag_queue, api_untag_queue, WRITE | ACTION_OWNER),
};

#define SQS   "com.amazonaws.sqs#"
#define CORAL "com.amazon.coral.service#"
#define OLD   "AWS.SimpleQueueService."
#define KMS   "KMS."

static const struct fault_name faults[] = {
    {FAULT_NO_QUEUE, 400, SQS "QueueDoesNotExist", OLD "NonExistentQueue",
     "The specified queue does not exist for this wsdl version."},
    {FAULT_QUEUE_EXISTS, 400, SQS "QueueNameExists", "QueueAlreadyExists", NULL},
    {FAULT_QUEUE_DELETED_RECENTLY, 400, SQS "QueueDeletedRecently", OLD "QueueDeletedRecently",
     NULL},
    {FAULT_PURGE_IN_PROGRESS, 403, SQS "PurgeQueueInProgress", OLD "PurgeQueueInProgress", NULL},
    {FAULT_ATTRIBUTE_NAME, 400, SQS "InvalidAttributeName", "InvalidAttributeName", NULL},
    {FAULT_ATTRIBUTE_VALUE, 400, SQS "InvalidAttributeValue", "InvalidAttributeValue", NULL},
    {FAULT_MESSAGE_CONTENTS, 400, SQS "InvalidMessageContents", "InvalidMessageContents", NULL},
    {FAULT_HANDLE_INVALID, 404, SQS "ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", NULL},
    {CALL_FAULT_BATCH_EMPTY, 400, SQS "EmptyBatchRequest", OLD "EmptyBatchRequest", NULL},
    {CALL_FAULT_BATCH_TOO_MANY, 400, SQS "TooManyEntriesInBatchRequest",
     OLD "TooManyEntriesInBatchRequest", NULL},
    {CALL_FAULT_BATCH_IDS_NOT_DISTINCT, 400, SQS "BatchEntryIdsNotDistinct",
     OLD "BatchEntryIdsNotDistinct", NULL},
    {CALL_FAULT_BATCH_ID_INVALID, 400, SQS "InvalidBatchEntryId", OLD "InvalidBatchEntryId", NULL},
    {CALL_FAULT_BATCH_TOO_LONG, 400, SQS "BatchRequestTooLong", OLD "BatchRequestTooLong", NULL},
    {FAULT_NO_RESOURCE, 404, SQS "ResourceNotFoundException", "ResourceNotFoundException", NULL},
    {FAULT_OVER_LIMIT, 403, SQS "OverLimit", "OverLimit", NULL},
    {FAULT_THROTTLED, 403, SQS "RequestThrottled", "RequestThrottled", NULL},
    {FAULT_ADDRESS, 404, SQS "InvalidAddress", "InvalidAddress", NULL},
    {FAULT_SECURITY, 403, SQS "InvalidSecurity", "InvalidSecurity", NULL},
    {FAULT_ID_FORMAT, 400, SQS "InvalidIdFormat", "InvalidIdFormat", NULL},
    {FAULT_NOT_IN_FLIGHT, 400, SQS "MessageNotInflight", OLD "MessageNotInflight", NULL},
    {FAULT_KMS_ACCESS_DENIED, 400, SQS "KmsAccessDenied", KMS "AccessDeniedException", NULL},
    {FAULT_KMS_DISABLED, 400, SQS "KmsDisabled", KMS "DisabledException", NULL},
    {FAULT_KMS_KEY_USAGE, 400, SQS "KmsInvalidKeyUsage", KMS "InvalidKeyUsageException", NULL},
    {FAULT_KMS_STATE, 400, SQS "KmsInvalidState", KMS "InvalidStateException", NULL},
    {FAULT_KMS_NOT_FOUND, 400, SQS "KmsNotFound", KMS "NotFoundException", NULL},
    {FAULT_KMS_OPT_IN, 403, SQS "KmsOptInRequired", KMS "OptInRequired", NULL},
    {FAULT_KMS_THROTTLED, 400, SQS "KmsThrottled", KMS "ThrottlingException", NULL},
    {CALL_FAULT_UNSUPPORTED, 400, SQS "UnsupportedOperation", OLD "UnsupportedOperation", NULL},
    {CALL_FAULT_UNAVAILABLE, 503, CORAL "ServiceUnavailableException", "ServiceUnavailable", NULL},
    {.code = 0},
};

void api_init(struct service *ret, struct queues *qs)
{
    *ret = sqs_service(actions);
    ret->faults = faults;
    ret->owner = qs;
}

int api_no_queue(struct fault *f)
{
    return fault_set(f, FAULT_NO_QUEUE, "The specified queue does not exist.");
}

struct queue *api_queue(struct call *c)
{
    str url = val_text(c->in, "QueueUrl");
    struct queue *q = url.p ? queues_resolve(call_owner(c), url, c->account, c->region) : NULL;
    if (!q)
        api_no_queue(&c->fault);
    else if (access_check_call(c, q) || aids_refuse(c, q))
        return NULL;
    else
        queue_catch_up(q);
    return q;
}
