/* A skip list: names sorted by bytes, for listing by prefix and page. Keys are borrowed and must
 * stay valid while they are in it. */
#ifndef TOQUE_SKIPLIST_H
#define TOQUE_SKIPLIST_H

#include "common/base/str.h"

#define SKIPLIST_LEVELS 12

struct skiplist_node;
struct skiplist {
    struct skiplist_node *head; /* SKIPLIST_LEVELS links, no key */
};

void skiplist_init(struct skiplist *o);
void skiplist_deinit(struct skiplist *o);
/* `key` is not in it yet. */
void skiplist_put(struct skiplist *o, str key, void *value);
void skiplist_del(struct skiplist *o, str key);
/* The first node whose key is not below `key`, or NULL. */
struct skiplist_node *skiplist_from(const struct skiplist *o, str key);
struct skiplist_node *skiplist_next(const struct skiplist_node *n);
void *skiplist_value(const struct skiplist_node *n);

#endif
