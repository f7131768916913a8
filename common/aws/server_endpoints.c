/* The endpoints of a daemon: HTTP, TLS, a Unix-domain socket, and nng's local calls. */
#include "common/aws/server_parts.h"

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/io/http_browser.h"
#include "common/io/tls_local.h"

/* An address as written in URLs. */
static void host_write(struct buf *out, const char *host)
{
    buf_printf(out, strchr(host, ':') ? "[%s]" : "%s", host);
}

/* Records where the server listens, for the log and for URLs. */
static void note_addresses(struct server *s)
{
    const struct conf_list *hosts = &s->options->http_host;
    struct buf text = {0}, url = {0};

    for (size_t i = 0; i < hosts->n; i++) {
        buf_z(&text, i ? "," : "");
        host_write(&text, hosts->items[i]);
        buf_printf(&text, ":%u", s->http_port);
    }
    s->listens = buf_detach(&text);
    if (s->options->public_url[0])
        return;
    buf_z(&url, "http://");
    host_write(&url, hosts->items[0]);
    buf_printf(&url, ":%u", s->http_port);
    mem_free(s->public_url);
    s->public_url = buf_detach(&url);
    desk_set_public_url(s->desk, s->public_url);
}

static void warn_of_strangers(const struct conf_list *hosts)
{
    for (size_t i = 0; i < hosts->n; i++) {
        struct address a;
        bool own = strcmp(hosts->items[i], "localhost") == 0 ||
                   (address_read(str_of(hosts->items[i]), &a) && address_is_loopback(&a));

        if (!own)
            log_warning("the HTTP endpoint is open to other machines host=%s", hosts->items[i]);
    }
}

/* Opens the certificate, created or given, and the port that uses it. */
static int open_tls(struct server *s, struct fault *f)
{
    const struct server_options *o = s->options;
    struct tls_local local = {0};
    const char *certificate = o->tls_certificate, *key = o->tls_key;
    int err = 0;

    if (o->tls == SERVER_TLS_AUTO) {
        char *dir = mem_printf("%s/tls", o->data_dir);

        err = tls_local_make(&local, dir, (const char *const *)o->tls_names.items,
                             (u32)o->tls_names.n, clock_wall_ms(&s->clock) / 1000, f);
        certificate = local.certificate;
        key = local.key;
        mem_free(dir);
    }
    if (!err)
        err = tls_identity_open(&s->tls, certificate, key, f);
    if (!err)
        err =
            http_server_listen_tls(s->http, (const char *const *)o->http_host.items,
                                   (u32)o->http_host.n, (u16)o->tls_port, s->tls, &s->tls_port, f);
    if (!err)
        log_info("TLS is on port=%u certificate=%s AWS_CA_BUNDLE=%s", s->tls_port, certificate,
                 local.authority ? local.authority : "");
    tls_local_deinit(&local);
    return err;
}

static int open_http(struct server *s, struct fault *f)
{
    const struct server_options *o = s->options;
    struct http_limits limits = {.body_size_max = (u32)o->body_size_max,
                                 .header_size_max = (u32)o->header_size_max,
                                 .connections_max = (u32)o->connections_max,
                                 .connections_per_address_max = (u32)o->connections_per_address_max,
                                 .idle_timeout_s = (u32)o->idle_timeout_s,
                                 .request_timeout_s = (u32)o->request_timeout_s,
                                 .answer_timeout_s = (u32)o->answer_timeout_s};
    struct http_browsers browsers = {.origins = (const char *const *)o->browser_origins.items,
                                     .origin_count = (u32)o->browser_origins.n,
                                     .hosts = (const char *const *)o->browser_hosts.items,
                                     .host_count = (u32)o->browser_hosts.n};
    int err;

    err = http_server_new(&s->http, s->loop, &limits, &s->clients, desk_http_handler(s->desk));
    if (err)
        return fault_set(f, CONF_FAULT, "the HTTP endpoint cannot be created: %s", err_text(err));
    http_server_guard(s->http, &browsers);
    err = http_server_listen_tcp(s->http, (const char *const *)o->http_host.items,
                                 (u32)o->http_host.n, (u16)o->http_port, &s->http_port, f);
    if (!err && o->unix_socket[0])
        err = http_server_listen_unix(s->http, o->unix_socket, f);
    if (err)
        return err;
    if (o->tls != SERVER_TLS_OFF)
        err = open_tls(s, f);
    if (err)
        return err;
    note_addresses(s);
    warn_of_strangers(&o->http_host);
    return 0;
}

int server_open_endpoints(struct server *s, struct fault *f)
{
    const struct server_options *o = s->options;
    struct ipc_limits ipc = {.message_size_max = (u32)o->ipc_message_size_max,
                             .answer_timeout_s = (u32)o->answer_timeout_s};
    int err = open_http(s, f);

    if (!err && o->ipc_url[0])
        err = ipc_door_open(&s->ipc, s->loop, o->ipc_url, &ipc, &s->clients,
                            desk_ipc_handler(s->desk), f);
    return err;
}
