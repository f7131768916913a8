/* The options that every daemon has. A daemon's own struct begins with struct server_options, its
 * table shares the rows of server_options.c, and says where it has another default. */
#ifndef TOQUE_SERVER_OPTIONS_H
#define TOQUE_SERVER_OPTIONS_H

#include "common/base/conf.h"
#include "common/base/err.h"

struct server_options {
    struct conf_list http_host;
    i64 http_port;
    int tls; /* enum server_tls */
    i64 tls_port;
    char *tls_certificate, *tls_key;
    struct conf_list tls_names;
    char *unix_socket, *ipc_url;
    char *data_dir, *pid_file, *keys, *topology;
    int durability; /* enum store_durability */
    int clock;      /* enum server_clock */
    int log_level;  /* enum log_level */
    char *account, *region, *public_url;
    bool public_url_always;
    i64 disk_reserve_bytes;
    i64 body_size_max, header_size_max, connections_max, connections_per_address_max;
    i64 idle_timeout_s, request_timeout_s, answer_timeout_s;
    struct conf_list browser_origins, browser_hosts;
    i64 client_memory_max, calls_waiting_max, ipc_message_size_max;
    char *link_key;
    bool link_insecure;
    i64 link_frame_size_max, link_heartbeat_ms, link_silence_max_ms;
    i64 background_share_percent;
    i64 store_cache_kib, stop_max_ms, open_files;
    int sandbox; /* enum server_sandbox */
    bool core_dumps;
};

enum server_tls { SERVER_TLS_OFF, SERVER_TLS_AUTO, SERVER_TLS_FILES };
enum server_clock { SERVER_CLOCK_REAL, SERVER_CLOCK_MANUAL };
enum server_sandbox { SERVER_SANDBOX_ON, SERVER_SANDBOX_EXEC, SERVER_SANDBOX_OFF };

extern const struct conf_rows SERVER_OPTIONS;

/* Checks across options, beyond the bounds of each. E_FAULT: f->text is one line. */
int server_options_check(const struct server_options *o, struct fault *f) MUST_CHECK;

#endif
