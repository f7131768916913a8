/* The desk's face to the doors: an exchange carries its call, and a call's reply its exchange. */
#include "common/aws/desk.h"

static void http_reply(void *arg, struct call *c)
{
    struct http_exchange *x = arg;
    http_exchange_set_data(x, NULL);
    http_answer(x, &c->answer);
}

static void http_request(void *arg, struct http_exchange *x, const struct request *rq)
{
    http_exchange_set_data(x, desk_take(arg, rq, http_reply, x));
}

static void http_gone(void *arg, struct http_exchange *x)
{
    struct call *c = http_exchange_data(x);
    if (c)
        desk_cancel(c);
}

bool desk_is_there(const struct call *c)
{
    return !c->gone && (c->reply != http_reply || http_exchange_is_there(c->reply_arg));
}

struct http_handler desk_http_handler(struct desk *d)
{
    return (struct http_handler){.request = http_request, .gone = http_gone, .arg = d};
}

static void ipc_reply(void *arg, struct call *c)
{
    struct ipc_exchange *x = arg;
    ipc_exchange_set_data(x, NULL);
    ipc_answer(x, &c->answer);
}

static void ipc_request(void *arg, struct ipc_exchange *x, const struct request *rq)
{
    ipc_exchange_set_data(x, desk_take(arg, rq, ipc_reply, x));
}

static void ipc_gone(void *arg, struct ipc_exchange *x)
{
    struct call *c = ipc_exchange_data(x);
    if (c)
        desk_cancel(c);
}

struct ipc_handler desk_ipc_handler(struct desk *d)
{
    return (struct ipc_handler){.request = ipc_request, .gone = ipc_gone, .arg = d};
}
