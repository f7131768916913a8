/* Every option of topicd: one typed table with default, unit, bounds and reason. config/topicd.json
 * is the sample that it prints. */
#ifndef TOQUE_TOPICD_OPTIONS_H
#define TOQUE_TOPICD_OPTIONS_H

#include "common/aws/server_options.h"

struct topicd_options {
    struct server_options server;
    struct conf_list queued;
    i64 topics_total_max, subscriptions_total_max, scopes_max;
    i64 topics_max, topic_policies_max, account_policies_max;
    i64 captured_messages_max, captured_bytes_max;
    i64 held_bytes_max, outbox_bytes_max, outbox_window_bytes_max, ack_max_ms, front_wait_max_ms;
};
static_assert(offsetof(struct topicd_options, server) == 0, "the rows of all daemons start there");

extern const struct conf_table TOPICD_OPTIONS;

/* Checks across options, beyond the bounds of each. E_FAULT: f->text is one line. */
int topicd_options_check(const struct topicd_options *o, struct fault *f) MUST_CHECK;

#endif
