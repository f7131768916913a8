/* Any bytes as a topology file, as queued reads it: queues are made, or the file is refused with
 * its place; read a second time it makes nothing more. */
#include <stdlib.h>

#include "common/base/mem.h"
#include "queued/topology.h"
#include "tests/store_aid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct clock now;
static struct queues queues;
static struct queue_store *store;
static char *folder; /* of the store, for as long as the process lives */

static void failed(void *arg, int err)
{
    abort();
}

static void begin(void)
{
    struct fault f;
    const struct queues_limits limits = {.queues_max = 1000, .messages_max = 1};
    if (store)
        return;
    fault_clear(&f);
    json_setup();
    folder = store_aid_dir();
    clock_init(&now, true);
    int err = queue_store_open(&store, store_aid_options(folder, STORE_RELAXED), &f);
    assert(err == 0);
    struct loop *loop = loop_new(&now);
    err = queue_store_serve(store, loop, failed, NULL);
    assert(err == 0);
    struct background *background =
        background_new(loop, &(struct background_conf){.share_percent = 100});
    queues_init(&queues, loop, background, store, NULL, &limits);
    err = queues_reload(&queues);
    assert(err == 0);
}

static int apply(const struct json_doc *doc, struct fault *f)
{
    fault_clear(f);
    return queued_topology_apply(&queues, doc, STR("000000000000"), STR("us-east-1"), f);
}

/* Every queue goes again; what was written is committed, so that the turn stays small. */
static void clean_up(void)
{
    struct queue *q;
    for (size_t pos = 0; (q = map_next(&queues.by_key, &pos)); pos = 0) {
        queue_check(q);
        queues_remove(q);
    }
    assert(queue_store_flush(store) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_doc doc = {0};
    struct fault f;
    begin();
    fault_clear(&f);
    if (json_open(&doc, str_from(data, size), "topology.json", false, &f) == 0) {
        int err = apply(&doc, &f);
        size_t n = queues_count(&queues);
        assert(err == 0 ? f.code == 0 : f.code && strstr(f.text, "topology.json:"));
        assert(apply(&doc, &f) == err && queues_count(&queues) == n);
        clean_up();
    }
    json_close(&doc);
    return 0;
}
