/* Two hash tables with linear probing over a power of two of slots.
 *
 * struct map: a slot holds hash, key and value. A removed entry leaves a mark (value NULL, hash
 * SLOT_GONE) so that a walk may remove what it stands on; marks go at the next growth.
 *
 * struct idmap: 16 bytes a slot and no marks. Removal moves the entries of the run behind it back.
 *
 * The hash folds 64 x 64 bit products over eight bytes at a time, under the three secret words of
 * the seed: which keys collide cannot be known outside of the process. */
#include "common/base/map.h"

#include "common/base/mem.h"

#define MAP_CAP_MIN    16
#define IDMAP_KEPT_MAX 4096 /* slots of a table that are no reason to make it smaller */
#define IDMAP_CAP_MAX  ((size_t)1 << 31) /* a walk keeps two slot numbers in one word */

static struct map_seed process_seed; /* does not change after the start */

void map_seed_init(struct map_seed *seed, struct id_source *chance)
{
    /* Not the source's numbers: ids that clients see are made of those, and betray its state. */
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

static u64 fold(u64 a, u64 b)
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
        h = fold(read64(p) ^ seed[1], read64(p + 8) ^ h);
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
    return fold(fold(a ^ seed[1], b ^ h) ^ seed[2], key.n ^ seed[0]);
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
    mem_free(m->slots);
    map_init(m, m->seed);
}

static struct map_slot *map_find(const struct map *m, str key, u64 hash)
{
    if (!m->cap)
        return NULL;
    for (size_t i = hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
        struct map_slot *s = &m->slots[i];
        if (s->hash == hash && str_eq(s->key, key))
            return s;
        if (s->hash == SLOT_FREE)
            return NULL;
    }
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

/* Room for one more with at most three slots of four taken; marks are swept out on the way. */
static void map_make_room(struct map *m)
{
    if ((m->used + 1) * 4 <= m->cap * 3)
        return;
    struct map old = *m;
    m->cap = MAX(old.cap, (size_t)MAP_CAP_MIN);
    if ((m->n + 1) * 2 > m->cap)
        m->cap *= 2;
    m->slots = mem_array(m->cap, sizeof *m->slots);
    m->used = 0;
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].hash >= SLOT_FIRST_HASH)
            map_place(m, old.slots[i]);
    assert(m->used == m->n);
    mem_free(old.slots);
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
    return NULL;
}

void *map_del(struct map *m, str key)
{
    struct map_slot *s = map_find(m, key, slot_hash(m, key));
    if (!s)
        return NULL;
    void *before = s->value;
    size_t next = (size_t)(s - m->slots + 1) & (m->cap - 1);
    *s = (struct map_slot){.hash = SLOT_GONE};
    if (m->slots[next].hash == SLOT_FREE) {
        /* Nothing is looked for across the end of a run: no mark is needed. */
        s->hash = SLOT_FREE;
        m->used--;
    }
    m->n--;
    return before;
}

void *map_next(const struct map *m, size_t *pos)
{
    while (*pos < m->cap) {
        const struct map_slot *s = &m->slots[(*pos)++];
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
    mem_free(m->slots);
    idmap_init(m, m->seed);
}

static size_t idmap_home(const struct idmap *m, u64 key)
{
    return fold(key ^ m->seed->word[0], m->seed->word[1]) & (m->cap - 1);
}

/* The slot of the key, or the free one where it would go. */
static struct idmap_slot *idmap_find(const struct idmap *m, u64 key)
{
    size_t i = idmap_home(m, key);
    while (m->slots[i].key != key && m->slots[i].key)
        i = (i + 1) & (m->cap - 1);
    return &m->slots[i];
}

void *idmap_get(const struct idmap *m, u64 key)
{
    assert(key);
    return m->cap ? idmap_find(m, key)->value : NULL;
}

static void idmap_resize(struct idmap *m, size_t cap)
{
    struct idmap old = *m;

    assert(cap <= IDMAP_CAP_MAX);
    m->cap = cap;
    m->slots = mem_array(cap, sizeof *m->slots);
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].key)
            *idmap_find(m, old.slots[i].key) = old.slots[i];
    mem_free(old.slots);
}

static void idmap_make_room(struct idmap *m)
{
    if ((m->n + 1) * 8 > m->cap * 7)
        idmap_resize(m, m->cap ? m->cap * 2 : MAP_CAP_MIN);
}

void idmap_shrink(struct idmap *m)
{
    if (m->cap > IDMAP_KEPT_MAX && m->n < m->cap / 8)
        idmap_resize(m, m->cap / 4);
}

void *idmap_put(struct idmap *m, u64 key, void *value)
{
    assert(key && value);
    idmap_make_room(m);
    struct idmap_slot *s = idmap_find(m, key);
    void *before = s->value;
    *s = (struct idmap_slot){key, value};
    m->n += !before;
    return before;
}

void *idmap_del(struct idmap *m, u64 key)
{
    assert(key);
    if (!m->cap)
        return NULL;
    struct idmap_slot *s = idmap_find(m, key);
    void *before = s->value;
    if (!before)
        return NULL;
    size_t mask = m->cap - 1, hole = (size_t)(s - m->slots);
    for (size_t i = (hole + 1) & mask; m->slots[i].key; i = (i + 1) & mask) {
        /* The entry may move into the hole unless its home lies behind the hole. */
        size_t home = idmap_home(m, m->slots[i].key);
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole] = (struct idmap_slot){0};
    m->n--;
    return before;
}

/* Downwards round the table, from a free slot to the same one: what a removal moves back then comes
 * from slots that were visited already. *pos is (that slot + 1) << 32 | the slot last visited. */
void *idmap_next(const struct idmap *m, size_t *pos)
{
    if (!m->n)
        return NULL;
    size_t end = *pos >> 32, i = *pos & UINT32_MAX;
    if (!end) {
        while (m->slots[end].key)
            end++;
        i = end++;
    }
    for (;;) {
        i = (i - 1) & (m->cap - 1);
        if (i == end - 1)
            return NULL;
        if (m->slots[i].key) {
            *pos = end << 32 | i;
            return m->slots[i].value;
        }
    }
}
