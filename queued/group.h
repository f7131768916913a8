/* A message group: the messages of one queue that were sent with one MessageGroupId, in the order
 * of their arrival. It exists while it has messages, hidden ones included. */
#ifndef TOQUE_GROUP_H
#define TOQUE_GROUP_H

#include "common/base/list.h"
#include "common/base/map.h"

struct msg;
struct queue;

#define GROUP_ID_MAX 128 /* bytes; the service's limit */

struct group {
    struct list messages; /* of struct msg by at.line */
    struct list link;     /* where the queue's pick keeps it */
    u32 holders;          /* messages */
    str id;               /* own bytes */
};

/* Adds the message to its queue's group with that id, which is created if needed. */
void group_join(struct msg *m, str id);
/* Removes the message from its group; the last one frees the group. `is_gone`: the queue's table of
 * groups was cleared since. */
void group_leave(struct msg *m, bool is_gone);

#endif
