/* Which engine keeps queued's store. Nothing else is in this file, so that a test's engine can take
 * its place when a binary is linked. */
#include "queued/queue_store.h"

int queue_store_open(struct queue_store **ret, const char *dir, enum store_durability durability,
                     u32 cache_kib, struct fault *f)
{
    return queue_store_sqlite_open(ret, dir, durability, cache_kib, f);
}
