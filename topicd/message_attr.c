/* Order of the checks of one attribute: type given, name, type, value, field. */
#include "topicd/message_attr.h"

#include "topicd/fault.h"

/* Longest name or type that an error text shows. */
#define SHOWN_MAX 300

const struct member ATTR_MEMBERS[] = {
    {.name = "DataType", .type = VAL_STRING},
    {.name = "StringValue", .type = VAL_STRING},
    {.name = "BinaryValue", .type = VAL_BLOB},
    {.name = NULL},
};

/* --- names ------------------------------------------------------------------------------------ */

static bool is_attr_name_char(u8 c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

static int check_attr_name(str name, struct fault *f)
{
    if (name.n == 0 || name.n > MESSAGE_ATTR_NAME_MAX)
        return fault_set(f, FAULT_VALUE_INVALID, "Length of message attribute name must be %s.",
                         name.n ? "less than 256 bytes" : "greater than 0");
    for (size_t i = 0; i < name.n;) {
        u32 c = str_next_char(name, &i);

        if (c > 0x7F || !is_attr_name_char((u8)c))
            return fault_set(f, FAULT_VALUE_INVALID,
                             "Invalid non-alphanumeric character '#x%X' was found in the message "
                             "attribute name. Can only include alphanumeric characters, hyphens, "
                             "underscores, or dots.",
                             c);
    }
    if (name.p[0] == '.')
        return fault_set(f, FAULT_VALUE_INVALID,
                         "Invalid message attribute name starting with "
                         "character '.' was found.");
    if (name.p[name.n - 1] == '.')
        return fault_set(f, FAULT_VALUE_INVALID,
                         "Invalid message attribute name ending with "
                         "character '.' was found.");
    for (size_t i = 1; i < name.n; i++)
        if (name.p[i] == '.' && name.p[i - 1] == '.')
            return fault_set(f, FAULT_VALUE_INVALID,
                             "Message attribute name can not have successive '.' character.");
    return 0;
}

/* --- types and values ------------------------------------------------------------------------- */

static int check_number(const struct filter_attr *a, struct fault *f)
{
    switch (message_number(a->value)) {
    case MESSAGE_NUMBER_FINE: return 0;
    case MESSAGE_NUMBER_RANGE:
        return fault_set(f, FAULT_VALUE_INVALID,
                         "Message attribute '%.*s' value scale must be 10^-128 and 10^126.",
                         STR_ARG(a->name));
    case MESSAGE_NUMBER_PRECISION:
        return fault_set(f, FAULT_VALUE_INVALID,
                         "Message attribute '%.*s' value must have less than 38 precision digits.",
                         STR_ARG(a->name));
    default:
        return fault_set(f, FAULT_VALUE_INVALID,
                         "Could not cast message attribute '%.*s' value to number.",
                         STR_ARG(a->name));
    }
}

static int wrong_field(const struct filter_attr *a, const char *field, struct fault *f)
{
    return fault_set(f, FAULT_VALUE_INVALID,
                     "The message attribute '%.*s' with type '%.*s' must use field '%s'.",
                     STR_ARG(a->name), str_shown(a->type, SHOWN_MAX), a->type.p, field);
}

/* C0 control characters are accepted, although they make the attribute malformed for filter policies
 * (filter/match/attributes.c) and unfit for raw delivery. */
static bool is_value_text(str s)
{
    for (size_t i = 0; i < s.n;) {
        u32 c = str_next_char(s, &i);

        if (c >= 0xFFFE)
            return false;
    }
    return true;
}

bool attr_fits_raw(const struct filter_attr *attrs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (message_attr_base(attrs[i].type) != MESSAGE_ATTR_BINARY &&
            !message_is_text(attrs[i].value))
            return false;
    return n <= MESSAGE_ATTRS_MAX;
}

static int check_attr_value(struct filter_attr *a, const struct val *v, enum message_attr_base base,
                            struct fault *f)
{
    str text = val_text(v, "StringValue"), bytes = val_text(v, "BinaryValue");

    if (text.n == 0 && bytes.n == 0)
        return fault_set(f, FAULT_VALUE_INVALID,
                         "The message attribute '%.*s' must contain non-empty message attribute "
                         "value for message attribute type '%.*s'.",
                         STR_ARG(a->name), str_shown(a->type, SHOWN_MAX), a->type.p);
    if (base == MESSAGE_ATTR_BINARY && (text.n || !bytes.n))
        return wrong_field(a, "Binary", f);
    if (base != MESSAGE_ATTR_BINARY && (bytes.n || !text.n))
        return wrong_field(a, "String", f);
    a->value = base == MESSAGE_ATTR_BINARY ? bytes : text;
    if (base != MESSAGE_ATTR_BINARY && !is_value_text(text))
        return fault_set(f, FAULT_INVALID,
                         FAULT_PREFIX "Invalid attribute value was passed in for message attribute "
                                      "%.*s",
                         STR_ARG(a->name));
    return base == MESSAGE_ATTR_NUMBER ? check_number(a, f) : 0;
}

static int read_one_attr(struct filter_attr *a, const struct val *v, const char *path,
                         struct fault *f)
{
    *a = (struct filter_attr){.name = v->name, .type = val_text(v, "DataType")};
    if (!a->type.p)
        return fault_set(f, FAULT_VALIDATION,
                         "1 validation error detected: Value null at '%s.%.*s.member.dataType' "
                         "failed to satisfy constraint: Member must not be null",
                         path, str_shown(a->name, SHOWN_MAX), a->name.p);
    int err = check_attr_name(a->name, f);

    if (err)
        return err;
    enum message_attr_base base = message_attr_base(a->type);

    if (base == MESSAGE_ATTR_NONE || a->type.n == MESSAGE_ATTR_BASE_SIZE + 1 ||
        !message_is_text(a->type) || a->type.n > MESSAGE_ATTR_TYPE_MAX)
        return fault_set(f, FAULT_VALUE_INVALID,
                         "The message attribute '%.*s' has an invalid message attribute type, the "
                         "set of supported type prefixes is Binary, Number, and String.",
                         STR_ARG(a->name));
    return check_attr_value(a, v, base, f);
}

int attr_read(struct attr_list *ret, const struct val *map, const char *path, struct arena *arena,
              struct fault *f)
{
    *ret = (struct attr_list){0};
    if (!map || map->count == 0)
        return 0;
    assert(map->type == VAL_MAP);
    ret->items = arena_alloc(arena, map->count * sizeof(*ret->items));
    for (const struct val *v = map->first; v; v = v->next) {
        struct filter_attr *a = &ret->items[ret->n++];
        int err = read_one_attr(a, v, path, f);

        if (err)
            return err;
        ret->size += a->name.n + a->type.n + a->value.n;
    }
    return 0;
}
