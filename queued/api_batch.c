/* The three batch actions: checks that fail the whole request first, then entry by entry, each with
 * its own success or failure. */
#include "queued/api.h"

#include "common/aws/batch.h"
#include "queued/fault.h"

/* Bytes of all messages of one send, whatever the queue's MaximumMessageSize. */
#define BATCH_SIZE_MAX 1048576

struct batch {
    struct call *c;
    struct queue *q;
    const char *entry_name, *result_name;
    /* An entry that fails this check makes the whole batch fail; NULL: there is no such check. */
    int (*check)(struct batch *b, const struct val *entry, struct fault *f);
    /* Processes one entry; on success it writes the members of its result. */
    int (*one)(struct batch *b, const struct val *entry, struct fault *f);
    u32 at; /* number of the entry, from 1 */
    /* Failures are reported after all successes. */
    u32 failed_count;
    struct failure {
        str id;
        int code;
        str text;
    } failed[BATCH_ENTRIES_MAX];
};

/* --- the whole request ------------------------------------------------------------------------ */

static int check_count(const struct batch *b, const struct val *entries, struct fault *f)
{
    if (!entries && b->c->dialect == DIALECT_JSON)
        return fault_set(f, CALL_FAULT_MISSING_PARAMETER,
                         "The request must contain the parameter Entries.");
    if (!entries || entries->count == 0)
        return fault_set(f, CALL_FAULT_BATCH_EMPTY,
                         "There should be at least one %s in the request.", b->entry_name);
    if (entries->count > BATCH_ENTRIES_MAX)
        return fault_set(f, CALL_FAULT_BATCH_TOO_MANY,
                         "Maximum number of entries per request are %d. "
                         "You have sent %u.",
                         BATCH_ENTRIES_MAX, entries->count);
    return 0;
}

static int check_ids(const struct batch *b, const struct val *entries, struct fault *f)
{
    u32 at = 1;
    for (const struct val *v = entries->first; v; v = v->next, at++) {
        str id = val_text(v, "Id");
        if (!id.p)
            return fault_set(f, CALL_FAULT_MISSING_PARAMETER,
                             "The request must contain the parameter %s.%u.Id.", b->entry_name, at);
        if (id.n > BATCH_ID_MAX || !batch_is_id_text(id))
            return fault_set(f, CALL_FAULT_BATCH_ID_INVALID,
                             "A batch entry id can only contain alphanumeric characters, hyphens "
                             "and underscores. It can be at most 80 letters long.");
    }
    const struct val *again = batch_repeated(entries);

    return again ? fault_set(f, CALL_FAULT_BATCH_IDS_NOT_DISTINCT, "Id %.*s repeated.",
                             STR_ARG(val_text(again, "Id")))
                 : 0;
}

static size_t value_size(const struct val *v)
{
    str type = val_text(v, "DataType"), text = val_text(v, "StringValue");
    return v->name.n + type.n + (text.n ? text.n : val_text(v, "BinaryValue").n);
}

static int check_size(const struct val *entries, struct fault *f)
{
    size_t size = 0;
    for (const struct val *v = entries->first; v; v = v->next) {
        const struct val *attributes = val_get(v, "MessageAttributes");
        size += val_text(v, "MessageBody").n;
        for (const struct val *a = attributes ? attributes->first : NULL; a; a = a->next)
            size += value_size(a);
    }
    if (size <= BATCH_SIZE_MAX)
        return 0;
    return fault_set(f, CALL_FAULT_BATCH_TOO_LONG,
                     "Batch requests cannot be longer than %d bytes. You have sent %zu bytes.",
                     BATCH_SIZE_MAX, size);
}

static void check_entries(struct batch *b, const struct val *entries, struct fault *f)
{
    for (const struct val *v = b->check ? entries->first : NULL; v; v = v->next)
        if (b->check(b, v, f))
            return;
}

/* --- entries ---------------------------------------------------------------------------------- */

/* The public name of an entry's failure is that of the Query protocol, in both protocols. */
static str code_name(const struct call *c, int code)
{
    for (const struct fault_name *f = c->service->faults; f->code; f++)
        if (f->code == code)
            return str_of(f->query_code);
    return code == CALL_FAULT_MISSING_PARAMETER ? STR("MissingParameter")
                                                : STR("InvalidParameterValue");
}

