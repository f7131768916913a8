/* The log. A line is composed in one buffer and written by one write(2), so that lines of several
 * threads and processes do not mix. The only process-wide state is the destination and the level;
 * it is set once, before threads start. */
#include "common/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#include "common/base/clock.h"

static const char *log_name = "toque";
static enum log_level log_most = LOG_LEVEL_INFO;

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

void log_open(const char *name, enum log_level level)
{
    log_name = name;
    log_most = level;
}

bool log_is_on(enum log_level level)
{
    return level <= log_most;
}

const char *log_level_name(enum log_level level)
{
    return level_names[level];
}

/* The form of a byte in the log; `quoted`: within quotes. Returns the length. */
static size_t log_escape(unsigned char c, bool quoted, char ret[4])
{
    static const char digits[] = "0123456789abcdef";
    char letter = c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : 0;

    if (quoted && (c == '"' || c == '\\'))
        letter = (char)c;
    if (letter) {
        ret[0] = '\\';
        ret[1] = letter;
        return 2;
    }
    if (c >= 0x20 && c != 0x7F) {
        ret[0] = (char)c;
        return 1;
    }
    ret[0] = '\\';
    ret[1] = 'x';
    ret[2] = digits[c >> 4];
    ret[3] = digits[c & 15];
    return 4;
}

/* Appends text with its control characters escaped, as far as it fits; returns the new length. */
static size_t line_add(char *to, size_t n, size_t size, str text, bool quoted)
{
    for (size_t i = 0; i < text.n; i++) {
        char form[4];
        size_t more = log_escape((unsigned char)text.p[i], quoted, form);
        if (n + more > size)
            break;
        memcpy(to + n, form, more);
        n += more;
    }
    return n;
}

static bool is_plain_word(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c == 0x7F || c == '"' || c == '\\' || c == '=')
            return false;
    }
    return s.n > 0 && s.n < LOG_VALUE_SIZE;
}

char *log_value(str value, char buf[LOG_VALUE_SIZE])
{
    size_t n = 0;

    if (is_plain_word(value)) {
        n = line_add(buf, 0, LOG_VALUE_SIZE - 1, value, false);
    } else {
        buf[n++] = '"';
        n = line_add(buf, n, LOG_VALUE_SIZE - 2, value, true);
        buf[n++] = '"';
    }
    buf[n] = '\0';
    return buf;
}

size_t log_line(char *ret, i64 now_ms, enum log_level level, const char *name, const char *text)
{
    const size_t size = LOG_LINE_MAX - 1; /* there is always room for the newline */
    char when[CLOCK_ISO_SIZE];
    int head =
        snprintf(ret, size, "%s %s %s: ", clock_iso(now_ms, when), log_level_name(level), name);
    size_t n = MIN((size_t)MAX(head, 0), size - 1);

    n = line_add(ret, n, size, str_of(text), false);
    ret[n++] = '\n';
    return n;
}

PRINTF_LIKE(2, 0)
static void log_write(enum log_level level, const char *fmt, va_list args)
{
    int err = errno; /* logging preserves errno */
    char text[LOG_LINE_MAX], line[LOG_LINE_MAX];
    struct clock now;

    if (vsnprintf(text, sizeof(text), fmt, args) < 0)
        text[0] = '\0';
    /* Real time even if the daemon's clock is manual: a log shows when it was written. */
    clock_init(&now, false);
    size_t n = log_line(line, now.now_ms, level, log_name, text);
    ssize_t written = write(STDERR_FILENO, line, n);
    (void)written; /* an error could not be reported anywhere */
    errno = err;
}

#define LOG_FUNCTION(function, level)                                                              \
    void function(const char *fmt, ...)                                                            \
    {                                                                                              \
        if (!log_is_on(level))                                                                     \
            return;                                                                                \
        va_list args;                                                                              \
        va_start(args, fmt);                                                                       \
        log_write(level, fmt, args);                                                               \
        va_end(args);                                                                              \
    }

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
LOG_FUNCTION(log_warning, LOG_LEVEL_WARNING)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)
