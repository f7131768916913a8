#include "topicd/topicd.h"

static const char *links_state(const struct queueds *q)
{
    u32 up = queueds_up(q);

    if (up == q->link_count)
        return "ok";
    return up ? "partial" : "down";
}

static void outbox_figures(const struct topic_outbox *o, struct figures *to)
{
    figure_gauge(to, "outbox_frames", "", o ? o->frames : 0, "Frames that wait on disk.");
    figure_gauge(to, "outbox_bytes", "bytes", o ? o->bytes : 0, "Their bytes.");
}

static void link_figures(const struct queued_link *p, struct figures *to)
{
    static const char *const states[] = {[QUEUED_LINK_DOWN] = "down",
                                         [QUEUED_LINK_GREETING] = "greeting",
                                         [QUEUED_LINK_CATCHING_UP] = "catching up",
                                         [QUEUED_LINK_LIVE] = "live"};

    figures_of(to, "url", p->url);
    figure_state(
        to, "state", p->is_copy ? "copy" : states[p->state],
        "State of the session with this queued instance; copy: its store is a copy of another's.");
    figure_gauge(to, "unacknowledged_bytes", "bytes", p->unacked_bytes,
                 "Bytes of deliveries that were sent and are not acknowledged.");
    figure_state(to, "instance", p->home ? p->home->name : "", "The name of its store.");
    outbox_figures(p->home ? p->home->outbox : NULL, to);
}

/* Homes to which no link leads: their outboxes are kept. */
static void orphan_figures(const struct homes *homes, struct figures *to)
{
    figures_begin(to, "orphans");
    for (u32 i = 0; i < homes->n; i++) {
        const struct home *h = homes->items[i];

        if (!home_is_orphan(h))
            continue;
        figures_of(to, "instance", h->name);
        figure_gauge(to, "queues", "", h->queues, "Queues that it owns.");
        outbox_figures(h->outbox, to);
    }
    figures_end(to);
}

static void delivery_figures(const struct queueds *q, struct figures *to)
{
    const struct topic_outbox *held = q->homes.items[HOME_NOWHERE]->outbox;

    figure_gauge(to, "held_frames", "", held->frames,
                 "Frames on disk for queues whose queued instance is not known.");
    figure_gauge(to, "held_frames_bytes", "bytes", held->bytes, "Their bytes.");
    figure_counter(to, "failed", "", failed_deliveries_count(&q->failed),
                   "Deliveries that failed for good.");
    figure_counter(to, "unknown_queue", "", q->failed.counts[FAILURE_NO_QUEUE],
                   "Those of them for a queue that does not exist.");
    figure_counter(to, "forbidden", "", q->failed.counts[FAILURE_FORBIDDEN],
                   "Those of them that the queue's policy did not allow.");
    figure_counter(to, "refused_raw", "", q->failed.counts[FAILURE_ATTRIBUTES],
                   "Those of them that were raw with attributes that SQS does not accept.");
}

void topicd_figures(const struct server *s, struct figures *to)
{
    const struct topicd *t = topicd_of(s);

    figure_state(to, "link", links_state(&t->queueds), "Whether the queued instances are up.");
    figure_gauge(to, "links_up", "", queueds_up(&t->queueds), "Queued instances that are up.");
    figure_gauge(to, "links", "", t->queueds.link_count, "Queued instances that are configured.");
    figure_gauge(to, "topics", "", t->catalog.topics.n, "Topics of all accounts and regions.");
    figure_gauge(to, "subscriptions", "", catalog_sub_count(&t->catalog),
                 "Subscriptions of all topics.");
    figure_counter(to, "published", "", t->fanout.published, "Messages that were published.");
    figure_counter(to, "matched", "", t->fanout.matched,
                   "Deliveries: matches of a message with a subscription.");
    figure_counter(to, "filtered_out", "", t->fanout.filtered_out,
                   "Non-matches: messages that a filter policy refused.");
    delivery_figures(&t->queueds, to);
    figure_gauge(to, "captured", "", t->captured.count, "Messages on the page /_toque/outbox.");
    figure_gauge(to, "captured_bytes", "bytes", t->captured.bytes, "Their bytes.");
    figure_counter(to, "forwarded", "", t->front.forwarded, "Queue calls that were forwarded.");
    figure_counter(to, "forwarded_lost", "", t->front.lost,
                   "Forwarded calls whose queued instance went down.");
    figure_gauge(to, "held_bytes", "bytes", fanout_held_bytes(&t->fanout),
                 "Bytes of deliveries in memory that are not acknowledged.");
    figures_begin(to, "queueds");
    for (u32 i = 0; i < t->queueds.link_count; i++)
        link_figures(t->queueds.links[i], to);
    figures_end(to);
    orphan_figures(&t->queueds.homes, to);
}
