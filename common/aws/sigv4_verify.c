/* Verifies a signature. Checks in this order: the key is known and valid for this service, the
 * scope is right, the time is within the tolerance, the session token is the key's, and the
 * signature equals the one that we compute. */
#include "common/aws/sigv4.h"

#include "common/base/date.h"
#include "common/base/hash.h"

#define TERMINATOR       "aws4_request"
#define UNSIGNED_PAYLOAD "UNSIGNED-PAYLOAD"
#define SCOPE_REGION_MAX 32
/* Bytes of the caller's text that an error text shows. */
#define SHOWN_MAX 128

#define SHOWN(s) (int)MIN((s).n, (size_t)SHOWN_MAX), (s).p

/* State of a verification. */
struct claim {
    struct call *call;
    const char *service;
    const struct key *key;
    i64 now_ms;
    i64 at_ms;                   /* when it was signed */
    char stamp[DATE_BASIC_SIZE]; /* the same as text, as signed */
};

/* The parameter of a presigned URL, or the header, of one name. p may be NULL where there is none.
 */
static str claim_value(const struct claim *m, const char *name)
{
    const struct request *rq = &m->call->request;

    return m->call->identity.in_query ? sigv4_query_param(rq, name, &m->call->arena)
                                      : sigv4_header(rq, name);
}

static int claim_refuse(const struct claim *m, int code, const char *text)
{
    return fault_set(&m->call->fault, code, "%s", text);
}

/* --- the key ---------------------------------------------------------------------------------- */

static int find_key(struct claim *m, const struct keys *keys)
{
    m->key = keys_find(keys, m->call->identity.access_key);
    if (!m->key)
        return claim_refuse(m, CALL_FAULT_UNKNOWN_KEY,
                            "The security token included in the request is invalid.");
    if (!key_serves(m->key, m->service))
        return claim_refuse(m, CALL_FAULT_NO_SUBSCRIPTION,
                            "The AWS Access Key Id needs a subscription for the service");
    return 0;
}

static int check_token(const struct claim *m)
{
    str given = claim_value(m, "X-Amz-Security-Token");

    if (!hash_eq_secret(given, m->key->session_token))
        return claim_refuse(m, CALL_FAULT_UNKNOWN_KEY,
                            "The security token included in the request is invalid.");
    if (m->now_ms >= m->key->expires_ms)
        return claim_refuse(m, CALL_FAULT_TOKEN_EXPIRED,
                            "The security token included in the request is expired");
    return 0;
}

/* --- the time --------------------------------------------------------------------------------- */

static int claim_time(struct claim *m)
{
    str text = claim_value(m, "X-Amz-Date");
    int err = date_read_basic(text, &m->at_ms);

    if (!m->call->identity.in_query && text.n == 0) {
        text = sigv4_header(&m->call->request, "Date");
        err = date_read_http(text, &m->at_ms) ? date_read_basic(text, &m->at_ms) : 0;
    }
    if (text.n == 0)
        return claim_refuse(
            m, CALL_FAULT_INCOMPLETE_SIGNATURE,
            m->call->identity.in_query
                ? "AWS query-string parameters must include 'X-Amz-Date'. Re-examine the "
                  "query-string parameters."
                : "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' "
                  "header.");
    if (err)
        return fault_set(&m->call->fault, CALL_FAULT_INCOMPLETE_SIGNATURE,
                         "Date must be in ISO-8601 'basic format'. Got '%.*s'. See "
                         "http://en.wikipedia.org/wiki/ISO_8601",
                         SHOWN(text));
    date_basic(m->at_ms, m->stamp);
    return 0;
}

/* Seconds for which a presigned URL is valid; by default as long as a header. */
static int claim_expiry(const struct claim *m, i64 *ret_ms)
{
    str text = sigv4_query_param(&m->call->request, "X-Amz-Expires", &m->call->arena);
    i64 s;

    *ret_ms = SIGV4_SKEW_MS;
    if (!text.p)
        return 0;
    if (str_to_i64(text, &s) || s < 0 || s > SIGV4_EXPIRES_MAX_S)
        return claim_refuse(m, CALL_FAULT_INCOMPLETE_SIGNATURE,
                            "X-Amz-Expires must be less than a week (in seconds); that is, the "
                            "given X-Amz-Expires must be less than 604800 seconds");
    *ret_ms = s * 1000;
    return 0;
}

