/* What a rule set declares: records, events, attributes, counts; and the slots in which expressions find them. */
#include "rule/compile/compile.h"

#include "base/duration.h"
#include "base/ensure.h"
#include "base/limits.h"
#include "base/nearest.h"
#include "cel/func.h"
#include "cel/type_text.h"

#include <stdlib.h>

/* ---- field types */

static const struct cel_record_type *find_record(void *context, str name)
{
    const struct compiler *c = context;
    const struct declared *record = section_find(&c->files.types, name);
    return record ? &c->records[record - c->files.types.items] : NULL;
}

static str type_hint(struct compiler *c, str text)
{
    struct nearest nearest = nearest_to(text);
    str elsewhere = cel_type_elsewhere(text, &nearest);
    if (elsewhere.size) return elsewhere;
    for (size_t i = 0; i < c->files.types.count; i++)
        nearest_offer(&nearest, c->files.types.items[i].name);
    if (nearest.name.size) return nearest_hint(&nearest, c->scratch);
    return STR("types are string int uint double bool timestamp duration bytes, list(T), map(string, T), or "
               "a record of 'types'");
}

/* A type from a node; dyn, with an error said, where it is none. */
static const struct cel_type *read_type(struct compiler *c, const struct source *source,
                                        const struct json *node)
{
    const struct cel_type *type =
        node->kind == JSON_STRING ? cel_type_parse(c->keep, node->text, find_record, c) : NULL;
    if (type) return type;
    if (node->kind == JSON_STRING)
        gather_error(c->diag, source, node, type_hint(c, node->text), "'%.*s' is not a type",
                     STR_ARG(node->text));
    else
        gather_error(c->diag, source, node, (str){0},
                     "a type must be a string, such as \"string\" or \"list(item)\"");
    return &cel_types[CEL_TYPE_DYN];
}

void declare_check_name(struct compiler *c, const struct source *source, const struct json *member,
                        const char *what)
{
    if (!str_is_identifier(member->key))
        gather_error_at_key(c->diag, source, member, (str){0},
                            "%s must be named with letters, digits and _, so that expressions can say it",
                            what);
}

static const struct cel_field *read_fields(struct compiler *c, const struct declared *d, bool event,
                                           size_t *count)
{
    static const str reserved[] = {STR("id"), STR("type"), STR("time"), STR("customer"), STR("visitor")};
    struct cel_field *fields = ARENA_ARRAY(c->keep, struct cel_field, d->field_count + 1);
    *count = fields ? d->field_count : 0;
    for (size_t i = 0; i < *count; i++) {
        const struct declared *field = &d->fields[i];
        declare_check_name(c, field->source, field->value, "a field");
        for (size_t k = 0; event && k < sizeof reserved / sizeof *reserved; k++)
            if (str_equal(field->name, reserved[k]))
                gather_error_at_key(c->diag, field->source, field->value, (str){0},
                                    "every event has '%.*s': it cannot be declared", STR_ARG(field->name));
        fields[i] = (struct cel_field){field->name, read_type(c, field->source, field->value)};
    }
    return fields;
}

void declare_types(struct compiler *c)
{
    const struct section *types = &c->files.types;
    c->records = ARENA_ARRAY(c->keep, struct cel_record_type, types->count + 1);
    for (size_t i = 0; i < types->count && c->records; i++) { /* names first: records may hold one another */
        c->records[i].name = types->items[i].name;
        if (cel_type_parse(c->scratch, types->items[i].name, NULL, NULL))
            gather_error_at_key(c->diag, types->items[i].source, types->items[i].value, (str){0},
                                "'%.*s' is a type of its own", STR_ARG(types->items[i].name));
    }
    for (size_t i = 0; i < types->count && c->records; i++) {
        c->records[i].fields = read_fields(c, &types->items[i], false, &c->records[i].field_count);
        if (!cel_record_index(c->keep, &c->records[i])) c->diag->failed = true;
    }
}

/* ---- events and attributes */

/* The number of a field of that name and type, new where there is none yet; looked up by name, and there are few types
 * to a name. */
static uint32_t field_number(struct compiler *c, str name, const struct cel_type *type)
{
    struct relance_ruleset *set = c->set;
    struct field *fields = (struct field *)set->fields;
    uint32_t known = names_add(&c->field_names, name), *last = &c->field_first[known];
    for (; *last; last = &c->field_next[*last - 1])
        if (cel_type_equal(fields[*last - 1].type, type)) return *last - 1;
    fields[set->field_count] = (struct field){name, type};
    *last = (uint32_t)++set->field_count;
    return *last - 1;
}

