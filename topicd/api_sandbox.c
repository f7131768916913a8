/* The SMS sandbox: numbers that a one-time password verifies. No account is in it. */
#include "topicd/api.h"

#define TEXT(member)                                                                               \
    {                                                                                              \
        .name = member, .type = VAL_STRING                                                         \
    }
#define END                                                                                        \
    {                                                                                              \
        .name = NULL                                                                               \
    }

const struct member api_sandbox_in[] = {TEXT("PhoneNumber"), TEXT("LanguageCode"),
                                        TEXT("OneTimePassword"), END};

#define SANDBOX_NUMBER_MAX 20
#define STATUS             STR("Status")
#define PASSWORD           STR("OneTimePassword")
#define PASSWORD_SIZE      6

/* ^(\+[0-9]{8,}|[0-9]{0,9})$: Amazon SNS API reference. */
static bool is_sandbox_number(str s)
{
    bool plus = s.n && s.p[0] == '+';

    for (size_t i = plus; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n <= SANDBOX_NUMBER_MAX && (plus ? s.n >= 9 : s.n <= 9);
}

static bool is_language(str code)
{
    static const char *const codes[] = {"en-US", "en-GB", "es-419", "es-ES", "de-DE",
                                        "fr-CA", "fr-FR", "it-IT",  "ja-JP", "pt-BR",
                                        "kr-KR", "zh-CN", "zh-TW"};

    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (str_is(code, codes[i]))
            return true;
    return false;
}

void api_get_sandbox_status(struct call *c)
{
    call_out_bool(c, "IsInSandbox", false);
    call_done(c);
}

static str need_sandbox_number(struct call *c)
{
    str number = val_text(c->in, "PhoneNumber");

    if (!number.p || !is_sandbox_number(number)) {
        fault_set(&c->fault, FAULT_INVALID,
                  FAULT_PREFIX "PhoneNumber Reason: input incorrectly formatted");
        return STR_NONE;
    }
    return number;
}

static struct asset *find_sandbox_number(struct call *c)
{
    struct topicd *t = call_owner(c);
    str number = need_sandbox_number(c);
    struct asset *found =
        number.p ? assets_find(&t->assets, ASSET_SANDBOX_NUMBER, api_number_name(c, number)) : NULL;

    if (number.p && !found)
        fault_set(&c->fault, FAULT_RESOURCE_NOT_FOUND, "Resource does not exist");
    return found;
}

static void keep_sandbox_number(struct call *c, str number, str status, str password)
{
    struct topicd *t = call_owner(c);
    str name = api_number_name(c, number);
    struct asset *kept = assets_find(&t->assets, ASSET_SANDBOX_NUMBER, name);
    struct settings s;
    struct buf text = {0};

    settings_init(&s);
    settings_set(&s, STATUS, status);
    settings_set(&s, PASSWORD, password);
    settings_write(&s, &text);
    if (kept)
        assets_set(&t->assets, kept, buf_view(&text));
    else
        assets_add(&t->assets, ASSET_SANDBOX_NUMBER, api_scope(c), name, STR(""), buf_view(&text));
    buf_deinit(&text);
    settings_deinit(&s);
}

/* The password is captured as a message to the number. */
static void send_password(struct call *c, str number, str password)
{
    struct topicd *t = call_owner(c);
    char id[ID_UUID_SIZE];

    captured_add(
        &t->captured,
        &(struct captured_new){.protocol = "sms",
                               .type = "OneTimePassword",
                               .endpoint = number,
                               .account = c->account,
                               .region = c->region,
                               .message_id = str_of(id_uuid(&t->server.ids, id)),
                               .message = arena_printf(&c->arena, "%.*s is your verification code.",
                                                       STR_ARG(password)),
                               .time_ms = t->server.clock.now_ms});
}

void api_create_sandbox_number(struct call *c)
{
    struct topicd *t = call_owner(c);
    str number = need_sandbox_number(c), language = val_text(c->in, "LanguageCode");
    u32 secret;

    if (number.p && language.p && !is_language(language))
        fault_set(&c->fault, FAULT_INVALID, FAULT_PREFIX "LanguageCode");
    if (!c->fault.code) {
        id_secret(&t->server.ids, &secret, sizeof(secret));
        str password = arena_printf(&c->arena, "%0*u", PASSWORD_SIZE, secret % 1000000);

        keep_sandbox_number(c, number, STR("Pending"), password);
        send_password(c, number, password);
    }
    call_done(c);
}

void api_verify_sandbox_number(struct call *c)
{
    const struct asset *found = find_sandbox_number(c);
    str given = val_text(c->in, "OneTimePassword");
    struct settings s;

    settings_init(&s);
    if (found && settings_read(&s, found->value) == 0) {
        str password = settings_get(&s, PASSWORD);

        if (given.p && str_eq(given, password))
            keep_sandbox_number(c, api_number_of(found), STR("Verified"), password);
        else
            fault_set(&c->fault, FAULT_VERIFICATION, "The one-time password is not valid.");
    }
    settings_deinit(&s);
    call_done(c);
}

void api_delete_sandbox_number(struct call *c)
{
    struct topicd *t = call_owner(c);
    struct asset *found = find_sandbox_number(c);

    if (found)
        assets_remove(&t->assets, found);
    call_done(c);
}

static void out_sandbox_number(struct call *c, const struct asset *one)
{
    struct settings s;

    settings_init(&s);
    if (settings_read(&s, one->value))
        settings_reset(&s);
    call_out_item(c);
    call_out_text(c, "PhoneNumber", api_number_of(one));
    call_out_text(c, "Status", settings_get(&s, STATUS).p ? settings_get(&s, STATUS) : STR(""));
    call_out_item_end(c);
    settings_deinit(&s);
}

void api_list_sandbox_numbers(struct call *c)
{
    i64 max;
    u32 at;
    const struct slots *slots = api_read_max(c, API_PAGE_SIZE, &max)
                                    ? api_begin_numbers(c, ASSET_SANDBOX_NUMBER, "NextToken", &at)
                                    : NULL;
    const struct asset *one = slots ? slots_next(slots, &at) : NULL;

    if (slots) {
        call_out_list(c, "PhoneNumbers", "member");
        for (i64 i = 0; one && i < max; i++, one = slots_next(slots, &at))
            out_sandbox_number(c, one);
        call_out_list_end(c);
        if (one)
            api_page_end(c, "NextToken", 'n', one->place);
    }
    call_done(c);
}
