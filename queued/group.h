/* A message group: the messages of one queue that were sent with one MessageGroupId, in the order of
 * their arrival. It exists while a message of it does. */
#ifndef TOQUE_GROUP_H
#define TOQUE_GROUP_H

#include "common/base/list.h"
#include "common/base/map.h"

struct msg;
struct queue;

#define GROUP_ID_MAX 128 /* bytes, the service's bound */

struct group {
    struct list messages; /* of struct msg by at.line */
    struct list link;     /* where the queue's pick keeps it */
    u32 holders;          /* messages */
    str id;               /* own bytes */
};

/* The message belongs to the group of its queue with that id from here on. */
void group_join(struct msg *m, str id);
/* It belongs to none any more, the last one ends the group. `is_gone`: the queue has forgotten its
 * groups since. */
void group_leave(struct msg *m, bool is_gone);

#endif
