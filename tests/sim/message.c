#include "tests/sim/message.h"

#include "common/base/scan.h"

#define MARK "toque-mark-"

static const char *const colors[] = {"red", "green", "blue"};

static bool takes_all(const struct mark *m)
{
    return true;
}

static bool takes_red(const struct mark *m)
{
    return m->color == 0;
}

static bool takes_not_blue(const struct mark *m)
{
    return m->color != 2;
}

static bool takes_large(const struct mark *m)
{
    return m->size >= 5;
}

static bool takes_small_green(const struct mark *m)
{
    return m->color == 1 && m->size < 5;
}

const struct message_policy MESSAGE_POLICIES[] = {
    {NULL, false, takes_all},
    {"{\"color\":[\"red\"]}", false, takes_red},
    {"{\"color\":[{\"anything-but\":[\"blue\"]}]}", false, takes_not_blue},
    {"{\"size\":[{\"numeric\":[\">=\",5]}]}", false, takes_large},
    {"{\"color\":[\"green\"],\"size\":[{\"numeric\":[\"<\",5]}]}", false, takes_small_green},
    {"{\"color\":[\"red\"]}", true, takes_red},
    {"{\"size\":[{\"numeric\":[\">=\",5]}],\"color\":[{\"exists\":true}]}", true, takes_large},
};
const u32 MESSAGE_POLICY_COUNT = ARRAY_LEN(MESSAGE_POLICIES);

/* --- out -------------------------------------------------------------------------------------- */

/* Bytes of filling: most messages are small, some fill pages, few fill frames. */
static size_t fill_size(u64 number)
{
    u64 h = number * 0x9E3779B97F4A7C15u >> 40;

    if (h % 1000 == 0)
        return 60000;
    return h % 30 == 0 ? h % 7000 : h % 100;
}

void message_put_body(const struct mark *m, struct buf *out)
{
    size_t n = fill_size(m->number);

    buf_printf(out, "{\"mark\":\"" MARK "%010" PRIu64 "\",\"color\":\"%s\",\"size\":%u,\"fill\":\"",
               m->number, colors[m->color], m->size);
    for (size_t i = 0; i < n; i++)
        buf_char(out, (char)('a' + (m->number + i) % 26));
    buf_z(out, "\"}");
}

void message_put_attributes(const struct mark *m, struct buf *out)
{
    buf_printf(out,
               "\"color\":{\"DataType\":\"String\",\"StringValue\":\"%s\"},"
               "\"size\":{\"DataType\":\"Number\",\"StringValue\":\"%u\"}",
               colors[m->color], m->size);
}

void message_quote(struct buf *out, str text)
{
    scan_quote(out, text);
}

/* --- back ------------------------------------------------------------------------------------- */

u64 message_marked(str body)
{
    const char *at = memmem(body.p, body.n, MARK, sizeof(MARK) - 1);
    size_t left = at ? body.n - (size_t)(at - body.p) : 0;
    u64 number = 0;

    for (size_t i = sizeof(MARK) - 1; i < left && at[i] >= '0' && at[i] <= '9'; i++)
        number = number * 10 + (u64)(at[i] - '0');
    return number;
}

bool message_is_whole(const struct mark *m, str body, bool wrapped)
{
    struct buf want = {0}, member = {0};
    bool whole;

    message_put_body(m, &want);
    if (wrapped) {
        buf_z(&member, "\n  \"Message\" : ");
        message_quote(&member, buf_view(&want));
        buf_char(&member, ',');
        whole = memmem(body.p, body.n, member.p, member.n) != NULL;
    } else {
        whole = str_eq(body, buf_view(&want));
    }
    buf_deinit(&want);
    buf_deinit(&member);
    return whole;
}
