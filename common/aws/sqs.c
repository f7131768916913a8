#include "common/aws/sqs.h"

#include "common/aws/queue_place.h"

struct service sqs_service(const struct action actions[SQS_ACTION_COUNT])
{
    return (struct service){.signing_name = "sqs",
                            .target_prefix = "AmazonSQS.",
                            .query_version = "2012-11-05",
                            .xml_namespace = "http://queue.amazonaws.com/doc/2012-11-05/",
                            .unsigned_denied = true,
                            .action_prefix = "sqs:",
                            .names = queue_place_of_call,
                            .flattened = true,
                            .actions = actions,
                            .action_count = SQS_ACTION_COUNT};
}
