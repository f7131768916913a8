/* A set of keys is read whole into an arena of its own, so that a reload replaces it at once or not
 * at all. */
#include "common/aws/keys.h"

#include <unistd.h>

#include "common/aws/arn.h"
#include "common/base/date.h"
#include "common/base/hash.h"
#include "common/base/json.h"
#include "common/base/map.h"
#include "common/base/mem.h"
#include "common/io/secret_file.h"

#define SCOPE_DATE_SIZE  8
#define SCOPE_REGION_MAX 32
#define SCOPE_NAME_MAX   8

/* A derived key and what it was derived for. */
struct signing_key {
    const struct key *key; /* NULL: empty */
    char date[SCOPE_DATE_SIZE];
    char region[SCOPE_REGION_MAX + 1], service[SCOPE_NAME_MAX + 1];
    u8 bytes[KEYS_SIGNING_SIZE];
};

struct key_set {
    struct arena arena;
    struct map by_id;
    struct key *keys;
    size_t n;
};

struct keys {
    char *path;
    struct key_set set;
    struct signing_key signing[KEYS_SIGNING_MAX]; /* by hash; a newer one replaces an older */
};

/* --- one key ---------------------------------------------------------------------------------- */

/* A text of 1 to size_max printable ASCII characters; where it is missing: 0, and *ret stays. */
static int read_key_text(const struct json_at *at, const char *name, size_t size_max,
                         struct arena *a, str *ret, struct fault *f)
{
    str text;
    int err = json_get_str(at, name, &text, f);

    if (err)
        return err == E_NOT_FOUND ? 0 : err;
    if (text.n == 0 || text.n > size_max)
        return json_complain(at, f, "%s must have 1 to %zu characters", name, size_max);
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] <= ' ' || text.p[i] > '~')
            return json_complain(at, f, "%s must be of printable ASCII characters", name);
    *ret = arena_dup(a, text);
    return 0;
}

static int read_needed(const struct json_at *at, const char *name, size_t size_max, struct arena *a,
                       str *ret, struct fault *f)
{
    *ret = STR_NONE;
    int err = read_key_text(at, name, size_max, a, ret, f);

    return err || ret->p ? err : json_complain(at, f, "needs %s", name);
}

static int read_services(const struct json_at *at, struct arena *a, struct key *key,
                         struct fault *f)
{
    struct json_at list;
    int err = json_get(at, "services", &list, f);

    err = err ? err : json_want(&list, JSON_ARRAY, f);
    if (err)
        return err == E_NOT_FOUND ? 0 : err;
    if (json_array_size(list.value) == 0 || json_array_size(list.value) > KEYS_SERVICES_MAX)
        return json_complain(&list, f, "must have 1 to %d items", KEYS_SERVICES_MAX);
    for (size_t i = 0; i < json_array_size(list.value); i++) {
        struct json_at one = json_item(&list, i);

        if ((err = json_want(&one, JSON_STRING, f)))
            return err;
        key->services[key->service_count++] = arena_dup(a, str_of(json_string_value(one.value)));
    }
    return 0;
}

static int read_key_expiry(const struct json_at *at, i64 *ret_ms, struct fault *f)
{
    str text;
    int err = json_get_str(at, "expires", &text, f);

    *ret_ms = INT64_MAX;
    if (err)
        return err == E_NOT_FOUND ? 0 : err;
    if (date_read_iso(text, ret_ms))
        return json_complain(at, f, "expires must be a time like 2026-12-31T00:00:00Z");
    return 0;
}

static int read_key_policy(const struct json_at *at, struct access_policy **ret, struct fault *f)
{
    struct json_at policy;
    struct fault why;
    struct buf text = {0};
    int err = json_get(at, "policy", &policy, f);

    if (err)
        return err == E_NOT_FOUND ? 0 : err;
    json_write(&text, policy.value);
    fault_clear(&why);
    if (access_policy_open(ret, buf_view(&text), ACCESS_OF_IDENTITY, &why))
        err = json_complain(&policy, f, "is not a valid policy of a key: %s", why.text);
    buf_deinit(&text);
    return err;
}

static int read_key(const struct json_at *at, struct arena *a, struct key *key, struct fault *f)
{
    static const char *const names[] = {
        "access_key_id", "secret_access_key", "account",       "user",
        "policy",        "services",          "session_token", "expires"};
    int err = json_want_members(at, names, ARRAY_LEN(names), true, f);

    key->user = key->session_token = STR("");
    err = err ? err : read_needed(at, "access_key_id", KEYS_ID_MAX, a, &key->id, f);
    err = err ? err : read_needed(at, "secret_access_key", KEYS_SECRET_MAX, a, &key->secret, f);
    err = err ? err : read_needed(at, "account", ARN_ACCOUNT_SIZE, a, &key->account, f);
    if (!err && !arn_is_account(key->account))
        err = json_complain(at, f, "account must have twelve digits");
    err = err ? err : read_key_text(at, "user", KEYS_USER_MAX, a, &key->user, f);
    err = err ? err : read_key_text(at, "session_token", KEYS_TOKEN_MAX, a, &key->session_token, f);
    err = err ? err : read_services(at, a, key, f);
    err = err ? err : read_key_expiry(at, &key->expires_ms, f);
    return err ? err : read_key_policy(at, &key->policy, f);
}

/* --- a set of keys ---------------------------------------------------------------------------- */

