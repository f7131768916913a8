/* Takes the place of topicd/topic_store_open.c in build/delaying/topicd. */
#include "tests/delaying/delaying.h"

int topic_store_open(struct topic_store **ret, const struct store_options *o, struct fault *f)
{
    struct delaying_conf conf = delaying_conf_of_environment();

    return delaying_topic_store_open(ret, o, &conf, f);
}
