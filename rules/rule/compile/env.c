/* Which names an expression may use, by the place in which it stands, and the slots behind them.
 *
 * What many places have is one environment, made when the first of them comes: customer, counts, `last` and so on; a
 * place adds its `event`, `trigger` and `run`. What a list of event types shares is found once, too. So the work for a
 * place does not grow with the set. */
#include "rule/compile/compile.h"

#include "base/buffer.h"
#include "base/duration.h"
#include "base/limits.h"

#include <stdlib.h>

/* The variables that not every place has. */
static const struct {
    unsigned flag;
    str name;
} partial_names[] = {
    {SCOPE_EVENT, STR("event")},   {SCOPE_TRIGGER, STR("trigger")},   {SCOPE_TRIGGERS, STR("triggers")},
    {SCOPE_ANSWER, STR("answer")}, {SCOPE_RUN, STR("run")},           {SCOPE_RULE, STR("rule")},
    {SCOPE_LAST, STR("last")},     {SCOPE_SEGMENTS, STR("segments")}, {SCOPE_NOW, STR("now")},
};

enum { PARTIAL_NAMES = sizeof partial_names / sizeof *partial_names };

bool scope_is_variable(str name)
{
    for (size_t i = 0; i < PARTIAL_NAMES; i++)
        if (str_equal(name, partial_names[i].name)) return true;
    return str_equal(name, STR("customer")) || str_equal(name, STR("tables"));
}

/* The functions of host.def. */
enum host_type {
    HOST_TYPE_NONE,
    HOST_TYPE_STRING,
    HOST_TYPE_INT,
    HOST_TYPE_WRITTEN,
    HOST_TYPE_DOUBLE,
    HOST_TYPE_GAP
};
enum host_of { HOST_OF_ALL, HOST_OF_SALES };

static const struct cel_type gap_type = {.kind = CEL_TYPE_OPTIONAL,
                                         .params = {&cel_types[CEL_TYPE_DURATION]}};
static const struct cel_type *const host_types[] = {[HOST_TYPE_STRING] = &cel_types[CEL_TYPE_STRING],
                                                    [HOST_TYPE_INT] = &cel_types[CEL_TYPE_INT],
                                                    [HOST_TYPE_WRITTEN] = &cel_types[CEL_TYPE_STRING],
                                                    [HOST_TYPE_DOUBLE] = &cel_types[CEL_TYPE_DOUBLE],
                                                    [HOST_TYPE_GAP] = &gap_type};