static void key_set_deinit(struct key_set *s)
{
    for (size_t i = 0; i < s->n; i++) {
        access_policy_free(s->keys[i].policy);
        if (s->keys[i].secret.n)
            explicit_bzero((char *)s->keys[i].secret.p, s->keys[i].secret.n);
    }
    map_deinit(&s->by_id);
    arena_deinit(&s->arena);
}

static int read_keys(const struct json_at *root, struct key_set *s, struct fault *f)
{
    static const char *const names[] = {"keys"};
    struct json_at list;
    int err = json_want_members(root, names, ARRAY_LEN(names), true, f);

    err = err ? err : json_get(root, "keys", &list, f);
    if (err == E_NOT_FOUND)
        return json_complain(root, f, "needs keys");
    err = err ? err : json_want(&list, JSON_ARRAY, f);
    if (!err && json_array_size(list.value) > KEYS_MAX)
        err = json_complain(&list, f, "has more than %d keys", KEYS_MAX);
    if (err)
        return err;
    s->keys = arena_zalloc(&s->arena, json_array_size(list.value) * sizeof *s->keys);
    while (!err && s->n < json_array_size(list.value)) {
        struct json_at one = json_item(&list, s->n);
        struct key *key = &s->keys[s->n++];

        err = read_key(&one, &s->arena, key, f);
        if (!err && map_put(&s->by_id, key->id, key))
            err = json_complain(&one, f, "access_key_id %.*s appears twice", STR_ARG(key->id));
    }
    return err;
}

static int key_set_load(struct key_set *s, const char *path, struct fault *f)
{
    struct json_doc doc;
    int fd = -1, err = secret_file_open(path, &fd, f);

    arena_init(&s->arena);
    map_init(&s->by_id, NULL);
    err = err ? err : json_open_fd(&doc, fd, path, KEYS_FILE_SIZE_MAX, false, f);
    if (!err) {
        struct json_at root = json_root(&doc);

        err = read_keys(&root, s, f);
        json_close(&doc);
    }
    if (fd >= 0)
        close(fd);
    if (err)
        key_set_deinit(s);
    return err;
}

int keys_open(struct keys **ret, const char *path, struct fault *f)
{
    struct key_set set = {0};
    int err = key_set_load(&set, path, f);

    if (err)
        return err;
    struct keys *k = mem_alloc(sizeof *k);

    k->path = mem_dup(str_of(path));
    k->set = set;
    *ret = k;
    return 0;
}

int keys_reload(struct keys *k, struct fault *f)
{
    struct key_set set = {0};
    int err = key_set_load(&set, k->path, f);

    if (err)
        return err;
    key_set_deinit(&k->set);
    k->set = set;
    explicit_bzero(k->signing, sizeof k->signing);
    return 0;
}

void keys_free(struct keys *k)
{
    if (!k)
        return;
    key_set_deinit(&k->set);
    explicit_bzero(k->signing, sizeof k->signing);
    mem_free(k->path);
    mem_free(k);
}

size_t keys_count(const struct keys *k)
{
    return k->set.n;
}

const struct key *keys_find(const struct keys *k, str id)
{
    return map_get(&k->set.by_id, id);
}

bool key_serves(const struct key *key, const char *service)
{
    for (u32 i = 0; i < key->service_count; i++)
        if (str_is(key->services[i], service))
            return true;
    return key->service_count == 0;
}

/* --- signing keys ----------------------------------------------------------------------------- */

/* Whether a scope has the sizes that are kept. */
static bool is_keepable(str date, str region, str service)
{
    return date.n == SCOPE_DATE_SIZE && region.n <= SCOPE_REGION_MAX && service.n <= SCOPE_NAME_MAX;
}

static size_t signing_slot(const struct key *key, str date, str region, str service)
{
    return (size_t)(map_hash(NULL, key->id) + 3 * map_hash(NULL, date) +
                    5 * map_hash(NULL, region) + 7 * map_hash(NULL, service)) %
           KEYS_SIGNING_MAX;
}

bool keys_signing_key(const struct keys *k, const struct key *key, str date, str region,
                      str service, u8 ret[KEYS_SIGNING_SIZE])
{
    const struct signing_key *kept = &k->signing[signing_slot(key, date, region, service)];

    if (kept->key == key && str_eq(str_from(kept->date, SCOPE_DATE_SIZE), date) &&
        str_is(region, kept->region) && str_is(service, kept->service)) {
        memcpy(ret, kept->bytes, KEYS_SIGNING_SIZE);
        return true;
    }
    char first[4 + KEYS_SECRET_MAX];
    str chain = str_from(ret, KEYS_SIGNING_SIZE);

    memcpy(first, "AWS4", 4);
    memcpy(first + 4, key->secret.p, key->secret.n);
    hash_hmac_sha256(str_from(first, 4 + key->secret.n), date, ret);
    hash_hmac_sha256(chain, region, ret);
    hash_hmac_sha256(chain, service, ret);
    hash_hmac_sha256(chain, STR("aws4_request"), ret);
    explicit_bzero(first, sizeof first);
    return false;
}

void keys_keep_signing_key(struct keys *k, const struct key *key, str date, str region, str service,
                           const u8 signing[KEYS_SIGNING_SIZE])
{
    struct signing_key *kept = &k->signing[signing_slot(key, date, region, service)];

    if (!is_keepable(date, region, service))
        return;
    *kept = (struct signing_key){.key = key};
    memcpy(kept->date, date.p, SCOPE_DATE_SIZE);
    memcpy(kept->region, region.p, region.n);
    memcpy(kept->service, service.p, service.n);
    memcpy(kept->bytes, signing, KEYS_SIGNING_SIZE);
}
