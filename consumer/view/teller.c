#include "view/teller.h"
#include "base/buffer.h"
#include "base/ensure.h"
#include "host/clock.h"
#include "host/stop.h"
#include "host/text.h"
#include "view/answer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    TELLER_WORDS = 64,
    TELLER_LOOK_MS = 250,   /* how often it is asked whether anybody still listens */
    TELLER_SILENT_MS = 700, /* after which an empty line shows whether that is so */
    TELLER_PIECE = 16 << 10,
    TELLER_SENTENCE = 1024,
};
enum { TELLER_BUSY = 409, TELLER_NO_KAFKA = 501, TELLER_FAILED = 502 };
extern char **environ;

/* Words that end with NULL. */
struct teller_list {
    char **items;
    size_t count;
};

struct teller {
    const struct options *options;
    pthread_t thread;
    bool has_thread;
    _Atomic bool is_busy;
    /* of the one that is being told */
    struct http_question *question;
    struct teller_list words, environment;
    pid_t pid;
    int lines, mistakes;            /* ends of pipes; -1: closed */
    char sentence[TELLER_SENTENCE]; /* the newest mistake */
    struct buffer line;             /* the one that is not whole yet */
    int64_t begin_us, said_us;
    const char *trouble; /* why it ends before its end; NULL: it does not */
    bool has_said;       /* a line has been passed on */
};

struct teller *teller_new(const struct options *options)
{
    struct teller *teller = calloc(1, sizeof *teller);
    ensure(teller);
    teller->options = options;
    return teller;
}

/* ---- what the process is given */
static void list_add(struct teller_list *list, const char *begin, const char *rest)
{
    list->items = realloc(list->items, (list->count + 2) * sizeof *list->items);
    ensure(list->items && asprintf(&list->items[list->count], "%s%s", begin, rest) >= 0);
    list->items[++list->count] = NULL;
}

static void list_free(struct teller_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct teller_list){0};
}

/* "lateness=5000ms forget-after=…": those that `explain` has, too. */
static void teller_add_decides(struct teller *teller, const char *decides)
{
    static const char *const names[] = {"lateness", "forget-visitors-after", "state-bytes", "misplaced"};
    for (size_t i = 0; decides && i < sizeof names / sizeof *names; i++) {
        char word[128], name[32];
        snprintf(name, sizeof name, "%s=", names[i]);
        const char *at = strstr(decides, name);
        if (!at || (at > decides && at[-1] != ' ')) continue;
        at += strlen(name);
        snprintf(word, sizeof word, "%s%.*s", name, (int)strcspn(at, " /"), at);
        list_add(&teller->words, "--", word);
    }
}

