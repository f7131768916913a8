/* One API call, independent of its wire format: its action, its caller, its input as a tree of
 * typed values, and its answer or fault.
 *
 *   struct member   one line of the service's model: a member's name in both wire forms, its type
 *   struct action   a row of a daemon's action table
 *   struct service  SQS or SNS: its actions, its fault names, its XML conventions
 *   struct val      an input value;  call_out_*: the answer, written once for both wire forms
 *
 * The dialects (dialect_json.c: AWS JSON 1.0 and the JSON of the ipc endpoint; dialect_query.c: the
 * Query protocol with XML answers) turn a struct request into a call by the action's members, and
 * render its answer. An action's `run` reads c->in, and either finishes the call with call_done, at
 * once or later, or parks it. */
#ifndef TOQUE_CALL_H
#define TOQUE_CALL_H

#include "common/aws/arn.h"
#include "common/base/err.h"
#include "common/base/list.h"
#include "common/io/loop.h"
#include "common/base/mem.h"
#include "common/aws/request.h"

struct call;
struct desk;
struct form;

enum val_type {
    VAL_STRING,
    VAL_INT, /* JSON: a whole number; Query: decimal text */
    VAL_BOOL,
    VAL_BLOB,   /* base64 on the wire, bytes here */
    VAL_LIST,   /* of `of` */
    VAL_MAP,    /* from string to `of` */
    VAL_STRUCT, /* with `members` */
};

/* A member of a structure in the service's model. Tables end with a row whose name is NULL. */
struct member {
    const char *name;  /* in JSON */
    const char *query; /* Query protocol: name of the parameter without ".N"; NULL: the same */
    enum val_type type;
    enum val_type of;             /* LIST, MAP: type of the elements */
    const struct member *members; /* STRUCT, or LIST and MAP of STRUCT */
    /* MAP in the Query protocol; NULL: "Name" and "Value" for SQS, "key" and "value" for SNS. */
    const char *query_key, *query_value;
    const char *query_also; /* a second parameter name that is accepted, or NULL */
};

/* An input value. Children of a LIST, MAP or STRUCT hang on `first` in the order of the wire; those
 * of a MAP and STRUCT have names. Absent members and JSON nulls have no value. Unknown members are
 * ignored. A map key that is given twice appears once, with its last value. */
struct val {
    enum val_type type;
    bool given_empty; /* Query: "X=" for an empty list */
    bool has_null;    /* JSON: a MAP with entries that are null, which are left out */
    u32 count;        /* children */
    str name;
    union {
        str text; /* STRING, BLOB */
        i64 number;
        bool flag;
        struct val *first;
    };
    struct val *next;
};

/* Codes of faults that common code raises; a daemon's own begin at CALL_FAULT_OWN. */
enum call_fault {
    CALL_FAULT_NO_ACTION = 1,  /* neither target nor Action: 404 <UnknownOperationException/> */
    CALL_FAULT_UNKNOWN_ACTION, /* InvalidAction */
    CALL_FAULT_SERIALIZATION,  /* body not JSON, or a member of the wrong JSON type */
    CALL_FAULT_MISSING_PARAMETER,
    CALL_FAULT_INVALID_PARAMETER,
    CALL_FAULT_TOO_LARGE, /* 413 */
    CALL_FAULT_INCOMPLETE_SIGNATURE,
    CALL_FAULT_SIGNATURE,       /* SignatureDoesNotMatch: also the wrong scope or time */
    CALL_FAULT_UNKNOWN_KEY,     /* InvalidClientTokenId: also the wrong session token */
    CALL_FAULT_NO_SIGNATURE,    /* MissingAuthenticationToken */
    CALL_FAULT_TOKEN_EXPIRED,   /* ExpiredToken */
    CALL_FAULT_REQUEST_EXPIRED, /* RequestExpired: a presigned URL */
    CALL_FAULT_NO_SUBSCRIPTION, /* OptInRequired: the key is not for this service */
    CALL_FAULT_ACCESS_DENIED,
    CALL_FAULT_UNAVAILABLE, /* 503: the store or the peer is failing, try again */
    CALL_FAULT_INTERNAL,    /* 500: it failed, and may have happened all the same */
    CALL_FAULT_UNSUPPORTED, /* not implemented by toque */
    CALL_FAULT_BATCH_EMPTY, /* batches of both services */
    CALL_FAULT_BATCH_TOO_MANY,
    CALL_FAULT_BATCH_IDS_NOT_DISTINCT,
    CALL_FAULT_BATCH_ID_INVALID,
    CALL_FAULT_BATCH_TOO_LONG,
    CALL_FAULT_OWN = 100,
};

