#include "topicd/captured_route.h"

#include "topicd/catalog.h"
#include "topicd/mobile.h"

/* A push endpoint may be gone or disabled since it subscribed. */
static bool is_ready(const struct captured_route *r, const struct publication *p,
                     const struct sub *u)
{
    if (!str_is(sub_protocol(u), "application") ||
        mobile_endpoint_state(r->assets, sub_endpoint(u)) == MOBILE_READY)
        return true;
    struct frame_publication what = {.topic = p->topic, .message_id = str_of(p->message_id)};
    struct frame_target target = {.queue = sub_endpoint(u), .subscription = u->arn};

    delivery_failed(r->failed, &(struct failed_delivery){FAILURE_ENDPOINT, &what, &target});
    return false;
}

/* Structured messages name a push endpoint's text by its platform. */
static str text_for(struct publication *p, const struct sub *u)
{
    const char *protocol = sub_protocol_name(u);
    str platform = mobile_platform(sub_endpoint(u));

    if (strcmp(protocol, "application") == 0)
        protocol = arena_printf(p->arena, "%.*s", STR_ARG(platform)).p;
    return publication_text(p, protocol);
}

static void capture(struct captured_route *r, struct publication *p, const struct sub *u)
{
    captured_add(r->captured, &(struct captured_new){.protocol = sub_protocol_name(u),
                                                     .type = "Notification",
                                                     .endpoint = sub_endpoint(u),
                                                     .account = u->topic->scope->account,
                                                     .region = u->topic->scope->region,
                                                     .topic = u->topic->arn,
                                                     .subscription = u->arn,
                                                     .message_id = str_of(p->message_id),
                                                     .subject = p->subject,
                                                     .message = text_for(p, u),
                                                     .attrs = &p->attrs,
                                                     .time_ms = p->time_ms});
}

static void captured_route_put(struct route *route, struct publication *p, struct sub *const *subs,
                               size_t n, struct completion *done)
{
    struct captured_route *r = container_of(route, struct captured_route, route);

    const struct sub **ready = arena_alloc(p->arena, n * sizeof(struct sub *));
    /* The texts of a structured message may be shorter than it is. */
    size_t keep = captured_keeps(r->captured, p->structured ? 0 : p->message.n), count = 0;

    for (size_t i = 0; i < n; i++)
        if (is_ready(r, p, subs[i]))
            ready[count++] = subs[i];
    /* The others would give way to these at once. */
    for (size_t i = count > keep ? count - keep : 0; i < count; i++)
        capture(r, p, ready[i]);
}

static void captured_route_flush(struct route *route, int err)
{
}

static bool captured_route_send_on(struct route *route)
{
    return false;
}

static u64 captured_route_held_bytes(const struct route *route)
{
    return 0;
}

void captured_route_init(struct captured_route *r, struct captured *captured,
                         const struct assets *assets, struct failed_deliveries *failed)
{
    *r = (struct captured_route){.route = {.put = captured_route_put,
                                           .flush = captured_route_flush,
                                           .send_on = captured_route_send_on,
                                           .held_bytes = captured_route_held_bytes},
                                 .captured = captured,
                                 .assets = assets,
                                 .failed = failed};
}
