/* The confirmation of a subscription by its endpoint: the state among the subscription's settings,
 * the token, and the message that asks for it (Amazon SNS API reference, Subscribe and
 * ConfirmSubscription). */
#ifndef TOQUE_CONFIRMATION_H
#define TOQUE_CONFIRMATION_H

#include "common/base/id.h"
#include "topicd/captured.h"
#include "topicd/sub.h"

/* Settings that are not attributes of Subscribe. */
#define CONFIRMATION_PENDING STR("PendingConfirmation") /* "true", or not set */
#define CONFIRMATION_TOKEN   STR("Token")
#define CONFIRMATION_UNAUTHENTICATED                                                               \
    STR("ConfirmedWithoutAuthentication") /* "true": while pending and when confirmed unsigned */
#define CONFIRMATION_GUARD STR("AuthenticateOnUnsubscribe") /* "true", or not set */

/* Whether endpoints of that protocol have to confirm. */
bool confirmation_is_needed(str protocol);
/* A new subscription's settings: pending, with a new token. */
void confirmation_begin(struct settings *s, struct id_source *ids);
/* Marks the subscription as confirmed, by a signed call or an unsigned one; `guard`:
 * AuthenticateOnUnsubscribe. */
void confirmation_end(struct settings *s, bool is_signed, bool guard);
/* Sends the message that asks for it. `public_url` is the base of its URL. */
void confirmation_ask(struct captured *c, const struct sub *u, str public_url,
                      struct id_source *ids, i64 now_ms);

#endif
