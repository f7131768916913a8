/* See disk.h. A sync that fails leaves each change on the platter or not, and counts all of them as
 * done: what a kernel does that tells of a failed write-back once. */
#include "tests/sim/disk.h"

#include "common/base/err.h"
#include "common/base/mem.h"
#include "tests/sim/chance.h"
#include "tests/sim/record.h"
#include "tests/sim/world.h"

/* What operations take. */
#define READ_US       2
#define WRITE_US      3
#define SYNC_US       120
#define SLOW_SYNC_MIN 20000
#define SLOW_SYNC_MAX 1500000

struct disk {
    struct disk_conf conf;
    struct list files;
    u32 one_in[DISK_TROUBLES];
};

struct disk_change {
    u64 at;
    u64 n;         /* bytes behind it */
    bool truncate; /* to `at` */
};

i64 disk_read_failed_us;
u64 disk_troubles_met[DISK_TROUBLES], disk_changes_undone;

struct disk *disk_new(const struct disk_conf *conf)
{
    struct disk *d = mem_alloc(sizeof(*d));

    d->conf = *conf;
    list_init(&d->files);
    return d;
}

static struct disk_file *file_new(struct disk *d, const char *name)
{
    struct disk_file *f = mem_alloc(sizeof(*f));

    f->disk = d;
    f->name = mem_dup(str_of(name));
    list_push_back(&d->files, &f->link);
    return f;
}

static void file_free(struct disk_file *f)
{
    assert(f->open == 0 && !f->shared);
    list_remove(&f->link);
    buf_deinit(&f->now);
    buf_deinit(&f->synced);
    buf_deinit(&f->changes);
    mem_free(f->name);
    mem_free(f);
}

void disk_free(struct disk *d)
{
    if (!d)
        return;
    list_each(at, next, &d->files)
        file_free(list_item(at, struct disk_file, link));
    mem_free(d);
}

/* --- trouble ---------------------------------------------------------------------------------- */

void disk_trouble(struct disk *d, enum disk_trouble t, u32 one_in)
{
    d->one_in[t] = one_in;
}

void disk_heal(struct disk *d)
{
    memset(d->one_in, 0, sizeof(d->one_in));
}

static bool disk_meets(struct disk *d, enum disk_trouble t)
{
    if (!d->one_in[t] || !chance_one_in(CHANCE_DISK, d->one_in[t]))
        return false;
    disk_troubles_met[t]++;
    return true;
}

u64 disk_bytes(const struct disk *d)
{
    u64 n = 0;

    list_each(at, next, (struct list *)&d->files)
        n += list_item(at, struct disk_file, link)->now.n;
    return n;
}

/* --- bytes ------------------------------------------------------------------------------------ */

static void bytes_resize(struct buf *b, u64 size)
{
    if (size > b->n)
        memset(buf_room(b, size - b->n), 0, size - b->n);
    b->n = size;
}

static void bytes_put(struct buf *b, const void *from, size_t n, u64 at)
{
    if (at + n > b->n)
        bytes_resize(b, at + n);
    memcpy(b->p + at, from, n);
}

static void bytes_copy(struct buf *to, const struct buf *from)
{
    buf_reset(to);
    buf_add(to, from->p, from->n);
}

/* The whole of a change, or only its first sectors. */
static void change_apply(struct buf *to, const struct disk_change *c, const char *bytes,
                         u64 sectors_max)
{
    if (c->truncate)
        bytes_resize(to, c->at);
    else
        bytes_put(to, bytes, MIN(c->n, sectors_max * DISK_SECTOR_SIZE), c->at);
}

static void change_note(struct disk_file *f, struct disk_change c, const void *bytes)
{
    buf_add(&f->changes, &c, sizeof(c));
    if (c.n)
        buf_add(&f->changes, bytes, c.n);
}

/* The next change of the file from *pos on; its bytes follow at *ret_bytes. */
static bool change_next(const struct disk_file *f, size_t *pos, struct disk_change *ret,
                        const char **ret_bytes)
{
    if (*pos == f->changes.n)
        return false;
    memcpy(ret, f->changes.p + *pos, sizeof(*ret));
    *ret_bytes = f->changes.p + *pos + sizeof(*ret);
    *pos += sizeof(*ret) + ret->n;
    return true;
}

/* --- files ------------------------------------------------------------------------------------ */

struct disk_file *disk_find(struct disk *d, const char *name)
{
    list_each(at, next, &d->files) {
        struct disk_file *f = list_item(at, struct disk_file, link);

        if (!f->is_deleted && strcmp(f->name, name) == 0)
            return f;
    }
    return NULL;
}

struct disk_file *disk_create(struct disk *d, const char *name)
{
    assert(!disk_find(d, name));
    list_each(at, next, &d->files) {
        struct disk_file *f = list_item(at, struct disk_file, link);

        if (!f->is_deleted || strcmp(f->name, name) != 0)
            continue;
        f->is_entered = false; /* its name means another file from now on */
        if (!f->open)
            file_free(f);
    }
    return file_new(d, name);
}

void disk_delete(struct disk_file *f)
{
    f->is_deleted = true;
}

void disk_close(struct disk_file *f)
{
    assert(f->open > 0);
    f->open--;
}

int disk_sync_directory(struct disk *d)
{
    d->conf.before_change(d->conf.arg);
    if (disk_meets(d, DISK_FAILS_SYNCS))
        return E_IO;
    world_spend_us(SYNC_US);
    list_each(at, next, &d->files) {
        struct disk_file *f = list_item(at, struct disk_file, link);

        f->is_entered = true;
        if (f->is_deleted && !f->open)
            file_free(f);
    }
    return 0;
}

