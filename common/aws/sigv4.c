/* Parses credentials. Header:
 *
 *   AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders=…, Signature=…
 *
 * Presigned URL: the same in the parameters X-Amz-Algorithm, X-Amz-Credential, X-Amz-SignedHeaders
 * and X-Amz-Signature. Other schemes count as no credentials. */
#include "common/aws/sigv4.h"

#include "common/base/form.h"

#define ALGORITHM        "AWS4-HMAC-SHA256"
#define CREDENTIAL_PARTS 5
/* Longest credential that an error text shows. */
#define SHOWN_MAX 256

struct parts {
    str credential, signature, signed_headers; /* p NULL: not given */
};

/* Adds the service's sentence for every missing part; 0 when none is missing. */
static int add_missing_parts(const struct parts *p, struct fault *f, bool in_header)
{
    char text[512] = "";
    size_t n = 0;
    const struct {
        const char *name;
        str value;
    } wanted[] = {{"Credential", p->credential},
                  {"Signature", p->signature},
                  {"SignedHeaders", p->signed_headers}};
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        if (wanted[i].value.p)
            continue;
        const char *blank = n ? " " : "", *name = wanted[i].name;
        if (in_header)
            n += (size_t)snprintf(text + n, sizeof text - n,
                                  "%sAuthorization header requires '%s' parameter.", blank, name);
        else
            n += (size_t)snprintf(text + n, sizeof text - n,
                                  "%sAWS query-string parameters must include 'X-Amz-%s'.", blank,
                                  name);
    }
    if (n == 0)
        return 0;
    return fault_set(f, CALL_FAULT_INCOMPLETE_SIGNATURE, "%s%s", text,
                     in_header ? "" : " Re-examine the query-string parameters.");
}

static int read_credential(str credential, struct identity *ret, struct fault *f)
{
    str part[CREDENTIAL_PARTS], rest = credential;
    size_t n = 0;
    while (rest.p && n < CREDENTIAL_PARTS)
        part[n++] = str_cut(&rest, '/');
    if (n != CREDENTIAL_PARTS || rest.p || part[0].n == 0)
        return fault_set(f, CALL_FAULT_INCOMPLETE_SIGNATURE,
                         "Credential must have exactly 5 slash-delimited elements, e.g. "
                         "keyid/date/region/service/term, got '%.*s'",
                         str_shown(credential, SHOWN_MAX), credential.p);
    ret->access_key = part[0];
    ret->date = part[1];
    ret->region = part[2];
    ret->service = part[3];
    ret->terminator = part[4];
    ret->is_signed = true;
    return 0;
}

/* Value of "name=…" in `item`, else what `before` holds. */
static str value_named(str item, str name, str before)
{
    return str_starts(item, name) ? str_slice(item, name.n, item.n) : before;
}

static int read_header(str header, struct identity *ret, struct fault *f)
{
    struct parts p = {STR_NONE, STR_NONE, STR_NONE};
    str rest = str_slice(header, sizeof ALGORITHM - 1, header.n);
    while (rest.p) {
        str item = str_trim(str_cut(&rest, ','));
        p.credential = value_named(item, STR("Credential="), p.credential);
        p.signature = value_named(item, STR("Signature="), p.signature);
        p.signed_headers = value_named(item, STR("SignedHeaders="), p.signed_headers);
    }
    ret->signed_headers = p.signed_headers;
    ret->signature = p.signature;
    int err = add_missing_parts(&p, f, true);
    return err ? err : read_credential(p.credential, ret, f);
}

static int read_query(str query, struct arena *arena, struct identity *ret, struct fault *f)
{
    struct parts p = {STR_NONE, STR_NONE, STR_NONE};
    bool ours = false;
    for (str rest = query; rest.p;) {
        str item = str_cut(&rest, '&');
        ours |= str_is(item, "X-Amz-Algorithm=" ALGORITHM);
        p.credential = value_named(item, STR("X-Amz-Credential="), p.credential);
        p.signature = value_named(item, STR("X-Amz-Signature="), p.signature);
        p.signed_headers = value_named(item, STR("X-Amz-SignedHeaders="), p.signed_headers);
    }
    if (!ours)
        return 0;
    int err = add_missing_parts(&p, f, false);
    if (err)
        return err;
    if (form_unescape(p.credential, false, arena, &p.credential) != 0)
        return fault_set(f, CALL_FAULT_INCOMPLETE_SIGNATURE,
                         "X-Amz-Credential is not percent-encoded as it must be.");
    if (form_unescape(p.signed_headers, false, arena, &ret->signed_headers) != 0)
        return fault_set(f, CALL_FAULT_INCOMPLETE_SIGNATURE,
                         "X-Amz-SignedHeaders is not percent-encoded as it must be.");
    ret->signature = p.signature;
    ret->in_query = true;
    return read_credential(p.credential, ret, f);
}

/* Whether the header names our algorithm, followed by a blank or by nothing. */
static bool is_ours(str header)
{
    str name = STR(ALGORITHM);
    return str_starts(header, name) &&
           (header.n == name.n || header.p[name.n] == ' ' || header.p[name.n] == '\t');
}

int sigv4_read(const struct request *rq, struct arena *arena, struct identity *ret, struct fault *f)
{
    str none = STR("");
    struct identity id = {.access_key = none,
                          .date = none,
                          .region = none,
                          .service = none,
                          .terminator = none,
                          .signed_headers = none,
                          .signature = none,
                          .account = none,
                          .user = none};
    int err = 0;
    str header = str_trim(rq->authorization);
    if (is_ours(header))
        err = read_header(header, &id, f);
    else if (header.n == 0 && rq->query.n)
        err = read_query(rq->query, arena, &id, f);
    if (err == 0)
        *ret = id;
    return err;
}
