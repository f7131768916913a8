/* The protocol between topicd and queued: the frames on the link. Both daemons write and read
 * frames only with this code, and treat received frames as untrusted input.
 *
 * Every frame: u8 version, u8 kind, u16 zero, then the kind's members. Integers are little-endian;
 * a string is u32 length and bytes; a list is u32 count and items.
 *
 *   topicd ──HELLO──>  queued     sender's identity; session number of this pipe
 *   topicd <─WELCOME─  queued     sender's identity; QUEUES with all queues follows
 *   topicd <─QUEUES──  queued     queues created (or all, right after WELCOME), queues deleted
 *   topicd ──DELIVER─> queued     publications with their targets
 *   topicd <─REJECTED─ queued     targets of a DELIVER that got no message; before its ACK
 *   topicd <─ACK─────  queued     all DELIVERs of this session up to that ordinal are durable
 *   topicd ──CALL────> queued     an API call received at topicd's front endpoint
 *   topicd <─ANSWER──  queued     its answer
 *   topicd ──ANSWERED─> queued    whether it was sent, where the answer asks
 *   topicd ──CANCEL──> queued     the client left
 *   both    CLOCK                 the manual clock was moved to this time; echoed when done
 *   both    SYNC                  echoed by queued after the QUEUES of all earlier changes
 *
 * A DELIVER is identified by the incarnation of the topicd that wrote it (a random id for each
 * opening of its store) and a sequence, which grows strictly within the incarnation. The pair is
 * unique even when topicd's store is copied. queued keeps the last applied sequence of each
 * incarnation; a DELIVER that is not above it is acknowledged and not applied, so each is applied
 * once.
 *
 * Within a session DELIVERs are numbered from 1. queued accepts only the next number, so after it
 * has refused one (it is full) it accepts no later one. topicd sends all unacknowledged DELIVERs
 * again in the next session, so they are applied in order. */
#ifndef TOQUE_FRAME_H
#define TOQUE_FRAME_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/aws/message_attr.h"
#include "common/aws/request.h"

#define FRAME_VERSION 3
/* DELIVERs have the same form since then; topicd's outbox may hold such. */
#define FRAME_VERSION_DELIVER 2
/* Bounds that a reader enforces. */
#define FRAME_TARGETS_MAX      1000000 /* targets of one publication */
#define FRAME_PUBLICATIONS_MAX 100000
#define FRAME_QUEUES_MAX       1000000
#define FRAME_ATTRS_MAX        1000
#define FRAME_CLOCK_MAX        INT64_C(253402300799999) /* the end of the year 9999 */

enum frame_kind {
    FRAME_HELLO = 1,
    FRAME_WELCOME,
    FRAME_QUEUES,
    FRAME_DELIVER,
    FRAME_ACK,
    FRAME_CALL,
    FRAME_ANSWER,
    FRAME_CANCEL,
    FRAME_CLOCK,
    FRAME_ANSWERED,
    FRAME_REJECTED,
    FRAME_SYNC,
};

/* HELLO and WELCOME. */
struct frame_greeting {
    str instance; /* UUID text of the sender's store */
    str version;  /* TOQUE_VERSION */
    u32 session;  /* HELLO: the pipe's number, WELCOME: echoed */
    i64 clock_ms; /* time of the manual clock; 0: the clock is not manual */
};

/* How one publication becomes a message: the shared part, stored once. */
enum publication_form { PUBLICATION_RAW = 0, PUBLICATION_WRAPPED = 1 };

struct frame_target {
    str queue;        /* queue ARN */
    str subscription; /* subscription ARN: the UnsubscribeURL of the envelope names it */
    u8 form;          /* enum publication_form */
};

struct frame_publication {
    str topic;      /* ARN */
    str message_id; /* SNS MessageId, UUID text */
    str subject;    /* "" for none */
    str message;    /* text for the sqs protocol */
    str group_id;   /* "" for none */
    str fifo; /* of a FIFO topic: the SequenceNumber (FRAME_SEQUENCE_SIZE digits), and behind it the
               * deduplication id, never empty; "" else */
    str trace_header; /* AWSTraceHeader, "" for none */
    str public_url;   /* base of SigningCertURL and UnsubscribeURL, no slash at the end */
    i64 time_ms;      /* of acceptance */
    u32 attr_count;
    u32 target_count;
    /* Reading: the encoded lists; walk them with frame_next_attr and frame_next_target. */
    str attrs, targets;
};

#define FRAME_SEQUENCE_SIZE 20
static inline str frame_sequence(const struct frame_publication *p)
{
    return str_slice(p->fifo, 0, FRAME_SEQUENCE_SIZE);
}
static inline str frame_dedup_id(const struct frame_publication *p)
{
    return str_slice(p->fifo, FRAME_SEQUENCE_SIZE, p->fifo.n);
}

struct frame_deliver {
    u32 session;
    u64 ordinal;     /* in the session, from 1 */
    str incarnation; /* UUID text */
    u64 sequence;    /* in the incarnation, from 1 */
    u32 publication_count;
    str publications; /* walk with frame_next_publication */
};

