/* Compiles a rule set, from files to something that runs:
 *
 *   gather (JSON, merge) -> declare (names, types, slots) -> compile (expressions) -> index (by event type)
 *
 * What lives on is in set->arena; all else dies with a scratch arena. A set with a mistake is no set. */
#include "rule/compile/compile.h"

#include "base/buffer.h"
#include "base/limits.h"
#include "base/report.h"
#include "mapping/build.h"
#include "state/pack.h"

#include <relance/ruleset.h>

/* ---- by event type: what an event of it sets off */

static bool list_append(struct compiler *c, struct type_list *list, uint32_t number, size_t bound)
{
    if (!list->types) list->types = ARENA_ARRAY(c->keep, uint32_t, bound);
    if (!list->types) return false;
    ((uint32_t *)list->types)[list->count++] = number;
    return true;
}

/* Items, each with a list of event types at `offset`. */
struct listed {
    const void *items;
    size_t size, count, offset;
};

static const struct type_list *listed_at(const struct listed *listed, size_t i)
{
    return (const struct type_list *)((const char *)listed->items + i * listed->size + listed->offset);
}

/* By type, the numbers of the items that list it, ascending: counted first, so that each list has the room it needs. */
static struct type_list *index_of(struct compiler *c, struct listed listed)
{
    size_t types = c->set->type_count;
    struct type_list *lists = ARENA_ARRAY(c->scratch, struct type_list, types + 1);
    size_t *bounds = ARENA_ARRAY(c->scratch, size_t, types + 1);
    if (!lists || !bounds) return NULL;
    for (size_t i = 0; i < listed.count; i++)
        for (size_t t = 0; t < listed_at(&listed, i)->count; t++)
            bounds[listed_at(&listed, i)->types[t]]++;
    for (uint32_t i = 0; i < listed.count; i++)
        for (size_t t = 0; t < listed_at(&listed, i)->count; t++) {
            uint32_t type = listed_at(&listed, i)->types[t];
            if (!list_append(c, &lists[type], i, bounds[type])) return NULL;
        }
    return lists;
}

static bool index_cancels(struct compiler *c, struct typed_event *type, struct type_list list)
{
    const struct cancel **cancels = ARENA_ARRAY(c->keep, const struct cancel *, list.count + 1);
    if (!cancels) return false;
    for (size_t i = 0; i < list.count; i++)
        cancels[i] = &c->set->cancels[list.types[i]];
    for (size_t i = 0; i < list.count; i++)
        type->cancels_keyed |= cancels[i]->key != NULL;
    type->cancels = cancels;
    type->cancel_count = list.count;
    return true;
}

/* `last.TYPE`: is it read, and which fields of it? */
static void index_last(struct compiler *c, struct typed_event *type)
{
    uint32_t *fields = ARENA_ARRAY(c->keep, uint32_t, type->reader->field_count + 1);
    if (!fields) {
        c->diag->failed = true;
        return;
    }
    type->remembered = c->read[last_presence_slot(type)];
    for (size_t i = 0; i < type->record->field_count; i++) {
        if (!c->read[last_field_slot(type, i)]) continue;
        type->remembered = true;
        if (i < ENVELOPE_COUNT) continue;
        fields[type->last_field_count++] = (uint32_t)(i - ENVELOPE_COUNT);
        c->read[c->set->slots.event + ENVELOPE_COUNT + type->fields[i - ENVELOPE_COUNT]] = true;
    }
    type->last_fields = fields;
    type->named |= type->remembered;
}

/* The fields that cancels read of the type: what is remembered of it against late triggers. */
static bool index_cancel_fields(struct compiler *c, struct typed_event *type)
{
    uint32_t *fields = ARENA_ARRAY(c->keep, uint32_t, type->reader->field_count + 1);
    if (!fields) return false;
    for (uint32_t f = 0; f < type->reader->field_count; f++) {
        uint32_t slot = c->set->slots.event + ENVELOPE_COUNT + type->fields[f];
        bool read = false;
        for (size_t i = 0; i < type->cancel_count && !read; i++)
            read = program_reads(type->cancels[i]->key, slot) ||
                   program_reads(program_of(type->cancels[i]->condition), slot);
        if (read) fields[type->cancel_field_count++] = f;
    }
    type->cancel_fields = fields;
    return true;
}

