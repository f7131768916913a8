#include "common/aws/sqs.h"

struct service sqs_service(const struct action actions[SQS_ACTION_COUNT])
{
    return (struct service){.signing_name = "sqs",
                            .target_prefix = "AmazonSQS.",
                            .query_version = "2012-11-05",
                            .xml_namespace = "http://queue.amazonaws.com/doc/2012-11-05/",
                            .unsigned_denied = true,
                            .flattened = true,
                            .actions = actions,
                            .action_count = SQS_ACTION_COUNT};
}
