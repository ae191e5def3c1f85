/* Which names an expression may use, by the place in which it stands, and the slots behind them. */
#include "rule/compile/compile.h"

#include "base/buffer.h"

/* The variables that not every place has. */
static const struct {
    unsigned flag;
    str name;
} partial_names[] = {
    {SCOPE_EVENT, STR("event")},       {SCOPE_TRIGGER, STR("trigger")}, {SCOPE_TRIGGERS, STR("triggers")},
    {SCOPE_RUN, STR("run")},           {SCOPE_RULE, STR("rule")},       {SCOPE_LAST, STR("last")},
    {SCOPE_SEGMENTS, STR("segments")}, {SCOPE_NOW, STR("now")},
};

enum { PARTIAL_NAMES = sizeof partial_names / sizeof *partial_names };

bool scope_is_variable(str name)
{
    for (size_t i = 0; i < PARTIAL_NAMES; i++)
        if (str_equal(name, partial_names[i].name)) return true;
    return str_equal(name, STR("customer"));
}

/* "customer, event, counts": what a place has instead of what was named. */
static str known_names(struct compiler *c, unsigned flags)
{
    struct buffer text;
    buffer_init(&text, c->scratch);
    buffer_put_str(&text, STR("customer"));
    for (size_t i = 0; i < PARTIAL_NAMES; i++)
        if (flags & partial_names[i].flag) buffer_put_format(&text, ", %.*s", STR_ARG(partial_names[i].name));
    if (flags & SCOPE_COUNTS && c->set->count_count) buffer_put_str(&text, STR(", counts"));
    if (text.failed) c->diag->failed = true;
    return buffer_str(&text);
}

static void refuse(struct compiler *c, struct cel_env *env, str name, str message)
{
    if (!message.size || !cel_env_add_refused(env, name, message)) c->diag->failed = true;
}

static void refuse_missing(struct compiler *c, struct cel_env *env, unsigned flags, const char *where)
{
    str known = known_names(c, flags);
    for (size_t i = 0; i < PARTIAL_NAMES; i++) {
        str name = partial_names[i].name;
        if (flags & partial_names[i].flag) continue;
        bool meant = partial_names[i].flag == SCOPE_EVENT && flags & SCOPE_TRIGGER;
        refuse(c, env, name,
               arena_format(c->scratch, "'%.*s' is not known in %s; known there: %.*s%s", STR_ARG(name),
                            where, STR_ARG(known),
                            meant ? " ('trigger' is the event that started the run)" : ""));
    }
    for (size_t i = 0; i < c->set->count_count && !(flags & SCOPE_COUNTS); i++) {
        str name = c->set->counts[i].name;
        refuse(c, env, name,
               arena_format(c->scratch, "count '%.*s' cannot be called in %s; known there: %.*s",
                            STR_ARG(name), where, STR_ARG(known)));
    }
}

/* Of a trigger that is no event. */
static const struct cel_record_type *bare_record(const uint32_t **offsets)
{
    static const struct cel_field fields[] = {{STR("type"), &cel_types[CEL_TYPE_STRING]},
                                              {STR("time"), &cel_types[CEL_TYPE_TIMESTAMP]}};
    static const struct cel_record_type record = {STR("trigger"), 2, fields};
    static const uint32_t bare_offsets[] = {ENVELOPE_TYPE, ENVELOPE_TIME};
    *offsets = bare_offsets;
    return &record;
}

const struct cel_record_type *scope_shared_record(struct compiler *c, struct type_list on,
                                                  const uint32_t **offsets)
{
    if (!on.count) return bare_record(offsets);
    const struct typed_event *first = &c->set->types[on.types[0]];
    struct cel_record_type *record = ARENA_NEW(c->keep, struct cel_record_type);
    struct cel_field *fields = ARENA_ARRAY(c->keep, struct cel_field, first->record->field_count);
    uint32_t *slots = ARENA_ARRAY(c->keep, uint32_t, first->record->field_count);
    *offsets = slots;
    if (!record || !fields || !slots) return NULL;
    *record = (struct cel_record_type){.name = first->reader->name, .fields = fields};
    for (size_t i = 0; i < first->record->field_count; i++) {
        bool shared = true;
        uint32_t number = i < ENVELOPE_COUNT ? 0 : first->fields[i - ENVELOPE_COUNT];
        for (size_t t = 1; t < on.count && i >= ENVELOPE_COUNT && shared; t++) {
            const struct typed_event *other = &c->set->types[on.types[t]];
            shared = type_list_has((struct type_list){other->reader->field_count, other->fields}, number);
        }
        if (!shared) continue;
        slots[record->field_count] = i < ENVELOPE_COUNT ? (uint32_t)i : ENVELOPE_COUNT + number;
        fields[record->field_count++] = first->record->fields[i];
    }
    return record;
}

