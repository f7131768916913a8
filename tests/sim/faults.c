#include "tests/sim/faults.h"

#include "tests/sim/chance.h"
#include "tests/sim/counts.h"
#include "tests/sim/network.h"
#include "tests/sim/record.h"
#include "tests/sim/setting.h"

#define LASTS_MIN_US 20000
#define DOWN_MIN_US  100000
#define DOWN_MAX_US  (60 * WORLD_SECOND_US)
/* Faults that are in force at once. */
#define FAULTS_MAX 4
/* What a call under way may take that its client has left: with faults in force, and without. */
#define DELAY_MAX_US (130 * WORLD_SECOND_US)
#define DELAY_MIN_US (2 * WORLD_SECOND_US)

static u64 restores[2], moves; /* in all runs */

struct fault_case {
    const struct fault_kind *kind;
    struct node *node;    /* whom it hits */
    const char *link_url; /* and his link as it begins; NULL: topicd */
    struct event end;
};

/* Whom it may hit. */
enum fault_at { AT_ALL, AT_TOPICD, AT_QUEUEDS };

struct fault_kind {
    const char *name;
    enum fault_at at;
    u32 weight;
    i64 lasts_max_us; /* 0: it is over when it has begun */
    void (*begin)(struct fault_case *f);
    void (*end)(struct fault_case *f);
};

static i64 down_us(void)
{
    return chance_skewed(CHANCE_FAULT, DOWN_MIN_US, DOWN_MAX_US);
}

/* --- nodes ------------------------------------------------------------------------------------ */

static void restart(struct fault_case *f)
{
    node_stop(f->node, down_us());
}

static void die(struct fault_case *f)
{
    node_kill(f->node, DISK_KILL, down_us());
}

static void lose_power(struct fault_case *f)
{
    node_kill(f->node, DISK_POWER, down_us());
}

static void lose_power_hard(struct fault_case *f)
{
    node_kill(f->node, DISK_POWER_HARD, down_us());
}

static void all_lose_power(struct fault_case *f)
{
    enum disk_end end = chance_one_in(CHANCE_FAULT, 2) ? DISK_POWER : DISK_POWER_HARD;

    for (int i = 0; i < SETTING_NODES; i++)
        node_kill(setting_node(i), end, down_us());
}

static void die_in_change(struct fault_case *f)
{
    enum disk_end ends[] = {DISK_KILL, DISK_POWER, DISK_POWER_HARD};

    node_kill_at_change(f->node, (u64)chance_skewed(CHANCE_FAULT, 1, 300),
                        ends[chance_below(CHANCE_FAULT, ARRAY_LEN(ends))], down_us());
}

static void pause_node(struct fault_case *f)
{
    node_pause(f->node, true);
}

static void resume_node(struct fault_case *f)
{
    node_pause(f->node, false);
}

/* --- copies and moves of directories ---------------------------------------------------------- */

static void keep_copy(struct fault_case *f)
{
    node_keep_copy(f->node);
}

static void restore_topicd(struct fault_case *f)
{
    if (!f->node->copy)
        return;
    restores[0]++;
    node_restore(f->node, down_us());
    ledger_restored_topicd(&f->node->copied);
}

static void restore_queued(struct fault_case *f)
{
    if (!f->node->copy)
        return;
    restores[1]++;
    node_restore(f->node, down_us());
    ledger_restored_queued(setting_index(f->node), &f->node->copied);
}

/* Two queueds end, and each begins again at the other's address. */
static void move(struct fault_case *f)
{
    struct node *other = setting_queued((int)chance_below(CHANCE_FAULT, SETTING_QUEUEDS));
    const char *url = f->node->link_url;

    if (other == f->node)
        return;
    moves++;
    node_kill(f->node, DISK_KILL, down_us());
    node_kill(other, DISK_KILL, down_us());
    f->node->link_url = other->link_url;
    other->link_url = url;
    record(f->node->name, "is at %s now, and %s at %s", f->node->link_url, other->name, url);
}

static void step_clock(struct fault_case *f)
{
    node_set_clock(f->node, chance_between(CHANCE_FAULT, -LEDGER_STEP_MAX_US, LEDGER_STEP_MAX_US));
    ledger_clock_stepped(setting_index(f->node));
}

/* --- links ------------------------------------------------------------------------------------ */

