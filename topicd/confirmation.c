#include "topicd/confirmation.h"

#include "common/base/hash.h"
#include "topicd/catalog.h"

bool confirmation_is_needed(str protocol)
{
    return str_is(protocol, "email") || str_is(protocol, "email-json");
}

void confirmation_begin(struct settings *s, struct id_source *ids)
{
    static const char digits[] = "0123456789abcdef";
    u8 secret[SUB_TOKEN_SIZE / 2];
    char token[SUB_TOKEN_SIZE];

    id_secret(ids, secret, sizeof(secret));
    for (size_t i = 0; i < sizeof(secret); i++) {
        token[2 * i] = digits[secret[i] >> 4];
        token[2 * i + 1] = digits[secret[i] & 15];
    }
    settings_set(s, CONFIRMATION_PENDING, STR("true"));
    settings_set(s, CONFIRMATION_UNAUTHENTICATED, STR("true"));
    settings_set(s, CONFIRMATION_TOKEN, str_from(token, sizeof(token)));
}

void confirmation_end(struct settings *s, bool is_signed, bool guard)
{
    settings_remove(s, CONFIRMATION_PENDING);
    if (is_signed)
        settings_remove(s, CONFIRMATION_UNAUTHENTICATED);
    if (guard)
        settings_set(s, CONFIRMATION_GUARD, STR("true"));
}

void confirmation_ask(struct captured *c, const struct sub *u, str public_url,
                      struct id_source *ids, i64 now_ms)
{
    const struct topic *t = u->topic;
    str token = str_from(u->token, SUB_TOKEN_SIZE);
    char id[ID_UUID_SIZE];
    char *text = mem_printf("You have chosen to subscribe to the topic %.*s.\n"
                            "To confirm the subscription, visit the SubscribeURL included in this "
                            "message.",
                            STR_ARG(t->arn));
    char *url = mem_printf("%.*s/?Action=ConfirmSubscription&TopicArn=%.*s&Token=%.*s",
                           STR_ARG(public_url), STR_ARG(t->arn), STR_ARG(token));

    captured_add(c, &(struct captured_new){.protocol = sub_protocol_name(u),
                                           .type = "SubscriptionConfirmation",
                                           .endpoint = sub_endpoint(u),
                                           .account = t->scope->account,
                                           .region = t->scope->region,
                                           .topic = t->arn,
                                           .subscription = u->arn,
                                           .message_id = str_of(id_uuid(ids, id)),
                                           .message = str_of(text),
                                           .token = token,
                                           .url = str_of(url),
                                           .time_ms = now_ms});
    mem_free(text);
    mem_free(url);
}
