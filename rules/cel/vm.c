/* The VM: a stack machine over verified programs.
 *
 * Errors are values: an operator that meets one passes it on, and only logic and loops absorb it. An error that
 * has a name in it (an absent field) is put into words at the end of the evaluation, if it gets that far: most
 * are absorbed, and printing costs more than evaluating.
 *
 *     stack of a loop:  container  cursor  result  name  [name]  | body …
 *
 * A list or map under construction is marked in `spare` and knows its capacity in `size`; only such a one is
 * ever written to. */
#include "cel/code.h"

#include "base/ensure.h"
#include "base/limits.h"

enum { BUILDING = 1, SHORT_TEXT = 64 };

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define APART       __attribute__((noinline)) /* what the dispatcher's registers are not to be shared with */

static struct cel_value absent_field(struct cel_value name)
{
    return (struct cel_value){
        .kind = CEL_ERROR, .code = CEL_ERROR_NO_FIELD, .size = name.size, .as.s = name.as.s};
}

/* A value, or the error that takes its place where its making has ended the evaluation. */
static inline struct cel_value ended(struct machine *m, struct cel_value v)
{
    return UNLIKELY(machine_ended(m)) ? machine_out_of_steps(m) : v;
}

/* ---- slots */

static struct cel_value slot_resolved(struct cel_frame *frame, uint32_t slot)
{
    if (frame->slots[slot].kind == CEL_UNSET && frame->resolve) frame->resolve(frame, slot);
    return frame->slots[slot];
}

static inline struct cel_value slot_value(struct cel_frame *frame, uint32_t slot, struct cel_value name)
{
    struct cel_value v = frame->slots[slot];
    if (LIKELY(v.kind > CEL_ABSENT)) return v;
    v = slot_resolved(frame, slot);
    return v.kind > CEL_ABSENT ? v : absent_field(name);
}

static struct cel_value slot_optional(struct machine *m, uint32_t slot)
{
    struct cel_value v = slot_resolved(m->frame, slot);
    if (v.kind == CEL_ERROR) return v;
    return v.kind > CEL_ABSENT ? optional_new(m, v) : optional_none();
}

static struct cel_value whole_record(struct machine *m, const struct whole_record *whole)
{
    size_t count = whole->type->field_count;
    if (whole->presence != CEL_NO_SLOT) {
        struct cel_value there = slot_resolved(m->frame, whole->presence);
        if (there.kind == CEL_ERROR) return there;
        if (there.kind != CEL_BOOL || !there.as.b) return absent_field(cel_string(whole->type->name));
    }
    struct cel_record *record = machine_alloc(m, sizeof *record + count * sizeof record->fields[0]);
    if (!record) return machine_exhausted(m);
    record->type = whole->type;
    for (size_t i = 0; i < count; i++) {
        struct cel_value v = slot_resolved(m->frame, whole->slots[i]);
        if (v.kind == CEL_ERROR) return v;
        if (v.kind == CEL_UNSET) v.kind = CEL_ABSENT;
        record->fields[i] = v;
    }
    return (struct cel_value){.kind = CEL_RECORD, .as.record = record};
}

/* Of a record that has it not, and of whatever is no such record. */
APART static struct cel_value field_missing(struct machine *m, struct cel_value v, uint32_t field,
                                            struct cel_value name)
{
    if (v.kind == CEL_ERROR) return v;
    if (v.kind == CEL_RECORD && field < v.as.record->type->field_count) return absent_field(name);
    return ended(m, value_select(m, v, cel_text(name)));
}

static inline struct cel_value field_value(struct machine *m, struct cel_value v, uint32_t field,
                                           struct cel_value name)
{
    if (LIKELY(v.kind == CEL_RECORD && field < v.as.record->type->field_count &&
               v.as.record->fields[field].kind > CEL_ABSENT))
        return v.as.record->fields[field];
    return field_missing(m, v, field, name);
}

static struct cel_value field_presence(struct machine *m, struct cel_value v, uint32_t field,
                                       struct cel_value name)
{
    if (v.kind != CEL_RECORD || field >= v.as.record->type->field_count)
        return ended(m, value_has(m, v, cel_text(name)));
    return cel_bool(v.as.record->fields[field].kind > CEL_ABSENT);
}

