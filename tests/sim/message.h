/* The messages of the workload. A message is known by its mark; everything else of it follows from
 * that, so a body that comes back is held against what it must be, byte for byte. */
#ifndef TOQUE_SIM_MESSAGE_H
#define TOQUE_SIM_MESSAGE_H

#include "common/base/buf.h"

struct ledger_queue;
struct ledger_topic;

struct mark {
    u64 number; /* from 1 */
    u32 sender; /* whose, */
    u64 order;  /* and his how many-th */
    u32 color, size;
    u32 group;                  /* in a FIFO queue */
    struct ledger_topic *topic; /* published to it; NULL: sent to a queue */
    i64 issued_us, ended_us;    /* ended_us INT64_MAX: it is under way */
    bool loose;                 /* it may be delivered more than once: topicd was restored */
};

/* Filter policies, and what they say in plain words. The first one takes everything. */
struct message_policy {
    const char *json; /* NULL: none */
    bool in_body;     /* FilterPolicyScope MessageBody */
    bool (*matches)(const struct mark *m);
};
extern const struct message_policy MESSAGE_POLICIES[];
extern const u32 MESSAGE_POLICY_COUNT;

void message_put_body(const struct mark *m, struct buf *out);
/* The members of a MessageAttributes object, as JSON without its braces. */
void message_put_attributes(const struct mark *m, struct buf *out);
/* The number that a body names, raw or in an envelope; 0: none. */
u64 message_marked(str body);
/* Whether the body is the mark's own; `wrapped`: in an envelope of the service. */
bool message_is_whole(const struct mark *m, str body, bool wrapped);
/* "text" as a JSON string with its quotes. */
void message_quote(struct buf *out, str text);

#endif
