/* The page on which a phone number opts out of SMS. */
#ifndef TOQUE_OPT_OUT_PAGE_H
#define TOQUE_OPT_OUT_PAGE_H

#include "topicd/topicd.h"

void opt_out_add_page(struct topicd *t);

#endif