/* ---- calls */

static bool callee_takes(const struct callee *callee, const struct cel_value *arguments, uint32_t count)
{
    if (callee->count != count) return false;
    for (uint32_t i = 0; i < count; i++)
        if (!(callee->kinds[i] >> arguments[i].kind & 1)) return false;
    return true;
}

static struct cel_value call_host(struct machine *m, uint32_t number, const struct cel_value *arguments)
{
    m->frame->machine = m;
    return ended(m, m->frame->call(m->frame, number, arguments));
}

static struct cel_value call(struct machine *m, const struct call_site *site,
                             const struct cel_value *arguments, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (UNLIKELY(arguments[i].kind <= CEL_ERROR)) return arguments[i];
    for (size_t i = 0; i < site->count; i++) {
        const struct callee *callee = &site->callees[i];
        if (!callee_takes(callee, arguments, count)) continue;
        if (callee->body) return func_run(m, callee->body, arguments);
        return call_host(m, callee->number, arguments);
    }
    return cel_fail(m->frame, CEL_ERROR_NO_OVERLOAD, "no such overload: %.*s", STR_ARG(site->name));
}

static struct cel_value binary(struct machine *m, func_body *body, const struct cel_value *operands)
{
    if (operands[0].kind == CEL_ERROR) return operands[0];
    if (operands[1].kind == CEL_ERROR) return operands[1];
    return func_run(m, body, operands);
}

static struct cel_value unary(struct machine *m, func_body *body, const struct cel_value *operand)
{
    return operand->kind == CEL_ERROR ? *operand : func_run(m, body, operand);
}

/* ---- logic */

/* What is left when neither side decides: the first error, as everywhere, or `rest`. */
static struct cel_value undecided(struct machine *m, struct cel_value a, struct cel_value b, bool rest)
{
    if (a.kind == CEL_ERROR) return a;
    if (b.kind == CEL_ERROR) return b;
    if (a.kind != CEL_BOOL || b.kind != CEL_BOOL) return fail_overload(m, rest ? "_&&_" : "_||_");
    return cel_bool(rest);
}

static struct cel_value logic(struct machine *m, struct cel_value a, struct cel_value b, bool decisive)
{
    if (a.kind == CEL_BOOL && a.as.b == decisive) return a;
    if (b.kind == CEL_BOOL && b.as.b == decisive) return b;
    return undecided(m, a, b, !decisive);
}

/* A condition that is no bool, as an error. */
static struct cel_value not_a_condition(struct machine *m, struct cel_value v)
{
    return v.kind == CEL_ERROR ? v : fail_overload(m, "condition");
}

/* ---- lists and maps under construction */

static struct cel_value building_list(struct machine *m, size_t capacity)
{
    struct cel_list *list = list_new(m, capacity);
    if (!list) return machine_exhausted(m);
    return (struct cel_value){
        .kind = CEL_LIST, .spare = BUILDING, .size = (uint32_t)capacity, .as.list = list};
}

static void append(struct machine *m, struct cel_value *target, struct cel_value v)
{
    if (target->kind == CEL_ERROR) return;
    if (v.kind == CEL_ERROR) {
        *target = v;
        return;
    }
    struct cel_list *list = (struct cel_list *)target->as.list;
    if (UNLIKELY(target->kind != CEL_LIST || target->spare != BUILDING || list->count >= target->size)) {
        *target = fail_overload(m, "append");
        return;
    }
    list->items[list->count++] = v;
}

static struct cel_value building_map(struct machine *m, size_t capacity)
{
    m->over = capacity > LIMIT_CEL_ARENA_BYTES / sizeof(struct cel_entry);
    struct cel_map *map = m->over ? NULL : machine_alloc(m, sizeof *map + capacity * sizeof map->entries[0]);
    if (!map) return machine_exhausted(m);
    *map = (struct cel_map){0};
    return (struct cel_value){.kind = CEL_MAP, .spare = BUILDING, .size = (uint32_t)capacity, .as.map = map};
}

