/* JSON as a tree, for configuration, topology and other rare things: jansson with checked getters
 * whose errors name the file, the line and the column of the value. Frequent calls use scan.h.
 *
 * jansson does not keep the position of a value. So a value is kept with the path that leads to it
 * (struct json_at), and its position is looked up in the text only for an error. */
#ifndef TOQUE_JSON_H
#define TOQUE_JSON_H

#include <jansson.h>

#include "common/base/buf.h"
#include "common/base/err.h"

enum {
    JSON_FAULT = 810, /* the one code of a struct fault from here */
};

struct json_doc {
    char *file; /* for error texts; NULL: the text has no name */
    char *text;
    size_t size;
    json_t *root; /* an object or an array */
};

/* A value inside a document. Lives on the stack of the caller that descends; `up` must live as
 * long. */
struct json_at {
    const struct json_doc *doc;
    const struct json_at *up; /* NULL: the root */
    const char *name;         /* member of an object, or NULL: */
    size_t index;             /* item of an array */
    json_t *value;            /* borrowed from the document */
};

/* Makes jansson use mem_*, so that its allocations never fail. Call it once, before any other use
 * of jansson. */
void json_setup(void);

/* Reads `text` (copied), `file` (may be NULL, copied) is its name in error texts. E_FAULT with the
 * place of the mistake. Unless `repeats` is true a member name given twice is one. */
int json_open(struct json_doc *ret, str text, const char *file, bool repeats,
              struct fault *f) MUST_CHECK;
/* The same from a file of at most `size_max` bytes; E_FAULT also when it cannot be read. */
int json_open_file(struct json_doc *ret, const char *path, size_t size_max, bool repeats,
                   struct fault *f) MUST_CHECK;
/* The same from an open file, for callers that check the file first; below 0: failed with errno. */
int json_open_fd(struct json_doc *ret, int fd, const char *path, size_t size_max, bool repeats,
                 struct fault *f) MUST_CHECK;
/* A zeroed document is accepted. */
void json_close(struct json_doc *d);
/* Whether the texts are equal, or both are JSON with equal values. */
bool json_is_same(str a, str b);

struct json_at json_root(const struct json_doc *d);
/* The i-th item of an array, i below json_array_size(array->value). */
struct json_at json_item(const struct json_at *array, size_t i);

/* Members of an object. 0 and the value; E_NOT_FOUND when there is no such member; E_FAULT when
 * `object` is no object or the member is of another type. `name` is borrowed by the result. */
int json_get(const struct json_at *object, const char *name, struct json_at *ret,
             struct fault *f) MUST_CHECK;
int json_get_str(const struct json_at *object, const char *name, str *ret,
                 struct fault *f) MUST_CHECK; /* lives as long as the document */
int json_get_i64(const struct json_at *object, const char *name, i64 *ret,
                 struct fault *f) MUST_CHECK;

/* E_FAULT unless the value is of the type. JSON_TRUE stands for both booleans, JSON_REAL for both
 * kinds of numbers. */
int json_want(const struct json_at *at, json_type type, struct fault *f) MUST_CHECK;
/* E_FAULT unless the value is an object whose members are all among the `n` known names; with
 * `comments`, names that begin with "//" are fine, too. */
int json_want_members(const struct json_at *at, const char *const *known, size_t n, bool comments,
                      struct fault *f) MUST_CHECK;

/* Sets a fault about a value: "FILE:LINE:COLUMN: path.to[3].it: text". Returns E_FAULT. */
int json_complain(const struct json_at *at, struct fault *f, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Appends the value without blanks, members in their order. */
void json_write(struct buf *out, const json_t *value);

#endif
