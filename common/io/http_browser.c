/* The Fetch standard defines what browsers send: Origin with every request whose response a page
 * may read and with every POST, "null" if there is no origin to name; Referer unless the page
 * suppresses it; Sec-Fetch-Site always, for addresses of this machine. */
#include "common/io/http_browser.h"

/* Methods that a page may use: those that the services accept. */
#define METHODS        "GET, HEAD, POST, PUT, DELETE, OPTIONS"
#define MAX_AGE_S      "600"
#define ASKED_SIZE_MAX 1024

#define HOST_UNKNOWN "Pages are not accepted at this host name: see browser_hosts."

/* --- hosts ------------------------------------------------------------------------------------ */

/* A host without its port, and an IPv6 address without its brackets. */
static str host_name(str host)
{
    ptrdiff_t end;

    if (str_starts(host, STR("["))) {
        end = str_find(host, ']');
        return str_slice(host, 1, end < 0 ? host.n : (size_t)end);
    }
    end = str_find(host, ':');
    return end < 0 ? host : str_slice(host, 0, (size_t)end);
}

static bool is_localhost(str name)
{
    str local = STR(".localhost");

    return str_eq_nocase(name, STR("localhost")) ||
           (name.n > local.n && str_eq_nocase(str_slice(name, name.n - local.n, name.n), local));
}

static bool host_is_known(const struct http_browsers *b, str host)
{
    str name = host_name(host);
    struct address address;

    if (is_localhost(name) || address_read(name, &address))
        return true;
    for (u32 i = 0; i < b->host_count; i++)
        if (str_eq_nocase(name, str_of(b->hosts[i])))
            return true;
    return false;
}

/* --- origins ---------------------------------------------------------------------------------- */

/* The scheme://host:port at the beginning of a URL. */
static str origin_of(str url)
{
    ptrdiff_t colon = str_find(url, ':');
    size_t end;

    if (colon < 0 || !str_starts(str_slice(url, (size_t)colon, url.n), STR("://")))
        return url;
    end = (size_t)colon + 3;
    while (end < url.n && url.p[end] != '/' && url.p[end] != '?' && url.p[end] != '#')
        end++;
    return str_slice(url, 0, end);
}

static bool origin_is_loopback(str origin)
{
    ptrdiff_t colon = str_find(origin, ':');
    struct address address;
    str name;

    if (!str_starts_nocase(origin, STR("http://")) && !str_starts_nocase(origin, STR("https://")))
        return false;
    name = host_name(str_slice(origin, (size_t)colon + 3, origin.n));
    return is_localhost(name) || (address_read(name, &address) && address_is_loopback(&address));
}

/* The page is this endpoint's own: that its host is ours is checked separately. */
static bool origin_is_own(str origin, str host)
{
    ptrdiff_t colon = str_find(origin, ':');

    return colon > 0 && str_starts(str_slice(origin, (size_t)colon, origin.n), STR("://")) &&
           str_eq_nocase(str_slice(origin, (size_t)colon + 3, origin.n), host);
}

static bool origin_is_listed(const struct http_browsers *b, str origin)
{
    for (u32 i = 0; i < b->origin_count; i++) {
        str item = str_of(b->origins[i]);

        if (str_is(item, "*") || str_eq_nocase(item, origin) ||
            (str_is(item, "loopback") && origin_is_loopback(origin)))
            return true;
    }
    return false;
}

/* A request without Origin and Referer is the user's own (a typed address), or comes from a page
 * that this endpoint served: the host check then ensures that it is ours. */
static bool site_is_ours(str site)
{
    return str_eq_nocase(site, STR("none")) || str_eq_nocase(site, STR("same-origin"));
}

/* --- the verdict ------------------------------------------------------------------------------ */

static str field_of(const struct http_head *h, const char *name)
{
    for (u32 i = 0; i < h->rq.field_count; i++)
        if (str_eq_nocase(h->fields[i].name, str_of(name)))
            return h->fields[i].value;
    return STR_NONE;
}

/* Over plain HTTP, at other names than those of this machine, browsers leave Sec-Fetch-Site out, and a
 * page can leave out Referer (a GET has no Origin). What is left says that a browser sends it, not
 * which page: let in by a known name only, and there not to call an action. */
static bool is_browser(const struct http_head *h)
{
    return str_starts(h->user_agent, STR("Mozilla/")) ||
           (h->language.n && !str_is(h->language, "*"));
}

static enum http_browser_verdict judge_unmarked(const struct http_browsers *b,
                                                const struct http_head *h, const char **ret_why)
{
    str name = host_name(h->rq.host);
    struct address address;

    if (!is_browser(h) || is_localhost(name) ||
        (address_read(name, &address) && address_is_loopback(&address)))
        return HTTP_NO_BROWSER;
    if (!host_is_known(b, h->rq.host))
        *ret_why = HOST_UNKNOWN;
    else if (h->rq.query.n && !origin_is_listed(b, STR("")))
        *ret_why = "A browser that does not say whose page it shows cannot call actions.";
    else
        return HTTP_NO_BROWSER;
    return HTTP_BROWSER_OUT;
}

enum http_browser_verdict http_browser_judge(const struct http_browsers *b, struct http_head *h,
                                             const char **ret_why)
{
    str origin = h->origin, site = h->fetch_site;

    if (!origin.p && !h->referer.p && !site.p)
        return judge_unmarked(b, h, ret_why);
    if (!origin.p && h->referer.p)
        origin = origin_of(h->referer);
    if (origin.p ? !origin_is_listed(b, origin) && !origin_is_own(origin, h->rq.host)
                 : !site_is_ours(site)) {
        *ret_why = "Pages of this origin are not accepted: see browser_origins.";
        return HTTP_BROWSER_OUT;
    }
    if (!host_is_known(b, h->rq.host)) {
        *ret_why = HOST_UNKNOWN;
        return HTTP_BROWSER_OUT;
    }
    h->rq.origin = h->origin;
    return h->origin.p && str_is(h->rq.method, "OPTIONS") &&
                   field_of(h, "Access-Control-Request-Method").p
               ? HTTP_PREFLIGHT
               : HTTP_BROWSER;
}

void http_browser_allow(const struct http_head *h, struct http_response *r)
{
    str asked = field_of(h, "Access-Control-Request-Headers");

    http_response_add(r, "Access-Control-Allow-Methods", STR(METHODS));
    if (asked.n && asked.n <= ASKED_SIZE_MAX)
        http_response_add(r, "Access-Control-Allow-Headers", asked);
    if (field_of(h, "Access-Control-Request-Private-Network").p)
        http_response_add(r, "Access-Control-Allow-Private-Network", STR("true"));
    http_response_add(r, "Access-Control-Max-Age", STR(MAX_AGE_S));
}
