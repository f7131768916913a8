/* A file of access keys for tests, below /tmp. */
#ifndef TOQUE_TESTS_KEY_FILE_H
#define TOQUE_TESTS_KEY_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/base.h"

#define KEY_FILE_TEMPLATE "/tmp/toque-keys-XXXXXX"

/* Writes a new file of mode 0600; `path` holds KEY_FILE_TEMPLATE before and its name afterwards. */
static inline void key_file_make(char *path, const char *text)
{
    int fd = mkstemp(path);

    assert(fd >= 0);
    assert(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static inline void key_file_write(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert(f);
    fputs(text, f);
    fclose(f);
}

#endif
