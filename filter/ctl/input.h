/* Files: whole ones, and corpora line by line. "-" is standard input. */
#ifndef TOQUE_FILTER_CTL_INPUT_H
#define TOQUE_FILTER_CTL_INPUT_H

#include "common/base/buf.h"
#include "common/base/err.h"

#define INPUT_FILE_MAX ((size_t)64 * 1024 * 1024) /* of a file that is read whole */
#define INPUT_LINE_MAX                                                                             \
    ((size_t)64 * 1024 *                                                                           \
     1024) /* of a line, or of a message on several lines                      \
                                */

/* Appends the whole file. E_IO (errno says why) or E_TOO_LARGE. */
int input_file(struct buf *out, str path) MUST_CHECK;

/* A corpus. Lines are handed out where they lie in one big block. */
struct input {
    int fd;
    bool owns_fd, at_end, has_begun;
    char *name; /* for complaints */
    char *block;
    size_t cap, at, n; /* [at, n) is not handed out yet */
    u64 line;          /* number of the last one handed out, from 1; of a document its first */
    u64 next_line;
};

/* E_IO: errno says why. */
int input_open(struct input *in, str path) MUST_CHECK;
/* A corpus that is this text already. */
void input_open_text(struct input *in, str text, const char *name);
void input_close(struct input *in);
/* The next line without its end, valid until the next call. E_OK, E_NOT_FOUND at the end, E_IO, or
 * E_TOO_LARGE: this one is passed over, the next is there. */
int input_line(struct input *in, str *ret) MUST_CHECK;
/* The same, but a JSON text that somebody's tool spread over several lines comes as one. */
int input_document(struct input *in, str *ret) MUST_CHECK;

#endif
