/* When two keys have the same first half, the later one replaces the earlier one in the table. The
 * probability is that of a 64-bit collision. */
#include "queued/dedup.h"

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "queued/group.h"
#include "queued/queue.h"

#define BLOCK_ENTRIES 126

struct block {
    struct list link;
    u32 first, end; /* entries in use */
    struct dedup_entry entries[BLOCK_ENTRIES];
};
static_assert(sizeof(struct dedup_entry) <= 32, "as the header says, with 16 to 37 in the table");
static_assert(sizeof(struct block) <= 4096 - 16, "a page, the allocator's part included");

void dedup_init(struct dedup *d, const struct map_seed *seed)
{
    *d = (struct dedup){.entries = 0};
    idmap_init(&d->table, seed);
    list_init(&d->blocks);
}

void dedup_deinit(struct dedup *d)
{
    list_each(at, after, &d->blocks)
        mem_free(list_item(at, struct block, link));
    list_init(&d->blocks);
    idmap_deinit(&d->table);
}

void dedup_key(const struct queue *q, str group_id, str dedup_id, u64 ret[2])
{
    char text[24 + 2 * GROUP_ID_MAX];
    u8 digest[32];
    int n = snprintf(text, sizeof text, "%" PRIu64 "\n%.*s\n%.*s", q->id,
                     q->dedup_by_group ? (int)group_id.n : 0, group_id.n ? group_id.p : "",
                     STR_ARG(dedup_id));
    assert(n > 0 && (size_t)n < sizeof text);
    hash_sha256(str_from(text, (size_t)n), digest);
    memcpy(ret, digest, DEDUP_KEY_SIZE);
    ret[0] |= ret[0] == 0; /* the table knows no 0 */
}

u64 dedup_find(const struct dedup *d, const struct queue *q, const u64 key[2], i64 now_ms)
{
    const struct dedup_entry *e = idmap_get(&d->table, key[0]);
    if (!e || e->key[1] != key[1] || e->seq <= q->purged_seq ||
        now_ms - e->sent_ms >= DEDUP_WINDOW_MS)
        return 0;
    return e->seq;
}

static struct block *block_with_room(struct dedup *d)
{
    struct block *b =
        list_is_empty(&d->blocks) ? NULL : list_item(d->blocks.prev, struct block, link);
    if (b && b->end < BLOCK_ENTRIES)
        return b;
    b = mem_alloc(sizeof *b);
    list_push_back(&d->blocks, &b->link);
    return b;
}

void dedup_add(struct dedup *d, const struct dedup_entry *e)
{
    struct block *b = block_with_room(d);
    struct dedup_entry *mine = &b->entries[b->end++];
    *mine = *e;
    idmap_put(&d->table, e->key[0], mine);
    d->entries++;
}

static const struct dedup_entry *entry_oldest(const struct dedup *d)
{
    if (list_is_empty(&d->blocks))
        return NULL;
    const struct block *b = list_item(d->blocks.next, struct block, link);
    return &b->entries[b->first];
}

static void forget_oldest(struct dedup *d)
{
    struct block *b = list_item(d->blocks.next, struct block, link);
    const struct dedup_entry *e = &b->entries[b->first];
    if (idmap_get(&d->table, e->key[0]) == e)
        idmap_del(&d->table, e->key[0]);
    idmap_shrink(&d->table);
    d->entries--;
    if (++b->first < b->end)
        return;
    list_remove(&b->link);
    mem_free(b);
}

u32 dedup_expire(struct dedup *d, i64 now_ms, u32 max, u64 *ret_seq)
{
    const struct dedup_entry *e;
    u32 n = 0;
    for (; n < max && (e = entry_oldest(d)) && now_ms - e->sent_ms >= DEDUP_WINDOW_MS; n++) {
        *ret_seq = e->seq;
        forget_oldest(d);
    }
    return n;
}

i64 dedup_due_ms(const struct dedup *d)
{
    const struct dedup_entry *e = entry_oldest(d);
    return e ? e->sent_ms + DEDUP_WINDOW_MS : INT64_MAX;
}
