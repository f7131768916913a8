/* Platform applications and their endpoints: the ten actions on them. */
#include "common/aws/arn.h"
#include "topicd/api.h"
#include "topicd/mobile.h"

#define TEXT(member)                                                                               \
    {                                                                                              \
        .name = member, .type = VAL_STRING                                                         \
    }
#define ATTRIBUTES                                                                                 \
    {                                                                                              \
        .name = "Attributes", .type = VAL_MAP, .of = VAL_STRING                                    \
    }
#define END                                                                                        \
    {                                                                                              \
        .name = NULL                                                                               \
    }

const struct member api_create_application_in[] = {TEXT("Name"), TEXT("Platform"), ATTRIBUTES, END};
const struct member api_application_in[] = {TEXT("PlatformApplicationArn"), END};
const struct member api_set_application_in[] = {TEXT("PlatformApplicationArn"), ATTRIBUTES, END};
const struct member api_create_endpoint_in[] = {TEXT("PlatformApplicationArn"), TEXT("Token"),
                                                TEXT("CustomUserData"), ATTRIBUTES, END};
const struct member api_endpoint_in[] = {TEXT("EndpointArn"), END};
const struct member api_set_endpoint_in[] = {TEXT("EndpointArn"), ATTRIBUTES, END};
const struct member api_list_endpoints_in[] = {TEXT("PlatformApplicationArn"), TEXT("NextToken"),
                                               END};

/* --- what they share -------------------------------------------------------------------------- */

/* Longest token and platform. */
#define TOKEN_MAX 4096
#define SHOWN_MAX 300

static str arn_of_resource(struct call *c, str resource)
{
    struct arn arn = arn_of("sns", c->region, c->account, resource);
    struct buf text = {0};

    arn_write(&text, &arn);
    str ret = arena_dup(&c->arena, buf_view(&text));

    buf_deinit(&text);
    return ret;
}

/* The ARN in that parameter, whose last part has that many slashes. */
static int read_arn(struct call *c, const char *name, size_t slashes, str *ret)
{
    struct arn arn;
    int err = api_arn(c, name, ret);

    if (err)
        return err;
    if (arn_read(*ret, &arn) || !str_is(arn.service, "sns") || !str_eq(arn.region, c->region))
        return fault_set(&c->fault, FAULT_INVALID, FAULT_PREFIX "%s", name);
    for (size_t i = 0; i < arn.resource.n; i++)
        slashes -= arn.resource.p[i] == '/';
    return slashes == 0 ? 0
                        : fault_set(&c->fault, FAULT_INVALID,
                                    FAULT_PREFIX "%s Reason: Wrong number of slashes in relative "
                                                 "portion of the ARN.",
                                    name);
}

/* NULL: the fault is set. */
static struct asset *find_application(struct call *c)
{
    struct topicd *t = call_owner(c);
    str arn;

    if (read_arn(c, "PlatformApplicationArn", 2, &arn))
        return NULL;
    struct asset *found = assets_find(&t->assets, ASSET_APPLICATION, arn);

    if (!found)
        fault_set(&c->fault, FAULT_NOT_FOUND, "PlatformApplication does not exist");
    return found;
}

static struct asset *find_endpoint(struct call *c)
{
    struct topicd *t = call_owner(c);
    str arn;

    if (read_arn(c, "EndpointArn", 3, &arn))
        return NULL;
    struct asset *found = assets_find(&t->assets, ASSET_ENDPOINT, arn);

    if (!found)
        fault_set(&c->fault, FAULT_NOT_FOUND, "Endpoint does not exist");
    return found;
}

int api_need_attributes(struct call *c, const char *name, struct setting **ret, size_t *ret_n)
{
    *ret = api_settings(c, name, ret_n);
    if (*ret_n)
        return 0;
    return fault_set(&c->fault, FAULT_VALIDATION,
                     "1 validation error detected: Value null at 'attributes' failed to satisfy "
                     "constraint: Member must not be null");
}

