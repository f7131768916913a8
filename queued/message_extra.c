#include "queued/message_extra.h"

/* Texts of a message row by their tags. */
static const struct {
    u8 tag;
    size_t at;
} extras[] = {
    {1, offsetof(struct message_row, origin)},
    {2, offsetof(struct message_row, identity)},
    {3, offsetof(struct message_row, group_id)},
    {4, offsetof(struct message_row, source)},
};
#define TAG_RECEIVES_BEFORE 5 /* u32, little-endian */
#define TAG_END             32

static str *extra_text(struct message_row *m, size_t i)
{
    return (str *)(void *)((char *)m + extras[i].at);
}

static u32 extra_number(str text)
{
    u32 number = 0;
    for (size_t i = text.n; i-- > 0;)
        number = number << 8 | (u8)text.p[i];
    return number;
}

static void write_text(struct buf *out, u8 tag, str text)
{
    assert(text.n <= MESSAGE_TEXT_MAX);
    buf_char(out, (char)tag);
    buf_char(out, (char)(text.n & 0xff));
    buf_char(out, (char)(text.n >> 8));
    buf_str(out, text);
}

static void write_number(struct buf *out, u8 tag, u32 number)
{
    char bytes[sizeof number];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(number >> 8 * i);
    write_text(out, tag, str_from(bytes, sizeof bytes));
}

void message_extra_read(str stored, struct message_row *m)
{
    if (stored.n == 0 || (u8)stored.p[0] >= TAG_END) {
        m->origin = stored;
        return;
    }
    while (stored.n >= 3) {
        u8 tag = (u8)stored.p[0];
        size_t n = (u8)stored.p[1] | (size_t)(u8)stored.p[2] << 8;
        if (stored.n < 3 + n)
            return;
        str text = str_slice(stored, 3, 3 + n);
        for (size_t i = 0; i < ARRAY_LEN(extras); i++)
            if (extras[i].tag == tag)
                *extra_text(m, i) = text;
        if (tag == TAG_RECEIVES_BEFORE && n == sizeof m->receives_before)
            m->receives_before = extra_number(text);
        stored = str_slice(stored, 3 + n, stored.n);
    }
}

str message_extra_write(const struct message_row *row, struct buf *out)
{
    struct message_row m = *row;
    if (LIKELY(!(m.identity.n | m.group_id.n | m.source.n | m.receives_before)) &&
        (m.origin.n == 0 || (u8)m.origin.p[0] >= TAG_END))
        return m.origin;
    buf_reset(out);
    for (size_t i = 0; i < ARRAY_LEN(extras); i++) {
        str text = *extra_text(&m, i);
        if (text.n)
            write_text(out, extras[i].tag, text);
    }
    if (m.receives_before)
        write_number(out, TAG_RECEIVES_BEFORE, m.receives_before);
    return buf_view(out);
}
