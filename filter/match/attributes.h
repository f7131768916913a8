/* Message attributes as values: whether the message is eligible, and what it offers. */
#ifndef TOQUE_FILTER_ATTRIBUTES_H
#define TOQUE_FILTER_ATTRIBUTES_H

#include "filter/filter.h"

/* Adds the values of the attributes that policies name to the event; all are checked, named or not.
 */
enum filter_eligibility attributes_read(struct matcher *m, const struct filter_attr *attrs,
                                        size_t n);

#endif
