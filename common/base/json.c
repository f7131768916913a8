#include "common/base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/scan.h"

void json_setup(void)
{
    json_set_alloc_funcs(mem_alloc, mem_free);
}

static void complain_at(struct fault *f, const char *file, u32 line, u32 column, const char *text)
{
    if (file)
        fault_set_at(f, JSON_FAULT, line, column, "%s:%" PRIu32 ":%" PRIu32 ": %s", file, line,
                     column, text);
    else
        fault_set_at(f, JSON_FAULT, line, column, "line %" PRIu32 " column %" PRIu32 ": %s", line,
                     column, text);
}

int json_open(struct json_doc *ret, str text, const char *file, bool repeats, struct fault *f)
{
    json_error_t error;
    json_t *root =
        json_loadb(text.n ? text.p : "", text.n, repeats ? 0 : JSON_REJECT_DUPLICATES, &error);

    if (!root) {
        complain_at(f, file, (u32)MAX(error.line, 1), (u32)MAX(error.column, 1), error.text);
        return E_FAULT;
    }
    *ret = (struct json_doc){.file = file ? mem_dup(str_of(file)) : NULL,
                             .text = mem_dup(text),
                             .size = text.n,
                             .root = root};
    return 0;
}

bool json_is_same(str a, str b)
{
    if (str_eq(a, b))
        return true;
    json_t *left = json_loadb(a.n ? a.p : "", a.n, 0, NULL);
    json_t *right = json_loadb(b.n ? b.p : "", b.n, 0, NULL);
    bool same = left && right && json_equal(left, right);

    json_decref(left);
    json_decref(right);
    return same;
}

/* Reads the whole file; NULL, or what is wrong with it. */
static const char *read_all(int fd, size_t size_max, struct buf *ret)
{
    struct stat st;

    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
        return "is a directory";
    while (ret->n <= size_max) {
        ssize_t n = read(fd, buf_room(ret, 65536), 65536);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? strerror(errno) : NULL;
        ret->n += (size_t)n;
    }
    return "file is too large";
}

int json_open_fd(struct json_doc *ret, int fd, const char *path, size_t size_max, bool repeats,
                 struct fault *f)
{
    struct buf text = {0};
    const char *wrong = fd < 0 ? strerror(errno) : read_all(fd, size_max, &text);
    int err = wrong ? fault_set(f, JSON_FAULT, "%s: %s", path, wrong)
                    : json_open(ret, buf_view(&text), path, repeats, f);

    buf_deinit(&text);
    return err;
}

int json_open_file(struct json_doc *ret, const char *path, size_t size_max, bool repeats,
                   struct fault *f)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int err = json_open_fd(ret, fd, path, size_max, repeats, f);

    if (fd >= 0)
        close(fd);
    return err;
}

void json_close(struct json_doc *d)
{
    json_decref(d->root);
    mem_free(d->text);
    mem_free(d->file);
    *d = (struct json_doc){0};
}

struct json_at json_root(const struct json_doc *d)
{
    return (struct json_at){.doc = d, .value = d->root};
}

struct json_at json_item(const struct json_at *array, size_t i)
{
    json_t *value = json_array_get(array->value, i);

    assert(value);
    return (struct json_at){.doc = array->doc, .up = array, .index = i, .value = value};
}

/* --- places ----------------------------------------------------------------------------------- */

/* Skips one value. False: the text ends, or differs from what jansson read. */
static bool pass_value(struct scan *s)
{
    struct scan_text text;

    switch (scan_next(s, &text)) {
    case SCAN_OBJECT:
    case SCAN_ARRAY: return scan_skip(s) != SCAN_ERROR;
    case SCAN_STRING:
    case SCAN_NUMBER:
    case SCAN_TRUE:
    case SCAN_FALSE:
    case SCAN_NULL: return true;
    default: return false;
    }
}

static bool is_plain_name(struct scan_text text, const char *name)
{
    if (!text.escaped)
        return str_is(text.raw, name);
    char *plain = mem_alloc(text.raw.n);
    bool same = str_is((str){plain, scan_unescape(text.raw, plain)}, name);
    mem_free(plain);
    return same;
}

