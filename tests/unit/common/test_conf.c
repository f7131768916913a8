/* conf.[ch]: one table serves defaults, file, command line, help and sample, and refuses alike. */
#include "common/base/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/json.h"
#include "common/base/mem.h"

struct options {
    i64 port, grace_ms, body_max;
    bool open;
    int clock;
    char *region, *data;
    struct conf_list doors;
};

static const char *const clocks[] = {"real", "manual", NULL};

#define AT(member) offsetof(struct options, member)
/* clang-format off */
static const struct conf_option rows[] = {
    {.name = "http_port", .type = CONF_INT, .value = "4566", .min = 1, .max = 65535,
     .help = "TCP port.", .offset = AT(port)},
    {.name = "grace_ms", .type = CONF_INT, .value = "-5", .unit = "ms", .min = -10, .max = 60000,
     .help = "Patience.", .offset = AT(grace_ms)},
    {.name = "body_size_max", .type = CONF_SIZE, .value = "1MiB", .unit = "bytes", .min = 1024,
     .max = INT64_MAX, .help = "Largest body.", .offset = AT(body_max)},
    {.name = "open", .type = CONF_BOOL, .value = "false", .help = "Lets in.", .offset = AT(open)},
    {.name = "clock", .type = CONF_ENUM, .value = "real", .words = clocks, .help = "Time.",
     .offset = AT(clock)},
    {.name = "region", .type = CONF_STRING, .value = "us-east-1", .min = 1, .max = 20,
     .help = "Default \"region\".", .offset = AT(region)},
    {.name = "data_dir", .type = CONF_PATH, .value = "./var", .min = 1, .max = 4096,
     .help = "Where.", .offset = AT(data)},
    {.name = "listen", .type = CONF_LIST, .value = "127.0.0.1, ::1", .min = 0, .max = 3,
     .help = "Addresses.", .offset = AT(doors)},
};
/* clang-format on */
static const struct conf_table table = {
    .program = "unit", .purpose = "Tests options.", .options = rows, .n = ARRAY_LEN(rows)};

static struct fault fault;
static char path[] = P_tmpdir "/toque-conf-XXXXXX";

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void check_defaults(const struct options *o)
{
    assert_true(o->port == 4566 && o->grace_ms == -5 && o->body_max == 1024 * 1024);
    assert_true(!o->open && o->clock == 0);
    assert_string_equal(o->region, "us-east-1");
    assert_string_equal(o->data, "./var");
    assert_int_equal(o->doors.n, 2);
    assert_string_equal(o->doors.items[0], "127.0.0.1");
    assert_string_equal(o->doors.items[1], "::1");
}

static int load(const char *text, struct options *o)
{
    *o = (struct options){0};
    write_file(text);
    conf_init(&table, o);
    fault_clear(&fault);
    return conf_load_file(&table, o, path, &fault);
}

static void file(void **state)
{
    struct options o;
    assert_int_equal(load("{}", &o), 0);
    check_defaults(&o);
    conf_deinit(&table, &o);
    assert_null(o.region);
    assert_int_equal(load("{\"// note\": {\"any\": 1}, \"http_port\": 65535, \"grace_ms\": -10,"
                          "\"body_size_max\": 2048, \"open\": true, \"clock\": \"manual\","
                          "\"region\": \"\\u00e9u\", \"data_dir\": \"/x\", \"listen\": []}",
                          &o),
                     0);
    assert_true(o.port == 65535 && o.grace_ms == -10 && o.body_max == 2048 && o.open);
    assert_int_equal(o.clock, 1);
    assert_string_equal(o.region, "\xC3\xA9u");
    assert_int_equal(o.doors.n, 0);
    conf_deinit(&table, &o);
    assert_int_equal(load("{\"body_size_max\": \"3 GiB\", \"listen\": [\"a\", \"b,c\"]}", &o), 0);
    assert_true(o.body_max == 3 * INT64_C(1073741824));
    assert_string_equal(o.doors.items[1], "b,c");
    conf_deinit(&table, &o);
    assert_int_equal(load("{\"listen\": \"a, b\"}", &o), 0); /* as on the command line */
    assert_int_equal(o.doors.n, 2);
    assert_string_equal(o.doors.items[1], "b");
    conf_deinit(&table, &o);
}

