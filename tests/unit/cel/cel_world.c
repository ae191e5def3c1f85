/* The shop: an event with items, a customer's last purchase, a count, a name that is refused here. */
#include "cel_world.h"

#include "base/buffer.h"
#include "zones.h"

#include <stdio.h>

static const struct cel_field item_fields[] = {
    {{"product", 7}, &cel_types[CEL_TYPE_STRING]},
    {{"price", 5}, &cel_types[CEL_TYPE_DOUBLE]},
    {{"qty", 3}, &cel_types[CEL_TYPE_INT]},
    {{"note", 4}, &cel_types[CEL_TYPE_STRING]},
};
static const struct cel_record_type item_type = {{"item", 4}, 4, item_fields, NULL};

static struct cel_value item(struct arena *arena, const char *product, double price, int64_t qty)
{
    struct cel_record *record = arena_alloc(arena, sizeof *record + 4 * sizeof record->fields[0]);
    record->type = &item_type;
    record->fields[0] = cel_string(str_of(product));
    record->fields[1] = cel_double(price);
    record->fields[2] = cel_int(qty);
    record->fields[3] = (struct cel_value){.kind = CEL_ABSENT};
    return (struct cel_value){.kind = CEL_RECORD, .as.record = record};
}

static struct cel_value list_of(struct arena *arena, size_t count, const struct cel_value *values)
{
    struct cel_list *list = arena_alloc(arena, sizeof *list + count * sizeof list->items[0]);
    list->count = count;
    memcpy(list->items, values, count * sizeof values[0]);
    return (struct cel_value){.kind = CEL_LIST, .as.list = list};
}

static void resolve(struct cel_frame *frame, uint32_t slot)
{
    struct cel_world *world = frame->context;
    world->resolved++;
    frame->slots[slot] = cel_int(77);
}

static struct cel_value call(struct cel_frame *frame, uint32_t function, const struct cel_value *arguments)
{
    struct cel_world *world = frame->context;
    if (++world->called == world->stop_call) world->stop = 1;
    if (function == 1) return cel_fail(frame, CEL_ERROR_HOST, "the host says no");
    return cel_int(arguments[0].size);
}

static bool refuse(void *context, struct arena *arena, str name, str *message)
{
    (void)context, (void)arena;
    if (str_equal(name, STR("run"))) *message = STR("'run' is not known in 'if': there is no run yet");
    return true;
}

static void declare(struct cel_world *w)
{
    struct arena *arena = &w->arena;
    const struct cel_type *text = &cel_types[CEL_TYPE_STRING], *number = &cel_types[CEL_TYPE_INT];
    const struct cel_type *items = cel_list_of(arena, cel_record_of(arena, &item_type));
    struct cel_field *event = ARENA_ARRAY(arena, struct cel_field, 8);
    memcpy(event,
           (const struct cel_field[]){{STR("product"), text},
                                      {STR("total"), &cel_types[CEL_TYPE_DOUBLE]},
                                      {STR("qty"), number},
                                      {STR("vip"), &cel_types[CEL_TYPE_BOOL]},
                                      {STR("items"), items},
                                      {STR("tags"), cel_list_of(arena, text)},
                                      {STR("time"), &cel_types[CEL_TYPE_TIMESTAMP]},
                                      {STR("coupon"), text}},
           8 * sizeof *event);
    struct cel_field *last = ARENA_ARRAY(arena, struct cel_field, 2);
    last[0] = (struct cel_field){STR("total"), &cel_types[CEL_TYPE_DOUBLE]};
    last[1] = (struct cel_field){STR("order"), text};
    struct cel_record_type *types = ARENA_ARRAY(arena, struct cel_record_type, 2);
    types[0] = (struct cel_record_type){STR("view"), 8, event, NULL};
    types[1] = (struct cel_record_type){STR("purchase"), 2, last, NULL};
    static const uint32_t event_slots[] = {WORLD_PRODUCT, WORLD_TOTAL, WORLD_QTY,  WORLD_VIP,
                                           WORLD_ITEMS,   WORLD_TAGS,  WORLD_TIME, WORLD_COUPON};
    static const uint32_t last_slots[] = {WORLD_LAST_TOTAL, WORLD_LAST_ORDER};
    cel_env_add_record(w->env, STR("event"), STR("event 'view'"), &types[0], event_slots, CEL_NO_SLOT);
    cel_env_add_record(w->env, STR("last.purchase"), STR("event 'purchase'"), &types[1], last_slots,
                       WORLD_LAST_THERE);
    cel_env_add_variable(w->env, STR("name"), text, WORLD_NAME);
    cel_env_add_variable(w->env, STR("score"), number, WORLD_SCORE);
    cel_env_add_variable(w->env, STR("now"), &cel_types[CEL_TYPE_TIMESTAMP], WORLD_NOW);
    cel_env_add_variable(w->env, STR("any"), &cel_types[CEL_TYPE_DYN], WORLD_ANY);
    cel_env_add_variable(w->env, STR("counts"), cel_map_of(arena, text, number), WORLD_COUNTS);
    cel_env_add_variable(w->env, STR("lazy"), number, WORLD_LAZY);
    cel_env_add_function(w->env, STR("views"), &text, 1, number, 0);
    cel_env_add_function(w->env, STR("broken"), NULL, 0, &cel_types[CEL_TYPE_BOOL], 1);
    cel_env_set_refuse(w->env, refuse, NULL);
}

