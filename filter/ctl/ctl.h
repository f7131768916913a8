/* filterctl, the command line over the filter library: what its verbs share.
 *
 *   filterctl.c    the table of verbs, help, main
 *   ctl_args.c     options                         ctl_out.c       complaints, colour, progress
 *   ctl_input.c    files whole, and line by line   ctl_corpus.c    recorded messages, streamed
 *   ctl_message.c  a line to messages              ctl_dump.c      logs, CSV, what Python prints
 *   ctl_policies.c policies by text or file        ctl_template.c  the shapes of their files
 *   ctl_yaml.c     YAML to the same tree as JSON   ctl_resolve.c   CloudFormation's functions
 *   ctl_VERB.c     one verb each; ctl_suite.c, ctl_keys.c, ctl_tell.c and ctl_lint_*.c are theirs
 *
 * Everything read is untrusted: sizes and depths have named limits where they are read, and what is
 * wrong is said with its place, and makes the exit status CTL_TROUBLE. */
#ifndef TOQUE_FILTER_CTL_H
#define TOQUE_FILTER_CTL_H

#include <stdio.h>

#include "common/base/buf.h"
#include "filter/filter.h"

enum ctl_exit { CTL_YES = 0, CTL_NO = 1, CTL_TROUBLE = 2 };

enum ctl_output { CTL_TEXT, CTL_JSON, CTL_TAP, CTL_JUNIT };

/* Arguments of one kind, in their order; borrowed from argv. */
struct ctl_list {
    str *items;
    size_t n;
};

struct ctl {
    const char *verb;
    const char *options; /* the letters of those that the verb has; see ctl_args.c */
    enum ctl_output output;
    enum filter_scope scope; /* of policies that do not bring their own */
    bool scope_given;
    bool as_body; /* a line is a body, nothing else */
    bool invert, count, quiet, no_limits, help;
    u32 examples; /* how many a report shows */
    struct ctl_list policies, corpora, files;
    FILE *out, *err;
    bool colour;      /* `out` is a terminal that shows it */
    bool on_terminal; /* `err` is one: progress may be shown */
    bool trouble;     /* something was complained about */
    bool is_answered; /* what follows in a corpus changes nothing: reading may end */
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

/* Options behind the verb. False: complained. */
bool ctl_args(struct ctl *c, int argc, char **argv);
void ctl_deinit(struct ctl *c);
/* A line of help for each of a verb's options. */
void ctl_args_help(FILE *out, const char *options);
/* The limits that the options ask for. */
const struct filter_limits *ctl_limits(const struct ctl *c);
/* What follows from what was found and complained about. */
int ctl_end(const struct ctl *c, bool found);

/* "filterctl: …" on stderr; the run ends in trouble. */
void ctl_complain(struct ctl *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A hint on stderr that changes nothing. */
void ctl_note(struct ctl *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

enum ctl_colour { CTL_GREEN, CTL_RED, CTL_YELLOW, CTL_DIM, CTL_BOLD };
/* Escape sequences on a terminal, nothing elsewhere. */
const char *ctl_on(const struct ctl *c, enum ctl_colour colour);
const char *ctl_off(const struct ctl *c);

/* --- JSON, one object a line, written as it comes --------------------------------------------- */

/* Puts a comma where one is due; a member's name where it is not NULL. */
void json_begin(struct buf *out, const char *name, char bracket);
void json_end(struct buf *out, char bracket);
void json_name(struct buf *out, const char *name);
void json_text(struct buf *out, const char *name, str s);
void json_u64(struct buf *out, const char *name, u64 v);
void json_bool(struct buf *out, const char *name, bool v);
/* JSON text as it is. */
void json_raw(struct buf *out, const char *name, str json);
/* Writes what is in the buffer and empties it; as a line. */
void ctl_put(struct ctl *c, struct buf *out);
void ctl_put_line(struct ctl *c, struct buf *out);
/* A string as JSON that is JSON whatever its bytes are: what is no UTF-8 becomes U+FFFD. */
void ctl_quote(struct buf *out, str s);
/* Text for a terminal: control characters and broken UTF-8 made visible, cut to `max` bytes. */
void ctl_show(struct buf *out, str s, size_t max);

/* --- progress, on a terminal only ------------------------------------------------------------- */

struct ctl_progress {
    u64 messages;
    i64 began_us, shown_us; /* shown_us 0: never shown */
};
void ctl_progress_step(struct ctl *c, struct ctl_progress *p);
void ctl_progress_end(struct ctl *c, struct ctl_progress *p);

#endif