static void out_attributes(struct call *c, const struct asset *asset)
{
    struct settings s;

    settings_init(&s);
    if (settings_read(&s, asset->value))
        settings_reset(&s);
    call_out_map(c, "Attributes", "entry", "key", "value");
    for (size_t i = 0; i < s.n; i++)
        if (!mobile_is_secret(s.items[i].name))
            call_out_entry_text(c, s.items[i].name, s.items[i].value);
    call_out_map_end(c);
    settings_deinit(&s);
}

/* A page of the group, each with its ARN as that member and its attributes. */
static void out_list(struct call *c, const struct slots *slots, const char *list,
                     const char *member)
{
    static const struct slots none;
    const struct asset *asset;
    u64 place;

    if (!api_page_begin(c, "NextToken", 'm', &place))
        return;
    if (!slots)
        slots = &none;
    u32 at = (u32)MIN(place, (u64)slots->end);

    asset = slots_next(slots, &at);
    call_out_list(c, list, "member");
    for (int i = 0; asset && i < API_PAGE_SIZE; i++, asset = slots_next(slots, &at)) {
        call_out_item(c);
        call_out_text(c, member, asset->name);
        out_attributes(c, asset);
        call_out_item_end(c);
    }
    call_out_list_end(c);
    if (asset)
        api_page_end(c, "NextToken", 'm', asset->place);
}

static void refuse_full(struct call *c, const char *name)
{
    fault_set(&c->fault, FAULT_INVALID, FAULT_PREFIX "%s Reason: too many exist", name);
}

/* Merges into the asset's attributes. */
static void
set_attributes(struct call *c, struct asset *asset, const struct setting *given, size_t n,
               int (*set)(struct settings *, const struct setting *, size_t, struct fault *))
{
    struct topicd *t = call_owner(c);
    struct settings s;
    struct buf text = {0};

    settings_init(&s);
    if (settings_read(&s, asset->value) == 0 && set(&s, given, n, &c->fault) == 0) {
        settings_write(&s, &text);
        assets_set(&t->assets, asset, buf_view(&text));
    }
    buf_deinit(&text);
    settings_deinit(&s);
}

/* --- applications ----------------------------------------------------------------------------- */

static int check_application(struct call *c, str name, str platform)
{
    if (!mobile_is_platform(platform))
        return fault_set(&c->fault, FAULT_INVALID,
                         FAULT_PREFIX "Platform Reason: %.*s is not supported",
                         str_shown(platform, SHOWN_MAX), platform.n ? platform.p : "");
    return mobile_is_name(name) ? 0 : fault_set(&c->fault, FAULT_INVALID, FAULT_PREFIX "Name");
}

/* One of that platform and name that exists stays as it is. */
static void make_application(struct call *c, str arn, const struct settings *s)
{
    struct topicd *t = call_owner(c);
    struct buf text = {0};

    settings_write(s, &text);
    if (!assets_find(&t->assets, ASSET_APPLICATION, arn) &&
        !assets_add(&t->assets, ASSET_APPLICATION, api_scope(c), arn, STR(""), buf_view(&text)))
        refuse_full(c, "Name");
    else
        call_out_text(c, "PlatformApplicationArn", arn);
    buf_deinit(&text);
}

void api_create_platform_application(struct call *c)
{
    str name = val_text(c->in, "Name"), platform = val_text(c->in, "Platform");
    struct settings s;
    struct setting *given;
    size_t n;

    settings_init(&s);
    settings_set(&s, MOBILE_ENABLED, STR("true"));
    if (api_need_attributes(c, "Attributes", &given, &n) == 0 &&
        check_application(c, name, platform) == 0 &&
        mobile_set_application(&s, given, n, &c->fault) == 0 &&
        mobile_check_credentials(&s, platform, &c->fault) == 0)
        make_application(c,
                         arn_of_resource(c, arena_printf(&c->arena, "app/%.*s/%.*s",
                                                         STR_ARG(platform), STR_ARG(name))),
                         &s);
    settings_deinit(&s);
    call_done(c);
}

