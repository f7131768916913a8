/* A daemon's main program, from the command line to the exit status. */
#ifndef TOQUE_SERVER_MAIN_H
#define TOQUE_SERVER_MAIN_H

#include "common/aws/server.h"

struct server_program {
    const struct conf_table *table;
    struct server_options *options; /* the struct that the table fills begins with them */
    /* Checks across options, server_options_check included. */
    int (*check)(const struct server_options *o, struct fault *f);
    /* The daemon, whose struct begins with its server; nothing is left open on failure. */
    int (*open)(struct server **ret, const struct server_options *o, const struct environment *env,
                struct daemon *signals, struct fault *f);
    void (*close)(struct server *s);
    char *const *link_url; /* the option of the address at which it listens; NULL: it does not */
};

/* Exit status of a daemon that was replaced: another process has taken its store. */
#define SERVER_EXIT_FENCED 3

/* Options, log, limits, store, endpoints, run; then everything is undone in reverse. */
int server_main(const struct server_program *p, int argc, char **argv);

#endif
