/* Recorded messages: files, standard input or messages given as arguments, streamed one by one. */
#ifndef TOQUE_FILTER_CTL_CORPUS_H
#define TOQUE_FILTER_CTL_CORPUS_H

#include "filter/ctl/ctl.h"
#include "filter/ctl/message.h"

/* Where the message at hand comes from. */
struct corpus {
    struct ctl *c;
    const char *file;
    u64 line;       /* its first one */
    u64 messages;   /* so far, this one included */
    u64 unreadable; /* lines */
};

typedef void corpus_fn(void *ctx, const struct corpus *at, const struct filter_message *msg,
                       str shown);
/* A line that holds no message; it was complained about already. */
typedef void corpus_bad_fn(void *ctx, const struct corpus *at, const char *why);

/* All messages of all files (none: standard input) to fn. False: something could not be read, and
 * it was complained about. `bad` may be NULL. */
bool corpus_read(struct ctl *c, const struct ctl_list *files, corpus_fn *fn, corpus_bad_fn *bad,
                 void *ctx);
/* Appends a message as one line. */
void corpus_show(struct buf *out, str shown);

#endif
