/* Reads a queue's messages without changing them: no receive is counted, nothing is hidden. A page
 * shows the messages as they are at one moment, oldest first; their bodies are read over several
 * turns, at most BODY_FETCH_MAX in one. A message that is removed meanwhile is left out.
 *
 *   peek_begin: what is asked for is noted ──> bodies ──message, one by one──> done */
#ifndef TOQUE_PEEK_H
#define TOQUE_PEEK_H

#include "common/base/id.h"
#include "queued/content.h"
#include "queued/queues.h"

#define PEEK_MESSAGES_MAX 1000
/* Messages that one page examines at most to find those that it shows. */
#define PEEK_LOOKS_MAX 100000
/* A page ends with the message that makes it larger than this many bytes. */
#define PEEK_BYTES_MAX (4u << 20)

/* A message, copied when the page began. */
struct peeked {
    u64 seq, body; /* body: its row */
    enum msg_state state;
    i64 sent_ms, first_ms; /* first_ms 0: never received */
    i64 due_ms;            /* when it becomes visible; 0: it is visible */
    u32 receives;
    bool is_raw, is_fifo;
    str origin, source; /* "" for none; in the call's arena, as all of this */
    str deliveries;     /* history_json */
    char id[ID_UUID_SIZE];
};

struct peek_wants {
    bool in_flight, delayed; /* also show messages in flight, delayed ones */
    u32 max;                 /* at most PEEK_MESSAGES_MAX */
    u64 after;               /* the last seq of the previous page; 0: begin at the first message */
};

struct peek {
    struct call *call;
    struct queues *all;
    str sender; /* SenderId of messages sent directly to the queue */
    struct peeked *items;
    u32 n, at;
    u64 next; /* more messages follow this seq; 0: none */
    bool is_fetching;
    struct loop_later again;
    struct body_fetch fetch;
    /* Returns the size of the page with this message. */
    size_t (*message)(struct peek *p, const struct peeked *m, const struct content *content);
    void (*done)(struct peek *p); /* finishes the call */
};

/* The caller has set `message` and `done`; `p` lives in the call's arena. E_NOT_FOUND: the message
 * after which the page begins is gone, and so are too many after it; the peek has not begun. */
int peek_begin(struct peek *p, struct call *c, struct queue *q,
               const struct peek_wants *wants) MUST_CHECK;
/* SenderId of a message. */
str peek_sender(const struct peek *p, const struct content *content);

#endif
