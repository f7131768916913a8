/* A daemon's links: limits from its options, a key from its file, and no address open to everybody
 * unless configured explicitly. */
#include "common/aws/server.h"

#include "common/base/log.h"
#include "common/io/secret_file.h"

/* Characters of a key. A short one could be guessed offline from a recorded greeting. */
#define LINK_KEY_MIN 32
#define LINK_KEY_MAX 1024

static int check_address(const struct server *s, const char *url, struct fault *f)
{
    if (s->link_key.n || !link_is_open_to_all(url))
        return 0;
    if (!s->options->link_insecure)
        return fault_set(f, CONF_FAULT,
                         "%s: anybody could connect to this link: name the file of a shared key "
                         "with link_key, or set link_insecure",
                         url);
    log_warning("the link has no key: anybody who reaches it can read and write everything url=%s",
                url);
    return 0;
}

int server_link_limits(struct server *s, const char *const *urls, size_t n, struct link_limits *ret,
                       struct fault *f)
{
    const struct server_options *o = s->options;
    struct link_limits limits = LINK_LIMITS_DEFAULT;
    int err = 0;

    if (o->link_key[0] && !s->link_key.n)
        err = secret_file_read(o->link_key, LINK_KEY_MIN, LINK_KEY_MAX, &s->link_key, f);
    for (size_t i = 0; i < n && !err; i++)
        err = check_address(s, urls[i], f);
    if (err)
        return err;
    limits.frame_size_max = (u32)o->link_frame_size_max;
    limits.heartbeat_ms = (u32)o->link_heartbeat_ms;
    limits.silence_max_ms = (u32)o->link_silence_max_ms;
    limits.key = buf_view(&s->link_key);
    limits.chance = &s->ids;
    *ret = limits;
    return 0;
}
