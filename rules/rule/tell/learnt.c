/* Explaining what was asked of what has been learnt: the version that answered, what it answered, and what became of that
 * (relance/explain.h). The questions are asked again, in the scope in which the decision was made; nothing that decides is touched. */
#include "rule/run/explain.h"

#include "base/buffer.h"
#include "base/rfc3339.h"
#include "cel/picks.h"
#include "rule/compile/compile.h"
#include "rule/tell/telling.h"

#include <relance/model.h>

enum {
    BEYOND = 5, /* so many are told of that stand behind those that were asked for */
    SHOWN = 5,  /* in a sentence */
    REASONS = 3,
};

/* Does it ask any affinity? */
static bool asks(const struct relance_engine *e, const struct noted_program *noted)
{
    const uint32_t *functions;
    size_t count = noted ? cel_program_functions(noted->program, &functions) : 0;
    return count && functions[count - 1] >= first_affinity_function(e->set);
}

/* Of the question that has just been asked: as it was, in scratch. */
static void *keep_question(void *context)
{
    struct relance_engine *e = context;
    const struct noted_question *question = e->question;
    struct affinity_question *kept = or_fail(e, ARENA_NEW(&e->scratch, struct affinity_question));
    if (!kept || !question) return NULL;
    *kept = question->asked;
    if (!kept->seeds) return kept;
    kept->seeds =
        or_fail(e, arena_copy(&e->scratch, question->seeds, (kept->seed_count + 1) * sizeof *kept->seeds));
    return kept->seeds ? kept : NULL;
}

/* ---- answers */

static bool is_counted(const struct relance_model *model)
{
    return relance_model_about(model)->chain;
}

static double weight_of(const struct relance_model *model, const struct affinity_question *question,
                        const struct relance_partner *all, size_t at)
{
    if (!is_counted(model)) return 0;
    double whole = question->seeds ? (double)RELANCE_MODEL_WHOLE : (double)all[0].weight;
    if (question->seed_count > 1) whole *= RELANCE_MODEL_SHARES;
    return whole > 0 ? (double)all[at].weight / whole : 0;
}

/* What was given goes on with what became of it; what stands behind it was not asked for. */
static void list_one(struct relance_engine *e, const struct affinity_question *question,
                     const struct cel_picks *picks, size_t at, struct relance_listed *out)
{
    bool is_given = at < picks->list->count;
    const struct cel_pick *pick = is_given ? &picks->picks[at] : NULL;
    out->is_taken = is_given && picks->is_taken && !pick->why.size;
    if (is_given && (pick->by_value || !pick->why.size))
        out->why = pick->why;
    else if (is_given)
        out->why = arena_format(&e->scratch, "left out by %.*s", STR_ARG(pick->why));
    else
        out->why = arena_format(&e->scratch, "beyond the %zu that were asked for", question->most);
}

static void list_answer(struct relance_engine *e, const struct affinity_question *question,
                        const struct cel_picks *picks, struct relance_learnt *learnt)
{
    const struct relance_model *model = e->models[question->affinity];
    struct relance_partner partners[RELANCE_MODEL_ANSWERS];
    struct affinity_question more = *question;
    more.most += BEYOND;
    size_t count = model ? affinity_answer(e, &more, partners) : 0;
    struct relance_listed *listed = or_fail(e, ARENA_ARRAY(&e->scratch, struct relance_listed, count + 1));
    for (size_t i = 0; listed && i < count; i++) {
        listed[i].product = partners[i].product;
        listed[i].weight = weight_of(model, question, partners, i);
        list_one(e, question, picks, i, &listed[i]);
    }
    learnt->listed = listed;
    learnt->listed_count = listed ? count : 0;
}

static struct relance_learnt learnt_of(struct relance_engine *e, const struct cel_picks *picks)
{
    const struct affinity_question *question = picks->tag;
    const struct relance_model *model = e->models[question->affinity];
    struct relance_learnt learnt = {.affinity = e->set->affinities[question->affinity].name,
                                    .version = model ? relance_model_about(model) : NULL,
                                    .asked = question->seeds,
                                    .asked_count = question->seed_count,
                                    .most = (int64_t)question->most};
    list_answer(e, question, picks, &learnt);
    return learnt;
}

/* ---- all questions of a step */

struct asked_list {
    struct relance_learnt *items;
    size_t count, capacity;
};

static bool is_same(const struct relance_learnt *a, const struct relance_learnt *b)
{
    bool same = str_equal(a->affinity, b->affinity) && a->most == b->most && !a->asked == !b->asked &&
                a->asked_count == b->asked_count && a->listed_count == b->listed_count;
    for (size_t i = 0; same && i < a->asked_count; i++)
        same = str_equal(a->asked[i], b->asked[i]);
    return same;
}

/* The same question once more, whose answer is the same: what is taken anywhere is taken, and what a payload has left out tells more
 * than what a condition before it has. */
static void merge_asked(struct relance_learnt *into, const struct relance_learnt *learnt)
{
    for (size_t i = 0; i < into->listed_count; i++) {
        struct relance_listed *one = &into->listed[i];
        const struct relance_listed *other = &learnt->listed[i];
        if (other->is_taken || (!one->is_taken && other->why.size)) *one = *other;
    }
}