/* What is wrong, where it stands, and why, on one line. */
static void bad_files(void **state)
{
    static const struct {
        const char *text, *want; /* behind "PATH:" */
    } cases[] = {
        {"{\n\"http_prt\": 1}", "2:13: http_prt: there is no such option"},
        {"{\"http-port\": 1}", "1:15: http-port: there is no such option"},
        {"{\"http_port\": 0}", "1:15: http_port: must be 1 to 65535, not 0"},
        {"{\"http_port\": 65536}", "1:15: http_port: must be 1 to 65535, not 65536"},
        {"{\"grace_ms\": -11}", "1:14: grace_ms: must be -10 to 60000 ms, not -11"},
        {"{\"http_port\": \"80\"}", "1:15: http_port: must be an integer, not a string"},
        {"{\"http_port\": 80.0}", "1:15: http_port: must be an integer, not a number"},
        {"{\"http_port\": null}", "1:15: http_port: must be an integer, not null"},
        {"{\"open\": \"true\"}", "1:10: open: must be true or false, not a string"},
        {"{\"open\": 1}", "1:10: open: must be true or false, not an integer"},
        {"{\"clock\": \"Real\"}", "1:11: clock: must be real or manual"},
        {"{\"clock\": true}", "1:11: clock: must be a string, not true or false"},
        {"{\"region\": \"\"}", "1:12: region: must be of 1 to 20 bytes"},
        {"{\"region\": \"123456789012345678901\"}", "1:12: region: must be of 1 to 20 bytes"},
        {"{\"data_dir\": \"a\\nb\"}", "1:14: data_dir: must not hold control characters"},
        {"{\"body_size_max\": 1023}", "1:19: body_size_max: must be 1024 or more bytes, not 1023"},
        {"{\"body_size_max\": \"1 parsec\"}",
         "1:19: body_size_max: must be a size such as 64MiB, 1024 or more bytes"},
        {"{\"body_size_max\": \"9999999999999TiB\"}",
         "1:19: body_size_max: must be a size such as 64MiB, 1024 or more bytes"},
        {"{\"listen\": 1}", "1:12: listen: must be an array, not an integer"},
        {"{\"listen\": \"a,b,c,d\"}", "1:12: listen: must be of 0 to 3 items"},
        {"{\"listen\": [\"a\", 7]}", "1:18: listen[1]: must be a string, not an integer"},
        {"{\"listen\": [\"a\",\"b\",\"c\",\"d\"]}", "1:12: listen: must be of 0 to 3 items"},
        {"[]", "1:1: must be an object, not an array"},
        {"{\"open\": true,\n \"open\": false}", "2:7: duplicate object key"},
        {"{\"open\": true,\n}", "2:1: string or '}' expected near '}'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct options o;
        assert_int_equal(load(cases[i].text, &o), E_FAULT);
        assert_true(str_starts(str_of(fault.text), str_of(path)));
        const char *got = fault.text + strlen(path) + 1;
        if (strncmp(got, cases[i].want, strlen(cases[i].want)) != 0)
            fail_msg("%s\n  gives %s\n  wants %s", cases[i].text, got, cases[i].want);
        assert_true(fault.line > 0 && fault.column > 0);
        conf_deinit(&table, &o);
    }
}

static int load_args(struct options *o, enum conf_verb *verb, const char *const *args)
{
    char *argv[16];
    int argc = 0;
    for (argv[argc++] = mem_dup(STR("unit")); args[argc - 1]; argc++)
        argv[argc] = mem_dup(str_of(args[argc - 1]));
    *o = (struct options){0};
    conf_init(&table, o);
    fault_clear(&fault);
    int err = conf_load_args(&table, o, argc, argv, verb, &fault);
    while (argc)
        mem_free(argv[--argc]);
    return err;
}
#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void arguments(void **state)
{
    struct options o;
    enum conf_verb verb;
    write_file("{\"http_port\": 81, \"region\": \"file\"}");
    assert_int_equal(load_args(&o, &verb,
                               ARGS("--http-port=82", "-c", path, "--open", "--clock", "manual",
                                    "--listen=a, b,c", "--grace_ms", "-7", "--body-size-max=2KiB",
                                    "--data-dir=a=b")),
                     0);
    assert_int_equal(verb, CONF_RUN);
    assert_true(o.port == 82 && o.open && o.clock == 1 && o.grace_ms == -7 && o.body_max == 2048);
    assert_string_equal(o.region, "file");
    assert_string_equal(o.data, "a=b");
    assert_int_equal(o.doors.n, 3);
    assert_string_equal(o.doors.items[1], "b");
    conf_deinit(&table, &o);
    assert_int_equal(load_args(&o, &verb, ARGS("--open=true", "--open=false", "-n")), 0);
    assert_true(verb == CONF_CHECK && !o.open);
    conf_deinit(&table, &o);
    static const struct {
        const char *arg;
        enum conf_verb verb;
    } verbs[] = {{"--help", CONF_HELP},
                 {"-h", CONF_HELP},
                 {"--version", CONF_VERSION},
                 {"--print-sample", CONF_SAMPLE}};
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        assert_int_equal(load_args(&o, &verb, ARGS(verbs[i].arg)), 0);
        assert_int_equal(verb, verbs[i].verb);
        conf_deinit(&table, &o);
    }
}

