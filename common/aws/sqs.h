/* Amazon SQS as both daemons know it: topicd forwards its calls, queued runs them.
 *
 * To add an action, add its row here; queued's api.c needs a row for it, too; topicd's front needs
 * nothing. */
#ifndef TOQUE_SQS_H
#define TOQUE_SQS_H

#include "common/aws/call.h"

/* Every action, sorted by name, and the input member that names its queue: url QueueUrl, name
 * QueueName, source SourceArn, task TaskHandle, all none. */
#define SQS_ACTIONS(ACTION)                                                                        \
    ACTION(AddPermission, url)                                                                     \
    ACTION(CancelMessageMoveTask, task)                                                            \
    ACTION(ChangeMessageVisibility, url)                                                           \
    ACTION(ChangeMessageVisibilityBatch, url)                                                      \
    ACTION(CreateQueue, name)                                                                      \
    ACTION(DeleteMessage, url)                                                                     \
    ACTION(DeleteMessageBatch, url)                                                                \
    ACTION(DeleteQueue, url)                                                                       \
    ACTION(GetQueueAttributes, url)                                                                \
    ACTION(GetQueueUrl, name)                                                                      \
    ACTION(ListDeadLetterSourceQueues, url)                                                        \
    ACTION(ListMessageMoveTasks, source)                                                           \
    ACTION(ListQueueTags, url)                                                                     \
    ACTION(ListQueues, all)                                                                        \
    ACTION(PurgeQueue, url)                                                                        \
    ACTION(ReceiveMessage, url)                                                                    \
    ACTION(RemovePermission, url)                                                                  \
    ACTION(SendMessage, url)                                                                       \
    ACTION(SendMessageBatch, url)                                                                  \
    ACTION(SetQueueAttributes, url)                                                                \
    ACTION(StartMessageMoveTask, source)                                                           \
    ACTION(TagQueue, url)                                                                          \
    ACTION(UntagQueue, url)

#define SQS_ACTION_NUMBER(name, queue) SQS_##name,
enum sqs_action { SQS_ACTIONS(SQS_ACTION_NUMBER) SQS_ACTION_COUNT };
#undef SQS_ACTION_NUMBER

/* The service's conventions with these actions (SQS_ACTION_COUNT, in the order of enum sqs_action);
 * the caller fills in faults and owner. */
struct service sqs_service(const struct action actions[SQS_ACTION_COUNT]);

#endif
