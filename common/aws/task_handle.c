#include "common/aws/task_handle.h"

#include "common/aws/arn.h"
#include "common/base/err.h"
#include "common/base/hash.h"
#include "common/base/id.h"
#include "common/base/scan.h"

str task_handle_write(struct arena *a, str id, str source_arn)
{
    str text = arena_printf(a, "{\"taskId\":\"%.*s\",\"sourceArn\":\"%.*s\"}", STR_ARG(id),
                            STR_ARG(source_arn));
    struct buf out = {0};

    hash_base64(&out, text);
    str handle = arena_dup(a, buf_view(&out));

    buf_deinit(&out);
    return handle;
}

/* The texts of a flat JSON object. */
static int read_members(struct arena *a, str json, str *ret_id, str *ret_arn)
{
    struct scan s;
    struct scan_text text;
    enum scan_token token;
    str name = STR_NONE;

    scan_init(&s, json);
    while ((token = scan_next(&s, &text)) != SCAN_END) {
        if (token == SCAN_ERROR)
            return E_INVALID;
        if (token == SCAN_NAME)
            name = scan_decode(&text, a);
        else if (token == SCAN_STRING && str_is(name, "taskId"))
            *ret_id = scan_decode(&text, a);
        else if (token == SCAN_STRING && str_is(name, "sourceArn"))
            *ret_arn = scan_decode(&text, a);
    }
    return 0;
}

int task_handle_read(struct arena *a, str handle, str *ret_id, str *ret_source_arn)
{
    struct buf json = {0};
    struct arn arn;
    u8 uuid[16];
    str id = STR(""), source = STR("");
    int err = hash_unbase64(handle, &json);

    if (!err)
        err = read_members(a, arena_dup(a, buf_view(&json)), &id, &source);
    buf_deinit(&json);
    if (err || id_uuid_read(id, uuid) || arn_read(source, &arn))
        return E_INVALID;
    *ret_id = id;
    *ret_source_arn = source;
    return 0;
}