#define CALL_UNSURE_TEXT "The service failed, and it is not known whether the request was stored."

/* The public names of a fault code. */
struct fault_name {
    int code;
    int status;             /* HTTP */
    const char *shape;      /* JSON __type, whole: "com.amazonaws.sqs#QueueDoesNotExist" */
    const char *query_code; /* <Code> and the first part of x-amzn-query-error */
    const char *query_text; /* text in the Query protocol where it differs, else NULL */
};

enum action_flags {
    ACTION_RESULT = 1,        /* has an output shape: a Result element, and {} when empty */
    ACTION_WRITES = 2,        /* refused with CALL_FAULT_UNAVAILABLE while the store fails */
    ACTION_NO_QUEUE_PATH = 4, /* "not valid for this endpoint" when sent to a queue's path */
    ACTION_OPEN = 8,          /* needs no signature, even where signatures are verified */
    ACTION_OWNER = 16,        /* for the account that owns the resource alone */
    ACTION_UNLOCKS = 32, /* the owner's root may always: to mend a policy that denies everybody */
    ACTION_GROWS = 64,   /* refused like ACTION_WRITES while the disk is full */
};

struct action {
    const char *name;
    const struct member *in;
    void (*run)(struct call *c);
    unsigned flags;
};

struct service {
    const char *signing_name;  /* "sqs", "sns" */
    const char *target_prefix; /* "AmazonSQS." */
    const char *query_version; /* "2012-11-05": distinguishes services with an action in common */
    const char *xml_namespace;
    /* A call without a signature is AccessDenied (SQS), else MissingAuthenticationToken (SNS). */
    bool unsigned_denied;
    /* SQS: lists and maps without wrappers, empty ones left out, errors with <Detail/>, an XML
     * declaration. SNS: the opposite. */
    bool flattened;
    const char *action_prefix; /* "sqs:": how policies name the actions */
    /* Sets region, account and resource of the call's resource as far as the input states them, and
     * leaves the rest. Needs c->in. */
    void (*names)(struct call *c, struct arn *ret);
    const struct action *actions; /* sorted by name */
    size_t action_count;
    const struct fault_name *faults; /* end: code 0; covers the codes above, too */
    /* Set: calls are not run here but passed to this function (topicd's front endpoint for SQS).
     * Dialect, identity, account, region and, in the Query protocol, c->params are set. c->in is
     * NULL unless an access policy had to be evaluated; c->action is NULL where `actions` does not
     * have the name. */
    void (*forward)(struct call *c);
    void *owner; /* the daemon: call_owner */
};

enum dialect { DIALECT_JSON, DIALECT_QUERY };

/* The caller, as read from the Authorization header or the query of a presigned URL. */
struct identity {
    str access_key;
    str date, region, service, terminator; /* the credential scope */
    str signed_headers;                    /* names with semicolons */
    str signature;                         /* in hexadecimal, as given */
    bool is_signed;
    bool in_query;     /* a presigned URL */
    str account, user; /* of the key that the signature was verified with; else "" */
};

/* State of the answer's writer; private to call_out.c. */
#define CALL_OUT_DEPTH_MAX 12
struct call_out {
    struct call_out_level {
        const char *name, *item, *key, *value;
        u8 kind;
        bool open; /* its beginning is written: SQS's lists and maps begin with the first element */
        size_t at; /* length of the body right behind the beginning */
    } levels[CALL_OUT_DEPTH_MAX];
    u32 depth;
    bool begun;
    size_t result_at;
};

/* Most values of one call's input, containers included; above it: CALL_FAULT_TOO_LARGE. The largest
 * valid input (a batch of ten with ten attributes each) has about 500. */
#define CALL_VALS_MAX 16384

struct call {
    struct desk *desk;
    const struct service *service;
    const struct action *action;
    enum dialect dialect;
    bool plain_json;        /* Query: the answer is wanted as JSON (Accept: application/json) */
    struct request request; /* views live until the call is answered */
    struct identity identity;
    str account, region;       /* the caller's; set by the desk */
    struct val *in;            /* a STRUCT; never NULL once `run` is called; NULL for `forward` */
    u32 val_count;             /* values of c->in, bounded by CALL_VALS_MAX */
    const struct form *params; /* Query: the decoded parameters */
    struct arena arena;        /* lives as long as the call */
    struct answer answer;
    struct buf scratch;
    struct loop_later later;
    struct list link; /* for the owner that parks it; on no list initially and when done */
    void *parked;     /* private to that owner */
    void (*cancel)(struct call *c); /* parked: the client left; unpark and call call_done */
    bool gone, done;
    bool bound, turn_over; /* call_bind: to a turn, which is durable or lost with turn_err */
    int turn_err;
    enum call_outcome (*reply)(void *arg, struct call *c);
    void *reply_arg;
    /* Set before the call is finished, by a handler that must undo something if the answer is not
     * sent. Called once, after the commit, with any outcome but CALL_SENDING. Its changes belong to
     * the next turn. */
    void (*sent)(struct call *c, enum call_outcome outcome);
    u64 held; /* bytes of its answer that count against the clients' budget */
    struct call_out out;
    struct fault fault; /* code set: the call failed, and what was written is dropped */
};

