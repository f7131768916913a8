/* The verb test: runs suites and reports for people, as TAP, as JUnit XML, as JSON lines. A failed
 * case comes with its explanation. */
#include <errno.h>

#include "common/base/clock.h"
#include "common/base/xml.h"
#include "filter/ctl/input.h"
#include "filter/ctl/suite.h"
#include "filter/ctl/tell.h"

struct testing {
    struct ctl *c;
    str path; /* of the current suite */
    u64 passed, failed, broken, number;
    struct buf out;
    struct buf cases; /* JUnit: of the current suite, whose head needs their count */
    u64 suite_failed, suite_broken, suite_number;
};

static void add_lines(struct buf *out, str text, const char *indent)
{
    while (text.n) {
        str line = str_cut(&text, '\n');
        buf_printf(out, "%s%.*s\n", indent, STR_ARG(line));
    }
}

/* Why a case failed, on several lines. */
static void add_reason(struct testing *t, struct buf *out, const struct suite_result *r,
                       const char *indent)
{
    if (r->trouble) {
        add_lines(out, str_of(r->trouble), indent);
        return;
    }
    buf_printf(out, "%sexpected %s, got %s\n", indent, suite_verdict_name(r->expect),
               suite_verdict_name(r->got));
    if (r->got == SUITE_INVALID) {
        add_lines(out, r->error, indent);
        if (r->expect == SUITE_INVALID)
            buf_printf(out, "%sexpected to contain: %.*s\n", indent, STR_ARG(r->wanted));
    } else if (r->policy) {
        struct explanation *x = explain_new(r->policy, r->message);
        tell_text(t->c, out, x, indent);
        explain_free(x);
    }
}

static void case_text(struct testing *t, const struct suite_result *r)
{
    if (r->ok)
        return;
    buf_printf(&t->out, "%sFAIL%s %.*s:%u: ", ctl_on(t->c, CTL_RED), ctl_off(t->c),
               STR_ARG(t->path), r->line);
    ctl_show(&t->out, r->id, SIZE_MAX);
    buf_char(&t->out, '\n');
    add_reason(t, &t->out, r, "  ");
}

static void report_tap(struct testing *t, const struct suite_result *r)
{
    struct buf reason = {0};

    buf_printf(&t->out, "%s %llu - ", r->ok ? "ok" : "not ok", (unsigned long long)t->number);
    ctl_show(&reason, r->id, SIZE_MAX);
    for (size_t i = 0; i < reason.n; i++) {
        if (reason.p[i] == '#') /* would begin a directive */
            buf_char(&t->out, '\\');
        buf_char(&t->out, reason.p[i]);
    }
    buf_reset(&reason);
    buf_char(&t->out, '\n');
    if (!r->ok)
        add_reason(t, &reason, r, "");
    for (str rest = buf_view(&reason); rest.n;) {
        str line = str_cut(&rest, '\n');
        buf_printf(&t->out, "# %.*s\n", STR_ARG(line));
    }
    buf_deinit(&reason);
}

static void case_json(struct testing *t, const struct suite_result *r)
{
    json_begin(&t->out, NULL, '{');
    json_text(&t->out, "id", r->id);
    if (r->has_expect)
        json_text(&t->out, "expect", str_of(suite_verdict_name(r->expect)));
    else
        json_raw(&t->out, "expect", STR("null"));
    if (r->trouble)
        json_raw(&t->out, "got", STR("null"));
    else
        json_text(&t->out, "got", str_of(suite_verdict_name(r->got)));
    if (r->trouble)
        json_text(&t->out, "error", str_of(r->trouble));
    else if (r->got == SUITE_INVALID)
        json_text(&t->out, "error", r->error);
    else
        json_raw(&t->out, "error", STR("null"));
    json_bool(&t->out, "ok", r->ok);
    if (!r->ok) {
        struct buf reason = {0};
        add_reason(t, &reason, r, "");
        json_text(&t->out, "explanation", buf_view(&reason));
        buf_deinit(&reason);
    }
    json_end(&t->out, '}');
    buf_char(&t->out, '\n');
}

static void report_junit(struct testing *t, const struct suite_result *r)
{
    struct buf *out = &t->cases, reason = {0};

    buf_z(out, "    <testcase classname=\"");
    xml_text(out, t->path);
    buf_z(out, "\" name=\"");
    xml_text(out, r->id);
    buf_printf(out, "\" file=\"");
    xml_text(out, t->path);
    buf_printf(out, "\" line=\"%u\"", r->line);
    if (r->ok) {
        buf_z(out, "/>\n");
        return;
    }
    add_reason(t, &reason, r, "");
    const char *kind = r->trouble ? "error" : "failure";
    buf_printf(out, ">\n      <%s message=\"", kind);
    if (r->trouble)
        xml_text(out, str_of(r->trouble));
    else
        buf_printf(out, "expected %s, got %s", suite_verdict_name(r->expect),
                   suite_verdict_name(r->got));
    buf_z(out, "\">");
    xml_text(out, buf_view(&reason));
    buf_printf(out, "</%s>\n    </testcase>\n", kind);
    buf_deinit(&reason);
}