struct frame_ack {
    u32 session;
    u64 ordinal;
};

/* One DELIVER may have several. */
struct frame_rejected {
    u32 session;
    u64 ordinal;
    u32 count;
    str places; /* walk with frame_next_place */
};

enum frame_rejection {
    FRAME_REJECTED_NO_QUEUE,  /* the queue is not here */
    FRAME_REJECTED_FORBIDDEN, /* its policy does not let the topic send */
    FRAME_REJECTIONS
};

/* A rejected target of a DELIVER: both count from 0. */
struct frame_place {
    u32 publication, target;
    enum frame_rejection why;
};

struct frame_call {
    u64 id;                 /* topicd's number of the call */
    struct request request; /* with the caller's account and user */
};

struct frame_answer {
    u64 id;
    bool asks;            /* for an ANSWERED */
    struct answer answer; /* reading: body is a copy that the reader owns */
};

/* Whether an answer was sent to its client. */
struct frame_answered {
    u64 id;
    enum call_outcome outcome; /* CALL_SENT, CALL_LOST, CALL_CUT */
};

struct frame_queues {
    bool all;  /* the list replaces the known queues */
    bool last; /* with all: the last part */
    u32 added_count, removed_count;
    str added, removed; /* walk with frame_next_str: queue ARNs */
};

/* The kind of a frame. E_NEWER: of another version; E_INVALID: malformed. */
int frame_kind(str frame, enum frame_kind *ret);

/* Writers: each makes a whole frame in `out`, which is emptied first. */
void frame_write_hello(struct buf *out, const struct frame_greeting *g);
void frame_write_welcome(struct buf *out, const struct frame_greeting *g);
void frame_write_ack(struct buf *out, const struct frame_ack *a);
void frame_write_call(struct buf *out, const struct frame_call *c);
void frame_write_answer(struct buf *out, u64 id, bool asks, const struct answer *a);
void frame_write_answered(struct buf *out, const struct frame_answered *a);
void frame_write_cancel(struct buf *out, u64 id);
void frame_write_clock(struct buf *out, i64 now_ms);
void frame_write_sync(struct buf *out, u64 n);

/* DELIVER is written in steps, since it grows over a turn: begin, then for each publication
 * frame_publication_begin, frame_put_attr*, frame_publication_targets, frame_put_target*,
 * frame_publication_end, and last frame_deliver_end, which puts the counts in place. */
void frame_deliver_begin(struct buf *out, str incarnation);
void frame_publication_begin(struct buf *out, const struct frame_publication *p);
/* Begins a publication with the members and attributes of `p`, as returned by a reader; its targets
 * follow. */
void frame_publication_copy(struct buf *out, const struct frame_publication *p);
void frame_put_attr(struct buf *out, const struct message_attr *a);
void frame_publication_targets(struct buf *out);
void frame_put_target(struct buf *out, const struct frame_target *t);
void frame_publication_end(struct buf *out);
void frame_deliver_end(struct buf *out);
/* Sets the sequence of a DELIVER, once. */
void frame_deliver_number(struct buf *frame, u64 sequence);
/* Sets session and ordinal before each sending. */
void frame_deliver_address(struct buf *frame, u32 session, u64 ordinal);

/* REJECTED is written in steps, too: begin, frame_rejected_add*. */
void frame_rejected_begin(struct buf *out, u32 session, u64 ordinal);
void frame_rejected_add(struct buf *out, struct frame_place place);

void frame_queues_begin(struct buf *out, bool all, bool last);
void frame_queues_add(struct buf *out, str arn);
void frame_queues_removed(struct buf *out); /* from here on: deleted queues */
void frame_queues_end(struct buf *out);

/* Readers: 0 or E_INVALID; the views point into the frame. Lists are checked while they are walked:
 * the walkers return 1 for an item, 0 at the end, E_INVALID for a malformed one. frame_read_deliver
 * and frame_read_rejected walk everything once, so that a malformed frame is refused before any of it
 * is applied. */
int frame_read_greeting(str frame, struct frame_greeting *ret);
int frame_read_ack(str frame, struct frame_ack *ret);
int frame_read_call(str frame, struct frame_call *ret);
int frame_read_answer(str frame, struct frame_answer *ret);
int frame_read_answered(str frame, struct frame_answered *ret);
int frame_read_cancel(str frame, u64 *ret_id);
int frame_read_clock(str frame, i64 *ret_now_ms);
int frame_read_sync(str frame, u64 *ret_n);
int frame_read_deliver(str frame, struct frame_deliver *ret);
int frame_read_rejected(str frame, struct frame_rejected *ret);
int frame_read_queues(str frame, struct frame_queues *ret);
int frame_next_publication(str *rest, struct frame_publication *ret);
int frame_next_attr(str *rest, struct message_attr *ret);
int frame_next_target(str *rest, struct frame_target *ret);
int frame_next_place(str *rest, struct frame_place *ret);
int frame_next_str(str *rest, str *ret);

#endif
