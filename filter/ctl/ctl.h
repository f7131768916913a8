/* filterctl, the command line over the filter library: what its verbs share.
 *
 *   main.c       the table of verbs, help, main
 *   args.c       options                         out.c        diagnostics, colour, progress
 *   input.c      files whole, and line by line   corpus.c     recorded messages, streamed
 *   message*.c   a line to messages              dump.c       logs, CSV, output of Python's print
 *   policies.c   policies by text or file        template*.c  the formats of their files
 *   yaml.c       YAML to the same tree as JSON   resolve.c    CloudFormation's functions
 *   VERB.c       one verb each; suite.c, keys.c, tell.c and lint_*.c belong to them
 *
 * All input is untrusted: sizes and depths have named limits where they are read; errors are
 * reported with their place and make the exit status CTL_TROUBLE. */
#ifndef TOQUE_FILTER_CTL_H
#define TOQUE_FILTER_CTL_H

#include <stdio.h>

#include "common/base/buf.h"
#include "filter/filter.h"

enum ctl_exit { CTL_YES = 0, CTL_NO = 1, CTL_TROUBLE = 2 };

enum ctl_output { CTL_TEXT, CTL_JSON, CTL_TAP, CTL_JUNIT };

/* Arguments of one kind, in order; borrowed from argv. */
struct ctl_list {
    str *items;
    size_t n;
};

struct ctl {
    const char *verb;
    const char *options; /* the letters of the verb's options; see args.c */
    enum ctl_output output;
    enum filter_scope scope; /* of policies without a scope of their own */
    bool scope_given;
    bool as_body; /* a line is a body, nothing else */
    bool invert, count, quiet, no_limits, help;
    u32 examples; /* how many examples a report shows */
    struct ctl_list policies, corpora, files;
    FILE *out, *err;
    bool colour;      /* `out` is a terminal with colour support */
    bool on_terminal; /* `err` is a terminal: progress may be shown */
    bool trouble;     /* an error was reported */
    bool is_answered; /* the rest of the corpus cannot change the answer: reading may stop */
};

struct ctl_verb {
    const char *name, *options, *summary, *usage, *help;
    int (*run)(struct ctl *c);
};

int ctl_match(struct ctl *c);
int ctl_explain(struct ctl *c);
int ctl_lint(struct ctl *c);
int ctl_test(struct ctl *c);
int ctl_coverage(struct ctl *c);
int ctl_diff(struct ctl *c);
int ctl_convert(struct ctl *c);

/* Parses the options after the verb. False: reported. */
bool ctl_args(struct ctl *c, int argc, char **argv);
void ctl_deinit(struct ctl *c);
/* Prints a line of help for each of a verb's options. */
void ctl_args_help(FILE *out, const char *options);
/* The limits that the options select. */
const struct filter_limits *ctl_limits(const struct ctl *c);
/* The exit status that follows from the result and from reported errors. */
int ctl_end(const struct ctl *c, bool found);

/* Reports an error, "filterctl: …", on stderr; the exit status will be CTL_TROUBLE. */
void ctl_complain(struct ctl *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Prints a hint on stderr; does not affect the exit status. */
void ctl_note(struct ctl *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

enum ctl_colour { CTL_GREEN, CTL_RED, CTL_YELLOW, CTL_DIM, CTL_BOLD };
/* The escape sequence on a terminal, otherwise an empty string. */
const char *ctl_on(const struct ctl *c, enum ctl_colour colour);
const char *ctl_off(const struct ctl *c);

/* --- JSON, one object a line, written as it comes --------------------------------------------- */

/* Adds a comma if needed, and the member's name unless it is NULL. */
void json_begin(struct buf *out, const char *name, char bracket);
void json_end(struct buf *out, char bracket);
void json_name(struct buf *out, const char *name);
void json_text(struct buf *out, const char *name, str s);
void json_u64(struct buf *out, const char *name, u64 v);
void json_bool(struct buf *out, const char *name, bool v);
/* JSON text, copied unchanged. */
void json_raw(struct buf *out, const char *name, str json);
/* Writes the buffer as a line and empties it. */
void ctl_put(struct ctl *c, struct buf *out);
void ctl_put_line(struct ctl *c, struct buf *out);
/* Any bytes as a JSON string: malformed UTF-8 becomes U+FFFD. */
void ctl_quote(struct buf *out, str s);
/* Text for a terminal: control characters and malformed UTF-8 made visible, cut to `max` bytes. */
void ctl_show(struct buf *out, str s, size_t max);

/* --- progress, on a terminal only ------------------------------------------------------------- */

struct ctl_progress {
    u64 messages;
    i64 began_us, shown_us; /* shown_us 0: never shown */
};
void ctl_progress_step(struct ctl *c, struct ctl_progress *p);
void ctl_progress_end(struct ctl *c, struct ctl_progress *p);

#endif
