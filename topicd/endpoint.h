/* Endpoints of subscriptions: which protocols there are, and what the service accepts as an endpoint
 * of each (Amazon SNS API reference, Subscribe). */
#ifndef TOQUE_ENDPOINT_H
#define TOQUE_ENDPOINT_H

#include "topicd/topicd.h"

/* `settings` are those that the subscription is to have. E_FAULT: refused. */
int endpoint_check(const struct topicd *t, const struct topic *topic, str protocol, str endpoint,
                   const struct settings *settings, struct fault *f) MUST_CHECK;
/* Whether topics for messages above the default size may have subscriptions of that protocol. */
bool endpoint_takes_large(str protocol);
/* Refuses one that may not. */
int endpoint_refuse_large(str protocol, struct fault *f);
/* E.164: a plus sign and at most 15 digits. */
bool endpoint_is_phone_number(str s);

#endif
