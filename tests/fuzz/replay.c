/* Runs a fuzz target over files instead of a fuzzer: every file below the folders named. This is
 * how the seed corpus is part of the tests, and how a found input is looked at. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/base/buf.h"
#include "common/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t replay(const char *path);

static size_t replay_folder(const char *path, DIR *folder)
{
    size_t n = 0;
    struct dirent *entry;
    while ((entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        char *inner = mem_printf("%s/%s", path, entry->d_name);
        n += replay(inner);
        mem_free(inner);
    }
    closedir(folder);
    return n;
}

static size_t replay(const char *path)
{
    DIR *folder = opendir(path);
    if (folder)
        return replay_folder(path, folder);
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        exit(2);
    }
    struct buf data = {0};
    size_t got;
    while ((got = fread(buf_room(&data, 65536), 1, 65536, f)) > 0)
        data.n += got;
    fclose(f);
    /* A block of its own size, so that a read past the end is seen by the sanitizers. */
    uint8_t *exact = mem_alloc(data.n ? data.n : 1);
    if (data.n)
        memcpy(exact, data.p, data.n);
    LLVMFuzzerTestOneInput(exact, data.n);
    mem_free(exact);
    buf_deinit(&data);
    return 1;
}

int main(int argc, char **argv)
{
    size_t n = 0;
    for (int i = 1; i < argc; i++)
        n += replay(argv[i]);
    printf("%zu inputs\n", n);
    return n ? 0 : 1;
}
