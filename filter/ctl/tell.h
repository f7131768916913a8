/* Output of an explanation. */
#ifndef TOQUE_FILTER_CTL_TELL_H
#define TOQUE_FILTER_CTL_TELL_H

#include "filter/ctl/ctl.h"
#include "filter/explain/explain.h"

/* The verdict's sentence, then key by key, every line prefixed by `indent`. */
void tell_text(const struct ctl *c, struct buf *out, const struct explanation *x,
               const char *indent);
/* Writes the members of an object that was begun: match, reason, words, hint, decided, branches. */
void tell_json(struct buf *out, const struct explanation *x);

#endif
