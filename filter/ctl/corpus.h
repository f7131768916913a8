/* Recorded messages from files, standard input or arguments, streamed one by one. */
#ifndef TOQUE_FILTER_CTL_CORPUS_H
#define TOQUE_FILTER_CTL_CORPUS_H

#include "filter/ctl/ctl.h"
#include "filter/ctl/message.h"

/* Where the current message comes from. */
struct corpus {
    struct ctl *c;
    const char *file;
    u64 line;       /* the first line of the message */
    u64 messages;   /* so far, including this one */
    u64 unreadable; /* lines */
};

typedef void corpus_fn(void *ctx, const struct corpus *at, const struct filter_message *msg,
                       str shown);
/* A line that holds no message; already reported. */
typedef void corpus_bad_fn(void *ctx, const struct corpus *at, const char *why);

/* Passes all messages of all files (none: standard input) to fn. False: something could not be
 * read, which was reported. `bad` may be NULL. */
bool corpus_read(struct ctl *c, const struct ctl_list *files, corpus_fn *fn, corpus_bad_fn *bad,
                 void *ctx);
/* Appends a message as one line. */
void corpus_show(struct buf *out, str shown);

#endif
