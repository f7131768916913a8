/* Any text as a RedrivePolicy and a RedriveAllowPolicy: it is refused with a fault, or its normal
 * form is taken again and says the same. */
#include "common/base/json.h"
#include "common/aws/redrive_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_allow(str text)
{
    struct buf normal = {0}, again = {0};
    struct fault f;

    fault_clear(&f);
    if (redrive_allow_read(text, &normal, &f) == 0) {
        int err = redrive_allow_read(buf_view(&normal), &again, &f);
        assert(!err && str_eq(buf_view(&normal), buf_view(&again)));
        buf_char(&normal, '\0');
        redrive_allow_permits(normal.p, STR("arn:aws:sqs:us-east-1:000000000000:q"));
    } else {
        assert(f.code);
    }
    buf_deinit(&normal);
    buf_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    struct redrive_policy policy = {0};
    struct buf normal = {0};
    struct fault f;
    str text = str_from(data, size);

    if (!ready)
        json_setup();
    ready = true;
    fault_clear(&f);
    if (redrive_policy_read(text, &policy, &normal, &f) == 0)
        assert(policy.receives_max >= 1 && policy.receives_max <= REDRIVE_RECEIVES_MAX &&
               redrive_policy_same(text, buf_view(&normal)));
    else
        assert(f.code);
    redrive_policy_deinit(&policy);
    buf_deinit(&normal);
    read_allow(text);
    return 0;
}
