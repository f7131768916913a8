/* Selects the engine of topicd's store. Nothing else is in this file, so that a test can link
 * another engine in its place. */
#include "topicd/topic_store.h"

int topic_store_open(struct topic_store **ret, const struct store_options *o, struct fault *f)
{
    return topic_store_sqlite_open(ret, o, f);
}