/* Makes the type's record, with the envelope first, and numbers its fields. */
static bool define_event(struct compiler *c, struct typed_event *type, str name,
                         const struct cel_field *fields, size_t count)
{
    struct event_type *reader = ARENA_NEW(c->keep, struct event_type);
    struct event_field *event_fields = ARENA_ARRAY(c->keep, struct event_field, count + 1);
    uint32_t *numbers = ARENA_ARRAY(c->keep, uint32_t, count + 1);
    struct cel_field *all = ARENA_ARRAY(c->keep, struct cel_field, count + ENVELOPE_COUNT);
    struct cel_record_type *record = ARENA_NEW(c->keep, struct cel_record_type);
    if (!reader || !event_fields || !numbers || !all || !record) return false;
    all[ENVELOPE_ID] = (struct cel_field){STR("id"), &cel_types[CEL_TYPE_STRING]};
    all[ENVELOPE_TYPE] = (struct cel_field){STR("type"), &cel_types[CEL_TYPE_STRING]};
    all[ENVELOPE_TIME] = (struct cel_field){STR("time"), &cel_types[CEL_TYPE_TIMESTAMP]};
    all[ENVELOPE_CUSTOMER] = (struct cel_field){STR("customer"), &cel_types[CEL_TYPE_STRING]};
    for (size_t i = 0; i < count; i++) {
        all[ENVELOPE_COUNT + i] = fields[i];
        numbers[i] = field_number(c, fields[i].name, fields[i].type);
        event_fields[i] = (struct event_field){fields[i].name, fields[i].type, CEL_NO_SLOT};
    }
    *record = (struct cel_record_type){name, count + ENVELOPE_COUNT, all, NULL};
    if (!cel_record_index(c->keep, record)) return false;
    *reader = (struct event_type){.name = name,
                                  .number = (uint32_t)(type - c->set->types),
                                  .field_count = count,
                                  .fields = event_fields};
    *type = (struct typed_event){.reader = reader, .fields = numbers, .record = record};
    return true;
}

/* Room for the fields of all types and attributes, and to find them again by name. */
static bool make_fields(struct compiler *c)
{
    size_t bound = c->files.customer.count + 1;
    for (size_t i = 0; i < c->files.events.count; i++)
        bound += c->files.events.items[i].field_count;
    c->set->fields = ARENA_ARRAY(c->keep, struct field, bound);
    c->field_first = ARENA_ARRAY(c->scratch, uint32_t, bound);
    c->field_next = ARENA_ARRAY(c->scratch, uint32_t, bound);
    return c->set->fields && c->field_first && c->field_next &&
           names_init(&c->field_names, c->scratch, bound);
}

void declare_events(struct compiler *c)
{
    struct relance_ruleset *set = c->set;
    const struct section *events = &c->files.events;
    size_t fields_left = LIMIT_ALL_FIELDS;
    set->types = ARENA_ARRAY(c->keep, struct typed_event, events->count + 2);
    if (!set->types || !make_fields(c) || !names_init(&set->names.types, c->keep, events->count + 2)) {
        c->diag->failed = true;
        return;
    }
    for (size_t i = 0; i < events->count; i++) {
        const struct declared *d = &events->items[i];
        size_t count;
        if (str_equal(d->name, STR("identify")) || str_equal(d->name, STR("forget"))) {
            gather_error_at_key(
                c->diag, d->source, d->value, STR("its fields are the attributes of 'customer'"),
                "event type '%.*s' is reserved: it exists without being declared", STR_ARG(d->name));
            continue;
        }
        declare_check_name(c, d->source, d->value, "an event type");
        const struct cel_field *fields = read_fields(c, d, true, &count);
        if (count > fields_left) {
            gather_error_at_key(c->diag, d->source, d->value, (str){0},
                                "all event types of a rule set together have at most %u fields",
                                LIMIT_ALL_FIELDS);
            return;
        }
        fields_left -= count;
        if (!define_event(c, &set->types[set->type_count], d->name, fields, count)) {
            c->diag->failed = true;
            return;
        }
        names_add(&set->names.types, d->name);
        set->type_count++;
    }
}

/* An attribute's type, as one file says it. */
static const struct cel_type *attribute_type(struct compiler *c, const struct declared *d)
{
    if (d->value->kind != JSON_OBJECT) return read_type(c, d->source, d->value);
    keyword_check(d->source, d->value, PLACE_ATTRIBUTE, "an attribute", c->diag);
    const struct json *type = json_member(d->value, "type");
    if (type) return read_type(c, d->source, type);
    gather_error(c->diag, d->source, d->value, (str){0}, "attribute '%.*s' has no 'type'", STR_ARG(d->name));
    return &cel_types[CEL_TYPE_DYN];
}

