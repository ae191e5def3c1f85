/* Options, read from the file, then the environment, then the command line, each writing over what the ones
 * before it said. A mistake is printed where it is found, and reading goes on, so that all are seen at once.
 *
 * The file and the environment are shared by all commands: an option that the present one does not take is
 * passed over there, and refused on its command line. In the environment a name that nobody knows is only a
 * mistake when it looks like a misspelt one: others may name their variables RELANCE_… too. */
#include "host/option.h"
#include "base/duration.h"
#include "base/nearest.h"
#include "host/file.h"
#include "host/log.h"
#include "host/print.h"
#include "host/text.h"

#include "base/limits.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum option_type {
    OPTION_TEXT,
    OPTION_URL,
    OPTION_CHOICE,
    OPTION_PATHS,
    OPTION_COUNT,
    OPTION_NUMBER,
    OPTION_SIZE,
    OPTION_STATE_SIZE,
    OPTION_DURATION,
    OPTION_FLAG
};

/* Sets of commands: in the lower half those that take an option wherever it is given, in the upper half those that take it
 * only from their command line. Of those who cannot do without it, in the upper half those who get no default. */
#define OPTION_SET(command) (UINT64_C(1) << (command))
#define FOR(command)        OPTION_SET(COMMAND_##command)
#define TYPED(command)      (FOR(command) << 32)
#define BARE(command)       (FOR(command) << 32)
#define EVERY               (~UINT64_C(0))
#define NONE                UINT64_C(0)
_Static_assert(COMMAND_COUNT <= 32, "a set of commands has 32 bits");

struct option_row {
    const char *field; /* with underscores; '-' and '_' are the same when names are compared */
    enum option_type type;
    const char *fallback, *form;
    uint64_t takers, needers; /* sets of commands */
    const char *prose;
    size_t at; /* where in struct options the value is */
};

static const struct option_row option_table[] = {
#define OPTION(field, TYPE, fallback, form, takers, needers, prose)                                          \
    {#field, OPTION_##TYPE, fallback, form, takers, needers, prose, offsetof(struct options, field)},
#include "option.def"
#undef OPTION
};
enum { OPTION_ROWS = sizeof option_table / sizeof *option_table };

struct option_reserved {
    const char *name, *why;
};
static const struct option_reserved option_reserved[] = {
#define KAFKA_RESERVED(name, why) {name, why},
#define KAFKA_SECRET(name)
#include "kafka.def"
#undef KAFKA_RESERVED
#undef KAFKA_SECRET
};

static const char *const option_secrets[] = {
#define KAFKA_RESERVED(name, why)
#define KAFKA_SECRET(name) name,
#include "kafka.def"
#undef KAFKA_RESERVED
#undef KAFKA_SECRET
};

/* What is being read: where it stands, for messages, and what has been found. */
struct reading {
    struct options *options;
    enum command command;
    unsigned mistakes;
    bool given[OPTION_ROWS];
    bool in_file[OPTION_ROWS]; /* twice in the file is a mistake */
    bool begun
        [OPTION_ROWS]; /* said where we are reading: paths add to what stands there, and to nothing else */
    bool arguments;    /* we are reading the command line */
    bool secret_in_file;
};

__attribute__((format(printf, 2, 3))) static void option_mistake(struct reading *reading, const char *format,
                                                                 ...)
{
    va_list list;
    va_start(list, format);
    print_mistake_list("", format, list);
    va_end(list);
    reading->mistakes++;
}

__attribute__((format(printf, 1, 2))) static void option_warn(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    print_mistake_list("warning: ", format, list);
    va_end(list);
}

/* ---- names */
static bool option_named(const struct option_row *row, struct relance_str name)
{
    if (strlen(row->field) != name.size) return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = (char)tolower((unsigned char)name.data[i]);
        if (row->field[i] != (c == '-' ? '_' : c)) return false;
    }
    return true;
}

