#include "common/aws/server_sandbox.h"

#include <string.h>

#include "common/base/log.h"
#include "common/base/str.h"
#include "common/io/sandbox.h"

/* What libc reads of the system: names of hosts, time zones, libraries that it loads for these, and
 * what it asks about processors and memory. */
static const char *const system_places[] = {"/etc",
                                            "/usr",
                                            "/lib",
                                            "/lib64",
                                            "/run/systemd/resolve",
                                            "/run/resolvconf",
                                            "/proc",
                                            "/sys/devices/system"};
static const char *const devices[] = {"/dev/null", "/dev/urandom", "/dev/random"};

static void allow_socket(struct sandbox *s, const char *url)
{
    static const str local = STR_INIT("ipc://");

    if (str_starts(str_of(url), local))
        url += local.n;
    else if (strstr(url, "://"))
        return;
    if (url[0])
        sandbox_allow_around(s, url, SANDBOX_NAMES);
}

static void allow_file(struct sandbox *s, const char *path)
{
    if (path[0])
        sandbox_allow_around(s, path, SANDBOX_READ);
}

static void allow_options(struct sandbox *s, const struct server_options *o, const char *link_url)
{
    sandbox_allow(s, o->data_dir, SANDBOX_WRITE);
    allow_socket(s, o->unix_socket);
    allow_socket(s, o->ipc_url);
    allow_socket(s, link_url);
    allow_socket(s, o->pid_file); /* it is open, and removed at the end */
    allow_file(s, o->keys);
    allow_file(s, o->topology);
    allow_file(s, o->link_key);
    allow_file(s, o->tls_certificate);
    allow_file(s, o->tls_key);
}

static void tell_missing(unsigned missing)
{
    if (missing & SANDBOX_NO_FILES)
        log_warning("the sandbox does not limit access to files: this kernel has no Landlock");
    if (missing & SANDBOX_NO_CALLS)
        log_warning("the sandbox does not limit system calls: this kernel has no seccomp filters");
}

void server_sandbox_enter(const struct server_options *o, const char *link_url)
{
    struct sandbox s;

    if (!o->core_dumps)
        sandbox_forbid_dumps();
    if (o->sandbox == SERVER_SANDBOX_OFF)
        return;
    sandbox_init(&s, o->sandbox == SERVER_SANDBOX_EXEC);
    for (size_t i = 0; i < ARRAY_LEN(system_places); i++)
        sandbox_allow(&s, system_places[i], SANDBOX_READ);
    for (size_t i = 0; i < ARRAY_LEN(devices); i++)
        sandbox_allow(&s, devices[i], SANDBOX_WRITE);
    allow_options(&s, o, link_url);
    tell_missing(sandbox_enter(&s));
}
