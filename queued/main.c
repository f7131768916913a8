#include "common/aws/server_main.h"
#include "queued/queued.h"

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

int main(int argc, char **argv)
{
    static struct queued_options options;
    static const struct server_program program = {.table = &QUEUED_OPTIONS,
                                                  .options = &options.server,
                                                  .check = server_options_check,
                                                  .open = open_queued,
                                                  .close = close_queued,
                                                  .link_url = &options.link_url};

    return server_main(&program, argc, argv);
}
