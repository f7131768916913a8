#include "filter/ctl/corpus.h"

#include <errno.h>
#include <unistd.h>

#include "filter/ctl/input.h"

struct reading {
    struct corpus at;
    struct message_reader reader;
    struct ctl_progress progress;
    corpus_fn *fn;
    corpus_bad_fn *bad;
    void *ctx;
};

static void line_take(void *ctx, const struct filter_message *msg, str shown)
{
    struct reading *r = ctx;

    r->at.messages++;
    ctl_progress_step(r->at.c, &r->progress);
    r->fn(r->ctx, &r->at, msg, shown);
}

static void line_refuse(struct reading *r, const char *why, u64 line, u32 column)
{
    r->at.unreadable++;
    ctl_complain(r->at.c, "%s:%llu:%u: %s", r->at.file, (unsigned long long)line, column, why);
    if (r->bad)
        r->bad(r->ctx, &r->at, why);
}

static void line_read(struct reading *r, struct input *in, str text)
{
    r->at.line = in->line;
    if (message_read(&r->reader, text) == 0)
        return;
    u32 line, column;
    scan_place(text, r->reader.at, &line, &column);
    line_refuse(r, r->reader.why, in->line + line - 1, column);
}

static bool corpus_read_input(struct reading *r, struct input *in)
{
    str text;
    bool as_body = r->at.c->as_body;

    r->at.file = in->name;
    while (!r->at.c->is_answered) {
        int err = as_body ? input_line(in, &text) : input_document(in, &text);
        if (err == 0) {
            line_read(r, in, text);
        } else if (err == E_TOO_LARGE) {
            r->at.line = in->line;
            line_refuse(r, "line too long", in->line, 1);
        } else if (err == E_IO) {
            ctl_complain(r->at.c, "%s: %s", in->name, strerror(errno));
            return false;
        } else {
            return true;
        }
    }
    return true;
}

static bool read_file(struct reading *r, str path)
{
    struct input in;
    char *z = mem_dup(path);
    bool is_text = path.n && (path.p[0] == '{' || path.p[0] == '[') && access(z, F_OK) != 0;

    mem_free(z);
    if (is_text) {
        input_open_text(&in, path, "argument");
    } else if (input_open(&in, path) != 0) {
        ctl_complain(r->at.c, "%.*s: %s", STR_ARG(path), strerror(errno));
        return false;
    }
    bool is_good = corpus_read_input(r, &in);
    input_close(&in);
    return is_good;
}

bool corpus_read(struct ctl *c, const struct ctl_list *files, corpus_fn *fn, corpus_bad_fn *bad,
                 void *ctx)
{
    struct reading r = {.at = {.c = c}, .fn = fn, .bad = bad, .ctx = ctx};
    bool is_good = true;

    message_reader_init(&r.reader, c->as_body, line_take, &r);
    for (size_t i = 0; i < files->n && !c->is_answered; i++)
        is_good &= read_file(&r, files->items[i]);
    if (!files->n)
        is_good = read_file(&r, STR("-"));
    ctl_progress_end(c, &r.progress);
    if (r.reader.guessed && !c->as_body)
        ctl_note(c,
                 "%llu of %llu messages had no known format and were taken as bodies "
                 "without attributes (use --body to state this)",
                 (unsigned long long)r.reader.guessed, (unsigned long long)r.at.messages);
    message_reader_deinit(&r.reader);
    return is_good && !r.at.unreadable;
}

void corpus_show(struct buf *out, str shown)
{
    bool in_string = false;

    if (!memchr(shown.p, '\n', shown.n)) {
        buf_str(out, shown);
        return;
    }
    for (size_t i = 0; i < shown.n; i++) {
        char c = shown.p[i];
        bool is_blank = c == ' ' || c == '\n' || c == '\r' || c == '\t';
        if (!is_blank || in_string)
            buf_char(out, c);
        if (in_string && c == '\\' && i + 1 < shown.n)
            buf_char(out, shown.p[++i]);
        else if (c == '"')
            in_string = !in_string;
    }
}
