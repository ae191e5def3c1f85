/* Compiles a mapping:
 *
 *   gather (JSON, presets) -> shape -> names (record, for, let) -> by, each, events
 *
 * A name stands for its value in a slot; that of `let` is computed when an expression first reads it. */
#include "mapping/build.h"
#include "mapping/csv.h"
#include "mapping/gather.h"
#include "mapping/mapping.h"

#include "base/limits.h"
#include "base/nearest.h"
#include "base/report.h"

struct mapping_compiler {
    struct relance_mapping *mapping;
    struct gathered_mapping files;
    struct arena *keep, *scratch;
    struct diagnostics *diag;
    struct value_compiler values;
};

static void refuse(struct mapping_compiler *c, struct said said, str hint, const char *what)
{
    diag_add(c->diag, SEVERITY_ERROR, (struct origin){.source = said.source}, said.node->begin,
             said.node->end, hint, "%s", what);
}

/* ---- `from`: paths, before shapes are finished */

enum { PATH_MAX = 32 };

struct path {
    str names[PATH_MAX];
    size_t count;
};

static const struct said *find_said(const struct said_list *list, str name)
{
    for (size_t i = 0; i < list->count; i++)
        if (str_equal(list->items[i].node->key, name)) return &list->items[i];
    return NULL;
}

static bool path_add(struct path *path, str name)
{
    if (path->count == PATH_MAX) return false;
    path->names[path->count++] = name;
    return true;
}

/* The first name of "a.b.c", and what is behind its dot. */
static bool next_name(str *text, str *name)
{
    size_t at = 0;
    while (at < text->size && text->data[at] != '.')
        at++;
    *name = str_slice(*text, 0, at);
    *text = str_slice(*text, at < text->size ? at + 1 : at, text->size);
    return str_is_identifier(*name);
}

/* "NAME in LIST", where the name is the one that is asked for. */
static bool loop_of(struct said loop, str name, str *list)
{
    if (!loop.node || loop.node->kind != JSON_STRING) return false;
    str text = str_trim(loop.node->text);
    if (!str_starts_with(text, name)) return false;
    text = str_trim(str_slice(text, name.size, text.size));
    if (!str_starts_with(text, STR("in "))) return false;
    *list = str_trim(str_slice(text, 3, text.size));
    return true;
}

static bool is_cloudevents(const struct mapping_compiler *c)
{
    return c->mapping->format == &format_cloudevents;
}

/* Goes from the record along a path whose first name may be a loop's or a `let`'s that is a path itself. */
static bool resolve_path(const struct mapping_compiler *c, struct said row_loop, str text, struct path *path,
                         unsigned depth)
{
    str first, around;
    if (depth == 8 || !next_name(&text, &first)) return false;
    const struct said *let = find_said(&c->files.lets, first);
    if (loop_of(row_loop, first, &around) || loop_of(c->files.loop, first, &around)) {
        struct said none = {0};
        if (!resolve_path(c, none, around, path, depth + 1) || !path_add(path, STR("[]"))) return false;
    } else if (let && let->node->kind == JSON_STRING) {
        if (!resolve_path(c, (struct said){0}, str_trim(let->node->text), path, depth + 1)) return false;
    } else if (!str_equal(first, STR("record")) && !(is_cloudevents(c) && str_equal(first, STR("data")))) {
        return false;
    }
    for (str name; text.size;)
        if (!next_name(&text, &name) || !path_add(path, name)) return false;
    return true;
}

static bool path_of(const struct mapping_compiler *c, struct said row, const struct json *from,
                    struct path *path)
{
    const struct json *loop = json_member(row.node, "for");
    *path = (struct path){.count = 0};
    return from->kind == JSON_STRING && resolve_path(c, (struct said){row.source, loop}, from->text, path, 0);
}

/* Else that has been said. */
static bool path_is_sound(const struct mapping_compiler *c, struct said row, const struct json *from)
{
    struct path path;
    return path_of(c, row, from, &path);
}

