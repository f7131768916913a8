/* Reads large blocks and finds lines in them, so that a line costs one memchr and no copy. A line
 * cut by the end of the block moves to its start, and the rest is read after it. */
#include "filter/ctl/input.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/base/mem.h"

#define BLOCK_SIZE ((size_t)1 << 20)

static int open_path(str path, bool *ret_owns)
{
    *ret_owns = !str_is(path, "-");
    if (!*ret_owns)
        return STDIN_FILENO;
    char *z = mem_dup(path);
    int fd = open(z, O_RDONLY | O_CLOEXEC);
    mem_free(z);
    return fd;
}

static ssize_t read_some(int fd, char *to, size_t room)
{
    ssize_t n;

    do
        n = read(fd, to, room);
    while (n < 0 && errno == EINTR);
    return n;
}

int input_file(struct buf *out, str path)
{
    bool owns;
    int fd = open_path(path, &owns), err = 0;

    if (fd < 0)
        return E_IO;
    for (size_t size = 0;;) {
        ssize_t n = read_some(fd, buf_room(out, BLOCK_SIZE), BLOCK_SIZE);
        if (n <= 0) {
            err = n < 0 ? E_IO : 0;
            break;
        }
        out->n += (size_t)n;
        if ((size += (size_t)n) > INPUT_FILE_MAX) {
            err = E_TOO_LARGE;
            break;
        }
    }
    buf_room(out, 1)[0] = 0;
    int saved = errno;
    if (owns)
        close(fd);
    errno = saved;
    return err;
}

int input_open(struct input *in, str path)
{
    *in = (struct input){.next_line = 1};
    in->fd = open_path(path, &in->owns_fd);
    if (in->fd < 0)
        return E_IO;
    in->name = mem_dup(in->owns_fd ? path : STR("standard input"));
    in->block = mem_grow(NULL, BLOCK_SIZE);
    in->cap = BLOCK_SIZE;
    return 0;
}

void input_open_text(struct input *in, str text, const char *name)
{
    *in = (struct input){.fd = -1, .next_line = 1, .at_end = true, .n = text.n, .cap = text.n};
    in->name = mem_dup(str_of(name));
    in->block = mem_dup(text);
}

void input_close(struct input *in)
{
    if (in->owns_fd)
        close(in->fd);
    mem_free(in->name);
    mem_free(in->block);
}

/* Reads more after the present data, discarding what lies before in->at. 0, E_IO, or
 * E_TOO_LARGE. */
static int input_fill(struct input *in)
{
    if (in->at) {
        memmove(in->block, in->block + in->at, in->n - in->at);
        in->n -= in->at;
        in->at = 0;
    }
    if (in->n == in->cap) {
        if (in->cap >= INPUT_LINE_MAX)
            return E_TOO_LARGE;
        in->cap *= 2;
        in->block = mem_grow(in->block, in->cap);
    }
    ssize_t n = read_some(in->fd, in->block + in->n, in->cap - in->n);
    if (n < 0)
        return E_IO;
    in->at_end = n == 0;
    in->n += (size_t)n;
    return 0;
}

/* The end of the line that begins `from` bytes after in->at: *ret_n bytes after it. */
static int find_end(struct input *in, size_t from, size_t *ret_n)
{
    size_t seen = from;

    for (;;) {
        const char *p = in->block + in->at + seen;
        const char *end = memchr(p, '\n', in->n - in->at - seen);
        if (end) {
            *ret_n = (size_t)(end - in->block) - in->at;
            return 0;
        }
        seen = in->n - in->at;
        if (in->at_end) {
            *ret_n = seen;
            return seen > from ? 0 : E_NOT_FOUND;
        }
        int err = input_fill(in);
        if (err)
            return err;
    }
}

