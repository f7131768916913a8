/* The TaskHandle of a message move task: {"taskId":…,"sourceArn":…} in base64. Clients take it
 * apart, and it names the queue that a call is for. */
#ifndef TOQUE_TASK_HANDLE_H
#define TOQUE_TASK_HANDLE_H

#include "common/base/mem.h"
#include "common/base/str.h"

/* In the arena. `id` and `source_arn` need no escapes. */
str task_handle_write(struct arena *a, str id, str source_arn);
/* E_INVALID: it is none; `ret_…` are in the arena. Whether there is such a task is not known. */
int task_handle_read(struct arena *a, str handle, str *ret_id, str *ret_source_arn);

#endif
