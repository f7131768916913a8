/* The matcher measured: policies and events from files, one JSON text a line, everything that the
 * benchmark asks for printed, one measurement a line.
 *
 *   matcher [--scope body|attributes] [--seconds S] [--label TEXT] [--quick]
 *           [--instructions avx512|avx2|portable] POLICIES EVENTS
 *
 * The first line is of the count pass, `events E matches M hash X`: it depends on nothing but the
 * results, so that matchers are compared by it. In body scope each figure is given twice, with the
 * whole grammar of the body checked (what topicd does) and with strings and brackets only. In
 * attribute scope an event is {"MessageAttributes":{name:{DataType,StringValue}}}, or a flat object
 * whose members are the attributes; it is decoded before anything is measured. */
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include "filter/match/index.h"
#include "tests/bench/counters.h"
#include "tests/bench/draws.h"
#include "tests/bench/lines.h"

enum { WINDOWS = 3, LATENCIES_MAX = 100000, UPDATES_MAX = 10000, VISIBLE_MAX = 1000 };

struct bench {
    enum filter_scope scope;
    double seconds;
    bool quick;
    const char *label;
    struct lines policies, events;
    struct filter_message *messages; /* one an event */
    struct matcher *matcher;
    struct filter_hits hits;
    u64 sink; /* what is walked must be used */
};

static i64 now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (i64)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* What this thread has used of the processor: on a machine that others use too, what wall time
 * would be without them. */
