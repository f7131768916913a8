/* Two hash tables with linear probing; the number of slots is a power of two.
 *
 * struct map: a slot holds hash, key and value. A removed entry leaves a tombstone (value NULL,
 * hash SLOT_GONE) so that a walk may remove its current entry; tombstones disappear at the next
 * resize.
 *
 * struct idmap: 16 bytes per slot and no tombstones. Removal moves the following entries of the run
 * back.
 *
 * A resized table is filled in steps: until then the entries that have not moved yet are in `old`, a
 * valid table by itself. Each put moves the entries of MOVED_BY_PUT slots, which is enough to finish
 * before the next growth; removals move nothing, so that walks may remove.
 *
 * The hash folds 64 x 64 bit products over eight bytes at a time, under the three secret words of
 * the seed: colliding keys cannot be determined outside of the process. */
#include "common/base/map.h"

#include "common/base/mem.h"

#define MAP_CAP_MIN    16
#define MAP_KEPT_MAX   1024              /* a table of at most so many slots is not shrunk */
#define IDMAP_KEPT_MAX 4096              /* likewise */
#define IDMAP_CAP_MAX  ((size_t)1 << 30) /* a walk keeps two slot numbers in one word */
/* Slots of an old table that are emptied by a put, and by a call that shrinks the table. */
#define MOVED_BY_PUT    16
#define MOVED_BY_SHRINK 64

static struct map_seed process_seed; /* does not change after the start */

void map_seed_init(struct map_seed *seed, struct id_source *chance)
{
    /* Not from the source's numbers: ids that clients see are made from them and reveal its
     * state. */
    id_secret(chance, seed->word, sizeof(seed->word));
    for (size_t i = 0; i < ARRAY_LEN(seed->word); i++)
        seed->word[i] |= 1;
}

__attribute__((constructor)) static void process_seed_init(void)
{
    struct id_source chance;

    id_init(&chance, 0);
    map_seed_init(&process_seed, &chance);
}

static u64 hash_fold(u64 a, u64 b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (u64)product ^ (u64)(product >> 64);
}

static u64 read64(const char *p)
{
    u64 v;

    memcpy(&v, p, 8);
    return v;
}

static u64 read32(const char *p)
{
    u32 v;

    memcpy(&v, p, 4);
    return v;
}

u64 map_hash(const struct map_seed *given, str key)
{
    const u64 *seed = given ? given->word : process_seed.word;
    const char *p = key.p;
    size_t n = key.n;
    u64 h = seed[0], a, b;

    for (; n > 16; n -= 16, p += 16)
        h = hash_fold(read64(p) ^ seed[1], read64(p + 8) ^ h);
    if (n >= 8) {
        a = read64(p);
        b = read64(p + n - 8);
    } else if (n >= 4) {
        a = read32(p);
        b = read32(p + n - 4);
    } else if (n) {
        a = (u64)(u8)p[0] << 16 | (u64)(u8)p[n / 2] << 8 | (u8)p[n - 1];
        b = 0;
    } else {
        a = b = 0;
    }
    return hash_fold(hash_fold(a ^ seed[1], b ^ h) ^ seed[2], key.n ^ seed[0]);
}

struct map_slot {
    u64 hash; /* SLOT_FREE, SLOT_GONE, or the key's hash made 2 or more */
    str key;
    void *value;
};

enum { SLOT_FREE = 0, SLOT_GONE = 1, SLOT_FIRST_HASH = 2 };

static u64 slot_hash(const struct map *m, str key)
{
    u64 h = map_hash(m->seed, key);

    return h < SLOT_FIRST_HASH ? h + SLOT_FIRST_HASH : h;
}

void map_init(struct map *m, const struct map_seed *seed)
{
    *m = (struct map){.seed = seed ? seed : &process_seed};
}

void map_deinit(struct map *m)
{
    mem_free(m->old.slots);
    mem_free(m->slots);
    map_init(m, m->seed);
}

static struct map_slot *slots_find(struct map_slot *slots, size_t cap, str key, u64 hash)
{
    if (!cap)
        return NULL;
    for (size_t i = hash & (cap - 1);; i = (i + 1) & (cap - 1)) {
        struct map_slot *s = &slots[i];
        if (s->hash == hash && str_eq(s->key, key))
            return s;
        if (s->hash == SLOT_FREE)
            return NULL;
    }
}

static struct map_slot *map_find(const struct map *m, str key, u64 hash)
{
    struct map_slot *s = slots_find(m->slots, m->cap, key, hash);

    if (UNLIKELY(!s && m->old.slots))
        s = slots_find(m->old.slots, m->old.cap, key, hash);
    return s;
}

void *map_get(const struct map *m, str key)
{
    struct map_slot *s = map_find(m, key, slot_hash(m, key));

    return s ? s->value : NULL;
}