static void out_failed(struct batch *b)
{
    struct call *c = b->c;
    call_out_list(c, "Failed", "BatchResultErrorEntry");
    for (u32 i = 0; i < b->failed_count; i++) {
        const struct failure *e = &b->failed[i];
        call_out_item(c);
        call_out_text(c, "Id", e->id);
        call_out_bool(c, "SenderFault", true);
        call_out_text(c, "Code", code_name(c, e->code));
        call_out_text(c, "Message", e->text);
        call_out_item_end(c);
    }
    call_out_list_end(c);
}

static void run_entries(struct batch *b, const struct val *entries)
{
    struct call *c = b->c;
    struct fault fault;
    call_out_list(c, "Successful", b->result_name);
    for (const struct val *v = entries->first; v; v = v->next) {
        b->at++;
        fault_clear(&fault);
        if (b->one(b, v, &fault) == 0)
            continue;
        b->failed[b->failed_count++] = (struct failure){val_text(v, "Id"), fault.code,
                                                        arena_dup(&c->arena, str_of(fault.text))};
    }
    call_out_list_end(c);
    out_failed(b);
}

static void batch_run(struct batch *b)
{
    struct call *c = b->c;
    const struct val *entries = val_get(c->in, "Entries");
    b->q = api_queue(c);
    if (b->q && check_count(b, entries, &c->fault) == 0 && check_ids(b, entries, &c->fault) == 0 &&
        check_size(entries, &c->fault) == 0)
        check_entries(b, entries, &c->fault);
    if (!c->fault.code)
        run_entries(b, entries);
    call_done(c);
}

static int entry_missing(const struct batch *b, const char *name, struct fault *f)
{
    return fault_set(f, CALL_FAULT_MISSING_PARAMETER,
                     "The request must contain the parameter %s.%u.%s.", b->entry_name, b->at,
                     name);
}

static int entry_done(struct batch *b, const struct val *entry)
{
    call_out_item(b->c);
    call_out_text(b->c, "Id", val_text(entry, "Id"));
    call_out_item_end(b->c);
    return 0;
}

/* --- the three -------------------------------------------------------------------------------- */

static int send_one(struct batch *b, const struct val *entry, struct fault *f)
{
    struct sending s;
    if (val_text(entry, "MessageBody").n == 0)
        return entry_missing(b, "MessageBody", f);
    if (api_read_sending(b->c, b->q, entry, true, &s, f))
        return E_FAULT;
    call_out_item(b->c);
    call_out_text(b->c, "Id", val_text(entry, "Id"));
    api_put(b->c, b->q, &s);
    call_out_item_end(b->c);
    return 0;
}

/* As the service has it, what is missing here is invalid in a batch. */
static int check_send(struct batch *b, const struct val *entry, struct fault *f)
{
    if (api_check_fifo(b->q, entry, f) == 0)
        return 0;
    f->code = CALL_FAULT_INVALID_PARAMETER;
    return E_FAULT;
}

void api_send_batch(struct call *c)
{
    struct batch b = {.c = c,
                      .entry_name = "SendMessageBatchRequestEntry",
                      .result_name = "SendMessageBatchResultEntry",
                      .check = check_send,
                      .one = send_one};
    batch_run(&b);
}

static int delete_one(struct batch *b, const struct val *entry, struct fault *f)
{
    str handle = val_text(entry, "ReceiptHandle");
    if (handle.n == 0)
        return entry_missing(b, "ReceiptHandle", f);
    return api_delete_one(b->q, handle, f) ? E_FAULT : entry_done(b, entry);
}

void api_delete_batch(struct call *c)
{
    struct batch b = {.c = c,
                      .entry_name = "DeleteMessageBatchRequestEntry",
                      .result_name = "DeleteMessageBatchResultEntry",
                      .one = delete_one};
    batch_run(&b);
}

static int change_one(struct batch *b, const struct val *entry, struct fault *f)
{
    i64 timeout_s = 0;
    str handle = val_text(entry, "ReceiptHandle");
    bool has = val_int(entry, "VisibilityTimeout", &timeout_s);
    if (handle.n == 0)
        return entry_missing(b, "ReceiptHandle", f);
    if (!has)
        return entry_missing(b, "VisibilityTimeout", f);
    return api_change_one(b->c, b->q, handle, has, timeout_s, f) ? E_FAULT : entry_done(b, entry);
}

void api_change_batch(struct call *c)
{
    struct batch b = {.c = c,
                      .entry_name = "ChangeMessageVisibilityBatchRequestEntry",
                      .result_name = "ChangeMessageVisibilityBatchResultEntry",
                      .one = change_one};
    batch_run(&b);
}
