#include "common/base/figures.h"

#include "common/base/scan.h"

static struct figures_json *json_of(struct figures *to)
{
    return container_of(to, struct figures_json, to);
}

static void figures_json_name(struct figures_json *j, const char *name)
{
    if (!j->first)
        buf_char(j->out, ',');
    j->first = false;
    scan_quote(j->out, str_of(name));
    buf_char(j->out, ':');
}

static void json_figure(struct figures *to, const struct figure *f)
{
    struct figures_json *j = json_of(to);

    figures_json_name(j, f->name);
    if (f->kind == FIGURE_STATE)
        scan_quote(j->out, str_of(f->state));
    else
        buf_u64(j->out, f->number);
}

static void json_begin(struct figures *to, const char *list)
{
    struct figures_json *j = json_of(to);

    figures_json_name(j, list);
    buf_char(j->out, '[');
    j->open = false;
}

static void json_of_one(struct figures *to, const char *label, const char *value)
{
    struct figures_json *j = json_of(to);

    buf_z(j->out, j->open ? "},{" : "{");
    j->first = j->open = true;
    figures_json_name(j, label);
    scan_quote(j->out, str_of(value));
}

static void json_end(struct figures *to)
{
    struct figures_json *j = json_of(to);

    buf_z(j->out, j->open ? "}]" : "]");
    j->first = j->open = false;
}

void figures_json_begin(struct figures_json *j, struct buf *out)
{
    *j = (struct figures_json){
        .to = {json_figure, json_begin, json_of_one, json_end}, .out = out, .first = true};
    buf_char(out, '{');
}

void figures_json_end(struct figures_json *j)
{
    buf_char(j->out, '}');
}
