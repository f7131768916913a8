#include "queued/queued.h"

static const char *link_state(const struct topicd_link *p)
{
    if (!p->link)
        return "none";
    return topicd_link_is_up(p) ? "ok" : "down";
}

void queued_figures(const struct server *s, struct figures *to)
{
    const struct queued *d = queued_of(s);
    const struct queues *qs = &d->queues;

    figure_state(to, "link", link_state(&d->topicd), "Whether topicd is there.");
    figure_gauge(to, "queues", "", queues_count(qs), "Queues of all accounts and regions.");
    figure_gauge(to, "messages", "", qs->msgs.msgs.used,
                 "Messages that are stored, including those that wait to be cleared.");
    figure_gauge(to, "damaged", "", qs->damaged + qs->set_aside,
                 "Rows and bodies of the store that cannot be read.");
    figure_gauge(to, "long_polls", "", qs->waiting.parked, "Receives that wait for a message.");
    figure_counter(to, "delivered", "", d->topicd.delivered, "Messages made of publications.");
    figure_counter(to, "unknown_targets", "", d->topicd.unknown,
                   "Targets of publications whose queue does not exist.");
    figure_counter(to, "forbidden", "", d->topicd.forbidden,
                   "Deliveries that the queue's policy did not allow.");
    figure_counter(to, "refused_raw", "", d->topicd.unfit,
                   "Raw deliveries that were dropped because they had too many attributes.");
}