void api_delete_platform_application(struct call *c)
{
    struct topicd *t = call_owner(c);
    str arn;

    if (read_arn(c, "PlatformApplicationArn", 2, &arn) == 0) {
        struct asset *found = assets_find(&t->assets, ASSET_APPLICATION, arn);

        if (found) {
            assets_remove_group(&t->assets, ASSET_ENDPOINT, arn);
            assets_remove(&t->assets, found);
        }
    }
    call_done(c);
}

void api_get_platform_application_attributes(struct call *c)
{
    const struct asset *found = find_application(c);

    if (found)
        out_attributes(c, found);
    call_done(c);
}

void api_set_platform_application_attributes(struct call *c)
{
    struct setting *given;
    size_t n;

    if (api_need_attributes(c, "Attributes", &given, &n) == 0) {
        struct asset *found = find_application(c);

        if (found)
            set_attributes(c, found, given, n, mobile_set_application);
    }
    call_done(c);
}

void api_list_platform_applications(struct call *c)
{
    const struct topicd *t = call_owner(c);

    out_list(c, assets_group(&t->assets, ASSET_APPLICATION, api_scope(c)), "PlatformApplications",
             "PlatformApplicationArn");
    call_done(c);
}

void api_list_endpoints(struct call *c)
{
    const struct topicd *t = call_owner(c);
    const struct asset *found = find_application(c);

    if (found)
        out_list(c, assets_group(&t->assets, ASSET_ENDPOINT, found->name), "Endpoints",
                 "EndpointArn");
    call_done(c);
}

/* --- endpoints -------------------------------------------------------------------------------- */

static str alias_of(struct call *c, str application, str token)
{
    return arena_printf(&c->arena, "%.*s %.*s", STR_ARG(application), STR_ARG(token));
}

static void refuse_token(struct call *c, str endpoint)
{
    fault_set(&c->fault, FAULT_INVALID,
              FAULT_PREFIX "Token Reason: Endpoint %.*s already exists with the same Token, but "
                           "different attributes.",
              STR_ARG(endpoint));
}

/* The attributes of the request; CustomUserData as a parameter gives way to the attribute. */
static int read_endpoint(struct call *c, str token, struct settings *s)
{
    size_t n;
    struct setting *given = api_settings(c, "Attributes", &n);
    struct setting data = {MOBILE_USER_DATA, val_text(c->in, "CustomUserData")};

    if (!token.n)
        return fault_set(&c->fault, FAULT_INVALID,
                         FAULT_PREFIX "Token Reason: no value for required parameter");
    if (token.n > TOKEN_MAX)
        return fault_set(&c->fault, FAULT_INVALID, FAULT_PREFIX "Token");
    if (data.value.p && mobile_set_endpoint(s, &data, 1, &c->fault))
        return E_FAULT;
    int err = mobile_set_endpoint(s, given, n, &c->fault);

    settings_set(s, MOBILE_TOKEN, token);
    return err;
}

static bool has_all(const struct asset *endpoint, const struct settings *wanted)
{
    struct settings have;
    bool all = true;

    settings_init(&have);
    if (settings_read(&have, endpoint->value))
        settings_reset(&have);
    for (size_t i = 0; i < wanted->n; i++)
        all = all && str_eq(settings_get(&have, wanted->items[i].name), wanted->items[i].value);
    settings_deinit(&have);
    return all;
}

static struct asset *add_endpoint(struct call *c, const struct asset *application, str arn,
                                  str token, const struct settings *s)
{
    struct topicd *t = call_owner(c);
    struct buf text = {0};

    settings_write(s, &text);
    struct asset *added = assets_add(&t->assets, ASSET_ENDPOINT, application->name, arn,
                                     alias_of(c, application->name, token), buf_view(&text));

    buf_deinit(&text);
    if (!added)
        refuse_full(c, "Token");
    return added;
}