static int refuse_time(const struct claim *m, bool is_late, i64 limit_ms)
{
    char limit[DATE_BASIC_SIZE], now[DATE_BASIC_SIZE];

    return fault_set(&m->call->fault, CALL_FAULT_SIGNATURE,
                     is_late
                         ? "Signature expired: %s is now earlier than %s (%s - 15 min.)"
                         : "Signature not yet current: %s is still later than %s (%s + 15 min.)",
                     m->stamp, date_basic(limit_ms, limit), date_basic(m->now_ms, now));
}

static int check_time(const struct claim *m)
{
    i64 good_ms = SIGV4_SKEW_MS;
    int err = m->call->identity.in_query ? claim_expiry(m, &good_ms) : 0;

    if (err)
        return err;
    if (m->at_ms > m->now_ms + SIGV4_SKEW_MS)
        return refuse_time(m, false, m->now_ms + SIGV4_SKEW_MS);
    if (m->now_ms <= m->at_ms + good_ms)
        return 0;
    if (m->call->identity.in_query)
        return claim_refuse(m, CALL_FAULT_REQUEST_EXPIRED, "Request has expired.");
    return refuse_time(m, true, m->now_ms - SIGV4_SKEW_MS);
}

/* --- the scope -------------------------------------------------------------------------------- */

static bool is_region(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
              s.p[i] == '-'))
            return false;
    return s.n > 0 && s.n <= SCOPE_REGION_MAX;
}

/* Adds the service's sentence for every wrong part of the scope. */
static int check_scope(const struct claim *m)
{
    const struct identity *id = &m->call->identity;
    struct buf text = {0};

    if (!is_region(id->region))
        buf_printf(&text, "Credential should be scoped to a valid region, not '%.*s'. ",
                   SHOWN(id->region));
    if (!str_is(id->service, m->service))
        buf_printf(&text, "Credential should be scoped to correct service: '%s'. ", m->service);
    if (!str_is(id->terminator, TERMINATOR))
        buf_printf(&text,
                   "Credential should be scoped with a valid terminator: '" TERMINATOR
                   "', not '%.*s'. ",
                   SHOWN(id->terminator));
    if (!str_eq(id->date, str_from(m->stamp, 8)))
        buf_printf(&text,
                   "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
                   "from HTTP: '%.*s' != '%.8s', from '%s'. ",
                   SHOWN(id->date), m->stamp, m->stamp);
    int err =
        text.n ? fault_set(&m->call->fault, CALL_FAULT_SIGNATURE, "%.*s", (int)(text.n - 1), text.p)
               : 0;

    buf_deinit(&text);
    return err;
}

/* --- what is signed --------------------------------------------------------------------------- */

static bool signed_list_has(str names, const char *name)
{
    while (names.p)
        if (str_eq_nocase(str_cut(&names, ';'), str_of(name)))
            return true;
    return false;
}

/* The host must be among the signed headers, and so must the header that names the action:
 * otherwise somebody on the path could change it and thereby the call. */
static int check_headers(const struct claim *m)
{
    str names = m->call->identity.signed_headers;
    size_t n = 1;

    for (size_t i = 0; i < names.n; i++)
        n += names.p[i] == ';';
    if (n > SIGV4_HEADERS_MAX)
        return claim_refuse(m, CALL_FAULT_INCOMPLETE_SIGNATURE, "Too many headers are signed.");
    if (!signed_list_has(names, "host"))
        return claim_refuse(m, CALL_FAULT_SIGNATURE,
                            "'Host' or ':authority' must be a 'SignedHeader' in the AWS "
                            "Authorization.");
    if (m->call->request.target.n && !signed_list_has(names, "x-amz-target"))
        return claim_refuse(m, CALL_FAULT_SIGNATURE,
                            "'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization.");
    return 0;
}

/* The digest of the body as the canonical form has it: our own, whatever the header says, unless it
 * says that the body is not signed. */
static str body_digest(const struct claim *m, char hex[HASH_SHA256_HEX])
{
    if (str_is(sigv4_header(&m->call->request, "X-Amz-Content-Sha256"), UNSIGNED_PAYLOAD))
        return STR(UNSIGNED_PAYLOAD);
    return str_of(hash_sha256_hex(m->call->request.body, hex));
}

