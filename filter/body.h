/* A message body as values: the whole text is checked to be one well-formed JSON object, and what lies
 * at the paths that policies name is added to the event. */
#ifndef TOQUE_FILTER_BODY_H
#define TOQUE_FILTER_BODY_H

#include "common/str.h"

struct matcher;

/* False when the body is not a JSON object; the event then holds what must not be used. *ret_empty:
 * it is {}. */
bool body_read(struct matcher *m, str body, bool *ret_empty);

#endif
