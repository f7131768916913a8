#include "topicd/mobile.h"

#include "common/aws/arn.h"
#include "topicd/fault.h"

#define NAME_MAX_CHARS 256
#define USER_DATA_MAX  2048
/* Most bytes of any other value; the longest are credentials. */
#define VALUE_MAX 8192
/* Longest name that an error text shows. */
#define SHOWN_MAX 300

#define PRINCIPAL  "PlatformPrincipal"
#define CREDENTIAL "PlatformCredential"

static const char *const platforms[] = {
    "ADM",   "APNS", "APNS_SANDBOX", "APNS_VOIP", "APNS_VOIP_SANDBOX", "MACOS", "MACOS_SANDBOX",
    "BAIDU", "GCM",  "MPNS",         "WNS"};

static bool is_among(str text, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_is(text, list[i]))
            return true;
    return false;
}

bool mobile_is_platform(str platform)
{
    return is_among(platform, platforms, ARRAY_LEN(platforms));
}

bool mobile_is_name(str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-' || c == '.'))
            return false;
    }
    return name.n >= 1 && name.n <= NAME_MAX_CHARS;
}

str mobile_platform(str arn)
{
    struct arn parts;

    if (arn_read(arn, &parts))
        return STR("");
    str_cut(&parts.resource, '/');
    return str_cut(&parts.resource, '/');
}

bool mobile_is_secret(str name)
{
    return str_is(name, PRINCIPAL) || str_is(name, CREDENTIAL);
}

/* --- attributes ------------------------------------------------------------------------------- */

static int refuse_name(str name, struct fault *f)
{
    return fault_set(f, FAULT_INVALID,
                     FAULT_PREFIX "Attributes Reason: Invalid attribute name: %.*s",
                     str_shown(name, SHOWN_MAX), name.n ? name.p : "");
}

static int refuse_value(const char *name, const char *why, struct fault *f)
{
    return fault_set(f, FAULT_INVALID,
                     FAULT_PREFIX "Attributes Reason: Invalid value for attribute: %s: %s", name,
                     why);
}

static int check_enabled(str value, struct fault *f)
{
    if (str_eq_nocase(value, STR("true")) || str_eq_nocase(value, STR("false")))
        return 0;
    return refuse_value("Enabled", "must be true or false", f);
}

static int check_rate(str value, struct fault *f)
{
    i64 rate;

    if (str_to_i64(value, &rate) == 0 && rate >= 0 && rate <= 100)
        return 0;
    return refuse_value("SuccessFeedbackSampleRate", "must be an integer between 0 and 100", f);
}

static int check_value(str name, str value, struct fault *f)
{
    if (str_eq(name, MOBILE_ENABLED))
        return check_enabled(value, f);
    if (str_is(name, "SuccessFeedbackSampleRate"))
        return check_rate(value, f);
    if (str_eq(name, MOBILE_USER_DATA) && value.n > USER_DATA_MAX)
        return refuse_value("CustomUserData", "must be at most 2048 bytes long in UTF-8 encoding",
                            f);
    if (value.n > VALUE_MAX)
        return fault_set(f, FAULT_INVALID,
                         FAULT_PREFIX "Attributes Reason: Invalid value for attribute: %.*s: too "
                                      "long",
                         STR_ARG(name));
    return 0;
}

static int set_known(struct settings *settings, const struct setting *given, size_t n,
                     const char *const *known, size_t known_n, struct fault *f)
{
    for (size_t i = 0; i < n; i++) {
        str name = given[i].name, value = given[i].value;

        if (!is_among(name, known, known_n))
            return refuse_name(name, f);
        if (check_value(name, value, f))
            return E_FAULT;
        if (str_eq(name, MOBILE_ENABLED))
            value = str_eq_nocase(value, STR("true")) ? STR("true") : STR("false");
        settings_set(settings, name, value);
    }
    return 0;
}

int mobile_set_application(struct settings *settings, const struct setting *given, size_t n,
                           struct fault *f)
{
    static const char *const known[] = {"Enabled",
                                        CREDENTIAL,
                                        PRINCIPAL,
                                        "EventEndpointCreated",
                                        "EventEndpointDeleted",
                                        "EventEndpointUpdated",
                                        "EventDeliveryFailure",
                                        "SuccessFeedbackRoleArn",
                                        "FailureFeedbackRoleArn",
                                        "SuccessFeedbackSampleRate",
                                        "ApplePlatformTeamID",
                                        "ApplePlatformBundleID"};

    return set_known(settings, given, n, known, ARRAY_LEN(known), f);
}

int mobile_set_endpoint(struct settings *settings, const struct setting *given, size_t n,
                        struct fault *f)
{
    static const char *const known[] = {"Enabled", "Token", "CustomUserData"};

    return set_known(settings, given, n, known, ARRAY_LEN(known), f);
}

static int refuse_half(const char *given, const char *missing, struct fault *f)
{
    return fault_set(f, FAULT_INVALID,
                     FAULT_PREFIX "Attributes Reason: %s attribute provided without %s", given,
                     missing);
}

int mobile_check_credentials(const struct settings *settings, str platform, struct fault *f)
{
    bool principal = settings_get(settings, STR(PRINCIPAL)).n;
    bool credential = settings_get(settings, STR(CREDENTIAL)).n;

    if (principal && !credential)
        return refuse_half(PRINCIPAL, CREDENTIAL, f);
    if (credential && !principal && !str_is(platform, "GCM"))
        return refuse_half(CREDENTIAL, PRINCIPAL, f);
    return 0;
}

/* --- state ------------------------------------------------------------------------------------ */

static bool is_enabled(const struct asset *t)
{
    struct settings s;

    settings_init(&s);
    bool enabled =
        settings_read(&s, t->value) == 0 && !str_is(settings_get(&s, MOBILE_ENABLED), "false");

    settings_deinit(&s);
    return enabled;
}

enum mobile_state mobile_endpoint_state(const struct assets *ts, str arn)
{
    const struct asset *endpoint = assets_find(ts, ASSET_ENDPOINT, arn);

    if (!endpoint)
        return MOBILE_MISSING;
    const struct asset *application =
        assets_find(ts, ASSET_APPLICATION, asset_group_name(endpoint->group));

    if (!application)
        return MOBILE_MISSING;
    if (!is_enabled(application))
        return MOBILE_APPLICATION_DISABLED;
    return is_enabled(endpoint) ? MOBILE_READY : MOBILE_DISABLED;
}