static void keep_text(struct mapping_compiler *c, struct said row)
{
    const struct json *from = json_member(row.node, "from");
    struct path path;
    if (!from) return;
    bool kept =
        path_of(c, row, from, &path) && shape_keep_text(c->mapping->shape, c->keep, path.names, path.count);
    if (!kept)
        refuse(c, (struct said){row.source, from}, (str){0},
               "'from' is a path of names to an object, such as \"record.properties\"");
}

static void keep_texts(struct mapping_compiler *c)
{
    for (size_t i = 0; i < c->files.events.count; i++) {
        struct said said = c->files.events.items[i];
        if (said.node->kind == JSON_OBJECT) keep_text(c, said);
        for (const struct json *row = said.node->kind == JSON_ARRAY ? said.node->child : NULL; row;
             row = row->next)
            keep_text(c, (struct said){said.source, row});
    }
}

/* ---- names */

/* What there is to say of a name that an expression does not know; a cel_env_refuse. */
static bool tell_unknown(void *context, struct arena *arena, str name, str *message)
{
    const struct mapping_compiler *c = context;
    const struct said *let = find_said(&c->files.lets, name);
    const char *form = NULL;
    if (let && let->node->kind != JSON_STRING)
        form = "'%.*s' is a template: it can only be a whole value, as in \"items\": \"${%.*s}\"";
    else if (let)
        form = "'%.*s' is not known yet: a name of 'let' may use those that stand before it";
    else if (str_equal(name, STR("ce")) || str_equal(name, STR("data")))
        form = "'%.*s' is only known where the mapping says \"format\": \"cloudevents\"";
    else if (str_equal(name, STR("rows")))
        form = "'%.*s' is only known where the mapping says \"format\": \"csv\"";
    else if (str_equal(name, STR("now")))
        form = "mappings have no '%.*s': the same record always becomes the same events";
    if (!form) return true;
    *message = arena_format(arena, form, STR_ARG(name), STR_ARG(name));
    return message->size;
}

static void declare_ground(struct mapping_compiler *c)
{
    const struct cel_type *text = &cel_types[CEL_TYPE_STRING], *texts = cel_map_of(c->keep, text, text);
    struct cel_env *env = cel_env_new(c->keep, c->mapping->zones);
    bool made = env && texts &&
                cel_env_add_variable(env, STR("record"), shape_type(c->mapping->shape), SLOT_RECORD) &&
                cel_env_add_variable(env, STR("headers"), texts, SLOT_HEADERS) &&
                cel_env_add_variable(env, STR("key"), text, SLOT_KEY) &&
                cel_env_add_variable(env, STR("topic"), text, SLOT_TOPIC);
    if (made && c->mapping->format == &format_csv)
        made = cel_env_add_variable(env, STR("rows"), cel_list_of(c->keep, shape_type(c->mapping->shape)),
                                    SLOT_ROWS);
    if (made && is_cloudevents(c))
        made = cel_env_add_variable(env, STR("ce"), texts, SLOT_CE) &&
               cel_env_add_variable(env, STR("data"), shape_type(c->mapping->shape), SLOT_RECORD);
    if (!made) c->diag->failed = true;
    if (env) cel_env_set_refuse(env, tell_unknown, c);
    c->values.env = env;
    static const str ground[] = {STR("rows"),  STR("record"), STR("headers"), STR("key"),
                                 STR("topic"), STR("ce"),     STR("data")};
    bool is_csv = c->mapping->format == &format_csv;
    c->values.ground = is_csv ? ground : ground + 1;
    c->values.ground_count = is_csv ? 5 : is_cloudevents(c) ? 6 : 4;
    c->values.refuse = tell_unknown;
    c->values.refuse_context = c;
}

static void compile_loop(struct mapping_compiler *c)
{
    const struct cel_env *inside;
    struct said loop = c->files.loop;
    if (loop.node && value_loop_compile(&c->values, loop.source, loop.node, &c->mapping->loop, &inside))
        c->values.env = inside;
}

/* A template: it has no value of its own, but is written wherever its name is all of a value. */
static void add_template(struct mapping_compiler *c, struct said said)
{
    struct value_let *let = ARENA_NEW(c->keep, struct value_let);
    const struct value *value = value_compile(&c->values, said.source, said.node);
    if (let && value) {
        *let = (struct value_let){c->values.lets, said.node->key, value};
        c->values.lets = let;
    }
}

