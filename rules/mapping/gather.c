#include "mapping/gather.h"

#include "base/limits.h"
#include "base/nearest.h"

enum { EXTENDS_MAX = 4 };

struct mapping_keyword {
    enum mapping_place place;
    str name;
};

static const struct mapping_keyword keywords[] = {
#define MAPPING_KEYWORD(place, name, prose) {PLACE_##place, {name, sizeof name - 1}},
#include "mapping/keyword.def"
#undef MAPPING_KEYWORD
};

enum { KEYWORDS = sizeof keywords / sizeof *keywords };

bool mapping_is_keyword(enum mapping_place place, str name)
{
    for (size_t i = 0; i < KEYWORDS; i++)
        if (keywords[i].place == place && str_equal(keywords[i].name, name)) return true;
    return false;
}

static void refuse_unknown(struct arena *arena, enum mapping_place place, const char *what,
                           const struct source *source, const struct json *member, struct diagnostics *diag)
{
    struct nearest nearest = nearest_to(member->key);
    for (size_t i = 0; i < KEYWORDS; i++)
        if (keywords[i].place == place) nearest_offer(&nearest, keywords[i].name);
    diag_add(diag, SEVERITY_ERROR, (struct origin){.source = source}, member->key_begin, member->key_end,
             str_equal(member->key, STR("rules")) ? STR("a rule file has it, which --rules takes")
                                                  : nearest_hint(&nearest, arena),
             "%s has no keyword '%.*s'", what, STR_ARG(member->key));
}

bool mapping_keys_check(struct arena *arena, enum mapping_place place, const char *what,
                        const struct source *source, const struct json *node, struct diagnostics *diag)
{
    size_t before = diag->error_count;
    if (node->kind != JSON_OBJECT)
        diag_add(diag, SEVERITY_ERROR, (struct origin){.source = source}, node->begin, node->end, (str){0},
                 "%s is an object", what);
    for (const struct json *member = node->kind == JSON_OBJECT ? node->child : NULL; member;
         member = member->next)
        if (!mapping_is_keyword(place, member->key)) refuse_unknown(arena, place, what, source, member, diag);
    return diag->error_count == before;
}

struct gathering {
    struct arena *arena;
    const struct relance_mapping_host *host;
    struct gathered_mapping *out;
    struct diagnostics *diag;
};

static void refuse(struct gathering *g, struct said said, str hint, const char *what)
{
    diag_add(g->diag, SEVERITY_ERROR, (struct origin){.source = said.source}, said.node->begin,
             said.node->end, hint, "%s", what);
}

static bool put(struct gathering *g, struct said_list *list, struct said said)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 16;
        struct said *items = ARENA_ARRAY(g->arena, struct said, capacity);
        if (!items) return false;
        if (list->count) memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = said;
    return true;
}

/* Of a name that has been said before, the new one takes the place; null takes it away. */
static void unite(struct gathering *g, struct said_list *list, struct said object, const char *name)
{
    if (object.node->kind != JSON_OBJECT) {
        diag_add(g->diag, SEVERITY_ERROR, (struct origin){.source = object.source}, object.node->begin,
                 object.node->end, (str){0}, "'%s' must be an object", name);
        return;
    }
    for (const struct json *member = object.node->child; member; member = member->next) {
        size_t at = 0;
        while (at < list->count && !str_equal(list->items[at].node->key, member->key))
            at++;
        if (at == LIMIT_MAPPING_NAMES) {
            refuse(g, (struct said){object.source, member}, (str){0}, "more than 10000 names");
            return;
        }
        if (at == list->count && !put(g, list, (struct said){0})) {
            g->diag->failed = true;
            return;
        }
        list->items[at] = (struct said){object.source, member};
    }
}

static void drop_nulls(struct said_list *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].node->kind != JSON_NULL) list->items[kept++] = list->items[i];
    list->count = kept;
}

/* One of each file: that a file says it twice has been told. */
static void add_record(struct gathering *g, struct said record)
{
    size_t count = g->out->record_count;
    bool again = count > 0 && g->out->records[count - 1].source == record.source;
    if (record.node->kind == JSON_OBJECT && g->out->records && !again)
        g->out->records[g->out->record_count++] = (struct shape_part){record.source, record.node};
    else if (record.node->kind != JSON_OBJECT)
        refuse(g, record, (str){0}, "'record' must be an object that looks like the record");
}

static void take_single(struct gathering *g, struct said *single, struct said said)
{
    *single = said;
    if (said.node->kind == JSON_NULL) *single = (struct said){0};
    if (said.node->kind != JSON_NULL && said.node->kind != JSON_STRING) {
        *single = (struct said){0};
        diag_add(g->diag, SEVERITY_ERROR, (struct origin){.source = said.source}, said.node->begin,
                 said.node->end, (str){0}, "'%.*s' must be a string", STR_ARG(said.node->key));
    }
}

