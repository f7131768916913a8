/* How the two ends of a link prove to each other that they know the same key, before anything else
 * is said:
 *
 *   listener ──challenge──> dialer      head, its nonce
 *   listener <─response──── dialer      head, its nonce, its proof
 *   listener ──proof──────> dialer
 *
 * A proof is the HMAC-SHA-256, under the key, of who proves, the head and both nonces. Each end
 * draws a new nonce for every pipe, so nothing that was heard once proves anything later; who proves
 * is part of it, so no end can be made to prove itself to itself; the dialer proves first, so a
 * listener answers no stranger's questions about the key. Ends without a key use the empty one.
 *
 * What is said afterwards is neither hidden nor signed: who sits on the way can change it. Use tls
 * where somebody might. No input or output here: bytes in, bytes out. */
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
    LINK_GREETING_MORE,  /* bytes are missing */
    LINK_GREETING_DONE,  /* the other end knows the key; what follows are frames */
    LINK_GREETING_ALIEN, /* it speaks another version, or something else altogether */
    LINK_GREETING_KEY,   /* it has another key, or none */
};

/* A listener's first bytes are appended to `out`. */
void link_greeting_begin(struct link_greeting *g, bool dials, str key, struct id_source *chance,
                         struct buf *out);
/* Reads what came and says in *ret_taken how much of it was the greeting; the rest comes again with
 * more behind it. Appends to `out` what is to be sent. */
enum link_greeting_state link_greeting_read(struct link_greeting *g, str got, size_t *ret_taken,
                                            struct buf *out);

#endif
