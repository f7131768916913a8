#include "topicd/topicd.h"

static const char *links_state(const struct topicd *t)
{
    u32 up = topicd_links_up(t);

    if (up == t->link_count)
        return "ok";
    return up ? "partial" : "down";
}

static void link_figures(const struct queued_link *p, struct figures *to)
{
    static const char *const states[] = {[QUEUED_LINK_DOWN] = "down",
                                         [QUEUED_LINK_GREETING] = "greeting",
                                         [QUEUED_LINK_CATCHING_UP] = "catching up",
                                         [QUEUED_LINK_LIVE] = "live"};

    figures_of(to, "url", p->url);
    figure_state(to, "state", states[p->state], "Where the session with this queued stands.");
    figure_gauge(to, "unacknowledged_bytes", "bytes", p->unacked_bytes,
                 "Deliveries that were sent and are not acknowledged.");
    figure_gauge(to, "outbox_frames", "", p->outbox->frames, "Frames that wait on disk.");
    figure_gauge(to, "outbox_bytes", "bytes", p->outbox->bytes, "Their bytes.");
}

void topicd_figures(const struct server *s, struct figures *to)
{
    const struct topicd *t = topicd_of(s);

    figure_state(to, "link", links_state(t), "Whether the queued instances are there.");
    figure_gauge(to, "links_up", "", topicd_links_up(t), "Queued instances that are there.");
    figure_gauge(to, "links", "", t->link_count, "Queued instances that are configured.");
    figure_gauge(to, "topics", "", t->catalog.topics.n, "Topics of all accounts and regions.");
    figure_gauge(to, "subscriptions", "", catalog_sub_count(&t->catalog),
                 "Subscriptions of all topics.");
    figure_counter(to, "published", "", t->fanout.published, "Messages that were published.");
    figure_counter(to, "matched", "", t->fanout.matched,
                   "Subscriptions that got a published message.");
    figure_counter(to, "filtered_out", "", t->fanout.filtered_out,
                   "Subscriptions whose filter policy refused one.");
    figure_counter(to, "refused_raw", "", t->queued_route.refused_raw,
                   "Raw deliveries that were dropped for having too many attributes.");
    figure_counter(to, "forwarded", "", t->front.forwarded, "Queue calls that were forwarded.");
    figure_counter(to, "forwarded_lost", "", t->front.lost,
                   "Forwarded calls whose queued went away.");
    figure_gauge(to, "held_bytes", "bytes", fanout_held_bytes(&t->fanout),
                 "Deliveries in memory that nobody has acknowledged.");
    figures_begin(to, "queueds");
    for (u32 i = 0; i < t->link_count; i++)
        link_figures(t->links[i], to);
    figures_end(to);
}