static void fill(struct cel_world *w)
{
    struct cel_value *slots = w->slots;
    slots[WORLD_PRODUCT] = cel_string(STR("p1"));
    slots[WORLD_TOTAL] = cel_double(49.5);
    slots[WORLD_QTY] = cel_int(3);
    slots[WORLD_VIP] = cel_bool(true);
    slots[WORLD_ITEMS] = list_of(
        &w->arena, 2, (struct cel_value[]){item(&w->arena, "p1", 10.5, 2), item(&w->arena, "p2", 4.0, 1)});
    slots[WORLD_TAGS] =
        list_of(&w->arena, 2, (struct cel_value[]){cel_string(STR("new")), cel_string(STR("sale"))});
    slots[WORLD_TIME] = cel_timestamp_ms(1772445600120);
    slots[WORLD_COUPON] = (struct cel_value){.kind = CEL_ABSENT};
    slots[WORLD_LAST_TOTAL] = slots[WORLD_LAST_ORDER] = (struct cel_value){.kind = CEL_ABSENT};
    slots[WORLD_LAST_THERE] = cel_bool(false);
    slots[WORLD_NAME] = cel_string(STR("Ada"));
    slots[WORLD_SCORE] = cel_int(5);
    slots[WORLD_NOW] = cel_timestamp_ms(1772449200000);
    slots[WORLD_ANY] = cel_uint(7);
    struct cel_map *counts = cel_map_new(&w->arena, 1);
    counts->count = 1;
    counts->entries[0] = (struct cel_entry){cel_string(STR("p1")), cel_int(4)};
    slots[WORLD_COUNTS] = (struct cel_value){.kind = CEL_MAP, .as.map = counts};
    slots[WORLD_LAZY] = (struct cel_value){.kind = CEL_UNSET};
}

void cel_world_begin(struct cel_world *w)
{
    *w = (struct cel_world){0};
    arena_init(&w->arena, 0);
    arena_init(&w->scratch, 0);
    w->zones = zones_new(zone_file, &w->arena);
    w->env = cel_env_new(&w->arena, w->zones);
    declare(w);
    fill(w);
    w->frame = (struct cel_frame){.slots = w->slots,
                                  .scratch = &w->scratch,
                                  .context = w,
                                  .resolve = resolve,
                                  .call = call,
                                  .stop = &w->stop};
}

void cel_world_end(struct cel_world *w)
{
    arena_free(&w->scratch);
    arena_free(&w->arena);
    zones_free(w->zones);
}

struct cel_program *cel_world_compile(struct cel_world *w, str text, struct diagnostics *diag)
{
    diag_init(diag, &w->arena);
    return cel_compile(&w->arena, &w->arena, w->env, text, (struct origin){0}, NULL, diag);
}

str cel_world_show(struct cel_world *w, const char *text)
{
    struct diagnostics diag;
    struct cel_program *program = cel_world_compile(w, str_of(text), &diag);
    if (!program) return arena_format(&w->arena, "mistake: %.*s", STR_ARG(diag.first->message));
    struct cel_value v = cel_eval(program, &w->frame);
    if (v.kind == CEL_ERROR) return arena_format(&w->arena, "error: %s", w->frame.error);
    struct buffer out;
    buffer_init(&out, &w->arena);
    if (!cel_print_json(v, &out)) buffer_put_format(&out, "no JSON, kind %d", v.kind);
    if (v.kind == CEL_DOUBLE && v.as.d == (double)(int64_t)v.as.d) buffer_put_str(&out, STR(".0"));
    if (v.kind == CEL_UINT) buffer_put_char(&out, 'u');
    return buffer_str(&out);
}
