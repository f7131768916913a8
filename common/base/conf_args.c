/* The command line of an option table: reading it, explaining it, and the sample file. */
#include "common/base/conf.h"

#include <stdlib.h>

#include "common/base/scan.h"

struct args {
    int argc;
    char *const *argv;
    int at;
};

/* One argument with its value. */
struct arg {
    char sort; /* 'c', 'n', 'h', 'v', 's', or 'o' for an option of the table */
    str name;  /* 'o' */
    str value; /* 'c', 'o' */
};

static int take_value(struct args *a, const char *of, str *ret, struct fault *f)
{
    if (a->at == a->argc)
        return fault_set(f, CONF_FAULT, "%.100s: a value is missing", of);
    *ret = str_of(a->argv[a->at++]);
    return 0;
}

static int read_arg_option(const struct conf_table *t, struct args *a, const char *text,
                           struct arg *ret, struct fault *f)
{
    str value = str_of(text + 2);

    *ret = (struct arg){.sort = 'o', .name = str_cut(&value, '=')};
    const struct conf_option *o = conf_find(t, ret->name);
    if (!o)
        return fault_set(f, CONF_FAULT, "%.100s: there is no such option; --help lists them", text);
    if (value.p)
        ret->value = value;
    else if (o->type == CONF_BOOL)
        ret->value = STR("true");
    else
        return take_value(a, text, &ret->value, f);
    return 0;
}

/* Reads the next argument; E_NOT_FOUND at the end. */
static int next_arg(const struct conf_table *t, struct args *a, struct arg *ret, struct fault *f)
{
    static const struct {
        const char *text;
        char sort;
    } plain[] = {{"-n", 'n'}, {"-h", 'h'},        {"--help", 'h'},
                 {"-V", 'v'}, {"--version", 'v'}, {"--print-sample", 's'}};
    if (a->at == a->argc)
        return E_NOT_FOUND;
    const char *text = a->argv[a->at++];
    for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
        if (strcmp(text, plain[i].text) == 0) {
            *ret = (struct arg){.sort = plain[i].sort};
            return 0;
        }
    }
    if (strcmp(text, "-c") == 0) {
        *ret = (struct arg){.sort = 'c'};
        return take_value(a, text, &ret->value, f);
    }
    if (strncmp(text, "--", 2) == 0 && text[2])
        return read_arg_option(t, a, text, ret, f);
    return fault_set(f, CONF_FAULT, "%.100s: unexpected argument; --help lists what there is",
                     text);
}

/* First pass: what is requested, and which file. */
static int read_verb(const struct conf_table *t, struct args a, enum conf_verb *ret_verb,
                     const char **ret_file, struct fault *f)
{
    struct arg arg;
    int err;

    *ret_verb = CONF_RUN;
    *ret_file = NULL;
    while ((err = next_arg(t, &a, &arg, f)) == 0) {
        switch (arg.sort) {
        case 'c': *ret_file = arg.value.p; break;
        case 'n': *ret_verb = CONF_CHECK; break;
        case 'h': *ret_verb = CONF_HELP; return 0;
        case 'v': *ret_verb = CONF_VERSION; return 0;
        case 's': *ret_verb = CONF_SAMPLE; return 0;
        default: break;
        }
    }
    return err == E_NOT_FOUND ? 0 : err;
}

int conf_load_args(const struct conf_table *t, void *target, int argc, char *const *argv,
                   enum conf_verb *ret, struct fault *f)
{
    struct args a = {.argc = argc, .argv = argv, .at = MIN(1, argc)};
    struct arg arg;
    const char *file;
    enum conf_verb verb;
    int err = read_verb(t, a, &verb, &file, f);

    if (!err && file && (verb == CONF_RUN || verb == CONF_CHECK))
        err = conf_load_file(t, target, file, f);
    if (err)
        return err;
    *ret = verb;
    if (verb != CONF_RUN && verb != CONF_CHECK)
        return 0;
    while ((err = next_arg(t, &a, &arg, f)) == 0) {
        if (arg.sort != 'o')
            continue;
        err = conf_set(t, target, arg.name, arg.value, "--", f);
        if (err)
            return err;
    }
    return err == E_NOT_FOUND ? 0 : err;
}