static void map_place(struct map *m, struct map_slot entry)
{
    size_t i = entry.hash & (m->cap - 1);

    while (m->slots[i].hash != SLOT_FREE)
        i = (i + 1) & (m->cap - 1);
    m->slots[i] = entry;
    m->used++;
}

/* Empties up to `slots` slots of the old table; after the last one it is freed. */
static void map_move(struct map *m, size_t slots)
{
    struct map_old *old = &m->old;

    for (; slots > 0 && old->slots; slots--) {
        struct map_slot *s = &old->slots[old->at];
        if (s->hash >= SLOT_FIRST_HASH) {
            map_place(m, *s);
            *s = (struct map_slot){.hash = SLOT_GONE};
            old->n--;
        }
        if (++old->at < old->cap)
            continue;
        assert(old->n == 0);
        mem_free(old->slots);
        *old = (struct map_old){0};
    }
}

static void map_resize(struct map *m, size_t cap)
{
    map_move(m, SIZE_MAX); /* nothing, unless a table is filled by few puts */
    m->old = (struct map_old){.slots = m->slots, .cap = m->cap, .n = m->n};
    m->cap = cap;
    m->slots = mem_array(m->cap, sizeof(*m->slots));
    m->used = 0;
}

/* Makes room for one more entry with at most three of four slots taken; tombstones stay in the old
 * table. */
static void map_make_room(struct map *m)
{
    size_t cap = MAX(m->cap, (size_t)MAP_CAP_MIN);

    if ((m->used + m->old.n + 1) * 4 > m->cap * 3)
        map_resize(m, (m->n + 1) * 2 > cap ? cap * 2 : cap);
}

void map_shrink(struct map *m)
{
    if (!m->old.slots && m->cap > MAP_KEPT_MAX && m->n < m->cap / 8)
        map_resize(m, m->cap / 4);
    map_move(m, MOVED_BY_SHRINK);
}

void *map_put(struct map *m, str key, void *value)
{
    assert(value);
    u64 hash = slot_hash(m, key);
    struct map_slot *s = map_find(m, key, hash);
    if (s) {
        void *before = s->value;
        s->key = key;
        s->value = value;
        return before;
    }
    map_make_room(m);
    map_place(m, (struct map_slot){hash, key, value});
    m->n++;
    map_move(m, MOVED_BY_PUT);
    return NULL;
}

/* Nothing is looked for across the end of a run: there no mark is needed. */
static void map_mark(struct map *m, struct map_slot *s)
{
    size_t next = (size_t)(s - m->slots + 1) & (m->cap - 1);

    s->hash = m->slots[next].hash == SLOT_FREE ? SLOT_FREE : SLOT_GONE;
    m->used -= s->hash == SLOT_FREE;
}

void *map_del(struct map *m, str key)
{
    u64 hash = slot_hash(m, key);
    struct map_slot *s = slots_find(m->slots, m->cap, key, hash);
    bool is_old = !s && m->old.slots;

    if (is_old)
        s = slots_find(m->old.slots, m->old.cap, key, hash);
    if (!s)
        return NULL;
    void *before = s->value;
    *s = (struct map_slot){.hash = SLOT_GONE};
    if (is_old)
        m->old.n--;
    else
        map_mark(m, s);
    m->n--;
    return before;
}

/* The old table first. */
void *map_next(const struct map *m, size_t *pos)
{
    while (*pos < m->old.cap + m->cap) {
        size_t i = (*pos)++;
        const struct map_slot *s = i < m->old.cap ? &m->old.slots[i] : &m->slots[i - m->old.cap];
        if (s->hash >= SLOT_FIRST_HASH)
            return s->value;
    }
    return NULL;
}

/* Free where key is 0. */
struct idmap_slot {
    u64 key;
    void *value;
};
static_assert(sizeof(struct idmap_slot) == 16, "what the header promises");
static_assert(sizeof(size_t) == 8, "a walk keeps two slot numbers in one word");

void idmap_init(struct idmap *m, const struct map_seed *seed)
{
    *m = (struct idmap){.seed = seed ? seed : &process_seed};
}

void idmap_deinit(struct idmap *m)
{
    mem_free(m->old.slots);
    mem_free(m->slots);
    idmap_init(m, m->seed);
}

static size_t idmap_home(const struct map_seed *seed, size_t cap, u64 key)
{
    return hash_fold(key ^ seed->word[0], seed->word[1]) & (cap - 1);
}

/* The slot of the key, or the free one where it belongs. */
static struct idmap_slot *idslots_find(const struct map_seed *seed, struct idmap_slot *slots,
                                       size_t cap, u64 key)
{
    size_t i = idmap_home(seed, cap, key);

    while (slots[i].key != key && slots[i].key)
        i = (i + 1) & (cap - 1);
    return &slots[i];
}

static struct idmap_slot *idmap_find(const struct idmap *m, u64 key)
{
    return idslots_find(m->seed, m->slots, m->cap, key);
}

