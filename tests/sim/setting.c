#include "tests/sim/setting.h"

#include "tests/delaying/delaying.h"
#include "tests/sim/chance.h"
#include "tests/sim/ledger.h"
#include "tests/sim/network.h"
#include "tests/sim/record.h"

#define DELAY_MAX_MS 200

static const char *const names[] = {"queued-0", "queued-1", "queued-2", "topicd"};
static const char *const urls[] = {"sim://link-0", "sim://link-1", "sim://link-2"};
static struct node nodes[SETTING_NODES];
static i64 heartbeat_ms, silence_ms, cache_kib;
static i64 delay_max_ms; /* of turns; -1: SQLite settles them at once */

u64 setting_delaying; /* stores opened, in all runs */

void setting_begin(void)
{
    static const i64 heartbeats_ms[] = {1000, 5000, 20000}, caches_kib[] = {64, 512, 8192};

    heartbeat_ms = heartbeats_ms[chance_below(CHANCE_NODE, ARRAY_LEN(heartbeats_ms))];
    silence_ms = heartbeat_ms * chance_between(CHANCE_NODE, 3, 6);
    cache_kib = caches_kib[chance_below(CHANCE_NODE, ARRAY_LEN(caches_kib))];
    record("setting", "heartbeat %" PRId64 " ms, silence %" PRId64 " ms, cache %" PRId64 " KiB",
           heartbeat_ms, silence_ms, cache_kib);
    delay_max_ms = -1;
    if (chance_one_in(CHANCE_NODE, 3)) {
        delay_max_ms = chance_skewed(CHANCE_NODE, 0, DELAY_MAX_MS);
        record("setting", "turns settle after up to %" PRId64 " ms", delay_max_ms);
    }
    for (int i = 0; i < SETTING_QUEUEDS; i++)
        network_route(urls[i]);
    for (int i = 0; i < SETTING_NODES; i++)
        node_init(&nodes[i], i < SETTING_QUEUEDS ? &NODE_QUEUED : &NODE_TOPICD, names[i],
                  i < SETTING_QUEUEDS ? urls[i] : NULL);
    for (u32 i = 0; i < LEDGER_QUEUES; i++) {
        struct ledger_queue *q = ledger_queue(i);

        q->visibility_ms = chance_skewed(CHANCE_NODE, 1, 60) * 1000;
        q->delay_ms = chance_one_in(CHANCE_NODE, 4) ? chance_between(CHANCE_NODE, 1, 30) * 1000 : 0;
        q->retention_ms = chance_one_in(CHANCE_NODE, 3)
                              ? chance_between(CHANCE_NODE, 120, 7200) * 1000
                              : INT64_C(345600) * 1000;
    }
    for (u32 i = 0; i < LEDGER_TOPICS; i++)
        for (u32 k = 0; k < LEDGER_QUEUES; k++) {
            struct ledger_sub *sub = &ledger_topic(i)->subs[k];

            sub->raw = (i + k) % 2;
            sub->policy = (u32)chance_below(CHANCE_NODE, MESSAGE_POLICY_COUNT);
        }
}

bool setting_keeps_order(void)
{
    return delay_max_ms < 0;
}

/* One store in some loses turns, one in some is taken away. */
bool setting_delays(struct delaying_conf *ret)
{
    if (delay_max_ms < 0)
        return false;
    setting_delaying++;
    *ret = (struct delaying_conf){
        .seed = chance_u64(CHANCE_NODE) | 1,
        .delay_max_ms = (u32)delay_max_ms,
        .window = (u32)chance_skewed(CHANCE_NODE, 1, 16),
        .fail_one_in =
            chance_one_in(CHANCE_NODE, 3) ? (u32)chance_between(CHANCE_NODE, 20, 500) : 0,
        .fence_at = chance_one_in(CHANCE_NODE, 10) ? 1 + chance_below(CHANCE_NODE, 1000) : 0};
    return true;
}

void setting_end(void)
{
    for (int i = 0; i < SETTING_NODES; i++)
        node_deinit(&nodes[i]);
}

struct node *setting_topicd(void)
{
    return &nodes[SETTING_QUEUEDS];
}

struct node *setting_queued(int i)
{
    return &nodes[i];
}

struct node *setting_node(int i)
{
    return &nodes[i];
}

int setting_index(const struct node *n)
{
    return (int)(n - nodes);
}

i64 setting_link_settles_us(void)
{
    return (silence_ms + 2 * heartbeat_ms + 15000) * 1000;
}

static void set(const struct conf_table *t, void *options, const char *name, const char *value)
{
    struct fault f;

    fault_clear(&f);
    if (!conf_find(t, str_of(name)))
        return;
    if (conf_set(t, options, str_of(name), str_of(value), "sim", &f))
        world_fail("%s", f.text);
}

static void set_number(const struct conf_table *t, void *options, const char *name, i64 value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, value);
    set(t, options, name, text);
}

void setting_apply(const struct conf_table *t, void *options, const struct node *n)
{
    char list[256];

    snprintf(list, sizeof(list), "%s,%s,%s", urls[0], urls[1], urls[2]);
    set(t, options, "queued", list);
    if (n->link_url)
        set(t, options, "link_url", n->link_url);
    set(t, options, "link_insecure", "true"); /* the network has no strangers */
    set(t, options, "data_dir", n->name);
    set_number(t, options, "link_heartbeat_ms", heartbeat_ms);
    set_number(t, options, "link_silence_max_ms", silence_ms);
    set_number(t, options, "store_cache_kib", cache_kib);
}
