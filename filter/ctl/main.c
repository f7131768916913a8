/* filterctl: filter policies tried, explained, checked and tested without a daemon.
 *
 * A verb is a row of the table below and a function in a file of its own; a new one needs both, and
 * a section in filterctl.1. */
#include "filter/ctl/ctl.h"

#include <stdlib.h>
#include <unistd.h>

#define OUT_BUFFER_SIZE (1 << 18)

static const struct ctl_verb VERBS[] = {
    {"match", "psBvcqLo", "print the messages that pass",
     "match -p POLICY [-s SCOPE] [-v] [-c] [MESSAGES…]",
     "Prints the messages that some policy accepts, as grep prints lines; with several "
     "policies,\neach line begins with the names of the policies that accept it. Messages: one a "
     "line as Publish takes "
     "them,\n"
     "SNS envelopes, SQS ReceiveMessage answers, Lambda events, CloudWatch dumps.\n\n"
     "Example:\n"
     "  filterctl match -p '{\"receipt_type\":[{\"anything-but\":[\"refund\",\"test\"]}]}' "
     "messages.jsonl\n",
     ctl_match},
    {"explain", "psBLo", "explain why a message matches or not",
     "explain -p POLICY [-s SCOPE] [MESSAGES…]",
     "The verdict key by key: which key decided, which rule and value matched or failed, and what "
     "the\nnearest miss was.\n\n"
     "Example:\n"
     "  filterctl explain -p config/topology.json "
     "'{\"MessageAttributes\":{\"receipt_type\":{\"DataType\":\"String\",\"StringValue\":"
     "\"refund\"}}}'\n",
     ctl_explain},
    {"lint", "psmBLo", "report what the service refuses and probable mistakes",
     "lint [-s SCOPE] [-m CORPUS] POLICY…",
     "AWS's refusals in AWS's words, with their place, and what AWS accepts but is probably "
     "a\nmistake. Every finding has a code and advice. Status 0: no findings, 1: some.\n\n"
     "Example:\n"
     "  filterctl lint '{\"price\":[{\"numeric\":[\">=\",10]},{\"numeric\":[\">\",20]}]}'\n",
     ctl_lint},
    {"test", "psLO", "run test suites", "test [-p TOPOLOGY] [-o text|tap|junit|json] FILES…",
     "A suite is an array of cases: id, scope, policy (or policy_text, policy_file, or "
     "subscription,\n"
     "a name in the topology file of -p or of the case's member topology), message_attributes, "
     "body,\n"
     "expect (match, no-match, invalid), error_contains. Status 0: all as expected, 1: some "
     "failed.\n\n"
     "Example:\n"
     "  filterctl test -o junit policies/*.test.json > report.xml\n",
     ctl_test},
    {"coverage", "psBnLo", "report which rules a recorded corpus matches",
     "coverage -p POLICY… [CORPUS…]",
     "How many messages each policy accepts, how often each rule matches, rules and values that "
     "never\ndo, messages that no policy accepts, keys that no policy uses and their values.\n\n"
     "Example:\n"
     "  filterctl coverage -p config/topology.json messages.jsonl\n",
     ctl_coverage},
    {"diff", "psBnLo", "compare two policies over recorded messages",
     "diff -p OLD -p NEW [CORPUS…]",
     "Over a recorded corpus: which messages the new policy gains and loses, counts, examples, and "
     "the\n"
     "rule that makes the difference; with two topologies subscription by subscription. Status 0: "
     "no\n"
     "difference, 1: some.\n\n"
     "Example:\n"
     "  filterctl diff -p old-topology.json -p config/topology.json messages.jsonl\n",
     ctl_diff},
    {"convert", "sLo", "extract policies from templates", "convert FILES…",
     "Policies from CloudFormation and SAM templates, terraform show -json, serverless.yml,\n"
     "aws sns get-subscription-attributes and topologies, in a form that -p and lint read.\n\n"
     "Example:\n"
     "  filterctl convert template.yaml > policies.json\n",
     ctl_convert},
};

static void print_help(FILE *out)
{
    fputs("usage: filterctl VERB [OPTIONS] [FILES]\n\n"
          "Try, explain, check and test Amazon SNS filter policies offline.\n\n",
          out);
    for (size_t i = 0; i < ARRAY_LEN(VERBS); i++)
        fprintf(out, "  %-9s %s\n", VERBS[i].name, VERBS[i].summary);
    fputs("\nfilterctl VERB --help shows its options and an example. A file named - is standard\n"
          "input. Exit status: 0 yes, 1 no, 2 error.\n",
          out);
    fputs("\nExamples:\n", out);
    for (size_t i = 0; i < ARRAY_LEN(VERBS); i++)
        fprintf(out, "%s", strstr(VERBS[i].help, "Example:\n") + strlen("Example:\n"));
}

static void print_verb_help(const struct ctl_verb *v)
{
    printf("usage: filterctl %s\n\n%s\nOptions:\n", v->usage, v->help);
    ctl_args_help(stdout, v->options);
}

static const struct ctl_verb *find_verb(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(VERBS); i++)
        if (strcmp(VERBS[i].name, name) == 0)
            return &VERBS[i];
    return NULL;
}

static bool is_terminal(int fd)
{
    const char *term = getenv("TERM");

    return isatty(fd) && term && strcmp(term, "dumb") != 0;
}

/* no-color.org: set and not empty. */
static bool is_colour_refused(void)
{
    const char *no = getenv("NO_COLOR");

    return no && *no;
}

static int verb_run(const struct ctl_verb *v, int argc, char **argv)
{
    static char own_name[] = "filterctl"; /* getopt's messages begin with it */
    struct ctl c = {.verb = v->name, .options = v->options, .out = stdout, .err = stderr};
    int status = CTL_TROUBLE;

    argv[0] = own_name;
    c.on_terminal = is_terminal(STDERR_FILENO);
    if (!isatty(STDOUT_FILENO))
        setvbuf(stdout, NULL, _IOFBF, OUT_BUFFER_SIZE);
    if (ctl_args(&c, argc, argv)) {
        c.colour = c.output == CTL_TEXT && is_terminal(STDOUT_FILENO) && !is_colour_refused();
        if (c.help)
            print_verb_help(v);
        status = c.help ? CTL_YES : v->run(&c);
    }
    ctl_deinit(&c);
    return status;
}

/* Failure to write the output is an error, whatever the answer is. */
static int finish_output(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    perror("filterctl: standard output");
    return CTL_TROUBLE;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";

    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_help(stdout);
        return finish_output(CTL_YES);
    }
    if (strcmp(name, "--version") == 0) {
        puts("filterctl " TOQUE_VERSION);
        return finish_output(CTL_YES);
    }
    const struct ctl_verb *v = find_verb(name);
    if (v)
        return finish_output(verb_run(v, argc - 1, argv + 1));
    if (*name)
        fprintf(stderr, "filterctl: unknown verb: %s\n", name);
    print_help(stderr);
    return CTL_TROUBLE;
}