static void bad_arguments(void **state)
{
    static const struct {
        const char *args[3], *want;
    } cases[] = {
        {{"--nothing=1"}, "--nothing=1: there is no such option; --help lists them"},
        {{"--"}, "--: unexpected argument; --help lists what there is"},
        {{"file"}, "file: unexpected argument; --help lists what there is"},
        {{"--http-port"}, "--http-port: a value is missing"},
        {{"-c"}, "-c: a value is missing"},
        {{"--http-port", "80x"}, "--http_port: must be an integer, 1 to 65535"},
        {{"--http-port="}, "--http_port: must be an integer, 1 to 65535"},
        {{"--http-port=70000"}, "--http_port: must be 1 to 65535, not 70000"},
        {{"--open=yes"}, "--open: must be true or false"},
        {{"--open", "true"}, "true: unexpected argument; --help lists what there is"},
        {{"--clock=x"}, "--clock: must be real or manual"},
        {{"--region=\xFF"}, "--region: must be UTF-8"},
        {{"--listen=\xFF"}, "--listen: must be UTF-8"},
        {{"--body-size-max=-1"},
         "--body_size_max: must be a size such as 64MiB, 1024 or more bytes"},
        {{"-c", "/nowhere/unit.json"}, "/nowhere/unit.json: No such file or directory"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct options o;
        enum conf_verb verb = CONF_SAMPLE;
        assert_int_equal(load_args(&o, &verb, cases[i].args), E_FAULT);
        assert_string_equal(fault.text, cases[i].want);
        conf_deinit(&table, &o);
    }
}

/* The sample file, read, gives the defaults; its comments and the help say bounds and units. */
static void sample_and_help(void **state)
{
    struct options o;
    struct buf sample = {0}, help = {0};
    conf_sample(&table, &sample);
    assert_int_equal(load(sample.p, &o), 0);
    check_defaults(&o);
    conf_deinit(&table, &o);
    conf_help(&table, &help);
    for (size_t i = 0; i < table.n; i++) {
        assert_non_null(strstr(sample.p, rows[i].name));
        assert_non_null(strstr(help.p, rows[i].help));
    }
    assert_non_null(strstr(help.p, "--grace-ms=N\n      Patience.\n"
                                   "      (default -5; -10 to 60000 ms)\n"));
    assert_non_null(strstr(sample.p, "\"// http_port\": \"TCP port. (default 4566; 1 to 65535)\""));
    assert_non_null(strstr(sample.p, "\"listen\": [\"127.0.0.1\", \"::1\"]"));
    buf_deinit(&sample);
    buf_deinit(&help);
}

static int make_file(void **state)
{
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    return unlink(path);
}

/* Rows that several programs have come first, with this program's own defaults. */
static void shared_rows(void **state)
{
    static const struct conf_rows first = {rows, 2};
    static const struct conf_default defaults[] = {{"grace_ms", "7"}, {NULL, NULL}};
    static const struct conf_table both = {.program = "both",
                                           .purpose = "",
                                           .options = rows + 2,
                                           .n = ARRAY_LEN(rows) - 2,
                                           .shared = &first,
                                           .defaults = defaults};
    struct options o = {0};
    struct buf sample = {0}, help = {0}, alone = {0};
    struct fault f = {0};

    conf_init(&both, &o);
    assert_int_equal(o.grace_ms, 7);
    assert_int_equal(o.port, 4566);
    assert_string_equal(o.region, "us-east-1");
    assert_int_equal(conf_set(&both, &o, STR("grace-ms"), STR("8"), "--", &f), 0);
    assert_int_equal(o.grace_ms, 8);
    conf_sample(&both, &sample);
    conf_sample(&table, &alone);
    assert_non_null(strstr(sample.p, "(default 7; -10 to 60000 ms)\",\n    \"grace_ms\": 7,"));
    assert_int_equal(sample.n, alone.n - 2); /* both say -5, this one 7 */
    conf_help(&both, &help);
    assert_non_null(strstr(help.p, "(default 7; -10 to 60000 ms)"));
    buf_deinit(&alone);
    buf_deinit(&sample);
    buf_deinit(&help);
    conf_deinit(&both, &o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file),
        cmocka_unit_test(bad_files),
        cmocka_unit_test(arguments),
        cmocka_unit_test(bad_arguments),
        cmocka_unit_test(sample_and_help),
        cmocka_unit_test(shared_rows),
    };
    json_setup();
    return cmocka_run_group_tests_name("conf", tests, make_file, remove_file);
}
