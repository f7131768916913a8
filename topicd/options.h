/* Every option of topicd: one typed table with default, unit, bounds and reason. config/topicd.json
 * is what it prints as a sample. */
#ifndef TOQUE_TOPICD_OPTIONS_H
#define TOQUE_TOPICD_OPTIONS_H

#include "common/base/conf.h"

enum { TOPICD_DURABILITY_FULL, TOPICD_DURABILITY_RELAXED };
enum { TOPICD_CLOCK_REAL, TOPICD_CLOCK_MANUAL };

struct topicd_options {
    char *http_host;
    i64 http_port;
    char *unix_socket, *ipc_url;
    struct conf_list queued;
    char *data_dir, *pid_file, *topology;
    int durability, clock, log_level;
    char *account, *region, *public_url;
    bool public_url_always;
    i64 body_size_max, header_size_max, connections_max, idle_timeout_s;
    i64 connections_per_address_max, request_timeout_s, answer_timeout_s, client_memory_max;
    i64 calls_waiting_max, ipc_message_size_max;
    i64 topics_max, topic_policies_max, account_policies_max;
    i64 held_bytes_max, outbox_bytes_max, outbox_window_bytes_max, ack_max_ms, front_wait_max_ms;
    i64 link_frame_size_max, link_heartbeat_ms, link_silence_max_ms;
    i64 store_cache_kib, stop_max_ms, open_files;
};

extern const struct conf_table TOPICD_OPTIONS;

/* What no single option's bounds can say. E_FAULT: f->text is one line. */
int topicd_options_check(const struct topicd_options *o, struct fault *f) MUST_CHECK;

#endif