static void compile_lets(struct mapping_compiler *c)
{
    size_t count = c->files.lets.count;
    struct cel_env *env = value_env_inside(&c->values);
    c->mapping->lets = ARENA_ARRAY(c->keep, const struct cel_program *, count + SLOT_NAMES + 1);
    if (!env || !c->mapping->lets) {
        c->diag->failed = true;
        return;
    }
    c->values.env = env;
    for (size_t i = 0; i < count && !c->diag->failed; i++) {
        struct said let = c->files.lets.items[i];
        struct origin key = {.source = let.source};
        if (!value_name_check(&c->values, let.node->key, key, let.node->key_begin, let.node->key_end))
            continue;
        if (let.node->kind != JSON_STRING) {
            add_template(c, let);
            continue;
        }
        const struct cel_program *program =
            value_program(&c->values, let.node->text, json_origin(let.source, let.node), NULL);
        uint32_t slot = SLOT_NAMES + (uint32_t)i;
        c->mapping->lets[slot - SLOT_NAMES] = program;
        const struct cel_type *type = program ? cel_program_type(program) : &cel_types[CEL_TYPE_DYN];
        if (!cel_env_add_variable(env, let.node->key, type, slot)) c->diag->failed = true;
    }
}

/* ---- rows */

static const str member_names[ROW_MEMBERS] = {STR("type"), STR("customer"), STR("visitor"), STR("id"),
                                              STR("time")};

static size_t member_of(str name)
{
    size_t at = 0;
    while (at < ROW_MEMBERS && !str_equal(member_names[at], name))
        at++;
    return at;
}

static struct row_field *add_field(struct mapping_compiler *c, struct row *row, str name)
{
    struct row_field *field = &row->fields[row->field_count++];
    struct buffer key;
    buffer_init(&key, c->scratch);
    buffer_put_char(&key, ',');
    buffer_put_json_string(&key, name);
    buffer_put_char(&key, ':');
    field->name = name;
    if (key.failed || !arena_copy_str(c->keep, buffer_str(&key), &field->key)) c->diag->failed = true;
    return field;
}

static struct row_field *find_row_field(struct row *row, str name)
{
    for (size_t i = 0; i < row->field_count; i++)
        if (str_equal(row->fields[i].name, name)) return &row->fields[i];
    return NULL;
}

static bool is_reserved(str name)
{
    return str_equal(name, STR("need")) || str_equal(name, STR("if")) || str_equal(name, STR("for")) ||
           str_equal(name, STR("from"));
}

static void check_member(struct mapping_compiler *c, struct said said, const struct value *value,
                         size_t member)
{
    bool fits = member == ROW_TIME ? value_may_be_time(value) : value_may_be_text(value);
    if (fits) return;
    diag_add(c->diag, SEVERITY_ERROR, (struct origin){.source = said.source}, said.node->begin,
             said.node->end, (str){0},
             member == ROW_TIME ? "'%.*s' is an instant, its text, or milliseconds since 1970"
                                : "'%.*s' is a text or a whole number",
             STR_ARG(said.node->key));
}

static void compile_member(struct mapping_compiler *c, struct row *row, struct said said, bool own)
{
    str name = said.node->key;
    if (is_reserved(name)) return;
    size_t member = member_of(name);
    const struct value *value =
        said.node->kind == JSON_NULL && own ? NULL : value_compile(&c->values, said.source, said.node);
    if (member < ROW_MEMBERS) {
        if (value) check_member(c, said, value, member);
        row->members[member] = value;
        if (member == ROW_ID && own) row->own_id = true;
        return;
    }
    struct row_field *field = find_row_field(row, name);
    if (!field) field = add_field(c, row, name);
    field->value = value;
    field->source = said.source;
    field->begin = said.node->begin;
    field->end = said.node->end;
    field->removed = said.node->kind == JSON_NULL && own;
}

