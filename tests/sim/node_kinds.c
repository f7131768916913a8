/* topicd and queued as nodes: each with its options, which live as long as it does. */
#include "common/base/mem.h"
#include "queued/queued.h"
#include "tests/sim/node.h"
#include "tests/sim/setting.h"
#include "topicd/topicd.h"

struct topicd_node {
    struct topicd_options options;
    struct topicd *daemon;
};

static void topicd_node_close(void *daemon)
{
    struct topicd_node *t = daemon;

    topicd_close(t->daemon);
    conf_deinit(&TOPICD_OPTIONS, &t->options);
    mem_free(t);
}

static int topicd_node_open(struct node *n, void **ret, struct server **ret_server, struct fault *f)
{
    struct topicd_node *t = mem_alloc(sizeof(*t));
    int err;

    conf_init(&TOPICD_OPTIONS, &t->options);
    setting_apply(&TOPICD_OPTIONS, &t->options, n);
    err = topicd_open(&t->daemon, &t->options, &n->env, NULL, f);
    if (err) {
        topicd_node_close(t);
        return err;
    }
    *ret = t;
    *ret_server = &t->daemon->server;
    return 0;
}

const struct node_kind NODE_TOPICD = {"topicd", topicd_node_open, topicd_node_close, NULL};

struct queued_node {
    struct queued_options options;
    struct queued *daemon;
};

static void queued_node_close(void *daemon)
{
    struct queued_node *q = daemon;

    queued_close(q->daemon);
    conf_deinit(&QUEUED_OPTIONS, &q->options);
    mem_free(q);
}

static int queued_node_open(struct node *n, void **ret, struct server **ret_server, struct fault *f)
{
    struct queued_node *q = mem_alloc(sizeof(*q));
    int err;

    conf_init(&QUEUED_OPTIONS, &q->options);
    setting_apply(&QUEUED_OPTIONS, &q->options, n);
    err = queued_open(&q->daemon, &q->options, &n->env, NULL, f);
    if (err) {
        queued_node_close(q);
        return err;
    }
    *ret = q;
    *ret_server = &q->daemon->server;
    return 0;
}

static void queued_node_check(const void *daemon)
{
    const struct queued_node *q = daemon;
    const struct queue *queue;

    for (size_t at = 0; (queue = map_next(&q->daemon->queues.by_key, &at));)
        queue_check(queue);
}

const struct node_kind NODE_QUEUED = {"queued", queued_node_open, queued_node_close,
                                      queued_node_check};
