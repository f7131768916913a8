/* SMS: attributes, numbers that opted out, origination numbers. Nothing is sent: see captured.h. The
 * older actions have members in lower case. */
#include "topicd/api.h"
#include "topicd/endpoint.h"
#include "topicd/settings.h"

#define TEXT(member)                                                                               \
    {                                                                                              \
        .name = member, .type = VAL_STRING                                                         \
    }
#define END                                                                                        \
    {                                                                                              \
        .name = NULL                                                                               \
    }

const struct member api_get_sms_in[] = {{.name = "attributes", .type = VAL_LIST, .of = VAL_STRING},
                                        END};
const struct member api_set_sms_in[] = {{.name = "attributes", .type = VAL_MAP, .of = VAL_STRING},
                                        END};
const struct member api_phone_in[] = {TEXT("phoneNumber"), END};
const struct member api_list_phones_in[] = {TEXT("nextToken"), END};
const struct member api_list_sandbox_in[] = {
    TEXT("NextToken"), {.name = "MaxResults", .type = VAL_INT}, END};

/* --- attributes of an account in a region ----------------------------------------------------- */

#define SPEND_LIMIT STR("MonthlySpendLimit")
/* Most bytes of a value; the longest are ARNs and names of buckets. */
#define VALUE_MAX 2048

static bool is_number(str s, i64 max)
{
    i64 v;

    return s.n && s.p[0] >= '0' && s.p[0] <= '9' && str_to_i64(s, &v) == 0 && v >= 0 && v <= max;
}

/* 1 to 11 letters and digits, one letter among them. */
static bool is_sender(str s)
{
    bool letter = false;

    for (size_t i = 0; i < s.n; i++) {
        char lower = (char)(s.p[i] | 0x20);

        if (!(lower >= 'a' && lower <= 'z') && !(s.p[i] >= '0' && s.p[i] <= '9'))
            return false;
        letter = letter || (lower >= 'a' && lower <= 'z');
    }
    return letter && s.n <= 11;
}

static bool is_sms_value(str name, str value)
{
    if (str_eq(name, SPEND_LIMIT))
        return is_number(value, INT32_MAX);
    if (str_is(name, "DeliveryStatusSuccessSamplingRate"))
        return value.n == 0 || is_number(value, 100);
    if (str_is(name, "DefaultSenderID"))
        return value.n == 0 || is_sender(value);
    if (str_is(name, "DefaultSMSType"))
        return str_is(value, "Promotional") || str_is(value, "Transactional");
    return value.n <= VALUE_MAX;
}

static int check_sms(const struct setting *one, struct fault *f)
{
    static const char *const names[] = {
        "MonthlySpendLimit", "DeliveryStatusIAMRole", "DeliveryStatusSuccessSamplingRate",
        "DefaultSenderID",   "DefaultSMSType",        "UsageReportS3Bucket"};
    bool known = false;

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        known = known || str_is(one->name, names[i]);
    if (!known)
        return fault_set(f, FAULT_INVALID,
                         FAULT_PREFIX "attributes Reason: Invalid attribute name: %.*s",
                         (int)MIN(one->name.n, (size_t)300), one->name.n ? one->name.p : "");
    if (is_sms_value(one->name, one->value))
        return 0;
    return fault_set(f, FAULT_INVALID,
                     FAULT_PREFIX "attributes Reason: Invalid value for attribute: %.*s",
                     STR_ARG(one->name));
}

static void read_sms(struct call *c, struct settings *s)
{
    const struct topicd *t = call_owner(c);
    const struct asset *kept = assets_find(&t->assets, ASSET_SMS_ATTRIBUTES, api_scope(c));

    settings_set(s, SPEND_LIMIT, STR("1"));
    if (kept && settings_read(s, kept->value))
        settings_reset(s);
}

static bool is_asked(const struct val *names, str name)
{
    for (const struct val *v = names ? names->first : NULL; v; v = v->next)
        if (str_eq(v->text, name))
            return true;
    return !names || names->count == 0;
}

void api_get_sms_attributes(struct call *c)
{
    const struct val *names = val_get(c->in, "attributes");
    struct settings s;

    settings_init(&s);
    read_sms(c, &s);
    call_out_map(c, "attributes", "entry", "key", "value");
    for (size_t i = 0; i < s.n; i++)
        if (is_asked(names, s.items[i].name))
            call_out_entry_text(c, s.items[i].name, s.items[i].value);
    call_out_map_end(c);
    settings_deinit(&s);
    call_done(c);
}