static const struct option_row *option_find(struct relance_str name)
{
    for (size_t i = 0; i < OPTION_ROWS; i++)
        if (option_named(&option_table[i], name)) return &option_table[i];
    return NULL;
}

static bool option_taken(const struct option_row *row, enum command command)
{
    return command == COMMAND_COUNT || ((row->takers | row->takers >> 32) & OPTION_SET(command));
}

/* Also where nobody has typed it: in the file, in the environment. */
static bool option_taken_anywhere(const struct option_row *row, enum command command)
{
    return row->takers & OPTION_SET(command);
}

/* The field as people write it: cache_bytes is cache-bytes. */
static const char *option_dashed(const char *field, char out[64])
{
    size_t i = 0;
    for (; field[i] && i < 63; i++)
        out[i] = field[i] == '_' ? '-' : field[i];
    out[i] = '\0';
    return out;
}

/* The nearest name among the command's own options; an empty string when none is near. It has to be nearer where
 * `others` may have their names, too. */
static struct relance_str option_nearest(enum command command, struct relance_str name, bool others,
                                         char out[64])
{
    char word[64];
    size_t size = 0;
    for (; size < name.size && size < sizeof word; size++)
        word[size] = name.data[size] == '-' ? '_' : (char)tolower((unsigned char)name.data[size]);
    struct nearest nearest = nearest_to((str){word, size});
    if (others) nearest.distance--;
    for (size_t i = 0; i < OPTION_ROWS; i++)
        if (option_taken(&option_table[i], command)) nearest_offer(&nearest, str_of(option_table[i].field));
    return nearest.name.size ? str_of(option_dashed(nearest.name.data, out)) : nearest.name;
}

/* ---- values */
static char *option_own(struct options *options, struct relance_str text)
{
    struct option_text_list *owned = &options->owned;
    owned->items = realloc(owned->items, (owned->count + 1) * sizeof *owned->items);
    char *copy = strndup(text.data, text.size);
    if (!owned->items || !copy) abort(); /* a few bytes, at the start of the process */
    return owned->items[owned->count++] = copy;
}

/* Is `word` one of the words of "a|b|c"? */
static bool option_is_choice(const char *form, struct relance_str word)
{
    for (const char *at = form; *at;) {
        size_t size = strcspn(at, "|");
        if (str_equal(word, (struct relance_str){at, size})) return true;
        at += size + (at[size] == '|');
    }
    return false;
}

static bool option_read_flag(struct relance_str text, bool *out)
{
    bool yes = str_equal(text, STR("true")) || str_equal(text, STR("yes")) || str_equal(text, STR("1"));
    bool no = str_equal(text, STR("false")) || str_equal(text, STR("no")) || str_equal(text, STR("0"));
    if (yes || no) *out = yes;
    return yes || no;
}

static bool option_add_path(struct options *options, struct file_paths *paths, struct relance_str path)
{
    if (!path.size) return false;
    paths->items = realloc(paths->items, (paths->count + 1) * sizeof *paths->items);
    if (!paths->items) abort();
    paths->items[paths->count++] = option_own(options, path);
    return true;
}

/* On the command line each is an option of its own; elsewhere they stand between commas. */
static bool option_read_paths(struct reading *reading, const struct option_row *row, struct relance_str text)
{
    struct file_paths *paths = (struct file_paths *)((char *)reading->options + row->at);
    bool *begun = &reading->begun[row - option_table];
    if (!*begun) paths->count = 0;
    *begun = true;
    if (reading->arguments) return option_add_path(reading->options, paths, text);
    for (const char *comma; (comma = memchr(text.data, ',', text.size)) != NULL;) {
        size_t size = (size_t)(comma - text.data);
        if (!option_add_path(reading->options, paths, str_trim((struct relance_str){text.data, size})))
            return false;
        text = (struct relance_str){comma + 1, text.size - size - 1};
    }
    return option_add_path(reading->options, paths, str_trim(text));
}