bool conf_start(const struct conf_table *t, void *target, int argc, char *const *argv,
                bool *ret_check, int *ret_status)
{
    enum conf_verb verb;
    struct fault f = {0};
    struct buf out = {0};

    if (conf_load_args(t, target, argc, argv, &verb, &f) != 0) {
        fprintf(stderr, "%s: %s\n", t->program, f.text);
        *ret_status = EXIT_FAILURE;
        return false;
    }
    switch (verb) {
    case CONF_RUN:
    case CONF_CHECK: *ret_check = verb == CONF_CHECK; return true;
    case CONF_HELP: conf_help(t, &out); break;
    case CONF_SAMPLE: conf_sample(t, &out); break;
    case CONF_VERSION: buf_printf(&out, "%s %s\n", t->program, TOQUE_VERSION); break;
    }
    bool written = fwrite(out.p, 1, out.n, stdout) == out.n && fflush(stdout) == 0;
    *ret_status = written ? EXIT_SUCCESS : EXIT_FAILURE;
    buf_deinit(&out);
    return false;
}

/* "default 4566; 1 to 65535 ms" */
static void option_describe(const struct conf_table *t, const struct conf_option *o,
                            struct buf *out)
{
    const char *value = conf_default(t, o);

    buf_z(out, "default ");
    buf_z(out, value[0] ? value : "none");
    if (o->type == CONF_BOOL)
        return;
    buf_z(out, "; ");
    conf_bounds(o, out);
}

void conf_help(const struct conf_table *t, struct buf *out)
{
    static const char *const values[] = {
        [CONF_STRING] = "TEXT",  [CONF_INT] = "N",     [CONF_BOOL] = "true|false",
        [CONF_ENUM] = "WORD",    [CONF_SIZE] = "SIZE", [CONF_PATH] = "PATH",
        [CONF_LIST] = "A,B,...",
    };

    buf_printf(out,
               "usage: %s [-c FILE] [-n] [--OPTION=VALUE]...\n%s\n\n"
               "  -c FILE           read options from FILE (JSON); those given here override it\n"
               "  -n                check the configuration, say what is wrong, and exit\n"
               "  --print-sample    print a configuration file with every option, and exit\n"
               "  --version         print the version, and exit\n"
               "  --help            print this, and exit\n\n"
               "Options, here with hyphens, in the file with underscores:\n\n",
               t->program, t->purpose);
    for (size_t i = 0; i < conf_count(t); i++) {
        const struct conf_option *o = conf_at(t, i);

        buf_z(out, "  --");
        for (const char *c = o->name; *c; c++)
            buf_char(out, *c == '_' ? '-' : *c);
        buf_printf(out, "=%s\n      %s\n      (", values[o->type], o->help);
        option_describe(t, o, out);
        buf_z(out, ")\n");
    }
}

static void write_sample_value(const struct conf_option *o, str value, struct buf *out)
{
    i64 v;

    if (o->type == CONF_BOOL || o->type == CONF_INT ||
        (o->type == CONF_SIZE && str_to_i64(value, &v) == 0)) {
        buf_str(out, value);
        return;
    }
    if (o->type != CONF_LIST) {
        scan_quote(out, value);
        return;
    }
    buf_char(out, '[');
    for (bool first = true; value.n; first = false) {
        if (!first)
            buf_z(out, ", ");
        scan_quote(out, str_trim(str_cut(&value, ',')));
    }
    buf_char(out, ']');
}

void conf_sample(const struct conf_table *t, struct buf *out)
{
    struct buf comment = {0};

    buf_z(out, "{\n");
    for (size_t i = 0; i < conf_count(t); i++) {
        const struct conf_option *o = conf_at(t, i);

        buf_reset(&comment);
        buf_printf(&comment, "%s (", o->help);
        option_describe(t, o, &comment);
        buf_char(&comment, ')');
        buf_printf(out, "    \"// %s\": ", o->name);
        scan_quote(out, buf_view(&comment));
        buf_printf(out, ",\n    \"%s\": ", o->name);
        write_sample_value(o, str_of(conf_default(t, o)), out);
        buf_z(out, i + 1 < conf_count(t) ? ",\n\n" : "\n");
    }
    buf_z(out, "}\n");
    buf_deinit(&comment);
}