static void cut_link(struct fault_case *f)
{
    network_cut(f->link_url, true);
}

static void join_link(struct fault_case *f)
{
    network_cut(f->link_url, false);
}

static void hold_link(struct fault_case *f)
{
    network_hold(f->link_url, NETWORK_FROM_DIALER, true);
    network_hold(f->link_url, NETWORK_TO_DIALER, true);
}

static void release_link(struct fault_case *f)
{
    network_hold(f->link_url, NETWORK_FROM_DIALER, false);
    network_hold(f->link_url, NETWORK_TO_DIALER, false);
}

static void hold_one_way(struct fault_case *f)
{
    network_hold(f->link_url,
                 chance_one_in(CHANCE_FAULT, 2) ? NETWORK_FROM_DIALER : NETWORK_TO_DIALER, true);
}

static void truncate_link(struct fault_case *f)
{
    network_truncate(f->link_url,
                     chance_one_in(CHANCE_FAULT, 2) ? NETWORK_FROM_DIALER : NETWORK_TO_DIALER);
}

static void double_link(struct fault_case *f)
{
    network_double(f->link_url);
}

static void slow_link(struct fault_case *f)
{
    network_slow(f->link_url, chance_skewed(CHANCE_FAULT, 1000, 3 * WORLD_SECOND_US));
}

static void fast_link(struct fault_case *f)
{
    network_slow(f->link_url, 0);
}

/* --- disks ------------------------------------------------------------------------------------ */

static void disk_of_node(struct fault_case *f, enum disk_trouble t, u32 one_in_max)
{
    u32 one_in = (u32)chance_skewed(CHANCE_FAULT, 1, one_in_max);

    record(f->node->name, "disk: trouble %d, one in %u", (int)t, one_in);
    disk_trouble(node_disk(f->node), t, one_in);
}

static void fail_writes(struct fault_case *f)
{
    disk_of_node(f, DISK_FAILS_WRITES, 200);
}

static void fail_syncs(struct fault_case *f)
{
    disk_of_node(f, DISK_FAILS_SYNCS, 50);
}

/* What a commit wrote may stay, though its sync failed: it cannot be cut off either. */
static void fail_changes(struct fault_case *f)
{
    disk_of_node(f, DISK_FAILS_SYNCS, 4);
    disk_of_node(f, DISK_FAILS_WRITES, 20);
}

static void fail_reads(struct fault_case *f)
{
    disk_of_node(f, DISK_FAILS_READS, 50);
}

static void fill_disk(struct fault_case *f)
{
    disk_of_node(f, DISK_FULL, 20);
}

static void slow_disk(struct fault_case *f)
{
    disk_of_node(f, DISK_SLOW, 20);
}

static void heal_disk(struct fault_case *f)
{
    record(f->node->name, "disk: healed");
    disk_heal(node_disk(f->node));
}

/* --- the table -------------------------------------------------------------------------------- */

#define SECONDS(n) ((n)*WORLD_SECOND_US)
static const struct fault_kind kinds[] = {
    {"orderly restart", AT_ALL, 10, 0, restart, NULL},
    {"kill", AT_ALL, 10, 0, die, NULL},
    {"kill in mid-write", AT_ALL, 15, 0, die_in_change, NULL},
    {"power loss", AT_ALL, 10, 0, lose_power, NULL},
    {"power loss, hard", AT_ALL, 5, 0, lose_power_hard, NULL},
    {"power loss of all", AT_ALL, 3, 0, all_lose_power, NULL},
    {"pause", AT_ALL, 10, SECONDS(90), pause_node, resume_node},
    {"link cut", AT_QUEUEDS, 15, SECONDS(60), cut_link, join_link},
    {"link held", AT_QUEUEDS, 10, SECONDS(90), hold_link, release_link},
    {"link held one way", AT_QUEUEDS, 10, SECONDS(90), hold_one_way, release_link},
    {"link truncated", AT_QUEUEDS, 10, 0, truncate_link, NULL},
    {"link doubled", AT_QUEUEDS, 8, 0, double_link, NULL},
    {"link slow", AT_QUEUEDS, 10, SECONDS(120), slow_link, fast_link},
    {"writes fail", AT_ALL, 8, SECONDS(30), fail_writes, heal_disk},
    {"syncs fail", AT_ALL, 8, SECONDS(30), fail_syncs, heal_disk},
    {"writes and syncs fail", AT_ALL, 5, SECONDS(30), fail_changes, heal_disk},
    {"reads fail", AT_ALL, 5, SECONDS(30), fail_reads, heal_disk},
    {"disk full", AT_ALL, 8, SECONDS(60), fill_disk, heal_disk},
    {"disk slow", AT_ALL, 8, SECONDS(60), slow_disk, heal_disk},
    {"copy kept", AT_ALL, 6, 0, keep_copy, NULL},
    {"older topicd restored", AT_TOPICD, 3, 0, restore_topicd, NULL},
    {"older queued restored", AT_QUEUEDS, 3, 0, restore_queued, NULL},
    {"clock step", AT_ALL, 6, 0, step_clock, NULL},
    {"two queueds moved", AT_QUEUEDS, 4, 0, move, NULL},
};

