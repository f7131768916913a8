#include "tests/sim/node.h"

#include "common/aws/server.h"
#include "common/base/mem.h"
#include "tests/sim/chance.h"
#include "tests/sim/disk_vfs.h"
#include "tests/sim/endpoint.h"
#include "tests/sim/network.h"
#include "tests/sim/record.h"
#include "tests/sim/setting.h"
#include "tests/sim/system.h"

#define TURN_US  40 /* of a turn that does nothing */
#define START_US 3000
/* Turns after which the daemon's memory is checked. */
#define CHECK_ONE_IN   100
#define RETRY_START_US WORLD_SECOND_US
/* A ghost ends within so many turns, or its stop does not end at all. */
#define GHOST_TURNS_MAX 100000
/* More turns in a second are no work, but a loop that does not wait. */
#define TURNS_MAX 12000

u64 node_turns, node_kills_in_change, node_starts_failed, node_ends;
static struct incarnation *running;

struct incarnation *node_running(void)
{
    return running;
}

struct disk *node_disk(struct node *n)
{
    return n->life ? n->life->disk : n->disk;
}

static void node_enter(struct incarnation *of)
{
    assert(!running);
    running = of;
    disk_vfs_enter(of->disk);
    world_turn_begin();
}

static i64 node_leave(void)
{
    running = NULL;
    disk_vfs_enter(NULL);
    return world_turn_end();
}

/* --- the end of an incarnation ---------------------------------------------------------------- */

static void incarnation_free(struct incarnation *of)
{
    disk_free(of->disk);
    mem_free(of);
}

/* Stops a ghost in good order, in a time of its own. */
static void ghost_rest(struct incarnation *of)
{
    u32 turns = 0;

    if (of->daemon) {
        struct loop *l = of->server->loop;

        node_enter(of);
        disk_heal(of->disk);
        endpoint_leave(of);
        server_stop(of->server);
        while (!loop_is_stopped(l)) {
            loop_turn(l, 0);
            world_spend_us(TURN_US + MAX(loop_wait_ms(l), 0) * 1000);
            if (++turns == GHOST_TURNS_MAX)
                world_fail("%s does not come to its end", of->node->name);
        }
        of->node->kind->close(of->daemon);
        node_leave();
    }
    incarnation_free(of);
}

static void start_due(struct event *e)
{
    node_start(e->arg);
}

static void node_went_down(struct node *n, i64 down_us)
{
    n->life = NULL;
    n->state = NODE_DOWN;
    n->changes_until_kill = 0;
    n->paused = false;
    world_cancel(&n->wake);
    world_after(&n->start, down_us);
}

void node_kill(struct node *n, enum disk_end end, i64 down_us)
{
    static const char *const how[] = {"killed", "without power", "without power, hard"};
    struct incarnation *of = n->life;

    if (!of)
        return;
    record(n->name, "%s", how[end]);
    n->disk = disk_after(of->disk, end);
    of->over = true;
    network_sever(of, end != DISK_KILL);
    endpoint_sever(of);
    node_went_down(n, down_us);
    of->was_inside = running == of;
    if (!of->was_inside)
        ghost_rest(of);
}

void node_kill_at_change(struct node *n, u64 changes, enum disk_end end, i64 down_us)
{
    n->changes_until_kill = changes + 1;
    n->kill_end = end;
    n->kill_down_us = down_us;
}

void node_set_clock(struct node *n, i64 ahead_us)
{
    record(n->name, "has a clock that is %.3f s ahead", (double)ahead_us / 1e6);
    n->clock_ahead_us = ahead_us;
}

void node_keep_copy(struct node *n)
{
    disk_free(n->copy);
    n->copy = disk_after(node_disk(n), DISK_KILL);
    n->copied = ledger_now();
    record(n->name, "is copied");
}

void node_restore(struct node *n, i64 down_us)
{
    assert(n->copy);
    node_kill(n, DISK_KILL, down_us);
    disk_free(n->disk);
    n->disk = disk_after(n->copy, DISK_KILL);
    record(n->name, "is what it was at %.6f", (double)n->copied.us / 1e6);
}

static void before_change(void *arg)
{
    struct node *n = arg;

    if (!running || running->over || running->node != n || !n->changes_until_kill)
        return;
    if (--n->changes_until_kill > 0)
        return;
    node_kills_in_change++;
    node_kill(n, n->kill_end, n->kill_down_us);
}

/* Orderly. */
static void node_close(struct node *n)
{
    struct incarnation *of = n->life;

    node_enter(of);
    n->kind->close(of->daemon);
    node_leave();
    of->daemon = NULL;
    if (of->over) { /* killed in its last change */
        incarnation_free(of);
        return;
    }
    record(n->name, "stopped");
    n->disk = of->disk;
    of->disk = NULL;
    node_went_down(n, n->down_us);
    incarnation_free(of);
}

/* --- turns ------------------------------------------------------------------------------------ */

