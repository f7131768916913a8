#include "common/aws/access_request.h"

void access_request_add(struct access_request *rq, str name, str value)
{
    assert(rq->fact_count < ACCESS_FACTS_MAX);
    rq->facts[rq->fact_count++] = (struct access_fact){name, value};
}

void access_request_add_caller(struct access_request *rq)
{
    if (rq->principal.n)
        access_request_add(rq, STR("aws:PrincipalArn"), rq->principal);
    if (rq->account.n)
        access_request_add(rq, STR("aws:PrincipalAccount"), rq->account);
    if (rq->service.n)
        access_request_add(rq, STR("aws:PrincipalServiceName"), rq->service);
    access_request_add(rq, STR("aws:PrincipalIsAWSService"),
                       rq->service.n ? STR("true") : STR("false"));
}

bool access_request_next(const struct access_request *rq, str name, u32 *at, str *ret)
{
    for (u32 i = *at; i < rq->fact_count; i++) {
        if (!str_eq_nocase(rq->facts[i].name, name))
            continue;
        *ret = rq->facts[i].value;
        *at = i + 1;
        return true;
    }
    *at = rq->fact_count;
    return false;
}