/* Of rules, counts and totals, by number. */
struct conditions {
    const struct noted_program **rules, **counts, **totals;
};

static bool list_conditions(struct compiler *c, struct conditions *out)
{
    const struct relance_ruleset *set = c->set;
#define CONDITIONS(items, number)                                                                            \
    out->items = ARENA_ARRAY(c->scratch, const struct noted_program *, set->number + 1);                     \
    for (size_t i = 0; out->items && i < set->number; i++)                                                   \
        out->items[i] = set->items[i].condition;
    CONDITIONS(rules, rule_count)
    CONDITIONS(counts, count_count)
    CONDITIONS(totals, total_count)
#undef CONDITIONS
    return out->rules && out->counts && out->totals;
}

static str packed_here(struct compiler *c, struct buffer *out)
{
    str packed = {0};
    if (out->failed || !arena_copy_str(c->keep, buffer_str(out), &packed)) c->diag->failed = true;
    out->size = 0;
    return packed;
}

/* What is the same in all events of a type that are stored. */
static bool index_packed(struct compiler *c, struct typed_event *type)
{
    struct buffer out;
    buffer_init(&out, c->scratch);
    pack_str(&out, STR("type")), pack_str(&out, type->reader->name), pack_str(&out, STR("time"));
    type->packed_type = packed_here(c, &out);
    str *names = ARENA_ARRAY(c->keep, str, type->reader->field_count + 1);
    for (size_t i = 0; names && i < type->reader->field_count; i++) {
        pack_str(&out, type->reader->fields[i].name);
        names[i] = packed_here(c, &out);
    }
    type->packed_names = names;
    return names;
}

static bool index_types(struct compiler *c)
{
    struct relance_ruleset *set = c->set;
#define LISTED(items, count, member) ((struct listed){set->items, sizeof *set->items, set->count, member})
    struct type_list *rules = index_of(c, LISTED(rules, rule_count, offsetof(struct rule, on)));
    struct type_list *goals = index_of(c, LISTED(rules, rule_count, offsetof(struct rule, goal.on)));
    struct type_list *counts = index_of(c, LISTED(counts, count_count, offsetof(struct count_rule, on)));
    struct type_list *attributes =
        index_of(c, LISTED(attributes, attribute_count, offsetof(struct attribute_rule, on)));
    struct type_list *lists = index_of(c, LISTED(lists, list_count, offsetof(struct list_rule, on)));
    struct type_list *totals = index_of(c, LISTED(totals, total_count, offsetof(struct total_rule, on)));
    struct type_list *cancels = index_of(c, LISTED(cancels, cancel_count, offsetof(struct cancel, on)));
    struct type_list *awaits = index_of(c, LISTED(awaits, await_count, offsetof(struct awaited, on)));
#undef LISTED
    struct conditions conditions;
    if (!rules || !goals || !counts || !attributes || !lists || !totals || !cancels || !awaits) return false;
    if (!list_conditions(c, &conditions)) return false;
    for (uint32_t i = 0; i < set->type_count; i++) {
        struct typed_event *type = &set->types[i];
        type->goals = goals[i];
        type->attributes = attributes[i];
        type->lists = lists[i];
        type->awaits = awaits[i];
        if (!index_cancels(c, type, cancels[i]) || !index_cancel_fields(c, type) || !index_packed(c, type))
            return false;
        if (!make_picking(c, rules[i], conditions.rules, &type->rules) ||
            !make_picking(c, counts[i], conditions.counts, &type->counts) ||
            !make_picking(c, totals[i], conditions.totals, &type->totals))
            return false;
    }
    return true;
}

/* Rules that no event triggers, by what does. */
static void index_rules(struct compiler *c)
{
    struct relance_ruleset *set = c->set;
    for (uint32_t i = 0; i < set->rule_count; i++) {
        const struct rule *rule = &set->rules[i];
        bool enters = false, leaves = false;
        for (size_t n = 0; n < rule->change_count; n++)
            *(rule->changes[n].enter ? &enters : &leaves) = true;
        if ((enters && !list_append(c, &set->entering, i, set->rule_count)) ||
            (leaves && !list_append(c, &set->leaving, i, set->rule_count)) ||
            (rule_is_dated(rule) && !list_append(c, &set->dated, i, set->rule_count)))
            c->diag->failed = true;
    }
}

