/* A policy's text as a tree, and that tree serialised without blanks.
 *
 * The service parses the text, serialises it compactly, and then reads that; locations in its
 * refusals are those of the compact text as its lazy reader sees them: when it announces a string
 * it has consumed the opening quote only, and when it announces a member name it has consumed the
 * start of the value as well. Every node therefore records where it begins, how far a reader that
 * announces it has come (`open`), and where it ends. */
#ifndef TOQUE_FILTER_TREE_H
#define TOQUE_FILTER_TREE_H

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/str.h"

/* Deeper texts are refused with the parser's text. */
#define TREE_DEPTH_MAX 1000

enum node_kind {
    NODE_OBJECT,
    NODE_ARRAY,
    NODE_STRING,
    NODE_NUMBER,
    NODE_TRUE,
    NODE_FALSE,
    NODE_NULL,
};

struct node {
    enum node_kind kind;
    u32 n;       /* members or elements */
    bool twice;  /* a member whose name came more than once: this is the last one's value, standing
                    at  the first one's place */
    str text;    /* STRING: decoded; NUMBER: as spelled */
    str name;    /* of a member: decoded */
    u32 name_at; /* of a member: where its name begins in the compact text */
    u32 at, open, end;         /* bytes of the compact text */
    u32 source_at, source_end; /* bytes of the caller's text */
    struct node *first, *next; /* children in order; next child of the same parent */
};

/* Parses `text` into `a`. On success *ret is the root and *ret_compact the compact text, both in
 * the arena. E_FAULT: the text is not JSON; `f` has "failed to parse JSON. ", the text of the
 * service's parser, and its place. */
int tree_read(struct arena *a, str text, struct node **ret, str *ret_compact,
              struct fault *f) MUST_CHECK;
/* Line and column (UTF-16 units, from 1) of a byte of `text`. */
void tree_place(str text, size_t at, u32 *ret_line, u32 *ret_column);

#endif