static void compile_needs(struct mapping_compiler *c, struct row *row, struct said need)
{
    bool texts = need.node->kind == JSON_ARRAY;
    for (const struct json *name = texts ? need.node->child : NULL; name; name = name->next) {
        texts &= name->kind == JSON_STRING;
        if (!texts) break;
        size_t member = member_of(name->text);
        struct row_field *field = find_row_field(row, name->text);
        if (member < ROW_MEMBERS)
            row->needed |= 1u << member;
        else if (field)
            field->needed = true;
        else if (row->from)
            add_field(c, row, name->text)->needed = true;
        else
            diag_add(c->diag, SEVERITY_ERROR, json_origin(need.source, name), 0, name->text.size, (str){0},
                     "the row gives no '%.*s'", STR_ARG(name->text));
    }
    if (!texts) refuse(c, need, (str){0}, "'need' is a list of names");
}

/* Room for the fields of `each`, the row's own and those that are needed. */
static bool row_room(struct mapping_compiler *c, struct row *row, struct said said)
{
    const struct json *need = json_member(said.node, "need");
    size_t bound = c->files.each.count + said.node->count + (need ? need->count : 0) + 1;
    row->fields = ARENA_ARRAY(c->keep, struct row_field, bound);
    if (!row->fields) c->diag->failed = true;
    return row->fields;
}

static void compile_row(struct mapping_compiler *c, struct row *row, struct said said)
{
    if (said.node->kind != JSON_OBJECT)
        return refuse(c, said, (str){0}, "a row is an object, a list of them, or the name of another row");
    row->begin = said.node->begin;
    row->number = c->mapping->row_count++;
    if (!row_room(c, row, said)) return;
    const struct cel_env *around = c->values.env, *inside;
    const struct json *loop = json_member(said.node, "for"), *condition = json_member(said.node, "if"),
                      *from = json_member(said.node, "from"), *need = json_member(said.node, "need");
    if (loop && value_loop_compile(&c->values, said.source, loop, &row->loop, &inside))
        c->values.env = inside;
    if (condition && condition->kind == JSON_STRING)
        row->condition = value_program(&c->values, condition->text, json_origin(said.source, condition),
                                       &cel_types[CEL_TYPE_BOOL]);
    else if (condition)
        refuse(c, (struct said){said.source, condition}, (str){0}, "'if' must be an expression in a string");
    if (from && path_is_sound(c, said, from))
        row->from = value_program(&c->values, from->text, json_origin(said.source, from), NULL);
    for (size_t i = 0; i < c->files.each.count; i++)
        compile_member(c, row, c->files.each.items[i], false);
    for (const struct json *member = said.node->child; member; member = member->next)
        compile_member(c, row, (struct said){said.source, member}, true);
    if (need) compile_needs(c, row, (struct said){said.source, need});
    if (!row->members[ROW_TYPE])
        refuse(c, said, STR("such as \"type\": \"purchase\""), "this row has no 'type': which event it is");
    if (row->field_count > c->mapping->field_max) c->mapping->field_max = row->field_count;
    c->values.env = around;
}

/* What belongs to a row alone would be passed over in silence. */
static void check_each(struct mapping_compiler *c)
{
    for (size_t i = 0; i < c->files.each.count; i++) {
        struct said said = c->files.each.items[i];
        if (is_reserved(said.node->key))
            diag_add(c->diag, SEVERITY_ERROR, (struct origin){.source = said.source}, said.node->key_begin,
                     said.node->key_end, (str){0}, "'%.*s' belongs into a row", STR_ARG(said.node->key));
    }
}

static struct rows compile_rows(struct mapping_compiler *c, struct said said)
{
    bool list = said.node->kind == JSON_ARRAY;
    if (list && !said.node->count)
        refuse(c, said, STR("[{…}, {…}], or null to remove what a preset says"),
               "a list of rows has one at least");
    size_t count = list ? said.node->count : 1;
    struct row *rows = ARENA_ARRAY(c->keep, struct row, count + 1);
    if (!rows) {
        c->diag->failed = true;
        return (struct rows){0};
    }
    const struct json *node = list ? said.node->child : said.node;
    for (size_t i = 0; i < count; i++, node = list ? node->next : NULL)
        compile_row(c, &rows[i], (struct said){said.source, node});
    return (struct rows){.items = rows, .count = count, .name = said.node->key, .source = said.source};
}

