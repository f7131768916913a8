/* Any bytes as a resource name: what is read is written back the same, and a good name has the
 * characters and the length that the service allows. */
#include "common/aws/arn.h"
#include "common/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = mem_grow(NULL, size); /* no NUL behind it: reading on is seen */
    if (size)
        memcpy(copy, data, size);
    str text = {copy, size};
    struct arn a;
    if (arn_read(text, &a) == 0) {
        struct buf again = {0};
        assert(arn_parts(text) >= ARN_PARTS_MIN);
        arn_write(&again, &a);
        assert(str_eq(buf_view(&again), text));
        buf_deinit(&again);
        if (arn_is_queue_name(a.resource))
            assert(arn_is_topic_name(a.resource) && str_find(a.resource, ':') < 0);
    }
    if (arn_is_queue_name(text))
        assert(size >= 1 && size <= ARN_QUEUE_NAME_MAX && str_is_utf8(text));
    if (arn_is_topic_name(text))
        assert(size >= 1 && size <= ARN_TOPIC_NAME_MAX && str_find(text, '/') < 0);
    mem_free(copy);
    return 0;
}
