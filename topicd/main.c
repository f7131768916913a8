/* The start checklist of topicd, and its undoing in reverse. */
#include "common/io/daemon.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "topicd/topicd.h"

static int prepare(const struct topicd_options *o, struct daemon *d, struct fault *f)
{
    int err = daemon_open(d, f);

    if (!err)
        err = daemon_make_dir(o->data_dir, 0700, f);
    if (!err && o->pid_file[0])
        err = daemon_write_pid(d, o->pid_file, f);
    if (!err)
        daemon_raise_files((u64)o->open_files);
    return err;
}

static int check_only(const struct topicd_options *o)
{
    struct fault f = {0};

    if (topicd_options_check(o, &f) == 0)
        return 0;
    log_error("%s", f.text);
    return 1;
}

static int run(const struct topicd_options *o)
{
    struct daemon daemon = {.signal_fd = -1, .pid_fd = -1};
    struct topicd *t = NULL;
    struct fault f = {0};
    int err = topicd_options_check(o, &f);

    if (!err)
        err = prepare(o, &daemon, &f);

    if (!err)
        err = topicd_open(&t, o, &ENVIRONMENT_SYSTEM, &daemon, &f);
    if (err)
        log_error("%s", f.text);
    else
        topicd_run(t);
    topicd_close(t);
    daemon_close(&daemon);
    if (!err)
        log_info("stopped");
    return err ? 1 : 0;
}

int main(int argc, char **argv)
{
    static struct topicd_options options;
    bool check;
    int status;

    json_setup();
    conf_init(&TOPICD_OPTIONS, &options);
    if (conf_start(&TOPICD_OPTIONS, &options, argc, argv, &check, &status)) {
        log_open("topicd", (enum log_level)options.log_level);
        status = check ? check_only(&options) : run(&options);
    }
    conf_deinit(&TOPICD_OPTIONS, &options);
    return status;
}
