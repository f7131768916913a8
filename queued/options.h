/* Every option of queued: one typed table with default, unit, bounds and reason. config/queued.json
 * is the sample that it prints. */
#ifndef TOQUE_QUEUED_OPTIONS_H
#define TOQUE_QUEUED_OPTIONS_H

#include "common/aws/server_options.h"

struct queued_options {
    struct server_options server;
    char *link_url;
    bool strict_waits, enforce_policies, peek_remote, test_aids;
    i64 long_polls_max, queues_max, messages_max, in_flight_max, expiry_grace_s;
};
static_assert(offsetof(struct queued_options, server) == 0, "the rows of all daemons start there");

extern const struct conf_table QUEUED_OPTIONS;

#endif
