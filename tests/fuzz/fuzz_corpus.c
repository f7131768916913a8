/* Any bytes as a corpus file: documents come out in order, each inside the text, and together they
 * are the text; lines likewise. */
#include "filter/ctl/input.h"

#include "common/base/mem.h"
#include "filter/ctl/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(void *ctx, const struct filter_message *msg, str shown)
{
    u64 *bytes = ctx;
    *bytes += msg->body.n + shown.n;
}

static size_t newlines(str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == '\n';
    return n;
}

static void read_all(str text, bool as_documents)
{
    str mark = STR("\xef\xbb\xbf"), marked = text;
    struct input in;
    struct message_reader r;
    str part;
    u64 bytes = 0, line = 0;
    int err;
    message_reader_init(&r, false, take, &bytes);
    input_open_text(&in, marked, "corpus");
    if (str_starts(text, mark))
        text = str_slice(text, mark.n, text.n);
    while ((err = as_documents ? input_document(&in, &part) : input_line(&in, &part)) == 0) {
        assert(in.line > line && in.next_line > in.line);
        assert(as_documents || newlines(part) == 0);
        line = in.line;
        if (as_documents && message_read(&r, part) != 0)
            assert(r.at <= part.n);
    }
    assert(err == E_NOT_FOUND && in.at == in.n);
    assert(in.next_line - 1 == newlines(text) + (text.n && text.p[text.n - 1] != '\n'));
    input_close(&in);
    message_reader_deinit(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_all(str_from(data, size), false);
    read_all(str_from(data, size), true);
    return 0;
}
