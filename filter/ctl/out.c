/* Output of filterctl: diagnostics, colour, JSON lines, progress. */
#include "filter/ctl/ctl.h"

#include <stdarg.h>

#include "common/base/clock.h"
#include "common/base/scan.h"

#define PROGRESS_MESSAGES  65536 /* between two checks of the clock */
#define PROGRESS_PERIOD_US 250000

static PRINTF_LIKE(3, 0) void say(struct ctl *c, const char *head, const char *fmt, va_list args)
{
    fflush(c->out);
    fprintf(c->err, "filterctl: %s", head);
    vfprintf(c->err, fmt, args);
    fputc('\n', c->err);
}

void ctl_complain(struct ctl *c, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(c, "", fmt, args);
    va_end(args);
    c->trouble = true;
}

void ctl_note(struct ctl *c, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    say(c, "note: ", fmt, args);
    va_end(args);
}

int ctl_end(const struct ctl *c, bool found)
{
    if (c->trouble)
        return CTL_TROUBLE;
    return found ? CTL_YES : CTL_NO;
}

const char *ctl_on(const struct ctl *c, enum ctl_colour colour)
{
    static const char *const codes[] = {
        [CTL_GREEN] = "\033[32m", [CTL_RED] = "\033[31m", [CTL_YELLOW] = "\033[33m",
        [CTL_DIM] = "\033[2m",    [CTL_BOLD] = "\033[1m",
    };

    return c->colour ? codes[colour] : "";
}

const char *ctl_off(const struct ctl *c)
{
    return c->colour ? "\033[0m" : "";
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void comma(struct buf *out)
{
    char last = out->n ? out->p[out->n - 1] : '{';

    if (last != '{' && last != '[' && last != ':' && last != '\n')
        buf_char(out, ',');
}

void json_name(struct buf *out, const char *name)
{
    comma(out);
    if (name) {
        scan_quote(out, str_of(name));
        buf_char(out, ':');
    }
}

void json_begin(struct buf *out, const char *name, char bracket)
{
    json_name(out, name);
    buf_char(out, bracket);
}

void json_end(struct buf *out, char bracket)
{
    buf_char(out, bracket);
}

void json_text(struct buf *out, const char *name, str s)
{
    json_name(out, name);
    ctl_quote(out, s);
}

void json_u64(struct buf *out, const char *name, u64 v)
{
    json_name(out, name);
    buf_u64(out, v);
}

void json_bool(struct buf *out, const char *name, bool v)
{
    json_name(out, name);
    buf_z(out, v ? "true" : "false");
}

void json_raw(struct buf *out, const char *name, str json)
{
    json_name(out, name);
    buf_str(out, json);
}

void ctl_put_line(struct ctl *c, struct buf *out)
{
    buf_char(out, '\n');
    ctl_put(c, out);
}

void ctl_put(struct ctl *c, struct buf *out)
{
    if (out->n)
        fwrite(out->p, 1, out->n, c->out);
    buf_reset(out);
}

/* Appends the character as well-formed UTF-8. */
static void add_char(struct buf *out, u32 c)
{
    char utf8[4];
    size_t n = 0;

    if (c < 0x80) {
        utf8[n++] = (char)c;
    } else if (c < 0x800) {
        utf8[n++] = (char)(0xc0 | c >> 6);
        utf8[n++] = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        utf8[n++] = (char)(0xe0 | c >> 12);
        utf8[n++] = (char)(0x80 | (c >> 6 & 0x3f));
        utf8[n++] = (char)(0x80 | (c & 0x3f));
    } else {
        utf8[n++] = (char)(0xf0 | c >> 18);
        utf8[n++] = (char)(0x80 | (c >> 12 & 0x3f));
        utf8[n++] = (char)(0x80 | (c >> 6 & 0x3f));
        utf8[n++] = (char)(0x80 | (c & 0x3f));
    }
    buf_add(out, utf8, n);
}

void ctl_quote(struct buf *out, str s)
{
    if (str_is_utf8(s)) {
        scan_quote(out, s);
        return;
    }
    struct buf mended = {0};
    for (size_t at = 0; at < s.n;)
        add_char(&mended, str_next_char(s, &at));
    scan_quote(out, buf_view(&mended));
    buf_deinit(&mended);
}

void ctl_show(struct buf *out, str s, size_t max)
{
    size_t at = 0;

    while (at < s.n && at < max) {
        u32 c = str_next_char(s, &at);
        if (c == '\n' || c == '\r' || c == '\t')
            buf_char(out, ' ');
        else if (c < 0x20 || c == 0x7f || (c >= 0x80 && c < 0xa0))
            buf_printf(out, "\\u%04x", c);
        else
            add_char(out, c);
    }
    if (at < s.n)
        buf_z(out, "…");
}

/* --- progress --------------------------------------------------------------------------------- */

void ctl_progress_step(struct ctl *c, struct ctl_progress *p)
{
    p->messages++;
    if (!c->on_terminal || p->messages % PROGRESS_MESSAGES)
        return;
    i64 now = clock_micros();
    if (!p->began_us)
        p->began_us = p->shown_us = now;
    if (now - p->shown_us < PROGRESS_PERIOD_US)
        return;
    p->shown_us = now;
    fprintf(c->err, "\r%.1f M messages, %.2f M/s ", (double)p->messages / 1e6,
            (double)p->messages / (double)(now - p->began_us));
    fflush(c->err);
}

void ctl_progress_end(struct ctl *c, struct ctl_progress *p)
{
    if (p->shown_us > p->began_us)
        fprintf(c->err, "\r%60s\r", "");
}
