/* common/io/store_copier.h in simulated time: what its thread does runs as an event beside the
 * daemon's loop. So it falls between two turns, wherever it is in the time line. */
#include "common/io/store_copier.h"

#include <sqlite3.h>

#include "common/base/mem.h"
#include "common/io/store_wal.h"
#include "tests/sim/chance.h"
#include "tests/sim/node.h"

#define WAKE_MIN_US 50
#define WAKE_MAX_US 20000
#define LATER_US    WORLD_SECOND_US
#define PAUSE_US    WORLD_SECOND_US

struct store_copier {
    struct incarnation *owner;
    sqlite3 *db;
    struct event work;
    u64 failures;
};

u64 disk_checkpoints;

static void copier_work(void *arg)
{
    struct store_copier *c = arg;

    disk_checkpoints++;
    if (store_wal_copy_ahead(c->db) != SQLITE_OK)
        c->failures++;
}

static void work_due(struct event *e)
{
    struct store_copier *c = e->arg;

    if (node_aside(c->owner, copier_work, c))
        world_after(e, PAUSE_US);
}

static void copier_wake_after(struct store_copier *c, i64 delay_us)
{
    if (!c->owner->over && !world_is_set(&c->work))
        world_after(&c->work, delay_us);
}

int store_copier_start(struct store_copier **ret, const char *path)
{
    struct store_copier *c = mem_alloc(sizeof(*c));
    int rc = store_wal_copier_open(&c->db, path);

    if (rc != SQLITE_OK) {
        sqlite3_close(c->db);
        mem_free(c);
        return rc;
    }
    c->owner = node_running();
    c->work = (struct event){.run = work_due, .arg = c};
    *ret = c;
    return SQLITE_OK;
}

void store_copier_stop(struct store_copier *c)
{
    if (!c)
        return;
    world_cancel(&c->work);
    sqlite3_close(c->db);
    mem_free(c);
}

void store_copier_wake(struct store_copier *c)
{
    copier_wake_after(c, chance_between(CHANCE_DISK, WAKE_MIN_US, WAKE_MAX_US));
}

void store_copier_wake_later(struct store_copier *c)
{
    copier_wake_after(c, LATER_US);
}

bool store_copier_rests(struct store_copier *c, bool wait)
{
    if (wait && world_is_set(&c->work)) {
        world_cancel(&c->work);
        copier_work(c);
    }
    return !world_is_set(&c->work);
}

u64 store_copier_failures(struct store_copier *c)
{
    return c->failures;
}
