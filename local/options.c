#include "local/options.h"

#include <getopt.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/os.h"
#include "local/auth.h"
#include "local/fault.h"
#include "local/text.h"

static const char help[] =
    "The cloud on your machine: API Gateway, the Lambda Runtime API and a stand-in for Amazon\n"
    "Bedrock in one program. Starts the function as Lambda would and needs no account.\n"
    "\n"
    "Usage: local [OPTION]...\n"
    "\n"
    "API Gateway\n"
    "  --port N               port to listen on; 0: any (8080)\n"
    "  --host ADDRESS         IPv4 address to listen on (127.0.0.1: this machine only)\n"
    "  --gateway-timeout S    longest time a caller waits, then 503; the function goes on (30)\n"
    "\n"
    "Lambda\n"
    "  --bootstrap PATH       the function (bootstrap, beside this program)\n"
    "  --sandboxes N          most sandboxes at a time; more callers get 503 (10)\n"
    "  --provisioned N        start N at once, and listen once they are ready (0)\n"
    "  --timeout S            the function's time-out; the sandbox is then killed (60)\n"
    "  --keep-late            do not kill it: its late answer gets 410\n"
    "  --freeze               stop a sandbox while it has nothing to do\n"
    "  --snapstart            initialization type snap-start, with GET /runtime/restore/next\n"
    "  --no-trace             no trace id with events\n"
    "  --env NAME=VALUE       a variable for the function; NAME alone: as it is here; repeatable\n"
    "  --quiet                throw the function's logs away\n"
    "  --log FILE             append the function's logs to FILE (they go to standard error)\n"
    "\n"
    "Bedrock\n"
    "  --bedrock fake|aws     the stand-in, or the real one with your credentials (fake)\n"
    "  --bedrock-port N       port of the stand-in; 0: any (0)\n"
    "  --auth HOW             keys, bearer (an API key) or container (an endpoint) (keys)\n"
    "  --rpm N, --tpm N       quota of requests and tokens a minute; 0: none (0)\n"
    "  --quota KIND           bucket: N at once, refilled in a minute; sliding: never more than N\n"
    "                         in 60 s (bucket)\n"
    "  --latency MIN[-MAX]    seconds a model takes (0)\n"
    "  --fault SCRIPT         what to do instead of answering; repeatable; see below\n"
    "\n"
    "The function gets a clean environment: Lambda's variables, and BEDROCK_*, AGENT_*,\n"
    "AWS_LAMBDA_LOG_LEVEL and AWS_LAMBDA_LOG_FORMAT as they are here; with --bedrock aws also "
    "AWS_*,\n"
    "HOME, SSL_CERT_FILE and the proxy variables. Ctrl-C ends everything it started and prints "
    "what\n"
    "happened.\n"
    "\n"
    "At run time, on the same port\n"
    "  GET  /_local/stats      counters\n"
    "  GET  /_local/requests   the model requests, without what was in them\n"
    "  GET  /_local/sandboxes  the sandboxes\n"
    "  POST /_local/bedrock    new rules: {\"fault\",\"rpm\",\"tpm\",\"quota\",\"latency\"}; "
    "quotas are full\n"
    "                          again, the script and the list of requests start anew\n"
    "  POST /_local/invoke     the body is handed to the function as its event, whatever it is; "
    "the\n"
    "                          reply is what the function posted, and X-Local-Outcome is one of\n"
    "                          response, error, crash, timeout, init, too-large, refused, stopped\n"
    "  POST /_local/reset      counters at zero, the rules of the command line\n"
    "\n"
    "A fault script: items separated by commas, one for each model request; after the last one "
    "every\n"
    "request is answered. ITEM*3 stands for three times, ITEM* for ever. After a colon:\n"
    "retry-after=SECONDS, retry-after-ms=MS (headers), after=SECONDS (waits first). For example\n"
    "  --fault 'throttle*2,ok,500,cut,slow=3,throttle:retry-after=7'\n"
    "Items:\n";

static int print_help(void)
{
    (void)fputs(help, stdout);
    fault_print_names(stdout);
    return printf(
               "\nThe stand-in alone, for any AWS client: Region any, access key id %s,\n"
               "secret access key %s,\n"
               "session token LocalWeir+Session/Token0==, or API key bedrock-api-key-LocalWeir0.\n",
               AUTH_ACCESS_KEY_ID, AUTH_SECRET_ACCESS_KEY) < 0
               ? -1
               : 0;
}