static bool option_read_value(struct options *options, const struct option_row *row, struct relance_str text)
{
    void *out = (char *)options + row->at;
    switch (row->type) {
    case OPTION_TEXT:
    case OPTION_URL: return text.size && (*(option_text *)out = option_own(options, text), true);
    case OPTION_CHOICE:
        return option_is_choice(row->form, text) && (*(option_text *)out = option_own(options, text), true);
    case OPTION_PATHS: break; /* option_read_paths */
    case OPTION_COUNT: return text_count(text, out);
    case OPTION_NUMBER: return text_number(text, out) && *(double *)out > 0;
    case OPTION_SIZE: return text_size(text, out);
    case OPTION_STATE_SIZE:
        return text_size(text, out) && *(int64_t *)out >= LIMIT_STATE_BYTES_MIN &&
               *(int64_t *)out <= LIMIT_STATE_BYTES_MAX;
    case OPTION_DURATION: return duration_parse_fine(text, out);
    case OPTION_FLAG: return option_read_flag(text, out);
    }
    return false;
}

static const char *option_wanted(const struct option_row *row)
{
    switch (row->type) {
    case OPTION_TEXT:
    case OPTION_URL: return "a value";
    case OPTION_PATHS: return "a path, or several with a comma between them";
    case OPTION_CHOICE: return row->form;
    case OPTION_COUNT: return "a whole number, 0 or more";
    case OPTION_NUMBER: return "a number above 0";
    case OPTION_STATE_SIZE: return "a size from 1KiB to 900000";
    case OPTION_SIZE: return "a size such as 65536, 512KiB, 64MiB or 2GiB";
    case OPTION_DURATION: return "a duration such as 30s, 45m or 1h30m";
    case OPTION_FLAG: return "true or false";
    }
    return "";
}

static void option_set(struct reading *reading, const struct option_row *row, struct relance_str value,
                       const char *where)
{
    reading->given[row - option_table] = true;
    bool read = row->type == OPTION_PATHS ? option_read_paths(reading, row, value)
                                          : option_read_value(reading->options, row, value);
    if (!read) option_mistake(reading, "%s: '%.*s' is not %s", where, STR_ARG(value), option_wanted(row));
}

/* ---- kafka.* */
static void option_set_kafka(struct reading *reading, struct relance_str name, struct relance_str value,
                             const char *where)
{
    struct options *options = reading->options;
    for (size_t i = 0; i < sizeof option_reserved / sizeof *option_reserved; i++)
        if (str_equal(name, str_of(option_reserved[i].name))) {
            option_mistake(reading, "%s: not to be set: %s", where, option_reserved[i].why);
            return;
        }
    char *copy = option_own(options, value);
    for (size_t i = 0; i < options->kafka_count; i++)
        if (str_equal(name, str_of(options->kafka[i].name))) {
            options->kafka[i].value = copy;
            return;
        }
    options->kafka = realloc(options->kafka, (options->kafka_count + 1) * sizeof *options->kafka);
    if (!options->kafka) abort();
    options->kafka[options->kafka_count++] = (struct option_kafka){option_own(options, name), copy};
}

static const struct relance_str option_kafka_prefix = STR("kafka.");

static bool option_is_kafka(struct relance_str name)
{
    return str_starts_with(name, option_kafka_prefix) && name.size > option_kafka_prefix.size;
}

static struct relance_str option_kafka_name(struct relance_str name)
{
    return (struct relance_str){name.data + option_kafka_prefix.size, name.size - option_kafka_prefix.size};
}

/* ---- secrets */
bool options_kafka_secret(struct relance_str name)
{
    for (size_t i = 0; i < sizeof option_secrets / sizeof *option_secrets; i++)
        if (str_equal(name, str_of(option_secrets[i]))) return true;
    return false;
}

/* What of a value is a secret; empty: nothing. From here on it is in no log line either, whatever a library says.
 * `row` is NULL for the `kafka.` setting of that name. */
