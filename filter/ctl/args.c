/* The options of all verbs. A letter means the same everywhere, and a verb refuses options that it
 * does not use. Each verb lists its letters; options without a short form have a capital letter
 * there, and so does -o for verbs with more formats. */
#include "filter/ctl/ctl.h"

#include <getopt.h>

#include "common/base/mem.h"

#define EXAMPLES_DEFAULT 3
#define EXAMPLES_MAX     1000000

enum { OPT_BODY = 'B', OPT_NO_LIMITS = 'L' };

static const struct option LONG[] = {
    {"policy", required_argument, NULL, 'p'},
    {"scope", required_argument, NULL, 's'},
    {"output", required_argument, NULL, 'o'},
    {"corpus", required_argument, NULL, 'm'},
    {"examples", required_argument, NULL, 'n'},
    {"invert", no_argument, NULL, 'v'},
    {"invert-match", no_argument, NULL, 'v'},
    {"quiet", no_argument, NULL, 'q'},
    {"count", no_argument, NULL, 'c'},
    {"body", no_argument, NULL, OPT_BODY},
    {"no-limits", no_argument, NULL, OPT_NO_LIMITS},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const struct {
    char letter;
    const char *help;
} HELP[] = {
    {'p',
     "  -p, --policy POLICY   a policy's text, or a file: a policy, named policies, a topology,\n"
     "                        a CloudFormation, SAM, Terraform or serverless.yml file; may be "
     "repeated"},
    {'s', "  -s, --scope SCOPE     MessageAttributes (default) or MessageBody, for policies "
          "without one"},
    {'B', "      --body            treat every line as a message body"},
    {'v', "  -v, --invert          messages that no policy accepts"},
    {'c', "  -c, --count           print only the number of messages"},
    {'q', "  -q, --quiet           print nothing; only set the exit status"},
    {'m',
     "  -m, --corpus FILE     recorded messages to check policies of scope MessageBody against"},
    {'n', "  -n, --examples N      number of example messages and values to show (3)"},
    {'L', "      --no-limits       accept policies beyond the service's limits on keys and "
          "combinations"},
    {'o', "  -o, --output FORMAT   text (default) or json, one object per line"},
    {'O', "  -o, --output FORMAT   text (default), json (one object per line), tap or junit"},
};

static void ctl_list_add(struct ctl_list *l, const char *item)
{
    l->items = mem_grow(l->items, (l->n + 1) * sizeof(*l->items));
    l->items[l->n++] = str_of(item);
}

static bool read_output(struct ctl *c, const char *text)
{
    static const char *const names[] = {"text", "json", "tap", "junit"};
    bool is_report = strchr(c->options, 'O') != NULL;

    for (size_t i = 0; i < (is_report ? ARRAY_LEN(names) : 2); i++)
        if (strcmp(text, names[i]) == 0) {
            c->output = (enum ctl_output)i;
            return true;
        }
    ctl_complain(c, "-o %s: must be text%s", text, is_report ? ", json, tap or junit" : " or json");
    return false;
}

static bool read_scope_option(struct ctl *c, const char *text)
{
    if (filter_scope_read(str_of(text), &c->scope) == 0)
        return c->scope_given = true;
    ctl_complain(c, "-s %s: must be MessageAttributes or MessageBody", text);
    return false;
}

static bool read_examples(struct ctl *c, const char *text)
{
    i64 n;

    if (str_to_i64(str_of(text), &n) != 0 || n < 0 || n > EXAMPLES_MAX) {
        ctl_complain(c, "-n %s: must be a number from 0 to %d", text, EXAMPLES_MAX);
        return false;
    }
    c->examples = (u32)n;
    return true;
}

static bool read_option(struct ctl *c, int option)
{
    switch (option) {
    case 'p': ctl_list_add(&c->policies, optarg); return true;
    case 'm': ctl_list_add(&c->corpora, optarg); return true;
    case 's': return read_scope_option(c, optarg);
    case 'o': return read_output(c, optarg);
    case 'n': return read_examples(c, optarg);
    case 'v': return c->invert = true;
    case 'q': return c->quiet = true;
    case 'c': return c->count = true;
    case 'h': return c->help = true;
    case OPT_BODY: return c->as_body = true;
    case OPT_NO_LIMITS: return c->no_limits = true;
    default: ctl_complain(c, "try: filterctl %s --help", c->verb); return false;
    }
}

static const char *long_name(int option)
{
    size_t i = 0;

    while (LONG[i].name && LONG[i].val != option)
        i++;
    return LONG[i].name;
}

/* Silently ignoring an option would mislead. */
static bool is_taken(struct ctl *c, int option)
{
    bool is_output = option == 'o' && strchr(c->options, 'O');

    if (option == '?' || option == 'h' || is_output || strchr(c->options, option))
        return true;
    ctl_complain(c, "%s has no option --%s; try: filterctl %s --help", c->verb, long_name(option),
                 c->verb);
    return false;
}

bool ctl_args(struct ctl *c, int argc, char **argv)
{
    c->examples = EXAMPLES_DEFAULT;
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "p:s:o:m:n:vcqh", LONG, NULL)) != -1;)
        if (!is_taken(c, option) || !read_option(c, option))
            return false;
    for (int i = optind; i < argc; i++)
        ctl_list_add(&c->files, argv[i]);
    return true;
}

void ctl_args_help(FILE *out, const char *options)
{
    for (size_t i = 0; i < ARRAY_LEN(HELP); i++)
        if (strchr(options, HELP[i].letter))
            fprintf(out, "%s\n", HELP[i].help);
}

void ctl_deinit(struct ctl *c)
{
    mem_free(c->policies.items);
    mem_free(c->corpora.items);
    mem_free(c->files.items);
}

const struct filter_limits *ctl_limits(const struct ctl *c)
{
    return c->no_limits ? &FILTER_LIMITS_NONE : &FILTER_LIMITS_SNS;
}
