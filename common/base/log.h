/* The log: one event a line on standard error,
 *
 *     2026-01-02T03:04:05.678Z warning queued: store is slow queue=receipts note="two words"
 *
 * Tools return; the place that decides also logs, once. Frequent things are counters that GET
 * /health shows. Never bodies, never secrets. */
#ifndef TOQUE_LOG_H
#define TOQUE_LOG_H

#include "common/base/str.h"

enum log_level {
    LOG_LEVEL_ERROR,   /* someone must act */
    LOG_LEVEL_WARNING, /* we go on, and say so */
    LOG_LEVEL_INFO,    /* the daemon's life */
    LOG_LEVEL_DEBUG,
};

/* Longest line in bytes; what is beyond is cut. */
#define LOG_LINE_MAX 2048

/* `name` (borrowed for ever) stands in every line. Before it is called the name is "toque" and the
 * level info. One log a process: it is where standard error goes. */
void log_open(const char *name, enum log_level level);
bool log_is_on(enum log_level level);
/* "error", "warning", "info", "debug"; E_INVALID otherwise. */
int log_level_read(str text, enum log_level *ret);
const char *log_level_name(enum log_level level);

/* Text, and key=value behind it. Control characters come out escaped, so that whatever stands in
 * the arguments an event stays one line. Values from outside go through log_value. Any thread. */
void log_error(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_warning(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_info(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* A value as it may stand behind "key=": as it is when it is a plain word, else in quotes with
 * quotes, backslashes and control characters escaped; cut to the buffer. Returns `buf`. */
#define LOG_VALUE_SIZE 256
char *log_value(str value, char buf[LOG_VALUE_SIZE]);

/* Writes the line of one event, its newline included, to `ret`, which holds LOG_LINE_MAX bytes
 * (no NUL). Returns its length. What the functions above write. */
size_t log_line(char *ret, i64 now_ms, enum log_level level, const char *name, const char *text);

#endif
