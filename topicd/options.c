#include "topicd/options.h"

#include "common/aws/arn.h"

static const char *const durability_words[] = {"full", "relaxed", NULL};
static const char *const clock_words[] = {"real", "manual", NULL};
static const char *const log_words[] = {"error", "warning", "info", "debug", NULL};

#define AT(member) offsetof(struct topicd_options, member)
#define TEXT(name, value, help)                                                                    \
    {                                                                                              \
#name, CONF_STRING, value, NULL, 0, 0, NULL, help, AT(name)                                \
    }
#define PATH(name, value, help)                                                                    \
    {                                                                                              \
#name, CONF_PATH, value, NULL, 0, 0, NULL, help, AT(name)                                  \
    }
#define NUMBER(name, value, unit, min, max, help)                                                  \
    {                                                                                              \
#name, CONF_INT, value, unit, min, max, NULL, help, AT(name)                               \
    }
#define SIZE(name, value, min, max, help)                                                          \
    {                                                                                              \
#name, CONF_SIZE, value, "bytes", min, max, NULL, help, AT(name)                           \
    }
#define WORD(name, value, words, help)                                                             \
    {                                                                                              \
#name, CONF_ENUM, value, NULL, 0, 0, words, help, AT(name)                                 \
    }

#define KIB INT64_C(1024)
#define MIB (INT64_C(1024) * 1024)
#define GIB (INT64_C(1024) * 1024 * 1024)

static const struct conf_option options[] = {
    TEXT(http_host, "127.0.0.1",
         "Address of the HTTP door; another one than this machine's own lets others in."),
    NUMBER(http_port, "4566", NULL, 1, 65535,
           "Port of the HTTP door: SNS, and the front door of SQS."),
    PATH(unix_socket, "", "Path of the Unix-domain socket with the same HTTP; empty: none."),
    TEXT(ipc_url, "", "nng address, ipc://PATH, of the local call door; empty: none."),
    {"queued", CONF_LIST, "ipc:///run/toque/queued.link", NULL, 1, CONF_LIST_MAX, NULL,
     "Link addresses of the queueds that topicd serves, each as its link_url says.", AT(queued)},
    PATH(data_dir, "/var/lib/toque/topicd", "Directory of the store; made where it is missing."),
    PATH(pid_file, "", "File that holds the process id while the daemon runs; empty: none."),
    PATH(topology, "",
         "File with topics and subscriptions that are created at start where they are missing; "
         "empty: none."),
    WORD(durability, "full", durability_words,
         "full: what is answered survives loss of power; relaxed: the death of the process only."),
    WORD(clock, "real", clock_words,
         "manual: time stands still until POST /_toque/clock moves it, for tests."),
    WORD(log_level, "info", log_words, "What is logged: this and what is graver."),
    {"account", CONF_STRING, "000000000000", NULL, 12, 12, NULL,
     "Account of callers whose access key id is not twelve digits.", AT(account)},
    {"region", CONF_STRING, "us-east-1", NULL, 1, 32, NULL,
     "Region of callers without a credential scope.", AT(region)},
    TEXT(public_url, "",
         "Base of the URLs in notifications, and of QueueUrls where a call has no Host; empty: the "
         "HTTP door's own address."),
    {"public_url_always", CONF_BOOL, "false", NULL, 0, 0, NULL,
     "QueueUrls are built from public_url even where a call has a Host.", AT(public_url_always)},
    SIZE(body_size_max, "16MiB", 4 * KIB, GIB,
         "Largest body of a request; encoding may triple a batch, and base64 its attributes."),
    SIZE(header_size_max, "32KiB", 4 * KIB, MIB, "Largest request line and headers."),
    NUMBER(connections_max, "4096", NULL, 1, 1000000, "Connections of the HTTP doors at once."),
    NUMBER(connections_per_address_max, "0", NULL, 0, 1000000,
           "Of them, those of one address at once; 0: as many as there are."),
    NUMBER(idle_timeout_s, "75", "s", 1, 86400,
           "A connection without a request is closed after so long."),
    NUMBER(request_timeout_s, "60", "s", 1, 86400,
           "Time for the whole of a request to arrive, from its first byte on."),
    NUMBER(answer_timeout_s, "60", "s", 1, 86400,
           "Time for the whole of an answer to be read; behind it the connection is closed."),
    SIZE(client_memory_max, "256MiB", MIB, 64 * GIB,
         "Bytes held for clients at once: requests, and answers that are not read yet."),
    NUMBER(calls_waiting_max, "16384", NULL, 1, 10000000,
           "Calls under way at once, forwarded long polls among them."),
    SIZE(ipc_message_size_max, "16MiB", 4 * KIB, GIB, "Largest call at the ipc door."),
    NUMBER(topics_max, "100000", NULL, 1, 10000000, "Topics of one account and region."),
    NUMBER(topic_policies_max, "200", NULL, 0, 12500000,
           "Subscriptions with a filter policy on one topic; the service's own quota."),
    NUMBER(account_policies_max, "10000", NULL, 0, 100000000,
           "Subscriptions with a filter policy of one account and region; likewise."),
    SIZE(held_bytes_max, "64MiB", MIB, 64 * GIB,
         "Bytes of deliveries that no queued has acknowledged; beyond it publishes wait."),
    SIZE(outbox_bytes_max, "1GiB", MIB, 1024 * GIB,
         "Bytes that may wait on disk for one queued that is away; beyond it publishes are "
         "refused."),
    SIZE(outbox_window_bytes_max, "16MiB", 64 * KIB, GIB,
         "Bytes sent from the outbox and not acknowledged, when a queued is back."),
    NUMBER(ack_max_ms, "5000", "ms", 100, 600000,
           "A queued that acknowledges nothing for so long gets a new session; its deliveries go "
           "to the outbox."),
    NUMBER(front_wait_max_ms, "2000", "ms", 0, 600000,
           "Queue calls wait so long for a queued that is away before they are refused."),
    SIZE(link_frame_size_max, "64MiB", 4 * MIB, GIB, "Largest frame on a link."),
    NUMBER(link_heartbeat_ms, "1000", "ms", 10, 60000, "Between signs of life on an idle link."),
    NUMBER(link_silence_max_ms, "5000", "ms", 50, 600000,
           "A queued that is silent for so long is down."),
    NUMBER(store_cache_kib, "8192", "KiB", 64, 16777216, "Page cache of the store."),
    NUMBER(stop_max_ms, "5000", "ms", 0, 600000,
           "Time that calls under way get to end when the daemon stops."),
    NUMBER(open_files, "65536", NULL, 64, 10000000, "File descriptors to ask the system for."),
};