static void declare_attribute(struct compiler *c, const struct declared *d, struct attribute_rule *out)
{
    *out = (struct attribute_rule){.name = d->name, .type = attribute_type(c, d)};
    for (const struct declared *other = d->more; other; other = other->more)
        attribute_type(c, other);
    declare_check_name(c, d->source, d->value, "an attribute");
    if (str_equal(d->name, STR("id")) || str_equal(d->name, STR("known")))
        gather_error_at_key(c->diag, d->source, d->value, (str){0},
                            "customer.%.*s always exists: it cannot be declared", STR_ARG(d->name));
    const struct json *keep = keyword_get(d->value, PLACE_ATTRIBUTE, "keep");
    out->keep_first = keep && str_equal(keep->text, STR("first"));
    if (keep && !out->keep_first && !str_equal(keep->text, STR("last")))
        gather_error(c->diag, d->source, keep, (str){0}, "'keep' is \"first\" or \"last\"");
}

void declare_attributes(struct compiler *c)
{
    struct relance_ruleset *set = c->set;
    const struct section *customer = &c->files.customer;
    set->attributes = ARENA_ARRAY(c->keep, struct attribute_rule, customer->count + 1);
    struct cel_field *settable = ARENA_ARRAY(c->keep, struct cel_field, customer->count + 1);
    if (c->diag->failed || !set->attributes || !settable ||
        !names_init(&set->names.attributes, c->keep, customer->count)) {
        c->diag->failed = true;
        return;
    }
    size_t settable_count = 0;
    for (size_t i = 0; i < customer->count; i++) {
        const struct declared *d = &customer->items[i];
        declare_attribute(c, d, &set->attributes[i]);
        names_add(&set->names.attributes, d->name);
        if (!gather_has_source(d))
            settable[settable_count++] = (struct cel_field){d->name, set->attributes[i].type};
    }
    set->attribute_count = customer->count;
    set->tz_attribute = names_find(&set->names.attributes, STR("tz"));
    if (set->tz_attribute != NAME_NONE && set->attributes[set->tz_attribute].type->kind != CEL_TYPE_STRING)
        gather_error(c->diag, customer->items[set->tz_attribute].source,
                     customer->items[set->tz_attribute].value, (str){0},
                     "customer.tz names a time zone: it must be a string");
    set->identify = (uint32_t)set->type_count++;
    set->forget = (uint32_t)set->type_count++;
    if (!define_event(c, &set->types[set->identify], STR("identify"), settable, settable_count) ||
        !define_event(c, &set->types[set->forget], STR("forget"), NULL, 0))
        c->diag->failed = true;
    names_add(&set->names.types, STR("identify"));
    names_add(&set->names.types, STR("forget"));
    set->types[set->identify].named = settable_count > 0;
    set->types[set->forget].named = true;
}

/* ---- counts: what calls look like; their expressions come later */

/* Of about a hundredth of the window: an event is forgotten at most that much early. */
static int64_t bucket_width(int64_t over_ms)
{
    static const int64_t widths[] = {86400000, 21600000, 3600000, 600000, 60000, 10000};
    enum { BUCKETS = 96 };
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        if (over_ms >= BUCKETS * widths[i]) return widths[i];
    return 1000;
}

static enum count_kind count_kind(struct compiler *c, const struct declared *d)
{
    static const struct {
        str keep;
        enum count_kind kind;
    } kept[] = {{STR("last"), COUNT_LAST}, {STR("min"), COUNT_MIN}, {STR("max"), COUNT_MAX}};
    const struct json *sum = json_member(d->value, "sum"), *keep = keyword_get(d->value, PLACE_COUNT, "keep");
    if (keep && !sum)
        gather_error(c->diag, d->source, keep, (str){0},
                     "'keep' says which of the numbers of 'sum' is kept: give the count a 'sum'");
    for (size_t i = 0; keep && i < sizeof kept / sizeof *kept; i++)
        if (str_equal(keep->text, kept[i].keep)) return kept[i].kind;
    if (keep)
        gather_error(c->diag, d->source, keep, (str){0}, "'keep' of a count is \"last\", \"min\" or \"max\"");
    return sum ? COUNT_SUM : COUNT_EVENTS;
}

static bool is_function(const struct compiler *c, str name)
{
    for (size_t i = 0; i < func_row_count; i++)
        if (func_rows[i].style == FUNC_GLOBAL && str_equal(str_of(func_rows[i].name), name)) return true;
    return str_equal(name, STR("bucket")) || (c->files.sales.node && scope_is_of_sales(name));
}

void declare_check_call(struct compiler *c, const struct declared *d)
{
    bool taken = scope_is_variable(d->name) || is_function(c, d->name);
    if (taken)
        gather_error_at_key(c->diag, d->source, d->value, STR("choose another name"),
                            "'%.*s' already means something in expressions", STR_ARG(d->name));
}

