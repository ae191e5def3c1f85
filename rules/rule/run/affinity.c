/* Affinities: questions to the versions in force, and what of a record goes to who learns them.
 *
 * What a function answers depends on its arguments and on the version that relance_engine_set_model has brought, which a
 * mark names: nothing else is looked at. Where there is none of the declared recipe the answer is an empty list. */
#include "rule/run/engine_internal.h"

#include <relance/affinity.h>

void relance_engine_set_model(struct relance_engine *e, struct relance_str name,
                              const struct relance_model *model)
{
    uint32_t number = e->set->affinity_count ? names_find(&e->set->affinity_names, name) : NAME_NONE;
    if (number == NAME_NONE) return;
    if (model && relance_model_about(model)->recipe != e->set->affinities[number].recipe) model = NULL;
    relance_model_hold(model);
    relance_model_release(e->models[number]);
    e->models[number] = model;
    scope_forget(e);
}

void affinity_forget_models(struct relance_engine *e)
{
    for (size_t i = 0; i < LIMIT_AFFINITIES; i++) {
        relance_model_release(e->models[i]);
        e->models[i] = NULL;
    }
}

/* What is still declared by the same name and recipe keeps its version. */
void affinity_take_over(struct relance_engine *e, const struct relance_ruleset *before)
{
    const struct relance_model *models[LIMIT_AFFINITIES] = {0};
    for (size_t i = 0; i < before->affinity_count; i++)
        models[i] = e->models[i], e->models[i] = NULL;
    for (size_t i = 0; i < before->affinity_count; i++) {
        if (models[i]) relance_engine_set_model(e, before->affinities[i].name, models[i]);
        relance_model_release(models[i]);
    }
}

/* ---- questions */

/* Weighing a seed looks at what goes with it. */
enum { SEED_STEPS = 16, ANSWER_STEPS = 1 };

/* The products that are asked about, of which `most` at most are weighed; false: it is an error, which *failed says, or too much. */
static bool seeds_of(struct relance_engine *e, enum affinity_form form, struct cel_value asked, size_t most,
                     str seeds[RELANCE_MODEL_EXCLUDED], size_t *count, struct cel_value *failed)
{
    const struct cel_list *list = form == AFFINITY_OF_SEVERAL ? asked.as.list : NULL;
    *count = !list ? form == AFFINITY_OF_ONE : list->count;
    if (*count > RELANCE_MODEL_EXCLUDED) *count = RELANCE_MODEL_EXCLUDED;
    size_t weighed = *count < most ? *count : most;
    *failed = cel_int(0);
    if (!cel_charge(&e->frame, 1 + *count + weighed * SEED_STEPS)) return false;
    for (size_t i = 0; i < *count; i++) {
        struct cel_value seed = list ? list->items[i] : asked;
        if (seed.kind != CEL_STRING) {
            *failed =
                cel_fail(&e->frame, CEL_ERROR_ARGUMENT, "what goes with products is asked by their texts");
            return false;
        }
        seeds[i] = cel_text(seed);
    }
    return true;
}

static struct cel_value answer(struct relance_engine *e, const struct relance_partner *partners, size_t count)
{
    if (!cel_charge(&e->frame, count * ANSWER_STEPS)) return cel_int(0);
    struct cel_list *list = cel_list_with_room(&e->frame, count);
    if (!list) return cel_fail_memory(&e->frame);
    for (; list->count < count; list->count++)
        list->items[list->count] = cel_string(partners[list->count].product);
    return (struct cel_value){.kind = CEL_LIST, .as.list = list};
}

/* What goes with one is listed in its order: nothing has to be added up. */
static size_t partners_of(const struct relance_model *model, str seed, size_t most,
                          struct relance_partner out[RELANCE_MODEL_ANSWERS])
{
    size_t count = relance_model_partners(model, seed, RELANCE_MODEL_ANSWERS, out), kept = 0;
    for (size_t i = 0; i < count && i < RELANCE_MODEL_ANSWERS && kept < most; i++)
        if (!str_equal(out[i].product, seed)) out[kept++] = out[i];
    return kept;
}

static size_t weighed_by(const struct affinity_rule *affinity)
{
    return affinity->together ? RELANCE_MODEL_TOGETHER : RELANCE_MODEL_SEEDS;
}

size_t affinity_answer(const struct relance_engine *e, const struct affinity_question *question,
                       struct relance_partner out[RELANCE_MODEL_ANSWERS])
{
    const struct relance_model *model = e->models[question->affinity];
    const str *seeds = question->seeds;
    size_t most = question->most < RELANCE_MODEL_ANSWERS ? question->most : RELANCE_MODEL_ANSWERS, count;
    if (!seeds)
        count = relance_model_popular(model, most, out);
    else if (question->seed_count == 1)
        count = partners_of(model, seeds[0], most, out);
    else if (e->set->affinities[question->affinity].together)
        count = relance_model_together(model, seeds, question->seed_count, most, out);
    else
        count = relance_model_best(model, seeds, question->seed_count, most, out);
    return count < most ? count : most;
}