static void gather_member(struct gathering *g, const struct source *source, const struct json *member)
{
    struct gathered_mapping *out = g->out;
    struct said said = {source, member};
    str key = member->key;
    if (str_equal(key, STR("record"))) return add_record(g, said);
    if (str_equal(key, STR("let"))) return unite(g, &out->lets, said, "let");
    if (str_equal(key, STR("each"))) return unite(g, &out->each, said, "each");
    if (str_equal(key, STR("events"))) return unite(g, &out->events, said, "events");
    if (str_equal(key, STR("format"))) return take_single(g, &out->format, said);
    if (str_equal(key, STR("csv"))) {
        out->csv = member->kind == JSON_NULL ? (struct said){0} : said;
        return;
    }
    if (str_equal(key, STR("for"))) return take_single(g, &out->loop, said);
    if (str_equal(key, STR("by"))) return take_single(g, &out->by, said);
    if (str_equal(key, STR("tests"))) {
        if (source == out->source) out->tests = said;
        return;
    }
    if (!mapping_is_keyword(PLACE_FILE, key))
        refuse_unknown(g->arena, PLACE_FILE, "a mapping", source, member, g->diag);
}

static void gather_text(struct gathering *g, str name, str text, unsigned depth);

static void gather_preset(struct gathering *g, struct said extends, unsigned depth)
{
    str text;
    g->out->unread = true; /* unless it is read */
    if (extends.node->kind != JSON_STRING)
        return refuse(g, extends, (str){0}, "'extends' must be the name of a preset, such as \"segment\"");
    if (depth == EXTENDS_MAX) return refuse(g, extends, (str){0}, "presets extend each other without an end");
    const struct relance_mapping_host *host = g->host;
    if (!host->preset_load || !host->preset_load(host->preset_context, extends.node->text, &text)) {
        diag_add(g->diag, SEVERITY_ERROR, (struct origin){.source = extends.source}, extends.node->begin,
                 extends.node->end, STR("`relance help presets` lists them"), "there is no preset '%.*s'",
                 STR_ARG(extends.node->text));
        return;
    }
    g->out->unread = false;
    gather_text(g, extends.node->text, text, depth + 1);
}

static void gather_text(struct gathering *g, str name, str text, unsigned depth)
{
    struct source *source = ARENA_NEW(g->arena, struct source);
    if (!source || !arena_copy_str(g->arena, name, &source->name) ||
        !arena_copy_str(g->arena, text, &source->text)) {
        g->diag->failed = true;
        return;
    }
    source->order = SIZE_MAX - depth; /* behind rule files */
    if (depth == 0) g->out->source = source;
    const struct json *root = json_parse(g->arena, source, g->diag);
    g->out->unread |= !root || root->kind != JSON_OBJECT;
    if (!root) return;
    if (root->kind != JSON_OBJECT)
        return refuse(g, (struct said){source, root}, (str){0}, "a mapping is an object");
    const struct json *extends = json_member(root, "extends");
    if (extends) gather_preset(g, (struct said){source, extends}, depth);
    for (const struct json *member = root->child; member; member = member->next)
        gather_member(g, source, member);
}

str relance_mapping_extends(str text)
{
    struct arena arena;
    struct diagnostics diag;
    arena_init(&arena, 0);
    diag_init(&diag, &arena);
    const struct source source = {.text = text};
    const struct json *root = json_parse(&arena, &source, &diag);
    const struct json *extends = root ? json_member(root, "extends") : NULL;
    bool named =
        extends && extends->kind == JSON_STRING && extends->end - extends->begin == extends->text.size + 2;
    str name = named ? str_slice(text, extends->begin + 1, extends->end - 1) : (str){0};
    arena_free(&arena);
    return name;
}

void mapping_gather(struct arena *arena, const struct relance_source *file,
                    const struct relance_mapping_host *host, struct gathered_mapping *out,
                    struct diagnostics *diag)
{
    *out = (struct gathered_mapping){.records = ARENA_ARRAY(arena, struct shape_part, EXTENDS_MAX + 1)};
    struct gathering g = {arena, host, out, diag};
    diag->failed |= !out->records;
    gather_text(&g, file->name, file->text, 0);
    out->lacking = diag->error_count;
    drop_nulls(&out->lets);
    drop_nulls(&out->each);
    drop_nulls(&out->events);
}

static bool says(const struct json *root)
{
    static const char *const names[] = {"extends", "format", "record", "for", "by", "each"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (json_member(root, names[i])) return true;
    return json_member(json_member(root, "events"), "*");
}

bool relance_mapping_is(struct relance_str text)
{
    struct arena arena;
    struct diagnostics diag;
    const struct source source = {.text = text};
    arena_init(&arena, 0);
    diag_init(&diag, &arena);
    const struct json *root = json_parse(&arena, &source, &diag);
    bool mapping = root && says(root) && !json_member(root, "rules");
    arena_free(&arena);
    return mapping;
}
