/* What goes wrong with records and decisions, a part of it for the log: of each kind the first, and then one a minute, with
 * how many were passed over in between. All of it is counted as well. While a partition catches up nothing is said: it has
 * been, by whoever decided it first. */
#include "base/str.h"
#include "delivery/partition.h"
#include "host/clock.h"
#include "host/log.h"
#include "host/mishap.h"
#include "host/option.h"

#include <inttypes.h>

enum {
    MISHAP_PLACE_MAX = 256, /* bytes of a place that is told */
    MISHAP_KEY_MAX = 64,    /* bytes of a record's key that are told */
    MISHAP_UNSAVED_US = 10000000,
};

static bool mishap_take(struct partition *partition, struct relance_str a, struct relance_str b,
                        uint64_t *more)
{
    return partition->state == PARTITION_LIVE && sampler_take(&partition->place->sampler, a, b, more);
}

/* ---- decisions */
void partition_tell_error(struct partition *partition, const struct relance_decision *decision)
{
    uint64_t more;
    char place[MISHAP_PLACE_MAX];
    if (!mishap_take(partition, decision->in, decision->why, &more)) return;
    size_t size = relance_decision_place(decision, place, sizeof place);
    log_line(LOG_WARNING, "An expression cannot be evaluated.",
             "in=\"%.*s\" place=%.*s rule=%.*s customer=%.*s why=\"%.*s\" more_since=%" PRIu64,
             STR_ARG(decision->in), (int)(size < sizeof place ? size : sizeof place), place,
             STR_ARG(decision->rule), STR_ARG(decision->customer), STR_ARG(decision->why), more);
}

void partition_tell_failed(struct partition *partition, const struct relance_decision *decision)
{
    uint64_t more;
    if (!mishap_take(partition, STR("failed"), decision->rule, &more)) return;
    log_line(LOG_WARNING, "A step has failed, and nothing is sent.",
             "rule=%.*s step=%u customer=%.*s why=\"%.*s\" partition=%d offset=%" PRId64
             " more_since=%" PRIu64,
             STR_ARG(decision->rule), decision->step, STR_ARG(decision->customer), STR_ARG(decision->why),
             partition->number, partition->reached - 1, more);
}

/* ---- records */
void partition_tell_dead(struct partition *partition, const struct source_record *record,
                         const struct relance_fate *fate)
{
    const struct mishap_record told = {.topic = str_of(partition->place->options->input),
                                       .partition = record->partition,
                                       .offset = record->offset,
                                       .value = record->value};
    if (partition->state != PARTITION_LIVE) return;
    mishap_tell_dead(&partition->place->sampler, &told, fate->reason, fate->sentence);
}

void partition_tell_miskeyed(struct partition *partition, const struct source_record *record,
                             const struct relance_fate *fate)
{
    uint64_t more;
    struct relance_str key = record->key;
    if (!mishap_take(partition, STR("miskeyed"), STR(""), &more)) return;
    if (key.size > MISHAP_KEY_MAX) key.size = MISHAP_KEY_MAX;
    log_line(
        LOG_WARNING, "A record's key is not its customer, whose events may be decided in several partitions.",
        "key=%.*s customer=%.*s event=%.*s partition=%d offset=%" PRId64 " more_since=%" PRIu64, STR_ARG(key),
        STR_ARG(fate->customer), STR_ARG(fate->type), partition->number, record->offset, more);
}

/* The field's name and type, not the value: a log is read by more people than a topic is. */
void partition_tell_invalid(struct partition *partition, const struct source_record *record,
                            const struct relance_fate *fate)
{
    uint64_t more;
    for (size_t i = 0; i < fate->misfit_count; i++) {
        const struct relance_misfit *misfit = &fate->misfits[i];
        if (!mishap_take(partition, fate->type, misfit->field, &more)) continue;
        log_line(LOG_WARNING, "A value does not fit the type of its field, which is left out.",
                 "event=%.*s field=%.*s type=%.*s partition=%d offset=%" PRId64 " more_since=%" PRIu64,
                 STR_ARG(fate->type), STR_ARG(misfit->field), STR_ARG(misfit->type), partition->number,
                 record->offset, more);
    }
}

/* ---- states */
void partition_tell_forgotten(struct partition *partition, const struct relance_forgot *forgot,
                              enum relance_forgot_kind kind)
{
    uint64_t more;
    struct relance_str name = relance_forgot_name(kind);
    if (!mishap_take(partition, STR("forgot"), name, &more)) return;
    log_line(LOG_WARNING, "A customer has too much: a part of it is forgotten.",
             "what=%.*s customer=%.*s partition=%d more_since=%" PRIu64, STR_ARG(name),
             STR_ARG(forgot->customer), partition->number, more);
}

/* ---- checkpoints */
void workplace_tell_unsaved(struct workplace *place, int64_t since_us, const char *why)
{
    uint64_t more;
    int64_t for_us = clock_monotonic_us() - since_us;
    if (for_us < MISHAP_UNSAVED_US || !sampler_take(&place->sampler, STR("unsaved"), STR(""), &more)) return;
    log_line(LOG_WARNING, "No checkpoint is written: what is decided now has to be decided again.",
             "member=%s for_s=%" PRId64 " why=\"%s\"", place->member, for_us / 1000000, why);
}
