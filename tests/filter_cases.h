/* The filter cases of tests/cases/filter/, one JSON object a line:
 *   {"id": …, "scope": "MessageBody", "policy": "<text>", "body": "<text>",
 *    "attributes": {"name": ["DataType", "value"]}, "expect": "match" | "no-match" | "invalid",
 *    "error": "<part of the text behind FilterPolicy:>"}
 * Tests run in the top folder of the checkout. */
#ifndef TOQUE_TESTS_FILTER_CASES_H
#define TOQUE_TESTS_FILTER_CASES_H

#include <jansson.h>

#include "common/base/buf.h"
#include "common/base/hash.h"
#include "filter/filter.h"

#define CASE_ATTRIBUTES_MAX 16

struct filter_case {
    json_t *json;
    const char *id, *expect, *error; /* error may be NULL */
    enum filter_scope scope;
    str policy;
    struct filter_message message;
    struct filter_attr attrs[CASE_ATTRIBUTES_MAX];
    struct buf binary;
};

static inline str case_text(const json_t *j)
{
    return json_is_string(j) ? str_from(json_string_value(j), json_string_length(j)) : STR_NONE;
}

static inline void case_read_attributes(struct filter_case *c)
{
    const char *name;
    json_t *pair;
    size_t n = 0;
    json_object_foreach(json_object_get(c->json, "attributes"), name, pair) {
        assert(n < CASE_ATTRIBUTES_MAX);
        struct filter_attr *a = &c->attrs[n++];
        a->name = str_of(name);
        a->type = case_text(json_array_get(pair, 0));
        a->value = case_text(json_array_get(pair, 1));
        if (str_is(a->type, "Binary")) {
            assert(hash_unbase64(a->value, &c->binary) == 0);
            a->value = buf_view(&c->binary);
        }
    }
    c->message.attrs = c->attrs;
    c->message.attr_count = n;
}

/* The next case of the file, or false at its end. */
static inline bool case_read(FILE *f, struct filter_case *c)
{
    *c = (struct filter_case){0};
    c->json = json_loadf(f, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, NULL);
    if (!c->json)
        return false;
    c->id = json_string_value(json_object_get(c->json, "id"));
    c->expect = json_string_value(json_object_get(c->json, "expect"));
    c->error = json_string_value(json_object_get(c->json, "error"));
    c->policy = case_text(json_object_get(c->json, "policy"));
    if (json_object_get(c->json, "scope"))
        assert(filter_scope_read(case_text(json_object_get(c->json, "scope")), &c->scope) == 0);
    c->message.body = case_text(json_object_get(c->json, "body"));
    case_read_attributes(c);
    return true;
}

static inline void case_deinit(struct filter_case *c)
{
    json_decref(c->json);
    buf_deinit(&c->binary);
}

#endif
