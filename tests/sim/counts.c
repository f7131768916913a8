#include "tests/sim/counts.h"

#include "tests/sim/disk.h"
#include "tests/sim/faults.h"
#include "tests/sim/ledger.h"
#include "tests/sim/network.h"
#include "tests/sim/node.h"
#include "tests/sim/setting.h"
#include "tests/sim/settle.h"
#include "tests/sim/workload.h"

#define COUNTS_MAX    256
#define NAME_SIZE_MAX 48

struct count {
    char group[NAME_SIZE_MAX], name[NAME_SIZE_MAX];
    u64 n;
};

static struct count sums[COUNTS_MAX];
static u32 sum_count;

void count_write(FILE *out, const char *group, const char *name, u64 n)
{
    fprintf(out, "%s|%s|%" PRIu64 "\n", group, name, n);
}

void counts_write(FILE *out)
{
    workload_counts(out);
    faults_counts(out);
    count_write(out, "faults met", "writes that failed", disk_troubles_met[DISK_FAILS_WRITES]);
    count_write(out, "faults met", "syncs that failed", disk_troubles_met[DISK_FAILS_SYNCS]);
    count_write(out, "faults met", "reads that failed", disk_troubles_met[DISK_FAILS_READS]);
    count_write(out, "faults met", "writes without space", disk_troubles_met[DISK_FULL]);
    count_write(out, "faults met", "slow syncs", disk_troubles_met[DISK_SLOW]);
    count_write(out, "faults met", "connections cut off", network_truncated);
    count_write(out, "faults met", "connections doubled", network_doubled);
    count_write(out, "faults met", "kills in mid-write", node_kills_in_change);
    count_write(out, "faults met", "writes undone by power loss", disk_changes_undone);
    count_write(out, "daemons", "turns", node_turns);
    count_write(out, "daemons", "stores that settle late", setting_delaying);
    count_write(out, "daemons", "ends by themselves", node_ends);
    count_write(out, "daemons", "starts that failed", node_starts_failed);
    count_write(out, "daemons", "checkpoints", disk_checkpoints);
    count_write(out, "daemons", "connections", network_connections);
    count_write(out, "daemons", "bytes between them", network_bytes);
    count_write(out, "checked", "messages", ledger_copies);
    count_write(out, "checked", "deliveries", ledger_deliveries);
    count_write(out, "checked", "found where they must be", ledger_checked);
    count_write(out, "checked", "settlements", settles);
}

static struct count *count_find(const char *group, const char *name)
{
    for (u32 i = 0; i < sum_count; i++)
        if (strcmp(sums[i].group, group) == 0 && strcmp(sums[i].name, name) == 0)
            return &sums[i];
    struct count *c = &sums[sum_count++];

    assert(sum_count <= COUNTS_MAX);
    snprintf(c->group, sizeof(c->group), "%s", group);
    snprintf(c->name, sizeof(c->name), "%s", name);
    return c;
}

void counts_add(FILE *in)
{
    char group[NAME_SIZE_MAX], name[NAME_SIZE_MAX];
    u64 n;

    while (fscanf(in, "%47[^|]|%47[^|]|%" SCNu64 "\n", group, name, &n) == 3)
        count_find(group, name)->n += n;
}

u32 counts_print(FILE *out)
{
    const char *group = "";
    u32 never = 0;

    for (u32 i = 0; i < sum_count; i++) {
        const struct count *c = &sums[i];

        if (strcmp(group, c->group) != 0)
            fprintf(out, "%s\n", c->group);
        group = c->group;
        fprintf(out, "  %-32s %14" PRIu64 "\n", c->name, c->n);
        never += c->n == 0 && strncmp(c->group, "faults", 6) == 0;
    }
    return never;
}
