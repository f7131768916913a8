/* Any bytes as a file of access keys: read or refused with the file's name. */
#include <unistd.h>

#include "common/aws/keys.h"
#include "common/base/json.h"
#include "tests/key_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[] = KEY_FILE_TEMPLATE;

static void remove_file(void)
{
    unlink(path);
}

static void write_file(const uint8_t *data, size_t size)
{
    static FILE *file;

    if (!file) {
        json_setup();
        key_file_make(path, "");
        atexit(remove_file);
        file = fopen(path, "w");
        assert(file);
    }
    rewind(file);
    assert(ftruncate(fileno(file), 0) == 0);
    assert(fwrite(data, 1, size, file) == size);
    assert(fflush(file) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fault f;
    struct keys *k = NULL;

    write_file(data, size);
    fault_clear(&f);
    int err = keys_open(&k, path, &f);

    assert((err == 0) == (k != NULL) && (err == 0) == (f.code == 0));
    assert(err == 0 || strstr(f.text, path));
    if (!err)
        assert(keys_reload(k, &f) == 0);
    keys_free(k);
    return 0;
}
