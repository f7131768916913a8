/* Names in the order of their bytes, for listing by prefix and page: a skip list. Keys are borrowed
 * and must stay while they are in it. */
#ifndef TOQUE_ORDER_H
#define TOQUE_ORDER_H

#include "common/str.h"

#define ORDER_LEVELS 12

struct order_node;
struct order {
    struct order_node *head; /* ORDER_LEVELS links, no key */
};

void order_init(struct order *o);
void order_deinit(struct order *o);
/* `key` is not in it yet. */
void order_put(struct order *o, str key, void *value);
void order_del(struct order *o, str key);
/* The first node whose key is not below `key`, or NULL. */
struct order_node *order_from(const struct order *o, str key);
struct order_node *order_next(const struct order_node *n);
void *order_value(const struct order_node *n);

#endif