static struct cel_value duplicate_key(struct machine *m)
{
    return cel_fail(m->frame, CEL_ERROR_ARGUMENT, "the same key twice in a map");
}

/* The index of a map is no value that the expression has made: it does not count as such. */
static void put_new(struct machine *m, struct cel_value *target, struct cel_map *map, struct cel_entry entry)
{
    struct arena *arena = m->frame->scratch;
    size_t used = arena->used;
    enum map_added added = map_add(m, arena, map, target->size, entry);
    m->used_max += arena->used - used;
    if (added == MAP_HAS_IT) *target = duplicate_key(m);
    if (added == MAP_NO_MEMORY) *target = cel_fail(m->frame, CEL_ERROR_MEMORY, "out of memory");
    *target = ended(m, *target);
}

static void put(struct machine *m, struct cel_value *target, struct cel_value key, struct cel_value v)
{
    if (target->kind == CEL_ERROR) return;
    if (key.kind == CEL_ERROR || v.kind == CEL_ERROR) {
        *target = key.kind == CEL_ERROR ? key : v;
        return;
    }
    struct cel_map *map = (struct cel_map *)target->as.map;
    if (UNLIKELY(target->kind != CEL_MAP || target->spare != BUILDING || map->count >= target->size)) {
        *target = fail_overload(m, "put");
    } else if (!key_kind(key.kind)) {
        *target = cel_fail(m->frame, CEL_ERROR_NO_OVERLOAD, "unsupported kind of map key");
    } else {
        put_new(m, target, map, (struct cel_entry){key, v});
    }
}

/* What [?x] and {?k: x} hold: CEL_UNSET for nothing. */
static struct cel_value held(struct machine *m, struct cel_value v)
{
    if (v.kind == CEL_ERROR) return v;
    if (v.kind != CEL_OPTIONAL) return fail_overload(m, "optional entry");
    return v.as.optional ? *v.as.optional : (struct cel_value){.kind = CEL_UNSET};
}

/* A finished list or map: nobody may write to it again. */
static inline void seal(struct cel_value *v)
{
    if (v->kind != CEL_LIST && v->kind != CEL_MAP) return;
    v->spare = 0;
    v->size = 0;
}

/* ---- loops */

static size_t container_count(struct cel_value v)
{
    return v.kind == CEL_LIST ? v.as.list->count : v.kind == CEL_MAP ? v.as.map->count : 0;
}

static struct cel_value loop_result(struct machine *m, enum loop_kind kind, struct cel_value container)
{
    switch (kind) {
    case LOOP_ALL: return cel_bool(true);
    case LOOP_EXISTS: return cel_bool(false);
    case LOOP_ONE: return cel_int(0);
    case LOOP_LIST: return building_list(m, container_count(container));
    case LOOP_MAP:
    case LOOP_MAP_ENTRY: return building_map(m, container_count(container));
    }
    return cel_int(0);
}

/* Fills base[0 … 2 + names]; false: base[0] is an error. */
static bool loop_begin(struct machine *m, struct cel_value *base, enum loop_kind kind, size_t names)
{
    if (base->kind == CEL_ERROR) return false;
    if (base->kind != CEL_LIST && base->kind != CEL_MAP) {
        *base = fail_overload(m, "a loop goes over a list or a map");
        return false;
    }
    struct cel_value result = loop_result(m, kind, *base);
    if (result.kind == CEL_ERROR) {
        *base = result;
        return false;
    }
    base[1] = cel_int(0);
    base[2] = result;
    for (size_t i = 0; i < names; i++)
        base[3 + i] = (struct cel_value){.kind = CEL_NULL};
    return true;
}

/* Sets the names for the next round; false at the end. */
static inline bool loop_next(struct cel_value *base, size_t names)
{
    if (UNLIKELY(base[1].kind != CEL_INT)) return false;
    uint64_t at = base[1].as.u++;
    if (LIKELY(base->kind == CEL_LIST)) {
        if (at >= base->as.list->count) return false;
        base[3] = names == 2 ? cel_int((int64_t)at) : base->as.list->items[at];
        if (names == 2) base[4] = base->as.list->items[at];
        return true;
    }
    if (base->kind != CEL_MAP || at >= base->as.map->count) return false;
    base[3] = base->as.map->entries[at].key;
    if (names == 2) base[4] = base->as.map->entries[at].value;
    return true;
}