static void node_wake_at(struct node *n, i64 at_us)
{
    at_us = MAX(at_us, n->busy_until_us);
    if (!world_is_set(&n->wake) || n->wake_us > at_us) {
        n->wake_us = at_us;
        world_at(&n->wake, at_us);
    }
}

void node_poke(struct incarnation *of)
{
    if (!of->over && of != running && !of->node->paused)
        node_wake_at(of->node, world_now_us());
}

/* What follows a turn or something beside it. */
static void node_turned(struct incarnation *of, i64 took_us)
{
    struct node *n = of->node;

    if (of->over) {
        ghost_rest(of);
        return;
    }
    n->busy_until_us = world_now_us() + took_us;
    if (loop_is_stopped(of->server->loop)) {
        if (n->state == NODE_UP) { /* its store was taken, and it ends */
            node_ends++;
            n->down_us = RETRY_START_US;
        }
        node_close(n);
        return;
    }
    node_enter(of);
    i64 wait_ms = loop_wait_ms(of->server->loop);

    node_leave();
    if (wait_ms >= 0)
        node_wake_at(n, n->busy_until_us + wait_ms * 1000);
}

static void check_spins(struct node *n)
{
    i64 second = world_now_us() / WORLD_SECOND_US;

    if (n->second != second) {
        n->second = second;
        n->second_turns = 0;
    }
    if (++n->second_turns > TURNS_MAX)
        world_fail("%s spins: %u turns in a second", n->name, n->second_turns);
}

static void wake_due(struct event *e)
{
    struct node *n = e->arg;
    struct incarnation *of = n->life;

    if (n->paused)
        return;
    check_spins(n);
    node_turns++;
    node_enter(of);
    world_spend_us(TURN_US);
    loop_turn(of->server->loop, 0);
    i64 took_us = node_leave();

    record_fold((u64)took_us);
    if (n->life && chance_one_in(CHANCE_NODE, CHECK_ONE_IN))
        node_check(n);
    node_turned(of, took_us);
}

int node_aside(struct incarnation *of, void (*work)(void *arg), void *arg)
{
    if (of->node->paused)
        return E_AGAIN;
    node_enter(of);
    work(arg);
    node_leave();
    if (of->over)
        ghost_rest(of);
    return 0;
}

void node_pause(struct node *n, bool paused)
{
    if (!n->life || n->paused == paused)
        return;
    record(n->name, paused ? "paused" : "goes on");
    n->paused = paused;
    if (paused)
        world_cancel(&n->wake);
    else
        node_poke(n->life);
}

void node_check(const struct node *n)
{
    if (n->life && n->kind->check)
        n->kind->check(n->life->daemon);
}

/* --- the beginning and an orderly end --------------------------------------------------------- */

void node_start(struct node *n)
{
    struct incarnation *of = mem_alloc(sizeof(*of));
    struct fault f;

    assert(!n->life);
    world_cancel(&n->start);
    *of = (struct incarnation){.node = n, .disk = n->disk};
    list_init(&of->ports);
    n->disk = NULL;
    n->life = of;
    n->starts++;
    fault_clear(&f);
    node_enter(of);
    world_spend_us(START_US);
    n->clock = system_clock(&n->clock_ahead_us);
    if (n->started_with_us != n->clock_ahead_us) /* a step that was not followed is seen now */
        ledger_clock_stepped(setting_index(n));
    n->started_with_us = n->clock_ahead_us;
    n->env = (struct environment){&n->clock, chance_u64(CHANCE_NODE) | 1};
    int err = n->kind->open(n, &of->daemon, &of->server, &f);
    i64 took_us = node_leave();

    if (of->over) {
        if (err)
            of->daemon = NULL;
        ghost_rest(of);
        return;
    }
    if (err) {
        record(n->name, "does not start: %s", f.text);
        node_starts_failed++;
        n->disk = of->disk;
        of->disk = NULL;
        node_went_down(n, RETRY_START_US);
        incarnation_free(of);
        return;
    }
    n->state = NODE_UP;
    ledger_started(setting_index(n));
    record(n->name, "started");
    network_is_up(n);
    node_turned(of, took_us);
}

void node_stop(struct node *n, i64 down_us)
{
    if (n->state != NODE_UP)
        return;
    record(n->name, "is told to stop");
    n->state = NODE_STOPPING;
    n->down_us = down_us;
    struct incarnation *of = n->life;

    node_enter(of);
    server_stop(of->server);
    node_turned(of, node_leave());
}

void node_init(struct node *n, const struct node_kind *kind, const char *name, const char *link_url)
{
    *n = (struct node){.kind = kind, .name = name, .link_url = link_url};
    n->wake = (struct event){.run = wake_due, .arg = n};
    n->start = (struct event){.run = start_due, .arg = n};
    n->disk = disk_new(&(struct disk_conf){name, before_change, n});
}

void node_deinit(struct node *n)
{
    assert(!n->life);
    world_cancel(&n->start);
    disk_free(n->disk);
    disk_free(n->copy);
}
