/* Do rules and the mapping through which their records are read speak of the same? A value that cannot be of its field's
 * declared type is a mistake. That no record becomes an event which a rule is on, or that one never has the field by which
 * runs are told apart or ended, is a warning: the rule would wait for what never comes. */
#include "rule/compile/compile.h"

#include "mapping/build.h"

struct compared {
    struct compiler *c;
    bool *made;    /* by event type: some row makes it */
    bool *given;   /* by event type and field, one type's behind another's: some row gives it */
    size_t *first; /* by event type: of its fields in `given` */
    bool any_type; /* a row takes its type from the record: no type can be missed */
};

/* ---- what the rows give */

static void compare_field(struct compared *d, const struct mapped_field *field,
                          const struct event_field *declared)
{
    str path;
    const struct cel_type *found, *wanted;
    struct arena *scratch = d->c->scratch;
    if (mapped_field_fits(field, declared->type, scratch, &path, &found, &wanted)) return;
    str is = cel_type_noun(scratch, found), must = cel_type_noun(scratch, wanted);
    diag_add(d->c->diag, SEVERITY_ERROR, (struct origin){.source = field->source}, field->begin, field->end,
             (str){0}, "the rules declare '%.*s%.*s' as %.*s, but this is %.*s", STR_ARG(field->name),
             STR_ARG(path), STR_ARG(must), STR_ARG(is));
}

static void compare_row(void *context, const struct mapped_row *row)
{
    struct compared *d = context;
    const struct relance_ruleset *set = d->c->set;
    d->any_type |= !row->type.size;
    uint32_t number = names_find(&set->names.types, row->type);
    if (number == NAME_NONE) return;
    const struct event_type *type = set->types[number].reader;
    d->made[number] = true;
    for (size_t f = 0; f < type->field_count; f++) {
        bool *given = &d->given[d->first[number] + f];
        *given |= row->has_others;
        for (size_t i = 0; i < row->field_count; i++) {
            if (!str_equal(row->fields[i].name, type->fields[f].name)) continue;
            *given = true;
            compare_field(d, &row->fields[i], &type->fields[f]);
        }
    }
}

/* ---- what the rules want */

static void warn(struct compared *d, const struct declared *rule, const char *member, str message)
{
    const struct json *node = json_member(rule->value, member);
    size_t begin = node ? node->begin : rule->value->key_begin, end = node ? node->end : rule->value->key_end;
    diag_add(d->c->diag, SEVERITY_WARNING, (struct origin){.source = rule->source}, begin, end, (str){0},
             "%.*s", STR_ARG(message));
}

static void want_type(struct compared *d, const struct declared *rule, uint32_t number)
{
    str name = d->c->set->types[number].reader->name;
    if (!d->made[number] && !d->any_type)
        warn(d, rule, "on",
             arena_format(d->c->scratch,
                          "no row of the mapping makes the event '%.*s', which this rule is on",
                          STR_ARG(name)));
}

/* Fields of a type that a program reads, and no row gives. */
static void want_fields(struct compared *d, const struct declared *rule, const char *member, uint32_t number,
                        const struct cel_program *program, const char *what)
{
    const struct typed_event *type = &d->c->set->types[number];
    const struct slot_map *slots = &d->c->set->slots;
    for (size_t f = 0; f < type->reader->field_count && d->made[number] && !d->any_type; f++) {
        uint32_t at = ENVELOPE_COUNT + type->fields[f];
        bool read = program_reads(program, slots->event + at) || program_reads(program, slots->trigger + at);
        str field = type->reader->fields[f].name;
        if (read && !d->given[d->first[number] + f])
            warn(d, rule, member,
                 arena_format(d->c->scratch, "no row of the mapping gives '%.*s' a '%.*s', by which %s",
                              STR_ARG(type->reader->name), STR_ARG(field), what));
    }
}

static void want_rule(struct compared *d, const struct declared *declared, uint32_t number)
{
    const struct relance_ruleset *set = d->c->set;
    const struct rule *rule = &set->rules[number];
    for (size_t i = 0; i < rule->on.count; i++) {
        want_type(d, declared, rule->on.types[i]);
        want_fields(d, declared, "key", rule->on.types[i], rule->key, "runs are told apart");
    }
    for (size_t i = 0; i < set->cancel_count; i++) {
        const struct cancel *cancel = &set->cancels[i];
        for (size_t t = 0; t < cancel->on.count && cancel->rule == number; t++) {
            want_fields(d, declared, "cancel", cancel->on.types[t], cancel->key, "runs are ended");
            want_fields(d, declared, "cancel", cancel->on.types[t], program_of(cancel->condition),
                        "runs are ended");
        }
    }
}

void compare_mapping(struct compiler *c)
{
    const struct relance_ruleset *set = c->set;
    size_t fields = 0;
    struct compared d = {.c = c, .first = ARENA_ARRAY(c->scratch, size_t, set->type_count + 1)};
    for (size_t i = 0; d.first && i < set->type_count; i++) {
        d.first[i] = fields;
        fields += set->types[i].reader->field_count;
    }
    d.made = ARENA_ARRAY(c->scratch, bool, set->type_count + 1);
    d.given = ARENA_ARRAY(c->scratch, bool, fields + 1);
    if (!d.first || !d.made || !d.given || !mapping_each_row(set->mapping, c->scratch, compare_row, &d)) {
        c->diag->failed = true;
        return;
    }
    for (size_t i = 0; i < c->files.rules.count; i++) {
        const struct declared *rule = &c->files.rules.items[i];
        want_rule(&d, rule, names_find(&set->names.rules, rule->name));
    }
}

static bool wants_field(void *context, str type, str field)
{
    const struct relance_ruleset *set = context;
    uint32_t number = names_find(&set->names.types, type);
    if (number == NAME_NONE) return false;
    const struct event_type *declared = set->types[number].reader;
    for (size_t f = 0; f < declared->field_count; f++)
        if (str_equal(declared->fields[f].name, field)) return true;
    return false;
}

void narrow_mapping(struct compiler *c)
{
    mapping_narrow(c->set->mapping, wants_field, c->set);
}
