/* Finds the service and action of a request. They are determined, in this order, by: the target
 * header (JSON), the Version parameter, the action's name. Two actions exist in both services
 * (AddPermission, RemovePermission): then the parameters, the path and the signature's scope
 * decide.
 *
 * Queue paths: the forms that are in use, see call_is_queue_path. Clients of the Query protocol,
 * and some of the JSON protocol, send a queue's calls to its path. */
#include "common/aws/dialect.h"
#include "common/base/form.h"

#define QUEUE_PATH_PARTS_MAX 4

/* --- paths ------------------------------------------------------------------------------------ */

/* Splits a path into its parts, ignoring a trailing slash; if there are more than fit, returns n +
 * 1. */
static size_t path_parts(str path, str *ret, size_t n)
{
    size_t found = 0;
    if (!str_starts(path, STR("/")))
        return 0;
    str rest = str_slice(path, 1, path.n);
    if (str_ends(rest, STR("/")))
        rest.n--;
    if (rest.n == 0)
        return 0;
    while (rest.p) {
        if (found == n)
            return n + 1;
        ret[found++] = str_cut(&rest, '/');
    }
    return found;
}

bool call_is_queue_path(str path)
{
    str parts[QUEUE_PATH_PARTS_MAX];
    size_t n = path_parts(path, parts, ARRAY_LEN(parts));
    switch (n) {
    case 1:
    case 2: break;
    case 4:
        if (!str_is(parts[0], "queue"))
            return false;
        break;
    default: return false;
    }
    return parts[n - 1].n > 0;
}

/* --- services and actions --------------------------------------------------------------------- */

const struct action *call_action(const struct service *s, str name)
{
    size_t low = 0, high = s->action_count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int order = str_cmp(str_of(s->actions[mid].name), name);
        if (order == 0)
            return &s->actions[mid];
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

/* SNS has no JSON protocol of its own, so clients use different prefixes for its target. */
static bool is_target_of(const struct service *s, str prefix)
{
    if (str_is(prefix, s->target_prefix))
        return true;
    return strcmp(s->signing_name, "sns") == 0 &&
           (str_is(prefix, "AmazonSNS.") || str_is(prefix, "SNS.") ||
            str_is(prefix, "AmazonSimpleNotificationService."));
}

static const struct service *by_scope(const struct call *c, const struct service *const *services,
                                      size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_is(c->identity.service, services[i]->signing_name))
            return services[i];
    return NULL;
}

static const struct service *by_flattened(const struct service *const *services, size_t n,
                                          bool flattened)
{
    for (size_t i = 0; i < n; i++)
        if (services[i]->flattened == flattened)
            return services[i];
    return NULL;
}

/* The service of an action whose name is known to several services or to none. */
static const struct service *by_hints(const struct call *c, const struct service *const *services,
                                      size_t n)
{
    const struct service *s = NULL;
    if (form_get(c->params, STR("TopicArn")).p)
        s = by_flattened(services, n, false);
    else if (form_get(c->params, STR("QueueUrl")).p || call_is_queue_path(c->request.path))
        s = by_flattened(services, n, true);
    if (!s)
        s = by_scope(c, services, n);
    return s ? s : services[0];
}

static const struct service *by_params(const struct call *c, const struct service *const *services,
                                       size_t n, str action)
{
    str version = form_get(c->params, STR("Version"));
    const struct service *only = NULL;
    size_t known = 0;
    for (size_t i = 0; i < n; i++) {
        if (version.n && str_is(version, services[i]->query_version))
            return services[i];
        if (call_action(services[i], action)) {
            only = services[i];
            known++;
        }
    }
    return known == 1 ? only : by_hints(c, services, n);
}

/* --- the two protocols ------------------------------------------------------------------------ */

static void unknown_action(struct call *c, str name)
{
    fault_set(&c->fault, CALL_FAULT_UNKNOWN_ACTION,
              "The action %.*s is not valid for this endpoint.", str_shown(name, 256),
              name.n ? name.p : "");
}

static void find_json(struct call *c, const struct service *const *services, size_t n)
{
    str target = c->request.target;
    size_t cut = (size_t)(str_rfind(target, '.') + 1);
    str prefix = str_slice(target, 0, cut), name = str_slice(target, cut, target.n);
    c->dialect = DIALECT_JSON;
    for (size_t i = 0; i < n; i++) {
        if (!is_target_of(services[i], prefix))
            continue;
        c->service = services[i];
        c->action = call_action(services[i], name);
        if (!c->action && !c->service->forward)
            unknown_action(c, name);
        return;
    }
    c->service = services[0];
    unknown_action(c, name);
}

/* Reads the query string, then the form body. */
static int read_params(struct call *c)
{
    struct form *form = arena_zalloc(&c->arena, sizeof *form);
    c->params = form;
    const struct request *rq = &c->request;
    int err = form_decode(form, rq->query, &c->arena);
    bool is_form = rq->content_type.n == 0 ||
                   str_starts_nocase(rq->content_type, STR("application/x-www-form-urlencoded"));
    if (err == 0 && is_form)
        err = form_decode(form, rq->body, &c->arena);
    return err;
}

static void find_query(struct call *c, const struct service *const *services, size_t n)
{
    c->dialect = DIALECT_QUERY;
    c->plain_json = str_starts_nocase(c->request.accept, STR("application/json"));
    c->service = services[0];
    int err = read_params(c);
    if (err == E_TOO_LARGE)
        fault_set(&c->fault, CALL_FAULT_TOO_LARGE, "The request has too many parameters.");
    else if (err)
        fault_set(&c->fault, CALL_FAULT_SERIALIZATION,
                  "The parameters hold a percent sign without two hexadecimal digits.");
    if (err) {
        c->service = by_hints(c, services, n);
        return;
    }
    str name = form_get(c->params, STR("Action"));
    if (name.n == 0) {
        c->service = by_hints(c, services, n);
        fault_set(&c->fault, CALL_FAULT_NO_ACTION, "The request names no action.");
        return;
    }
    c->service = by_params(c, services, n, name);
    c->action = call_action(c->service, name);
    bool refused =
        c->action && c->action->flags & ACTION_NO_QUEUE_PATH && call_is_queue_path(c->request.path);
    if (refused || (!c->action && !c->service->forward))
        unknown_action(c, name);
}

void call_find(struct call *c, const struct service *const *services, size_t n)
{
    assert(n > 0);
    if (c->request.target.n || c->request.door == DOOR_IPC)
        find_json(c, services, n);
    else
        find_query(c, services, n);
}
