#include "queued/access.h"

#include "common/aws/authorize.h"
#include "common/base/log.h"
#include "queued/queues.h"

/* Refusals that are logged in one second, at most. */
#define TOLD_MAX 10

#define ACCESS_IS_OFF(q) (!(q)->all->limits.enforce)

void access_forget(struct queue *q)
{
    access_policy_free(q->access);
    q->access = NULL;
}

/* The queue's policy, parsed at its first use; NULL: the queue has none. A stored policy that
 * cannot be parsed (it was set before policies were checked) allows nothing. */
static const struct access_policy *access_policy_of(struct queue *q)
{
    struct fault f;

    if (q->access || !q->attributes.policy)
        return q->access;
    fault_clear(&f);
    if (access_policy_open(&q->access, str_of(q->attributes.policy), ACCESS_OF_RESOURCE, &f))
        log_warning("a queue's policy cannot be read, and allows nothing queue=%s: %s", q->arn,
                    f.text);
    return q->access;
}

/* Whether another line may be logged now. */
static bool access_may_tell(struct queues *qs)
{
    i64 second = qs->clock->mono_ms / 1000;

    if (qs->refusals.second != second)
        qs->refusals.told = 0;
    qs->refusals.second = second;
    return qs->refusals.told++ < TOLD_MAX;
}

int access_check_call(struct call *c, struct queue *q)
{
    struct buf why = {0};
    char account[LOG_VALUE_SIZE];

    if (ACCESS_IS_OFF(q))
        return 0;
    struct resource_policy resource = {
        .arn = str_of(q->arn), .owner = q->account, .policy = access_policy_of(q)};
    int err = authorize_by_resource(c, &resource, &why);

    if (err && access_may_tell(q->all))
        log_info("a call is denied by the policy of its queue queue=%s account=%s action=%s: %s",
                 q->arn, log_value(c->account, account), c->action->name, why.p);
    buf_deinit(&why);
    return err;
}

bool access_check_topic(struct queue *q, str topic)
{
    struct access_request rq;
    struct access_decision d = {.verdict = ACCESS_NO_STATEMENT};
    const struct access_policy *policy;
    char time[CLOCK_ISO_SIZE], name[LOG_VALUE_SIZE];
    struct buf why = {0};

    if (ACCESS_IS_OFF(q))
        return true;
    authorize_topic(&rq, topic, str_of(q->arn), q->all->clock->now_ms, time);
    policy = access_policy_of(q);
    if (policy)
        d = access_policy_judge(policy, &rq);
    if (d.verdict != ACCESS_ALLOWED && access_may_tell(q->all)) {
        access_decision_tell(&d, &rq, &why);
        log_info("a delivery is denied by the policy of its queue queue=%s topic=%s: %s", q->arn,
                 log_value(topic, name), why.p);
        buf_deinit(&why);
    }
    return d.verdict == ACCESS_ALLOWED;
}
