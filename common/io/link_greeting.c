#include "common/io/link_greeting.h"

#include "common/base/hash.h"

#define HEAD "toquelk\1" /* the last byte is the version */

static const str head = STR_INIT(HEAD);

static void proof_make(const struct link_greeting *g, const char *who, u8 ret[LINK_PROOF_SIZE])
{
    struct buf text = {0};

    buf_z(&text, who);
    buf_str(&text, head);
    buf_add(&text, g->listener, LINK_NONCE_SIZE);
    buf_add(&text, g->dialer, LINK_NONCE_SIZE);
    hash_hmac_sha256(g->key, buf_view(&text), ret);
    buf_deinit(&text);
}

static bool is_proof(const struct link_greeting *g, const char *who, str given)
{
    u8 proof[LINK_PROOF_SIZE];

    proof_make(g, who, proof);
    return hash_eq_secret(str_from(proof, sizeof proof), given);
}

static void put_proof(const struct link_greeting *g, const char *who, struct buf *out)
{
    u8 proof[LINK_PROOF_SIZE];

    proof_make(g, who, proof);
    buf_add(out, proof, sizeof proof);
}

void link_greeting_begin(struct link_greeting *g, bool dials, str key, struct id_source *chance,
                         struct buf *out)
{
    *g = (struct link_greeting){.dials = dials, .key = key};
    id_secret(chance, dials ? g->dialer : g->listener, LINK_NONCE_SIZE);
    if (dials)
        return;
    buf_str(out, head);
    buf_add(out, g->listener, LINK_NONCE_SIZE);
}

/* Head and nonce of the other end. */
static enum link_greeting_state read_greeting_head(str got, u8 nonce[LINK_NONCE_SIZE])
{
    if (!str_starts(head, str_slice(got, 0, head.n)))
        return LINK_GREETING_ALIEN;
    if (got.n < head.n + LINK_NONCE_SIZE)
        return LINK_GREETING_MORE;
    memcpy(nonce, got.p + head.n, LINK_NONCE_SIZE);
    return LINK_GREETING_DONE;
}

static enum link_greeting_state read_proof(const struct link_greeting *g, const char *who, str got,
                                           size_t at, size_t *ret_taken)
{
    if (got.n < at + LINK_PROOF_SIZE)
        return LINK_GREETING_MORE;
    *ret_taken = at + LINK_PROOF_SIZE;
    return is_proof(g, who, str_slice(got, at, at + LINK_PROOF_SIZE)) ? LINK_GREETING_DONE
                                                                      : LINK_GREETING_KEY;
}

static enum link_greeting_state read_response(struct link_greeting *g, str got, size_t *ret_taken,
                                              struct buf *out)
{
    enum link_greeting_state s = read_greeting_head(got, g->dialer);

    if (s == LINK_GREETING_DONE)
        s = read_proof(g, "dialer", got, head.n + LINK_NONCE_SIZE, ret_taken);
    if (s == LINK_GREETING_DONE)
        put_proof(g, "listener", out);
    return s;
}

/* The challenge, answered at once; then the listener's proof. */
static enum link_greeting_state read_challenge(struct link_greeting *g, str got, size_t *ret_taken,
                                               struct buf *out)
{
    enum link_greeting_state s;
    size_t size = head.n + LINK_NONCE_SIZE;

    if (g->has_nonces)
        return read_proof(g, "listener", got, 0, ret_taken);
    s = read_greeting_head(got, g->listener);
    if (s != LINK_GREETING_DONE)
        return s;
    g->has_nonces = true;
    *ret_taken = size;
    buf_str(out, head);
    buf_add(out, g->dialer, LINK_NONCE_SIZE);
    put_proof(g, "dialer", out);
    return LINK_GREETING_MORE;
}

enum link_greeting_state link_greeting_read(struct link_greeting *g, str got, size_t *ret_taken,
                                            struct buf *out)
{
    *ret_taken = 0;
    return g->dials ? read_challenge(g, got, ret_taken, out)
                    : read_response(g, got, ret_taken, out);
}
