/* Small arrays come from malloc; from PAGES_MIN on they are a mapping, which mremap moves by
 * changing page tables only. */
#include "filter/match/pages.h"

#include <sys/mman.h>

#include "common/base/mem.h"

#define PAGES_MIN ((size_t)1 << 20)

#ifdef MREMAP_MAYMOVE
static void *checked(void *p)
{
    if (p != MAP_FAILED)
        return p;
    return mem_grow(NULL, SIZE_MAX / 2); /* reports that memory is exhausted, and aborts */
}

void *pages_grow(void *p, size_t old, size_t size)
{
    if (size < PAGES_MIN)
        return mem_grow(p, size);
    if (old >= PAGES_MIN)
        return checked(mremap(p, old, size, MREMAP_MAYMOVE));
    void *to =
        checked(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (p)
        memcpy(to, p, old);
    mem_free(p);
    return to;
}

void pages_free(void *p, size_t size)
{
    if (size < PAGES_MIN)
        mem_free(p);
    else
        munmap(p, size);
}
#else
void *pages_grow(void *p, size_t old, size_t size)
{
    (void)old;
    return mem_grow(p, size);
}

void pages_free(void *p, size_t size)
{
    (void)size;
    mem_free(p);
}
#endif
