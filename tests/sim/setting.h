/* What is simulated: one topicd, three queueds, a link to each, and their options, drawn anew for
 * each run. */
#ifndef TOQUE_SIM_SETTING_H
#define TOQUE_SIM_SETTING_H

#include "common/base/conf.h"
#include "tests/sim/node.h"

#define SETTING_QUEUEDS 3
#define SETTING_NODES   (SETTING_QUEUEDS + 1)

void setting_begin(void);
void setting_end(void);
struct node *setting_topicd(void);
struct node *setting_queued(int i);
/* All of them; topicd is the last. */
struct node *setting_node(int i);
int setting_index(const struct node *n);
/* So long, at most, until both sides of a link know what has become of it. */
i64 setting_link_settles_us(void);
/* Whether a queued's answers leave in the order in which they were made: not where bodies are
 * fetched. */
bool setting_keeps_order(void);
/* Whether stores settle late in this run, and how one that is opened now does. */
struct delaying_conf;
bool setting_delays(struct delaying_conf *ret);
extern u64 setting_delaying; /* such stores, in all runs */
/* Sets a daemon's options, those that its table has. */
void setting_apply(const struct conf_table *t, void *options, const struct node *n);

#endif
