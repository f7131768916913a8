/* The order of the checks of one attribute: type given, name, type, value, field. */
#include "topicd/message_attr.h"

#include "topicd/fault.h"

/* What a Number may have, Amazon SNS message attributes: "-10^128 to 10^126", 38 digits. */
#define NUMBER_DIGITS_MAX   38
#define NUMBER_EXPONENT_MIN (-128)
#define NUMBER_EXPONENT_MAX 126
/* Longest name or type that a refusal shows. */
#define SHOWN_MAX 300

const struct member ATTR_MEMBERS[] = {
    {.name = "DataType", .type = VAL_STRING},
    {.name = "StringValue", .type = VAL_STRING},
    {.name = "BinaryValue", .type = VAL_BLOB},
    {.name = NULL},
};

static int shown(str s)
{
    return (int)MIN(s.n, (size_t)SHOWN_MAX);
}

bool attr_is_xml_text(str text)
{
    for (size_t i = 0; i < text.n; i++) {
        u8 c = (u8)text.p[i];

        if (UNLIKELY(c < 0x20 && c != '\t' && c != '\n' && c != '\r'))
            return false;
        /* U+FFFE and U+FFFF are EF BF BE and EF BF BF. */
        if (UNLIKELY(c == 0xEF && text.n - i >= 3 && (u8)text.p[i + 1] == 0xBF &&
                     (u8)text.p[i + 2] >= 0xBE))
            return false;
    }
    return true;
}

/* --- names ------------------------------------------------------------------------------------ */

static bool is_name_char(u8 c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

static int check_name(str name, struct fault *f)
{
    if (name.n == 0 || name.n > ATTR_NAME_MAX)
        return fault_set(f, FAULT_VALUE_INVALID, "Length of message attribute name must be %s.",
                         name.n ? "less than 256 bytes" : "greater than 0");
    for (size_t i = 0; i < name.n;) {
        u32 c = str_next_char(name, &i);

        if (c > 0x7F || !is_name_char((u8)c))
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

enum base { BASE_NONE, BASE_STRING, BASE_NUMBER, BASE_BINARY };

/* "String", "Number" or "Binary", alone or with a dot and a label behind it. */
static enum base base_of(str type)
{
    static const char *const names[] = {NULL, "String", "Number", "Binary"};

    for (int i = BASE_STRING; i <= BASE_BINARY; i++) {
        str name = str_of(names[i]);

        if (str_eq(type, name) ||
            (type.n > name.n + 1 && str_starts(type, name) && type.p[name.n] == '.'))
            return (enum base)i;
    }
    return BASE_NONE;
}

static size_t digits(str s, size_t *at)
{
    size_t from = *at;

    while (*at < s.n && s.p[*at] >= '0' && s.p[*at] <= '9')
        ++*at;
    return *at - from;
}

/* A decimal as Java's BigDecimal reads it; *ret_digits counts significant ones, *ret_scale is the
 * power of ten of the first of them. */
static bool number_read_text(str s, size_t *ret_digits, i64 *ret_scale)
{
    size_t at = 0, whole, part = 0, from;
    i64 exponent = 0;

    if (at < s.n && (s.p[at] == '+' || s.p[at] == '-'))
        at++;
    from = at;
    whole = digits(s, &at);
    if (at < s.n && s.p[at] == '.') {
        at++;
        part = digits(s, &at);
    }
    if (whole + part == 0)
        return false;
    str mantissa = str_slice(s, from, at);

    if (at < s.n && (s.p[at] == 'e' || s.p[at] == 'E')) {
        str text = str_slice(s, at + 1, s.n);

        if (str_starts(text, STR("+")))
            text = str_slice(text, 1, text.n);
        if (text.n == 0 || text.p[0] == '+' || str_to_i64(text, &exponent) ||
            exponent > INT32_MAX || exponent < INT32_MIN)
            return false;
        at = s.n;
    }
    size_t zeros = 0, seen = 0;

    for (size_t i = 0; i < mantissa.n; i++) {
        if (mantissa.p[i] == '.')
            continue;
        if (seen == 0 && mantissa.p[i] == '0')
            zeros++;
        else
            seen++;
    }
    *ret_digits = seen;
    *ret_scale = seen ? exponent + (i64)whole - (i64)zeros - 1 : 0;
    return at == s.n;
}

static int check_number(const struct filter_attr *a, struct fault *f)
{
    size_t count;
    i64 scale;

    if (!number_read_text(a->value, &count, &scale))
        return fault_set(f, FAULT_VALUE_INVALID,
                         "Could not cast message attribute '%.*s' value to number.",
                         STR_ARG(a->name));
    if (scale < NUMBER_EXPONENT_MIN || scale > NUMBER_EXPONENT_MAX)
        return fault_set(f, FAULT_VALUE_INVALID,
                         "Message attribute '%.*s' value scale must be 10^-128 and 10^126.",
                         STR_ARG(a->name));
    if (count > NUMBER_DIGITS_MAX)
        return fault_set(f, FAULT_VALUE_INVALID,
                         "Message attribute '%.*s' value must have less than 38 precision digits.",
                         STR_ARG(a->name));
    return 0;
}

static int wrong_field(const struct filter_attr *a, const char *field, struct fault *f)
{
    return fault_set(f, FAULT_VALUE_INVALID,
                     "The message attribute '%.*s' with type '%.*s' must use field '%s'.",
                     STR_ARG(a->name), shown(a->type), a->type.p, field);
}

static int check_value(struct filter_attr *a, const struct val *v, enum base base, struct fault *f)
{
    str text = val_text(v, "StringValue"), bytes = val_text(v, "BinaryValue");

    if (text.n == 0 && bytes.n == 0)
        return fault_set(f, FAULT_VALUE_INVALID,
                         "The message attribute '%.*s' must contain non-empty message attribute "
                         "value for message attribute type '%.*s'.",
                         STR_ARG(a->name), shown(a->type), a->type.p);
    if (base == BASE_BINARY && (text.n || !bytes.n))
        return wrong_field(a, "Binary", f);
    if (base != BASE_BINARY && (bytes.n || !text.n))
        return wrong_field(a, "String", f);
    a->value = base == BASE_BINARY ? bytes : text;
    if (base != BASE_BINARY && !attr_is_xml_text(text))
        return fault_set(f, FAULT_INVALID,
                         FAULT_PREFIX "Invalid attribute value was passed in for message attribute "
                                      "%.*s",
                         STR_ARG(a->name));
    return base == BASE_NUMBER ? check_number(a, f) : 0;
}

static int read_one(struct filter_attr *a, const struct val *v, const char *path, struct fault *f)
{
    *a = (struct filter_attr){.name = v->name, .type = val_text(v, "DataType")};
    if (!a->type.p)
        return fault_set(f, FAULT_VALIDATION,
                         "1 validation error detected: Value null at '%s.%.*s.member.dataType' "
                         "failed to satisfy constraint: Member must not be null",
                         path, shown(a->name), a->name.p);
    int err = check_name(a->name, f);

    if (err)
        return err;
    enum base base = base_of(a->type);

    if (base == BASE_NONE || !attr_is_xml_text(a->type) || a->type.n > ATTR_NAME_MAX)
        return fault_set(f, FAULT_VALUE_INVALID,
                         "The message attribute '%.*s' has an invalid message attribute type, the "
                         "set of supported type prefixes is Binary, Number, and String.",
                         STR_ARG(a->name));
    return check_value(a, v, base, f);
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
        int err = read_one(a, v, path, f);

        if (err)
            return err;
        ret->size += a->name.n + a->type.n + a->value.n;
    }
    return 0;
}
