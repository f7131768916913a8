/* Whole files, and corpora line by line. "-" is standard input. */
#ifndef TOQUE_FILTER_CTL_INPUT_H
#define TOQUE_FILTER_CTL_INPUT_H

#include "common/base/buf.h"
#include "common/base/err.h"

#define INPUT_FILE_MAX ((size_t)64 * 1024 * 1024) /* of a file that is read as a whole */
#define INPUT_LINE_MAX                                                                             \
    ((size_t)64 * 1024 *                                                                           \
     1024) /* of a line, or of a message on several lines                      \
                                */

/* Appends the whole file. E_IO (errno is set) or E_TOO_LARGE. */
int input_file(struct buf *out, str path) MUST_CHECK;

/* A corpus. Lines are returned in place, within one large block. */
struct input {
    int fd;
    bool owns_fd, at_end, has_begun;
    char *name; /* for diagnostics */
    char *block;
    size_t cap, at, n; /* [at, n) has not been returned yet */
    u64 line;          /* number of the last line returned, from 1; of a document its first */
    u64 next_line;
};

/* E_IO: errno is set. */
int input_open(struct input *in, str path) MUST_CHECK;
/* A corpus held in memory. */
void input_open_text(struct input *in, str text, const char *name);
void input_close(struct input *in);
/* The next line without its end, valid until the next call. E_OK, E_NOT_FOUND at the end, E_IO, or
 * E_TOO_LARGE: this line is skipped, the next one can be read. */
int input_line(struct input *in, str *ret) MUST_CHECK;
/* The same, but a JSON text that was spread over several lines is returned as one. */
int input_document(struct input *in, str *ret) MUST_CHECK;

#endif