enum option_name {
    OPTION_PORT = 256,
    OPTION_HOST,
    OPTION_GATEWAY_TIMEOUT,
    OPTION_BOOTSTRAP,
    OPTION_SANDBOXES,
    OPTION_PROVISIONED,
    OPTION_TIMEOUT,
    OPTION_KEEP_LATE,
    OPTION_FREEZE,
    OPTION_SNAPSTART,
    OPTION_NO_TRACE,
    OPTION_ENV,
    OPTION_QUIET,
    OPTION_LOG,
    OPTION_BEDROCK,
    OPTION_BEDROCK_PORT,
    OPTION_AUTH,
    OPTION_RULE, /* its name is the rule's */
    OPTION_FAULT,
    OPTION_HELP,
};

static const struct option table[] = {
    {"port", required_argument, NULL, OPTION_PORT},
    {"host", required_argument, NULL, OPTION_HOST},
    {"gateway-timeout", required_argument, NULL, OPTION_GATEWAY_TIMEOUT},
    {"bootstrap", required_argument, NULL, OPTION_BOOTSTRAP},
    {"sandboxes", required_argument, NULL, OPTION_SANDBOXES},
    {"provisioned", required_argument, NULL, OPTION_PROVISIONED},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"keep-late", no_argument, NULL, OPTION_KEEP_LATE},
    {"freeze", no_argument, NULL, OPTION_FREEZE},
    {"snapstart", no_argument, NULL, OPTION_SNAPSTART},
    {"no-trace", no_argument, NULL, OPTION_NO_TRACE},
    {"env", required_argument, NULL, OPTION_ENV},
    {"quiet", no_argument, NULL, OPTION_QUIET},
    {"log", required_argument, NULL, OPTION_LOG},
    {"bedrock", required_argument, NULL, OPTION_BEDROCK},
    {"bedrock-port", required_argument, NULL, OPTION_BEDROCK_PORT},
    {"auth", required_argument, NULL, OPTION_AUTH},
    {"rpm", required_argument, NULL, OPTION_RULE},
    {"tpm", required_argument, NULL, OPTION_RULE},
    {"quota", required_argument, NULL, OPTION_RULE},
    {"latency", required_argument, NULL, OPTION_RULE},
    {"fault", required_argument, NULL, OPTION_FAULT},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static int read_int(const char *name, const char *value, long least, long most, int *out,
                    struct error *err)
{
    long number = 0;
    if (!text_integer(value, least, most, &number))
        return error_set(err, ERROR_CONFIG,
                         "--%s is \"%.32s\"; it must be an integer from %ld to %ld", name, value,
                         least, most);
    *out = (int)number;
    return 0;
}

static int read_seconds(const char *name, const char *value, int64_t *out_ns, struct error *err)
{
    double seconds = 0;
    if (!text_number(value, 0.01, 900, &seconds))
        return error_set(err, ERROR_CONFIG,
                         "--%s is \"%.32s\"; it must be a number of seconds from 0.01 to 900", name,
                         value);
    *out_ns = ns_from_seconds(seconds);
    return 0;
}

/* The index of `value` among two or three words. */
static int read_word(const char *name, const char *value, const char *const words[3], int *out,
                     struct error *err)
{
    for (int i = 0; i < 3 && words[i] != NULL; i++)
        if (strcmp(value, words[i]) == 0) {
            *out = i;
            return 0;
        }
    return error_set(err, ERROR_CONFIG, "--%s is \"%.32s\"; it must be %s%s%s%s%s", name, value,
                     words[0], words[2] != NULL ? ", " : " or ", words[1],
                     words[2] != NULL ? " or " : "", words[2] != NULL ? words[2] : "");
}

