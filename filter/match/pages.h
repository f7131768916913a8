/* Arrays that grow to many megabytes without being copied: large ones are page mappings, and
 * growing moves the pages, so adding a subscription never waits for a copy of all others. */
#ifndef TOQUE_FILTER_PAGES_H
#define TOQUE_FILTER_PAGES_H

#include "common/base/base.h"

/* Like realloc, for an array of `old` bytes that shall have `size`; new bytes are not zeroed.
 * Aborts the program when memory is exhausted. */
void *pages_grow(void *p, size_t old, size_t size);
void pages_free(void *p, size_t size);

#endif