static void put_asked(struct relance_engine *e, struct asked_list *list, const struct relance_learnt *learnt)
{
    for (size_t i = 0; i < list->count; i++) {
        if (!is_same(&list->items[i], learnt)) continue;
        merge_asked(&list->items[i], learnt);
        return;
    }
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 4;
        struct relance_learnt *items = or_fail(e, ARENA_ARRAY(&e->scratch, struct relance_learnt, capacity));
        if (!items) return;
        if (list->count) memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = *learnt;
}

/* `shown`: what it comes to is sent; else it is a condition, which only says something of the products. */
static void ask_again(struct relance_engine *e, const struct noted_program *noted, bool shown,
                      struct asked_list *list)
{
    struct scopes *scopes = asks(e, noted) ? explain_scopes(e) : NULL;
    struct cel_picking picking = {
        .first = first_affinity_function(e->set), .tag = keep_question, .context = e};
    struct cel_picks *picks = NULL;
    if (!scopes) return;
    picking.env = scope_env_again(scopes, noted, &e->scratch);
    picking.text = noted->text;
    if (!picking.env || !cel_picks_find(&e->scratch, &picking, &e->frame, &picks)) e->failed = true;
    for (; picks && !e->failed; picks = picks->next) {
        picks->is_taken &= shown;
        struct relance_learnt learnt = learnt_of(e, picks);
        put_asked(e, list, &learnt);
    }
}

void explain_learnt(struct relance_engine *e, const struct step *step, struct relance_decision *decision)
{
    struct asked_list list = {0};
    uint32_t asked = e->models_asked;
    ask_again(e, e->rule->while_true, false, &list);
    ask_again(e, step->condition, false, &list);
    for (size_t i = 0; i < step->with.count; i++)
        if (step->with.pieces[i].program)
            ask_again(e, set_noted(e->set, step->with.pieces[i].program), true, &list);
    e->models_asked = asked;
    decision->learnt = list.items;
    decision->learnt_count = list.count;
}

/* ---- in a sentence */

static void put_weight(const struct relance_listed *one, struct buffer *out)
{
    if (one->weight >= 1e-5)
        buffer_put_format(out, " %.3g", 100 * one->weight);
    else if (one->weight > 0)
        buffer_put_str(out, STR(" under 0.001"));
}

static void put_answer(const struct relance_learnt *learnt, struct buffer *out)
{
    buffer_put_str(out, STR(" ("));
    for (size_t i = 0; i < learnt->asked_count && i < SHOWN; i++)
        buffer_put_format(out, "%s%.*s", i ? ", " : "", STR_ARG(learnt->asked[i]));
    buffer_put_str(out, learnt->asked_count > SHOWN ? STR(", …: ")
                        : learnt->asked             ? STR(": ")
                                                    : STR("the most popular: "));
    if (!learnt->listed_count) buffer_put_str(out, STR("nothing"));
    for (size_t i = 0; i < learnt->listed_count && i < SHOWN; i++) {
        buffer_put_format(out, "%s%.*s", i ? ", " : "", STR_ARG(learnt->listed[i].product));
        put_weight(&learnt->listed[i], out);
    }
    buffer_put_str(out, learnt->listed_count > SHOWN ? STR(", …)") : STR(")"));
}

static void put_learnt(const struct relance_learnt *learnt, struct buffer *out)
{
    char at[RFC3339_MS_SIZE];
    size_t told = 0;
    buffer_put_format(out, "; %.*s ", STR_ARG(learnt->affinity));
    if (!learnt->version) {
        buffer_put_str(out, STR("has no version"));
        return;
    }
    rfc3339_print_ms(learnt->version->at_ms, at);
    buffer_put_format(out, "version %llu of %.16sZ", (unsigned long long)learnt->version->number, at);
    put_answer(learnt, out);
    for (size_t i = 0; i < learnt->listed_count && told < REASONS; i++) {
        const struct relance_listed *one = &learnt->listed[i];
        if (!one->why.size || i >= (size_t)learnt->most) continue;
        buffer_put_format(out, ", without %.*s: %.*s", STR_ARG(one->product), STR_ARG(one->why));
        told++;
    }
}

void explain_questions(struct relance_engine *e, const struct noted_program *condition,
                       const struct cel_env *env, struct arena *arena, struct buffer *out)
{
    const struct cel_picking picking = {.env = env,
                                        .text = condition->text,
                                        .first = first_affinity_function(e->set),
                                        .tag = keep_question,
                                        .context = e};
    struct cel_picks *picks = NULL;
    uint32_t asked = e->models_asked;
    if (!asks(e, condition)) return;
    if (!cel_picks_find(arena, &picking, &e->frame, &picks)) e->failed = true;
    for (; picks && !e->failed; picks = picks->next) {
        struct relance_learnt learnt = learnt_of(e, picks);
        put_learnt(&learnt, out);
    }
    e->models_asked = asked;
}
