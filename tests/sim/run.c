/* A run goes through bursts of work and of faults, and through long gaps in which little happens but
 * time: delays, visibility timeouts and retentions end in them, and links come back. Now and then it
 * settles. */
#include "tests/sim/run.h"

#include "tests/sim/chance.h"
#include "tests/sim/disk_vfs.h"
#include "tests/sim/faults.h"
#include "tests/sim/ledger.h"
#include "tests/sim/network.h"
#include "tests/sim/record.h"
#include "tests/sim/setting.h"
#include "tests/sim/settle.h"
#include "tests/sim/workload.h"

#define BURST_MIN_US (2 * WORLD_SECOND_US)
#define BURST_MAX_US (30 * WORLD_SECOND_US)
#define GAP_MIN_S    1
#define GAP_MAX_S    10800
/* A call that is under way when all is healed is answered within so long. */
#define ANSWER_MAX_US (600 * WORLD_SECOND_US)
#define STOP_MAX_US   (600 * WORLD_SECOND_US)

static void run_for(i64 us)
{
    world_run_until(world_now_us() + us);
}

static void until_all_rest(void)
{
    i64 end_us = world_now_us() + ANSWER_MAX_US;

    faults_heal();
    while (!workload_rests()) {
        if (world_now_us() > end_us)
            world_fail("locked out: a call is not answered, though all is well");
        run_for(WORLD_SECOND_US);
    }
}

static void burst(void)
{
    i64 us = chance_between(CHANCE_WORK, BURST_MIN_US, BURST_MAX_US);
    i64 end_us = world_now_us() + us;

    record("run", "works for %" PRId64 " s", us / WORLD_SECOND_US);
    workload_until(end_us);
    if (!chance_one_in(CHANCE_FAULT, 6))
        faults_until(end_us, chance_skewed(CHANCE_FAULT, 200, 20000) * 1000);
    world_run_until(end_us);
}

static void gap(void)
{
    i64 us = chance_skewed(CHANCE_WORK, GAP_MIN_S, GAP_MAX_S) * WORLD_SECOND_US;

    record("run", "waits for %" PRId64 " s", us / WORLD_SECOND_US);
    if (chance_one_in(CHANCE_FAULT, 3))
        faults_until(world_now_us() + us, chance_skewed(CHANCE_FAULT, 10, 1200) * WORLD_SECOND_US);
    run_for(us);
}

static void begin(u64 seed, FILE *log)
{
    chance_init(seed);
    world_begin();
    record_begin(log);
    disk_vfs_begin();
    network_begin();
    ledger_begin();
    setting_begin();
    workload_begin();
    faults_begin();
    settle_begin();
    for (int i = 0; i < SETTING_NODES; i++)
        node_start(setting_node(i));
}

static void end(void)
{
    i64 end_us = world_now_us() + STOP_MAX_US;

    for (int i = 0; i < SETTING_NODES; i++)
        node_stop(setting_node(i), 2 * STOP_MAX_US);
    for (int i = 0; i < SETTING_NODES; i++)
        while (setting_node(i)->state != NODE_DOWN) {
            if (world_now_us() > end_us)
                world_fail("%s does not come to its end", setting_node(i)->name);
            run_for(WORLD_SECOND_US);
        }
    faults_end();
    workload_end();
    setting_end();
    ledger_end();
    network_end();
    record_end();
    world_end();
}

u64 run(u64 seed, i64 hours, FILE *log)
{
    begin(seed, log);
    while (world_now_us() < hours * WORLD_HOUR_US) {
        burst();
        if (chance_one_in(CHANCE_FAULT, 2))
            faults_heal();
        gap();
        if (!chance_one_in(CHANCE_WORK, 3))
            continue;
        until_all_rest();
        settle();
    }
    until_all_rest();
    settle();
    u64 digest = record_digest();

    end();
    return digest;
}
