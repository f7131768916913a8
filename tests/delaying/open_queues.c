/* Takes the place of queued/queue_store_open.c in build/delaying/queued. */
#include "tests/delaying/delaying.h"

int queue_store_open(struct queue_store **ret, const struct store_options *o, struct fault *f)
{
    struct delaying_conf conf = delaying_conf_of_environment();

    return delaying_queue_store_open(ret, o, &conf, f);
}