static inline void *call_owner(const struct call *c)
{
    return c->service->owner;
}
struct clock *call_clock(const struct call *c);

/* --- input ------------------------------------------------------------------------------------ */

/* The member of a STRUCT or MAP, or NULL. */
const struct val *val_get(const struct val *v, const char *name);
const struct val *val_get_str(const struct val *v, str name);
/* Text of a STRING or BLOB member; STR_NONE (p NULL) when it is absent. */
str val_text(const struct val *v, const char *name);
/* False when the member is absent. */
bool val_int(const struct val *v, const char *name, i64 *ret);
bool val_bool(const struct val *v, const char *name, bool *ret);

/* --- answer ----------------------------------------------------------------------------------- */

/* Members of the answer. `item` is the element name of a list or map in the flattened XML of SQS;
 * in SNS's XML it is member or entry. For SQS empty lists and maps are omitted. */
void call_out_text(struct call *c, const char *name, str text);
void call_out_i64(struct call *c, const char *name, i64 v);
void call_out_bool(struct call *c, const char *name, bool v);
void call_out_blob(struct call *c, const char *name, str bytes);
void call_out_struct(struct call *c, const char *name);
void call_out_struct_end(struct call *c);
/* List of structures: call_out_item … call_out_item_end for each. List of texts:
 * call_out_item_text. */
void call_out_list(struct call *c, const char *name, const char *item);
void call_out_item(struct call *c);
void call_out_item_end(struct call *c);
void call_out_item_text(struct call *c, str text);
void call_out_list_end(struct call *c);
/* Map to texts, or to structures. XML of SQS: <item><Name/><Value/></item> with key_name and
 * value_name; SNS: <entry><key/><value/></entry>. */
void call_out_map(struct call *c, const char *name, const char *item, const char *key_name,
                  const char *value_name);
void call_out_entry_text(struct call *c, str key, str text);
void call_out_entry(struct call *c, str key);
void call_out_entry_end(struct call *c);
void call_out_map_end(struct call *c);

/* --- end -------------------------------------------------------------------------------------- */

/* Fills the fault and finishes the call. */
void call_fail(struct call *c, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Finishes the call with what was written, or with c->fault. The answer is sent when this turn is
 * durable; if the turn is lost, a service error is sent instead. The caller must not use c
 * afterwards. */
void call_done(struct call *c);
/* Binds the call's effects to this turn although its answer is not complete yet: after call_done,
 * in this turn or a later one, the answer is sent when this turn is durable. */
void call_bind(struct call *c);
/* Finishes the call with a complete answer (of a forwarded call), and takes its body. An answer
 * without a request id gets the call's. */
void call_done_with(struct call *c, struct answer *a);

/* --- dialects: used by the desk --------------------------------------------------------------- */

/* Finds the service, action and dialect of c->request. On failure c->fault is set, and service and
 * dialect are a best guess for rendering it. If a fault is set already (a bad signature) it still
 * finds what is needed to render that. */
void call_find(struct call *c, const struct service *const *services, size_t n);
/* Reads the input of the call's action into c->in, or sets c->fault. Needs call_find. */
void call_read(struct call *c);
/* Completes c->answer from what was written, or from the fault. May be called again after a fault
 * was set: the fault then replaces what was rendered. */
void call_render(struct call *c);
/* Renders JSON that is not an API answer, such as that of GET /health. */
void call_render_page(struct call *c, int status, str json);

/* Base64 of blobs and page tokens; results are in the call's arena. */
int call_unbase64(struct call *c, str text, str *ret) MUST_CHECK;
str call_base64(struct call *c, str bytes);

/* The code of the fault with that public name, a shape without its namespace or a code of the Query
 * protocol; 0: there is none. And its shape without the namespace. */
int call_fault_code(const struct service *s, str name);
const char *call_fault_text(const struct service *s, int code);
/* The action of that name, or NULL. */
const struct action *call_action(const struct service *s, str name);
/* Whether a path names a queue: /ACCOUNT/NAME, /queue/NAME, /queue/REGION/ACCOUNT/NAME, /NAME. */
bool call_is_queue_path(str path);

#endif