/* The key's slot in the old table; NULL: it is not there. */
static struct idmap_slot *idmap_find_old(const struct idmap *m, u64 key)
{
    if (LIKELY(!m->old.slots))
        return NULL;
    struct idmap_slot *s = idslots_find(m->seed, m->old.slots, m->old.cap, key);
    return s->key ? s : NULL;
}

void *idmap_get(const struct idmap *m, u64 key)
{
    assert(key);
    if (!m->cap)
        return NULL;
    struct idmap_slot *s = idmap_find(m, key);
    if (UNLIKELY(!s->key && m->old.slots))
        s = idslots_find(m->seed, m->old.slots, m->old.cap, key);
    return s->value;
}

/* Frees a slot; an entry of the run behind it may come to stand in it. */
static void idslots_free(const struct map_seed *seed, struct idmap_slot *slots, size_t cap,
                         struct idmap_slot *s)
{
    size_t mask = cap - 1, hole = (size_t)(s - slots);

    for (size_t i = (hole + 1) & mask; slots[i].key; i = (i + 1) & mask) {
        /* The entry may move into the hole unless its home lies behind the hole. */
        size_t home = idmap_home(seed, cap, slots[i].key);
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            slots[hole] = slots[i];
            hole = i;
        }
    }
    slots[hole] = (struct idmap_slot){0};
}

/* As map_move. */
static void idmap_move(struct idmap *m, size_t slots)
{
    struct idmap_old *old = &m->old;

    for (; slots > 0 && old->slots; slots--) {
        struct idmap_slot *s = &old->slots[old->at];
        if (s->key) {
            *idmap_find(m, s->key) = *s;
            idslots_free(m->seed, old->slots, old->cap, s);
            continue;
        }
        if (++old->at < old->cap)
            continue;
        mem_free(old->slots);
        *old = (struct idmap_old){0};
    }
}

static void idmap_resize(struct idmap *m, size_t cap)
{
    assert(cap <= IDMAP_CAP_MAX);
    idmap_move(m, SIZE_MAX);
    m->old = (struct idmap_old){.slots = m->slots, .cap = m->cap};
    m->cap = cap;
    m->slots = mem_array(cap, sizeof(*m->slots));
}

static void idmap_make_room(struct idmap *m)
{
    if ((m->n + 1) * 8 > m->cap * 7)
        idmap_resize(m, m->cap ? m->cap * 2 : MAP_CAP_MIN);
}

void idmap_shrink(struct idmap *m)
{
    if (!m->old.slots && m->cap > IDMAP_KEPT_MAX && m->n < m->cap / 8)
        idmap_resize(m, m->cap / 4);
    idmap_move(m, MOVED_BY_SHRINK);
}

void *idmap_put(struct idmap *m, u64 key, void *value)
{
    assert(key && value);
    idmap_make_room(m);
    struct idmap_slot *s = idmap_find_old(m, key);
    if (LIKELY(!s))
        s = idmap_find(m, key);
    void *before = s->value;
    *s = (struct idmap_slot){key, value};
    m->n += !before;
    idmap_move(m, MOVED_BY_PUT);
    return before;
}

void *idmap_del(struct idmap *m, u64 key)
{
    assert(key);
    if (!m->cap)
        return NULL;
    struct idmap_slot *old = idmap_find_old(m, key);
    struct idmap_slot *s = old ? old : idmap_find(m, key);
    void *before = s->value;
    if (!before)
        return NULL;
    if (old)
        idslots_free(m->seed, m->old.slots, m->old.cap, s);
    else
        idslots_free(m->seed, m->slots, m->cap, s);
    m->n--;
    return before;
}

/* Downwards around the table, from a free slot to the same one: entries that a removal moves back
 * then come from slots that were already visited. *pos is (that slot + 1) << 32 | the slot last visited. */
static void *idslots_next(const struct idmap_slot *slots, size_t cap, size_t *pos)
{
    size_t end = *pos >> 32, i = *pos & UINT32_MAX;

    if (!end) {
        while (slots[end].key)
            end++;
        i = end++;
    }
    for (;;) {
        i = (i - 1) & (cap - 1);
        if (i == end - 1)
            return NULL;
        if (slots[i].key) {
            *pos = end << 32 | i;
            return slots[i].value;
        }
    }
}

/* Set in *pos when the walk is through with the old table. */
#define WALK_NEW ((size_t)1 << 63)

void *idmap_next(const struct idmap *m, size_t *pos)
{
    void *value = NULL;

    if (!m->n)
        return NULL;
    if (!(*pos & WALK_NEW) && m->old.slots)
        value = idslots_next(m->old.slots, m->old.cap, pos);
    if (value)
        return value;
    size_t at = *pos & WALK_NEW ? *pos & ~WALK_NEW : 0;
    value = idslots_next(m->slots, m->cap, &at);
    *pos = at | WALK_NEW;
    return value;
}
