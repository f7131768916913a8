/* Who gets a message: the topic's matcher, asked once, says which subscriptions; the directory says
 * which queued has the queue of each. */
#ifndef TOQUE_FANOUT_H
#define TOQUE_FANOUT_H

#include "topicd/message_attr.h"
#include "topicd/directory.h"
#include "topicd/sub.h"
#include "topicd/topic.h"

struct fanout_target {
    struct sub *sub;
    u32 queued; /* index of the queued */
};

struct fanout {
    struct directory *directory;
    struct filter_hits hits;
    struct fanout_target *targets; /* of the last plan */
    size_t n, cap;
    u32 *counts; /* targets of the last plan by queued */
    /* Ever, for the statistics. */
    u64 published, matched, filtered_out, refused_raw;
};

void fanout_init(struct fanout *f, struct directory *d);
void fanout_deinit(struct fanout *f);
/* Fills targets and counts: valid until the next plan, or until a subscription is changed. `body`
 * is what the sqs protocol gets. */
void fanout_plan(struct fanout *f, struct topic *t, const struct attr_list *attrs, str body);

#endif
