#include "tests/sim/system.h"

#include <stdarg.h>
#include <sys/random.h>
#include <time.h>

#include "common/base/log.h"
#include "tests/sim/node.h"
#include "tests/sim/record.h"

/* Since the machine started; not near 0, which means "never" in places. */
#define MONO_START_US INT64_C(100000000)
/* To look at the clock takes time: so whoever waits for it in his turn comes to an end. */
#define LOOK_US 1

int __wrap_clock_gettime(clockid_t which, struct timespec *ret);
int __real_clock_gettime(clockid_t which, struct timespec *ret);
ssize_t __wrap_getrandom(void *to, size_t n, unsigned flags);
void __wrap_log_error(const char *fmt, ...) PRINTF_LIKE(1, 2);
void __wrap_log_warning(const char *fmt, ...) PRINTF_LIKE(1, 2);
void __wrap_log_info(const char *fmt, ...) PRINTF_LIKE(1, 2);
void __wrap_log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);

static i64 wall_us(void *arg)
{
    const i64 *ahead_us = arg;

    world_spend_us(LOOK_US);
    return SYSTEM_START_MS * 1000 + world_now_us() + *ahead_us;
}

static i64 mono_us(void *arg)
{
    world_spend_us(LOOK_US);
    return MONO_START_US + world_now_us();
}

struct clock_source system_clock(i64 *ahead_us)
{
    return (struct clock_source){wall_us, mono_us, ahead_us};
}

int __wrap_clock_gettime(clockid_t which, struct timespec *ret)
{
    if (node_running())
        world_fail("%s asks for the real clock", node_running()->node->name);
    return __real_clock_gettime(which, ret);
}

ssize_t __wrap_getrandom(void *to, size_t n, unsigned flags)
{
    if (node_running())
        world_fail("%s asks for the kernel's chance", node_running()->node->name);
    memset(to, 1, n); /* of tables of which only single entries are asked */
    return (ssize_t)n;
}

PRINTF_LIKE(2, 0)
static void say(const char *level, const char *fmt, va_list args)
{
    char text[LOG_LINE_MAX];
    const struct incarnation *of = node_running();

    vsnprintf(text, sizeof(text), fmt, args);
    record(of ? of->node->name : "?", "%s%s: %s", of && of->over ? "(ghost) " : "", level, text);
}

#define SAY(level)                                                                                 \
    void __wrap_log_##level(const char *fmt, ...)                                                  \
    {                                                                                              \
        va_list args;                                                                              \
                                                                                                   \
        va_start(args, fmt);                                                                       \
        say(#level, fmt, args);                                                                    \
        va_end(args);                                                                              \
    }

SAY(error)
SAY(warning)
SAY(info)
SAY(debug)