static void keep_sms(struct call *c, const struct settings *s)
{
    struct topicd *t = call_owner(c);
    str scope = api_scope(c);
    struct asset *kept = assets_find(&t->assets, ASSET_SMS_ATTRIBUTES, scope);
    struct buf text = {0};

    settings_write(s, &text);
    if (kept)
        assets_set(&t->assets, kept, buf_view(&text));
    else
        assets_add(&t->assets, ASSET_SMS_ATTRIBUTES, scope, scope, STR(""), buf_view(&text));
    buf_deinit(&text);
}

void api_set_sms_attributes(struct call *c)
{
    struct setting *given;
    struct settings s;
    size_t n;
    int err = api_need_attributes(c, "attributes", &given, &n);

    settings_init(&s);
    read_sms(c, &s);
    for (size_t i = 0; i < n && !err; i++) {
        err = check_sms(&given[i], &c->fault);
        if (!err)
            settings_set(&s, given[i].name, given[i].value);
    }
    if (!err)
        keep_sms(c, &s);
    settings_deinit(&s);
    call_done(c);
}

/* --- numbers that opted out ------------------------------------------------------------------- */

str api_number_name(struct call *c, str number)
{
    return arena_printf(&c->arena, "%.*s %.*s", STR_ARG(api_scope(c)), STR_ARG(number));
}

str api_number_of(const struct asset *t)
{
    return str_slice(t->name, (size_t)str_rfind(t->name, ' ') + 1, t->name.n);
}

/* The number in that parameter, well-formed; p NULL: the fault is set. */
static str need_phone(struct call *c, const char *name)
{
    str number = val_text(c->in, name);

    if (!number.p)
        fault_set(&c->fault, FAULT_INVALID,
                  FAULT_PREFIX "PhoneNumber Reason: no value for required parameter");
    else if (!endpoint_is_phone_number(number))
        fault_set(&c->fault, FAULT_INVALID,
                  FAULT_PREFIX "PhoneNumber Reason: input incorrectly formatted");
    return c->fault.code ? STR_NONE : number;
}

bool api_is_opted_out(struct call *c, str number)
{
    const struct topicd *t = call_owner(c);

    return assets_find(&t->assets, ASSET_OPTED_OUT, api_number_name(c, number)) != NULL;
}

void api_check_opted_out(struct call *c)
{
    str number = need_phone(c, "phoneNumber");

    if (number.p)
        call_out_bool(c, "isOptedOut", api_is_opted_out(c, number));
    call_done(c);
}

void api_opt_in(struct call *c)
{
    struct topicd *t = call_owner(c);
    str number = need_phone(c, "phoneNumber");
    struct asset *kept =
        number.p ? assets_find(&t->assets, ASSET_OPTED_OUT, api_number_name(c, number)) : NULL;

    if (kept)
        assets_remove(&t->assets, kept);
    call_done(c);
}

const struct slots *api_begin_numbers(struct call *c, enum asset_kind kind, const char *token,
                                      u32 *ret_at)
{
    static const struct slots none;
    const struct topicd *t = call_owner(c);
    const struct slots *slots = assets_group(&t->assets, kind, api_scope(c));
    u64 place;

    if (!api_page_begin(c, token, 'n', &place))
        return NULL;
    if (!slots)
        slots = &none;
    *ret_at = (u32)MIN(place, (u64)slots->end);
    return slots;
}

void api_list_opted_out(struct call *c)
{
    u32 at;
    const struct slots *slots = api_begin_numbers(c, ASSET_OPTED_OUT, "nextToken", &at);
    const struct asset *one = slots ? slots_next(slots, &at) : NULL;

    if (slots) {
        call_out_list(c, "phoneNumbers", "member");
        for (int i = 0; one && i < API_PAGE_SIZE; i++, one = slots_next(slots, &at))
            call_out_item_text(c, api_number_of(one));
        call_out_list_end(c);
        if (one)
            api_page_end(c, "nextToken", 'n', one->place);
    }
    call_done(c);
}

bool api_read_max(struct call *c, i64 most, i64 *ret)
{
    *ret = most;
    if (!val_int(c->in, "MaxResults", ret) || (*ret >= 1 && *ret <= most))
        return true;
    fault_set(&c->fault, FAULT_VALIDATION,
              "1 validation error detected: Value '%" PRId64 "' at 'maxResults' failed to satisfy "
              "constraint: Member must be between 1 and %" PRId64,
              *ret, most);
    return false;
}

/* --- origination numbers: there are none ------------------------------------------------------ */

#define ORIGINATION_PAGE 30

void api_list_origination_numbers(struct call *c)
{
    i64 max;

    if (api_read_max(c, ORIGINATION_PAGE, &max)) {
        call_out_list(c, "PhoneNumbers", "member");
        call_out_list_end(c);
    }
    call_done(c);
}
