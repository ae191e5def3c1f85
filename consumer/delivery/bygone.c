#include "delivery/bygone.h"
#include "base/ensure.h"
#include "base/str.h"
#include "host/clock.h"
#include "host/stop.h"
#include <inttypes.h>
#include <stdlib.h>

enum { BYGONE_PATIENCE_US = 60000000, BYGONE_POLL_MS = 100 };

struct bygone {
    const struct options *options;
    char name[PARCEL_NAME_BYTES];
    struct models *reader; /* NULL: not yet, or it has come to the end without finding */
    struct parcel_joiner joiner;
    struct relance_model *met; /* the version that was read last; NULL: none */
    uint64_t asked;            /* number that was looked for last */
    bool is_other;             /* of the search: the number has been met with another chain */
};

struct bygone *bygone_open(const struct options *options, struct relance_str name)
{
    struct bygone *bygone = calloc(1, sizeof *bygone);
    ensure(bygone && name.size < sizeof bygone->name);
    bygone->options = options;
    memcpy(bygone->name, name.data, name.size);
    bygone->joiner.skips_states = true;
    return bygone;
}

static void bygone_rewind(struct bygone *bygone)
{
    models_close(bygone->reader);
    bygone->reader = NULL;
    relance_model_release(bygone->met);
    bygone->met = NULL;
    parcel_joiner_free(&bygone->joiner);
    bygone->joiner = (struct parcel_joiner){.skips_states = true};
}

void bygone_close(struct bygone *bygone)
{
    if (!bygone) return;
    bygone_rewind(bygone);
    free(bygone);
}

static const struct relance_model_head *bygone_met(const struct bygone *bygone)
{
    return bygone->met ? relance_model_about(bygone->met) : NULL;
}

/* Takes in what has come; what builds upon a version that is not there is passed over. */
static void bygone_take(struct bygone *bygone)
{
    if (strcmp(bygone->joiner.head.name, bygone->name) != 0) return;
    struct relance_model *model = modelbook_build(&bygone->joiner, bygone->met);
    if (!model) return;
    relance_model_release(bygone->met);
    bygone->met = model;
}

/* Reads on to the next version of the affinity; *at_end: there is none. */
static enum relance_status bygone_next(struct bygone *bygone, bool *at_end, struct relance_error *error)
{
    const struct relance_model *before = bygone->met;
    int64_t began_us = clock_monotonic_us();
    struct parcel_record record;
    enum relance_status status = RELANCE_OK;
    *at_end = false;
    while (status == RELANCE_OK && !*at_end && bygone->met == before) {
        if (stop_requested()) return relance_error_set(error, RELANCE_AGAIN, "ending");
        if (clock_monotonic_us() - began_us > BYGONE_PATIENCE_US)
            return relance_error_set(error, RELANCE_AGAIN, "the end of %s.models has not come",
                                     bygone->options->output);
        status = models_next(bygone->reader, BYGONE_POLL_MS, &record, at_end, error);
        if (status == RELANCE_OK && record.offset >= 0 && parcel_join(&bygone->joiner, &record))
            bygone_take(bygone);
    }
    return status;
}

static enum relance_status bygone_gone(const struct bygone *bygone, uint64_t number,
                                       struct relance_error *error)
{
    return relance_error_set(error, RELANCE_REFUSED,
                             bygone->is_other ? "version %" PRIu64
                                                " is not on %s.models any more, where another of "
                                                "that number has taken its place"
                                              : "version %" PRIu64 " is not on %s.models any more",
                             number, bygone->options->output);
}

/* Is it of no use to read on? Where counting has begun anew, what stands here is still of before that. */
static bool bygone_is_past(const struct bygone *bygone, uint64_t number, bool begins_anew)
{
    const struct relance_model_head *met = bygone_met(bygone);
    return met && met->number > number && !begins_anew;
}

static enum relance_status bygone_search(struct bygone *bygone, uint64_t number, uint64_t chain,
                                         struct relance_error *error)
{
    bool begins_anew = number < bygone->asked, at_end = false;
    enum relance_status status = RELANCE_OK;
    bygone->is_other = false;
    while (status == RELANCE_OK) {
        const struct relance_model_head *met = bygone_met(bygone);
        if (met && met->number == number && met->chain == chain) return RELANCE_OK;
        bygone->is_other |= met && met->number == number;
        begins_anew &= !met || met->number > number;
        if (bygone_is_past(bygone, number, begins_anew)) return bygone_gone(bygone, number, error);
        status = bygone_next(bygone, &at_end, error);
        if (status != RELANCE_OK || !at_end) continue;
        bygone_rewind(bygone); /* the next is looked for from the beginning */
        return bygone_gone(bygone, number, error);
    }
    return status;
}

enum relance_status bygone_find(struct bygone *bygone, uint64_t number, uint64_t chain,
                                const struct relance_model **out, struct relance_error *error)
{
    enum relance_status status = RELANCE_OK;
    *out = NULL;
    if (!bygone->reader) status = models_check(bygone->options, error);
    if (!bygone->reader && status == RELANCE_OK)
        status = models_open(bygone->options, MODELS_BEGINNING, &bygone->reader, error);
    if (status == RELANCE_OK) status = bygone_search(bygone, number, chain, error);
    bygone->asked = number;
    if (status == RELANCE_OK) *out = bygone->met;
    return status;
}
