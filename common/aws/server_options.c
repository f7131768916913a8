/* To add an option of all daemons: a row here and a member in server_options.h; then print the
 * files in config with --print-sample. */
#include "common/aws/server_options.h"

#include "common/aws/arn.h"
#include "common/base/log.h"
#include "common/io/engine.h"

static const char *const durability_words[] = {
    [STORE_FULL] = "full", [STORE_RELAXED] = "relaxed", NULL};
static const char *const tls_words[] = {
    [SERVER_TLS_OFF] = "off", [SERVER_TLS_AUTO] = "auto", [SERVER_TLS_FILES] = "files", NULL};
static const char *const clock_words[] = {
    [SERVER_CLOCK_REAL] = "real", [SERVER_CLOCK_MANUAL] = "manual", NULL};
static const char *const sandbox_words[] = {
    [SERVER_SANDBOX_ON] = "on", [SERVER_SANDBOX_EXEC] = "exec", [SERVER_SANDBOX_OFF] = "off", NULL};
static const char *const log_words[] = {[LOG_LEVEL_ERROR] = "error",
                                        [LOG_LEVEL_WARNING] = "warning",
                                        [LOG_LEVEL_INFO] = "info",
                                        [LOG_LEVEL_DEBUG] = "debug",
                                        NULL};

#define TEXT(...)   CONF_TEXT_ROW(struct server_options, __VA_ARGS__)
#define PATH(...)   CONF_PATH_ROW(struct server_options, __VA_ARGS__)
#define FLAG(...)   CONF_FLAG_ROW(struct server_options, __VA_ARGS__)
#define WORD(...)   CONF_WORD_ROW(struct server_options, __VA_ARGS__)
#define NUMBER(...) CONF_NUMBER_ROW(struct server_options, __VA_ARGS__)
#define LIST(...)   CONF_LIST_ROW(struct server_options, __VA_ARGS__)
#define SIZE(...)   CONF_SIZE_ROW(struct server_options, __VA_ARGS__)