static int add_variable(struct options *options, const char *variable, struct error *err)
{
    if (variable[0] == '\0' || variable[0] == '=')
        return error_set(err, ERROR_CONFIG, "--env is \"%.32s\"; it must be NAME=VALUE or NAME",
                         variable);
    size_t size = (options->variable_count + 1) * sizeof *options->variables;
    const char **variables = realloc(options->variables, size);
    if (variables == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for options");
    options->variables = variables;
    variables[options->variable_count++] = variable;
    return 0;
}

static int set_bootstrap(struct options *options, const char *path, struct error *err)
{
    free(options->bootstrap);
    options->bootstrap = realpath(path, NULL);
    if (options->bootstrap == NULL || access(options->bootstrap, X_OK) != 0)
        return error_set(err, ERROR_CONFIG,
                         "there is no program \"%.128s\"; run make, or give --bootstrap PATH",
                         path);
    return 0;
}

static int set_default_bootstrap(struct options *options, struct error *err)
{
    char self[4096] = "";
    char path[4200];
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        return error_set(err, ERROR_CONFIG, "cannot find this program; give --bootstrap PATH");
    (void)snprintf(path, sizeof path, "%s/bootstrap", dirname(self));
    return set_bootstrap(options, path, err);
}

static int set_choice(struct options *options, int option, const char *name, const char *value,
                      struct error *err)
{
    static const char *const bedrocks[3] = {"fake", "aws", NULL};
    static const char *const auths[3] = {"keys", "bearer", "container"};
    int choice = 0;
    if (read_word(name, value, option == OPTION_AUTH ? auths : bedrocks, &choice, err) != 0)
        return -1;
    if (option == OPTION_AUTH)
        options->auth = (enum options_auth)choice;
    else
        options->bedrock_aws = choice == 1;
    return 0;
}

static int set_flag(struct options *options, int option)
{
    options->keep_late = options->keep_late || option == OPTION_KEEP_LATE;
    options->freeze = options->freeze || option == OPTION_FREEZE;
    options->snapstart = options->snapstart || option == OPTION_SNAPSTART;
    options->no_trace = options->no_trace || option == OPTION_NO_TRACE;
    options->quiet = options->quiet || option == OPTION_QUIET;
    return 0;
}

static int set_option(struct options *options, int option, const char *name, const char *value,
                      struct error *err)
{
    switch (option) {
    case OPTION_PORT:
        return read_int(name, value, 0, 65535, &options->port, err);
    case OPTION_BEDROCK_PORT:
        return read_int(name, value, 0, 65535, &options->bedrock_port, err);
    case OPTION_SANDBOXES:
        return read_int(name, value, 1, 200, &options->sandboxes, err);
    case OPTION_PROVISIONED:
        return read_int(name, value, 0, 200, &options->provisioned, err);
    case OPTION_TIMEOUT:
        return read_seconds(name, value, &options->timeout_ns, err);
    case OPTION_GATEWAY_TIMEOUT:
        return read_seconds(name, value, &options->gateway_timeout_ns, err);
    case OPTION_BOOTSTRAP:
        return set_bootstrap(options, value, err);
    case OPTION_ENV:
        return add_variable(options, value, err);
    case OPTION_BEDROCK:
    case OPTION_AUTH:
        return set_choice(options, option, name, value, err);
    case OPTION_RULE:
        return rules_set(&options->rules, name, value, err);
    case OPTION_FAULT:
        return rules_add_fault(&options->rules, value, err);
    case OPTION_HOST:
        options->host = value;
        return 0;
    case OPTION_LOG:
        options->log_file = value;
        return 0;
    default:
        return set_flag(options, option);
    }
}

static int read_all(struct options *options, int argc, char **argv, bool *done, struct error *err)
{
    int index = 0;
    opterr = 0;
    for (int option = 0; (option = getopt_long(argc, argv, "h", table, &index)) != -1;) {
        if (option == 'h' || option == OPTION_HELP) {
            *done = true;
            return print_help();
        }
        if (option == '?')
            return error_set(err, ERROR_CONFIG, "\"%.64s\" is no option, or lacks its value",
                             argv[optind - 1]);
        if (set_option(options, option, table[index].name, optarg, err) != 0)
            return -1;
    }
    if (optind < argc)
        return error_set(err, ERROR_CONFIG, "\"%.64s\" is no option", argv[optind]);
    if (options->provisioned > options->sandboxes)
        return error_set(err, ERROR_CONFIG, "--provisioned is more than --sandboxes, %d",
                         options->sandboxes);
    if (options->bootstrap == NULL)
        return set_default_bootstrap(options, err);
    return 0;
}

enum options_verdict options_read(struct options *options, int argc, char **argv, struct error *err)
{
    bool done = false;
    *options = (struct options){.host = "127.0.0.1",
                                .port = 8080,
                                .sandboxes = 10,
                                .timeout_ns = 60 * NS_PER_S,
                                .gateway_timeout_ns = 30 * NS_PER_S};
    if (read_all(options, argc, argv, &done, err) != 0)
        return OPTIONS_WRONG;
    return done ? OPTIONS_DONE : OPTIONS_RUN;
}

void options_free(struct options *options)
{
    free(options->bootstrap);
    rules_free(&options->rules);
    free(options->variables);
    *options = (struct options){0};
}
