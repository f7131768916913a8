/* The log: one event a line on standard error,
 *
 *     2026-01-02T03:04:05.678Z warning queued: store is slow queue=receipts note="two words"
 *
 * Lower layers return errors; the code that decides logs, once. Frequent events are counters in GET
 * /health. Bodies and secrets are never logged. */
#ifndef TOQUE_LOG_H
#define TOQUE_LOG_H

#include "common/base/str.h"

enum log_level {
    LOG_LEVEL_ERROR,   /* someone must act */
    LOG_LEVEL_WARNING, /* we continue, with a restriction */
    LOG_LEVEL_INFO,    /* the daemon's life */
    LOG_LEVEL_DEBUG,
};

/* Longest line in bytes; longer ones are truncated. */
#define LOG_LINE_MAX 2048

/* `name` (borrowed for ever) is in every line. Before this call the name is "toque" and the level
 * info. There is one log per process, on standard error. */
void log_open(const char *name, enum log_level level);
bool log_is_on(enum log_level level);
const char *log_level_name(enum log_level level);

/* A text followed by key=value pairs. Control characters are escaped, so that an event is one line
 * whatever its arguments contain. Values from outside go through log_value. Any thread. */
void log_error(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_warning(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_info(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* A value for the right side of "key=": unchanged if it is a plain word, else in quotes with
 * quotes, backslashes and control characters escaped; truncated to the buffer. Returns `buf`. */
#define LOG_VALUE_SIZE 256
char *log_value(str value, char buf[LOG_VALUE_SIZE]);

/* Writes the line of one event, its newline included, to `ret`, which holds LOG_LINE_MAX bytes (no
 * NUL). Returns its length. The functions above write this. */
size_t log_line(char *ret, i64 now_ms, enum log_level level, const char *name, const char *text);

#endif