static struct relance_str option_secret(const struct option_row *row, struct relance_str kafka,
                                        struct relance_str value)
{
    struct relance_str secret = {0};
    if (row && row->type == OPTION_URL) secret = text_url_password(value);
    if (!row && options_kafka_secret(kafka)) secret = value;
    log_hide(secret);
    return secret;
}

/* kafka.sasl.password is RELANCE_KAFKA_SASL_PASSWORD. */
static const char *option_variable(struct relance_str name, char out[128])
{
    snprintf(out, 128, "RELANCE_%.*s", STR_ARG(name));
    for (char *c = out; *c; c++)
        *c = isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_';
    return out;
}

/* The kernel shows argv to everybody, as it stands in our memory: so it is overwritten there. */
static void option_blot_out(struct relance_str name, struct relance_str secret)
{
    char variable[128];
    memset((char *)(uintptr_t)secret.data, '*', secret.size);
    option_warn("--%.*s: a secret on the command line is kept by shells, and was to be seen in the list of "
                "processes until now; give it in %s, or in the file of --config",
                STR_ARG(name), option_variable(name, variable));
}

static void option_check_file_mode(const struct reading *reading, const char *path)
{
    struct stat about;
    if (reading->secret_in_file && stat(path, &about) == 0 && (about.st_mode & S_IROTH))
        option_warn("--config: %s holds a secret, and everybody may read it; chmod o-r %s", path, path);
}

/* ---- the file */
static void option_read_line(struct reading *reading, const char *path, size_t number,
                             struct relance_str line)
{
    char where[512], near[64];
    line = str_trim(line);
    if (!line.size || line.data[0] == '#') return;
    const char *equals = memchr(line.data, '=', line.size);
    if (!equals) {
        option_mistake(reading, "%s:%zu: no `name = value`: there is no = in it", path, number);
        return;
    }
    struct relance_str name = str_trim((struct relance_str){line.data, (size_t)(equals - line.data)});
    struct relance_str value =
        str_trim((struct relance_str){equals + 1, line.size - (size_t)(equals + 1 - line.data)});
    snprintf(where, sizeof where, "%s:%zu: %.*s", path, number, STR_ARG(name));
    if (option_is_kafka(name)) {
        reading->secret_in_file |= option_secret(NULL, option_kafka_name(name), value).size > 0;
        option_set_kafka(reading, option_kafka_name(name), value, where);
        return;
    }
    const struct option_row *row = option_find(name);
    if (!row) {
        struct relance_str nearest = option_nearest(COMMAND_COUNT, name, false, near);
        option_mistake(reading, "%s: there is no such option%s%.*s%s", where,
                       nearest.size ? "; did you mean '" : "", STR_ARG(nearest), nearest.size ? "'?" : "");
        return;
    }
    if (reading->in_file[row - option_table]) option_mistake(reading, "%s: given twice in this file", where);
    reading->in_file[row - option_table] = true;
    reading->secret_in_file |= option_secret(row, name, value).size > 0;
    if (option_taken_anywhere(row, reading->command)) option_set(reading, row, value, where);
}

static void option_read_file(struct reading *reading, const char *path)
{
    struct relance_error error;
    char *text;
    size_t size;
    if (file_read(path, FILE_OPTIONS_MAX, &text, &size, &error) != RELANCE_OK) {
        option_mistake(reading, "--config: %s", error.message);
        return;
    }
    size_t number = 1;
    for (size_t at = 0; at < size; number++) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end ? (size_t)(end - text) - at : size - at;
        option_read_line(reading, path, number, (struct relance_str){text + at, length});
        at += length + 1;
    }
    free(text);
    option_check_file_mode(reading, path);
}

/* ---- the environment */
/* KAFKA_BOOTSTRAP_SERVERS is bootstrap.servers; a double underscore stands for one. */
static struct relance_str option_env_kafka(struct relance_str name, char out[128])
{
    size_t size = 0;
    for (size_t i = 0; i < name.size && size < 128; i++) {
        bool twice = name.data[i] == '_' && i + 1 < name.size && name.data[i + 1] == '_';
        out[size++] = name.data[i] != '_' ? (char)tolower((unsigned char)name.data[i]) : twice ? '_' : '.';
        i += twice;
    }
    return (struct relance_str){out, size};
}

