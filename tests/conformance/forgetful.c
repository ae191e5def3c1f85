/* forgetful [--manner all|none|some=SEED] [--marks | --actions | --decisions | --sums] [--lateness D] [--until D|INSTANT] [--wall INSTANT] RULES EVENTS
 *
 * `relance replay`, by an engine that does not keep what it knows. After each line of EVENTS it keeps
 *
 *     all    of it: the engine of `relance replay`
 *     none   of it: every state that has changed is written to MessagePack, all are dropped, and each is read back
 *            when it is wanted
 *     some   of it, by chance: written or not, a part of what is written dropped or put to rest, now and then another engine
 *
 * and prints the same lines. On the way every state that is written is also read and written again, which gives
 * the same bytes; where it does not, that is said and the program fails. With --marks each record is followed by
 * a line {"record":LINE,"fate":…}, so that a reader knows which decisions an event has brought about. With --actions
 * the lines are what an engine would publish, with --decisions what it would publish of all decisions; with --sums, what has
 * been added up in the end: "ALL customers.1 17". */
#include "replay.h"

#include "rule/set.h"

#include <relance/affinity.h>
#include <relance/model.h>

struct forgetful {
    enum keeping { KEEP_ALL, KEEP_NONE, KEEP_SOME } keeping;
    unsigned seed;
    bool marks, sums;
    struct replay replay;
    const struct relance_ruleset *rules;
    struct pool pool;
    size_t states; /* written */
};

/* ---- load(save(s)) is s */

/* The state when it has been at rest. */
static struct state *rested(struct forgetful *f, struct state *state, struct arena *arena)
{
    struct state_names by_number = f->rules->names;
    struct buffer packed;
    by_number.numbered = true;
    buffer_init(&packed, arena);
    state_save(state, &by_number, &packed);
    state_release(&f->pool, state);
    return state_load(&f->pool, &by_number, NULL, buffer_str(&packed));
}

static void check_change(void *context, const struct relance_change *change)
{
    struct forgetful *f = context;
    struct arena arena;
    struct buffer again;
    if (!change->state.size) return;
    arena_init(&arena, 0);
    buffer_init(&again, &arena);
    struct state *state = state_load(&f->pool, &f->rules->names, NULL, change->state);
    if (state) state = rested(f, state, &arena);
    if (state) state_save(state, &f->rules->names, &again);
    if (!state || !str_equal(buffer_str(&again), change->state)) {
        fprintf(stderr, "forgetful: the state of customer '%.*s' %s\n", STR_ARG(change->customer),
                state ? "is another one when it has been read and written" : "cannot be read");
        exit(1);
    }
    state_release(&f->pool, state);
    arena_free(&arena);
    f->states++;
}

/* ---- between two lines */

static void mark(struct rig *rig)
{
    static const char *const fates[RELANCE_FATES] = {
        [RELANCE_EVENT] = "event", [RELANCE_DUPLICATE] = "duplicate", [RELANCE_IGNORED] = "ignored",
        [RELANCE_DEAD] = "dead",   [RELANCE_NOTHING] = "nothing",
    };
    buffer_put_format(&rig->lines, "{\"record\":%lld,\"fate\":\"%s\"}\n", (long long)rig->offset - 1,
                      fates[rig->fate.kind]);
}

static unsigned draw(struct forgetful *f, unsigned below)
{
    f->seed = f->seed * 1664525 + 1013904223;
    return (f->seed >> 16) % below;
}

static void evict_some(struct forgetful *f, struct rig *rig)
{
    relance_engine_evict(rig->engine, relance_engine_size(rig->engine).bytes * draw(f, 8) / 8);
}

/* Of what is saved all states, or those that have not been used since the last time. */
static void put_to_rest(struct forgetful *f, struct rig *rig)
{
    rig_checkpoint(rig);
    for (unsigned rounds = 1 + draw(f, 2); rounds > 0; rounds--)
        while (relance_engine_rest(rig->engine, 1 + draw(f, 3)) == RELANCE_REST_MORE) {
        }
}

static void forget_some(struct forgetful *f, struct rig *rig)
{
    switch (draw(f, 12)) {
    case 0: return;
    case 1: rig_checkpoint(rig); return;
    case 2: rig_restart(rig); return;
    case 3: evict_some(f, rig); return; /* what has changed stays */
    case 4:
    case 5:
        rig_checkpoint(rig);
        evict_some(f, rig);
        return;
    case 6:
    case 7:
    case 8:
    case 9: put_to_rest(f, rig); return;
    default: rig_forget(rig);
    }
}

