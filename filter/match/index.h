/* The index of a body: where its quotes, colons and other structural characters are, and how deep
 * its brackets go, found 64 bytes at a time. The walk over the body (body.c) then goes from one to
 * the next without looking at what lies between.
 *
 * The index is made by whichever instructions the processor has; all variants share index_core.h
 * and give the same answer. */
#ifndef TOQUE_FILTER_INDEX_H
#define TOQUE_FILTER_INDEX_H

#include "common/base/scan.h"

/* Maps of the text, a bit a byte: word i is of the bytes from 64 i on, a block. Behind the end of
 * the text stands one of everything. Nothing within strings is in any map but `quotes`. */
struct index {
    u64 *quotes; /* those that begin or end a string */
    u64 *ops;    /* brackets, commas and colons */
    u64 *opens;  /* opening brackets */
    u64 *closes; /* closing ones */
    i32 *least;  /* by block: the open brackets at its beginning less those that it closes */
    u8 buried[SCAN_DEPTH_MAX]; /* kinds of open brackets while it is made */
    void *memory;
    u32 cap;          /* blocks that there is room for */
    u32 size;         /* bytes of the text */
    u32 root;         /* place of the first opening bracket */
    bool has_escapes; /* there is a backslash somewhere */
};

/* What is looked at. */
enum index_mode {
    INDEX_CHECKED, /* the whole grammar: true means that the text is one well-formed JSON object */
    INDEX_STRUCTURAL, /* strings and brackets: true means that those are closed as they were opened
                       */
    INDEX_SKIP,       /* strings, and brackets by their number alone; keeps nothing */
};

/* Number of bits, by no instruction that a processor may lack. */
static inline u32 index_count(u64 x)
{
    x -= x >> 1 & 0x5555555555555555ull;
    x = (x & 0x3333333333333333ull) + (x >> 2 & 0x3333333333333333ull);
    return (u32)(((x + (x >> 4)) & 0x0F0F0F0F0F0F0F0Full) * 0x0101010101010101ull >> 56);
}

typedef bool index_build(struct index *x, str text, enum index_mode mode);
index_build index_build_portable;
#if defined(__x86_64__)
index_build index_build_avx2, index_build_avx512;
#endif

void index_deinit(struct index *x);
/* By the best instructions that this processor has. */
bool index_of(struct index *x, str text, enum index_mode mode);
/* By those of this builder, which the processor must have. */
bool index_by(index_build *build, struct index *x, str text, enum index_mode mode);
/* The name of the best instructions. */
const char *index_instructions(void);
/* For measuring and for tests: others than the best, by name. False: this processor has them not.
 */
bool index_use(str name);

#endif