static void option_read_variable(struct reading *reading, struct relance_str name, struct relance_str value)
{
    static const struct relance_str kafka = STR("KAFKA_");
    char where[256], near[64], dotted[128];
    snprintf(where, sizeof where, "RELANCE_%.*s", STR_ARG(name));
    if (str_starts_with(name, kafka) && name.size > kafka.size) {
        struct relance_str rest = {name.data + kafka.size, name.size - kafka.size};
        rest = option_env_kafka(rest, dotted);
        option_secret(NULL, rest, value);
        option_set_kafka(reading, rest, value, where);
        return;
    }
    const struct option_row *row = option_find(name);
    if (row) option_secret(row, name, value);
    if (row && option_taken_anywhere(row, reading->command)) option_set(reading, row, value, where);
    struct relance_str nearest =
        row ? (struct relance_str){0} : option_nearest(COMMAND_COUNT, name, true, near);
    if (!nearest.size) return;
    for (char *c = near; *c; c++)
        *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
    option_mistake(reading, "%s: there is no such option; did you mean RELANCE_%s?", where, near);
}

static void option_read_environment(struct reading *reading)
{
    static const struct relance_str prefix = STR("RELANCE_");
    for (char **variable = environ; *variable; variable++) {
        struct relance_str text = str_of(*variable);
        const char *equals = strchr(*variable, '=');
        if (!equals || !str_starts_with(text, prefix)) continue;
        struct relance_str name = {*variable + prefix.size, (size_t)(equals - *variable) - prefix.size};
        option_read_variable(reading, name, str_of(equals + 1));
    }
}

/* ---- the command line */
/* An argument that is an option, split; `value.data` is NULL where there is no `=`. */
static void option_split(const char *argument, struct relance_str *name, struct relance_str *value)
{
    const char *equals = strchr(argument, '=');
    *name = str_of(argument + 2);
    *value = (struct relance_str){0};
    if (!equals) return;
    name->size = (size_t)(equals - argument) - 2;
    *value = str_of(equals + 1);
}

/* Options that there were once, and what is there in their place. */
static const char *option_successor(struct relance_str name)
{
    return str_equal(name, STR("csv")) ? "--mapping takes CSV, too, where it says \"format\": \"csv\"" : NULL;
}

static void option_unknown(struct reading *reading, struct relance_str name)
{
    char near[64];
    const char *successor = option_successor(name);
    if (successor) {
        option_mistake(reading, "--%.*s: there is no such option any more; %s", STR_ARG(name), successor);
        return;
    }
    struct relance_str nearest = option_nearest(reading->command, name, false, near);
    if (nearest.size)
        option_mistake(reading, "--%.*s: there is no such option; did you mean --%.*s?", STR_ARG(name),
                       STR_ARG(nearest));
    else
        option_mistake(reading, "--%.*s: there is no such option%s", STR_ARG(name),
                       option_find(name) ? " of this command" : "; --help lists them");
}

/* Reads argv[at], and the next argument where that is its value; returns how many were read. */
static int option_read_argument(struct reading *reading, char **argv, int at, int argc)
{
    struct relance_str name, value;
    char where[256];
    option_split(argv[at], &name, &value);
    const struct option_row *row = option_find(name);
    if (!option_is_kafka(name) && (!row || !option_taken(row, reading->command))) {
        option_unknown(reading, name);
        return 1;
    }
    snprintf(where, sizeof where, "--%.*s", STR_ARG(name));
    int used = 1;
    if (!value.data && row && row->type == OPTION_FLAG) value = STR("true");
    if (!value.data && at + 1 < argc) value = str_of(argv[at + used++]);
    if (!value.data)
        option_mistake(reading, "%s: needs %s", where, row ? option_wanted(row) : "a value");
    else if (row)
        option_set(reading, row, value, where);
    else
        option_set_kafka(reading, option_kafka_name(name), value, where);
    struct relance_str secret = option_secret(row, row ? name : option_kafka_name(name), value);
    if (secret.size) option_blot_out(name, secret);
    return used;
}

