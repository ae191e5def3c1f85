#include "learn/verify.h"
#include "base/ensure.h"
#include "base/str.h"
#include "delivery/models.h"
#include "host/command.h"
#include "host/print.h"
#include "host/stop.h"
#include "learn/counting.h"
#include <inttypes.h>
#include <stdlib.h>

/* A version that is counted again. */
struct claim {
    struct parcel_head head; /* number 0: the topic has none */
    struct relance_model *base, *published;
};

struct verifying {
    struct live live;
    struct claim *claims; /* by course */
    uint64_t number;
};

/* ---- what the topic says */
/* Of two of the same number the second may not say it: then it claims what the first did. */
static void course_until(const struct live *live, struct course *course, const struct parcel_joiner *joiner)
{
    struct relance_str state;
    size_t partitions = (size_t)live->partitions;
    int64_t *until = calloc(partitions + 1, sizeof *until);
    ensure(until);
    bool is_said = joiner->head.kind == PARCEL_STATE
                       ? counting_unframe(live, buffer_str(&joiner->bytes), until, &state)
                       : parcel_offsets(buffer_str(&joiner->text), partitions, until);
    free(is_said ? course->until : until);
    if (is_said) course->until = until;
}

/* The version itself. Of two of the same number the later one is meant. */
static enum relance_status claim_take(struct claim *claim, const struct live *live, struct course *course,
                                      const struct parcel_joiner *joiner, struct relance_error *error)
{
    struct relance_str bytes = buffer_str(&joiner->bytes);
    relance_model_release(claim->base);
    relance_model_release(claim->published);
    claim->published = NULL;
    claim->head = joiner->head;
    relance_model_hold(claim->base = course->model);
    course_until(live, course, joiner);
    return joiner->head.kind == PARCEL_FULL
               ? relance_model_read(bytes, &claim->published, error)
               : relance_model_apply(claim->base, bytes, &claim->published, error);
}

/* What comes before the version is what it goes on from; the state beside it, which stands behind it, is not. */
static enum relance_status verifying_take(struct verifying *verifying, const struct parcel_joiner *joiner,
                                          struct relance_error *error)
{
    struct live *live = &verifying->live;
    struct course *course = counting_course(live, &joiner->head);
    if (!course || joiner->head.number > verifying->number) return RELANCE_OK;
    struct claim *claim = &verifying->claims[course - live->courses];
    bool is_it = joiner->head.number == verifying->number, is_state = joiner->head.kind == PARCEL_STATE;
    if (is_state && claim->head.number) {
        if (is_it && !course->until) course_until(live, course, joiner);
        return RELANCE_OK;
    }
    bool fits = joiner->head.kind != PARCEL_DELTA ||
                (course->model && relance_model_about(course->model)->chain == joiner->head.base);
    if (is_it && !fits) claim->head = joiner->head;
    if (!fits) return RELANCE_OK;
    return is_it ? claim_take(claim, live, course, joiner, error)
                 : counting_take(live, course, joiner, error);
}

static enum relance_status verifying_read_topic(struct verifying *verifying, struct relance_error *error)
{
    struct models *models = NULL;
    struct parcel_joiner joiner = {0};
    struct parcel_record record;
    bool at_end = false;
    enum relance_status status = models_open(verifying->live.options, MODELS_BEGINNING, &models, error);
    while (status == RELANCE_OK && !at_end && !stop_requested()) {
        status = models_next(models, COUNTING_WAIT_MS, &record, &at_end, error);
        if (status == RELANCE_OK && record.offset >= 0 && parcel_join(&joiner, &record))
            status = verifying_take(verifying, &joiner, error);
    }
    parcel_joiner_free(&joiner);
    models_close(models);
    return status;
}

/* ---- counting again */
static bool claim_can_be_told(const struct verifying *verifying, size_t at)
{
    const struct claim *claim = &verifying->claims[at];
    const struct course *course = &verifying->live.courses[at];
    return claim->published && course->until &&
           (verifying->number == 1 || (claim->base && course->has_state));
}

/* From the first record that one of them has to count to the last. A log that begins later is refused by the stream. */
static enum relance_status verifying_count(struct verifying *verifying, struct relance_error *error)
{
    struct live *live = &verifying->live;
    int64_t *until = calloc((size_t)live->partitions + 1, sizeof *until);
    ensure(until);
    for (int p = 0; p < live->partitions; p++) {
        live->offsets[p] = INT64_MAX;
        for (size_t i = 0; i < live->count; i++) {
            const struct course *course = &live->courses[i];
            if (!claim_can_be_told(verifying, i)) continue;
            if (course->offsets[p] < live->offsets[p]) live->offsets[p] = course->offsets[p];
            if (course->until[p] > until[p]) until[p] = course->until[p];
        }
    }
    enum relance_status status =
        stream_open(live->options, live->offsets, live->partitions, &live->stream, error);
    for (int p = 0; p < live->partitions && status == RELANCE_OK && !stop_requested();) {
        int64_t end = stream_read_to(live->stream, p);
        if (live->offsets[p] >= until[p] || end >= until[p])
            p++;
        else if (end >= 0)
            status = relance_error_set(error, RELANCE_REFUSED,
                                       "%s, partition %d ends at %" PRId64 ", and was counted up to %" PRId64
                                       ": it is not the input that it was",
                                       live->options->input, p, end, until[p]);
        else
            status = counting_read(live, error);
    }
    free(until);
    return status;
}

