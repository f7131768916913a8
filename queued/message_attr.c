/* Order of checks: the number of attributes, then name, type and value of each. The first error is
 * returned. */
#include "queued/message_attr.h"

#include "queued/fault.h"

/* --- names and types -------------------------------------------------------------------------- */

/* `text` with '@' replaced by the attribute's name. */
static int attribute_invalid(struct fault *f, const char *text, str name)
{
    const char *at = strchr(text, '@');
    return fault_set(f, CALL_FAULT_INVALID_PARAMETER, "%.*s%.*s%s", (int)(at - text), text,
                     (int)MIN(name.n, MESSAGE_ATTR_NAME_MAX), name.n ? name.p : "", at + 1);
}

/* Latin letters with diacritics are accepted, as by the service: U+00C0 to U+024F without the two
 * operators.
 * */
static bool is_name_char(u32 c)
{
    if (c < 0x80)
        return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' ||
               c == '-' || c == '.';
    return c >= 0xC0 && c <= 0x24F && c != 0xD7 && c != 0xF7;
}

static int check_name(str name, struct fault *f)
{
    if (name.n == 0)
        return fault_set(f, CALL_FAULT_INVALID_PARAMETER,
                         "The request must contain non-empty "
                         "message (user) attribute names.");
    if (name.n > MESSAGE_ATTR_NAME_MAX)
        return fault_set(f, CALL_FAULT_INVALID_PARAMETER,
                         "Message (user) attribute name must be shorter than 256 bytes.");
    for (size_t at = 0; at < name.n;)
        if (!is_name_char(str_next_char(name, &at)))
            return fault_set(f, CALL_FAULT_INVALID_PARAMETER,
                             "Message (user) attributes name can only contain upper and lower "
                             "score characters, digits, periods, hyphens and underscores. ");
    if (name.p[0] == '.' || name.p[name.n - 1] == '.' || str_starts_nocase(name, STR("AWS.")) ||
        str_starts_nocase(name, STR("Amazon.")))
        return fault_set(f, CALL_FAULT_INVALID_PARAMETER,
                         "You can't use message attribute names beginning with 'AWS.' or "
                         "'Amazon.'. These strings are reserved for internal use. Additionally, "
                         "they cannot start or end with '.'.");
    return 0;
}

static int check_type(str name, str type, struct fault *f)
{
    if (type.n == 0)
        return attribute_invalid(
            f,
            "The message (user) attribute '@' must contain a non-empty message "
            "attribute type.",
            name);
    if (type.n > MESSAGE_ATTR_TYPE_MAX)
        return attribute_invalid(
            f,
            "Invalid length of the type of message (user) attribute '@': it must be "
            "shorter than 256 bytes.",
            name);
    if (!message_attr_base(type) || !message_is_text(type))
        return attribute_invalid(
            f,
            "The type of message (user) attribute '@' is invalid. You must use only "
            "the following supported type prefixes: Binary, Number, String.",
            name);
    return 0;
}

/* --- values ----------------------------------------------------------------------------------- */

static bool has_list(const struct val *v)
{
    const struct val *s = val_get(v, "StringListValues"), *b = val_get(v, "BinaryListValues");
    return (s && s->count) || (b && b->count);
}

static int check_value(const struct message_attr *a, str other, bool is_binary, struct fault *f)
{
    if (!a->value.p && !other.p)
        return attribute_invalid(
            f,
            "The message (user) attribute '@' must contain a non-empty message "
            "attribute value.",
            a->name);
    if (a->value.p && other.p && a->value.n && other.n)
        return attribute_invalid(f, "Message (user) attribute '@' must have a single value.",
                                 a->name);
    if (other.n && !a->value.n)
        return attribute_invalid(f,
                                 is_binary
                                     ? "Message (user) attribute '@' with type 'Binary' must use "
                                       "field 'Binary'."
                                     : "Message (user) attribute '@' with type 'String' must use "
                                       "field 'String'.",
                                 a->name);
    if (a->value.n == 0)
        return attribute_invalid(
            f,
            is_binary ? "Message (user) attribute '@' must contain a non-empty value "
                        "of type 'Binary'."
                      : "Message (user) attribute '@' must contain a non-empty value "
                        "of type 'String'.",
            a->name);
    if (is_binary)
        return 0;
    if (!message_is_text(a->value))
        return attribute_invalid(
            f,
            "Invalid characters found in the value of message (user) attribute '@'. "
            "Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to "
            "#xFFFD | #x10000 to #x10FFFF.",
            a->name);
    if (message_attr_base(a->type) == MESSAGE_ATTR_NUMBER && message_number(a->value))
        return attribute_invalid(
            f, "Can't cast the value of message (user) attribute '@' to a number.", a->name);
    return 0;
}

static int attr_read_one(const struct val *v, struct message_attr *ret, struct fault *f)
{
    ret->name = v->name;
    ret->type = val_text(v, "DataType");
    if (check_name(ret->name, f) || check_type(ret->name, ret->type, f))
        return E_FAULT;
    if (has_list(v))
        return fault_set(f, CALL_FAULT_UNSUPPORTED,
                         "Message attribute list values in SendMessage "
                         "operation are not supported.");
    bool is_binary = message_attr_is_binary(ret);
    ret->value = val_text(v, is_binary ? "BinaryValue" : "StringValue");
    return check_value(ret, val_text(v, is_binary ? "StringValue" : "BinaryValue"), is_binary, f);
}

/* --- sets ------------------------------------------------------------------------------------- */

int message_attrs_read(const struct val *map, struct message_attrs *ret, struct fault *f)
{
    ret->n = 0;
    if (!map)
        return 0;
    if (map->count > MESSAGE_ATTRS_MAX)
        return fault_set(f, CALL_FAULT_INVALID_PARAMETER,
                         "Number of message attributes [%u] exceeds the allowed maximum [%d].",
                         map->count, MESSAGE_ATTRS_MAX);
    for (const struct val *v = map->first; v; v = v->next) {
        struct message_attr a;
        if (attr_read_one(v, &a, f))
            return E_FAULT;
        message_attrs_put(ret, &a);
    }
    return 0;
}

int message_attrs_read_system(const struct val *map, str *ret, struct fault *f)
{
    *ret = STR("");
    for (const struct val *v = map ? map->first : NULL; v; v = v->next) {
        str type = val_text(v, "DataType"), value = val_text(v, "StringValue");
        if (!str_is(v->name, "AWSTraceHeader"))
            return attribute_invalid(f, "Message system attribute name '@' is invalid.", v->name);
        if (type.n == 0 || !str_is(type, "String"))
            return attribute_invalid(
                f,
                "The type of message (system) attribute '@' is invalid. You must use "
                "only the following supported type prefixes: String.",
                v->name);
        if (value.n == 0)
            return attribute_invalid(
                f,
                "Message (system) attribute '@' must contain a non-empty value of "
                "type 'String'.",
                v->name);
        if (!message_is_text(value))
            return attribute_invalid(
                f,
                "Invalid characters found in the value of message (system) attribute "
                "'@'.",
                v->name);
        *ret = value;
    }
    return 0;
}