static const struct host_row {
    str name;
    enum host_type first, second, result;
    enum host_of of_sales;
} host_rows[HOSTS] = {
#define HOST(ENUM, name, first, second, result, of, form, prose)                                             \
    {STR(name), HOST_TYPE_##first, HOST_TYPE_##second, HOST_TYPE_##result, HOST_OF_##of},
#include "rule/host.def"
#undef HOST
};

bool scope_is_of_sales(str name)
{
    for (size_t i = 0; i < HOSTS; i++)
        if (host_rows[i].of_sales && str_equal(host_rows[i].name, name)) return true;
    return false;
}

/* "customer, event, counts": what a place has instead of what was named. */
static str known_names(const struct scopes *s, struct arena *arena, unsigned flags)
{
    struct buffer text;
    buffer_init(&text, arena);
    if (!(flags & SCOPE_BARE)) buffer_put_str(&text, STR("customer"));
    for (size_t i = 0; i < PARTIAL_NAMES; i++)
        if (flags & partial_names[i].flag)
            buffer_put_format(&text, "%s%.*s", text.size ? ", " : "", STR_ARG(partial_names[i].name));
    if (s->set->table_count) buffer_put_str(&text, STR(", tables"));
    if (flags & SCOPE_COUNTS && s->set->count_count) buffer_put_str(&text, STR(", counts"));
    return text.failed ? (str){0} : buffer_str(&text);
}

/* What an environment was made of. */
struct place {
    struct scopes *scopes;
    struct scope_names names;
    const char *where;
};

/* What is called where counts are, and in a segment not: its value changes with time, or with what has been learnt. */
enum { SCOPE_CALLS = SCOPE_COUNTS | SCOPE_NOW };

/* Is it a count, a list, an affinity? As messages begin; `wanted` is where it can be called. NULL: none of them. */
static const char *called_as(const struct relance_ruleset *set, str name, unsigned *wanted)
{
    const char *called = names_find(&set->names.counts, name) != NAME_NONE     ? "count "
                         : names_find(&set->names.lists, name) != NAME_NONE    ? "list "
                         : names_find(&set->affinity_names, name) != NAME_NONE ? "affinity "
                         : scope_is_of_sales(name)                             ? ""
                                                                               : NULL;
    if (called) *wanted = *called == 'l' || *called == 'a' ? SCOPE_CALLS : SCOPE_COUNTS;
    return called;
}

/* The customer, and what is asked of one, where only the event is there. */
static bool is_customers(str name)
{
    return str_equal(name, STR("customer")) || str_equal(name, STR("bucket"));
}

/* What exists in rules, but not in this place. */
static bool refuse(void *context, struct arena *arena, str name, str *message)
{
    const struct place *place = context;
    const struct relance_ruleset *set = place->scopes->set;
    unsigned flags = place->names.flags, wanted = 0;
    for (size_t i = 0; i < PARTIAL_NAMES; i++)
        if (str_equal(partial_names[i].name, name)) wanted = partial_names[i].flag;
    const char *called = wanted ? NULL : called_as(set, name, &wanted);
    if (called && !*called && !set->sales) {
        *message =
            arena_format(arena, "'%.*s' needs 'sales', which says which events are orders", STR_ARG(name));
        return message->size;
    }
    bool bare = flags & SCOPE_BARE && is_customers(name);
    if (!bare && (!wanted || (flags & wanted) == wanted)) return true;
    bool meant = wanted == SCOPE_EVENT && flags & SCOPE_TRIGGER;
    str known = known_names(place->scopes, arena, flags);
    bool early = wanted == SCOPE_ANSWER && flags & SCOPE_RUN;
    bool timeless = wanted == SCOPE_NOW && flags & SCOPE_COUNTS; /* a segment */
    *message =
        arena_format(arena, "%s'%.*s' %s in %s; known there: %.*s%s", called ? called : "", STR_ARG(name),
                     called ? "cannot be called" : "is not known", place->where, STR_ARG(known),
                     meant                ? " ('trigger' is the event that started the run)"
                     : early              ? " ('answer' is the event that the 'wait' before a step got)"
                     : timeless           ? " (how long ago something was is said by a count with 'over')"
                     : flags & SCOPE_BARE ? " (what goes with what is learnt from events alone)"
                                          : "");
    return known.size && message->size;
}

/* ---- what lists of event types share */

/* Of a trigger that is no event. */
static const struct cel_field bare_fields[] = {{STR("type"), &cel_types[CEL_TYPE_STRING]},
                                               {STR("time"), &cel_types[CEL_TYPE_TIMESTAMP]}};
static const struct cel_record_type bare_record = {STR("trigger"), 2, bare_fields, NULL};
static const uint32_t bare_offsets[] = {ENVELOPE_TYPE, ENVELOPE_TIME};

static uint32_t offset_of(const struct typed_event *type, size_t field)
{
    return field < ENVELOPE_COUNT ? (uint32_t)field : ENVELOPE_COUNT + type->fields[field - ENVELOPE_COUNT];
}

/* By number of a field: how many types of the list have it, as far as they have all had it so far. */
static bool count_shared(struct scopes *s, struct type_list on)
{
    if (!s->shares) s->shares = ARENA_ARRAY(s->arena, uint32_t, s->set->field_count + 1);
    if (!s->shares) return false;
    for (size_t t = 0; t < on.count; t++) {
        const struct typed_event *type = &s->set->types[on.types[t]];
        for (size_t i = 0; i < type->reader->field_count; i++) {
            uint32_t *count = &s->shares[type->fields[i]];
            if (t == 0) *count = 0;
            if (*count == t) *count = (uint32_t)t + 1;
        }
    }
    return true;
}

/* "view or click" */
static str name_of_several(struct scopes *s, struct type_list on)
{
    enum { NAMED = 3 };
    struct buffer text;
    buffer_init(&text, s->keep);
    for (size_t i = 0; i < on.count && i < NAMED; i++)
        buffer_put_format(&text, "%s%.*s", i ? " or " : "", STR_ARG(s->set->types[on.types[i]].reader->name));
    if (on.count > NAMED) buffer_put_str(&text, STR(" or …"));
    s->failed |= text.failed;
    return buffer_str(&text);
}

/* The record of what several types share: envelope first, then the fields that all of them have. */
static const struct cel_record_type *record_of_several(struct scopes *s, struct type_list on,
                                                       uint32_t *offsets)
{
    const struct typed_event *first = &s->set->types[on.types[0]];
    struct cel_record_type *record = ARENA_NEW(s->keep, struct cel_record_type);
    struct cel_field *fields = s->shared;
    if (!record || !count_shared(s, on)) return NULL;
    *record = (struct cel_record_type){.name = name_of_several(s, on)};
    size_t count = s->shared_fields <= LIMIT_SHARED_FIELDS ? first->record->field_count : ENVELOPE_COUNT;
    for (size_t i = 0; i < count; i++) {
        uint32_t offset = offset_of(first, i);
        if (i >= ENVELOPE_COUNT && s->shares[offset - ENVELOPE_COUNT] != on.count) continue;
        offsets[record->field_count] = offset;
        fields[record->field_count++] = first->record->fields[i];
    }
    record->fields = arena_copy(s->keep, fields, record->field_count * sizeof *fields);
    return record->fields && cel_record_index(s->keep, record) ? record : NULL;
}

static const struct cel_record_type *record_of_one(const struct scopes *s, uint32_t number, uint32_t *offsets)
{
    const struct typed_event *type = &s->set->types[number];
    for (size_t i = 0; i < type->record->field_count; i++)
        offsets[i] = offset_of(type, i);
    return type->record;
}

static const uint32_t *slots_from(struct scopes *s, uint32_t base, const struct scope_block *block)
{
    uint32_t *slots = ARENA_ARRAY(s->arena, uint32_t, block->record->field_count);
    for (size_t i = 0; slots && i < block->record->field_count; i++)
        slots[i] = base + block->offsets[i];
    return slots;
}

/* The numbers of the declared fields in it, ascending. */
static bool block_numbers(struct scopes *s, struct scope_block *block)
{
    size_t bound = block->record->field_count;
    uint32_t *numbers = ARENA_ARRAY(s->keep, uint32_t, bound);
    if (!numbers) return false;
    for (size_t i = 0; i < bound; i++)
        if (block->offsets[i] >= ENVELOPE_COUNT)
            numbers[block->fields.count++] = block->offsets[i] - ENVELOPE_COUNT;
    sort_numbers(numbers, block->fields.count);
    block->fields.types = numbers;
    return true;
}

static bool block_make(struct scopes *s, struct type_list on, struct scope_block *block)
{
    enum { MOST = LIMIT_FIELDS + ENVELOPE_COUNT };
    if (!s->offsets) s->offsets = ARENA_ARRAY(s->arena, uint32_t, MOST);
    if (!s->shared) s->shared = ARENA_ARRAY(s->arena, struct cel_field, MOST);
    uint32_t *offsets = s->offsets;
    if (!offsets || !s->shared) return false;
    *block = (struct scope_block){.offsets = bare_offsets, .record = &bare_record};
    if (on.count)
        block->record =
            on.count == 1 ? record_of_one(s, on.types[0], offsets) : record_of_several(s, on, offsets);
    if (!block->record) return false;
    if (on.count) block->offsets = arena_copy(s->keep, offsets, block->record->field_count * sizeof *offsets);
    if (!block->offsets) return false;
    if (on.count > 1) s->shared_fields += block->record->field_count;
    const struct cel_type *element = cel_record_of(s->keep, block->record);
    block->list = element ? cel_list_of(s->keep, element) : NULL;
    block->event_slots = slots_from(s, s->set->slots.event, block);
    block->trigger_slots = slots_from(s, s->set->slots.trigger, block);
    block->answer_slots = slots_from(s, s->set->slots.answer, block);
    return block->list && block->event_slots && block->trigger_slots && block->answer_slots &&
           block_numbers(s, block);
}

/* A list as a name: the bytes of its numbers. */
static str list_name(struct type_list on)
{
    return (str){(const char *)on.types, on.count * sizeof *on.types};
}

const struct scope_block *scope_block(struct scopes *s, struct type_list on)
{
    uint32_t number = s->lists.table ? names_find(&s->lists, list_name(on)) : NAME_NONE;
    if (number != NAME_NONE) return s->blocks[number];
    uint32_t before = s->lists.capacity;
    struct scope_block *block = ARENA_NEW(s->arena, struct scope_block);
    if (!block || !block_make(s, on, block) || !names_put(&s->lists, s->arena, list_name(on), &number)) {
        s->failed = true;
        return NULL;
    }
    if (s->lists.capacity != before) {
        struct scope_block **blocks = ARENA_ARRAY(s->arena, struct scope_block *, s->lists.capacity);
        if (!blocks) {
            s->lists = (struct names){0}; /* none is known again */
            s->failed = true;
            return NULL;
        }
        if (before) memcpy(blocks, s->blocks, before * sizeof *blocks);
        s->blocks = blocks;
    }
    return s->blocks[number] = block;
}

/* "event 'view'", "one of the events 'view' and 'click'": whose field is missing, in messages. */
static str kind_text(const struct scopes *s, struct arena *arena, const char *what, struct type_list on)
{
    enum { NAMED = 8 };
    size_t named = on.count <= NAMED ? on.count : NAMED;
    struct buffer text;
    buffer_init(&text, arena);
    buffer_put_format(&text, on.count > 1 ? "one of the %ss " : on.count ? "%s " : "%s", what);
    for (size_t i = 0; i < named; i++)
        buffer_put_format(&text, "%s'%.*s'",
                          i == 0              ? ""
                          : i + 1 == on.count ? " and "
                                              : ", ",
                          STR_ARG(s->set->types[on.types[i]].reader->name));
    if (on.count > named) buffer_put_format(&text, " and %zu more", on.count - named);
    return text.failed ? (str){0} : buffer_str(&text);
}

static bool add_consecutive(struct arena *arena, struct cel_env *env, str name, str kind,
                            const struct cel_record_type *record, uint32_t first, uint32_t presence)
{
    uint32_t *slots = ARENA_ARRAY(arena, uint32_t, record->field_count + 1);
    if (!slots) return false;
    for (uint32_t i = 0; i < record->field_count; i++)
        slots[i] = first + i;
    return cel_env_add_record(env, name, kind, record, slots, presence);
}

static const struct cel_field run_fields[RUN_FIELDS] = {
    [RUN_KEY] = {STR("key"), &cel_types[CEL_TYPE_STRING]},
    [RUN_VARIANT] = {STR("variant"), &cel_types[CEL_TYPE_STRING]},
    [RUN_STEP] = {STR("step"), &cel_types[CEL_TYPE_INT]},
    [RUN_STARTED] = {STR("started"), &cel_types[CEL_TYPE_TIMESTAMP]},
    [RUN_SENT] = {STR("sent"), &cel_types[CEL_TYPE_INT]},
    [RUN_OUTCOME] = {STR("outcome"), &cel_types[CEL_TYPE_STRING]},
    [RUN_ACTION] = {STR("action"), &cel_types[CEL_TYPE_STRING]},
    [RUN_ANSWERED] = {STR("answered"), &cel_types[CEL_TYPE_BOOL]},
};
static const struct cel_type texts_type = {.kind = CEL_TYPE_LIST, .params = {&cel_types[CEL_TYPE_STRING]}};
static const struct cel_field rule_fields[RULE_FIELDS] = {
    [RULE_NAME] = {STR("name"), &cel_types[CEL_TYPE_STRING]},
    [RULE_PRIORITY] = {STR("priority"), &cel_types[CEL_TYPE_INT]},
    [RULE_TAGS] = {STR("tags"), &texts_type},
};
static const struct cel_record_type run_record = {STR("run"), RUN_FIELDS, run_fields, NULL};
/* What a goal's window has kept of its run: the first two. */
static const struct cel_record_type window_record = {STR("run"), RUN_VARIANT + 1, run_fields, NULL};
static const struct cel_record_type rule_record = {STR("rule"), RULE_FIELDS, rule_fields, NULL};

/* customer.id, customer.known and the attributes. */
static const struct cel_record_type *customer_record(const struct scopes *s)
{
    const struct relance_ruleset *set = s->set;
    struct cel_record_type *record = ARENA_NEW(s->keep, struct cel_record_type);
    struct cel_field *fields = ARENA_ARRAY(s->keep, struct cel_field, set->attribute_count + 2);
    if (!record || !fields) return NULL;
    fields[0] = (struct cel_field){STR("id"), &cel_types[CEL_TYPE_STRING]};
    fields[1] = (struct cel_field){STR("known"), &cel_types[CEL_TYPE_BOOL]};
    for (size_t i = 0; i < set->attribute_count; i++)
        fields[i + 2] = (struct cel_field){set->attributes[i].name, set->attributes[i].type};
    *record = (struct cel_record_type){STR("customer"), set->attribute_count + 2, fields, NULL};
    return cel_record_index(s->keep, record) ? record : NULL;
}

static const struct cel_record_type *segments_record(const struct scopes *s)
{
    const struct relance_ruleset *set = s->set;
    struct cel_record_type *record = ARENA_NEW(s->keep, struct cel_record_type);
    struct cel_field *fields = ARENA_ARRAY(s->keep, struct cel_field, set->segment_count + 1);
    if (!record || !fields) return NULL;
    for (size_t i = 0; i < set->segment_count; i++)
        fields[i] = (struct cel_field){set->segments[i].name, &cel_types[CEL_TYPE_BOOL]};
    *record = (struct cel_record_type){STR("segments"), set->segment_count, fields, NULL};
    return cel_record_index(s->keep, record) ? record : NULL;
}

static bool add_lasts(const struct scopes *s, struct cel_env *env)
{
    bool fine = true;
    for (size_t i = 0; i < s->set->type_count && fine; i++) {
        const struct typed_event *type = &s->set->types[i];
        if (i == s->set->forget) continue;
        str name = arena_format(s->arena, "last.%.*s", STR_ARG(type->reader->name));
        str kind = arena_format(s->arena, "event '%.*s'", STR_ARG(type->reader->name));
        fine = name.size && kind.size &&
               add_consecutive(s->arena, env, name, kind, type->record, last_field_slot(type, 0),
                               last_presence_slot(type));
    }
    return fine;
}

static bool add_counts(const struct scopes *s, struct cel_env *env)
{
    static const struct cel_type *const by[] = {&cel_types[CEL_TYPE_STRING]};
    static const struct cel_type kept = {.kind = CEL_TYPE_OPTIONAL, .params = {&cel_types[CEL_TYPE_DOUBLE]}};
    static const struct cel_type *const results[] = {
        [COUNT_EVENTS] = &cel_types[CEL_TYPE_INT],
        [COUNT_SUM] = &cel_types[CEL_TYPE_DOUBLE],
        [COUNT_LAST] = &kept,
        [COUNT_MIN] = &kept,
        [COUNT_MAX] = &kept,
    };
    const struct relance_ruleset *set = s->set;
    bool fine = true;
    for (uint32_t i = 0; i < set->count_count && fine; i++) {
        const struct count_rule *count = &set->counts[i];
        fine = cel_env_add_function(env, count->name, by, count->keyed, results[count->kind], i);
    }
    return fine;
}

/* NAME() of a list. */
static bool add_lists(const struct scopes *s, struct cel_env *env)
{
    const struct relance_ruleset *set = s->set;
    bool fine = true;
    for (uint32_t i = 0; i < set->list_count && fine; i++)
        fine =
            cel_env_add_function(env, set->lists[i].name, NULL, 0, &texts_type, first_list_function(set) + i);
    return fine;
}

/* NAME(product, n), NAME(products, n) and NAME(n) of an affinity. */
static bool add_affinities(const struct scopes *s, struct cel_env *env)
{
    static const struct cel_type *const one[] = {&cel_types[CEL_TYPE_STRING], &cel_types[CEL_TYPE_INT]},
                                        *const several[] = {&texts_type, &cel_types[CEL_TYPE_INT]},
                                        *const popular[] = {&cel_types[CEL_TYPE_INT]};
    static const struct cel_type *const *const parameters[AFFINITY_FORMS] = {
        [AFFINITY_OF_ONE] = one, [AFFINITY_OF_SEVERAL] = several, [AFFINITY_POPULAR] = popular};
    const struct relance_ruleset *set = s->set;
    bool fine = true;
    for (uint32_t i = 0; i < set->affinity_count * AFFINITY_FORMS && fine; i++) {
        enum affinity_form form = (enum affinity_form)(i % AFFINITY_FORMS);
        fine = cel_env_add_function(env, set->affinities[i / AFFINITY_FORMS].name, parameters[form],
                                    form == AFFINITY_POPULAR ? 1 : 2, &texts_type,
                                    first_affinity_function(set) + i);
    }
    return fine;
}

static bool add_tables(const struct scopes *s, struct cel_env *env)
{
    bool fine = true;
    for (size_t i = 0; i < s->set->table_count && fine; i++) {
        const struct constants *table = &s->set->tables[i];
        fine = cel_env_add_constant(env, table->name, table->type, table->map,
                                    s->tables_named ? &s->tables_named[i] : NULL);
    }
    return fine;
}

/* A time that orders are counted within: noted, so that what depends on it changes when one is older. */
static bool take_window(void *context, str text)
{
    enum { FIRST = 8 };
    struct scopes *s = context;
    int64_t ms;
    if (!duration_parse(text, &ms) || ms <= 0) return false;
    for (size_t i = 0; i < s->window_count; i++)
        if (s->windows[i] == ms) return true;
    if (s->window_count == s->window_capacity) {
        size_t capacity = s->window_capacity ? 2 * s->window_capacity : FIRST;
        int64_t *windows = ARENA_ARRAY(s->arena, int64_t, capacity);
        if (!windows) return s->failed = true;
        if (s->window_count) memcpy(windows, s->windows, s->window_count * sizeof *windows);
        s->windows = windows;
        s->window_capacity = capacity;
    }
    s->windows[s->window_count++] = ms;
    return true;
}

/* The host functions beside the counts, numbered behind them. */
static bool add_functions(struct scopes *s, unsigned flags, struct cel_env *env)
{
    bool fine = true;
    for (uint32_t i = 0; i < HOSTS && fine; i++) {
        const struct host_row *row = &host_rows[i];
        const struct cel_type *parameters[] = {host_types[row->first], host_types[row->second]};
        size_t count = row->second ? 2 : row->first ? 1 : 0;
        if (row->of_sales && !(s->set->sales && flags & SCOPE_COUNTS)) continue;
        fine = cel_env_add_function(env, row->name, parameters, count, host_types[row->result],
                                    (uint32_t)s->set->count_count + i);
        if (fine && row->first == HOST_TYPE_WRITTEN)
            cel_env_set_written(env, take_window, s, "a time that is written down, such as '365d'");
    }
    return fine;
}

/* ---- environments */

enum { SCOPE_SHARED = SCOPE_LAST | SCOPE_NOW | SCOPE_COUNTS | SCOPE_SEGMENTS };

static bool fill_shared(struct scopes *s, unsigned flags, struct cel_env *env)
{
    const struct slot_map *slots = &s->set->slots;
    if (flags & SCOPE_BARE) return add_tables(s, env);
    bool fine = add_consecutive(s->arena, env, STR("customer"), STR("customer"), s->customer,
                                slots->customer_id, CEL_NO_SLOT) &&
                add_tables(s, env) && add_functions(s, flags, env);
    if (flags & SCOPE_SEGMENTS)
        fine &= add_consecutive(s->arena, env, STR("segments"), STR("segments"), s->segments, slots->segments,
                                CEL_NO_SLOT);
    if (flags & SCOPE_LAST) fine &= add_lasts(s, env);
    if (flags & SCOPE_NOW)
        fine &= cel_env_add_variable(env, STR("now"), &cel_types[CEL_TYPE_TIMESTAMP], slots->now);
    if (flags & SCOPE_COUNTS) fine &= add_counts(s, env);
    if ((flags & SCOPE_CALLS) == SCOPE_CALLS) fine &= add_lists(s, env) && add_affinities(s, env);
    return fine;
}

/* What all places with these flags have, made when the first of them asks. */
static const struct cel_env *shared_env(struct scopes *s, unsigned flags)
{
    enum { BARE = SCOPE_SHARED / SCOPE_LAST + 1 };
    struct cel_env **env = &s->envs[flags & SCOPE_BARE ? BARE : (flags & SCOPE_SHARED) / SCOPE_LAST];
    if (*env) return *env;
    if (!s->customer) s->customer = customer_record(s);
    if (!s->segments) s->segments = segments_record(s);
    struct cel_env *made = s->customer && s->segments ? cel_env_new(s->arena, s->set->zones) : NULL;
    if (made) cel_env_set_zones_known(made);
    if (!made || !fill_shared(s, flags, made)) return NULL;
    cel_env_set_budget(made, &s->budget);
    return *env = made;
}

void scopes_init(struct scopes *s, const struct relance_ruleset *set, struct arena *keep, struct arena *arena)
{
    *s = (struct scopes){.set = set,
                         .keep = keep,
                         .arena = arena,
                         .budget = {LIMIT_FOLDING_STEPS, LIMIT_FOLDING_BYTES, SIZE_MAX}};
}

/* Which of its slots a variable with the fields of events has. */
enum event_role { ROLE_EVENT, ROLE_TRIGGER, ROLE_ANSWER };

static bool add_event(struct scopes *s, struct arena *arena, struct cel_env *env, str name, const char *what,
                      enum event_role role, struct type_list on)
{
    const struct scope_block *block = scope_block(s, on);
    str kind = kind_text(s, arena, what, on);
    if (!block || !kind.size) return false;
    const uint32_t *const slots[] = {[ROLE_EVENT] = block->event_slots,
                                     [ROLE_TRIGGER] = block->trigger_slots,
                                     [ROLE_ANSWER] = block->answer_slots};
    return cel_env_add_record(env, name, kind, block->record, slots[role], CEL_NO_SLOT);
}

static bool add_trigger(struct scopes *s, struct arena *arena, struct cel_env *env, str name,
                        const char *what, bool anything, struct type_list on)
{
    return anything ? cel_env_add_variable(env, name, &cel_types[CEL_TYPE_DYN], s->set->slots.trigger)
                    : add_event(s, arena, env, name, what, ROLE_TRIGGER, on);
}

static bool add_triggers(struct scopes *s, struct arena *arena, struct cel_env *env, bool anything,
                         struct type_list on)
{
    const struct scope_block *block = anything ? NULL : scope_block(s, on);
    const struct cel_type *list = anything ? cel_list_of(arena, &cel_types[CEL_TYPE_DYN])
                                  : block  ? block->list
                                           : NULL;
    return list && cel_env_add_variable(env, STR("triggers"), list, s->set->slots.triggers);
}

/* What this place alone has. */
static bool fill_place(struct scopes *s, struct arena *arena, const struct scope_names *names,
                       struct cel_env *env)
{
    const struct slot_map *slots = &s->set->slots;
    unsigned flags = names->flags;
    struct type_list events = names->events, triggers = names->triggers;
    bool anything = flags & SCOPE_ANYTHING, fine = true;
    if (flags & SCOPE_EVENT && events.count)
        fine &= add_event(s, arena, env, STR("event"), "event", ROLE_EVENT, events);
    if (flags & SCOPE_EVENT && !events.count)
        fine &= add_trigger(s, arena, env, STR("event"), "the trigger of this rule", anything, triggers);
    if (flags & SCOPE_TRIGGER)
        fine &=
            add_trigger(s, arena, env, STR("trigger"), triggers.count ? "event" : "the trigger of this rule",
                        anything && !triggers.count, triggers);
    if (flags & SCOPE_TRIGGERS) fine &= add_triggers(s, arena, env, anything && !triggers.count, triggers);
    if (flags & SCOPE_ANSWER && anything && !names->answers.count)
        fine &= cel_env_add_variable(env, STR("answer"), &cel_types[CEL_TYPE_DYN], slots->answer);
    else if (flags & SCOPE_ANSWER)
        fine &= add_event(s, arena, env, STR("answer"), "event", ROLE_ANSWER, names->answers);
    if (flags & SCOPE_RUN)
        fine &= add_consecutive(arena, env, STR("run"), STR("run"),
                                flags & SCOPE_WINDOW ? &window_record : &run_record, slots->run, CEL_NO_SLOT);
    if (flags & SCOPE_RULE)
        fine &= add_consecutive(arena, env, STR("rule"), STR("rule"), &rule_record, slots->rule, CEL_NO_SLOT);
    return fine;
}

static struct cel_env *make_env(struct scopes *s, struct arena *arena, struct scope_names names,
                                const char *where)
{
    const struct cel_env *outer = shared_env(s, names.flags);
    struct place *place = ARENA_NEW(arena, struct place);
    struct cel_env *env = outer && place ? cel_env_inside(arena, outer) : NULL;
    if (!env || !fill_place(s, arena, &names, env)) {
        s->failed = true;
        return NULL;
    }
    *place = (struct place){s, names, where};
    cel_env_set_shorthands(env, names.lets);
    cel_env_set_refuse(env, refuse, place);
    return env;
}

struct cel_env *scope_env_of(struct compiler *c, struct scope_names names, const char *where)
{
    names.lets = c->scopes.lets;
    struct cel_env *env = make_env(&c->scopes, c->place, names, where);
    if (!env) c->diag->failed = true;
    return env;
}

struct cel_env *scope_env(struct compiler *c, unsigned flags, struct type_list events,
                          struct type_list triggers, const char *where)
{
    return scope_env_of(c, (struct scope_names){.flags = flags, .events = events, .triggers = triggers},
                        where);
}

const struct cel_env *scope_env_again(struct scopes *s, const struct noted_program *program,
                                      struct arena *arena)
{
    return make_env(s, arena, program->names, "");
}

bool program_reads(const struct cel_program *program, uint32_t slot)
{
    const uint32_t *slots;
    size_t count = program ? cel_program_slots(program, &slots) : 0;
    for (size_t i = 0; i < count; i++)
        if (slots[i] == slot) return true;
    return false;
}

static void note_slots(struct compiler *c, const struct cel_program *program)
{
    const uint32_t *slots;
    size_t count = cel_program_slots(program, &slots);
    for (size_t i = 0; i < count; i++)
        c->read[slots[i]] = true;
}

static void note_program(struct compiler *c, const struct cel_program *program, const struct cel_env *env,
                         str text, struct origin origin)
{
    struct noted_program *note = ARENA_NEW(c->keep, struct noted_program);
    if (!note) {
        c->diag->failed = true;
        return;
    }
    *note = (struct noted_program){.next = c->set->programs,
                                   .number = c->set->program_count++,
                                   .program = program,
                                   .names = ((const struct place *)cel_env_context(env))->names,
                                   .owner = c->owner,
                                   .text = text,
                                   .source = origin.source,
                                   .offset = origin.offset};
    c->set->programs = note;
}

static int program_order(const void *a, const void *b)
{
    const struct noted_program *const *x = a, *const *y = b;
    uintptr_t at = (uintptr_t)(*x)->program, other = (uintptr_t)(*y)->program;
    return (at > other) - (at < other);
}

void index_programs(struct compiler *c)
{
    struct relance_ruleset *set = c->set;
    set->program_index = ARENA_ARRAY(c->keep, const struct noted_program *, set->program_count + 1);
    if (!set->program_index) {
        c->diag->failed = true;
        return;
    }
    size_t count = 0;
    for (const struct noted_program *note = set->programs; note; note = note->next)
        set->program_index[count++] = note;
    qsort(set->program_index, count, sizeof(struct noted_program *), program_order);
}

const struct noted_program *set_noted(const struct relance_ruleset *set, const struct cel_program *program)
{
    const struct noted_program sought = {.program = program}, *key = &sought;
    const struct noted_program **found =
        bsearch(&key, set->program_index, set->program_count, sizeof(struct noted_program *), program_order);
    return found ? *found : NULL;
}

const struct cel_program *compile_part(struct compiler *c, const struct cel_env *env, str text,
                                       struct origin origin, const struct cel_type *wanted)
{
    if (c->expressions == LIMIT_EXPRESSIONS)
        diag_add(c->diag, SEVERITY_ERROR, origin, 0, 0, (str){0}, "a rule set has at most %u expressions",
                 LIMIT_EXPRESSIONS);
    if (c->expressions++ >= LIMIT_EXPRESSIONS) return NULL;
    const struct cel_program *program = cel_compile(c->keep, c->work, env, text, origin, wanted, c->diag);
    arena_reset(c->work);
    if (!program) return NULL;
    note_slots(c, program);
    note_program(c, program, env, text, origin);
    return program;
}

const struct cel_program *compile_text(struct compiler *c, const struct cel_env *env,
                                       const struct source *source, const struct json *node,
                                       const struct cel_type *wanted)
{
    return node && env ? compile_part(c, env, node->text, json_origin(source, node), wanted) : NULL;
}

const struct noted_program *compile_condition(struct compiler *c, const struct cel_env *env,
                                              const struct source *source, const struct json *node)
{
    bool compiled = compile_text(c, env, source, node, &cel_types[CEL_TYPE_BOOL]) != NULL;
    return compiled ? c->set->programs : NULL; /* the newest */
}
