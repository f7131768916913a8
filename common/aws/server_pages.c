/* The pages that every daemon serves: its figures, and a page for tools made for LocalStack. */
#include "common/aws/server_parts.h"

static const char *status_word(const struct server *s)
{
    if (s->failing)
        return "failing";
    return s->full || (s->ops->is_degraded && s->ops->is_degraded(s)) ? "degraded" : "ok";
}

static void server_client_figures(const struct server *s, struct figures *to)
{
    struct http_stats http = http_server_stats(s->http);

    figure_gauge(to, "connections", "", http.connections, "HTTP connections.");
    figure_counter(to, "connections_accepted", "", http.accepted, "HTTP connections so far.");
    figure_counter(to, "connections_evicted", "", http.evicted,
                   "Connections that were closed to make room.");
    figure_counter(to, "connections_expired", "", http.expired,
                   "Connections that were closed at one of their deadlines.");
    figure_counter(to, "requests", "", http.requests, "HTTP requests that were accepted.");
    figure_counter(to, "requests_refused", "", http.refused,
                   "HTTP requests, and connections, that were refused before they were calls.");
    figure_counter(to, "answers_lost", "", http.lost, "Answers that did not reach their clients.");
    figure_gauge(to, "client_bytes", "bytes", s->clients.used, "Memory held for clients.");
}

/* `waiting` excludes the asking call. */
static void server_figures(const struct server *s, struct figures *to)
{
    struct store_stats store = engine_stats(s->engine);
    struct loop_stats loop = loop_stats(s->loop);
    struct background_stats background = background_stats(s->background);

    figure_state(to, "status", status_word(s), "Overall state.");
    figure_state(to, "version", TOQUE_VERSION, "Version of toque.");
    figure_counter(to, "uptime_s", "s", (u64)(s->clock.mono_ms - s->started_ms) / 1000,
                   "Time since the start.");
    figure_state(to, "store",
                 s->failing ? "failing"
                 : s->full  ? "full"
                            : "ok",
                 "Whether the store accepts writes.");
    if (s->tls)
        figure_gauge(to, "tls_port", "", s->tls_port, "Port of the HTTP endpoint with TLS.");
    figure_gauge(to, "http_port", "", s->http_port, "Port of the HTTP endpoint.");
    server_client_figures(s, to);
    figure_gauge(to, "waiting", "", desk_waiting(s->desk) - 1, "Pending calls.");
    figure_counter(to, "turns", "", loop.turns, "Turns of the loop.");
    figure_gauge(to, "turn_longest_us", "us", (u64)loop.longest_us,
                 "The longest turn of the last 10 to 20 seconds.");
    figure_gauge(to, "background_jobs", "", background.awake, "Background jobs that have work.");
    figure_counter(to, "background_us", "us", (u64)background.us,
                   "Time spent on background work, including its share of commits.");
    figure_gauge(to, "background_commit_us", "us", (u64)background.commit_median_us,
                 "Median duration of the last commits that included background work.");
    figure_counter(to, "commits", "", store.commits, "Turns that the store made durable.");
    figure_gauge(to, "commit_longest_us", "us", (u64)loop.commit_longest_us,
                 "The longest commit of the last 10 to 20 seconds.");
    figure_counter(to, "store_failures", "", store.failures,
                   "Turns that were lost, and checkpoints that failed.");
    figure_gauge(to, "file_bytes", "bytes", store.file_bytes, "Database file.");
    figure_gauge(to, "free_bytes", "bytes", store.free_bytes, "Free pages in it.");
    figure_gauge(to, "wal_bytes", "bytes", store.wal_bytes, "Used part of the write-ahead log.");
    if (s->ops->figures)
        s->ops->figures(s, to);
}

static void health_page(struct call *c, void *arg)
{
    struct buf out = {0};
    struct figures_json json;

    figures_json_begin(&json, &out);
    server_figures(arg, &json.to);
    figures_json_end(&json);
    call_page(c, 200, buf_view(&out));
    buf_deinit(&out);
}

/* The page for which tools made for LocalStack wait. */
static void localstack_page(struct call *c, void *arg)
{
    const struct server *s = arg;
    struct buf out = {0};

    buf_z(&out, "{\"services\":{");
    for (size_t i = 0; i < desk_service_count(s->desk); i++)
        buf_printf(&out, "%s\"%s\":\"running\"", i ? "," : "",
                   desk_service(s->desk, i)->signing_name);
    buf_z(&out, "},\"edition\":\"toque\",\"version\":\"" TOQUE_VERSION "\"}");
    call_page(c, 200, buf_view(&out));
    buf_deinit(&out);
}

void server_add_pages(struct server *s)
{
    desk_add_open_page(s->desk, "GET", "/health", health_page, s);
    desk_add_open_page(s->desk, "GET", "/_localstack/health", localstack_page, s);
}
