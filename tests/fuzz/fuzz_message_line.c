/* Any bytes as a line of a corpus: messages are handed out or the line is refused, with a place
 * inside it; everything handed out can be read, matched and shown. */
#include "filter/ctl/corpus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static u64 seen;

static void touch(str s)
{
    for (size_t i = 0; i < s.n; i++)
        seen += (u8)s.p[i];
}

static void take(void *ctx, const struct filter_message *msg, str shown)
{
    struct buf line = {0};
    (void)ctx;
    for (size_t i = 0; i < msg->attr_count; i++) {
        touch(msg->attrs[i].name);
        touch(msg->attrs[i].type);
        touch(msg->attrs[i].value);
    }
    touch(msg->body);
    corpus_show(&line, shown);
    assert(line.n <= shown.n);
    ctl_show(&line, shown, 100);
    assert(str_is_utf8(buf_view(&line)) || !str_is_utf8(shown));
    buf_deinit(&line);
}

static void read_line(str line, bool as_body)
{
    struct message_reader r;
    message_reader_init(&r, as_body, take, NULL);
    if (message_read(&r, line) != 0)
        assert(r.why && r.at <= line.n && !as_body);
    message_reader_deinit(&r);
}

static void read_map(str json)
{
    struct message_reader r;
    struct filter_message msg = {0};
    message_reader_init(&r, false, take, NULL);
    if (message_read_attributes(&r, json, &msg) == 0)
        take(NULL, &msg, STR(""));
    message_reader_deinit(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = mem_grow(NULL, size ? size : 1); /* no NUL behind it: reading on is seen */
    if (size)
        memcpy(copy, data, size);
    read_line(str_from(copy, size), false);
    read_line(str_from(copy, size), true);
    read_map(str_from(copy, size));
    mem_free(copy);
    return 0;
}
