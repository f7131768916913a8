/* Any text as a TaskHandle: it is refused, or what it names is written and read back the same. */
#include "common/aws/task_handle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    str id, arn, id_again, arn_again;

    arena_init(&a);
    if (task_handle_read(&a, str_from(data, size), &id, &arn) == 0 && str_find(arn, '"') < 0 &&
        str_find(arn, '\\') < 0) {
        int err = task_handle_read(&a, task_handle_write(&a, id, arn), &id_again, &arn_again);

        assert(err || (str_eq(id, id_again) && str_eq(arn, arn_again)));
    }
    arena_deinit(&a);
    return 0;
}
