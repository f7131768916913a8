/* POST /_toque/opted-out {"phoneNumber": "+1…", "accountId": …, "region": …}: that number opts out
 * of SMS, which a carrier reports to the service. OptInPhoneNumber takes it back. */
#include "common/base/json.h"
#include "topicd/endpoint.h"
#include "topicd/opt_out_page.h"

struct opt_out {
    str number, account, region;
};

static int read_text(const struct json_at *root, const char *name, str *ret, struct fault *f)
{
    int err = json_get_str(root, name, ret, f);

    return err == E_NOT_FOUND ? 0 : err;
}

static int read_opt_out(const struct json_doc *doc, struct opt_out *o, struct fault *f)
{
    struct json_at root = json_root(doc);
    int err = read_text(&root, "phoneNumber", &o->number, f);

    if (!err)
        err = read_text(&root, "accountId", &o->account, f);
    if (!err)
        err = read_text(&root, "region", &o->region, f);
    if (!err && !endpoint_is_phone_number(o->number))
        err = fault_set(f, JSON_FAULT, "phoneNumber is not a phone number");
    return err;
}

static void keep_opt_out(struct topicd *t, const struct opt_out *o)
{
    char *scope = mem_printf("%.*s %.*s", STR_ARG(o->account), STR_ARG(o->region));
    char *name = mem_printf("%s %.*s", scope, STR_ARG(o->number));

    if (!assets_find(&t->assets, ASSET_OPTED_OUT, str_of(name)))
        assets_add(&t->assets, ASSET_OPTED_OUT, str_of(scope), str_of(name), STR(""), STR("{}"));
    mem_free(name);
    mem_free(scope);
}

static void opt_out_page(struct call *c, void *arg)
{
    struct topicd *t = arg;
    struct opt_out o = {STR_NONE, str_of(t->options->server.account),
                        str_of(t->options->server.region)};
    struct json_doc doc;
    struct fault f = {0};

    if (json_open(&doc, c->request.body, NULL, false, &f)) {
        call_page_fail(c, 400, "%s", f.text);
        return;
    }
    if (read_opt_out(&doc, &o, &f)) {
        call_page_fail(c, 400, "%s", f.text);
    } else {
        keep_opt_out(t, &o);
        call_page(c, 200, STR("{}"));
    }
    json_close(&doc);
}

void opt_out_add_page(struct topicd *t)
{
    desk_add_page(t->server.desk, "POST", "/_toque/opted-out", opt_out_page, t);
}