/* ---- telling */
static bool lists_equal(const struct relance_model *a, const struct relance_model *b,
                        struct relance_str product)
{
    struct relance_partner one[RELANCE_MODEL_PARTNERS], other[RELANCE_MODEL_PARTNERS];
    size_t count = relance_model_partners(a, product, RELANCE_MODEL_PARTNERS, one);
    if (relance_model_partners(b, product, RELANCE_MODEL_PARTNERS, other) != count) return false;
    for (size_t i = 0; i < count; i++)
        if (!str_equal(one[i].product, other[i].product) || one[i].weight != other[i].weight) return false;
    return true;
}

/* The first product, in the order of their bytes, of which the two say something else. */
static struct relance_str first_difference(const struct relance_model *a, const struct relance_model *b)
{
    struct relance_str first = {0};
    for (int turn = 0; turn < 2; turn++) {
        const struct relance_model *of = turn ? b : a;
        for (size_t i = 0; i < relance_model_product_count(of); i++) {
            struct relance_str product = relance_model_product(of, i);
            bool earlier = !first.size || str_compare(product, first) < 0;
            if (earlier && !lists_equal(a, b, product)) first = product;
        }
    }
    return first;
}

static bool claim_holds(const struct claim *claim, const struct course *course)
{
    struct relance_str bytes;
    struct relance_model *counted = relance_learn_version(course->learn, claim->head.at_ms, claim->base,
                                                          claim->head.kind == PARCEL_FULL, &bytes);
    ensure(counted);
    uint64_t chain = relance_model_about(counted)->chain;
    bool holds = chain == claim->head.chain && chain == relance_model_about(claim->published)->chain;
    print(stdout, "%.*s: version %" PRIu64 ", chain %016" PRIx64 ": %s", STR_ARG(course->about.name),
          claim->head.number, claim->head.chain, holds ? "equal" : "differs");
    if (!holds) {
        struct relance_str product = first_difference(counted, claim->published);
        print(stdout, "; counted again its chain is %016" PRIx64, chain);
        if (product.size) print(stdout, ", and what goes with %.*s is something else", STR_ARG(product));
    }
    print(stdout, "\n");
    relance_model_release(counted);
    return holds;
}

static void claim_tell_why_not(const struct claim *claim, const struct course *course, uint64_t number)
{
    const char *why =
        !claim->head.number ? "is not on the topic of versions, by the recipe that the rules declare"
        : !claim->published || (number > 1 && !claim->base) ? "is without the version before it on the topic"
        : number > 1 && !course->has_state
            ? "is without the state that it was counted from on the topic"
            : "does not say how far was counted: before versions said it, those with a state "
              "beside them did";
    print_mistake("version %" PRIu64 " of %.*s %s", number, STR_ARG(course->about.name), why);
}

/* ---- the whole */
static int verifying_tell(const struct verifying *verifying)
{
    size_t told = 0, held = 0;
    for (size_t i = 0; i < verifying->live.count; i++) {
        const struct course *course = &verifying->live.courses[i];
        if (claim_can_be_told(verifying, i))
            told++, held += claim_holds(&verifying->claims[i], course);
        else
            claim_tell_why_not(&verifying->claims[i], course, verifying->number);
    }
    return !told ? EXIT_STATUS_USAGE : held == told ? EXIT_STATUS_OK : EXIT_STATUS_FAILED;
}

static enum relance_status verifying_run(struct verifying *verifying, const struct relance_ruleset *rules,
                                         struct relance_error *error)
{
    struct live *live = &verifying->live;
    enum relance_status status = stream_count(live->options, &live->partitions, error);
    if (status != RELANCE_OK) return status;
    counting_open(live, rules);
    ensure(verifying->claims = calloc(live->count + 1, sizeof *verifying->claims));
    status = verifying_read_topic(verifying, error);
    bool any = false;
    for (size_t i = 0; i < live->count; i++)
        any |= claim_can_be_told(verifying, i);
    return status == RELANCE_OK && any ? verifying_count(verifying, error) : status;
}

int learn_verify(const struct options *options, const struct relance_ruleset *rules)
{
    struct verifying verifying = {.live = {.options = options, .newest_ms = INT64_MIN},
                                  .number = (uint64_t)options->verify};
    struct relance_error error;
    enum relance_status status = verifying_run(&verifying, rules, &error);
    int end = EXIT_STATUS_USAGE;
    if (status != RELANCE_OK)
        print_mistake("%s", error.message);
    else if (!stop_requested())
        end = verifying_tell(&verifying);
    for (size_t i = 0; verifying.claims && i < verifying.live.count; i++) {
        relance_model_release(verifying.claims[i].base);
        relance_model_release(verifying.claims[i].published);
    }
    free(verifying.claims);
    counting_close(&verifying.live);
    return end;
}
