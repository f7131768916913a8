/* Any bytes as a topology file: topics and subscriptions are made, or the file is refused with its
 * place and a reason; and applied once more it changes nothing. */
#include <stdlib.h>

#include "common/base/log.h"
#include "tests/store_aid.h"
#include "topicd/topicd.h"
#include "topicd/topology.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SIZE_MAX_HERE 65536
/* Inputs between commits. */
#define COMMIT_EVERY 256

static struct topicd t;
static char *dir;

static void failed(void *arg, int err)
{
    abort();
}

static void close_store(void)
{
    catalog_deinit(&t.catalog);
    topic_store_close(t.store);
    background_free(t.server.background);
    loop_free(t.server.loop);
    conf_deinit(&TOPICD_OPTIONS, (struct topicd_options *)t.options);
    store_aid_remove(dir);
}

static void open_store(void)
{
    static struct topicd_options options;
    struct fault f = {0};

    json_setup();
    log_open("topicd", LOG_LEVEL_ERROR);
    conf_init(&TOPICD_OPTIONS, &options);
    t.options = &options;
    dir = store_aid_dir();
    clock_init(&t.server.clock, true);
    id_init(&t.server.ids, 1);
    t.server.loop = loop_new(&t.server.clock);
    if (topic_store_open(&t.store, store_aid_options(dir, STORE_RELAXED), &f) ||
        topic_store_serve(t.store, t.server.loop, failed, NULL))
        abort();
    t.server.background =
        background_new(t.server.loop, &(struct background_conf){.share_percent = 100});
    catalog_init(&t.catalog, t.store, t.server.loop, t.server.background, NULL);
    if (catalog_reload(&t.catalog))
        abort();
    atexit(close_store);
}

static void apply(const struct json_doc *doc)
{
    static struct fault f;
    size_t at = 0;
    struct topic *topic;

    fault_clear(&f);
    int err = topology_apply(&t, doc, &f);

    if (err && (!f.text[0] || !strchr(f.text, ':')))
        abort();
    size_t topics = t.catalog.topics.n, subs = catalog_sub_count(&t.catalog);

    if (!err && (topology_apply(&t, doc, &f) || t.catalog.topics.n != topics ||
                 catalog_sub_count(&t.catalog) != subs))
        abort();
    while ((topic = map_next(&t.catalog.topics, &at)))
        catalog_remove_topic(&t.catalog, topic);
    if (catalog_sub_count(&t.catalog))
        abort();
    while (t.catalog.clearing.step(&t.catalog, 100) == 100)
        ;
    if (t.catalog.topics.n || t.catalog.subs.n)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fault f;
    static int inputs;
    struct json_doc doc;

    if (!t.server.loop)
        open_store();
    if (size > SIZE_MAX_HERE)
        return 0;
    fault_clear(&f);
    if (json_open(&doc, str_from(data, size), "topology.json", false, &f) == 0) {
        apply(&doc);
        json_close(&doc);
    } else if (!f.text[0]) {
        abort();
    }
    if (++inputs % COMMIT_EVERY == 0)
        loop_turn(t.server.loop, 0);
    return 0;
}
