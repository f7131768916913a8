#include <stdlib.h>

#include "common/aws/server_main.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "queued/queued.h"
#include "queued/salvage.h"

static int open_queued(struct server **ret, const struct server_options *o,
                       const struct environment *env, struct daemon *signals, struct fault *f)
{
    struct queued *d;
    int err = queued_open(&d, container_of(o, struct queued_options, server), env, signals, f);

    if (!err)
        *ret = &d->server;
    return err;
}

static void close_queued(struct server *s)
{
    queued_close(queued_of(s));
}

/* --- looking at a store ----------------------------------------------------------------------- */

#define SALVAGE "--salvage="

/* --check or --salvage=DIRECTORY, instead of running the daemon. */
struct examination {
    int at;             /* the argument; 0: not wanted */
    const char *to_dir; /* NULL: nothing is copied */
};

static struct examination examination_read(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--check") == 0)
            return (struct examination){i, NULL};
        if (strncmp(argv[i], SALVAGE, strlen(SALVAGE)) == 0)
            return (struct examination){i, argv[i] + strlen(SALVAGE)};
    }
    return (struct examination){0, NULL};
}

static void salvage_tell(const struct salvage *s)
{
    printf("queues %" PRIu64 ", messages %" PRIu64 ", move tasks %" PRIu64 "\n", s->queues,
           s->messages, s->tasks);
    if (salvage_is_sound(s))
        printf("the store is sound\n");
    else
        printf("damaged: %" PRIu64 " places that cannot be read, %" PRIu64
               " rows that say what cannot be, %" PRIu64 " messages without their bodies\n",
               s->places, s->rows, s->bodies);
}

/* Returns the exit status. */
static int store_examine(const struct queued_options *o, const char *to_dir)
{
    struct clock clock;
    struct id_source ids;
    struct salvage found;
    struct fault f = {0};
    clock_init_from(&clock, ENVIRONMENT_SYSTEM.clock, false);
    id_init(&ids, ENVIRONMENT_SYSTEM.seed);
    struct store_options from = {.dir = o->server.data_dir,
                                 .cache_kib = (u32)o->server.store_cache_kib,
                                 .reserve_bytes = (u64)o->server.disk_reserve_bytes,
                                 .clock = &clock,
                                 .ids = &ids};
    int err = salvage_check(from.dir, to_dir, &f);
    if (!err && to_dir)
        err = daemon_make_dir(to_dir, 0700, &f);
    if (!err)
        err = salvage_run(&from, to_dir, stdout, &found, &f);
    if (err) {
        log_error("%s", f.text);
        return EXIT_FAILURE;
    }
    salvage_tell(&found);
    return salvage_is_sound(&found) || to_dir ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The remaining arguments are the daemon's usual options. */
static int examine_main(struct queued_options *options, const struct examination *l, int argc,
                        char **argv)
{
    bool check_only;
    int status;
    memmove(&argv[l->at], &argv[l->at + 1], (size_t)(argc - l->at) * sizeof *argv);
    json_setup();
    conf_init(&QUEUED_OPTIONS, options);
    if (conf_start(&QUEUED_OPTIONS, options, argc - 1, argv, &check_only, &status)) {
        log_open(QUEUED_OPTIONS.program, LOG_LEVEL_WARNING);
        status = check_only ? EXIT_SUCCESS : store_examine(options, l->to_dir);
    }
    conf_deinit(&QUEUED_OPTIONS, options);
    return status;
}

int main(int argc, char **argv)
{
    static struct queued_options options;
    static const struct server_program program = {.table = &QUEUED_OPTIONS,
                                                  .options = &options.server,
                                                  .check = server_options_check,
                                                  .open = open_queued,
                                                  .close = close_queued,
                                                  .link_url = &options.link_url};

    struct examination wanted = examination_read(argc, argv);

    return wanted.at ? examine_main(&options, &wanted, argc, argv)
                     : server_main(&program, argc, argv);
}