static u64 began[ARRAY_LEN(kinds)]; /* in all runs */

/* --- the plan --------------------------------------------------------------------------------- */

static struct fault_case cases[FAULTS_MAX];
static struct event next;
static i64 until_us, apart_us;

static const struct fault_kind *kind_draw(void)
{
    u64 weights = 0, at;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        weights += kinds[i].weight;
    at = chance_below(CHANCE_FAULT, weights);
    for (size_t i = 0;; at -= kinds[i++].weight)
        if (at < kinds[i].weight)
            return &kinds[i];
}

static struct node *node_draw(const struct fault_kind *k)
{
    if (k->at == AT_TOPICD)
        return setting_topicd();
    return setting_node(
        (int)chance_below(CHANCE_FAULT, k->at == AT_QUEUEDS ? SETTING_QUEUEDS : SETTING_NODES));
}

static void case_end(struct fault_case *f)
{
    world_cancel(&f->end);
    f->kind->end(f);
    f->kind = NULL;
}

static void case_due(struct event *e)
{
    case_end(e->arg);
}

static bool is_in_force(const struct fault_kind *k, const struct node *n)
{
    for (size_t i = 0; i < FAULTS_MAX; i++)
        if (cases[i].kind && cases[i].node == n && cases[i].kind->end == k->end)
            return true;
    return false;
}

static void case_begin(void)
{
    const struct fault_kind *k = kind_draw();
    struct node *n = node_draw(k);
    struct fault_case *f = NULL;

    for (size_t i = 0; i < FAULTS_MAX; i++)
        if (!cases[i].kind)
            f = &cases[i];
    if (!f || is_in_force(k, n))
        return;
    record("fault", "%s: %s", k->name, n->name);
    began[k - kinds]++;
    *f = (struct fault_case){
        .kind = k, .node = n, .link_url = n->link_url, .end = {.run = case_due, .arg = f}};
    k->begin(f);
    if (k->end)
        world_after(&f->end, chance_skewed(CHANCE_FAULT, LASTS_MIN_US, k->lasts_max_us));
    else
        f->kind = NULL;
}

static void next_due(struct event *e)
{
    case_begin();
    if (world_now_us() < until_us)
        world_after(e, chance_between(CHANCE_FAULT, 1, 2 * apart_us));
}

void faults_until(i64 us, i64 apart)
{
    until_us = us;
    apart_us = apart;
    world_after(&next, chance_between(CHANCE_FAULT, 1, 2 * apart_us));
}

void faults_heal(void)
{
    world_cancel(&next);
    for (size_t i = 0; i < FAULTS_MAX; i++)
        if (cases[i].kind)
            case_end(&cases[i]);
    for (int i = 0; i < SETTING_NODES; i++)
        setting_node(i)->changes_until_kill = 0;
}

i64 faults_delay_us(void)
{
    for (size_t i = 0; i < FAULTS_MAX; i++)
        if (cases[i].kind)
            return DELAY_MAX_US;
    return DELAY_MIN_US;
}

void faults_begin(void)
{
    memset(cases, 0, sizeof(cases));
    next = (struct event){.run = next_due};
}

void faults_end(void)
{
    faults_heal();
}

void faults_counts(FILE *out)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        count_write(out, "faults begun", kinds[i].name, began[i]);
    count_write(out, "faults met", "restores of an older topicd", restores[0]);
    count_write(out, "faults met", "restores of an older queued", restores[1]);
    count_write(out, "faults met", "moves of queueds", moves);
}
