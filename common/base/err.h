/* Error codes for failures of the environment, and the record of a caller's mistake.
 *
 * Three kinds of error, never mixed: our own bug is an assert; a failure of the environment is an
 * `int`, 0 or a negative E_ code; a caller's mistake fills a struct fault, which is rendered once,
 * at the endpoint of the call. */
#ifndef TOQUE_ERR_H
#define TOQUE_ERR_H

#include "common/base/base.h"
#include "common/base/str.h"

enum {
    E_OK = 0,
    E_INVALID = -1,   /* input that does not follow its grammar */
    E_TOO_LARGE = -2, /* over a named bound */
    E_NOT_FOUND = -3,
    E_EXISTS = -4,
    E_IO = -5,    /* the file system or the network failed */
    E_FULL = -6,  /* no space left, or a bounded queue is full */
    E_DOWN = -7,  /* the peer is down */
    E_NEWER = -8, /* written by a newer version of toque */
    E_AGAIN = -9, /* not now; the caller is notified when it can be retried */
    E_DENIED = -10,
    E_FAULT = -11,  /* the caller's mistake: the struct fault says which */
    E_SHORT = -12,  /* input is incomplete */
    E_FENCED = -13, /* another process has taken it over */
    E_UNSURE = -14, /* it failed, and a restart may find all the same that it happened */
    E_MOVED = -15,  /* its name leads to another file now, or to none */
};

/* A few words for a log line; never NULL. */
const char *err_text(int err);

/* Longest text of a fault in bytes, without its NUL; longer ones are truncated at a character. */
#define FAULT_TEXT_MAX 4095

/* A caller's mistake; code 0: none. Codes are defined by the code that fills the record; the
 * service's table (call.h) maps them to public names and HTTP statuses. */
struct fault {
    int code;
    u32 line, column; /* place in the input, from 1; 0: none */
    char text[FAULT_TEXT_MAX + 1];
};

/* Fills `f` (a later fault never replaces an earlier one) and returns E_FAULT. */
int fault_set(struct fault *f, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The same with a place in the input. */
int fault_set_at(struct fault *f, int code, u32 line, u32 column, const char *fmt, ...)
    PRINTF_LIKE(5, 6);
void fault_clear(struct fault *f);

#endif
