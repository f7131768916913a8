/* The actions of Amazon SQS that queued knows: api.c has the table; api_queue.c has the actions on
 * queues, api_tag.c on tags, api_permission.c on permissions, api_redrive.c on dead letters;
 * api_message.c, api_receive.c and api_batch.c have those on messages. A handler reads its input
 * once, calls the functions that do the work, and finishes the call; error texts and the order of
 * checks are the service's. */
#ifndef TOQUE_QUEUED_API_H
#define TOQUE_QUEUED_API_H

#include "common/aws/call.h"
#include "queued/message_attr.h"
#include "queued/queues.h"

/* Sets *ret to the service whose handlers work on `qs`. The caller owns *ret, which must outlive
 * the desk. */
void api_init(struct service *ret, struct queues *qs);

void api_create_queue(struct call *c);
void api_delete_queue(struct call *c);
void api_get_attributes(struct call *c);
void api_get_queue_url(struct call *c);
void api_list_queues(struct call *c);
void api_purge_queue(struct call *c);
void api_set_attributes(struct call *c);

void api_add_permission(struct call *c);
void api_remove_permission(struct call *c);

void api_list_queue_tags(struct call *c);
void api_tag_queue(struct call *c);
void api_untag_queue(struct call *c);

void api_list_sources(struct call *c);
void api_start_move(struct call *c);
void api_cancel_move(struct call *c);
void api_list_moves(struct call *c);

void api_send(struct call *c);
void api_receive(struct call *c);
void api_delete(struct call *c);
void api_change(struct call *c);

void api_send_batch(struct call *c);
void api_delete_batch(struct call *c);
void api_change_batch(struct call *c);

/* --- what the families share ------------------------------------------------------------------ */

/* The queue of the call's QueueUrl. NULL: there is none, or the caller may not use it; c->fault is
 * set. */
struct queue *api_queue(struct call *c);
int api_no_queue(struct fault *f);
/* The queue's URL as a member, or as an item of the open list (`name` NULL). */
void api_out_url(struct call *c, const struct queue *q, const char *name);

/* A page of a list of queues. A token names the last queue of the previous page and the list for
 * which it was issued. */
#define API_PAGE_MAX 1000
struct api_page {
    i64 max;
    bool paged; /* MaxResults was given: there may be a NextToken */
    str of;     /* the list: a prefix, an ARN */
    str after;  /* "" for the first page */
};
int api_read_page(struct call *c, str of, struct api_page *ret) MUST_CHECK;
/* Writes the NextToken: the list continues after `last`. */
void api_out_next(struct call *c, const struct api_page *page, str last);

/* CreateQueue: returns the queue of that name; creates it if it does not exist, with the attributes
 * and tags of the maps (NULL: none). Returns NULL on failure, and `f` is set. */
struct queue *api_make_queue(struct queues *qs, str account, str region, str name,
                             const struct val *given, const struct val *tags, struct fault *f);
/* Reads the tags of a map (NULL: none) for the queue of that name. E_FAULT: `f` is set and *ret is
 * empty. */
int api_read_tags(const struct val *map, str queue, struct tags *ret, struct fault *f) MUST_CHECK;

/* A message to be sent, read from a SendMessage or an entry of a SendMessageBatch. All texts are
 * views of the input. */
struct sending {
    struct message_attrs attrs;
    str body, group_id, trace_header;
    str dedup_id;    /* FIFO queues: as given, or the digest of the body */
    bool has_system; /* system attributes were given: the answer has their digest */
    i64 delay_s;
    size_t size; /* bytes that count against limits */
};
int api_read_sending(struct call *c, struct queue *q, const struct val *in, bool in_batch,
                     struct sending *ret, struct fault *f) MUST_CHECK;
/* For FIFO queues: checks the ids whose absence makes a whole batch fail. Reads nothing else. */
int api_check_fifo(const struct queue *q, const struct val *in, struct fault *f) MUST_CHECK;
/* Adds the message to the queue unless it is a duplicate, and writes the members of the answer. */
void api_put(struct call *c, struct queue *q, const struct sending *s);
/* Delete the message, or change its visibility, by a receipt handle. E_FAULT: `f` is set. */
int api_delete_one(struct queue *q, str handle, struct fault *f);
int api_change_one(struct call *c, struct queue *q, str handle, bool has_timeout, i64 timeout_s,
                   struct fault *f);

#endif
