/* Message attributes as values: whether the message is eligible, and its values. */
#ifndef TOQUE_FILTER_ATTRIBUTES_H
#define TOQUE_FILTER_ATTRIBUTES_H

#include "filter/filter.h"

/* Adds the values of attributes that policies name to the event. All attributes are validated,
 * named or not. */
enum filter_eligibility attributes_read(struct matcher *m, const struct filter_attr *attrs,
                                        size_t n);

#endif
