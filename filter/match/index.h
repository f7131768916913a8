/* The index of a body: positions of its quotes, colons and other structural characters, and the
 * depth of its brackets, computed 64 bytes at a time. The walk over the body (body.c) then jumps
 * from one to the next without looking at the bytes between.
 *
 * Each instruction set has its own builder; all share index_core.h and give the same result. */
#ifndef TOQUE_FILTER_INDEX_H
#define TOQUE_FILTER_INDEX_H

#include "common/base/scan.h"

/* Bitmaps of the text, one bit per byte: word i covers the 64 bytes from 64 i on, a block. After
 * the end of the text every map has one sentinel bit. No map but `quotes` has bits within
 * strings. */
struct index {
    u64 *quotes; /* quotes that begin or end a string */
    u64 *ops;    /* brackets, commas and colons */
    u64 *opens;  /* opening brackets */
    u64 *closes; /* closing ones */
    i32 *least;  /* by block: the open brackets at its beginning less those that it closes */
    u8 buried[SCAN_DEPTH_MAX]; /* kinds of open brackets while the index is built */
    void *memory;
    u32 cap;          /* capacity in blocks */
    u32 size;         /* bytes of the text */
    u32 root;         /* position of the first opening bracket */
    bool has_escapes; /* the text contains a backslash */
};

/* What is checked. */
enum index_mode {
    INDEX_CHECKED, /* the whole grammar: true means that the text is one well-formed JSON object */
    INDEX_STRUCTURAL, /* strings and brackets: true means that brackets match */
    INDEX_SKIP,       /* strings, and the number of brackets; stores nothing */
};

/* Population count without instructions that a processor may lack. */
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
/* With the best instruction set of this processor. */
bool index_of(struct index *x, str text, enum index_mode mode);
/* With this builder, which the processor must support. */
bool index_by(index_build *build, struct index *x, str text, enum index_mode mode);
/* The name of the best instruction set. */
const char *index_instructions(void);
/* For benchmarks and tests: selects an instruction set by name. False: not supported by this
 * processor. */
bool index_use(str name);

#endif
