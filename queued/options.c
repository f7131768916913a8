/* A new option is a row here and a member in options.h; config/queued.json is printed anew with
 * --print-sample. */
#include "queued/options.h"

static const char *const durability_words[] = {"full", "relaxed", NULL};
static const char *const clock_words[] = {"real", "manual", NULL};
static const char *const log_words[] = {"error", "warning", "info", "debug", NULL};

#define ROW(name, type, value, unit, min, max, words, help)                                        \
    {                                                                                              \
#name, type, value, unit, min, max, words, help, offsetof(struct queued_options, name)     \
    }
#define TEXT(name, value, help)        ROW(name, CONF_STRING, value, NULL, 0, 0, NULL, help)
#define PATH(name, value, help)        ROW(name, CONF_PATH, value, NULL, 0, 0, NULL, help)
#define FLAG(name, value, help)        ROW(name, CONF_BOOL, value, NULL, 0, 0, NULL, help)
#define WORD(name, value, words, help) ROW(name, CONF_ENUM, value, NULL, 0, 0, words, help)
#define NUMBER(name, value, unit, min, max, help)                                                  \
    ROW(name, CONF_INT, value, unit, min, max, NULL, help)
#define SIZE(name, value, min, max, help) ROW(name, CONF_SIZE, value, "bytes", min, max, NULL, help)

#define KIB INT64_C(1024)
#define MIB (INT64_C(1024) * 1024)
#define GIB (INT64_C(1024) * 1024 * 1024)

static const struct conf_option options[] = {
    TEXT(http_host, "127.0.0.1",
         "Address of the HTTP door; another one than this machine's own lets others in."),
    NUMBER(http_port, "9324", NULL, 1, 65535, "Port of the HTTP door."),
    PATH(unix_socket, "", "Path of the Unix-domain socket with the same HTTP; empty: none."),
    TEXT(ipc_url, "", "nng address, ipc://PATH, of the local call door; empty: none."),
    TEXT(link_url, "ipc:///run/toque/queued.link",
         "nng address at which topicd finds this queued; empty: no topics."),
    PATH(data_dir, "/var/lib/toque/queued", "Directory of the store; made where it is missing."),
    PATH(pid_file, "", "File that holds the process id while the daemon runs; empty: none."),
    PATH(topology, "",
         "File with queues that are created at start where they are missing; empty: none."),
    WORD(durability, "full", durability_words,
         "full: what is answered survives loss of power; relaxed: the death of the process only."),
    WORD(clock, "real", clock_words,
         "manual: time stands still until POST /_toque/clock moves it, for tests."),
    WORD(log_level, "info", log_words, "What is logged: this and what is graver."),
    ROW(account, CONF_STRING, "000000000000", NULL, 12, 12, NULL,
        "Account of callers whose access key id is not twelve digits."),
    ROW(region, CONF_STRING, "us-east-1", NULL, 1, 32, NULL,
        "Region of callers without a credential scope."),
    TEXT(public_url, "",
         "Base of QueueUrls where a call has no Host; empty: the HTTP door's own address."),
    FLAG(public_url_always, "false",
         "QueueUrls are built from public_url even where a call has a Host."),
    FLAG(strict_waits, "false",
         "The service's waiting rules: a name rests 60 s after DeleteQueue, a queue 60 s after "
         "PurgeQueue. Off, both can be used again at once."),
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
    NUMBER(calls_waiting_max, "131072", NULL, 1, 10000000,
           "Calls under way at once, long polls among them."),
    SIZE(ipc_message_size_max, "16MiB", 4 * KIB, GIB, "Largest call at the ipc door."),
    NUMBER(long_polls_max, "100000", NULL, 0, 10000000,
           "Long polls that wait at once; beyond it they are refused."),
    NUMBER(queues_max, "1000000", NULL, 1, 100000000, "Queues of all accounts and regions."),
    NUMBER(messages_max, "100000000", NULL, 1, INT64_C(10000000000),
           "Messages that wait in all queues, some 90 bytes of memory each; beyond it sends are "
           "refused."),
    NUMBER(in_flight_max, "120000", NULL, 1, 1000000000,
           "Received and not yet deleted messages of a queue; the service's own quota."),
    SIZE(link_frame_size_max, "64MiB", 4 * MIB, GIB, "Largest frame on the link."),
    NUMBER(link_heartbeat_ms, "1000", "ms", 10, 60000, "Between signs of life on an idle link."),
    NUMBER(link_silence_max_ms, "5000", "ms", 50, 600000,
           "A topicd that is silent for so long is down."),
    NUMBER(store_cache_kib, "8192", "KiB", 64, 16777216, "Page cache of the store."),
    NUMBER(stop_max_ms, "5000", "ms", 0, 600000,
           "Time that calls under way get to end when the daemon stops."),
    NUMBER(open_files, "65536", NULL, 64, 10000000, "File descriptors to ask the system for."),
};

const struct conf_table QUEUED_OPTIONS = {
    .program = "queued",
    .purpose = "The queues daemon of toque: Amazon SQS, and what topics deliver to.",
    .options = options,
    .n = ARRAY_LEN(options),
};