static void collect_map(struct machine *m, struct cel_value *target, struct cel_value entry)
{
    if (entry.kind != CEL_MAP || entry.as.map->count > 1) {
        *target = not_a_condition(m, entry);
        return;
    }
    if (entry.as.map->count) put(m, target, entry.as.map->entries[0].key, entry.as.map->entries[0].value);
}

static void loop_done(struct cel_value *base, enum loop_kind kind)
{
    struct cel_value result = base[2];
    if (kind == LOOP_ONE && result.kind == CEL_INT) result = cel_bool(result.as.i == 1);
    seal(&result);
    *base = result;
}

/* Comparing short texts is within what the instruction costs. */
static inline bool text_pays(struct machine *m, size_t size)
{
    return LIKELY(size <= SHORT_TEXT) || machine_touch(m, size);
}

/* ---- tables */

/* Texts that begin and end alike lie beside each other; those of sixteen bytes and less are the same. */
APART static bool strings_have(struct machine *m, const struct table *table, str s, struct text_ends ends,
                               uint32_t i)
{
    enum { ALL_OF_IT = 16 };
    for (;; i = (i + 1) & table->mask) {
        const struct table_place *place = &table->places[i];
        if (!place->text.data) return false;
        bool near =
            place->ends.head == ends.head && place->ends.tail == ends.tail && place->text.size == s.size;
        if (near && (s.size <= ALL_OF_IT || (text_pays(m, s.size) && text_same(s, place->text)))) return true;
        if (UNLIKELY(!machine_touch(m, STEP_UNITS / 4))) return false;
    }
}

/* The first place answers most questions. */
static inline bool text_in_table(struct machine *m, const struct table *table, str s)
{
    struct text_ends ends = text_ends(s);
    uint32_t i = text_hash(ends, s.size) & table->mask;
    return table->places[i].text.data && strings_have(m, table, s, ends, i);
}

APART static bool others_have(struct machine *m, const struct table *table, struct cel_value v)
{
    const struct cel_list *list = table->list.as.list;
    if (table->index) return *value_index_place(m, table->index, list->items, 1, v) != 0;
    for (size_t i = 0; i < list->count && list_touch(m, 1); i++)
        if (value_is(m, list->items[i], v)) return true;
    return false;
}

static inline bool table_has(struct machine *m, const struct table *table, struct cel_value v)
{
    if (!table->strings) return others_have(m, table, v);
    return v.kind == CEL_STRING && text_in_table(m, table, cel_text(v));
}

static struct cel_value in_table(struct machine *m, const struct table *table, struct cel_value v)
{
    if (v.kind == CEL_ERROR) return v;
    return ended(m, cel_bool(table_has(m, table, v)));
}

static struct cel_value match(struct machine *m, const struct regex *regex, struct cel_value v)
{
    if (v.kind == CEL_ERROR) return v;
    if (v.kind != CEL_STRING) return fail_overload(m, "matches");
    return ended(m, cel_bool(match_pattern(m, regex, cel_text(v))));
}

/* ---- texts */

static struct cel_value concat(struct machine *m, const struct cel_value *texts, uint32_t count)
{
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (texts[i].kind == CEL_ERROR) return texts[i];
        if (texts[i].kind != CEL_STRING) return fail_overload(m, "_+_");
        size += texts[i].size;
    }
    char *text = machine_touch(m, size) ? machine_alloc(m, size) : NULL, *at = text;
    if (!text) return machine_exhausted(m);
    for (uint32_t i = 0; i < count; at += texts[i].size, i++)
        if (texts[i].size) memcpy(at, texts[i].as.s, texts[i].size);
    return cel_string((str){text, size});
}

/* ---- the end */

