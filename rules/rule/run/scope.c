/* What expressions see. Slots are filled when an expression first reads them, from the customer's state, the
 * run, the rule or the event, and unset when one of these changes: `resolved` lists what was filled. The slots
 * of `event` are written by the event reader and stay. */
#include "rule/run/coverage.h"
#include "rule/run/explain.h"
#include "rule/run/runs.h"
#include "rule/run/sales.h"

#include "base/buffer.h"
#include "base/ensure.h"
#include "base/rfc3339.h"
#include "state/pack.h"

#include <xxhash.h>

static const struct cel_value absent = {.kind = CEL_ABSENT};

static void fill(struct relance_engine *e, uint32_t slot, struct cel_value value)
{
    if (e->frame.slots[slot].kind == CEL_UNSET) e->resolved[e->resolved_count++] = slot;
    e->frame.slots[slot] = value;
}

void scope_forget(struct relance_engine *e)
{
    for (size_t i = 0; i < e->resolved_count; i++)
        e->frame.slots[e->resolved[i]].kind = CEL_UNSET;
    e->resolved_count = 0;
}

void scope_enter_customer(struct relance_engine *e, struct customer *customer, int64_t now_ms)
{
    scope_forget(e);
    e->customer = customer;
    e->pool_used = e->customers.pool.used;
    e->explaining = customer && explain_is_on(e, customer_id(customer));
    e->now_ms = now_ms;
    e->rule = NULL;
    e->run = NULL;
    e->frame.slots[e->set->slots.now] = cel_timestamp_ms(now_ms);
}

void scope_enter_rule(struct relance_engine *e, const struct rule *rule, struct run *run)
{
    if (e->rule != rule || e->run != run) scope_forget(e);
    e->rule = rule;
    e->run = run;
}

void scope_set_envelope(struct relance_engine *e, str customer)
{
    struct cel_value *slots = &e->frame.slots[e->set->slots.event];
    slots[ENVELOPE_ID] = cel_string(e->event.id);
    slots[ENVELOPE_TYPE] = cel_string(e->event.type_name);
    slots[ENVELOPE_TIME] = cel_timestamp_ms(e->event.time_ms);
    slots[ENVELOPE_CUSTOMER] = cel_string(customer);
}

void scope_set_event(struct relance_engine *e)
{
    scope_set_envelope(e, customer_bare_id(e->customer));
}

/* ---- events as stored: {"id", "type", "time", field, …} */