int disk_read(struct disk_file *f, void *to, size_t n, u64 at, size_t *ret_n)
{
    if (disk_meets(f->disk, DISK_FAILS_READS)) {
        disk_read_failed_us = world_now_us();
        return E_IO;
    }
    world_spend_us(READ_US);
    *ret_n = at >= f->now.n ? 0 : MIN(n, f->now.n - at);
    if (*ret_n)
        memcpy(to, f->now.p + at, *ret_n);
    return 0;
}

static int write_fails(struct disk_file *f, const void *from, size_t n, u64 at)
{
    n = chance_below(CHANCE_DISK, n + 1);
    record(f->disk->conf.name, "disk: write of %s at %" PRIu64 " fails after %zu bytes", f->name,
           at, n);
    if (n) {
        bytes_put(&f->now, from, n, at);
        change_note(f, (struct disk_change){.at = at, .n = n}, from);
    }
    return E_IO;
}

int disk_write(struct disk_file *f, const void *from, size_t n, u64 at)
{
    f->disk->conf.before_change(f->disk->conf.arg);
    if (at + n > f->now.n && disk_meets(f->disk, DISK_FULL))
        return E_FULL;
    if (disk_meets(f->disk, DISK_FAILS_WRITES))
        return write_fails(f, from, n, at);
    world_spend_us(WRITE_US);
    record_fold_bytes(from, n);
    bytes_put(&f->now, from, n, at);
    change_note(f, (struct disk_change){.at = at, .n = n}, from);
    return 0;
}

int disk_truncate(struct disk_file *f, u64 size)
{
    f->disk->conf.before_change(f->disk->conf.arg);
    if (disk_meets(f->disk, DISK_FAILS_WRITES))
        return E_IO;
    world_spend_us(WRITE_US);
    record_fold(size);
    bytes_resize(&f->now, size);
    change_note(f, (struct disk_change){.at = size, .truncate = true}, NULL);
    return 0;
}

int disk_sync(struct disk_file *f)
{
    struct disk_change c;
    const char *bytes;

    f->disk->conf.before_change(f->disk->conf.arg);
    bool fails = disk_meets(f->disk, DISK_FAILS_SYNCS);

    for (size_t pos = 0; change_next(f, &pos, &c, &bytes);)
        if (!fails || chance_one_in(CHANCE_DISK, 2))
            change_apply(&f->synced, &c, bytes, UINT64_MAX / DISK_SECTOR_SIZE);
    buf_reset(&f->changes);
    world_spend_us(disk_meets(f->disk, DISK_SLOW)
                       ? chance_skewed(CHANCE_DISK, SLOW_SYNC_MIN, SLOW_SYNC_MAX)
                       : SYNC_US);
    if (fails)
        record(f->disk->conf.name, "disk: sync of %s fails", f->name);
    return fails ? E_IO : 0;
}

/* --- the end of a process, or of the power ---------------------------------------------------- */

/* How much of a change is on the platter, in sectors: nothing, part of it, or all. */
static u64 change_survives(const struct disk_change *c)
{
    u64 sectors = (c->n + DISK_SECTOR_SIZE - 1) / DISK_SECTOR_SIZE;

    switch (chance_below(CHANCE_DISK, 9)) {
    case 0:
    case 1:
    case 2: return 0;
    case 3:
    case 4: return chance_below(CHANCE_DISK, sectors + 1);
    default: return sectors;
    }
}

/* What the platter has of a file; `hard`: nothing that was not synced. */
static void file_lose(struct disk_file *to, const struct disk_file *from, bool hard)
{
    struct disk_change c;
    const char *bytes;

    bytes_copy(&to->synced, &from->synced);
    for (size_t pos = 0; change_next(from, &pos, &c, &bytes);) {
        bool lost = hard || (c.truncate && chance_one_in(CHANCE_DISK, 2));
        u64 kept = lost || c.truncate ? 0 : change_survives(&c);

        if (lost || (!c.truncate && kept * DISK_SECTOR_SIZE < c.n))
            disk_changes_undone++;
        if (!lost && (c.truncate || kept))
            change_apply(&to->synced, &c, bytes, kept);
    }
    bytes_copy(&to->now, &to->synced);
}

static void file_keep(struct disk_file *to, const struct disk_file *from)
{
    bytes_copy(&to->now, &from->now);
    bytes_copy(&to->synced, &from->synced);
    bytes_copy(&to->changes, &from->changes);
    to->is_entered = from->is_entered;
    to->is_deleted = from->is_deleted;
}

/* Whether a file of that name is there again after the power. */
static bool file_is_back(const struct disk_file *f, bool hard)
{
    bool certain = f->is_entered != f->is_deleted;

    return certain ? !f->is_deleted : hard ? f->is_entered : chance_one_in(CHANCE_DISK, 2);
}

struct disk *disk_after(const struct disk *d, enum disk_end end)
{
    struct disk *next = disk_new(&d->conf);

    list_each(at, after, (struct list *)&d->files) {
        const struct disk_file *f = list_item(at, struct disk_file, link);

        if (end == DISK_KILL) {
            file_keep(file_new(next, f->name), f);
        } else if (file_is_back(f, end == DISK_POWER_HARD) && !disk_find(next, f->name)) {
            struct disk_file *kept = file_new(next, f->name);

            file_lose(kept, f, end == DISK_POWER_HARD);
            kept->is_entered = true;
        }
    }
    return next;
}
