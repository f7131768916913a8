/* The service's model: the parameters of each action in both wire forms. Amazon SQS, API
 * 2012-11-05. */
#ifndef TOQUE_MEMBERS_H
#define TOQUE_MEMBERS_H

#include "common/aws/call.h"

extern const struct member members_create_queue[];
extern const struct member members_queue_url[]; /* DeleteQueue, PurgeQueue */
extern const struct member members_get_queue_url[];
extern const struct member members_list_queues[];
extern const struct member members_list_sources[]; /* ListDeadLetterSourceQueues */
extern const struct member members_start_move[];   /* …MessageMoveTask(s) */
extern const struct member members_cancel_move[];
extern const struct member members_list_moves[];
extern const struct member members_redrive[]; /* of the page */
extern const struct member members_get_attributes[];
extern const struct member members_set_attributes[];
extern const struct member members_add_permission[];
extern const struct member members_remove_permission[];
extern const struct member members_tag_queue[];
extern const struct member members_untag_queue[];
extern const struct member members_send[];
extern const struct member members_send_batch[];
extern const struct member members_receive[];
extern const struct member members_delete[];
extern const struct member members_delete_batch[];
extern const struct member members_change[];
extern const struct member members_change_batch[];

#endif