/* Discards bytes up to the end of the line. */
static int pass_over(struct input *in)
{
    for (;;) {
        const char *end = memchr(in->block + in->at, '\n', in->n - in->at);
        if (end) {
            in->at = (size_t)(end - in->block) + 1;
            in->next_line++;
            return E_TOO_LARGE;
        }
        in->at = in->n;
        if (in->at_end)
            return E_TOO_LARGE;
        int err = input_fill(in);
        if (err)
            return err;
    }
}

static void line_hand_out(struct input *in, size_t n, str *ret)
{
    *ret = str_from(in->block + in->at, n);
    in->at += MIN(n + 1, in->n - in->at);
    if (ret->n && ret->p[ret->n - 1] == '\r')
        ret->n--;
}

/* Editors and PowerShell put a byte order mark at the start of a file. */
static int pass_mark(struct input *in)
{
    static const str mark = STR_INIT("\xef\xbb\xbf");
    int err = 0;

    in->has_begun = true;
    while (err == 0 && in->n < mark.n && !in->at_end)
        err = input_fill(in);
    if (str_starts(str_from(in->block, in->n), mark))
        in->at = mark.n;
    return err;
}

int input_line(struct input *in, str *ret)
{
    size_t n = 0;
    int err = in->has_begun ? 0 : pass_mark(in);

    if (err == 0)
        err = find_end(in, 0, &n);
    if (err == E_TOO_LARGE) {
        in->line = in->next_line;
        return pass_over(in);
    }
    if (err)
        return err;
    in->line = in->next_line++;
    line_hand_out(in, n, ret);
    return 0;
}

/* --- documents -------------------------------------------------------------------------------- */

struct nesting {
    i64 depth;
    bool in_string, escaped;
};

static void nesting_add(struct nesting *s, str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (s->escaped) {
            s->escaped = false;
        } else if (s->in_string) {
            s->escaped = c == '\\';
            s->in_string = c != '"';
        } else if (c == '"') {
            s->in_string = true;
        } else if (c == '{' || c == '[') {
            s->depth++;
        } else if (c == '}' || c == ']') {
            s->depth--;
        }
    }
}

/* Tools break JSON after a bracket, a comma or a colon; in a log line, after an object has just
 * begun. */
static bool breaks_off(str line)
{
    line = str_trim(line);
    if (!line.n)
        return false;
    char first = line.p[0], last = line.p[line.n - 1];
    if (first != '{' && first != '[')
        return last == '{' && line.n > 1 &&
               (line.p[line.n - 2] == ' ' || line.p[line.n - 2] == '\t');
    return last == '{' || last == '[' || last == ',' || last == ':';
}

/* The document that begins at in->at, of which `n` bytes are one line. */
static int extend(struct input *in, size_t n, size_t *ret_n, u64 *ret_lines)
{
    struct nesting s = {0};
    bool is_list = str_trim(str_from(in->block + in->at, n)).p[0] == '[';
    u64 lines = 1;
    size_t from = 0, end = n;

    for (;;) {
        nesting_add(&s, str_from(in->block + in->at + from, end - from));
        *ret_n = end;
        *ret_lines = lines;
        if (s.depth <= 0 || s.in_string || in->at + end >= in->n)
            return 0;
        from = end + 1;
        int err = find_end(in, from, &end);
        if (err == E_NOT_FOUND)
            return 0;
        if (err)
            return err;
        /* Another message begins: the first one was cut off. */
        if (!is_list && end > from && in->block[in->at + from] == '{')
            return 0;
        lines++;
    }
}

int input_document(struct input *in, str *ret)
{
    size_t n = 0;
    u64 lines = 1;
    int err = in->has_begun ? 0 : pass_mark(in);

    if (err == 0)
        err = find_end(in, 0, &n);
    if (err == 0 && breaks_off(str_from(in->block + in->at, n)))
        err = extend(in, n, &n, &lines);
    if (err == E_TOO_LARGE) {
        in->line = in->next_line;
        return pass_over(in);
    }
    if (err)
        return err;
    in->line = in->next_line;
    in->next_line += lines;
    line_hand_out(in, n, ret);
    return 0;
}
