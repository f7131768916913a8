/* Which engine keeps the daemons' stores, in the place of queue_store_open.c and topic_store_open.c:
 * SQLite, or in some runs the engine of tests/delaying over it, which settles turns late, loses them,
 * and is taken away. */
#include "tests/delaying/delaying.h"
#include "tests/sim/setting.h"

int queue_store_open(struct queue_store **ret, const struct store_options *o, struct fault *f)
{
    struct delaying_conf conf;

    return setting_delays(&conf) ? delaying_queue_store_open(ret, o, &conf, f)
                                 : queue_store_sqlite_open(ret, o, f);
}

int topic_store_open(struct topic_store **ret, const struct store_options *o, struct fault *f)
{
    struct delaying_conf conf;

    return setting_delays(&conf) ? delaying_topic_store_open(ret, o, &conf, f)
                                 : topic_store_sqlite_open(ret, o, f);
}
