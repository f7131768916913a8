/* To add an option that only queued has: a row here and a member in options.h; then print
 * config/queued.json with --print-sample. */
#include "queued/options.h"

#define TEXT(...)   CONF_TEXT_ROW(struct queued_options, __VA_ARGS__)
#define FLAG(...)   CONF_FLAG_ROW(struct queued_options, __VA_ARGS__)
#define NUMBER(...) CONF_NUMBER_ROW(struct queued_options, __VA_ARGS__)

static const struct conf_option options[] = {
    TEXT(link_url, "ipc:///run/toque/queued.link",
         "nng address at which topicd reaches this queued; empty: no topics."),
    FLAG(strict_waits, "false",
         "The service's waiting rules: 60 s until the name of a deleted queue can be used again, "
         "60 s between two PurgeQueue calls for one queue. Off: no waiting."),
    FLAG(enforce_policies, "false",
         "Enforces the Policy of each queue: calls of other accounts and deliveries of topics need "
         "a "
         "statement that allows them, and what one denies is denied to everybody. Off: everything "
         "is "
         "allowed."),
    FLAG(peek_remote, "false",
         "Shows messages without receiving them (/_toque/queues/NAME/messages, /_aws/sqs/messages) "
         "to "
         "clients of other machines, too."),
    FLAG(
        test_aids, "false",
        "Offers /_toque/queues/NAME/aids, which makes happen what the service may do to a program: "
        "errors, throttling, delays, another order, second deliveries."),
    NUMBER(long_polls_max, "100000", NULL, 0, 10000000,
           "Long polls that wait at the same time; beyond it they are refused."),
    NUMBER(queues_max, "1000000", NULL, 1, 100000000, "Queues of all accounts and regions."),
    NUMBER(messages_max, "100000000", NULL, 1, INT64_C(10000000000),
           "Messages in all queues together, about 90 bytes of memory each; beyond it sends are "
           "refused."),
    NUMBER(
        expiry_grace_s, "600", "s", 0, 86400,
        "After a start with a clock an hour or more from the last known time nothing expires for "
        "so long: time to set a wrong clock and start again."),
    NUMBER(
        in_flight_max, "120000", NULL, 1, 1000000000,
        "Received and not yet deleted messages of one queue; the default is the service's quota."),
};

static const struct conf_default defaults[] = {
    {"data_dir", "/var/lib/toque/queued"},
    {NULL, NULL},
};

const struct conf_table QUEUED_OPTIONS = {
    .program = "queued",
    .purpose = "The queues daemon of toque: Amazon SQS, and the queues that topics deliver to.\n\n"
               "  --check           read the store of data_dir, say what is damaged, and exit\n"
               "  --salvage=DIR     copy what is sound of it into a new store below DIR, and exit\n"
               "                    (no daemon may run)",
    .options = options,
    .n = ARRAY_LEN(options),
    .shared = &SERVER_OPTIONS,
    .defaults = defaults,
};
