/* Form data, application/x-www-form-urlencoded: bodies of the Query protocol and query strings. */
#ifndef TOQUE_FORM_H
#define TOQUE_FORM_H

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/base/str.h"

/* The largest valid call (a batch of ten with ten attributes each) has about 400. */
#define FORM_PAIRS_MAX 20000

struct form_pair {
    str name, value; /* decoded; any bytes, UTF-8 is not checked */
};

/* A zeroed struct form is an empty one. It needs no free: everything is in the arena. */
struct form {
    struct form_pair *pairs; /* in the order of the text */
    size_t n;
};

/* Decodes `text` and appends its pairs to `f`. Views point into `text` or into the arena and live
 * as long as the shorter of both. Empty parts between ampersands are skipped; a name without '='
 * has an empty value. E_INVALID: a '%' not followed by two hex digits; E_TOO_LARGE: more than
 * FORM_PAIRS_MAX pairs. `f` is then unchanged. */
int form_decode(struct form *f, str text, struct arena *a) MUST_CHECK;
/* Value of the first pair of that name; its p is NULL when there is none. */
str form_get(const struct form *f, str name);
/* Percent-decodes one part, such as a path; '+' becomes a blank only if `plus` is true. E_INVALID
 * as above. */
int form_unescape(str part, bool plus, struct arena *a, str *ret) MUST_CHECK;
/* Appends s with everything but RFC 3986's unreserved characters as %XX. */
void form_escape(struct buf *out, str s);

#endif
