/* Typed option tables. A program's table defines its options; the configuration file, the command
 * line, --help and the sample file are all derived from it.
 *
 * File: one JSON object, a member an option. Members whose name begins with "//" are comments.
 * Command line: --name=VALUE or --name VALUE, hyphens may replace underscores, overriding the file;
 * -c FILE, -n (check only), --help, --version, --print-sample.
 *
 * The target is a struct of the program whose members the options fill, by type:
 *     CONF_STRING, CONF_PATH   char *            (owned; never NULL after conf_init)
 *     CONF_INT, CONF_SIZE      i64               (a size in bytes; text like "64MiB" is taken too)
 *     CONF_BOOL                bool
 *     CONF_ENUM                int               (place in `words`)
 *     CONF_LIST                struct conf_list  (of strings; also as one text with commas) */
#ifndef TOQUE_CONF_H
#define TOQUE_CONF_H

#include "common/base/buf.h"
#include "common/base/err.h"

#define CONF_FILE_MAX (1024 * 1024) /* bytes of a configuration file; real ones have a few KiB */
#define CONF_TEXT_MAX 4096          /* bytes of a string, where an option gives no bound */
#define CONF_LIST_MAX 64            /* items of a list, likewise */

enum {
    CONF_FAULT = 820, /* the one code of a struct fault from here; JSON_FAULT comes through */
};

enum conf_type {
    CONF_STRING,
    CONF_INT,
    CONF_BOOL,
    CONF_ENUM,
    CONF_SIZE,
    CONF_PATH, /* a string without control characters */
    CONF_LIST,
};

struct conf_list {
    char **items;
    size_t n;
};

struct conf_option {
    const char *name; /* as in the file, with underscores; the unit is the last word */
    enum conf_type type;
    const char *value;        /* default, as on the command line */
    const char *unit;         /* "ms", "bytes"; NULL: none */
    i64 min, max;             /* INT, SIZE: the number; STRING, PATH: bytes; LIST: items. Both 0: 0
                                 and the largest */
    const char *const *words; /* ENUM: ends in NULL */
    const char *help;         /* one sentence: its effect and a reason to change it */
    size_t offset;            /* of the member in the target */
};

/* Rows for a target's member of the option's own name. */
#define CONF_ROW(target, member, type_, value_, unit_, min_, max_, words_, help_)                  \
    {                                                                                              \
        .name = #member, .type = type_, .value = value_, .unit = unit_, .min = min_, .max = max_,  \
        .words = words_, .help = help_, .offset = offsetof(target, member)                         \
    }
#define CONF_TEXT_ROW(target, member, value, help)                                                 \
    CONF_ROW(target, member, CONF_STRING, value, NULL, 0, 0, NULL, help)
#define CONF_PATH_ROW(target, member, value, help)                                                 \
    CONF_ROW(target, member, CONF_PATH, value, NULL, 0, 0, NULL, help)
#define CONF_FLAG_ROW(target, member, value, help)                                                 \
    CONF_ROW(target, member, CONF_BOOL, value, NULL, 0, 0, NULL, help)
#define CONF_WORD_ROW(target, member, value, words, help)                                          \
    CONF_ROW(target, member, CONF_ENUM, value, NULL, 0, 0, words, help)
#define CONF_NUMBER_ROW(target, member, value, unit, min, max, help)                               \
    CONF_ROW(target, member, CONF_INT, value, unit, min, max, NULL, help)
#define CONF_SIZE_ROW(target, member, value, min, max, help)                                       \
    CONF_ROW(target, member, CONF_SIZE, value, "bytes", min, max, NULL, help)

#define CONF_LIST_ROW(target, member, value, min, help)                                            \
    CONF_ROW(target, member, CONF_LIST, value, NULL, min, CONF_LIST_MAX, NULL, help)

#define KIB INT64_C(1024)
#define MIB (INT64_C(1024) * 1024)
#define GIB (INT64_C(1024) * 1024 * 1024)

struct conf_rows {
    const struct conf_option *rows;
    size_t n;
};

struct conf_table {
    const char *program, *purpose; /* for --help */
    const struct conf_option *options;
    size_t n;
    /* Rows shared by several programs, which precede the program's own, and this program's other
     * defaults for them. NULL: none. */
    const struct conf_rows *shared;
    const struct conf_default {
        const char *name, *value;
    } * defaults; /* ends in NULL */
};

/* All rows, in their order. */
static inline size_t conf_count(const struct conf_table *t)
{
    return (t->shared ? t->shared->n : 0) + t->n;
}
static inline const struct conf_option *conf_at(const struct conf_table *t, size_t i)
{
    size_t shared = t->shared ? t->shared->n : 0;

    return i < shared ? &t->shared->rows[i] : &t->options[i - shared];
}
/* The option's default in this table. */
const char *conf_default(const struct conf_table *t, const struct conf_option *o);

/* Fills the target, zeroed before, with the defaults. An invalid default is our bug. */
void conf_init(const struct conf_table *t, void *target);
void conf_deinit(const struct conf_table *t, void *target);

/* E_FAULT: unknown option, wrong type, out of bounds, given twice: f->text is the whole line, with
 * the file and the place. Options before the wrong one may have been taken. */
int conf_load_file(const struct conf_table *t, void *target, const char *path,
                   struct fault *f) MUST_CHECK;
/* The same from text; `file` is its name in error texts. */
int conf_load_text(const struct conf_table *t, void *target, str text, const char *file,
                   struct fault *f) MUST_CHECK;
/* Sets one option from text; `from` ("--") precedes its name in error texts. */
int conf_set(const struct conf_table *t, void *target, str name, str value, const char *from,
             struct fault *f) MUST_CHECK;

enum conf_verb {
    CONF_RUN,
    CONF_CHECK,   /* -n */
    CONF_HELP,    /* print conf_help and exit with success */
    CONF_VERSION, /* print TOQUE_VERSION and exit with success */
    CONF_SAMPLE,  /* --print-sample: print conf_sample and exit with success */
};

/* Reads the command line: first the file of the last -c, whatever its position, then the options in
 * their order. */
int conf_load_args(const struct conf_table *t, void *target, int argc, char *const *argv,
                   enum conf_verb *ret, struct fault *f) MUST_CHECK;
/* conf_load_args, then handles --help, --version and --print-sample. Returns true when the program
 * continues, with *ret_check set by -n; false when it exits with *ret_status. Errors go to standard
 * error as one line. */
bool conf_start(const struct conf_table *t, void *target, int argc, char *const *argv,
                bool *ret_check, int *ret_status);

/* The option's bounds as text, "1 to 65535 ms"; nothing for CONF_BOOL. */
void conf_bounds(const struct conf_option *o, struct buf *out);
/* The option of that name, with hyphens equal to underscores, or NULL. */
const struct conf_option *conf_find(const struct conf_table *t, str name);
/* The output of --help. */
void conf_help(const struct conf_table *t, struct buf *out);
/* The sample file: every option with its default, preceded by a comment with unit and bounds. */
void conf_sample(const struct conf_table *t, struct buf *out);

#endif
