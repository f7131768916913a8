/* Intrusive doubly linked list. The head is a struct list of its own; an item holds a struct list
 * per list that it can be on. An item that is on no list is linked to itself. */
#ifndef TOQUE_LIST_H
#define TOQUE_LIST_H

#include "common/base/base.h"

struct list {
    struct list *prev, *next;
};

static inline void list_init(struct list *l)
{
    l->prev = l->next = l;
}

static inline bool list_is_empty(const struct list *head)
{
    return head->next == head;
}

/* Inserts `item` before `at`; with the head as `at`, at the end of the list. */
static inline void list_insert_before(struct list *at, struct list *item)
{
    item->prev = at->prev;
    item->next = at;
    at->prev->next = item;
    at->prev = item;
}

static inline void list_push_back(struct list *head, struct list *item)
{
    list_insert_before(head, item);
}

static inline void list_push_front(struct list *head, struct list *item)
{
    list_insert_before(head->next, item);
}

/* Removes the item from its list; no effect when it is on none. */
static inline void list_remove(struct list *item)
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
    list_init(item);
}

/* Moves all items of `from` to the end of `to`. */
static inline void list_move_all(struct list *to, struct list *from)
{
    if (list_is_empty(from))
        return;
    from->next->prev = to->prev;
    from->prev->next = to;
    to->prev->next = from->next;
    to->prev = from->prev;
    list_init(from);
}

#define list_item(ptr, type, member) container_of(ptr, type, member)
/* The loop body may remove the current item, not others. */
#define list_each(pos, nxt, head)                                                                  \
    for (struct list *pos = (head)->next, *nxt = pos->next; pos != (head);                         \
         pos = nxt, nxt = pos->next)

#endif
