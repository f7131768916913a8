/* How the two ends of a link prove to each other that they know the same key, before anything else
 * is sent:
 *
 *   listener ──challenge──> dialer      head, its nonce
 *   listener <─response──── dialer      head, its nonce, its proof
 *   listener ──proof──────> dialer
 *
 * A proof is the HMAC-SHA-256, under the key, of the prover's role, the head and both nonces. Each
 * end draws a new nonce for every pipe, so a recorded proof is useless later; the role is included,
 * so an end's proof cannot be reflected to it; the dialer proves first, so a listener reveals
 * nothing about the key to strangers. Ends without a key use the empty one.
 *
 * Later traffic is neither encrypted nor authenticated: somebody on the path can change it. Use tls
 * where that is possible. No input or output here: bytes in, bytes out. */
#ifndef TOQUE_LINK_GREETING_H
#define TOQUE_LINK_GREETING_H

#include "common/base/buf.h"
#include "common/base/id.h"

#define LINK_NONCE_SIZE 32
#define LINK_PROOF_SIZE 32

struct link_greeting {
    bool dials;
    bool has_nonces; /* the dialer: it has answered the challenge */
    str key;         /* borrowed */
    u8 listener[LINK_NONCE_SIZE], dialer[LINK_NONCE_SIZE];
};

enum link_greeting_state {
    LINK_GREETING_MORE,  /* incomplete */
    LINK_GREETING_DONE,  /* the other end knows the key; frames follow */
    LINK_GREETING_ALIEN, /* it speaks another version, or another protocol */
    LINK_GREETING_KEY,   /* it has another key, or none */
};

/* A listener's first bytes are appended to `out`. */
void link_greeting_begin(struct link_greeting *g, bool dials, str key, struct id_source *chance,
                         struct buf *out);
/* Reads the received bytes and sets *ret_taken to how many belonged to the greeting; the others are
 * passed again together with later ones. Appends to `out` what is to be sent. */
enum link_greeting_state link_greeting_read(struct link_greeting *g, str got, size_t *ret_taken,
                                            struct buf *out);

#endif
