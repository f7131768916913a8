#include "common/aws/server_main.h"

#include <stdlib.h>

#include "common/aws/server_sandbox.h"
#include "common/base/json.h"
#include "common/base/log.h"

static int process_prepare(const struct server_program *p, struct daemon *d, struct fault *f)
{
    const struct server_options *o = p->options;
    int err = daemon_open(d, f);

    if (!err)
        err = daemon_make_dir(o->data_dir, 0700, f);
    if (!err && o->pid_file[0])
        err = daemon_write_pid(d, o->pid_file, f);
    if (err)
        return err;
    daemon_raise_files((u64)o->open_files);
    server_sandbox_enter(o, p->link_url ? *p->link_url : "");
    return 0;
}

/* Exit status. */
static int program_run(const struct server_program *p, bool check_only)
{
    struct daemon daemon = {.signal_fd = -1, .pid_fd = -1};
    struct server *s = NULL;
    struct fault f = {0};
    bool fenced = false;
    int err = p->check(p->options, &f);

    if (!err && !check_only)
        err = process_prepare(p, &daemon, &f);
    if (!err && !check_only)
        err = p->open(&s, p->options, &ENVIRONMENT_SYSTEM, &daemon, &f);
    if (err)
        log_error("%s", f.text);
    if (s) {
        server_run(s);
        fenced = s->fenced;
        p->close(s);
        log_info("stopped");
    }
    daemon_close(&daemon);
    return err ? EXIT_FAILURE : fenced ? SERVER_EXIT_FENCED : EXIT_SUCCESS;
}

int server_main(const struct server_program *p, int argc, char **argv)
{
    bool check_only;
    int status;

    json_setup();
    conf_init(p->table, p->options);
    if (conf_start(p->table, p->options, argc, argv, &check_only, &status)) {
        log_open(p->table->program, (enum log_level)p->options->log_level);
        status = program_run(p, check_only);
    }
    conf_deinit(p->table, p->options);
    return status;
}
