#include "common/aws/queue_place.h"

#include "common/aws/task_handle.h"

/* The path of a URL with its leading slash; other text is returned unchanged. */
static str url_path(str url)
{
    ptrdiff_t colon = str_find(url, ':');

    if (colon < 0 || !str_starts(str_slice(url, (size_t)colon, url.n), STR("://")))
        return url;
    str rest = str_slice(url, (size_t)colon + 3, url.n);
    ptrdiff_t slash = str_find(rest, '/');

    return slash < 0 ? STR("/") : str_slice(rest, (size_t)slash, rest.n);
}

/* Splits off the part after the last slash. */
static str cut_last(str *path)
{
    ptrdiff_t slash = str_rfind(*path, '/');
    str last = str_slice(*path, (size_t)(slash + 1), path->n);

    *path = slash > 0 ? str_slice(*path, 0, (size_t)slash) : STR("");
    return last;
}

void queue_place_read(str url, struct queue_place *place)
{
    str path = url_path(url), account, region;

    while (str_ends(path, STR("/")))
        path.n--;
    place->name = cut_last(&path);
    account = cut_last(&path);
    if (!arn_is_account(account))
        return;
    place->account = account;
    region = cut_last(&path);
    if (region.n && str_is(path, "/queue"))
        place->region = region;
}

/* SourceArn, or that of the TaskHandle. */
static str source_of_call(struct call *c)
{
    str source = val_text(c->in, "SourceArn"), task = val_text(c->in, "TaskHandle"), id;

    if (!source.p && task.n && task_handle_read(&c->arena, task, &id, &source))
        return STR_NONE;
    return source;
}

void queue_place_of_call(struct call *c, struct arn *ret)
{
    struct queue_place place = {ret->region, ret->account, ret->resource};
    str name = val_text(c->in, "QueueName"), url = val_text(c->in, "QueueUrl"),
        source = source_of_call(c), owner = val_text(c->in, "QueueOwnerAWSAccountId");
    struct arn arn;

    if (name.p)
        place.name = name;
    else if (arn_read(url.p ? url : source, &arn) == 0)
        place = (struct queue_place){arn.region, arn.account, arn.resource};
    else if (url.p)
        queue_place_read(url, &place);
    if (arn_is_account(owner))
        place.account = owner;
    ret->region = place.region;
    ret->account = place.account;
    ret->resource = place.name;
}
