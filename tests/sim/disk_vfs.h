/* SQLite's way to the simulated disk: a VFS that is the default one, over the disk of whoever
 * runs. */
#ifndef TOQUE_SIM_DISK_VFS_H
#define TOQUE_SIM_DISK_VFS_H

#include "tests/sim/disk.h"

/* Registers it, once, and makes SQLite's own chance begin anew. */
void disk_vfs_begin(void);
/* Files that are opened from now on are of this disk. */
void disk_vfs_enter(struct disk *d);
struct disk *disk_vfs_entered(void);

#endif
