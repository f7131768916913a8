/* Every option of queued: one typed table with default, unit, bounds and reason. config/queued.json
 * is what it prints as a sample. */
#ifndef TOQUE_QUEUED_OPTIONS_H
#define TOQUE_QUEUED_OPTIONS_H

#include "common/base/conf.h"

enum { QUEUED_DURABILITY_FULL, QUEUED_DURABILITY_RELAXED };
enum { QUEUED_CLOCK_REAL, QUEUED_CLOCK_MANUAL };

struct queued_options {
    char *http_host;
    i64 http_port;
    char *unix_socket, *ipc_url, *link_url;
    char *data_dir, *pid_file, *topology;
    int durability, clock, log_level;
    char *account, *region, *public_url;
    bool public_url_always, strict_waits;
    i64 body_size_max, header_size_max, connections_max, idle_timeout_s;
    i64 connections_per_address_max, request_timeout_s, answer_timeout_s, client_memory_max;
    i64 calls_waiting_max, ipc_message_size_max, long_polls_max;
    i64 queues_max, messages_max, in_flight_max;
    i64 link_frame_size_max, link_heartbeat_ms, link_silence_max_ms;
    i64 store_cache_kib, stop_max_ms, open_files;
};

extern const struct conf_table QUEUED_OPTIONS;

#endif