static i64 cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (i64)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void say(const struct bench *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void say(const struct bench *b, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    printf("bench=%s ", b->label);
    vprintf(fmt, args);
    putchar('\n');
    fflush(stdout);
    va_end(args);
}

static struct policy *read_policy(const struct bench *b, u32 i)
{
    static struct fault fault;
    struct policy *p;
    fault_clear(&fault);
    if (policy_new(&p, b->policies.line[i], b->scope, &FILTER_LIMITS_NONE, &fault)) {
        fprintf(stderr, "policy %u is refused: %s\n", i, fault.text);
        exit(2);
    }
    return p;
}

/* --- compiling -------------------------------------------------------------------------------- */

struct compiled {
    double us, cpu_us, reading_us, adding_us; /* a policy */
    double worst_us, bytes, resident_bytes;
};

static struct compiled compile(struct bench *b)
{
    size_t before = resident_bytes();
    i64 reading = 0, adding = 0, worst = 0, start = now_ns(), cpu = cpu_ns();
    b->matcher = matcher_new(NULL);
    for (u32 i = 0; i < b->policies.n; i++) {
        i64 t0 = now_ns();
        struct policy *p = read_policy(b, i);
        i64 t1 = now_ns();
        matcher_add(b->matcher, i, p);
        i64 t2 = now_ns();
        policy_free(p);
        reading += t1 - t0;
        adding += t2 - t1;
        worst = MAX(worst, t2 - t1);
    }
    struct filter_message none = {.body = STR("{}")};
    matcher_match(b->matcher, &none, &b->hits);
    double n = b->policies.n, wall = (double)(now_ns() - start), used = (double)(cpu_ns() - cpu);
    while (matcher_step(b->matcher))
        ;
    release_memory();
    size_t after = resident_bytes();
    return (struct compiled){
        .us = wall / 1e3 / n,
        .cpu_us = used / 1e3 / n,
        .reading_us = (double)reading / 1e3 / n,
        .adding_us = (double)adding / 1e3 / n,
        .worst_us = (double)worst / 1e3,
        .bytes = (double)matcher_bytes(b->matcher) / n,
        .resident_bytes = after > before ? (double)(after - before) / n : 0,
    };
}

static void say_compiled(const struct bench *b, const struct compiled *c)
{
    say(b, "policies=%u compile_us_per_policy=%.3f compile_cpu_us_per_policy=%.3f", b->policies.n,
        c->us, c->cpu_us);
    say(b, "read_us=%.3f add_us=%.3f add_us_max=%.1f", c->reading_us, c->adding_us, c->worst_us);
    say(b, "bytes_per_policy_resident=%.1f bytes_per_policy=%.1f texts_kept=no", c->resident_bytes,
        c->bytes);
}

/* --- matching --------------------------------------------------------------------------------- */

static void count_pass(struct bench *b)
{
    u64 matches = 0, hash = 0;
    for (u32 e = 0; e < b->events.n; e++) {
        u64 event = draw_mix(e);
        matcher_match(b->matcher, &b->messages[e], &b->hits);
        matches += b->hits.total;
        for (size_t i = 0; i < b->hits.n; i++)
            for (u32 k = 0; k < b->hits.spans[i].n; k++)
                hash += draw_mix(event ^ b->hits.spans[i].ids[k]);
    }
    printf("events %u matches %llu hash %016llx\n", b->events.n, (unsigned long long)matches,
           (unsigned long long)hash);
    fflush(stdout);
}

static u64 walk(struct bench *b)
{
    u64 sum = 0;
    for (size_t i = 0; i < b->hits.n; i++) {
        const u32 *ids = b->hits.spans[i].ids;
        for (u32 k = 0; k < b->hits.spans[i].n; k++)
            sum += ids[k];
    }
    return sum;
}

struct window {
    double ns_per_event, cpu_ns_per_event;
    double matches, bytes;       /* per event */
    double instructions, misses; /* negative: not to be had */
};

/* Events in order, wrapping, for `seconds`. */
static struct window window(struct bench *b, u32 *at, double seconds)
{
    u64 events = 0, matches = 0, bytes = 0;
    struct counters counters;
    counters_start(&counters);
    i64 cpu = cpu_ns(), start = now_ns(), end = start + (i64)(seconds * 1e9), now;
    u32 batch = b->events.size / MAX(b->events.n, 1) > 10000 ? 1 : 16;
    do {
        for (u32 i = 0; i < batch; i++) {
            matcher_match(b->matcher, &b->messages[*at], &b->hits);
            b->sink += walk(b);
            matches += b->hits.total;
            bytes += b->events.line[*at].n + 1;
            *at = *at + 1 == b->events.n ? 0 : *at + 1;
        }
        events += batch;
        now = now_ns();
    } while (now < end);
    struct window w = {.ns_per_event = (double)(now - start) / (double)events,
                       .cpu_ns_per_event = (double)(cpu_ns() - cpu) / (double)events,
                       .matches = (double)matches / (double)events,
                       .bytes = (double)bytes / (double)events};
    counters_stop(&counters, &w.instructions, &w.misses);
    w.instructions /= (double)events;
    w.misses /= (double)events;
    return w;
}

static int by_time(const void *a, const void *b)
{
    double x = ((const struct window *)a)->ns_per_event;
    double y = ((const struct window *)b)->ns_per_event;
    return x < y ? -1 : x > y;
}

static void say_windows(struct bench *b, const char *mode)
{
    struct window w[WINDOWS];
    u32 at = 0;
    window(b, &at, b->seconds);
    for (u32 i = 0; i < WINDOWS; i++)
        w[i] = window(b, &at, b->seconds);
    qsort(w, WINDOWS, sizeof(w[0]), by_time);
    struct window m = w[WINDOWS / 2];
    say(b, "mode=%s ns_per_event=%.1f min=%.1f max=%.1f cpu_ns_per_event=%.1f", mode,
        m.ns_per_event, w[0].ns_per_event, w[WINDOWS - 1].ns_per_event, m.cpu_ns_per_event);
    say(b, "mode=%s events_per_s=%.0f MB_per_s=%.1f matches_per_s=%.0f matches_per_event=%.3f",
        mode, 1e9 / m.ns_per_event, m.bytes * 1e3 / m.ns_per_event,
        m.matches * 1e9 / m.ns_per_event, m.matches);
    if (m.instructions >= 0)
        say(b, "mode=%s instructions_per_event=%.0f llc_misses_per_event=%.2f", mode,
            m.instructions, m.misses);
    else
        say(b, "mode=%s instructions_per_event=n/a llc_misses_per_event=n/a", mode);
}

static int by_value(const void *a, const void *b)
{
    i64 x = *(const i64 *)a, y = *(const i64 *)b;
    return x < y ? -1 : x > y;
}

static i64 at_part(const i64 *sorted, u32 n, double part)
{
    return sorted[MIN((u32)(part * n), n - 1)];
}

static void latencies(struct bench *b)
{
    u32 n = MIN(b->events.n, (u32)LATENCIES_MAX);
    i64 *took = mem_array(n, sizeof(*took)), clock = INT64_MAX;
    for (u32 i = 0; i < 1000; i++) {
        i64 t0 = now_ns();
        clock = MIN(clock, now_ns() - t0);
    }
    for (u32 i = 0; i < n; i++) {
        i64 t0 = now_ns();
        matcher_match(b->matcher, &b->messages[i], &b->hits);
        took[i] = now_ns() - t0;
    }
    qsort(took, n, sizeof(*took), by_value);
    say(b, "p50_ns=%lld p99_ns=%lld p999_ns=%lld max_ns=%lld clock_ns=%lld",
        (long long)at_part(took, n, .5), (long long)at_part(took, n, .99),
        (long long)at_part(took, n, .999), (long long)took[n - 1], (long long)clock);
    mem_free(took);
}

/* --- changes ---------------------------------------------------------------------------------- */

/* Takes random policies out and puts them back; with a match after each change when asked. */
static void updates(struct bench *b, bool matching)
{
    u32 n = MIN(b->policies.n, (u32)UPDATES_MAX), messages = MAX(b->events.n, 1);
    i64 removing = 0, adding = 0, worst = 0, matched = 0;
    for (u32 i = 0; i < n; i++) {
        u32 id = (u32)draw_below(b->policies.n, 4001, i, matching);
        struct policy *p = read_policy(b, id);
        i64 t0 = now_ns();
        int err = matcher_remove(b->matcher, id);
        i64 t1 = now_ns();
        if (matching) {
            matcher_match(b->matcher, &b->messages[i % messages], &b->hits);
            matched += now_ns() - t1;
        }
        i64 t2 = now_ns();
        matcher_add(b->matcher, id, p);
        i64 t3 = now_ns();
        assert(err == 0);
        policy_free(p);
        removing += t1 - t0;
        adding += t3 - t2;
        worst = MAX(worst, MAX(t1 - t0, t3 - t2));
        matcher_step(b->matcher);
    }
    say(b, "updates=%s remove_us=%.3f add_us=%.3f max_us=%.1f match_ns=%.0f",
        matching ? "u2" : "u1", (double)removing / 1e3 / n, (double)adding / 1e3 / n,
        (double)worst / 1e3, (double)matched / n);
}

static bool is_told(const struct bench *b, u32 id)
{
    for (size_t i = 0; i < b->hits.n; i++)
        for (u32 k = 0; k < b->hits.spans[i].n; k++)
            if (b->hits.spans[i].ids[k] == id)
                return true;
    return false;
}

/* From the call to a result that shows it. The matcher belongs to one thread, so this is the change
 * and the match behind it; the message is {} with a policy that lets everything through, or the
 * first event. */
static void visibility(struct bench *b)
{
    i64 add[VISIBLE_MAX], gone[VISIBLE_MAX];
    u32 id = b->policies.n;
    const struct filter_message *msg = &b->messages[0];
    for (u32 i = 0; i < VISIBLE_MAX; i++) {
        i64 t0 = now_ns();
        matcher_add(b->matcher, id, NULL);
        matcher_match(b->matcher, msg, &b->hits);
        add[i] = now_ns() - t0;
        bool told = is_told(b, id);
        i64 t1 = now_ns();
        int err = matcher_remove(b->matcher, id);
        matcher_match(b->matcher, msg, &b->hits);
        gone[i] = now_ns() - t1;
        assert(told && err == 0 && !is_told(b, id));
    }
    qsort(add, VISIBLE_MAX, sizeof(add[0]), by_value);
    qsort(gone, VISIBLE_MAX, sizeof(gone[0]), by_value);
    say(b,
        "add_visible_us_p50=%.3f add_visible_us_p99=%.3f remove_visible_us_p50=%.3f"
        " remove_visible_us_p99=%.3f",
        (double)at_part(add, VISIBLE_MAX, .5) / 1e3, (double)at_part(add, VISIBLE_MAX, .99) / 1e3,
        (double)at_part(gone, VISIBLE_MAX, .5) / 1e3,
        (double)at_part(gone, VISIBLE_MAX, .99) / 1e3);
}

/* Into an empty matcher, one at a time, each followed by a match. */
static void from_empty(struct bench *b)
{
    u32 n = MIN(b->policies.n, (u32)UPDATES_MAX);
    struct matcher *m = matcher_new(NULL);
    i64 start = now_ns(), worst = 0;
    for (u32 i = 0; i < n; i++) {
        struct policy *p = read_policy(b, i);
        i64 t0 = now_ns();
        matcher_add(m, i, p);
        matcher_match(m, &b->messages[i % b->events.n], &b->hits);
        worst = MAX(worst, now_ns() - t0);
        policy_free(p);
    }
    say(b, "updates=u3 add_and_match_us=%.3f max_us=%.1f", (double)(now_ns() - start) / 1e3 / n,
        (double)worst / 1e3);
    matcher_free(m);
}

/* --- the run ---------------------------------------------------------------------------------- */

static void scan_speed(struct bench *b)
{
    if (b->scope != FILTER_BODY)
        return;
    struct matcher *m = matcher_new(NULL);
    for (u32 checked = 0; checked < 2; checked++) {
        u64 bytes = 0;
        i64 start = cpu_ns(), end = start + (i64)(b->seconds * 1e9), now;
        u32 at = 0;
        do {
            b->sink += body_scan(m, b->events.line[at], checked);
            bytes += b->events.line[at].n;
            at = at + 1 == b->events.n ? 0 : at + 1;
            now = at % 64 == 0 || b->events.line[at].n > 10000 ? cpu_ns() : 0;
        } while (now < end);
        say(b, "scan=%s scan_GB_per_s=%.2f instructions=%s", checked ? "checked" : "structural",
            (double)bytes / (double)(now - start), body_scanner());
    }
    matcher_free(m);
}

static void run(struct bench *b)
{
    struct compiled compiled = compile(b);
    size_t base = resident_bytes();
    count_pass(b);
    say_compiled(b, &compiled);
    matcher_check_bodies(b->matcher, true);
    say_windows(b, b->scope == FILTER_BODY ? "checked" : "attributes");
    if (b->scope == FILTER_BODY) {
        matcher_check_bodies(b->matcher, false);
        say_windows(b, "structural");
        matcher_check_bodies(b->matcher, true);
    }
    if (b->quick)
        return;
    latencies(b);
    scan_speed(b);
    updates(b, false);
    updates(b, true);
    visibility(b);
    from_empty(b);
    release_memory();
    say(b, "steady_rss_MB=%.1f compiled_rss_MB=%.1f", (double)resident_bytes() / 1e6,
        (double)base / 1e6);
}

int main(int argc, char **argv)
{
    struct bench b = {.scope = FILTER_BODY, .seconds = 1, .label = "matcher"};
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        str option = str_of(argv[i]);
        if (str_is(option, "--quick"))
            b.quick = true;
        else if (i + 1 < argc && str_is(option, "--scope"))
            b.scope = str_is(str_of(argv[++i]), "attributes") ? FILTER_ATTRIBUTES : FILTER_BODY;
        else if (i + 1 < argc && str_is(option, "--seconds"))
            b.seconds = atof(argv[++i]);
        else if (i + 1 < argc && str_is(option, "--label"))
            b.label = argv[++i];
        else if (i + 1 < argc && str_is(option, "--instructions"))
            index_use(str_of(argv[++i]));
        else
            break;
    }
    if (argc - i != 2 || !lines_read(&b.policies, argv[i]) || !lines_read(&b.events, argv[i + 1])) {
        fprintf(stderr, "matcher [--scope body|attributes] [--seconds S] [--label TEXT] [--quick]"
                        " [--instructions avx512|avx2|portable] POLICIES EVENTS\n");
        return 2;
    }
    b.messages = messages_of(&b.events, b.scope);
    run(&b);
    filter_hits_deinit(&b.hits);
    matcher_free(b.matcher);
    messages_free(b.messages, &b.events);
    lines_free(&b.policies);
    lines_free(&b.events);
    return b.sink == 1; /* hardly ever */
}
