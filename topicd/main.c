#include "common/aws/server_main.h"
#include "topicd/topicd.h"

static const struct topicd_options *options_of(const struct server_options *o)
{
    return container_of(o, struct topicd_options, server);
}

static int check_options(const struct server_options *o, struct fault *f)
{
    return topicd_options_check(options_of(o), f);
}

static int open_topicd(struct server **ret, const struct server_options *o,
                       const struct environment *env, struct daemon *signals, struct fault *f)
{
    struct topicd *t;
    int err = topicd_open(&t, options_of(o), env, signals, f);

    if (!err)
        *ret = &t->server;
    return err;
}

static void close_topicd(struct server *s)
{
    topicd_close(topicd_of(s));
}

int main(int argc, char **argv)
{
    static struct topicd_options options;
    static const struct server_program program = {.table = &TOPICD_OPTIONS,
                                                  .options = &options.server,
                                                  .check = check_options,
                                                  .open = open_topicd,
                                                  .close = close_topicd};

    return server_main(&program, argc, argv);
}