/* NULL: the slot is neither an attribute's nor one of `last`. */
static struct state_readers *readers_of(struct relance_ruleset *set, uint32_t slot)
{
    if (slot >= set->slots.attributes && slot < set->slots.attributes + set->attribute_count)
        return &set->attributes[slot - set->slots.attributes].readers;
    for (size_t i = 0; i < set->type_count; i++) {
        struct typed_event *type = &set->types[i];
        if (slot >= type->last_slot && slot <= last_field_slot(type, type->record->field_count - 1))
            return &type->last_readers;
    }
    return NULL;
}

static void add_readers(struct relance_ruleset *set, const struct cel_program *program,
                        struct state_readers by)
{
    const uint32_t *slots;
    size_t count = cel_program_slots(program, &slots);
    for (size_t i = 0; i < count; i++) {
        struct state_readers *readers = readers_of(set, slots[i]);
        if (!readers) continue;
        readers->dates |= by.dates;
        readers->segments |= by.segments;
    }
}

/* What dates and segments read: they are asked again when it is written. Of segments all, since those that rules wait for
 * may read others. Each date depends on the customer's zone. */
static void index_readers(struct relance_ruleset *set)
{
    for (size_t i = 0; i < set->dated.count; i++)
        add_readers(set, set->rules[set->dated.types[i]].date, (struct state_readers){.dates = true});
    for (size_t i = 0; i < set->segment_count; i++)
        add_readers(set, set->segments[i].condition->program, (struct state_readers){.segments = true});
    if (set->tz_attribute != NAME_NONE) set->attributes[set->tz_attribute].readers.dates = true;
}

/* Counts on which segments depend that rules wait for: what leaves their windows has to be waited for. */
static void index_counts(struct compiler *c)
{
    struct relance_ruleset *set = c->set;
    for (size_t i = 0; i < set->segment_count; i++)
        for (size_t n = 0; n < set->count_count && set->segments[i].tracked; n++)
            set->counts[n].tracked |= set->segments[i].counts[n];
    for (uint32_t i = 0; i < set->count_count; i++)
        if (set->counts[i].tracked && !list_append(c, &set->tracked, i, set->count_count))
            c->diag->failed = true;
}

/* Windows of orders on which such segments depend, each once. */
static void index_windows(struct compiler *c)
{
    struct relance_ruleset *set = c->set;
    size_t bound = 1;
    for (size_t i = 0; i < set->segment_count; i++)
        bound += set->segments[i].window_count;
    int64_t *windows = ARENA_ARRAY(c->keep, int64_t, bound);
    if (!windows) c->diag->failed = true;
    set->windows = windows;
    for (size_t i = 0; windows && i < set->segment_count; i++)
        for (size_t n = 0; n < set->segments[i].window_count && set->segments[i].tracked; n++) {
            size_t at = 0;
            while (at < set->window_count && windows[at] != set->segments[i].windows[n])
                at++;
            windows[at] = set->segments[i].windows[n];
            set->window_count += at == set->window_count;
        }
}

/* Gives the event reader its slots: fields that nobody reads have none. */
static bool index_schema(struct compiler *c)
{
    struct relance_ruleset *set = c->set;
    struct event_type *types = ARENA_ARRAY(c->keep, struct event_type, set->type_count);
    if (!types) return false;
    for (size_t i = 0; i < set->type_count; i++) {
        struct typed_event *type = &set->types[i];
        struct event_field *fields = (struct event_field *)type->reader->fields;
        bool all = i == set->identify;
        for (size_t f = 0; f < type->reader->field_count; f++) {
            uint32_t slot = set->slots.event + ENVELOPE_COUNT + type->fields[f];
            if (all || ((type->named || type->learnt) && c->read[slot])) fields[f].slot = slot;
        }
        types[i] = *type->reader;
        types[i].keep_null = all;
        type->reader = &types[i];
    }
    set->schema = event_schema_new(c->keep, types, set->type_count);
    return set->schema != NULL;
}

/* ---- the whole */

static void compile_tz(struct compiler *c)
{
    struct relance_ruleset *set = c->set;
    const struct json *tz = c->files.tz.node;
    set->tz = tz ? tz->text : STR("UTC");
    set->zone = zone_find(set->zones, set->tz);
    if (!set->zone && tz)
        gather_error(c->diag, c->files.tz.source, tz, STR("use an IANA name, such as \"Europe/Paris\""),
                     "there is no time zone '%.*s'", STR_ARG(set->tz));
}