void declare_counts(struct compiler *c)
{
    struct relance_ruleset *set = c->set;
    const struct section *counts = &c->files.counts;
    set->counts = ARENA_ARRAY(c->keep, struct count_rule, counts->count + 1);
    uint8_t *forms = ARENA_ARRAY(c->keep, uint8_t, counts->count + 1);
    if (!set->counts || !forms || !names_init(&set->names.counts, c->keep, counts->count)) {
        c->diag->failed = true;
        return;
    }
    for (size_t i = 0; i < counts->count; i++) {
        const struct declared *d = &counts->items[i];
        struct count_rule *count = &set->counts[i];
        declare_check_name(c, d->source, d->value, "a count");
        declare_check_call(c, d);
        keyword_check(d->source, d->value, PLACE_COUNT, "a count", c->diag);
        const struct json *over = keyword_get(d->value, PLACE_COUNT, "over");
        count->name = d->name;
        if (over && (!duration_parse(over->text, &count->over_ms) || count->over_ms <= 0))
            gather_error(c->diag, d->source, over, (str){0}, "'over' must be longer than 0");
        count->bucket_ms = bucket_width(count->over_ms);
        count->keyed = json_member(d->value, "by") != NULL;
        count->kind = count_kind(c, d);
        forms[i] = state_count_form(count->over_ms ? count->bucket_ms : 0, count->kind, count->keyed);
        names_add(&set->names.counts, d->name);
    }
    set->count_count = counts->count;
    set->names.count_forms = forms;
}

/* ---- slots */

bool declare_slots(struct compiler *c)
{
    struct relance_ruleset *set = c->set;
    uint32_t block = ENVELOPE_COUNT + (uint32_t)set->field_count, next = 0;
    struct slot_map *s = &set->slots;
    s->now = next++;
    s->customer_id = next++;
    s->customer_known = next++;
    s->attributes = next, next += (uint32_t)set->attribute_count;
    s->event = next, next += block;
    s->trigger = next, next += block;
    s->answer = next, next += block;
    s->triggers = next++;
    s->run = next, next += RUN_FIELDS;
    s->rule = next, next += RULE_FIELDS;
    s->segments = next, next += (uint32_t)set->segment_count;
    s->lasts = next;
    for (size_t i = 0; i < set->type_count; i++) {
        set->types[i].last_slot = next;
        next += 1 + (uint32_t)set->types[i].record->field_count;
    }
    s->total = next;
    c->read = ARENA_ARRAY(c->scratch, bool, next);
    c->listed = ARENA_ARRAY(c->scratch, bool, set->type_count + 1);
    return c->read && c->listed;
}

/* ---- lists of event types */

static uint32_t find_type(struct compiler *c, const struct source *source, const struct json *node)
{
    uint32_t type = names_find(&c->set->names.types, node->text);
    if (type == c->set->forget) {
        gather_error(c->diag, source, node, (str){0},
                     "'forget' erases the customer: nothing can follow from it");
        return NAME_NONE;
    }
    bool enter = str_starts_with(node->text, STR("enter ")),
         leave = str_starts_with(node->text, STR("leave "));
    if (type == NAME_NONE && (enter || leave))
        gather_error(c->diag, source, node,
                     arena_format(c->scratch, "a condition says %ssegments.%.*s", leave ? "!" : "",
                                  STR_ARG(str_slice(node->text, 6, node->text.size))),
                     "'%.*s' is no event: it stands in the 'on' of a rule, and not beside event types",
                     STR_ARG(node->text));
    else if (type == NAME_NONE)
        gather_error(c->diag, source, node, section_hint(&c->files.events, node->text, c->diag),
                     "event type '%.*s' is not declared in 'events'", STR_ARG(node->text));
    return type;
}

static int number_order(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

void sort_numbers(uint32_t *numbers, size_t count)
{
    qsort(numbers, count, sizeof *numbers, number_order);
}

struct type_list declare_list_types(struct compiler *c, const struct source *source, const struct json *node)
{
    struct type_list list = {0};
    if (!node) return list;
    uint32_t *types = ARENA_ARRAY(c->keep, uint32_t, node->kind == JSON_ARRAY ? node->count + 1 : 1);
    if (!types) {
        c->diag->failed = true;
        return list;
    }
    list.types = types;
    const struct json *item = node->kind == JSON_ARRAY ? node->child : node;
    for (; item; item = node->kind == JSON_ARRAY ? item->next : NULL) {
        uint32_t type = find_type(c, source, item);
        if (type == NAME_NONE || c->listed[type]) continue;
        c->listed[type] = true;
        types[list.count++] = type;
    }
    sort_numbers(types, list.count);
    for (size_t i = 0; i < list.count; i++)
        c->listed[types[i]] = false;
    return list;
}

struct type_list declare_read_types(struct compiler *c, const struct source *source, const struct json *node)
{
    struct type_list list = declare_list_types(c, source, node);
    for (size_t i = 0; i < list.count; i++)
        c->set->types[list.types[i]].named = true;
    return list;
}
