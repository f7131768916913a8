/* The start checklist of queued, and its undoing in reverse. */
#include "common/io/daemon.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "queued/queued.h"

static int prepare(const struct queued_options *o, struct daemon *d, struct fault *f)
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

static int run(const struct queued_options *o)
{
    struct daemon daemon = {.signal_fd = -1, .pid_fd = -1};
    struct queued *d = NULL;
    struct fault f;
    fault_clear(&f);
    int err = prepare(o, &daemon, &f);
    if (!err)
        err = queued_open(&d, o, &ENVIRONMENT_SYSTEM, &daemon, &f);
    if (err)
        log_error("%s", f.text);
    else
        queued_run(d);
    queued_close(d);
    daemon_close(&daemon);
    if (!err)
        log_info("stopped");
    return err ? 1 : 0;
}

int main(int argc, char **argv)
{
    static struct queued_options options;
    bool check;
    int status;
    json_setup();
    conf_init(&QUEUED_OPTIONS, &options);
    if (conf_start(&QUEUED_OPTIONS, &options, argc, argv, &check, &status)) {
        log_open("queued", (enum log_level)options.log_level);
        status = check ? 0 : run(&options);
    }
    conf_deinit(&QUEUED_OPTIONS, &options);
    return status;
}