static bool option_is_option(const char *argument)
{
    return argument[0] == '-' && argument[1] == '-' && argument[2];
}

static void option_read_arguments(struct reading *reading, int argc, char **argv)
{
    struct options *options = reading->options;
    bool only_arguments = false;
    for (int i = 1; i < argc;) {
        if (!only_arguments && strcmp(argv[i], "--") == 0) {
            only_arguments = true, i++;
        } else if (!only_arguments && option_is_option(argv[i])) {
            i += option_read_argument(reading, argv, i, argc);
        } else {
            options->args[options->arg_count++] = argv[i++];
        }
    }
    const struct command_row *row = &command_table[reading->command];
    if (options->arg_count < row->least) option_mistake(reading, "%s is missing", row->arguments);
    char shown[TEXT_SHOWN_SIZE];
    if (options->arg_count > row->most)
        option_mistake(reading, "'%s': unexpected argument", text_shown(options->args[row->most], shown));
}

/* The file has to be known before the rest is read. */
static const char *option_config_path(int argc, char **argv)
{
    const char *path = getenv("RELANCE_CONFIG");
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        struct relance_str name, value;
        if (!option_is_option(argv[i])) continue;
        option_split(argv[i], &name, &value);
        if (!str_equal(name, STR("config"))) continue;
        path = value.data ? value.data : argv[i + 1];
    }
    return path;
}

/* ---- all of it */
static bool option_wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return true;
    return false;
}

static bool option_is_bare(const struct option_row *row, enum command command)
{
    return command != COMMAND_COUNT && (row->needers >> 32 & OPTION_SET(command));
}

static void option_set_fallbacks(struct options *options, enum command command)
{
    for (size_t i = 0; i < OPTION_ROWS; i++)
        if (option_table[i].fallback && !option_is_bare(&option_table[i], command))
            option_read_value(options, &option_table[i], str_of(option_table[i].fallback));
}

static void option_find_missing(struct reading *reading)
{
    char dashed[64];
    for (size_t i = 0; i < OPTION_ROWS; i++)
        if ((option_table[i].needers & OPTION_SET(reading->command)) && !reading->given[i])
            option_mistake(reading, "--%s is needed: %s", option_dashed(option_table[i].field, dashed),
                           option_table[i].prose);
}

/* Only intake has several inputs. */
static void option_check_mapping(struct reading *reading)
{
    size_t count = reading->options->mapping.count;
    if (reading->command != COMMAND_INTAKE && count > 1)
        option_mistake(reading, "--mapping: one mapping reads the records, and %zu are given", count);
}

bool options_read(struct options *options, enum command command, int argc, char **argv)
{
    *options = (struct options){.status = EXIT_STATUS_OK};
    print_command(command_table[command].name);
    if (option_wants_help(argc, argv)) {
        options_print(stdout, command);
        return false;
    }
    struct reading reading = {.options = options, .command = command};
    options->args = calloc((size_t)argc + 1, sizeof *options->args);
    if (!options->args) abort();
    option_set_fallbacks(options, command);
    const char *config = option_config_path(argc, argv);
    if (config) option_read_file(&reading, config);
    memset(reading.begun, 0, sizeof reading.begun);
    option_read_environment(&reading);
    memset(reading.begun, 0, sizeof reading.begun);
    reading.arguments = true;
    option_read_arguments(&reading, argc, argv);
    option_find_missing(&reading);
    option_check_mapping(&reading);
    options->rules.mapping = options->diff.mapping = options_mapping(options);
    log_set_level(options->log_level);
    log_set_format(options->log_format);
    if (!reading.mistakes) return true;
    options_free(options);
    options->status = EXIT_STATUS_USAGE;
    return false;
}

