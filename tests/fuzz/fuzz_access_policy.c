/* The first line as a request's action, resource, principal and facts, the rest as a policy: it is
 * read or refused, and what is read gives a verdict that can be told; a permission that is written
 * into it can be taken out again. */
#include "common/aws/access_document.h"
#include "common/aws/access_policy.h"
#include "common/base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct access_request request_of(str line)
{
    struct access_request rq = {0};

    rq.action = str_cut(&line, ' ');
    rq.resource = str_cut(&line, ' ');
    rq.principal = str_cut(&line, ' ');
    rq.account = str_slice(rq.principal, 13, 25);
    rq.service = str_cut(&line, ' ');
    rq.service_region = STR("us-east-1");
    while (line.n && rq.fact_count < ACCESS_FACTS_MAX / 2) {
        str value = str_cut(&line, '|'), name = str_cut(&value, '=');

        access_request_add(&rq, name, value);
    }
    access_request_add_caller(&rq);
    return rq;
}

static void judge(str text, enum access_policy_kind kind, const struct access_request *rq)
{
    static struct fault f;
    struct access_policy *p = NULL;

    fault_clear(&f);
    int err = access_policy_open(&p, text, kind, &f);

    assert((err == 0) == (f.code == 0) && (err == 0) == (p != NULL));
    if (err)
        return;
    struct access_decision d = access_policy_judge(p, rq);
    struct buf told = {0};

    access_decision_tell(&d, rq, &told);
    assert(told.n > 0);
    assert(d.verdict == ACCESS_NO_STATEMENT || d.statement);
    buf_deinit(&told);
    access_policy_free(p);
}

static void edit(str policy)
{
    static const str account = STR_INIT("222222222222"), action = STR_INIT("SendMessage");
    struct access_permission p = {.label = STR("a label that nobody has"),
                                  .accounts = &account,
                                  .account_count = 1,
                                  .prefix = "SQS:",
                                  .actions = &action,
                                  .action_count = 1,
                                  .resource = STR("arn:aws:sqs:us-east-1:111111111111:q")};
    struct buf more = {0}, less = {0}, normal = {0};

    if (access_document_add(policy, STR("id"), &p, 100, &more) == 0 &&
        more.n <= ACCESS_POLICY_SIZE_MAX) {
        int err = access_document_remove(buf_view(&more), p.label, &less);

        assert(err == 0);
        err = access_document_normal(buf_view(&more), STR("aws"), &normal);
        assert(err == 0);
    }
    buf_deinit(&more);
    buf_deinit(&less);
    buf_deinit(&normal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;

    if (!ready)
        json_setup();
    ready = true;
    str policy = str_from(data, size);
    struct access_request rq = request_of(str_cut(&policy, '\n'));

    judge(policy, ACCESS_OF_RESOURCE, &rq);
    judge(policy, ACCESS_OF_IDENTITY, &rq);
    edit(policy);
    return 0;
}
