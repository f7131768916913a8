/* The disk of one daemon: files in memory that know what of them is synced, so that a loss of power
 * takes back what was not, wholly or in any mixture a disk may leave.
 *
 * A file has two states. `now` is what programs read: it survives the death of a process. `synced`
 * is what is on the platter for sure; between the two lie the changes since the last sync, in their
 * order. Nothing is ever synced but by a sync. */
#ifndef TOQUE_SIM_DISK_H
#define TOQUE_SIM_DISK_H

#include "common/base/buf.h"
#include "common/base/list.h"

#define DISK_SECTOR_SIZE 512

struct disk;

struct disk_file {
    struct list link;
    struct disk *disk;
    char *name; /* last part of its path */
    struct buf now, synced;
    struct buf changes; /* struct disk_change, each with its bytes behind it */
    u32 open;           /* handles */
    bool is_entered;    /* its name is in the directory for sure */
    bool is_deleted;    /* the name is gone for programs; not yet for sure */
    void *shared;       /* disk_vfs.c: locks and the index in shared memory */
};

/* What a disk does wrong from now on. */
enum disk_trouble {
    DISK_FAILS_WRITES, /* and has written part of it */
    DISK_FAILS_SYNCS,
    DISK_FAILS_READS,
    DISK_FULL, /* for whatever grows */
    DISK_SLOW,
    DISK_TROUBLES,
};

struct disk_conf {
    const char *name; /* in the log; borrowed */
    /* Asked before each write, sync and truncation; the process may be killed in it. */
    void (*before_change)(void *arg);
    void *arg;
};

struct disk *disk_new(const struct disk_conf *conf);
void disk_free(struct disk *d);
/* The disk as the next process finds it; the old one goes on for whoever still uses it. */
enum disk_end {
    DISK_KILL,       /* of the process: everything written is there */
    DISK_POWER,      /* what was not synced is there in any mixture */
    DISK_POWER_HARD, /* what was not synced is gone */
};
struct disk *disk_after(const struct disk *d, enum disk_end end);

/* One time in `one_in` (0: never). */
void disk_trouble(struct disk *d, enum disk_trouble t, u32 one_in);
void disk_heal(struct disk *d);
u64 disk_bytes(const struct disk *d);

/* Files. NULL: there is none of that name. */
struct disk_file *disk_find(struct disk *d, const char *name);
struct disk_file *disk_create(struct disk *d, const char *name);
void disk_delete(struct disk_file *f);
void disk_close(struct disk_file *f); /* one handle less */
/* All names made and deleted are so for sure. */
int disk_sync_directory(struct disk *d);

/* 0, E_IO or E_FULL. A read returns how many bytes there were. */
int disk_read(struct disk_file *f, void *to, size_t n, u64 at, size_t *ret_n);
int disk_write(struct disk_file *f, const void *from, size_t n, u64 at);
int disk_truncate(struct disk_file *f, u64 size);
int disk_sync(struct disk_file *f);

/* When a read failed last, on any disk. */
extern i64 disk_read_failed_us;
/* In all runs: how often each trouble was met, changes that a loss of power took back, checkpoints.
 */
extern u64 disk_troubles_met[DISK_TROUBLES], disk_changes_undone, disk_checkpoints;

#endif