void options_instance(const struct options *options, char out[OPTION_INSTANCE_SIZE])
{
    if (options->instance)
        snprintf(out, OPTION_INSTANCE_SIZE, "%s", options->instance);
    else if (gethostname(out, OPTION_INSTANCE_SIZE - 1) != 0)
        snprintf(out, OPTION_INSTANCE_SIZE, "relance");
}

const char *options_mapping(const struct options *options)
{
    return options->mapping.count ? options->mapping.items[0] : NULL;
}

void options_free(struct options *options)
{
    for (size_t i = 0; i < options->owned.count; i++)
        free(options->owned.items[i]);
    free(options->owned.items);
    for (size_t i = 0; i < OPTION_ROWS; i++)
        if (option_table[i].type == OPTION_PATHS)
            free(((struct file_paths *)((char *)options + option_table[i].at))->items);
    free(options->kafka);
    free(options->args);
    *options = (struct options){0};
}

const char *options_kafka(const struct options *options, const char *name)
{
    for (size_t i = 0; i < options->kafka_count; i++)
        if (strcmp(options->kafka[i].name, name) == 0) return options->kafka[i].value;
    return NULL;
}

/* ---- help */
static void option_show_row(const struct option_row *row, enum command command, option_show *show,
                            void *context)
{
    bool told = row->fallback && strcmp(row->fallback, "0") != 0 && !option_is_bare(row, command);
    struct option_shown shown = {
        .form = row->form,
        .prose = row->prose,
        .fallback = told ? row->fallback : NULL,
        .is_flag = row->type == OPTION_FLAG,
        .is_choice = row->type == OPTION_CHOICE,
        .is_common = row->takers == EVERY,
        .is_needed = command != COMMAND_COUNT && (row->needers & OPTION_SET(command)),
    };
    option_dashed(row->field, shown.name);
    show(context, &shown);
}

void options_each(enum command command, option_show *show, void *context)
{
    for (int common = 0; common < 2; common++)
        for (size_t i = 0; i < OPTION_ROWS; i++)
            if (option_taken(&option_table[i], command) && (option_table[i].takers == EVERY) == common)
                option_show_row(&option_table[i], command, show, context);
}

enum { OPTION_LEFT = 34 }; /* columns of what stands left of the prose */

struct option_page {
    FILE *out;
    bool any, common; /* something has been printed; the heading of the common ones has */
};

static void option_print_row(void *context, const struct option_shown *option)
{
    struct option_page *page = context;
    char left[128], right[512];
    if (option->is_common && !page->common && page->any) fputs("\n", page->out);
    if (option->is_common && !page->common) fputs("Every command takes:\n", page->out);
    page->any = true;
    page->common = option->is_common;
    snprintf(left, sizeof left, "--%s%s%s", option->name, *option->form ? " " : "", option->form);
    snprintf(right, sizeof right, "%s%s%s%s%s", option->prose, option->is_needed ? " Needed." : "",
             option->fallback ? " Default: " : "", option->fallback ? option->fallback : "",
             option->fallback ? "." : "");
    print_row(page->out, OPTION_LEFT, str_of(left), str_of(right));
}

void options_print(FILE *out, enum command command)
{
    struct option_page page = {.out = out};
    if (command != COMMAND_COUNT) {
        const struct command_row *row = &command_table[command];
        print(out, "relance %s [OPTIONS]%s%s\n%s\n\n", row->name, *row->arguments ? " " : "", row->arguments,
              row->prose);
    }
    options_each(command, option_print_row, &page);
    print_row(out, OPTION_LEFT, STR("--kafka.NAME VALUE"),
              STR("Passed to librdkafka, such as --kafka.bootstrap.servers=HOST:PORT."));
    print(out, "\nAlso read: the environment (RELANCE_CACHE_BYTES is --cache-bytes,\n"
               "RELANCE_KAFKA_BOOTSTRAP_SERVERS is --kafka.bootstrap.servers), then the file\n"
               "named by --config. The command line wins.\n");
}