static struct cel_value finish(struct cel_frame *frame, struct cel_value v)
{
    if (v.kind == CEL_ERROR && v.as.s) {
        str name = cel_text(v);
        return cel_fail(frame, v.code, "no such field '%.*s'", STR_ARG(name));
    }
    return v;
}

static inline bool text_starts(struct cel_value a, struct cel_value b)
{
    return a.size >= b.size && (!b.size || memcmp(a.as.s, b.as.s, b.size) == 0);
}

/* An instruction a paragraph, laid out by hand. */
/* clang-format off */

/* A fused test. `slot` is read in place; when it is not of the expected kind it is asked for once, and if that
 * does not help the condition is evaluated in full. */
#define TEST(name, expected, condition)                                                                      \
    CASE(IF_##name): TEST_ONE(expected, condition, true)                                                     \
    CASE(UNLESS_##name): TEST_ONE(expected, condition, false)
#define TEST_ONE(expected, condition, sense)                                                                 \
    {                                                                                                        \
        struct cel_value v = slots[at->a];                                                                   \
        if (UNLIKELY(v.kind != (expected))) {                                                                \
            v = slot_resolved(frame, at->a);                                                                 \
            if (v.kind != (expected)) {                                                                      \
                at += at->n;                                                                                 \
                GO;                                                                                          \
            }                                                                                                \
        }                                                                                                    \
        at = (condition) == (sense) ? code + at->c : at + 1;                                                 \
        GO;                                                                                                  \
    }

/* One of a text that pays first, and says whether it could. In full, it finds the evaluation ended and says so. */
#define TEST_TEXT(name, pays, condition)                                                                     \
    CASE(IF_##name)                                                                                          \
        : TEST_ONE_TEXT(pays, condition, true) CASE(UNLESS_##name) : TEST_ONE_TEXT(pays, condition, false)
#define TEST_ONE_TEXT(pays, condition, sense)                                                                \
    {                                                                                                        \
        bool has;                                                                                            \
        struct cel_value v = slots[at->a];                                                                   \
        if (UNLIKELY(v.kind != CEL_STRING)) v = slot_resolved(frame, at->a);                                 \
        if (UNLIKELY(v.kind != CEL_STRING || !(pays))) {                                                     \
            at += at->n;                                                                                     \
            GO;                                                                                              \
        }                                                                                                    \
        at = (condition) == (sense) ? code + at->c : at + 1;                                                 \
        GO;                                                                                                  \
    }

#define ARITHMETIC(name, overflows, sign, body)                                                              \
    CASE(name): {                                                                                            \
        int64_t sum;                                                                                         \
        top--;                                                                                               \
        if (top[0].kind == CEL_DOUBLE && top[1].kind == CEL_DOUBLE)                                          \
            top[0].as.d = top[0].as.d sign top[1].as.d;                                                      \
        else if (top[0].kind == CEL_INT && top[1].kind == CEL_INT &&                                         \
                 !overflows(top[0].as.i, top[1].as.i, &sum))                                                 \
            top[0].as.i = sum;                                                                               \
        else                                                                                                 \
            top[0] = binary(&m, body, top);                                                                  \
        NEXT;                                                                                                \
    }

#define COMPARISON(name, sign, body)                                                                         \
    CASE(name): {                                                                                            \
        top--;                                                                                               \
        if (top[0].kind == CEL_INT && top[1].kind == CEL_INT)                                                \
            top[0] = cel_bool(top[0].as.i sign top[1].as.i);                                                 \
        else if (top[0].kind == CEL_DOUBLE && top[1].kind == CEL_DOUBLE)                                     \
            top[0] = cel_bool(top[0].as.d sign top[1].as.d);                                                 \
        else                                                                                                 \
            top[0] = binary(&m, body, top);                                                                  \
        NEXT;                                                                                                \
    }

#define BINARY(name, body)                                                                                   \
    CASE(name): {                                                                                            \
        top--;                                                                                               \
        top[0] = binary(&m, body, top);                                                                      \
        NEXT;                                                                                                \
    }

#define CASE(name) run_##name
#define GO         goto *targets[at->op]
#define NEXT                                                                                                 \
    do {                                                                                                     \
        at++;                                                                                                \
        GO;                                                                                                  \
    } while (0)
#define JUMP_TO(place)                                                                                       \
    do {                                                                                                     \
        at = code + (place);                                                                                 \
        GO;                                                                                                  \
    } while (0)

struct cel_value cel_eval(const struct cel_program *program, struct cel_frame *frame)
{
    static const void *const targets[OPCODE_COUNT] = {
#define OPCODE(name, text, pops, pushes, a, b, c) [OP_##name] = &&run_##name,
#include "cel/opcode.def"
#undef OPCODE
    };
    struct cel_value room[LIMIT_CEL_STACK + 1], *const stack = room + 1;
    struct machine m = {.frame = frame,
                        .zones = program->zones,
                        .units = MACHINE_SLICE,
                        .rest = MACHINE_UNITS - MACHINE_SLICE,
                        .used_max = frame->scratch->used + LIMIT_CEL_ARENA_BYTES};
    const struct cel_value *constants = program->constants, *slots = frame->slots;
    const struct insn *code = program->code, *at = code;
    struct cel_value *top = room; /* the last value pushed */
    if (UNLIKELY(frame->steps_left != NULL)) machine_share(&m);
    GO;

    CASE(CONSTANT):
        *++top = constants[at->a];
        NEXT;
    CASE(LOAD):
        *++top = slot_value(frame, at->a, constants[at->b]);
        NEXT;
    CASE(LOAD_OPTIONAL):
        *++top = slot_optional(&m, at->a);
        NEXT;
    CASE(LOCAL):
        top[1] = stack[at->a];
        top++;
        NEXT;
    CASE(LOCAL_FIELD):
        top[1] = field_value(&m, stack[at->a], at->b, constants[at->c]);
        top++;
        NEXT;
    CASE(FIELD):
        *top = field_value(&m, *top, at->b, constants[at->c]);
        NEXT;
    CASE(SELECT):
        if (top->kind != CEL_ERROR) *top = ended(&m, value_select(&m, *top, cel_text(constants[at->a])));
        NEXT;
    CASE(SELECT_OPTIONAL):
        if (top->kind != CEL_ERROR) *top = ended(&m, value_select_optional(&m, *top, cel_text(constants[at->a])));
        NEXT;
    CASE(HAS_SLOT): {
        struct cel_value v = slot_resolved(frame, at->a);
        *++top = v.kind == CEL_ERROR ? v : cel_bool(v.kind > CEL_ABSENT);
        NEXT;
    }
    CASE(PRESENT): {
        struct cel_value v = slot_resolved(frame, at->a);
        *++top = v.kind == CEL_ERROR ? v : cel_bool(v.kind == CEL_BOOL && v.as.b);
        NEXT;
    }
    CASE(HAS_FIELD):
        if (top->kind != CEL_ERROR) *top = field_presence(&m, *top, at->b, constants[at->c]);
        NEXT;
    CASE(HAS):
        if (top->kind != CEL_ERROR) *top = ended(&m, value_has(&m, *top, cel_text(constants[at->a])));
        NEXT;
    CASE(RECORD):
        *++top = whole_record(&m, &program->records[at->a]);
        NEXT;
    CASE(FAIL):
        *++top = cel_fail(frame, (enum cel_error_code)at->b, "%.*s", STR_ARG(cel_text(constants[at->a])));
        NEXT;

    ARITHMETIC(ADD, __builtin_add_overflow, +, op_add)
    ARITHMETIC(SUBTRACT, __builtin_sub_overflow, -, op_subtract)
    ARITHMETIC(MULTIPLY, __builtin_mul_overflow, *, op_multiply)
    BINARY(DIVIDE, op_divide)
    BINARY(MODULO, op_modulo)
    COMPARISON(EQUAL, ==, op_equal)
    COMPARISON(UNEQUAL, !=, op_unequal)
    COMPARISON(LESS, <, op_less)
    COMPARISON(LESS_EQUAL, <=, op_less_equal)
    COMPARISON(GREATER, >, op_greater)
    COMPARISON(GREATER_EQUAL, >=, op_greater_equal)
    BINARY(IN, op_in)
    BINARY(INDEX, op_index)
    BINARY(INDEX_OPTIONAL, op_index_optional)
    CASE(NOT):
        *top = unary(&m, op_not, top);
        NEXT;
    CASE(NEGATE):
        *top = unary(&m, op_negate, top);
        NEXT;
    CASE(IN_TABLE):
        *top = in_table(&m, &program->tables[at->a], *top);
        NEXT;
    CASE(MATCH):
        *top = match(&m, program->regexes[at->a], *top);
        NEXT;
    CASE(CONCAT):
        top -= at->n;
        top[1] = concat(&m, top + 1, at->n);
        top++;
        NEXT;
    CASE(CALL):
        top -= at->n;
        top[1] = call(&m, &program->sites[at->a], top + 1, at->n);
        top++;
        NEXT;

    CASE(JUMP):
        JUMP_TO(at->c);
    CASE(AND_JUMP):
        if (top->kind == CEL_BOOL && !top->as.b) JUMP_TO(at->c);
        NEXT;
    CASE(OR_JUMP):
        if (top->kind == CEL_BOOL && top->as.b) JUMP_TO(at->c);
        NEXT;
    CASE(AND):
        top--;
        *top = logic(&m, top[0], top[1], false);
        NEXT;
    CASE(OR):
        top--;
        *top = logic(&m, top[0], top[1], true);
        NEXT;
    CASE(BRANCH): {
        if (LIKELY(top->kind == CEL_BOOL)) {
            top--;
            if (top[1].as.b) NEXT;
            JUMP_TO(at->b);
        }
        *top = not_a_condition(&m, *top);
        JUMP_TO(at->c);
    }
    CASE(VALUE_JUMP): {
        if (top->kind == CEL_ERROR) JUMP_TO(at->c);
        if (top->kind != CEL_OPTIONAL || !top->as.optional) NEXT;
        if (at->a) *top = *top->as.optional;
        JUMP_TO(at->c);
    }
    CASE(THERE_JUMP):
        if (top->kind == CEL_OPTIONAL && top->as.optional) *top = *top->as.optional;
        if (top->kind != CEL_OPTIONAL && !cel_is_missing(*top)) JUMP_TO(at->c);
        top--;
        NEXT;

    CASE(LIST):
        *++top = building_list(&m, at->a);
        NEXT;
    CASE(APPEND):
        top--;
        append(&m, top, top[1]);
        NEXT;
    CASE(APPEND_OPTIONAL): {
        struct cel_value v = held(&m, *top--);
        if (v.kind != CEL_UNSET) append(&m, top, v);
        NEXT;
    }
    CASE(MAP):
        *++top = building_map(&m, at->a);
        NEXT;
    CASE(PUT):
        top -= 2;
        put(&m, top, top[1], top[2]);
        NEXT;
    CASE(PUT_OPTIONAL): {
        struct cel_value v = held(&m, *top);
        top -= 2;
        if (v.kind != CEL_UNSET) put(&m, top, top[1], v);
        NEXT;
    }
    CASE(SEAL):
        seal(top);
        NEXT;

    CASE(LOOP): {
        if (!loop_begin(&m, top, at->b, at->n)) JUMP_TO(at->c);
        top += 2 + at->n;
        NEXT;
    }
    CASE(NEXT): {
        struct cel_value *base = stack + at->a;
        if (!loop_next(base, at->n)) JUMP_TO(at->c);
        if (LIKELY(machine_spend(&m, at->b))) NEXT;
        base[2] = machine_out_of_steps(&m);
        JUMP_TO(at->c);
    }
    CASE(KEEP): {
        top--;
        if (top[1].kind != CEL_BOOL) {
            stack[at->a + 2] = not_a_condition(&m, top[1]);
            JUMP_TO(at->c);
        }
        if (top[1].as.b) NEXT;
        JUMP_TO(at->b);
    }
    CASE(ALL): {
        struct cel_value *result = stack + at->a + 2;
        top--;
        *result = logic(&m, *result, top[1], false);
        JUMP_TO(result->kind == CEL_BOOL && !result->as.b ? at->c : at->b);
    }
    CASE(EXISTS): {
        struct cel_value *result = stack + at->a + 2;
        top--;
        *result = logic(&m, *result, top[1], true);
        JUMP_TO(result->kind == CEL_BOOL && result->as.b ? at->c : at->b);
    }
    CASE(ONE): {
        struct cel_value *result = stack + at->a + 2;
        top--;
        if (top[1].kind != CEL_BOOL || result->kind != CEL_INT) {
            *result = not_a_condition(&m, top[1]);
            JUMP_TO(at->c);
        }
        result->as.u += top[1].as.b;
        JUMP_TO(at->b);
    }
    CASE(COLLECT): {
        struct cel_value *result = stack + at->a + 2;
        top--;
        append(&m, result, top[1]);
        JUMP_TO(result->kind == CEL_ERROR ? at->c : at->b);
    }
    CASE(COLLECT_ENTRY): {
        struct cel_value *result = stack + at->a + 2;
        top--;
        put(&m, result, result[1], top[1]);
        JUMP_TO(result->kind == CEL_ERROR ? at->c : at->b);
    }
    CASE(COLLECT_MAP): {
        struct cel_value *result = stack + at->a + 2;
        top--;
        collect_map(&m, result, top[1]);
        JUMP_TO(result->kind == CEL_ERROR ? at->c : at->b);
    }
    CASE(DONE): {
        loop_done(stack + at->a, at->b);
        top = stack + at->a;
        NEXT;
    }
    CASE(SLIDE):
        stack[at->a] = *top;
        top = stack + at->a;
        NEXT;

    TEST_TEXT(EQUAL_STRING, text_pays(&m, constants[at->b].size),
              has = text_same(cel_text(v), cel_text(constants[at->b])))
    TEST_TEXT(STARTS_WITH, text_pays(&m, constants[at->b].size), has = text_starts(v, constants[at->b]))
    TEST_TEXT(IN_TABLE, (has = table_has(&m, &program->tables[at->b], v), !machine_ended(&m)), has)
    TEST(EQUAL_INT, CEL_INT, v.as.i == constants[at->b].as.i)
    TEST(LESS_INT, CEL_INT, v.as.i < constants[at->b].as.i)
    TEST(GREATER_INT, CEL_INT, v.as.i > constants[at->b].as.i)
    TEST(EQUAL_DOUBLE, CEL_DOUBLE, v.as.d == constants[at->b].as.d)
    TEST(LESS_DOUBLE, CEL_DOUBLE, v.as.d < constants[at->b].as.d)
    TEST(LESS_EQUAL_DOUBLE, CEL_DOUBLE, v.as.d <= constants[at->b].as.d)
    TEST(GREATER_DOUBLE, CEL_DOUBLE, v.as.d > constants[at->b].as.d)
    TEST(GREATER_EQUAL_DOUBLE, CEL_DOUBLE, v.as.d >= constants[at->b].as.d)
    TEST(TRUE, CEL_BOOL, v.as.b)
    CASE(IF_HAS): {
        struct cel_value v = slot_resolved(frame, at->a);
        if (v.kind == CEL_ERROR)
            at += at->n;
        else
            at = v.kind > CEL_ABSENT ? code + at->c : at + 1;
        GO;
    }
    CASE(UNLESS_HAS): {
        struct cel_value v = slot_resolved(frame, at->a);
        if (v.kind == CEL_ERROR)
            at += at->n;
        else
            at = v.kind > CEL_ABSENT ? at + 1 : code + at->c;
        GO;
    }

    CASE(RETURN):
        if (UNLIKELY(frame->steps_left != NULL)) machine_settle(&m);
        return finish(frame, *top);
    CASE(RETURN_TRUE):
        if (UNLIKELY(frame->steps_left != NULL)) machine_settle(&m);
        return cel_bool(true);
    CASE(RETURN_FALSE):
        if (UNLIKELY(frame->steps_left != NULL)) machine_settle(&m);
        return cel_bool(false);
}
/* clang-format on */