/* Which names of `let` are used, nobody asks of a finished set. */
static void forget_uses(struct relance_ruleset *set)
{
    set->lets.used = NULL;
    for (size_t i = 0; i < set->rule_count; i++)
        if (set->rules[i].lets) set->rules[i].lets->used = NULL;
}

static void compile_set(struct compiler *c)
{
    struct relance_ruleset *set = c->set;
    compile_tz(c);
    compile_holidays(c);
    compile_credit(c);
    declare_types(c);
    declare_events(c);
    declare_attributes(c);
    declare_counts(c);
    declare_lists(c);
    declare_affinities(c);
    declare_segments(c);
    declare_sales(c);
    declare_tables(c);
    declare_lets(c);
    if (c->diag->failed || !declare_slots(c)) {
        c->diag->failed = true;
        return;
    }
    compile_attributes(c);
    compile_counts(c);
    compile_lists(c);
    compile_affinities(c);
    compile_segments(c);
    compile_sales(c);
    compile_totals(c);
    compile_feedback(c);
    compile_limits(c);
    compile_rules(c);
    compile_tests(c);
    check_unused_lets(c, &set->lets);
    if (c->scopes.shared_fields > LIMIT_SHARED_FIELDS)
        diag_add(c->diag, SEVERITY_ERROR, (struct origin){0}, 0, 0, (str){0},
                 "the lists of event types of a rule set share at most %u fields; these share more",
                 LIMIT_SHARED_FIELDS);
    if (c->diag->failed) return;
    set->names.words = &set->words;
    if (!state_words_make(c->keep, &set->names, &set->words)) c->diag->failed = true;
    index_rules(c);
    if (!c->diag->error_count) index_readers(set);
    index_counts(c);
    index_windows(c);
    index_programs(c);
    for (size_t i = 0; i < set->type_count; i++)
        index_last(c, &set->types[i]);
    if (!index_types(c) || !index_schema(c)) c->diag->failed = true;
    if (!c->diag->error_count && !c->diag->failed) suspect_rules(c);
    forget_uses(set);
}

/* Names and texts of rule files into the set's arena: rules borrow from them. */
static struct source *copy_sources(struct arena *arena, const struct relance_source *sources, size_t count,
                                   size_t *copied)
{
    struct source *copies = ARENA_ARRAY(arena, struct source, count + 1);
    *copied = 0;
    for (size_t i = 0; copies && i < count; i++) {
        if (sources[i].kind != RELANCE_RULES) continue;
        struct source *copy = &copies[(*copied)++];
        copy->order = i;
        if (!arena_copy_str(arena, sources[i].name, &copy->name) ||
            !arena_copy_str(arena, sources[i].text, &copy->text))
            return NULL;
    }
    return copies;
}

struct sources {
    const struct relance_source *items;
    size_t count;
};

static const struct relance_source *find_source(const struct sources *sources, enum relance_source_kind kind,
                                                str name)
{
    for (size_t i = 0; i < sources->count; i++)
        if (sources->items[i].kind == kind && (!name.data || str_equal(sources->items[i].name, name)))
            return &sources->items[i];
    return NULL;
}

static bool find_preset(void *context, str name, str *text)
{
    const struct relance_source *preset = find_source(context, RELANCE_PRESET, name);
    if (preset) *text = preset->text;
    return preset;
}

static void compile_mapping(struct compiler *c, struct sources *sources, relance_zone_load *zone_load,
                            void *zone_context)
{
    const struct relance_source *mapping = find_source(sources, RELANCE_MAPPING, (str){0});
    const struct relance_mapping_host host = {find_preset, sources, zone_load, zone_context};
    if (mapping) c->set->mapping = mapping_build(mapping, &host, c->diag);
    if (!c->set->mapping || c->diag->error_count || c->diag->failed) return;
    compare_mapping(c);
    narrow_mapping(c);
}

static struct relance_ruleset *ruleset_new(relance_zone_load *zone_load, void *zone_context)
{
    struct arena arena;
    arena_init(&arena, 0);
    struct relance_ruleset *set = ARENA_NEW(&arena, struct relance_ruleset);
    if (!set) return NULL;
    set->zones = zones_new(zone_load, zone_context);
    set->arena = arena;
    if (set->zones) return set;
    arena_free(&arena);
    return NULL;
}