static void teller_add_kafka(struct teller *teller, const struct option_kafka *setting)
{
    char name[256];
    bool is_secret = options_kafka_secret(str_of(setting->name));
    snprintf(name, sizeof name, is_secret ? "RELANCE_KAFKA_%s=" : "--kafka.%s=", setting->name);
    for (char *c = name; is_secret && *c; c++)
        *c = *c == '.' ? '_' : (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    list_add(is_secret ? &teller->environment : &teller->words, name, setting->value);
}

/* Of ours all but what are options of ours: it is given its own. */
static void teller_set_environment(struct teller *teller)
{
    for (char **variable = environ; *variable; variable++)
        if (strncmp(*variable, "RELANCE_", 8) != 0) list_add(&teller->environment, *variable, "");
    list_add(&teller->environment, "RELANCE_REDIS=", teller->options->redis);
}

static void teller_set_words(struct teller *teller, const char *decides)
{
    const struct options *options = teller->options;
    const char *from = http_question_value(teller->question, "from");
    list_add(&teller->words, "relance", "");
    list_add(&teller->words, "explain", "");
    list_add(&teller->words, "--json", "");
    list_add(&teller->words, "--group=", options->group);
    list_add(&teller->words, "--input=", options->input);
    if (options->output) list_add(&teller->words, "--output=", options->output);
    list_add(&teller->words, "--from=", from ? from : "earliest");
    if (answer_is_visitor(teller->question)) list_add(&teller->words, "--visitor", "");
    teller_add_decides(teller, decides);
    teller_set_environment(teller);
    for (size_t i = 0; i < options->kafka_count; i++)
        teller_add_kafka(teller, &options->kafka[i]);
    list_add(&teller->words, "--", "");
    list_add(&teller->words, http_question_value(teller->question, "id"), "");
}

/* ---- the process */
static bool teller_spawn(struct teller *teller, const int lines[2], const int mistakes[2])
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, lines[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, mistakes[1], STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    bool is_started = posix_spawn(&teller->pid, "/proc/self/exe", &files, &attributes, teller->words.items,
                                  teller->environment.items) == 0;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return is_started;
}

static void teller_close(int *file)
{
    if (*file >= 0) close(*file);
    *file = -1;
}

static bool teller_start(struct teller *teller)
{
    int lines[2] = {-1, -1}, mistakes[2] = {-1, -1};
    bool is_started = pipe2(lines, O_CLOEXEC) == 0 && pipe2(mistakes, O_CLOEXEC) == 0 &&
                      teller_spawn(teller, lines, mistakes);
    teller_close(&lines[1]);
    teller_close(&mistakes[1]);
    teller->lines = lines[0];
    teller->mistakes = mistakes[0];
    if (is_started) return true;
    snprintf(teller->sentence, sizeof teller->sentence, "No process can be started: %s", strerror(errno));
    return false;
}

/* What it has said to people: the last line, without who says it. */
static void teller_hear_mistake(struct teller *teller)
{
    char text[TELLER_SENTENCE];
    ssize_t size = read(teller->mistakes, text, sizeof text);
    if (size <= 0) {
        if (size == 0 || errno != EINTR) teller_close(&teller->mistakes);
        return;
    }
    str said = str_trim((str){text, (size_t)size}), who = STR("relance explain: ");
    const char *end = memrchr(said.data, '\n', said.size);
    if (end) said = str_slice(said, (size_t)(end + 1 - said.data), said.size);
    if (str_starts_with(said, who)) said = str_slice(said, who.size, said.size);
    snprintf(teller->sentence, sizeof teller->sentence, "%.*s", STR_ARG(said));
}

/* ---- passing on */
static void teller_say(struct teller *teller, str text)
{
    teller->has_said = true;
    teller->said_us = clock_monotonic_us();
    if (!http_question_say(teller->question, text)) teller->trouble = "Nobody listens.";
}

/* How many records it has read, of {"kind":"progress",…,"events":N}. */
static bool teller_is_too_long(str line)
{
    static const str progress = STR("{\"kind\":\"progress\""), events = STR("\"events\":");
    int64_t count;
    if (!str_starts_with(line, progress)) return false;
    const char *at = memmem(line.data, line.size, events.data, events.size);
    if (!at) return false;
    at += events.size;
    size_t size = (size_t)(line.data + line.size - at), digits = 0;
    while (digits < size && at[digits] >= '0' && at[digits] <= '9')
        digits++;
    return text_count((str){at, digits}, &count) && count > TELLER_RECORDS;
}

/* Whole lines go on, and the last one waits for its end. */
static void teller_take_lines(struct teller *teller)
{
    struct buffer *line = &teller->line;
    const char *end = line->size ? memrchr(line->data, '\n', line->size) : NULL;
    if (!end) return;
    str whole = {line->data, (size_t)(end + 1 - line->data)};
    const char *last = memrchr(whole.data, '\n', whole.size - 1);
    size_t begin = last ? (size_t)(last + 1 - whole.data) : 0;
    if (teller_is_too_long(str_slice(whole, begin, whole.size)))
        teller->trouble = "More than 10,000,000 records would have to be read: begin later, with `from`.";
    teller_say(teller, whole);
    line->size -= whole.size;
    memmove(line->data, end + 1, line->size);
}

static void teller_hear_lines(struct teller *teller)
{
    ssize_t size = read(teller->lines, buffer_room(&teller->line, TELLER_PIECE), TELLER_PIECE);
    if (size > 0) {
        teller->line.size += (size_t)size;
        teller_take_lines(teller);
    } else if (size == 0 || errno != EINTR) {
        teller_close(&teller->lines);
    }
}

static void teller_watch(struct teller *teller)
{
    int64_t now_us = clock_monotonic_us();
    if (teller->trouble) return;
    if (stop_requested()) teller->trouble = "The server is ending.";
    if (now_us - teller->begin_us > TELLER_MS * 1000LL)
        teller->trouble = "It takes longer than 30 s: begin later, with `from`.";
    if (http_question_is_moot(teller->question)) teller->trouble = "Nobody listens.";
    if (!teller->trouble && now_us - teller->said_us > TELLER_SILENT_MS * 1000LL)
        teller_say(teller, STR("\n"));
}

static void teller_pass_on(struct teller *teller)
{
    while (teller->lines >= 0 && !teller->trouble) {
        struct pollfd files[] = {{.fd = teller->lines, .events = POLLIN},
                                 {.fd = teller->mistakes, .events = POLLIN}};
        if (poll(files, 2, TELLER_LOOK_MS) > 0) {
            if (files[1].revents) teller_hear_mistake(teller);
            if (files[0].revents) teller_hear_lines(teller);
        }
        teller_watch(teller);
    }
}

/* False: it did not end well. */
static bool teller_end_process(struct teller *teller)
{
    int status = 0;
    if (teller->trouble) kill(teller->pid, SIGKILL); /* it has nothing to save */
    while (teller->mistakes >= 0 && !teller->trouble)
        teller_hear_mistake(teller);
    while (waitpid(teller->pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- the whole */
static void teller_say_error(struct teller *teller, const char *sentence)
{
    struct buffer line = {0};
    buffer_put_str(&line, STR("{\"kind\":\"error\",\"error\":"));
    buffer_put_json_string(&line, str_of(sentence));
    buffer_put_str(&line, STR("}\n"));
    teller_say(teller, buffer_str(&line));
    buffer_free(&line);
}

/* What has not begun can still be refused. */
static void teller_finish(struct teller *teller, bool is_well)
{
    const char *why = teller->trouble     ? teller->trouble
                      : *teller->sentence ? teller->sentence
                                          : "It has failed.";
    if (!is_well && !teller->has_said) {
        http_question_refuse(teller->question, TELLER_FAILED, why);
        return;
    }
    if (!is_well) teller_say_error(teller, why);
    http_question_end(teller->question);
}

static void *teller_run(void *context)
{
    struct teller *teller = context;
    bool is_well = teller_start(teller);
    if (is_well) {
        teller_pass_on(teller);
        is_well = teller_end_process(teller);
    }
    teller_finish(teller, is_well);
    teller_close(&teller->lines);
    teller_close(&teller->mistakes);
    list_free(&teller->words);
    list_free(&teller->environment);
    buffer_free(&teller->line);
    teller->line = (struct buffer){0};
    teller->is_busy = false;
    return NULL;
}

void teller_tell(struct teller *teller, struct http_question *question, const char *decides)
{
    if (!options_kafka(teller->options, "bootstrap.servers")) {
        http_question_refuse(question, TELLER_NO_KAFKA,
                             "A story takes Kafka: start `relance serve` with --kafka.bootstrap.servers.");
        return;
    }
    if (teller->is_busy) {
        http_question_refuse(question, TELLER_BUSY, "Another story is being told; ask again in a moment.");
        return;
    }
    if (teller->has_thread) pthread_join(teller->thread, NULL); /* it is over */
    teller->question = question;
    teller->trouble = NULL;
    teller->has_said = false;
    *teller->sentence = '\0';
    teller->begin_us = teller->said_us = clock_monotonic_us();
    teller->is_busy = true;
    teller_set_words(teller, decides);
    ensure(pthread_create(&teller->thread, NULL, teller_run, teller) == 0);
    teller->has_thread = true;
}

void teller_free(struct teller *teller)
{
    if (teller->has_thread) pthread_join(teller->thread, NULL);
    free(teller);
}