static void test_take(void *ctx, const struct suite_result *r)
{
    struct testing *t = ctx;

    t->number++;
    t->suite_number++;
    t->passed += r->ok;
    t->broken += r->trouble != NULL;
    t->failed += !r->ok && !r->trouble;
    t->suite_broken += r->trouble != NULL;
    t->suite_failed += !r->ok && !r->trouble;
    if (r->trouble && t->c->output == CTL_TEXT)
        t->c->trouble = true; /* the report says it */
    else if (r->trouble)
        ctl_complain(t->c, "%.*s:%u: %.*s: %s", STR_ARG(t->path), r->line, STR_ARG(r->id),
                     r->trouble);
    switch (t->c->output) {
    case CTL_TEXT: case_text(t, r); break;
    case CTL_JSON: case_json(t, r); break;
    case CTL_TAP: report_tap(t, r); break;
    case CTL_JUNIT: report_junit(t, r); break;
    }
    ctl_put(t->c, &t->out);
}

static void end_suite(struct testing *t, i64 began_us)
{
    if (t->c->output == CTL_JUNIT) {
        struct buf *out = &t->out;
        buf_z(out, "  <testsuite name=\"");
        xml_text(out, t->path);
        buf_printf(out, "\" tests=\"%llu\" failures=\"%llu\" errors=\"%llu\" time=\"%.3f\">\n",
                   (unsigned long long)t->suite_number, (unsigned long long)t->suite_failed,
                   (unsigned long long)t->suite_broken, (double)(clock_micros() - began_us) / 1e6);
        buf_str(out, buf_view(&t->cases));
        buf_z(out, "  </testsuite>\n");
        ctl_put(t->c, out);
        buf_reset(&t->cases);
    }
    t->suite_number = t->suite_failed = t->suite_broken = 0;
}

/* Added to the report as a case that could not be run, so that it is not overlooked. */
static void take_unread(struct testing *t, u32 line, const char *why)
{
    struct suite_result r = {.id = STR("the suite can be read"), .line = line, .trouble = why};

    test_take(t, &r);
}

static void run_file(struct testing *t, str path, const struct ctl_policies *named)
{
    struct buf text = {0};
    struct fault fault;
    i64 began_us = clock_micros();

    fault_clear(&fault);
    t->path = str_is(path, "-") ? STR("standard input") : path;
    int err = input_file(&text, path);
    if (err)
        take_unread(t, 1, err == E_IO ? strerror(errno) : "file too large");
    else if (suite_run(t->c, path, buf_view(&text), named, test_take, t, &fault) != 0)
        take_unread(t, fault.line, fault.text);
    buf_deinit(&text);
    end_suite(t, began_us);
}

static void report_begin(struct testing *t)
{
    if (t->c->output == CTL_TAP)
        fputs("TAP version 13\n", t->c->out);
    if (t->c->output == CTL_JUNIT)
        fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n", t->c->out);
}

static void report_end(struct testing *t)
{
    if (t->c->output == CTL_TAP)
        fprintf(t->c->out, "1..%llu\n", (unsigned long long)t->number);
    if (t->c->output == CTL_JUNIT)
        fputs("</testsuites>\n", t->c->out);
    if (t->c->output == CTL_TEXT)
        fprintf(t->c->out, "%s%llu passed, %llu failed%s\n",
                ctl_on(t->c, t->passed == t->number ? CTL_GREEN : CTL_RED),
                (unsigned long long)t->passed, (unsigned long long)(t->number - t->passed),
                ctl_off(t->c));
}

int ctl_test(struct ctl *c)
{
    struct testing t = {.c = c};
    struct ctl_policies named;

    policies_init(&named);
    bool is_good = true;
    for (size_t i = 0; i < c->policies.n; i++)
        is_good &= policies_add(c, &named, c->policies.items[i]);
    if (is_good) {
        report_begin(&t);
        for (size_t i = 0; i < c->files.n; i++)
            run_file(&t, c->files.items[i], &named);
        if (!c->files.n)
            run_file(&t, STR("-"), &named);
        report_end(&t);
    }
    buf_deinit(&t.out);
    buf_deinit(&t.cases);
    policies_deinit(&named);
    return ctl_end(c, t.failed == 0);
}
