/* cel_follow is cel_eval for some programs: an order with a buyer, names whose values are errors or optionals. */
#include "base/buffer.h"
#include "cel_world.h"

#include <criterion/criterion.h>

enum { SLOT_ORDER, SLOT_NONE, SLOT_LATER, SLOT_MISSING, SLOT_BROKEN, SLOT_MAYBE, SLOT_ANY, SLOTS };

static struct cel_world world;
static struct cel_value slots[SLOTS];
static int64_t steps_left;
static struct cel_frame frame;

static const struct cel_field buyer_fields[] = {{{"city", 4}, &cel_types[CEL_TYPE_STRING]},
                                                {{"street", 6}, &cel_types[CEL_TYPE_STRING]}};
static const struct cel_record_type buyer_type = {{"buyer", 5}, 2, buyer_fields, NULL};
static struct cel_field order_fields[3];
static const struct cel_record_type order_type = {{"order", 5}, 3, order_fields, NULL};

static struct cel_value record_of(const struct cel_record_type *type, const struct cel_value *fields)
{
    size_t size = type->field_count * sizeof fields[0];
    struct cel_record *record = arena_alloc(&world.arena, sizeof *record + size);
    record->type = type;
    memcpy(record->fields, fields, size);
    return (struct cel_value){.kind = CEL_RECORD, .as.record = record};
}

static void resolve(struct cel_frame *asking, uint32_t slot)
{
    asking->slots[slot] = slots[SLOT_ORDER];
}

static void declare(void)
{
    const struct cel_type *text = &cel_types[CEL_TYPE_STRING];
    const struct cel_type *buyer = cel_record_of(&world.arena, &buyer_type);
    order_fields[0] = (struct cel_field){STR("name"), text};
    order_fields[1] = (struct cel_field){STR("buyer"), buyer};
    order_fields[2] = (struct cel_field){STR("payer"), buyer};
    const struct cel_type *order = cel_record_of(&world.arena, &order_type);
    cel_env_add_variable(world.env, STR("order"), order, SLOT_ORDER);
    cel_env_add_variable(world.env, STR("none"), order, SLOT_NONE);
    cel_env_add_variable(world.env, STR("later"), order, SLOT_LATER);
    cel_env_add_variable(world.env, STR("missing"), text, SLOT_MISSING);
    cel_env_add_variable(world.env, STR("wrong"), text, SLOT_BROKEN);
    cel_env_add_variable(world.env, STR("maybe"), &cel_types[CEL_TYPE_DYN], SLOT_MAYBE);
    cel_env_add_variable(world.env, STR("whatever"), &cel_types[CEL_TYPE_DYN], SLOT_ANY);
}

static void begin(void)
{
    static const struct cel_value absent = {.kind = CEL_ABSENT};
    static struct cel_value held;
    cel_world_begin(&world);
    declare();
    held = cel_string(STR("held"));
    struct cel_value buyer = record_of(&buyer_type, (struct cel_value[]){cel_string(STR("Ulm")), absent});
    slots[SLOT_ORDER] = record_of(&order_type, (struct cel_value[]){cel_string(STR("o1")), buyer, absent});
    slots[SLOT_NONE] = absent;
    slots[SLOT_LATER] = (struct cel_value){.kind = CEL_UNSET};
    slots[SLOT_MISSING] = (struct cel_value){.kind = CEL_ERROR, .code = CEL_ERROR_NO_KEY};
    slots[SLOT_BROKEN] = (struct cel_value){.kind = CEL_ERROR, .code = CEL_ERROR_OVERFLOW};
    slots[SLOT_MAYBE] = (struct cel_value){.kind = CEL_OPTIONAL, .as.optional = &held};
    slots[SLOT_ANY] = slots[SLOT_ORDER];
    steps_left = 1000;
    frame = (struct cel_frame){
        .slots = slots, .scratch = &world.scratch, .resolve = resolve, .steps_left = &steps_left};
}

static void end(void)
{
    cel_world_end(&world);
}

TestSuite(cel_follow, .init = begin, .fini = end);

static struct cel_program *compile(const char *text)
{
    struct diagnostics diag;
    struct cel_program *program = cel_world_compile(&world, str_of(text), &diag);
    cr_assert(program, "%s: %s", text, diag.first ? diag.first->message.data : "no memory");
    return program;
}

static str json(struct cel_value value)
{
    struct buffer out;
    buffer_init(&out, &world.arena);
    return cel_print_json(value, &out) ? buffer_str(&out) : STR("?");
}

Test(cel_follow, comes_to_what_cel_eval_comes_to_and_takes_as_many_steps)
{
    static const char *const texts[] = {
        "order",
        "order.name",
        "order.buyer.city",
        "order.buyer",
        "later.buyer.city",
        "'x'",
        "coalesce(order.name, 'x')",
        "coalesce(order.buyer.street, order.payer.city, order.buyer.city)",
        "coalesce(order.payer.city, none.name, missing, 'x')",
        "coalesce(none.buyer.city, '7')",
        "coalesce(order.payer, order.buyer).city",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct cel_program *program = compile(texts[i]);
        struct cel_value followed = {.kind = CEL_UNSET};
        cr_assert(cel_follow(program, &frame, &followed), "%s", texts[i]);
        int64_t left = steps_left;
        str evaluated = json(cel_eval(program, &frame));
        cr_expect(str_equal(json(followed), evaluated) && !str_equal(evaluated, STR("?")),
                  "%s: %.*s not %.*s", texts[i], STR_ARG(json(followed)), STR_ARG(evaluated));
        cr_expect_eq(1000 - left, left - steps_left, "%s", texts[i]);
        steps_left = 1000;
    }
}

Test(cel_follow, has_nothing_where_cel_eval_misses_something)
{
    static const char *const texts[] = {
        "order.buyer.street",
        "order.payer",
        "order.payer.city",
        "none",
        "none.buyer.city",
        "missing",
        "coalesce(order.payer.city, none.name)",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct cel_program *program = compile(texts[i]);
        struct cel_value followed = {.kind = CEL_UNSET};
        cr_expect(cel_follow(program, &frame, &followed) && followed.kind == CEL_ABSENT, "%s", texts[i]);
        cr_expect(cel_is_missing(cel_eval(program, &frame)), "%s", texts[i]);
    }
}

Test(cel_follow, leaves_the_rest_to_cel_eval)
{
    static const char *const texts[] = {
        "order.name + 'x'",                             /* more than one value at a time */
        "whatever.name",                                /* by name */
        "order.?name",          "wrong",                /* an error that is to be told */
        "coalesce(wrong, 'x')", "coalesce(maybe, 'x')", /* an optional to be opened */
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct cel_value followed;
        cr_expect_not(cel_follow(compile(texts[i]), &frame, &followed), "%s", texts[i]);
    }
    cr_expect_eq(steps_left, 1000, "what is not done takes no steps");
}

/* Whose type says record, but which holds something else: the machine selects by name. */
Test(cel_follow, leaves_what_is_no_record_to_cel_eval)
{
    struct cel_program *program = compile("order.buyer.city");
    struct cel_value followed;
    slots[SLOT_ORDER] = cel_int(1);
    cr_expect_not(cel_follow(program, &frame, &followed));
}