/* "event 'view'", "what events 'view' and 'click' share": whose field is missing, in messages. */
static str kind_text(struct compiler *c, const char *what, struct type_list on)
{
    struct buffer text;
    buffer_init(&text, c->scratch);
    buffer_put_format(&text, on.count > 1 ? "what %ss " : on.count ? "%s " : "%s", what);
    for (size_t i = 0; i < on.count; i++)
        buffer_put_format(&text, "%s'%.*s'",
                          i == 0              ? ""
                          : i + 1 == on.count ? " and "
                                              : ", ",
                          STR_ARG(c->set->types[on.types[i]].reader->name));
    if (on.count > 1) buffer_put_str(&text, STR(" share"));
    if (text.failed) c->diag->failed = true;
    return buffer_str(&text);
}

static bool add_block(struct compiler *c, struct cel_env *env, str name, const char *what,
                      struct type_list on, uint32_t base)
{
    const uint32_t *offsets;
    const struct cel_record_type *record = scope_shared_record(c, on, &offsets);
    uint32_t *slots = record ? ARENA_ARRAY(c->scratch, uint32_t, record->field_count) : NULL;
    if (!slots) return false;
    for (size_t i = 0; i < record->field_count; i++)
        slots[i] = base + offsets[i];
    return cel_env_add_record(env, name, kind_text(c, what, on), record, slots, CEL_NO_SLOT);
}

static bool add_consecutive(struct compiler *c, struct cel_env *env, str name, str kind,
                            const struct cel_record_type *record, uint32_t first, uint32_t presence)
{
    uint32_t *slots = ARENA_ARRAY(c->scratch, uint32_t, record->field_count + 1);
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
};
static const struct cel_field rule_fields[RULE_FIELDS] = {
    [RULE_NAME] = {STR("name"), &cel_types[CEL_TYPE_STRING]},
    [RULE_PRIORITY] = {STR("priority"), &cel_types[CEL_TYPE_INT]},
};
static const struct cel_record_type run_record = {STR("run"), RUN_FIELDS, run_fields};
static const struct cel_record_type rule_record = {STR("rule"), RULE_FIELDS, rule_fields};

/* customer.id and the attributes: made once, since every place has it. */
static const struct cel_record_type *customer_record(struct compiler *c)
{
    struct relance_ruleset *set = c->set;
    if (set->customer_record) return set->customer_record;
    struct cel_record_type *record = ARENA_NEW(c->keep, struct cel_record_type);
    struct cel_field *fields = ARENA_ARRAY(c->keep, struct cel_field, set->attribute_count + 1);
    if (!record || !fields) return NULL;
    fields[0] = (struct cel_field){STR("id"), &cel_types[CEL_TYPE_STRING]};
    for (size_t i = 0; i < set->attribute_count; i++)
        fields[i + 1] = (struct cel_field){set->attributes[i].name, set->attributes[i].type};
    *record = (struct cel_record_type){STR("customer"), set->attribute_count + 1, fields};
    return set->customer_record = record;
}

static bool add_segments(struct compiler *c, struct cel_env *env)
{
    const struct relance_ruleset *set = c->set;
    struct cel_record_type *record = ARENA_NEW(c->scratch, struct cel_record_type);
    struct cel_field *fields = ARENA_ARRAY(c->scratch, struct cel_field, set->segment_count + 1);
    if (!record || !fields) return false;
    for (size_t i = 0; i < set->segment_count; i++)
        fields[i] = (struct cel_field){set->segments[i].name, &cel_types[CEL_TYPE_BOOL]};
    *record = (struct cel_record_type){STR("segments"), set->segment_count, fields};
    return add_consecutive(c, env, STR("segments"), STR("segments"), record, set->slots.segments,
                           CEL_NO_SLOT);
}

static bool add_lasts(struct compiler *c, struct cel_env *env)
{
    bool fine = true;
    for (size_t i = 0; i < c->set->type_count; i++) {
        const struct typed_event *type = &c->set->types[i];
        if (i == c->set->forget) continue;
        str name = arena_format(c->scratch, "last.%.*s", STR_ARG(type->reader->name));
        str kind = arena_format(c->scratch, "event '%.*s'", STR_ARG(type->reader->name));
        fine &= add_consecutive(c, env, name, kind, type->record, last_field_slot(type, 0),
                                last_presence_slot(type));
    }
    return fine;
}

static bool add_counts(struct compiler *c, struct cel_env *env)
{
    static const struct cel_type *const by[] = {&cel_types[CEL_TYPE_STRING]};
    bool fine = true;
    for (uint32_t i = 0; i < c->set->count_count; i++) {
        const struct cel_type *result =
            &cel_types[c->set->names.count_sums[i] ? CEL_TYPE_DOUBLE : CEL_TYPE_INT];
        fine &= cel_env_add_function(env, c->set->counts[i].name, by, c->set->counts[i].keyed, result, i);
    }
    return fine;
}

static bool add_trigger(struct compiler *c, struct cel_env *env, str name, const char *what, bool anything,
                        struct type_list on)
{
    uint32_t slot = c->set->slots.trigger;
    return anything ? cel_env_add_variable(env, name, &cel_types[CEL_TYPE_DYN], slot)
                    : add_block(c, env, name, what, on, slot);
}

