/* A client of the daemons: one call after the other, and a pause between them. What calls there are
 * is the table of operations (workload.c); each is a row and two or three functions. */
#ifndef TOQUE_SIM_WORKER_H
#define TOQUE_SIM_WORKER_H

#include <jansson.h>

#include "tests/sim/endpoint.h"
#include "tests/sim/ledger.h"

#define WORKER_BATCH    10
#define WORKER_HELD_MAX 64
#define HANDLE_SIZE     128

/* A message that was received and not dealt with yet. */
struct held {
    struct copy *copy;
    u32 restores; /* of its queue */
    char handle[HANDLE_SIZE];
};

/* A message that is being sent or published: the copies that may come of it. */
struct intent {
    struct mark *mark;
    struct copy *copies[LEDGER_QUEUES];
    u32 queue_versions[LEDGER_QUEUES], sub_versions[LEDGER_QUEUES];
    u32 copy_count;
};

struct worker {
    u32 index;
    struct client_call call;
    struct operation *op; /* NULL: it rests */
    struct event next, leave;
    json_t *answer; /* from when it left the daemon until it is dealt with */

    /* Of the call under way. */
    struct ledger_queue *queue;
    struct ledger_topic *topic;
    struct ledger_sub *sub;
    u32 queue_version, topic_version;
    u32 restores; /* of the queue */
    bool direct;  /* at the queued's own endpoint */
    bool decides; /* who is called does it himself: a 503 says that nothing happened */
    int node;     /* which queued */
    i64 hide_ms;
    u32 drain;
    struct intent intents[WORKER_BATCH];
    struct intent last; /* sent alone to a FIFO queue, and nothing after it; copies[0] NULL: none */
    struct held batch[WORKER_BATCH];
    u32 batch_count;

    struct held held[WORKER_HELD_MAX];
    u32 held_count;
};

struct operation {
    const char *name, *target;
    u32 weight;
    /* Writes the members of the call's JSON and chooses where it goes; false: there is nothing to
     * do at the moment. */
    bool (*begin)(struct worker *w, struct buf *body);
    /* It was answered with 200, or not. */
    void (*answered)(struct worker *w, const json_t *answer);
    void (*failed)(struct worker *w, enum outcome o);
    /* The answer leaves the daemon, in the daemon's turn; and its client leaves before he has all of
     * it. NULL: of no interest. */
    void (*left)(struct worker *w, const json_t *answer);
    void (*cut)(struct worker *w);
    u64 outcomes[3]; /* in all runs, by enum outcome */
};

/* The tables, each ends with a row without a name. */
extern struct operation OPERATIONS_SENDS[], OPERATIONS_MESSAGES[], OPERATIONS_THINGS[];

/* To topicd, or to the queued that has w->queue. */
void worker_to_topicd(struct worker *w, bool decides);
void worker_to_queued(struct worker *w, int node);
/* Either, where the queue's home is known. */
void worker_to_queue(struct worker *w, struct ledger_queue *q);

/* A queue or topic at random: one that is there, mostly. */
struct ledger_queue *worker_choose_queue(void);
struct ledger_topic *worker_choose_topic(void);
/* "http://…/000000000000/NAME", and ARNs. */
void put_queue_url(struct buf *out, const struct ledger_queue *q);
void put_arn(struct buf *out, const char *service, const char *name);

/* `,"LIST":[`, and the beginning of an entry, {"Id":"i", of a batch. */
void batch_begin(struct buf *body, const char *list);
void batch_entry(struct buf *body, u32 i);
/* The entry of that id among the successful ones, or NULL. */
const json_t *batch_success(const json_t *answer, u32 i);

/* The answer's text member, "" when it is not there. */
str json_text(const json_t *of, const char *name);
i64 json_number_text(const json_t *of, const char *name);

#endif
