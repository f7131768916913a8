/* Deduplication of FIFO queues: what was sent within the last five minutes, by queue (and group,
 * where the queue was created so) and deduplication id.
 *
 * The entries of all queues form one list in the order of sends, which is also the order in which
 * they expire: the window counts from the first send, and a duplicate does not extend it. An entry
 * stays when its message is deleted. Entries up to the purged_seq of their queue are ignored, so a
 * purge has no work to do here.
 *
 * An entry takes at most 64 bytes on average, including its slot in the table. */
#ifndef TOQUE_DEDUP_H
#define TOQUE_DEDUP_H

#include "common/base/list.h"
#include "common/base/map.h"

#define DEDUP_WINDOW_MS (5 * 60 * 1000)
#define DEDUP_KEY_SIZE  16

struct queue;

struct dedup_entry {
    u64 key[2]; /* digest of queue, group and id; the first half is its key in the table */
    u64 seq;    /* of the first message sent under the key */
    i64 sent_ms;
};

struct dedup {
    struct idmap table;
    struct list blocks; /* of entries, oldest first */
    u64 entries;
};

void dedup_init(struct dedup *d, const struct map_seed *seed);
void dedup_deinit(struct dedup *d);

/* The key of a send to that queue. */
void dedup_key(const struct queue *q, str group_id, str dedup_id, u64 ret[2]);
/* The seq of the message that was sent under that key within the window; 0: none was. */
u64 dedup_find(const struct dedup *d, const struct queue *q, const u64 key[2], i64 now_ms);
/* Adds an entry; it must be later than all others. */
void dedup_add(struct dedup *d, const struct dedup_entry *e);
/* Removes up to `max` expired entries. Returns how many; *ret_seq is the seq of the last one. */
u32 dedup_expire(struct dedup *d, i64 now_ms, u32 max, u64 *ret_seq);
/* When the oldest entry expires; INT64_MAX: there are none. */
i64 dedup_due_ms(const struct dedup *d);

#endif
