#include "delivery/reload.h"
#include "host/clock.h"
#include "base/ensure.h"
#include "host/log.h"
#include "host/print.h"
#include "host/text.h"
#include <relance/affinity.h>
#include <relance/mapping.h>
#include <signal.h>
#include <stdlib.h>

enum { RELOAD_WATCH_US = 1000000 };

static atomic_int reload_wanted; /* written by a signal handler: lock-free, so it may be */

static void reload_handle(int signal_number)
{
    (void)signal_number;
    reload_wanted = 1;
}

void reload_on_signal(void)
{
    struct sigaction action = {.sa_handler = reload_handle, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGHUP, &action, NULL);
}

/* ---- one set, from files to text */
static void reload_show(const struct relance_report *report)
{
    if (report) print_lines(relance_report_text(report), stderr);
}

/* Records of these formats are read with a schema, which an engine does not have. */
static enum relance_status reload_check_format(const struct relance_ruleset *rules,
                                               struct relance_error *error)
{
    const struct relance_mapping *mapping = relance_ruleset_mapping(rules);
    struct relance_str format = mapping ? relance_mapping_format(mapping) : STR("json");
    if (!str_equal(format, STR("avro")) && !str_equal(format, STR("protobuf"))) return RELANCE_OK;
    return relance_error_set(
        error, RELANCE_INVALID,
        "--mapping: format %.*s takes a schema: `relance intake` makes events of such records",
        STR_ARG(format));
}

static enum relance_status reload_check(struct reload *reload, const struct file_set *files,
                                        size_t *rule_count, struct relance_error *error)
{
    struct relance_ruleset *rules = NULL;
    struct relance_report *report = NULL;
    enum relance_status status = file_set_compile(files, &rules, &report, error);
    reload_show(report);
    if (report) relance_report_free(report);
    if (status == RELANCE_OK) *rule_count = relance_ruleset_rule_count(rules);
    if (status == RELANCE_OK) status = reload_check_format(rules, error);
    if (status == RELANCE_OK) reload->has_affinities = relance_ruleset_affinity_count(rules);
    relance_ruleset_free(rules);
    return status;
}

static enum relance_status reload_check_size(const struct reload *reload, size_t size,
                                             struct relance_error *error)
{
    if (size <= reload->most) return RELANCE_OK;
    return relance_error_set(
        error, RELANCE_INVALID,
        "the rules have %zu bytes as one record, and the marks topic takes %zu: raise its "
        "max.message.bytes (and the producer's kafka.message.max.bytes)",
        size, reload->most);
}

/* Takes a packed set over. */
static void reload_offer(struct reload *reload, char *packed, const char *hash)
{
    char **grown = realloc(reload->texts, (reload->text_count + 1) * sizeof *grown);
    ensure(grown);
    reload->texts = grown;
    reload->texts[reload->text_count++] = packed;
    memcpy(reload->hash, hash, sizeof reload->hash);
    atomic_store(&reload->packed, packed);
}

static enum relance_status reload_take(struct reload *reload, const struct file_set *files,
                                       struct relance_error *error)
{
    char *packed;
    size_t size, rules;
    enum relance_status status = reload_check(reload, files, &rules, error);
    if (status == RELANCE_OK) status = file_set_pack(files, &packed, &size, error);
    if (status != RELANCE_OK) return status;
    status = reload_check_size(reload, size, error);
    if (status != RELANCE_OK) {
        free(packed);
        return status;
    }
    reload_offer(reload, packed, files->hash);
    char paths[FILE_PATHS_SHOWN];
    log_line(LOG_INFO, "Read the rules.", "rules=%zu set=%s path=\"%s\"", rules, files->hash,
             file_paths_show(reload->paths, paths));
    return RELANCE_OK;
}

/* ---- the start */
enum relance_status reload_open(struct reload *reload, const struct file_paths *paths,
                                struct relance_error *error)
{
    struct file_set files;
    *reload = (struct reload){.paths = paths, .watch = reload->watch, .most = SIZE_MAX};
    enum relance_status status = file_set_read(paths, &files, error);
    if (status != RELANCE_OK) return status;
    memcpy(reload->seen, files.hash, sizeof reload->seen);
    memcpy(reload->tried, files.hash, sizeof reload->tried);
    status = reload_take(reload, &files, error);
    file_set_free(&files);
    return status;
}

enum relance_status reload_bound(struct reload *reload, size_t most, struct relance_error *error)
{
    reload->most = most;
    return reload_check_size(reload, strlen(reload_packed(reload)), error);
}

void reload_close(struct reload *reload)
{
    for (size_t i = 0; i < reload->text_count; i++)
        free(reload->texts[i]);
    free(reload->texts);
}

const char *reload_packed(struct reload *reload)
{
    return atomic_load(&reload->packed);
}

/* ---- later */
static void reload_refuse(struct reload *reload, const struct relance_error *error)
{
    atomic_fetch_add(&reload->refused, 1);
    char paths[FILE_PATHS_SHOWN];
    log_line(LOG_ERROR, "The changed rules are refused; those in force stay.",
             "path=\"%s\" why=\"%s\" set=%s", file_paths_show(reload->paths, paths), error->message,
             reload->hash);
}

static void reload_again(struct reload *reload, const struct file_set *files)
{
    struct relance_error error;
    memcpy(reload->tried, files->hash, sizeof reload->tried);
    if (strcmp(files->hash, reload->hash) == 0) {
        log_line(LOG_INFO, "The rule files are as they were.", "set=%s", reload->hash);
        return;
    }
    if (reload_take(reload, files, &error) == RELANCE_OK) {
        atomic_fetch_add(&reload->taken, 1);
        return;
    }
    reload_refuse(reload, &error);
}

/* Files that are being written are let come to rest: they are taken when two looks have found them the same. A
 * signal means that they are ready. */
static void reload_read(struct reload *reload, bool asked)
{
    struct file_set files;
    struct relance_error error;
    if (file_set_read(reload->paths, &files, &error) != RELANCE_OK) {
        if (asked || *reload->seen) reload_refuse(reload, &error);
        *reload->seen = '\0'; /* said once */
        return;
    }
    bool at_rest = strcmp(files.hash, reload->seen) == 0;
    memcpy(reload->seen, files.hash, sizeof reload->seen);
    if (asked || (at_rest && strcmp(files.hash, reload->tried) != 0)) reload_again(reload, &files);
    file_set_free(&files);
}

void reload_look(struct reload *reload)
{
    bool asked = atomic_exchange(&reload_wanted, 0);
    int64_t now = clock_monotonic_us();
    if (!asked && (!reload->watch || now - reload->looked_us < RELOAD_WATCH_US)) return;
    reload->looked_us = now;
    reload_read(reload, asked);
}
