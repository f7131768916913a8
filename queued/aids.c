#include "queued/aids.h"

#include "common/base/mem.h"
#include "common/base/scan.h"
#include "queued/fault.h"
#include "queued/queues.h"

#define FAIL_TEXT     "This call fails because a test aid says so."
#define THROTTLE_TEXT "Rate exceeded"
/* Bytes of a given text that an error text shows. */
#define SHOWN_MAX 100
#define SHOWN(s)  (int)MIN((s).n, (size_t)SHOWN_MAX), (s).p

void aids_free(struct aids *a)
{
    if (!a)
        return;
    mem_free(a->fail_action);
    mem_free(a->fail_text);
    mem_free(a);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* A whole number from 0 to `max`; *ret is unchanged where the member is absent. */
static int read_count(const struct json_at *object, const char *name, i64 max, i64 *ret,
                      struct fault *f)
{
    i64 n;
    int err = json_get_i64(object, name, &n, f);

    if (err)
        return err == E_NOT_FOUND ? 0 : err;
    if (n < 0 || n > max)
        return json_complain(object, f, "%s must be between 0 and %" PRId64, name, max);
    *ret = n;
    return 0;
}

static int read_u32(const struct json_at *object, const char *name, u32 *ret, struct fault *f)
{
    i64 n = *ret;
    int err = read_count(object, name, AIDS_COUNT_MAX, &n, f);

    *ret = (u32)n;
    return err;
}

/* A text member, or "". */
static int read_text(const struct json_at *object, const char *name, str *ret, struct fault *f)
{
    int err = json_get_str(object, name, ret, f);

    if (err == E_NOT_FOUND)
        *ret = STR("");
    return err == E_NOT_FOUND ? 0 : err;
}

static int read_fail(struct aids *a, const struct service *service, const struct json_at *object,
                     struct fault *f)
{
    static const char *const names[] = {"action", "error", "message", "count"};
    struct json_at fail;
    str action, error, text;
    int err = json_get(object, "fail", &fail, f);

    if (err)
        return err == E_NOT_FOUND ? 0 : err;
    if ((err = json_want_members(&fail, names, ARRAY_LEN(names), false, f)) ||
        (err = read_text(&fail, "action", &action, f)) ||
        (err = read_text(&fail, "error", &error, f)) ||
        (err = read_text(&fail, "message", &text, f)))
        return err;
    int code = call_fault_code(service, error);

    if (!call_action(service, action))
        return json_complain(&fail, f, "action must be one of Amazon SQS: %.*s", SHOWN(action));
    if (!code)
        return json_complain(&fail, f, "error must be the name of an error of Amazon SQS: %.*s",
                             SHOWN(error));
    a->fail_count = 1;
    if ((err = read_u32(&fail, "count", &a->fail_count, f)))
        return err;
    a->fail_action = mem_dup(action);
    a->fail_code = code;
    a->fail_text = mem_dup(text.n ? text : STR(FAIL_TEXT));
    return 0;
}

/* Reads all members. The texts are set only if the object has them. */
static int read_all(struct aids *a, const struct service *service, const struct json_at *object,
                    struct fault *f)
{
    static const char *const names[] = {
        "fail", "throttle_per_second", "hold_back_ms", "deliver_twice", "reorder", "dead_letter"};
    int err = json_want_members(object, names, ARRAY_LEN(names), true, f);

    err = err ? err : read_u32(object, "throttle_per_second", &a->per_second, f);
    err = err ? err : read_count(object, "hold_back_ms", AIDS_HOLD_MAX_S * 1000, &a->hold_ms, f);
    err = err ? err : read_u32(object, "deliver_twice", &a->twice, f);
    err = err ? err : read_u32(object, "reorder", &a->reorder, f);
    err = err ? err : read_u32(object, "dead_letter", &a->dead_letter, f);
    return err ? err : read_fail(a, service, object, f);
}

/* A member that is not 0 is refused unless it can have an effect. */
static int want_effect(const struct json_at *object, const char *name, bool has_effect,
                       const char *why, struct fault *f)
{
    i64 n;

    if (has_effect || json_get_i64(object, name, &n, f) || n == 0)
        return 0;
    return json_complain(object, f, "%s has no effect: %s", name, why);
}

static int want_effects(const struct queue *q, const struct json_at *object, struct fault *f)
{
    static const char fifo[] = "the queue is a FIFO queue";
    bool is_standard = !q->attributes.fifo;
    int err = want_effect(object, "reorder", is_standard, fifo, f);

    err = err ? err : want_effect(object, "hold_back_ms", is_standard, fifo, f);
    return err ? err
               : want_effect(object, "dead_letter", q->dead_letter_arn,
                             "the queue has no RedrivePolicy", f);
}

int aids_read(struct aids *a, const struct queue *q, const struct service *service,
              const struct json_at *object, struct fault *f)
{
    struct aids next = *a;

    next.fail_action = next.fail_text = NULL;
    int err = read_all(&next, service, object, f);

    err = err ? err : want_effects(q, object, f);
    if (err) {
        mem_free(next.fail_action);
        mem_free(next.fail_text);
        return E_FAULT;
    }
    if (next.fail_action) {
        mem_free(a->fail_action);
        mem_free(a->fail_text);
    } else {
        next.fail_action = a->fail_action;
        next.fail_text = a->fail_text;
    }
    *a = next;
    return 0;
}

void aids_write(const struct aids *a, const struct service *service, struct buf *out)
{
    buf_printf(out,
               "{\"throttle_per_second\":%u,\"hold_back_ms\":%" PRId64
               ",\"deliver_twice\":%u,\"reorder\":%u,\"dead_letter\":%u",
               a->per_second, a->hold_ms, a->twice, a->reorder, a->dead_letter);
    if (a->fail_count) {
        buf_printf(out, ",\"fail\":{\"action\":\"%s\",\"error\":\"%s\",\"count\":%u,\"message\":",
                   a->fail_action, call_fault_text(service, a->fail_code), a->fail_count);
        scan_quote(out, str_of(a->fail_text));
        buf_char(out, '}');
    }
    buf_char(out, '}');
}

/* --- queues loaded anew ----------------------------------------------------------------------- */

void aids_set_aside(struct queues *qs, struct idmap *kept)
{
    struct queue *q;

    idmap_init(kept, qs->seed);
    for (size_t pos = 0; (q = idmap_next(&qs->by_id, &pos));) {
        if (!q->aids)
            continue;
        idmap_put(kept, q->id, q->aids);
        q->aids = NULL;
    }
}

void aids_give_back(struct queues *qs, struct idmap *kept)
{
    struct queue *q;
    struct aids *a;

    for (size_t pos = 0; kept->n && (q = idmap_next(&qs->by_id, &pos));)
        q->aids = idmap_del(kept, q->id);
    for (size_t pos = 0; (a = idmap_next(kept, &pos));)
        aids_free(a);
    idmap_deinit(kept);
}

/* --- effects ---------------------------------------------------------------------------------- */

int aids_refuse(struct call *c, struct queue *q)
{
    struct aids *a = q->aids;

    if (LIKELY(!a))
        return 0;
    if (a->fail_count && strcmp(c->action->name, a->fail_action) == 0) {
        a->fail_count--;
        return fault_set(&c->fault, a->fail_code, "%s", a->fail_text);
    }
    i64 second = q->all->clock->now_ms / 1000;

    if (second != a->second)
        a->calls = 0;
    a->second = second;
    if (a->per_second && a->calls++ >= a->per_second)
        return fault_set(&c->fault, FAULT_THROTTLED, THROTTLE_TEXT);
    return 0;
}

i64 aids_delay_ms(struct queue *q)
{
    struct aids *a = q->aids;

    if (LIKELY(!a) || q->attributes.fifo)
        return 0;
    bool is_late = a->reorder % 2;

    if (a->reorder)
        a->reorder--;
    return a->hold_ms + (is_late ? AIDS_REORDER_MS : 0);
}

i64 aids_hide_ms(const struct queue *q, i64 hide_ms)
{
    return q->aids && q->aids->twice ? 0 : hide_ms;
}

void aids_took(struct queue *q, u32 n)
{
    if (q->aids)
        q->aids->twice -= MIN(q->aids->twice, n);
}

bool aids_bury(struct queue *q)
{
    if (LIKELY(!q->aids) || !q->dead_letter_arn || q->aids->dead_letter == 0)
        return false;
    q->aids->dead_letter--;
    return true;
}