/* A signature being recomputed. */
struct work {
    u8 signing[KEYS_SIGNING_SIZE];
    str digest;       /* of the body */
    struct buf *text; /* the canonical form, followed by the string to sign */
    size_t canonical_size;
};

static void put_string_to_sign(const struct claim *m, struct buf *out, const char *canonical_hex)
{
    const struct identity *id = &m->call->identity;
    const str scope[] = {id->date, id->region, id->service};

    buf_z(out, "AWS4-HMAC-SHA256\n");
    buf_z(out, m->stamp);
    buf_char(out, '\n');
    for (size_t i = 0; i < ARRAY_LEN(scope); i++) {
        buf_str(out, scope[i]);
        buf_char(out, '/');
    }
    buf_z(out, TERMINATOR "\n");
    buf_z(out, canonical_hex);
}

/* Whether the signature matches the request with path and query in one of their forms. */
static bool is_signature(const struct claim *m, struct work *w, unsigned as_sent)
{
    struct call *c = m->call;
    char hex[HASH_SHA256_HEX];
    u8 signature[32];

    buf_reset(w->text);
    sigv4_canonical(&c->request, &c->identity, w->digest, as_sent, &c->arena, w->text);
    w->canonical_size = w->text->n;
    hash_sha256_hex(buf_view(w->text), hex);
    put_string_to_sign(m, w->text, hex);
    hash_hmac_sha256(str_from(w->signing, KEYS_SIGNING_SIZE),
                     str_slice(buf_view(w->text), w->canonical_size, w->text->n), signature);
    hash_hex(signature, sizeof signature, hex);
    return hash_eq_secret(str_of(hex), c->identity.signature);
}

/* Clients with an unusual path or query sign it as sent, or in canonical form: either covers all of
 * it, so both are accepted. The canonical form is tried last, because a refusal shows what was
 * tried last. */
static bool is_signature_in_any_form(const struct claim *m, struct work *w)
{
    static const u8 forms[] = {0, SIGV4_QUERY_AS_SENT, SIGV4_PATH_AS_SENT,
                               SIGV4_PATH_AS_SENT | SIGV4_QUERY_AS_SENT, 0};

    for (size_t i = 0; i < ARRAY_LEN(forms); i++)
        if (is_signature(m, w, forms[i]))
            return true;
    return false;
}

static int refuse_signature(const struct claim *m, const struct work *w)
{
    return fault_set(&m->call->fault, CALL_FAULT_SIGNATURE,
                     "The request signature we calculated does not match the signature you "
                     "provided. Check your AWS Secret Access Key and signing method. Consult the "
                     "service documentation for details.\n\nThe Canonical String for this request "
                     "should have been\n'%.*s'\n\nThe String-to-Sign should have been\n'%s'\n",
                     (int)w->canonical_size, w->text->p, w->text->p + w->canonical_size);
}

static int check_signature(const struct claim *m, struct keys *keys)
{
    const struct identity *id = &m->call->identity;
    char hex[HASH_SHA256_HEX];
    struct work w = {.digest = body_digest(m, hex), .text = &m->call->scratch};
    bool is_kept = keys_signing_key(keys, m->key, id->date, id->region, id->service, w.signing);
    bool is_right = is_signature_in_any_form(m, &w);

    if (is_right && !is_kept)
        keys_keep_signing_key(keys, m->key, id->date, id->region, id->service, w.signing);
    explicit_bzero(w.signing, sizeof w.signing);
    return is_right ? 0 : refuse_signature(m, &w);
}

int sigv4_verify(struct call *c, const char *service, struct keys *keys, i64 now_ms,
                 const struct key **ret)
{
    struct claim m = {.call = c, .service = service, .now_ms = now_ms};
    int err = find_key(&m, keys);

    err = err ? err : claim_time(&m);
    err = err ? err : check_scope(&m);
    err = err ? err : check_time(&m);
    err = err ? err : check_token(&m);
    err = err ? err : check_headers(&m);
    err = err ? err : check_signature(&m, keys);
    if (!err)
        *ret = m.key;
    return err;
}
