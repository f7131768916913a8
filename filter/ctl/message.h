/* Messages in the formats in which they are recorded, one line (or one JSON text) each:
 *
 *   {"MessageAttributes":{"k":{"DataType":"String","StringValue":"v"}},"Message":"…"}
 *       as Publish takes it
 *   {"Type":"Notification","MessageAttributes":{"k":{"Type":"String","Value":"v"}},"Message":"…"}
 *       SNS's envelope
 *   {"Messages":[{"Body":"…","MessageAttributes":…}]}
 *       the answer of SQS ReceiveMessage, or one of its elements; also as Python prints it
 *   {"Records":[{"body":"…","messageAttributes":…}]}, {"Records":[{"Sns":{"Message":"…",…}}]}
 *       Lambda's events
 *   {"PublishBatchRequestEntries":[…]}
 *   {"events":[{"message":"…"}]}, {"logEvents":…}, {"results":[[{"field":"@message",…}]]}
 *       CloudWatch
 *   2026-01-02T03:04:05Z {…}
 *       a log line around any of them
 *   [ … ]
 *       several of them; also one object after the other
 *   any other JSON object
 *       a body without attributes
 *
 * A body that is itself an SNS envelope stands for the message inside it. An object with none of
 * these members is a body; for bodies that have such members, as_body declares every line a
 * body. */
#ifndef TOQUE_FILTER_CTL_MESSAGE_H
#define TOQUE_FILTER_CTL_MESSAGE_H

#include "common/base/mem.h"
#include "common/base/scan.h"
#include "filter/filter.h"

#define MESSAGE_ATTRS_MAX 1024 /* attributes of one message; a publish has some tens at most */
#define MESSAGE_DEPTH_MAX 8    /* nested formats */

/* `shown`: the message's own text, which may contain line breaks. Everything is borrowed for the
 * call. */
typedef void message_fn(void *ctx, const struct filter_message *msg, str shown);

struct message_reader {
    bool as_body;
    message_fn *fn;
    void *ctx;
    u64 guessed; /* objects taken as bodies because they have no known member */
    /* After E_INVALID: what is wrong, and at which byte of the line. */
    const char *why;
    size_t at;
    /* Private. */
    str line, rest;                    /* rest: what follows the current object on the line */
    bool is_many;                      /* the line holds several messages */
    bool is_within;                    /* the current object is surrounded by other words */
    struct filter_attr *attrs, *spare; /* spare: for messages that are only inspected */
    size_t attr_count;
    struct arena texts;
};

void message_reader_init(struct message_reader *r, bool as_body, message_fn *fn, void *ctx);
void message_reader_deinit(struct message_reader *r);
/* Passes every message of the line to fn; a blank line has none. E_INVALID when it has no known
 * format; messages before the error have been passed on. */
int message_read(struct message_reader *r, str line) MUST_CHECK;
/* An attribute map alone, as in a test suite. On success *ret has the attributes, valid until the
 * next call. */
int message_read_attributes(struct message_reader *r, str json,
                            struct filter_message *ret) MUST_CHECK;

#endif
