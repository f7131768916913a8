/* Limits of the HTTP server: connections of one address, room for new connections, deadlines. */
#include "common/io/http_connection.h"

#include "common/base/mem.h"

/* An answer that has been in progress for so long may be aborted to make room. */
#define STALLED_MS 1000
/* After a refusal: for what the client still sends. */
#define LINGER_MS 5000
/* Idle connections examined when looking for the longest idle one. */
#define IDLE_LOOKS_MAX 64
/* How often within its limit an idle connection is examined: it may be closed late by one part. */
#define IDLE_LOOKS 8
/* Connections examined in one turn; the others follow in the next. */
#define LOOKS_MAX 1024

/* Connections of one address, if they are limited. */
struct http_address {
    struct address address;
    u32 count;
};

/* --- connections of one address --------------------------------------------------------------- */

static struct http_address *address_entry(struct http_server *s, const struct address *a)
{
    return map_get(&s->addresses, str_from(a, sizeof(*a)));
}

bool http_address_add(struct http_server *s, const struct address *a)
{
    struct http_address *entry;

    if (!s->limits.connections_per_address_max || !a->family)
        return true;
    entry = address_entry(s, a);
    if (!entry) {
        entry = mem_alloc(sizeof(*entry));
        entry->address = *a;
        map_put(&s->addresses, str_from(&entry->address, sizeof(entry->address)), entry);
    }
    if (entry->count >= s->limits.connections_per_address_max)
        return false;
    entry->count++;
    return true;
}

void http_address_remove(struct http_server *s, const struct address *a)
{
    struct http_address *entry;

    if (!s->limits.connections_per_address_max || !a->family)
        return;
    entry = address_entry(s, a);
    if (--entry->count)
        return;
    map_del(&s->addresses, str_from(a, sizeof(*a)));
    mem_free(entry);
}

/* --- room ------------------------------------------------------------------------------------- */

/* The answer in progress for the longest time, if that is long enough. */
static struct http_connection *first_stalled(struct http_server *s)
{
    struct http_connection *c = http_first_of(&s->sending);

    return c && http_now_ms(s) - c->since_ms >= STALLED_MS ? c : NULL;
}

/* The connection that has been idle longest, as far as a bounded search shows: those after the
 * first that was not used since it was listed were used later. Busy ones are moved to the end on
 * the way. */
static struct http_connection *first_idle(struct http_server *s)
{
    struct http_connection *best = NULL;
    u32 looks = 0;

    if (s->idle_count == 0)
        return NULL;
    list_each(item, next, &s->kept) {
        struct http_connection *c = list_item(item, struct http_connection, link);

        if (c->state != HTTP_IDLE) {
            if (best && c->listed_ms == http_now_ms(s))
                break; /* from here on it may be one that was just moved */
            list_remove(&c->link);
            list_push_back(&s->kept, &c->link);
            c->listed_ms = http_now_ms(s);
            continue;
        }
        if (!best || c->since_ms < best->since_ms)
            best = c;
        if (c->since_ms == c->listed_ms || ++looks == IDLE_LOOKS_MAX)
            break;
    }
    return best;
}

bool http_has_room(struct http_server *s)
{
    return s->stats.connections < s->limits.connections_max || s->idle_count ||
           !list_is_empty(&s->lingering) || !list_is_empty(&s->reading) || first_stalled(s);
}

void http_evict(struct http_server *s)
{
    struct http_connection *idle, *reading, *c = http_first_of(&s->lingering);

    if (!c) {
        idle = first_idle(s);
        reading = http_first_of(&s->reading);
        c = !reading || (idle && idle->since_ms <= reading->since_ms) ? idle : reading;
    }
    if (!c)
        c = first_stalled(s);
    if (!c)
        return;
    s->stats.evicted++;
    http_connection_close(c);
}

bool http_reclaim(void *arg)
{
    struct http_server *s = arg;
    struct http_connection *c = first_stalled(s);

    if (!c)
        return false;
    s->stats.evicted++;
    http_connection_close(c);
    return true;
}

/* --- deadlines -------------------------------------------------------------------------------- */

static i64 idle_look_ms(const struct http_server *s)
{
    return MAX((i64)s->limits.idle_timeout_s * 1000 / IDLE_LOOKS, 1);
}

static void connection_expire(struct http_connection *c)
{
    c->server->stats.expired++;
    http_connection_close(c);
}

static void expire_list(struct http_server *s, struct list *list, i64 limit_ms)
{
    struct http_connection *c;

    while ((c = http_first_of(list)) && c->since_ms + limit_ms <= http_now_ms(s))
        connection_expire(c);
}

static void expire_kept(struct http_server *s)
{
    i64 now_ms = http_now_ms(s), limit_ms = (i64)s->limits.idle_timeout_s * 1000;
    struct http_connection *c;

    for (u32 i = 0; i < LOOKS_MAX && (c = http_first_of(&s->kept)); i++) {
        if (c->listed_ms + idle_look_ms(s) > now_ms)
            break;
        if (c->state == HTTP_IDLE && c->since_ms + limit_ms <= now_ms) {
            connection_expire(c);
            continue;
        }
        list_remove(&c->link);
        list_push_back(&s->kept, &c->link);
        c->listed_ms = now_ms;
    }
}

static i64 sooner_ms(i64 a, i64 b)
{
    return a < 0 ? b : MIN(a, b);
}

void http_expire(struct http_server *s)
{
    expire_kept(s);
    expire_list(s, &s->reading, (i64)s->limits.request_timeout_s * 1000);
    expire_list(s, &s->sending, (i64)s->limits.answer_timeout_s * 1000);
    expire_list(s, &s->lingering, LINGER_MS);
}

i64 http_next_deadline_ms(const struct http_server *s)
{
    const struct http_connection *c;
    i64 next = s->resume_ms;

    if ((c = http_first_of(&s->kept)))
        next = sooner_ms(next, c->listed_ms + idle_look_ms(s));
    if ((c = http_first_of(&s->reading)))
        next = sooner_ms(next, c->since_ms + (i64)s->limits.request_timeout_s * 1000);
    if ((c = http_first_of(&s->sending)))
        next = sooner_ms(next, c->since_ms + (i64)s->limits.answer_timeout_s * 1000);
    if ((c = http_first_of(&s->lingering)))
        next = sooner_ms(next, c->since_ms + LINGER_MS);
    return next;
}
