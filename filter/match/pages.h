/* Arrays that grow to many megabytes without being copied: large ones are pages of their own, and
 * growing moves the pages, so that one more subscription never waits for a copy of all others. */
#ifndef TOQUE_FILTER_PAGES_H
#define TOQUE_FILTER_PAGES_H

#include "common/base/base.h"

/* As realloc for an array that has `old` bytes and is to have `size`; what is new is not zeroed.
 * Stops the program when memory ends. */
void *pages_grow(void *p, size_t old, size_t size);
void pages_free(void *p, size_t size);

#endif