static bool is_kept(const struct type_list *keeps, uint32_t number)
{
    size_t low = 0, high = keeps->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (keeps->types[middle] == number) return true;
        if (keeps->types[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* The present event: the envelope and what is wanted of its fields. Empty without memory. */
static str pack_event(struct relance_engine *e, const struct type_list *keeps, const uint32_t *fields,
                      size_t count)
{
    const struct typed_event *type = &e->set->types[e->event.type->number];
    const struct cel_value *slots = &e->frame.slots[e->set->slots.event + ENVELOPE_COUNT];
    size_t total = fields ? count : type->reader->field_count, present = 0;
    uint32_t *wanted = arena_alloc(&e->scratch, (total + 1) * sizeof *wanted); /* those that it has */
    /* what several types share is part of each of them: as many are all of this one */
    if (keeps && keeps->count == type->reader->field_count) keeps = NULL;
    for (size_t i = 0; wanted && i < total; i++) {
        uint32_t field = fields ? fields[i] : (uint32_t)i, number = type->fields[field];
        if (slots[number].kind > CEL_NULL && (!keeps || is_kept(keeps, number))) wanted[present++] = field;
    }
    struct buffer out;
    buffer_init(&out, &e->scratch);
    pack_map(&out, 3 + present);
    pack_str(&out, STR("id")), pack_str(&out, e->event.id);
    pack_raw(&out, type->packed_type), pack_int(&out, e->event.time_ms);
    for (size_t i = 0; i < present; i++) {
        pack_raw(&out, type->packed_names[wanted[i]]);
        pack_value(&out, slots[type->fields[wanted[i]]]);
    }
    out.failed |= !wanted;
    if (out.failed) e->failed = true;
    return out.failed ? (str){0} : buffer_str(&out);
}

static str pack_trigger(struct relance_engine *e, const struct type_list *keeps)
{
    if (e->trigger.event) return pack_event(e, keeps, NULL, 0);
    struct buffer out;
    buffer_init(&out, &e->scratch);
    pack_map(&out, 3);
    pack_str(&out, STR("id")), pack_str(&out, (str){0});
    pack_str(&out, STR("type")), pack_str(&out, e->trigger.type);
    pack_str(&out, STR("time")), pack_int(&out, e->trigger.shown_ms);
    if (out.failed) e->failed = true;
    return out.failed ? (str){0} : buffer_str(&out);
}

/* What is packed takes scratch only for a moment: an event may be packed for hundreds of runs. */
static struct kept_event *keep_packed(struct relance_engine *e, const struct type_list *keeps)
{
    struct arena_mark before = arena_mark(&e->scratch);
    str packed = pack_trigger(e, keeps);
    struct kept_event *event = NULL;
    if (e->kept && str_equal(kept_event_str(e->kept), packed))
        event = kept_event_share(e->kept);
    else if (packed.size && (event = or_fail(e, kept_event_new(&e->customers.pool, packed)))) {
        kept_event_release(&e->customers.pool, e->kept);
        e->kept = kept_event_share(event);
    }
    arena_rewind(&e->scratch, before);
    e->kept_fields = e->trigger.event ? keeps->types : NULL;
    return event;
}

/* An event is kept once for all runs that keep the same of it. */
struct kept_event *scope_keep_trigger(struct relance_engine *e, const struct type_list *keeps)
{
    bool is_there = e->kept && e->trigger.event && e->kept_fields == keeps->types;
    return is_there ? kept_event_share(e->kept) : keep_packed(e, keeps);
}

static struct bytes *pack_bytes(struct relance_engine *e, const struct type_list *keeps,
                                const uint32_t *fields, size_t count)
{
    struct arena_mark before = arena_mark(&e->scratch);
    str packed = pack_event(e, keeps, fields, count);
    struct bytes *bytes = packed.size ? or_fail(e, bytes_new(&e->customers.pool, packed)) : NULL;
    arena_rewind(&e->scratch, before);
    return bytes;
}

struct bytes *scope_pack_event(struct relance_engine *e, const uint32_t *fields, size_t count)
{
    return pack_bytes(e, NULL, fields, count);
}

struct bytes *scope_pack_answer(struct relance_engine *e, const struct type_list *keeps)
{
    return pack_bytes(e, keeps, NULL, 0);
}

/* Reads a stored event. place(slot context, type, envelope or declared field) says where a value goes. */
struct stored_event {
    const struct typed_event *type; /* NULL: no longer declared */
    struct cel_value envelope[ENVELOPE_COUNT];
    struct unpack in; /* at the first field */
    size_t left;      /* fields */
};

static struct stored_event open_event(struct relance_engine *e, str packed)
{
    struct stored_event stored = {.in = unpack_of(packed)};
    stored.left = unpack_map(&stored.in) - 3; /* id, type, time stand first: scope_pack_event */
    unpack_str(&stored.in);
    stored.envelope[ENVELOPE_ID] = cel_string(unpack_str(&stored.in));
    unpack_str(&stored.in);
    str type = unpack_str(&stored.in);
    stored.envelope[ENVELOPE_TYPE] = cel_string(type);
    unpack_str(&stored.in);
    stored.envelope[ENVELOPE_TIME] = cel_timestamp_ms(unpack_int(&stored.in));
    stored.envelope[ENVELOPE_CUSTOMER] = cel_string(customer_bare_id(e->customer));
    uint32_t number = names_find(&e->set->names.types, type);
    if (stored.in.bad || stored.left > LIMIT_EVENT_BYTES) stored.left = 0;
    stored.type = number == NAME_NONE ? NULL : &e->set->types[number];
    return stored;
}

/* The next field and its value; false at the end. *field is its index in the type's declaration. */
static bool next_field(struct relance_engine *e, struct stored_event *stored, size_t *field,
                       struct cel_value *value)
{
    while (stored->left > 0 && stored->type && !stored->in.bad) {
        stored->left--;
        str name = unpack_str(&stored->in);
        const struct event_type *type = stored->type->reader;
        for (*field = 0; *field < type->field_count && !str_equal(type->fields[*field].name, name);)
            ++*field;
        if (*field < type->field_count) {
            *value = unpack_value(&stored->in, type->fields[*field].type, &e->scratch);
            return !stored->in.bad;
        }
        unpack_skip(&stored->in);
    }
    return false;
}

/* ---- the event, for a while another one */

struct shadowed_event {
    size_t count;
    struct cel_value slots[];
};

struct shadowed_event *scope_shadow_event(struct relance_engine *e, str packed)
{
    size_t count = e->set->slots.trigger - e->set->slots.event, field;
    struct cel_value *slots = &e->frame.slots[e->set->slots.event], value;
    struct shadowed_event *shadowed =
        or_fail(e, arena_alloc(&e->scratch, sizeof *shadowed + count * sizeof *shadowed->slots));
    if (!shadowed) return NULL;
    shadowed->count = count;
    memcpy(shadowed->slots, slots, count * sizeof *slots);
    scope_forget(e);
    for (size_t i = 0; i < count; i++)
        slots[i] = absent;
    struct stored_event stored = open_event(e, packed);
    memcpy(slots, stored.envelope, sizeof stored.envelope);
    while (next_field(e, &stored, &field, &value))
        slots[ENVELOPE_COUNT + stored.type->fields[field]] = value;
    return shadowed;
}

void scope_unshadow_event(struct relance_engine *e, struct shadowed_event *shadowed)
{
    memcpy(&e->frame.slots[e->set->slots.event], shadowed->slots, shadowed->count * sizeof *shadowed->slots);
    scope_forget(e);
}

str scope_pack_whole(struct relance_engine *e)
{
    return pack_event(e, NULL, NULL, 0);
}

bool scope_unpack_whole(struct relance_engine *e, str packed)
{
    size_t count = e->set->slots.trigger - e->set->slots.event, field;
    struct cel_value *slots = &e->frame.slots[e->set->slots.event], value;
    struct stored_event stored = open_event(e, packed);
    int64_t time_ms = cel_timestamp_to_ms(stored.envelope[ENVELOPE_TIME]);
    bool possible = time_ms >= RFC3339_MS_MIN && time_ms <= RFC3339_MS_MAX; /* as of all that are read */
    if (stored.in.bad || !stored.type || !possible) return false;
    scope_forget(e);
    for (size_t i = 0; i < count; i++)
        slots[i] = absent;
    e->event.id = cel_text(stored.envelope[ENVELOPE_ID]);
    e->event.type_name = cel_text(stored.envelope[ENVELOPE_TYPE]);
    e->event.type = stored.type->reader;
    e->event.time_ms = time_ms;
    while (next_field(e, &stored, &field, &value))
        slots[ENVELOPE_COUNT + stored.type->fields[field]] = value;
    return true;
}

uint32_t scope_type_of_event(struct relance_engine *e, str packed)
{
    struct stored_event stored = open_event(e, packed);
    return stored.type ? stored.type->reader->number : NAME_NONE;
}

/* ---- triggers and answers */

/* What has been stored, into the slots that begin at `base` and are laid out as those of `event`. */
static void fill_stored(struct relance_engine *e, uint32_t base, str packed)
{
    struct stored_event stored = open_event(e, packed);
    for (size_t i = 0; i < ENVELOPE_COUNT; i++)
        fill(e, base + (uint32_t)i, stored.envelope[i]);
    size_t field;
    struct cel_value value;
    while (next_field(e, &stored, &field, &value))
        fill(e, base + ENVELOPE_COUNT + stored.type->fields[field], value);
}

/* The trigger before its run has begun: the event itself, or what there is of something else. */
static void resolve_trigger_event(struct relance_engine *e)
{
    if (!e->trigger.event) {
        fill(e, e->set->slots.trigger + ENVELOPE_TYPE, cel_string(e->trigger.type));
        fill(e, e->set->slots.trigger + ENVELOPE_TIME, cel_timestamp_ms(e->trigger.shown_ms));
        return;
    }
    const struct rule *rule = e->rule;
    uint32_t base = e->set->slots.trigger, event = e->set->slots.event;
    for (size_t i = 0; i < rule->trigger_record->field_count; i++)
        fill(e, base + rule->trigger_slots[i], e->frame.slots[event + rule->trigger_slots[i]]);
}

static str trigger_at(const struct run *run, uint32_t at)
{
    return kept_event_str(*VECTOR_AT(run->triggers, struct kept_event *, at));
}

static void resolve_trigger(struct relance_engine *e)
{
    if (!e->run) {
        resolve_trigger_event(e);
        return;
    }
    uint32_t base = e->set->slots.trigger;
    const struct rule *rule = e->rule;
    for (size_t i = 0; i < rule->trigger_record->field_count; i++)
        fill(e, base + rule->trigger_slots[i], absent);
    fill_stored(e, base, kept_event_str(*run_newest_trigger(e->run)));
}

/* One of its fields; those that the event does not have are absent. */
static void resolve_answer(struct relance_engine *e, uint32_t slot)
{
    fill(e, slot, absent);
    if (e->run && e->run->answer) fill_stored(e, e->set->slots.answer, bytes_str(e->run->answer));
}

static struct cel_value trigger_as_record(struct relance_engine *e, str packed)
{
    const struct rule *rule = e->rule;
    size_t count = rule->trigger_record->field_count;
    struct cel_record *record =
        or_fail(e, arena_alloc(&e->scratch, sizeof *record + count * sizeof *record->fields));
    if (!record) return absent;
    struct stored_event stored = open_event(e, packed);
    record->type = rule->trigger_record;
    for (size_t i = 0; i < count; i++)
        record->fields[i] =
            rule->trigger_slots[i] < ENVELOPE_COUNT ? stored.envelope[rule->trigger_slots[i]] : absent;
    size_t field;
    struct cel_value value;
    while (next_field(e, &stored, &field, &value))
        for (size_t i = 0; i < count; i++)
            if (rule->trigger_slots[i] == ENVELOPE_COUNT + stored.type->fields[field])
                record->fields[i] = value;
    return (struct cel_value){.kind = CEL_RECORD, .as.record = record};
}

static struct cel_value triggers_list(struct relance_engine *e)
{
    uint32_t count = e->run->triggers.count;
    struct cel_list *list = or_fail(e, arena_alloc(&e->scratch, sizeof *list + count * sizeof *list->items));
    if (!list) return absent;
    list->count = count;
    for (uint32_t i = 0; i < count; i++)
        list->items[i] = trigger_as_record(e, trigger_at(e->run, i));
    return (struct cel_value){.kind = CEL_LIST, .as.list = list};
}

static const struct typed_event *type_of_last_slot(const struct relance_ruleset *set, uint32_t slot)
{
    size_t low = 0, high = set->type_count;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (set->types[middle].last_slot <= slot)
            low = middle;
        else
            high = middle;
    }
    return &set->types[low];
}

static void resolve_last(struct relance_engine *e, uint32_t slot)
{
    const struct typed_event *type = type_of_last_slot(e->set, slot);
    const struct last_event *found = NULL;
    VECTOR_EACH (e->customer->state->lasts, struct last_event, last)
        if (last->type == type->reader->number) found = last;
    fill(e, last_presence_slot(type), cel_bool(found != NULL));
    for (size_t i = 0; i < type->record->field_count; i++)
        fill(e, last_field_slot(type, i), absent);
    if (!found) return;
    struct stored_event stored = open_event(e, bytes_str(found->packed));
    for (size_t i = 0; i < ENVELOPE_COUNT; i++)
        fill(e, last_field_slot(type, i), stored.envelope[i]);
    size_t field;
    struct cel_value value;
    while (next_field(e, &stored, &field, &value))
        fill(e, last_field_slot(type, ENVELOPE_COUNT + field), value);
}

/* ---- the customer */

struct cel_value attribute_value(struct relance_engine *e, uint32_t number)
{
    VECTOR_EACH (e->customer->state->attributes, struct attribute, attribute) {
        if (attribute->number != number || !attribute->packed) continue;
        struct unpack in = unpack_of(bytes_str(attribute->packed));
        return unpack_value(&in, e->set->attributes[number].type, &e->scratch);
    }
    return absent;
}

/* customer.tz reads as the default zone where it is absent or unknown. */
static void resolve_attribute(struct relance_engine *e, uint32_t slot)
{
    uint32_t number = slot - e->set->slots.attributes;
    fill(e, slot,
         number == e->set->tz_attribute ? cel_string(customer_zone_name(e)) : attribute_value(e, number));
}

/* ---- the run and the rule */

static const str run_outcomes[STATE_OUTCOMES] = {
#define OUTCOME(NAME, text) STR(text),
    STATE_OUTCOME_TABLE(OUTCOME)
#undef OUTCOME
};

/* The id of its last send is made when somebody asks, of whom it was sent to. */
static void resolve_action(struct relance_engine *e)
{
    const struct run *run = e->run;
    str id = {0}, sent_to = customer_id(e->customer);
    char visitor[RELANCE_VISITOR_NAME_BYTES];
    if (run->sent_to) sent_to = (str){visitor, relance_visitor_name(bytes_str(run->sent_to), visitor)};
    char *text = run->action_step ? or_fail(e, arena_alloc(&e->scratch, 32)) : NULL;
    if (text) id = action_id(e, sent_to, run, run->action_step - 1, text);
    fill(e, e->set->slots.run + RUN_ACTION, cel_string(id));
}

static void resolve_run(struct relance_engine *e)
{
    const struct run *run = e->run;
    uint32_t base = e->set->slots.run;
    fill(e, base + RUN_KEY, cel_string(bytes_str(run->key)));
    fill(e, base + RUN_VARIANT, cel_string(bytes_str(run->variant)));
    fill(e, base + RUN_STEP, cel_int((int64_t)run->step + 1));
    fill(e, base + RUN_STARTED, cel_timestamp_ms(run->started_ms));
    fill(e, base + RUN_SENT, cel_int(run->sent));
    fill(e, base + RUN_OUTCOME, cel_string(run_outcomes[run->outcome]));
    fill(e, base + RUN_ANSWERED, cel_bool(run->answer != NULL));
}

static void resolve_rule(struct relance_engine *e)
{
    fill(e, e->set->slots.rule + RULE_NAME, cel_string(e->rule->name));
    fill(e, e->set->slots.rule + RULE_PRIORITY, cel_int(e->rule->priority));
    fill(e, e->set->slots.rule + RULE_TAGS, (struct cel_value){.kind = CEL_LIST, .as.list = e->rule->tags});
}

static void scope_resolve(struct cel_frame *frame, uint32_t slot)
{
    struct relance_engine *e = frame->context;
    const struct slot_map *s = &e->set->slots;
    if (slot == s->customer_id)
        fill(e, slot, cel_string(customer_bare_id(e->customer)));
    else if (slot == s->customer_known)
        fill(e, slot, cel_bool(!customer_is_visitor(e->customer)));
    else if (slot < s->event)
        resolve_attribute(e, slot);
    else if (slot < s->answer)
        resolve_trigger(e);
    else if (slot < s->triggers)
        resolve_answer(e, slot);
    else if (slot == s->triggers)
        fill(e, slot, triggers_list(e));
    else if (slot == s->run + RUN_ACTION)
        resolve_action(e);
    else if (slot < s->rule)
        resolve_run(e);
    else if (slot < s->segments)
        resolve_rule(e);
    else if (slot < s->lasts)
        fill(e, slot, segment_value_now(e, slot - s->segments));
    else
        resolve_last(e, slot);
}

/* bucket(salt, n) = XXH3_64(salt NUL customer.id) mod n. */
static struct cel_value bucket(struct relance_engine *e, struct cel_value salt, struct cel_value n)
{
    if (n.as.i <= 0)
        return cel_fail(&e->frame, CEL_ERROR_ARGUMENT, "bucket() needs a positive number of buckets");
    if (!cel_charge(&e->frame, salt.size / 16)) return cel_int(0);
    struct arena_mark mark = arena_mark(&e->scratch);
    struct buffer text;
    buffer_init(&text, &e->scratch);
    buffer_put_str(&text, cel_text(salt));
    buffer_put_char(&text, '\0');
    buffer_put_str(&text, customer_id(e->customer));
    if (text.failed) return cel_fail(&e->frame, CEL_ERROR_MEMORY, "out of memory");
    uint64_t hash = XXH3_64bits(text.data, text.size);
    arena_rewind(&e->scratch, mark);
    return cel_int((int64_t)(hash % (uint64_t)n.as.i));
}

static struct cel_value scope_call(struct cel_frame *frame, uint32_t function,
                                   const struct cel_value *arguments)
{
    struct relance_engine *e = frame->context;
    uint32_t list = first_list_function(e->set), affinity = first_affinity_function(e->set);
    if (function >= affinity) return affinity_call(e, function - affinity, arguments);
    if (function >= list) return list_call(e, function - list);
    if (function == e->set->count_count + HOST_BUCKET) return bucket(e, arguments[0], arguments[1]);
    if (function > e->set->count_count)
        return sales_call(e, (enum host_function)(function - e->set->count_count), arguments);
    if (!cel_charge(frame, count_cost(e->customer->state))) return cel_int(0);
    return count_value_at(e, function, e->set->counts[function].by ? cel_text(arguments[0]) : (str){0});
}

bool scope_init(struct relance_engine *e)
{
    const struct slot_map *s = &e->set->slots;
    e->frame = (struct cel_frame){.scratch = &e->scratch,
                                  .context = e,
                                  .resolve = scope_resolve,
                                  .call = scope_call,
                                  .stop = e->options.stop,
                                  .stopped = e->frame.stopped};
    e->frame.slots = ARENA_ARRAY(&e->frame_arena, struct cel_value, s->total);
    e->resolved = ARENA_ARRAY(&e->frame_arena, uint32_t, s->total);
    e->resolved_count = 0;
    if (!e->frame.slots || !e->resolved) return false;
    for (uint32_t slot = s->event; slot < s->trigger; slot++)
        e->frame.slots[slot] = absent;
    return true;
}

/* ---- evaluating */

void engine_report_error(struct relance_engine *e, const char *sentence)
{
    e->errors++;
    if (!e->options.errors) return;
    const struct noted_program *noted = set_noted(e->set, e->asked);
    struct relance_decision decision = {
        .outcome = RELANCE_OUTCOME_ERROR, .why = str_of(sentence), .program = noted};
    if (noted && noted->owner.kind)
        decision.in = arena_format(&e->scratch, "%s %.*s", noted->owner.kind, STR_ARG(noted->owner.name));
    engine_decide(e, &decision);
}

struct cel_value engine_evaluate_quietly(struct relance_engine *e, const struct cel_program *program)
{
    if (cel_frame_stopped(&e->frame)) return cel_fail(&e->frame, CEL_ERROR_STOPPED, "stopped");
    struct cel_value value = cel_eval(program, &e->frame);
    e->asked = program; /* only now: what it reads may have been evaluated meanwhile */
    if (value.kind == CEL_ERROR && value.code == CEL_ERROR_MEMORY)
        e->failed = true; /* else the answer would depend on the machine */
    return value;
}

struct cel_value engine_evaluate(struct relance_engine *e, const struct cel_program *program)
{
    struct cel_value value = engine_evaluate_quietly(e, program);
    if (value.kind == CEL_ERROR) engine_report_error(e, e->frame.error);
    return value;
}

bool condition_holds(struct relance_engine *e, const struct noted_program *condition)
{
    if (!condition) return true;
    struct cel_value value = engine_evaluate(e, condition->program);
    if (value.kind != CEL_BOOL && value.kind != CEL_ERROR)
        engine_report_error(e, "this condition is neither true nor false");
    bool is_true = value.kind == CEL_BOOL && value.as.b;
    cover_condition(e, condition, is_true);
    return is_true;
}

/* The text of a key, or of a value of `by`; false: it has none, and why has been reported. */
static bool text_of(struct relance_engine *e, struct cel_value value, str *out)
{
    struct buffer text;
    if (value.kind == CEL_STRING) {
        *out = cel_text(value);
        if (out->size <= LIMIT_KEY_BYTES) return true;
        engine_report_error(e, arena_format(&e->scratch,
                                            "a key or a value of 'by' has %zu bytes; at most %d are taken",
                                            out->size, LIMIT_KEY_BYTES)
                                   .data);
        return false;
    }
    if (value.kind != CEL_INT && value.kind != CEL_UINT && value.kind != CEL_BOOL) {
        engine_report_error(e, "a key must be a string, int, uint or bool, or a list of them");
        return false;
    }
    buffer_init(&text, &e->scratch);
    cel_print(value, &text);
    *out = buffer_str(&text);
    return !text.failed;
}

bool texts_have(struct texts texts, str text)
{
    for (size_t i = 0; i < texts.count; i++)
        if (str_equal(texts.list[i], text)) return true;
    return false;
}

static bool list_texts(struct relance_engine *e, const struct cel_list *list, struct texts *out)
{
    struct names distinct;
    if (list->count > LIMIT_KEYS) {
        engine_report_error(
            e, arena_format(&e->scratch, "a list of %zu keys; at most %d are taken", list->count, LIMIT_KEYS)
                   .data);
        return false;
    }
    if (!names_init(&distinct, &e->scratch, list->count)) return or_fail(e, NULL);
    for (size_t i = 0; i < list->count; i++) {
        str text;
        if (!text_of(e, list->items[i], &text)) return false;
        names_add(&distinct, text);
    }
    *out = (struct texts){distinct.list, distinct.count};
    return true;
}

bool engine_evaluate_texts(struct relance_engine *e, const struct cel_program *program, struct texts *out)
{
    struct cel_value value = engine_evaluate(e, program);
    *out = (struct texts){0};
    if (value.kind == CEL_ERROR) return false;
    if (value.kind == CEL_LIST) return list_texts(e, value.as.list, out);
    str *text = or_fail(e, arena_alloc(&e->scratch, sizeof *text));
    if (!text || !text_of(e, value, text)) return false;
    *out = (struct texts){text, 1};
    return true;
}
