/* A message body as values: the whole text is checked to be one well-formed JSON object, and what
 * lies at the paths that policies name is added to the event. */
#ifndef TOQUE_FILTER_BODY_H
#define TOQUE_FILTER_BODY_H

#include "common/base/str.h"

struct matcher;

/* The memory of reading bodies, kept from match to match. */
struct body;
struct body *body_new(void);
void body_free(struct body *b);

/* False when the body is not a JSON object; the event then holds what must not be used. *ret_empty:
 * it is {}. */
bool body_read(struct matcher *m, str text, bool *ret_empty);

/* For measuring: false leaves out the grammar, so that bodies are read by their strings and
 * brackets alone and ones that are not well-formed may match. True is what a matcher begins with.
 */
void matcher_check_bodies(struct matcher *m, bool check);
/* For measuring: goes over a body as body_read would if no policy named anything in it. */
bool body_scan(struct matcher *m, str text, bool check);
/* The instructions in use: "portable", "avx2" or "avx512". */
const char *body_scanner(void);

#endif