/* The row that a name stands for, over any number of others. */
static const struct said *row_meant(struct mapping_compiler *c, const struct said *said)
{
    for (size_t hops = 0; said->node->kind == JSON_STRING; hops++) {
        uint32_t at = names_find(&c->mapping->names, said->node->text);
        const struct said *next = at == NAME_NONE ? NULL : &c->files.events.items[at];
        if (!next || hops > c->files.events.count) {
            struct nearest nearest = nearest_to(said->node->text);
            for (size_t i = 0; i < c->files.events.count; i++)
                nearest_offer(&nearest, c->files.events.items[i].node->key);
            refuse(c, *said, next ? (str){0} : nearest_hint(&nearest, c->scratch),
                   next ? "these rows name each other in a circle" : "there is no row of this name");
            return NULL;
        }
        said = next;
    }
    return said;
}

static void compile_events(struct mapping_compiler *c)
{
    const struct said_list *events = &c->files.events;
    struct relance_mapping *mapping = c->mapping;
    mapping->rows = ARENA_ARRAY(c->keep, struct rows, events->count + 1);
    if (!mapping->rows || !names_init(&mapping->names, c->keep, events->count + 1)) {
        c->diag->failed = true;
        return;
    }
    for (size_t i = 0; i < events->count; i++) {
        names_add(&mapping->names, events->items[i].node->key);
        if (events->items[i].node->kind != JSON_STRING) mapping->rows[i] = compile_rows(c, events->items[i]);
    }
    for (size_t i = 0; i < events->count; i++) {
        const struct said *meant = row_meant(c, &events->items[i]);
        if (meant) mapping->rows[i] = mapping->rows[meant - events->items];
        mapping->rows[i].is_alias = meant != &events->items[i];
        if (str_equal(events->items[i].node->key, STR("*"))) mapping->others = &mapping->rows[i];
    }
}

static void compile_by(struct mapping_compiler *c)
{
    struct said by = c->files.by;
    if (by.node)
        c->mapping->by = value_program(&c->values, by.node->text, json_origin(by.source, by.node),
                                       &cel_types[CEL_TYPE_STRING]);
    if (by.node && !c->files.lacking && !c->files.events.count)
        diag_add(c->diag, SEVERITY_ERROR, (struct origin){.source = c->files.source}, 0, 0,
                 STR("such as \"events\": {\"order\": {\"type\": \"purchase\"}}"),
                 "a mapping says in 'events' what records become");
    bool only_others = c->files.events.count == 1 && c->mapping->others;
    if (!by.node && !only_others && !c->files.lacking)
        diag_add(c->diag, SEVERITY_ERROR, (struct origin){.source = c->files.source}, 0, 0,
                 STR("such as \"by\": \"record.event\", or a single row \"*\""),
                 "a mapping says by what a record finds its row");
}

static void compile_format(struct mapping_compiler *c)
{
    struct said format = c->files.format;
    str near = {0};
    c->mapping->format = &format_json;
    if (!format.node) return;
    const struct format *found = format_find(format.node->text, &near);
    if (found)
        c->mapping->format = found;
    else
        diag_add(c->diag, SEVERITY_ERROR, (struct origin){.source = format.source}, format.node->begin,
                 format.node->end,
                 near.size ? arena_format(c->scratch, "did you mean '%.*s'?", STR_ARG(near))
                           : STR("there are json, cloudevents, snowplow-tsv, form, csv, avro and protobuf"),
                 "there is no format '%.*s'", STR_ARG(format.node->text));
}

static void compile_group(struct mapping_compiler *c)
{
    const struct said *csv = &c->files.csv;
    const struct json *group = csv->node ? json_member(csv->node, "group") : NULL;
    if (group && group->kind == JSON_STRING)
        c->mapping->group = value_program(&c->values, group->text, json_origin(csv->source, group),
                                          &cel_types[CEL_TYPE_STRING]);
    else if (group)
        refuse(c, (struct said){csv->source, group}, STR("such as \"record.Order\""),
               "'group' is CEL that gives a text");
}