static void refuse_nothing(struct compiler *c, size_t count)
{
    if (count == 0)
        diag_add(c->diag, SEVERITY_ERROR, (struct origin){0}, 0, 0, (str){0},
                 "there is no rule file (*.json or *.jsonc) here");
}

/* Rules travel as a whole. (A single file that is too large is told where it is read.) */
static void refuse_too_much(struct compiler *c, const struct source *sources, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bool alone = sources[i].text.size > LIMIT_RULE_SET_BYTES, before = bytes > LIMIT_RULE_SET_BYTES;
        bytes += alone ? 0 : sources[i].text.size;
        if (!before && bytes > LIMIT_RULE_SET_BYTES)
            diag_add(c->diag, SEVERITY_ERROR, (struct origin){.source = &sources[i]}, 0, 0, (str){0},
                     "with this file the rule set has %zu bytes; all rule files together may have %u", bytes,
                     LIMIT_RULE_SET_BYTES);
    }
}

enum relance_status relance_ruleset_compile(const struct relance_source *sources, size_t count,
                                            relance_zone_load *zone_load, void *zone_context,
                                            struct relance_ruleset **out, struct relance_report **report,
                                            struct relance_error *error)
{
    return relance_ruleset_check(sources, count, zone_load, zone_context, false, out, report, error);
}

enum relance_status relance_ruleset_check(const struct relance_source *sources, size_t count,
                                          relance_zone_load *zone_load, void *zone_context, bool strict,
                                          struct relance_ruleset **out, struct relance_report **report,
                                          struct relance_error *error)
{
    struct arena scratch, place, work;
    struct diagnostics diag;
    *report = NULL;
    struct relance_ruleset *set = ruleset_new(zone_load, zone_context);
    if (!set) return relance_error_set(error, RELANCE_NO_MEMORY, "out of memory for the rule set");
    arena_init(&scratch, 0);
    arena_init(&place, 0);
    arena_init(&work, 0);
    diag_init(&diag, &scratch);
    struct compiler c = {.set = set,
                         .keep = &set->arena,
                         .scratch = &scratch,
                         .place = &place,
                         .work = &work,
                         .diag = &diag,
                         .strict = strict};
    scopes_init(&c.scopes, set, c.keep, &scratch);
    c.scopes.budget.patterns = LIMIT_PATTERNS;
    struct sources all = {sources, count};
    size_t rule_files;
    struct source *copies = copy_sources(&set->arena, sources, count, &rule_files);
    if (copies) {
        refuse_nothing(&c, rule_files);
        refuse_too_much(&c, copies, rule_files);
        gather_sources(c.keep, copies, rule_files, &c.files, &diag); /* names and texts in it are borrowed */
        compile_set(&c);
        compile_mapping(&c, &all, zone_load, zone_context);
    }
    diag.failed |= !copies;
    diag_sort(&diag);
    *report = report_new(&diag);
    size_t errors = diag.error_count;
    bool failed = diag.failed || !*report;
    arena_free(&work);
    arena_free(&place);
    arena_free(&scratch);
    if (!errors && !failed) {
        *out = set;
        return RELANCE_OK;
    }
    relance_ruleset_free(set);
    if (failed) return relance_error_set(error, RELANCE_NO_MEMORY, "out of memory for the rule set");
    return relance_error_set(error, RELANCE_INVALID, "the rule set has %zu mistake%s", errors,
                             errors == 1 ? "" : "s");
}

void relance_ruleset_free(struct relance_ruleset *rules)
{
    if (!rules) return;
    relance_mapping_free(rules->mapping);
    zones_free(rules->zones);
    struct arena arena = rules->arena; /* the set lives in its own arena */
    arena_free(&arena);
}

struct relance_mapping *relance_ruleset_mapping(const struct relance_ruleset *rules)
{
    return rules->mapping;
}

bool relance_ruleset_reads_headers(const struct relance_ruleset *rules)
{
    return rules->mapping && relance_mapping_reads_headers(rules->mapping);
}

size_t relance_ruleset_rule_count(const struct relance_ruleset *rules)
{
    return rules->rule_count;
}

struct relance_str relance_ruleset_rule_name(const struct relance_ruleset *rules, size_t at)
{
    return rules->rules[at].name;
}
