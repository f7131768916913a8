#include "common/base/err.h"

#include <stdarg.h>

const char *err_text(int err)
{
    switch (err) {
    case E_OK: return "no error";
    case E_INVALID: return "invalid input";
    case E_TOO_LARGE: return "too large";
    case E_NOT_FOUND: return "not found";
    case E_EXISTS: return "exists already";
    case E_IO: return "input or output failed";
    case E_FULL: return "no space left";
    case E_DOWN: return "peer is away";
    case E_NEWER: return "written by a newer version";
    case E_AGAIN: return "not now";
    case E_DENIED: return "not allowed";
    case E_FAULT: return "caller's mistake";
    case E_SHORT: return "input ends early";
    case E_UNSURE: return "failed, and could not be undone yet";
    case E_FENCED: return "somebody else owns it now";
    case E_MOVED: return "not in its place any more";
    default: return "unknown error";
    }
}

/* Removes an incomplete character at the end of text[0..n). */
static void cut_at_character(char *text, size_t n)
{
    size_t start = n;

    while (start > 0 && n - start < 3 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t want = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (want > n - start + 1)
        text[start - 1] = '\0';
}

PRINTF_LIKE(5, 0)
static int fault_vset(struct fault *f, int code, u32 line, u32 column, const char *fmt,
                      va_list args)
{
    assert(code != 0);
    if (f->code)
        return E_FAULT;
    f->code = code;
    f->line = line;
    f->column = column;
    int n = vsnprintf(f->text, sizeof(f->text), fmt, args);
    assert(n >= 0);
    if (n > FAULT_TEXT_MAX)
        cut_at_character(f->text, FAULT_TEXT_MAX);
    return E_FAULT;
}

int fault_set(struct fault *f, int code, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int err = fault_vset(f, code, 0, 0, fmt, args);
    va_end(args);
    return err;
}

int fault_set_at(struct fault *f, int code, u32 line, u32 column, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int err = fault_vset(f, code, line, column, fmt, args);
    va_end(args);
    return err;
}

void fault_clear(struct fault *f)
{
    f->code = 0;
    f->line = f->column = 0;
    f->text[0] = '\0';
}