/* What is published says which versions were asked: so there is one of each affinity, from the second line on. */
static void learn(struct rig *rig, const struct relance_ruleset *rules)
{
    static const str popular[] = {STR("mug")};
    const struct relance_model_list lists[] = {{STR("*"), popular, 1}};
    for (size_t i = 0; i < relance_ruleset_affinity_count(rules); i++) {
        const struct relance_model_head head = {.number = 17,
                                                .recipe = relance_ruleset_affinity_recipe(rules, i)};
        struct relance_model *model = relance_model_of_lists(lists, 1, &head);
        ensure(model);
        relance_engine_set_model(rig->engine, relance_ruleset_affinity_name(rules, i), model);
        relance_model_release(model);
    }
}

static void between(void *context, struct rig *rig, bool record)
{
    struct forgetful *f = context;
    if (record && f->marks) mark(rig);
    if (f->replay.actions || f->replay.bodies) learn(rig, f->rules);
    if (f->keeping == KEEP_ALL) return;
    ensure(relance_engine_changes(rig->engine, check_change, f) == RELANCE_OK);
    if (f->keeping == KEEP_NONE)
        rig_forget(rig);
    else
        forget_some(f, rig);
}

static void print_sums(const struct rig *rig)
{
    for (uint32_t i = 0; i < rig->sum_names.count; i++)
        if (rig->sums[i]) printf("%.*s %lld\n", STR_ARG(rig->sum_names.list[i]), (long long)rig->sums[i]);
}

/* ---- words */

static bool read_manner(struct forgetful *f, str word)
{
    if (str_equal(word, STR("all")))
        f->keeping = KEEP_ALL;
    else if (str_equal(word, STR("none")))
        f->keeping = KEEP_NONE;
    else if (str_starts_with(word, STR("some=")))
        f->keeping = KEEP_SOME, f->seed = (unsigned)strtoul(word.data + 5, NULL, 10);
    else
        return false;
    return true;
}

static bool read_words(struct forgetful *f, int argc, char **argv, struct arena *arena)
{
    int at = 1;
    while (at < argc - 2) {
        str name = str_of(argv[at++]);
        bool ok = true;
        if (str_equal(name, STR("--marks")))
            f->marks = true;
        else if (str_equal(name, STR("--sums")))
            f->sums = true;
        else if (str_equal(name, STR("--actions")))
            f->replay.actions = true;
        else if (str_equal(name, STR("--decisions")))
            f->replay.bodies = true;
        else if (str_equal(name, STR("--manner")))
            ok = read_manner(f, str_of(argv[at++]));
        else
            ok = replay_option(&f->replay, name, str_of(argv[at++]));
        if (!ok) return false;
    }
    if (at != argc - 2) return false;
    f->replay.rules = suite_file(arena, argv[at]);
    f->replay.events = suite_file(arena, argv[at + 1]);
    return f->replay.rules.data && f->replay.events.data;
}

int main(int argc, char **argv)
{
    struct arena arena;
    struct rig rig;
    struct forgetful f = {.replay = REPLAY_NONE};
    arena_init(&arena, 0);
    pool_init(&f.pool);
    if (!read_words(&f, argc, argv, &arena)) {
        fputs("usage: forgetful [--manner all|none|some=SEED] [--marks | --actions | --decisions | --sums]\n"
              "                 [--lateness D] [--until D|INSTANT] [--wall INSTANT] RULES EVENTS\n",
              stderr);
        return 2;
    }
    struct relance_ruleset *rules = rig_rules(&arena, f.replay.rules);
    if (!rules) return 1;
    f.rules = rules;
    replay_run(&rig, rules, &f.replay, between, &f);
    if (f.sums) print_sums(&rig);
    if (rig.lines.size && !f.sums) fwrite(rig.lines.data, 1, rig.lines.size, stdout);
    if (f.keeping != KEEP_ALL) fprintf(stderr, "%zu states written, %zu fetched\n", f.states, rig.needed);
    rig_end(&rig);
    relance_ruleset_free(rules);
    pool_free_all(&f.pool);
    arena_free(&arena);
    return 0;
}