/* In memory of its own: none of the evaluation's, which is bounded. */
static void note_question(struct relance_engine *e, const struct affinity_question *question)
{
    if (!e->question) e->question = or_fail(e, ARENA_NEW(&e->arena, struct noted_question));
    if (!e->question) return;
    e->question->asked = *question;
    if (!question->seeds) return;
    memcpy(e->question->seeds, question->seeds, question->seed_count * sizeof *question->seeds);
    e->question->asked.seeds = e->question->seeds;
}

struct cel_value affinity_call(struct relance_engine *e, uint32_t function, const struct cel_value *arguments)
{
    enum affinity_form form = (enum affinity_form)(function % AFFINITY_FORMS);
    struct affinity_question question = {.affinity = function / AFFINITY_FORMS};
    const struct affinity_rule *affinity = &e->set->affinities[question.affinity];
    struct relance_partner partners[RELANCE_MODEL_ANSWERS];
    str seeds[RELANCE_MODEL_EXCLUDED];
    struct cel_value failed;
    int64_t wanted = arguments[form == AFFINITY_POPULAR ? 0 : 1].as.i;
    if (wanted < 0)
        return cel_fail(&e->frame, CEL_ERROR_ARGUMENT, "%.*s() gives no negative number of products",
                        STR_ARG(affinity->name));
    if (!seeds_of(e, form, arguments[0], weighed_by(affinity), seeds, &question.seed_count, &failed))
        return failed;
    question.seeds = form == AFFINITY_POPULAR ? NULL : seeds;
    question.most = wanted < RELANCE_MODEL_ANSWERS ? (size_t)wanted : RELANCE_MODEL_ANSWERS;
    if (e->explaining) note_question(e, &question);
    if (!e->models[question.affinity]) return answer(e, NULL, 0);
    e->models_asked |= 1u << question.affinity;
    return answer(e, partners, affinity_answer(e, &question, partners));
}

str affinity_models(struct relance_engine *e)
{
    struct buffer out;
    buffer_init(&out, &e->scratch);
    for (uint32_t i = 0; i < e->set->affinity_count; i++) {
        if (!(e->models_asked & 1u << i) || !e->models[i]) continue;
        buffer_put_str(&out, out.size ? STR(",") : STR("{"));
        buffer_put_json_string(&out, e->set->affinities[i].name);
        buffer_put_format(&out, ":%llu", (unsigned long long)relance_model_about(e->models[i])->number);
    }
    if (out.size) buffer_put_char(&out, '}');
    e->failed |= out.failed;
    return buffer_str(&out);
}

/* ---- what a learner is given */

static void give_source(struct relance_engine *e, const struct affinity_source *source,
                        struct relance_given *given, relance_give *give, void *context)
{
    struct texts texts = {0};
    if (!condition_holds(e, source->condition) || !engine_evaluate_texts(e, source->by, &texts)) return;
    str *products = or_fail(e, arena_alloc(&e->scratch, (texts.count + 1) * sizeof *products));
    given->product_count = 0;
    for (size_t i = 0; products && i < texts.count; i++)
        if (texts.list[i].size) products[given->product_count++] = texts.list[i];
    given->products = products;
    given->weight = source->weight;
    if (given->product_count) give(context, given);
}

static void give_forget(struct relance_engine *e, const struct relance_fate *fate, relance_give *give,
                        void *context)
{
    for (size_t i = 0; i < e->set->affinity_count; i++)
        give(context, &(struct relance_given){.affinity = i,
                                              .customer = fate->customer,
                                              .is_visitor = fate->is_visitor,
                                              .time_ms = e->event.time_ms});
}

static void give_event(struct relance_engine *e, const struct relance_fate *fate, relance_give *give,
                       void *context)
{
    uint32_t type = e->event.type->number;
    for (size_t i = 0; i < e->set->affinity_count; i++) {
        const struct affinity_rule *affinity = &e->set->affinities[i];
        struct relance_given given = {.affinity = i,
                                      .customer = fate->customer,
                                      .is_visitor = fate->is_visitor,
                                      .time_ms = e->event.time_ms};
        for (size_t n = 0; n < affinity->source_count; n++)
            if (type_list_has(affinity->sources[n].on, type))
                give_source(e, &affinity->sources[n], &given, give, context);
    }
}

enum relance_progress relance_engine_give(struct relance_engine *e, const struct relance_record *record,
                                          struct relance_fate *fate, relance_give *give, void *context)
{
    if (e->failed || e->frame.stopped) return engine_done(e);
    if (!unfold_next(e, record, fate)) return engine_done(e);
    arena_reset(&e->scratch);
    if (!engine_read(e, record, fate)) return RELANCE_FAILED;
    bool learnt =
        fate->kind == RELANCE_IGNORED && e->event.type && e->set->types[e->event.type->number].learnt;
    if (fate->kind == RELANCE_IGNORED && e->event.type && e->event.type->number == e->set->forget)
        give_forget(e, fate, give, context);
    if (learnt) {
        fate->kind = RELANCE_EVENT;
        scope_set_envelope(e, fate->customer);
        give_event(e, fate, give, context);
    }
    if (!e->failed && !e->frame.stopped) unfold_advance(e, fate);
    return engine_done(e);
}
