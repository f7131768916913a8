/* Internal to tree: the parser's state, and the refusals in tree_refuse.c. */
#ifndef TOQUE_FILTER_TREE_READER_H
#define TOQUE_FILTER_TREE_READER_H

#include "filter/policy/tree.h"

/* What the service's parser says that it expected. */
#define TREE_VALUE_LIST "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"

struct tree_reader {
    str text;
    size_t at;
    u32 depth;
    struct arena *arena;
    struct fault *fault;
};

/* All return E_FAULT. A text alone, located at byte `at`: */
int tree_refuse(struct tree_reader *r, size_t at, const char *words);
/* … with the character at `at` described between the two texts; */
int tree_refuse_char(struct tree_reader *r, size_t at, const char *before, const char *after);
/* "Unexpected character … : why", at r->at; */
int tree_refuse_unexpected(struct tree_reader *r, const char *why);
/* the same where a token should begin; */
int tree_refuse_token(struct tree_reader *r, const char *why);
/* the text ends inside an object or array, whose first byte is at `from`; */
int tree_refuse_open_end(struct tree_reader *r, bool is_object, size_t from);
/* it is closed by the other kind of bracket, at r->at; */
int tree_refuse_close(struct tree_reader *r, bool is_object, size_t from);
/* an unknown word begins at r->at, which moves past it. */
int tree_refuse_word(struct tree_reader *r);
/* Whether a word begins at byte `at` of the text. */
bool tree_starts_word(str text, size_t at);
/* Whether the byte can be part of a word such as true. */
bool tree_is_word(char c);

#endif