static const struct conf_option options[] = {
    LIST(http_host, "127.0.0.1,::1", 1,
         "Addresses of the HTTP endpoint; other than loopback ones expose it, which is logged."),
    NUMBER(http_port, "9324", NULL, 0, 65535,
           "Port of the HTTP endpoint; 0: a free one, which is logged."),
    WORD(tls, "off", tls_words,
         "auto: TLS with a certificate of this daemon's own authority, in data_dir/tls; files: "
         "with tls_certificate and tls_key. In addition to the endpoint without TLS."),
    NUMBER(tls_port, "9325", NULL, 0, 65535, "Port of the endpoint with TLS; 0: a free one."),
    PATH(tls_certificate, "", "PEM file of the certificate and its chain; read again on SIGHUP."),
    PATH(tls_key, "", "PEM file of its key."),
    LIST(tls_names, "", 0,
         "With tls auto: more names and addresses for the certificate than those of this machine."),
    PATH(unix_socket, "", "Path of a Unix-domain socket that serves the same HTTP; empty: none."),
    TEXT(ipc_url, "", "nng address, ipc://PATH, of the local call endpoint; empty: none."),
    PATH(data_dir, "/var/lib/toque", "Directory of the store; created if missing."),
    PATH(pid_file, "", "File with the process id while the daemon runs; empty: none."),
    PATH(
        keys, "",
        "File of access keys, mode 0600, read again on SIGHUP: signatures are verified; empty: any "
        "secret works."),
    PATH(topology, "",
         "File of queues, topics and subscriptions that are created at start if missing; empty: "
         "none."),
    WORD(durability, "full", durability_words,
         "full: answered calls survive a power loss; relaxed: only a crash of the process."),
    SIZE(disk_reserve_bytes, "32MiB", 0, 1024 * GIB,
         "Disk space kept for the store: with it calls that do not store more go on while the disk "
         "is "
         "full; 0: none."),
    WORD(clock, "real", clock_words, "manual: time changes only by POST /_toque/clock, for tests."),
    WORD(log_level, "info", log_words, "What is logged: this level and above."),
    CONF_ROW(struct server_options, account, CONF_STRING, "000000000000", NULL, 12, 12, NULL,
             "Account of callers whose access key id is not twelve digits."),
    CONF_ROW(struct server_options, region, CONF_STRING, "us-east-1", NULL, 1, ARN_REGION_MAX, NULL,
             "Region of callers without a credential scope."),
    TEXT(public_url, "",
         "Base of the URLs in notifications, and of QueueUrls where a call has no Host; empty: the "
         "HTTP endpoint's own address."),
    FLAG(public_url_always, "false",
         "QueueUrls are built from public_url even where a call has a Host."),
    SIZE(body_size_max, "16MiB", 4 * KIB, GIB,
         "Largest body of a request; encoding may triple a batch, and base64 its attributes."),
    SIZE(header_size_max, "32KiB", 4 * KIB, MIB, "Largest request line and headers."),
    NUMBER(connections_max, "4096", NULL, 1, 1000000, "Connections of the HTTP endpoints at once."),
    NUMBER(connections_per_address_max, "0", NULL, 0, 1000000,
           "Connections of one client address at once; 0: no limit of its own."),
    NUMBER(idle_timeout_s, "75", "s", 1, 86400,
           "Time after which a connection without a request is closed."),
    NUMBER(request_timeout_s, "60", "s", 1, 86400,
           "Time for a whole request to arrive, from its first byte on."),
    NUMBER(answer_timeout_s, "60", "s", 1, 86400,
           "Time for a whole answer to be read; then the connection is closed."),
    LIST(browser_origins, "loopback", 0,
         "Origins of web pages that may call: as browsers send them (http://host:port), loopback "
         "for pages of this machine, null for files, or * for all. Programs send no origin."),
    LIST(browser_hosts, "", 0,
         "Host names, besides localhost and addresses, by which web pages may call."),
    SIZE(client_memory_max, "256MiB", MIB, 64 * GIB,
         "Bytes held for clients: requests, and answers that are not read yet."),
    NUMBER(calls_waiting_max, "131072", NULL, 1, 10000000,
           "Pending calls at once, including long polls."),
    SIZE(ipc_message_size_max, "16MiB", 4 * KIB, GIB, "Largest call at the ipc endpoint."),
    PATH(link_key, "",
         "File of the key that both ends of a link share, mode 0600, 32 to 1024 characters; empty: "
         "none, and links over a network are refused."),
    FLAG(link_insecure, "false",
         "Links over a network are accepted without a key: anybody who reaches them can read and "
         "write everything."),
    SIZE(link_frame_size_max, "64MiB", 4 * MIB, GIB, "Largest frame on a link."),
    NUMBER(link_heartbeat_ms, "1000", "ms", 10, 60000, "Interval of heartbeats on an idle link."),
    NUMBER(link_silence_max_ms, "5000", "ms", 50, 600000,
           "Silence on a link after which the other daemon counts as down."),
    NUMBER(background_share_percent, "15", "%", 1, 100,
           "Share of the time that background work may take while there is other work."),
    NUMBER(store_cache_kib, "8192", "KiB", 64, 16777216, "Page cache of the store."),
    NUMBER(stop_max_ms, "5000", "ms", 0, 600000,
           "Time for pending calls to end when the daemon stops."),
    NUMBER(open_files, "65536", NULL, 64, 10000000, "File descriptors to ask the system for."),
    WORD(sandbox, "on", sandbox_words,
         "on: the daemon gives up what it does not need: files elsewhere, starting programs, and "
         "more, "
         "as far as the kernel can; exec: it may start programs, which inherit the rest; off: "
         "nothing."),
    FLAG(core_dumps, "false",
         "A crash leaves a core dump, which holds messages and keys; debuggers may attach."),
};

const struct conf_rows SERVER_OPTIONS = {options, ARRAY_LEN(options)};

int server_options_check(const struct server_options *o, struct fault *f)
{
    if (!arn_is_account(str_of(o->account)))
        return fault_set(f, CONF_FAULT, "account: must be twelve digits");
    if (!arn_is_region(str_of(o->region)))
        return fault_set(f, CONF_FAULT, "region: must be lower-case letters, digits and hyphens");
    if (o->tls == SERVER_TLS_FILES && (!o->tls_certificate[0] || !o->tls_key[0]))
        return fault_set(f, CONF_FAULT, "tls: files needs tls_certificate and tls_key");
    return 0;
}
