/* The index of a body: where its quotes, colons and other structural characters are, and where each
 * bracket is closed, found 64 bytes at a time. The walk over the body (body.c) then goes
 * from one to the next without looking at what lies between, and past a whole value in one step.
 *
 * The index is made by whichever instructions the processor has; all variants share index_core.h
 * and give the same answer. */
#ifndef TOQUE_FILTER_INDEX_H
#define TOQUE_FILTER_INDEX_H

#include "common/scan.h"

/* One block of 64 bytes, a bit a byte. Nothing within strings is in `colons` or `ops`. */
struct index_block {
    u64 quotes; /* those that begin or end a string */
    u64 colons;
    u64 ops; /* brackets, commas and colons */
};

/* An opening bracket, and where it is closed. */
struct index_bracket {
    u32 at, end; /* bytes */
    u32 next;    /* number of the first opening bracket behind its end */
};

struct index {
    struct index_block *blocks;
    struct index_bracket *brackets; /* opening ones, in their order */
    u32 block_cap, bracket_n, bracket_cap;
    u32 size;                  /* bytes of the text */
    bool has_escapes;          /* there is a backslash somewhere */
    u32 stack[SCAN_DEPTH_MAX]; /* open brackets while it is made */
};

/* What is looked at. */
enum index_mode {
    INDEX_CHECKED, /* the whole grammar: true means that the text is one well-formed JSON object */
    INDEX_STRUCTURAL, /* strings and brackets: true means that those are closed as they were opened
                       */
    INDEX_SKIP,       /* strings, and brackets by their number alone; keeps nothing */
};

typedef bool index_build(struct index *x, str text, enum index_mode mode);
index_build index_build_portable;
#if defined(__x86_64__)
index_build index_build_avx2, index_build_avx512;
#endif

void index_deinit(struct index *x);
/* Room for 64 more brackets; for the builders. */
void index_more_brackets(struct index *x);
/* By the best instructions that this processor has. */
bool index_of(struct index *x, str text, enum index_mode mode);
/* Their name. */
const char *index_instructions(void);
/* For measuring and for tests: others than the best, by name. False: this processor has them not.
 */
bool index_use(str name);

#endif
