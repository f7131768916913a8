/* A message body as values: the whole text is validated as one JSON object, and the values at the
 * paths that policies name are added to the event. */
#ifndef TOQUE_FILTER_BODY_H
#define TOQUE_FILTER_BODY_H

#include "common/base/str.h"

struct matcher;

/* Working memory for bodies, kept from match to match. */
struct body;
struct body *body_new(void);
void body_free(struct body *b);

/* False when the body is not a JSON object; the event's content is then invalid. *ret_empty: it is
 * {}. */
bool body_read(struct matcher *m, str text, bool *ret_empty);

/* For benchmarks: false skips the grammar check, so that bodies are read by their strings and
 * brackets alone and malformed ones may match. Initially true. */
void matcher_check_bodies(struct matcher *m, bool check);
/* For benchmarks: scans a body as body_read does when no policy names anything in it. */
bool body_scan(struct matcher *m, str text, bool check);
/* The instruction set in use: "portable", "avx2" or "avx512". */
const char *body_scanner(void);

#endif