/* Moves the scanner to the byte before the value. */
static bool json_seek(struct scan *s, const struct json_at *at)
{
    struct scan_text text;

    if (!at->up)
        return true;
    if (!json_seek(s, at->up))
        return false;
    enum scan_token open = scan_next(s, &text);
    if (at->name) {
        if (open != SCAN_OBJECT)
            return false;
        while (scan_next(s, &text) == SCAN_NAME) {
            if (is_plain_name(text, at->name))
                return true;
            if (!pass_value(s))
                return false;
        }
        return false;
    }
    for (size_t i = 0; i < at->index; i++)
        if (!pass_value(s))
            return false;
    return open == SCAN_ARRAY;
}

static void place_of(const struct json_at *at, u32 *ret_line, u32 *ret_column)
{
    struct scan s;
    struct scan_text text;

    scan_init(&s, (str){at->doc->text, at->doc->size});
    *ret_line = *ret_column = 1;
    if (json_seek(&s, at) && scan_next(&s, &text) != SCAN_ERROR)
        scan_place(s.text, s.token_at, ret_line, ret_column);
}

static void write_way(struct buf *out, const struct json_at *at)
{
    if (!at->up)
        return;
    write_way(out, at->up);
    if (at->name) {
        if (out->n)
            buf_char(out, '.');
        buf_z(out, at->name);
    } else {
        buf_char(out, '[');
        buf_u64(out, at->index);
        buf_char(out, ']');
    }
}

int json_complain(const struct json_at *at, struct fault *f, const char *fmt, ...)
{
    char text[1024];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    struct buf whole = {0};
    write_way(&whole, at);
    if (whole.n)
        buf_z(&whole, ": ");
    buf_z(&whole, text);
    u32 line, column;
    place_of(at, &line, &column);
    complain_at(f, at->doc->file, line, column, whole.p);
    buf_deinit(&whole);
    return E_FAULT;
}

/* --- getters ---------------------------------------------------------------------------------- */

static const char *type_name(json_type type)
{
    switch (type) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "an array";
    case JSON_STRING: return "a string";
    case JSON_INTEGER: return "an integer";
    case JSON_REAL: return "a number";
    case JSON_TRUE:
    case JSON_FALSE: return "true or false";
    case JSON_NULL: return "null";
    }
    return "something else";
}

int json_want(const struct json_at *at, json_type type, struct fault *f)
{
    json_type is = json_typeof(at->value);

    if (is == type || (type == JSON_TRUE && is == JSON_FALSE) ||
        (type == JSON_REAL && is == JSON_INTEGER))
        return 0;
    return json_complain(at, f, "must be %s, not %s", type_name(type), type_name(is));
}

static bool is_among(const char *name, const char *const *known, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(known[i], name) == 0)
            return true;
    return false;
}

int json_want_members(const struct json_at *at, const char *const *known, size_t n, bool comments,
                      struct fault *f)
{
    const char *name;
    json_t *value;
    int err = json_want(at, JSON_OBJECT, f);

    if (err)
        return err;
    json_object_foreach(at->value, name, value)
        if (!is_among(name, known, n) && !(comments && strncmp(name, "//", 2) == 0))
            return json_complain(at, f, "has no member %.64s", name);
    return 0;
}

int json_get(const struct json_at *object, const char *name, struct json_at *ret, struct fault *f)
{
    int err = json_want(object, JSON_OBJECT, f);

    if (err)
        return err;
    json_t *value = json_object_get(object->value, name);
    if (!value)
        return E_NOT_FOUND;
    *ret = (struct json_at){.doc = object->doc, .up = object, .name = name, .value = value};
    return 0;
}

static int get_typed(const struct json_at *object, const char *name, json_type type,
                     struct json_at *ret, struct fault *f)
{
    int err = json_get(object, name, ret, f);

    return err ? err : json_want(ret, type, f);
}

int json_get_str(const struct json_at *object, const char *name, str *ret, struct fault *f)
{
    struct json_at at;
    int err = get_typed(object, name, JSON_STRING, &at, f);

    if (!err)
        *ret = (str){json_string_value(at.value), json_string_length(at.value)};
    return err;
}

int json_get_i64(const struct json_at *object, const char *name, i64 *ret, struct fault *f)
{
    struct json_at at;
    int err = get_typed(object, name, JSON_INTEGER, &at, f);

    if (!err)
        *ret = json_integer_value(at.value);
    return err;
}

static int write_part(const char *p, size_t n, void *arg)
{
    buf_add(arg, p, n);
    return 0;
}

void json_write(struct buf *out, const json_t *value)
{
    int err = json_dump_callback(value, write_part, out, JSON_COMPACT | JSON_ENCODE_ANY);

    assert(err == 0);
    (void)err;
}
