/* What topicd's store holds in memory, whatever engine keeps the rest. */
#include "topicd/topic_store.h"

/* Ids are given out of a reserve of so many; what a crash leaves of it is never used. */
#define ID_RESERVE 10000

void topic_store_init(struct topic_store *s, const struct topic_store_ops *ops)
{
    s->ops = ops;
    engine_ids_open(&s->engine, TOPIC_STORE_TOPIC_IDS, "topic_id", ID_RESERVE);
    engine_ids_open(&s->engine, TOPIC_STORE_SUB_IDS, "sub_id", ID_RESERVE);
}