static void compile_whole(struct mapping_compiler *c)
{
    struct relance_mapping *mapping = c->mapping;
    compile_format(c);
    const struct shape_zones zones = {mapping->zones,
                                      csv_compile(mapping, c->files.csv, c->scratch, c->diag)};
    mapping->shape = shape_make(c->keep, c->scratch, c->files.records, c->files.record_count, zones, c->diag);
    if (!mapping->shape) return;
    keep_texts(c);
    shape_finish(mapping->shape, c->keep, c->diag);
    if (c->diag->failed) return;
    csv_compile_header(mapping, c->files.csv, c->scratch, c->diag);
    mapping->slot_count = SLOT_NAMES + (uint32_t)c->files.lets.count;
    declare_ground(c);
    if (c->diag->failed) return;
    compile_group(c);
    compile_loop(c);
    compile_lets(c);
    if (c->diag->failed) return;
    check_each(c);
    compile_events(c);
    compile_by(c);
    mapping->source = c->files.source;
    mapping->tests = mapping_tests_read(c->keep, c->files.tests, c->diag);
}

static struct relance_mapping *mapping_new(const struct relance_mapping_host *host)
{
    struct arena arena;
    arena_init(&arena, 0);
    struct relance_mapping *mapping = ARENA_NEW(&arena, struct relance_mapping);
    if (!mapping) return NULL;
    mapping->zones = zones_new(host->zone_load, host->zone_context);
    mapping->arena = arena;
    if (mapping->zones) return mapping;
    arena_free(&arena);
    return NULL;
}

void mapping_take_zones(const struct relance_mapping *mapping, relance_zone_visit *visit, void *context)
{
    zones_take_used(mapping->zones, visit, context);
}

void relance_mapping_free(struct relance_mapping *mapping)
{
    if (!mapping) return;
    mapper_free(mapping->mapper);
    zones_free(mapping->zones);
    struct arena arena = mapping->arena;
    arena_free(&arena);
}

size_t relance_mapping_row_count(const struct relance_mapping *mapping)
{
    return mapping->row_count;
}

struct relance_str relance_mapping_format(const struct relance_mapping *mapping)
{
    return mapping->format->name;
}

bool relance_mapping_reads_headers(const struct relance_mapping *mapping)
{
    return mapping->reads[SLOT_HEADERS] || mapping->format == &format_cloudevents;
}

struct relance_mapping *mapping_build(const struct relance_source *source,
                                      const struct relance_mapping_host *host, struct diagnostics *diag)
{
    struct arena scratch, work;
    size_t errors = diag->error_count;
    struct relance_mapping *mapping = mapping_new(host);
    if (!mapping) {
        diag->failed = true;
        return NULL;
    }
    arena_init(&scratch, 0);
    arena_init(&work, 0);
    struct mapping_compiler c = {
        .mapping = mapping, .keep = &mapping->arena, .scratch = &scratch, .diag = diag};
    c.values = (struct value_compiler){.keep = &mapping->arena,
                                       .work = &work,
                                       .diag = diag,
                                       .slot_count = &mapping->slot_count,
                                       .reads = mapping->reads,
                                       .reads_count = SLOT_NAMES};
    mapping_gather(&mapping->arena, source, host, &c.files, diag);
    if (!c.files.unread) compile_whole(&c);
    if (diag->error_count == errors && !diag->failed && !(mapping->mapper = mapper_new(mapping)))
        diag->failed = true;
    arena_free(&work);
    arena_free(&scratch);
    return mapping;
}

enum relance_status relance_mapping_compile(const struct relance_source *source,
                                            const struct relance_mapping_host *host,
                                            struct relance_mapping **out, struct relance_report **report,
                                            struct relance_error *error)
{
    struct arena scratch;
    struct diagnostics diag;
    arena_init(&scratch, 0);
    diag_init(&diag, &scratch);
    struct relance_mapping *mapping = mapping_build(source, host, &diag);
    diag_sort(&diag);
    *report = report_new(&diag);
    size_t errors = diag.error_count;
    bool failed = diag.failed || !*report;
    arena_free(&scratch);
    if (!errors && !failed) {
        *out = mapping;
        return RELANCE_OK;
    }
    relance_mapping_free(mapping);
    if (failed) return relance_error_set(error, RELANCE_NO_MEMORY, "out of memory for the mapping");
    return relance_error_set(error, RELANCE_INVALID, "the mapping has %zu mistake%s", errors,
                             errors == 1 ? "" : "s");
}