/* "endpoint/PLATFORM/NAME/UUID" for "app/PLATFORM/NAME". */
static str new_endpoint_arn(struct call *c, const struct asset *application)
{
    struct topicd *t = call_owner(c);
    char uuid[ID_UUID_SIZE];
    struct arn arn;
    int err = arn_read(application->name, &arn);

    assert(err == 0);
    str_cut(&arn.resource, '/');
    return arn_of_resource(c, arena_printf(&c->arena, "endpoint/%.*s/%s", STR_ARG(arn.resource),
                                           id_uuid(&t->server.ids, uuid)));
}

static void make_endpoint(struct call *c, const struct asset *application, struct settings *wanted)
{
    struct topicd *t = call_owner(c);
    str token = val_text(c->in, "Token");
    struct asset *found =
        assets_find_alias(&t->assets, ASSET_ENDPOINT, alias_of(c, application->name, token));

    if (found && !has_all(found, wanted)) {
        refuse_token(c, found->name);
        return;
    }
    if (!settings_get(wanted, MOBILE_ENABLED).p)
        settings_set(wanted, MOBILE_ENABLED, STR("true"));
    if (!found)
        found = add_endpoint(c, application, new_endpoint_arn(c, application), token, wanted);
    if (found)
        call_out_text(c, "EndpointArn", found->name);
}

void api_create_platform_endpoint(struct call *c)
{
    const struct asset *application = find_application(c);
    struct settings wanted;

    settings_init(&wanted);
    if (application && read_endpoint(c, val_text(c->in, "Token"), &wanted) == 0)
        make_endpoint(c, application, &wanted);
    settings_deinit(&wanted);
    call_done(c);
}

void api_delete_endpoint(struct call *c)
{
    struct topicd *t = call_owner(c);
    str arn;

    if (read_arn(c, "EndpointArn", 3, &arn) == 0) {
        struct asset *found = assets_find(&t->assets, ASSET_ENDPOINT, arn);

        if (found)
            assets_remove(&t->assets, found);
    }
    call_done(c);
}

void api_get_endpoint_attributes(struct call *c)
{
    const struct asset *found = find_endpoint(c);

    if (found)
        out_attributes(c, found);
    call_done(c);
}

/* Another token: the endpoint is found by it from now on. */
static void change_token(struct call *c, struct asset *endpoint, const struct settings *s)
{
    struct topicd *t = call_owner(c);
    str token = settings_get(s, MOBILE_TOKEN), arn = arena_dup(&c->arena, endpoint->name);
    const struct asset *application =
        assets_find(&t->assets, ASSET_APPLICATION, asset_group_name(endpoint->group));
    const struct asset *other =
        assets_find_alias(&t->assets, ASSET_ENDPOINT, alias_of(c, application->name, token));

    if (other) {
        refuse_token(c, other->name);
        return;
    }
    assets_remove(&t->assets, endpoint);
    add_endpoint(c, application, arn, token, s);
}

static void set_endpoint(struct call *c, struct asset *endpoint, const struct setting *given,
                         size_t n)
{
    struct settings s;

    settings_init(&s);
    if (settings_read(&s, endpoint->value) == 0 &&
        mobile_set_endpoint(&s, given, n, &c->fault) == 0) {
        str token = settings_get(&s, MOBILE_TOKEN);

        if (!token.n || token.n > TOKEN_MAX)
            fault_set(&c->fault, FAULT_INVALID, FAULT_PREFIX "Token");
        else if (!str_eq(token, str_slice(endpoint->alias, asset_group_name(endpoint->group).n + 1,
                                          endpoint->alias.n)))
            change_token(c, endpoint, &s);
        else
            set_attributes(c, endpoint, given, n, mobile_set_endpoint);
    }
    settings_deinit(&s);
}

void api_set_endpoint_attributes(struct call *c)
{
    struct setting *given;
    size_t n;

    if (api_need_attributes(c, "Attributes", &given, &n) == 0) {
        struct asset *found = find_endpoint(c);

        if (found)
            set_endpoint(c, found, given, n);
    }
    call_done(c);
}
