/* Files of secrets: only their owner, who is us or root, may read or change them. */
#ifndef TOQUE_SECRET_FILE_H
#define TOQUE_SECRET_FILE_H

#include "common/base/buf.h"
#include "common/base/err.h"

enum {
    SECRET_FILE_FAULT = 870, /* the one code of a struct fault from here */
};

/* Opens it for reading; the caller closes the descriptor. E_FAULT: f->text names the file. */
int secret_file_open(const char *path, int *ret_fd, struct fault *f) MUST_CHECK;
/* A shared key: the file's text without blanks around it, size_min to size_max bytes. */
int secret_file_read(const char *path, size_t size_min, size_t size_max, struct buf *ret,
                     struct fault *f) MUST_CHECK;

#endif
