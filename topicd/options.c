/* To add an option that only topicd has: a row here and a member in options.h; then print
 * config/topicd.json with --print-sample. */
#include "topicd/options.h"

#define NUMBER(...) CONF_NUMBER_ROW(struct topicd_options, __VA_ARGS__)
#define SIZE(...)   CONF_SIZE_ROW(struct topicd_options, __VA_ARGS__)

static const struct conf_option options[] = {
    {.name = "queued",
     .type = CONF_LIST,
     .value = "ipc:///run/toque/queued.link",
     .min = 1,
     .max = CONF_LIST_MAX,
     .help = "Link addresses of the queued instances that topicd serves: the link_url of each.",
     .offset = offsetof(struct topicd_options, queued)},
    NUMBER(topics_max, "100000", NULL, 1, 10000000, "Topics of one account and region."),
    NUMBER(topics_total_max, "1000000", NULL, 1, 100000000,
           "Topics of all accounts and regions; beyond it CreateTopic is refused with "
           "TopicLimitExceeded."),
    NUMBER(subscriptions_total_max, "20000000", NULL, 1, 1000000000,
           "Subscriptions of all accounts and regions; beyond it Subscribe is refused with "
           "SubscriptionLimitExceeded."),
    NUMBER(scopes_max, "10000", NULL, 1, 10000000,
           "Pairs of an account and a region that have topics or subscriptions; beyond it those "
           "that have none are refused like an account at its limit."),
    NUMBER(topic_policies_max, "200", NULL, 0, 12500000,
           "Subscriptions with a filter policy on one topic; the default is the service's quota."),
    NUMBER(account_policies_max, "10000", NULL, 0, 100000000,
           "Subscriptions with a filter policy of one account and region; likewise."),
    NUMBER(captured_messages_max, "1000", NULL, 1, 2000,
           "Messages that /_toque/outbox keeps: what is sent by e-mail, SMS, push or to Firehose."),
    SIZE(captured_bytes_max, "16MiB", MIB, GIB, "Their bytes."),
    SIZE(held_bytes_max, "64MiB", MIB, 64 * GIB,
         "Bytes of deliveries in memory that are not acknowledged; beyond it publishes wait."),
    SIZE(
        outbox_bytes_max, "1GiB", MIB, 1024 * GIB,
        "Bytes that may wait on disk for one queued instance that is down; beyond it publishes are "
        "refused."),
    SIZE(outbox_window_bytes_max, "16MiB", 64 * KIB, GIB,
         "Bytes sent from the outbox and not acknowledged, when a queued instance is up again."),
    NUMBER(
        ack_max_ms, "5000", "ms", 100, 600000,
        "Time without an acknowledgement after which a link gets a new session; its deliveries go "
        "to the outbox."),
    NUMBER(front_wait_max_ms, "2000", "ms", 0, 600000,
           "Longest wait of a queue call for a queued instance that is down; then it is refused."),
};

static const struct conf_default defaults[] = {
    {"http_port", "4566"},          {"tls_port", "4567"}, {"data_dir", "/var/lib/toque/topicd"},
    {"calls_waiting_max", "16384"}, {NULL, NULL},
};

const struct conf_table TOPICD_OPTIONS = {
    .program = "topicd",
    .purpose = "The topics daemon of toque: Amazon SNS, and the front endpoint of its queues.",
    .options = options,
    .n = ARRAY_LEN(options),
    .shared = &SERVER_OPTIONS,
    .defaults = defaults,
};

/* A frame must hold a forwarded call: its headers and its body. */
static int check_frame(const struct topicd_options *o, struct fault *f)
{
    const struct server_options *s = &o->server;
    i64 largest = MAX(s->body_size_max, s->ipc_message_size_max) + s->header_size_max + KIB;

    if (s->link_frame_size_max >= largest)
        return 0;
    return fault_set(f, CONF_FAULT,
                     "link_frame_size_max: must be %" PRId64
                     " at least, for a call of body_size_max or ipc_message_size_max to pass",
                     largest);
}

int topicd_options_check(const struct topicd_options *o, struct fault *f)
{
    int err = server_options_check(&o->server, f);

    if (err)
        return err;
    for (size_t i = 0; i < o->queued.n; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(o->queued.items[i], o->queued.items[k]) == 0)
                return fault_set(f, CONF_FAULT, "queued: %s is given twice", o->queued.items[i]);
    return check_frame(o, f);
}