static bool add_triggers(struct compiler *c, struct cel_env *env, bool anything, struct type_list on)
{
    const uint32_t *offsets;
    if (anything)
        return cel_env_add_variable(env, STR("triggers"), cel_list_of(c->keep, &cel_types[CEL_TYPE_DYN]),
                                    c->set->slots.triggers);
    const struct cel_record_type *record = scope_shared_record(c, on, &offsets);
    const struct cel_type *element = record ? cel_record_of(c->keep, record) : NULL;
    const struct cel_type *list = element ? cel_list_of(c->keep, element) : NULL;
    return list && cel_env_add_variable(env, STR("triggers"), list, c->set->slots.triggers);
}

/* The host functions beside the counts, numbered behind them. */
static bool add_functions(struct compiler *c, struct cel_env *env)
{
    static const struct cel_type *const parameters[] = {&cel_types[CEL_TYPE_STRING],
                                                        &cel_types[CEL_TYPE_INT]};
    return cel_env_add_function(env, STR("bucket"), parameters, 2, &cel_types[CEL_TYPE_INT],
                                (uint32_t)c->set->count_count);
}

/* To explain an expression its environment is made again: what it was made of is noted. */
static bool note_env(struct compiler *c, const struct cel_env *env, struct scope_names names)
{
    struct made_env *made = ARENA_NEW(c->scratch, struct made_env);
    if (!made) return false;
    *made = (struct made_env){c->envs, env, names};
    c->envs = made;
    return true;
}

static struct scope_names names_of(const struct compiler *c, const struct cel_env *env)
{
    for (const struct made_env *made = c->envs; made; made = made->next)
        if (made->env == env) return made->names;
    return (struct scope_names){0};
}

struct cel_env *scope_env(struct compiler *c, unsigned flags, struct type_list events,
                          struct type_list triggers, const char *where)
{
    const struct slot_map *s = &c->set->slots;
    bool anything = flags & SCOPE_ANYTHING;
    struct cel_env *env = cel_env_new(c->scratch, c->set->zones);
    const struct cel_record_type *customer = customer_record(c);
    if (!env || !customer) {
        c->diag->failed = true;
        return NULL;
    }
    bool fine =
        add_consecutive(c, env, STR("customer"), STR("customer"), customer, s->customer_id, CEL_NO_SLOT) &&
        add_functions(c, env);
    if (flags & SCOPE_EVENT && events.count)
        fine &= add_block(c, env, STR("event"), "event", events, s->event);
    if (flags & SCOPE_EVENT && !events.count)
        fine &= add_trigger(c, env, STR("event"), "the trigger of this rule", anything, triggers);
    if (flags & SCOPE_TRIGGER)
        fine &= add_trigger(c, env, STR("trigger"), triggers.count ? "event" : "the trigger of this rule",
                            anything && !triggers.count, triggers);
    if (flags & SCOPE_TRIGGERS) fine &= add_triggers(c, env, anything && !triggers.count, triggers);
    if (flags & SCOPE_RUN)
        fine &= add_consecutive(c, env, STR("run"), STR("run"), &run_record, s->run, CEL_NO_SLOT);
    if (flags & SCOPE_RULE)
        fine &= add_consecutive(c, env, STR("rule"), STR("rule"), &rule_record, s->rule, CEL_NO_SLOT);
    if (flags & SCOPE_SEGMENTS) fine &= add_segments(c, env);
    if (flags & SCOPE_LAST) fine &= add_lasts(c, env);
    if (flags & SCOPE_NOW)
        fine &= cel_env_add_variable(env, STR("now"), &cel_types[CEL_TYPE_TIMESTAMP], s->now);
    if (flags & SCOPE_COUNTS) fine &= add_counts(c, env);
    if (!fine || !note_env(c, env, (struct scope_names){flags, events, triggers})) c->diag->failed = true;
    refuse_missing(c, env, flags, where);
    return env;
}

const struct cel_env *scope_env_again(const struct relance_ruleset *set, const struct noted_program *program,
                                      struct arena *keep, struct arena *scratch)
{
    struct diagnostics diag;
    diag_init(&diag, scratch);
    struct compiler c = {.set = (struct relance_ruleset *)set, /* scope_env reads what compiling has left */
                         .keep = keep,
                         .scratch = scratch,
                         .diag = &diag};
    const struct cel_env *env =
        scope_env(&c, program->names.flags, program->names.events, program->names.triggers, "");
    return diag.failed ? NULL : env;
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
                                   .names = names_of(c, env),
                                   .text = text,
                                   .source = origin.source,
                                   .offset = origin.offset};
    c->set->programs = note;
}

const struct cel_program *compile_part(struct compiler *c, const struct cel_env *env, str text,
                                       struct origin origin, const struct cel_type *wanted)
{
    const struct cel_program *program = cel_compile(c->keep, c->scratch, env, text, origin, wanted, c->diag);
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
