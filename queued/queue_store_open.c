/* Selects the engine of queued's store. Nothing else is in this file, so that a test can link
 * another engine in its place. */
#include "queued/queue_store.h"

int queue_store_open(struct queue_store **ret, const struct store_options *o, struct fault *f)
{
    return queue_store_sqlite_open(ret, o, f);
}