const struct conf_table TOPICD_OPTIONS = {
    .program = "topicd",
    .purpose = "The topics daemon of toque: Amazon SNS, and the front door of its queues.",
    .options = options,
    .n = ARRAY_LEN(options),
};

/* A frame holds a forwarded call: its body, and its headers beside it. */
static int check_frame(const struct topicd_options *o, struct fault *f)
{
    i64 largest = MAX(o->body_size_max, o->ipc_message_size_max) + o->header_size_max + KIB;

    if (o->link_frame_size_max >= largest)
        return 0;
    return fault_set(f, CONF_FAULT,
                     "link_frame_size_max: must be %" PRId64
                     " at least, for a call of body_size_max or ipc_message_size_max to pass",
                     largest);
}

static bool is_region(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
              s.p[i] == '-'))
            return false;
    return s.n > 0;
}

int topicd_options_check(const struct topicd_options *o, struct fault *f)
{
    if (!arn_is_account(str_of(o->account)))
        return fault_set(f, CONF_FAULT, "account: must be twelve digits");
    if (!is_region(str_of(o->region)))
        return fault_set(f, CONF_FAULT, "region: must be lower-case letters, digits and hyphens");
    for (size_t i = 0; i < o->queued.n; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(o->queued.items[i], o->queued.items[k]) == 0)
                return fault_set(f, CONF_FAULT, "queued: %s is there twice", o->queued.items[i]);
    return check_frame(o, f);
}
