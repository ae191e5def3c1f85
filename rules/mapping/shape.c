#include "mapping/shape.h"

#include "base/limits.h"
#include "base/numeral.h"
#include "base/rfc3339.h"
#include "cel/digits.h"
#include "cel/type_text.h"
#include "mapping/format.h"

#include <math.h>

enum shape_kind {
    SHAPE_VALUE,  /* as native events have it */
    SHAPE_US,     /* a number of microseconds since 1970 */
    SHAPE_S,      /* of seconds */
    SHAPE_RECORD, /* an object */
    SHAPE_LIST,
    SHAPE_MAP,    /* of texts to whatever `item` is */
    SHAPE_TEXT,   /* a text that holds JSON */
    SHAPE_FORM,   /* a text that holds a query string */
    SHAPE_TIME,   /* a text in one of `formats` */
    SHAPE_NUMBER, /* a text with `mark` in front of its decimals */
};

struct shape_field {
    struct shape_field *next;
    str name;
    struct shape *shape;
};

/* A field as reading needs it: most are texts, for which nothing else is asked. */
struct shape_member {
    const struct shape *shape;
    bool is_text; /* as native events have it */
};

struct shape {
    enum shape_kind kind;
    const struct cel_type *type; /* of records, lists and maps known when it is finished */
    struct shape *item;          /* of a list, a map, a text, a query string */
    const struct time_formats *formats;
    char mark;
    struct shape_field *first, *last;
    size_t count;
    bool keeps_text;
    /* finished, of records: by number */
    struct shape_member *members;
    struct cel_value *blank; /* all fields, of which none is there */
    struct shape_record_type *record;
    struct key_table keys;
    struct key_hint *hints; /* HINTS of them: the one thing that reading changes */
};

enum { HINTS = 32 }; /* members of one object for which it is remembered what they were */

/* A record's type; where it keeps the text, that stands behind the fields, where no expression and no printer looks. */
struct shape_record_type {
    struct cel_record_type type;
    bool keeps_text;
};

/* ---- making */

struct maker {
    struct arena *keep, *scratch;
    struct shape_zones zones;
    struct diagnostics *diag;
    size_t fields;
};

static void refuse(struct maker *m, const struct shape_part *part, str hint, const char *what)
{
    diag_add(m->diag, SEVERITY_ERROR, (struct origin){.source = part->source}, part->node->begin,
             part->node->end, hint, "%s", what);
}

static struct shape *shape_new(struct arena *keep, enum shape_kind kind)
{
    struct shape *shape = ARENA_NEW(keep, struct shape);
    if (shape) *shape = (struct shape){.kind = kind, .type = &cel_types[CEL_TYPE_DYN]};
    return shape;
}

static struct shape_field *find_field(const struct shape *shape, str name)
{
    struct shape_field *field = shape->first;
    while (field && !str_equal(field->name, name))
        field = field->next;
    return field;
}

static bool add_field(struct arena *keep, struct shape *shape, str name, struct shape *of)
{
    struct shape_field *field = ARENA_NEW(keep, struct shape_field);
    if (!field || !of) return false;
    *field = (struct shape_field){.name = name, .shape = of};
    *(shape->last ? &shape->last->next : &shape->first) = field;
    shape->last = field;
    shape->count++;
    return true;
}

static struct shape *make(struct maker *m, const struct shape_part *parts, size_t count);

/* One more part of what is said of one thing. An object adds to objects, a list to lists, element to element; all else is
 * in the place of what was said before. A null says nothing and takes back what was said. */
static size_t add_part(struct shape_part *out, size_t found, const struct source *source,
                       const struct json *node)
{
    bool adds = node->kind == JSON_OBJECT || node->kind == JSON_ARRAY;
    if (!adds || (found && out[found - 1].node->kind != node->kind)) found = 0;
    if (node->kind != JSON_NULL) out[found++] = (struct shape_part){source, node};
    return found;
}

static size_t member_parts(const struct shape_part *parts, size_t count, str name, struct shape_part *out)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        const struct json *member = json_member_of(parts[i].node, name);
        if (member) found = add_part(out, found, parts[i].source, member);
    }
    return found;
}

static struct shape *make_record(struct maker *m, const struct shape_part *parts, size_t count)
{
    struct shape *shape = shape_new(m->keep, SHAPE_RECORD);
    struct shape_part *own = ARENA_ARRAY(m->scratch, struct shape_part, count + 1);
    for (size_t i = 0; i < count && shape && own; i++)
        for (const struct json *member = parts[i].node->child; member; member = member->next) {
            if (find_field(shape, member->key)) continue;
            size_t of = member_parts(parts, count, member->key, own);
            if (of == 0) continue; /* removed */
            if (++m->fields > LIMIT_FIELDS) {
                if (m->fields == LIMIT_FIELDS + 1)
                    refuse(m, &own[of - 1], (str){0}, "a shape has too many members");
                return shape;
            }
            if (!add_field(m->keep, shape, member->key, make(m, own, of))) m->diag->failed = true;
        }
    m->diag->failed |= !shape || !own;
    return shape;
}

static struct shape *make_item(struct maker *m, const struct shape_part *part, enum shape_kind kind,
                               const struct json *item)
{
    struct shape *shape = shape_new(m->keep, kind);
    struct shape_part inner = {part->source, item};
    if (shape) shape->item = make(m, &inner, 1);
    return shape;
}

static struct shape *make_list(struct maker *m, const struct shape_part *parts, size_t count)
{
    struct shape *shape = shape_new(m->keep, SHAPE_LIST);
    struct shape_part *inner = ARENA_ARRAY(m->scratch, struct shape_part, count);
    size_t found = 0;
    for (size_t i = 0; i < count && inner; i++) {
        const struct json *item = parts[i].node->child;
        if (item && !item->next && item->kind != JSON_NULL) {
            found = add_part(inner, found, parts[i].source, item);
            continue;
        }
        refuse(m, &parts[i], STR("write [T]: all elements are alike"), "a list has one element here");
    }
    m->diag->failed |= !inner || !shape;
    if (found && shape) {
        shape->item = make(m, inner, found);
        return shape;
    }
    return shape_new(m->keep, SHAPE_VALUE);
}

static struct shape *make_scalar(struct maker *m, const struct shape_part *part)
{
    str text = part->node->text;
    bool us = str_equal(text, STR("timestamp_us")), s = str_equal(text, STR("timestamp_s"));
    struct shape *shape = shape_new(m->keep, us ? SHAPE_US : s ? SHAPE_S : SHAPE_VALUE);
    const struct cel_type *type =
        us || s ? &cel_types[CEL_TYPE_TIMESTAMP] : cel_type_parse(m->keep, text, NULL, NULL);
    if (type && shape) {
        shape->type = type;
        return shape;
    }
    struct nearest nearest = nearest_to(text);
    nearest_offer(&nearest, STR("timestamp_us"));
    nearest_offer(&nearest, STR("timestamp_s"));
    str hint = cel_type_elsewhere(text, &nearest);
    if (!hint.size) hint = nearest_hint(&nearest, m->scratch);
    diag_add(m->diag, SEVERITY_ERROR, (struct origin){.source = part->source}, part->node->begin,
             part->node->end, hint, "'%.*s' is not a type", STR_ARG(text));
    return shape;
}

const struct zone *shape_zone(struct zones *zones, const struct source *source, const struct json *node,
                              struct diagnostics *diag)
{
    const struct zone *zone = node->kind == JSON_STRING ? zone_find(zones, node->text) : NULL;
    if (!zone)
        diag_add(diag, SEVERITY_ERROR, (struct origin){.source = source}, node->begin, node->end,
                 STR("such as \"Europe/Berlin\""), "there is no such zone");
    return zone;
}

bool shape_formats(struct arena *keep, const struct source *source, const struct json *node,
                   struct time_formats *formats, struct diagnostics *diag)
{
    bool list = node->kind == JSON_ARRAY;
    formats->count = 0;
    for (const struct json *format = list ? node->child : node; format; format = list ? format->next : NULL) {
        bool sound = format->kind == JSON_STRING && format->text.size &&
                     memchr(format->text.data, '%', format->text.size) && time_format_is_sound(format->text);
        str kept;
        if (sound && !arena_copy_str(keep, format->text, &kept)) diag->failed = true;
        if (sound && !diag->failed && formats->count < TIME_FORMATS_MAX) {
            formats->formats[formats->count++] = kept.data;
            continue;
        }
        diag_add(diag, SEVERITY_ERROR, (struct origin){.source = source}, format->begin, format->end,
                 STR("\"%s\", alone, is seconds since 1970"),
                 sound ? "a time has at most 8 formats" : "a format is such as \"%%d.%%m.%%Y %%H:%%M\"");
        return false;
    }
    if (!formats->count)
        diag_add(diag, SEVERITY_ERROR, (struct origin){.source = source}, node->begin, node->end,
                 STR("such as [\"%d.%m.%Y\", \"%Y-%m-%d\"]"), "a time has a format");
    return formats->count;
}

/* {"$time": FORMAT or [FORMATS], "tz": ZONE} */
static struct shape *make_time(struct maker *m, const struct shape_part *part, const struct json *time,
                               const struct json *tz)
{
    struct shape *shape = shape_new(m->keep, SHAPE_TIME);
    struct time_formats *formats = ARENA_NEW(m->keep, struct time_formats);
    if (!shape || !formats) return shape;
    shape->type = &cel_types[CEL_TYPE_TIMESTAMP];
    shape->formats = formats;
    formats->zone = tz ? shape_zone(m->zones.known, part->source, tz, m->diag) : m->zones.here;
    shape_formats(m->keep, part->source, time, formats, m->diag);
    return shape;
}

/* {"$number": ","} */
static struct shape *make_number(struct maker *m, const struct shape_part *part, const struct json *mark)
{
    struct shape *shape = shape_new(m->keep, SHAPE_NUMBER);
    bool known =
        mark->kind == JSON_STRING && (str_equal(mark->text, STR(",")) || str_equal(mark->text, STR(".")));
    if (shape && known) {
        shape->type = &cel_types[CEL_TYPE_DOUBLE];
        shape->mark = mark->text.data[0];
    } else if (shape) {
        diag_add(m->diag, SEVERITY_ERROR, (struct origin){.source = part->source}, mark->begin, mark->end,
                 (str){0}, "'$number' is the mark of decimals: \",\" or \".\"");
    }
    return shape;
}

/* {"$map": T}, {"$text": T} and the like: an object of one member whose name is one of these. */
static struct shape *make_special(struct maker *m, const struct shape_part *part)
{
    static const char *const names[] = {"$map", "$text", "$form", "$number", "$time"};
    const struct json *only = part->node->count == 1 ? part->node->child : NULL,
                      *time = json_member(part->node, "$time"), *tz = json_member(part->node, "tz");
    if (time && (only || (tz && part->node->count == 2))) return make_time(m, part, time, tz);
    for (size_t i = 0; i < sizeof names / sizeof *names && !only; i++) {
        if (!json_member(part->node, names[i])) continue;
        diag_add(m->diag, SEVERITY_ERROR, (struct origin){.source = part->source}, part->node->begin,
                 part->node->end, (str){0},
                 "'%s' stands alone in its object: it says what the whole value is", names[i]);
        return shape_new(m->keep, SHAPE_VALUE);
    }
    if (!only) return NULL;
    if (str_equal(only->key, STR("$map"))) return make_item(m, part, SHAPE_MAP, only);
    if (str_equal(only->key, STR("$text"))) return make_item(m, part, SHAPE_TEXT, only);
    if (str_equal(only->key, STR("$form"))) return make_item(m, part, SHAPE_FORM, only);
    if (str_equal(only->key, STR("$number"))) return make_number(m, part, only);
    return NULL;
}

static struct shape *make(struct maker *m, const struct shape_part *parts, size_t count)
{
    const struct shape_part *last = &parts[count - 1];
    switch (last->node->kind) {
    case JSON_STRING: return make_scalar(m, last);
    case JSON_OBJECT: {
        struct shape *special = make_special(m, last);
        return special ? special : make_record(m, parts, count);
    }
    case JSON_ARRAY: return make_list(m, parts, count);
    default:
        refuse(m, last, STR("write a type, such as \"string\", an object, or [T] for a list"),
               "this is no shape");
    }
    return shape_new(m->keep, SHAPE_VALUE);
}

struct shape *shape_make(struct arena *keep, struct arena *scratch, const struct shape_part *parts,
                         size_t count, struct shape_zones zones, struct diagnostics *diag)
{
    struct maker m = {.keep = keep, .scratch = scratch, .zones = zones, .diag = diag};
    return make_record(&m, parts, count);
}

bool shape_keep_text(struct shape *shape, struct arena *keep, const str *path, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool element = str_equal(path[i], STR("[]"));
        if (shape->kind != (element ? SHAPE_LIST : SHAPE_RECORD)) return false;
        if (!element && !find_field(shape, path[i]) &&
            !add_field(keep, shape, path[i], shape_new(keep, SHAPE_RECORD)))
            return false;
        shape = element ? shape->item : find_field(shape, path[i])->shape;
    }
    if (shape->kind != SHAPE_RECORD) return false;
    shape->keeps_text = true;
    return true;
}

static bool finish_record(struct shape *shape, struct arena *keep, struct diagnostics *diag)
{
    size_t count = shape->count, i = 0;
    struct cel_field *fields = ARENA_ARRAY(keep, struct cel_field, count + 1);
    shape->members = ARENA_ARRAY(keep, struct shape_member, count + 1);
    shape->blank = ARENA_ARRAY(keep, struct cel_value, count + 1);
    shape->record = ARENA_NEW(keep, struct shape_record_type);
    shape->hints = ARENA_ARRAY(keep, struct key_hint, HINTS);
    if (!fields || !shape->members || !shape->blank || !shape->record || !shape->hints ||
        !key_table_init(&shape->keys, keep, count + 1))
        return false;
    for (struct shape_field *field = shape->first; field; field = field->next, i++) {
        shape_finish(field->shape, keep, diag);
        fields[i] = (struct cel_field){field->name, field->shape->type};
        bool is_text = field->shape->kind == SHAPE_VALUE && field->shape->type->kind == CEL_TYPE_STRING;
        shape->members[i] = (struct shape_member){field->shape, is_text};
        shape->blank[i] = (struct cel_value){.kind = CEL_ABSENT};
        key_table_add(&shape->keys, field->name, (uint32_t)i);
    }
    *shape->record = (struct shape_record_type){{STR("record"), count, fields, NULL}, shape->keeps_text};
    shape->type = cel_record_of(keep, &shape->record->type);
    return cel_record_index(keep, &shape->record->type) && shape->type;
}

void shape_finish(struct shape *shape, struct arena *keep, struct diagnostics *diag)
{
    if (shape->item) shape_finish(shape->item, keep, diag);
    const struct cel_type *item = shape->item ? shape->item->type : NULL;
    switch (shape->kind) {
    case SHAPE_RECORD:
        if (!finish_record(shape, keep, diag)) diag->failed = true;
        break;
    case SHAPE_LIST: shape->type = cel_list_of(keep, item); break;
    case SHAPE_MAP: shape->type = cel_map_of(keep, &cel_types[CEL_TYPE_STRING], item); break;
    case SHAPE_TEXT:
    case SHAPE_FORM: shape->type = item; break;
    case SHAPE_VALUE:
    case SHAPE_US:
    case SHAPE_S:
    case SHAPE_TIME:
    case SHAPE_NUMBER: break;
    }
    if (!shape->type) {
        shape->type = &cel_types[CEL_TYPE_DYN];
        diag->failed = true;
    }
}

const struct cel_type *shape_type(const struct shape *shape)
{
    return shape->type;
}

bool shape_reads(const struct shape *shape, str name)
{
    return shape->keeps_text || find_field(shape, name);
}

str shape_missing(const struct shape *shape, const str *names, size_t count)
{
    for (const struct shape_field *field = shape->first; field; field = field->next) {
        size_t at = 0;
        while (at < count && !str_equal(names[at], field->name))
            at++;
        if (at == count) return field->name;
    }
    return (str){0};
}

/* ---- reading */

static const struct cel_value absent = {.kind = CEL_ABSENT};

/* A number, or a text that is one, whose unit is so many powers of ten of a millisecond; another text is RFC 3339. */
static struct cel_value read_instant(struct coercion *c, int32_t power)
{
    struct scan_value v = scan_value(&c->scan);
    struct json_number number = c->scan.number;
    int64_t ms;
    if (v.kind == SCAN_NULL) return (struct cel_value){.kind = CEL_NULL};
    if (v.kind == SCAN_NUMBER || (v.kind == SCAN_STRING && json_number_read(v.text, &number))) {
        number.exponent += power;
        bool fits = json_number_floor(&number, &ms) && ms >= RFC3339_MS_MIN && ms <= RFC3339_MS_MAX;
        return fits ? cel_timestamp_ms(ms) : absent;
    }
    return coerce_instant(c, &v, &ms) ? cel_timestamp_ms(ms) : absent;
}

/* Not part of shape_read, which is small for all that is no record. */
static __attribute__((noinline)) struct cel_value read_record(struct shape_reader *r,
                                                              const struct shape *shape)
{
    struct coercion *c = &r->c;
    const uint32_t *from = c->scan.next;
    size_t count = shape->count;
    struct cel_record *record =
        arena_alloc(c->values, sizeof *record + (count + shape->keeps_text) * sizeof record->fields[0]);
    if (!record) {
        c->no_memory = true;
        scan_skip(&c->scan);
        return absent;
    }
    record->type = &shape->record->type;
    memcpy(record->fields, shape->blank, count * sizeof record->fields[0]);
    size_t place = 0;
    for (bool more = scan_open(&c->scan); more; more = scan_more(&c->scan, '}')) {
        struct key_hint *hint = &shape->hints[place < HINTS ? place++ : HINTS - 1];
        uint32_t at = key_find_hinted(&shape->keys, scan_key(&c->scan), hint);
        if (at == KEY_NONE) {
            scan_skip(&c->scan);
            continue;
        }
        const uint32_t *value_from = c->scan.next;
        const struct shape_member *member = &shape->members[at];
        if (member->is_text && scan_peek(&c->scan) == '"') {
            record->fields[at] = cel_string(scan_string(&c->scan));
            continue;
        }
        struct cel_value value = shape_read(r, member->shape);
        if (value.kind == CEL_ABSENT)
            coerce_misfit(c, shape->record->type.fields[at].name, member->shape->type, value_from);
        record->fields[at] = value.kind == CEL_NULL ? absent : value;
    }
    if (shape->keeps_text) record->fields[count] = cel_string(scan_since(&c->scan, from));
    return (struct cel_value){.kind = CEL_RECORD, .as.record = record};
}

static struct cel_value read_element(void *reader, const void *element)
{
    return shape_read(reader, element);
}

/* Pairs are pushed; of equal keys the last one's value stays. */
static struct cel_value read_map(struct shape_reader *r, const struct shape *element)
{
    struct coercion *c = &r->c;
    size_t base = c->stack_count;
    bool good = true;
    for (bool more = scan_open(&c->scan); more; more = scan_more(&c->scan, '}')) {
        str key = scan_key(&c->scan);
        struct cel_value value = shape_read(r, element);
        if (value.kind == CEL_NULL) continue;
        good &= value.kind != CEL_ABSENT;
        coerce_push(c, cel_string(key));
        coerce_push(c, value);
    }
    struct cel_value map = coerce_take_map(c, base);
    return good ? map : absent;
}

/* What is read from the text has to be there until the record is done, and it may hold texts that hold JSON: so what
 * the loader has found is copied. */
struct cel_value shape_read_text(struct shape_reader *r, const struct shape *shape, str text)
{
    struct coercion *c = &r->c;
    struct json_loader *loader = r->texts;
    enum json_index_status status = json_load(loader, text);
    c->no_memory |= status == JSON_INDEX_NO_MEMORY;
    if (status != JSON_INDEX_OK) return absent;
    struct scan around = c->scan;
    char *copy = arena_alloc(c->values, loader->loaded.size + JSON_PADDING);
    char *room = arena_alloc(c->values, loader->loaded.size + JSON_PADDING);
    uint32_t *tokens = arena_alloc(c->values, (loader->count + 2) * sizeof *tokens);
    if (!copy || !room || !tokens) {
        c->no_memory = true;
        return absent;
    }
    memcpy(copy, loader->text, loader->loaded.size + JSON_PADDING);
    memcpy(tokens, loader->tokens, (loader->count + 2) * sizeof *tokens);
    scan_begin(&c->scan, (str){copy, loader->loaded.size}, tokens, loader->count, room, LIMIT_EVENT_DEPTH);
    struct cel_value value = shape_read(r, shape);
    bool whole = scan_finish(&c->scan) == SCAN_OK;
    c->scan = around;
    return whole ? value : absent;
}

static struct cel_value read_text(struct shape_reader *r, const struct shape *shape)
{
    struct scan_value v = scan_value(&r->c.scan);
    struct buffer form;
    if (v.kind == SCAN_NULL) return (struct cel_value){.kind = CEL_NULL};
    if (v.kind != SCAN_STRING) return absent;
    if (shape->kind == SHAPE_TEXT) return shape_read_text(r, shape->item, v.text);
    buffer_init(&form, r->c.values);
    if (form_put_json(v.text, &form, r->c.values, &r->garbled))
        return shape_read_text(r, shape->item, buffer_str(&form));
    r->c.no_memory = true;
    return absent;
}

static struct cel_value read_time(struct coercion *c, const struct time_formats *formats)
{
    struct scan_value v = scan_value(&c->scan);
    int64_t ms;
    if (v.kind == SCAN_NULL) return (struct cel_value){.kind = CEL_NULL};
    bool text = v.kind == SCAN_STRING || v.kind == SCAN_NUMBER;
    return text && time_formats_read(formats, v.text, &ms) ? cel_timestamp_ms(ms) : absent;
}

static struct cel_value read_number(struct coercion *c, char mark)
{
    struct scan_value v = scan_value(&c->scan);
    struct buffer text;
    double number;
    if (v.kind == SCAN_NULL) return (struct cel_value){.kind = CEL_NULL};
    buffer_init(&text, c->values);
    if (v.kind == SCAN_NUMBER)
        buffer_put_str(&text, v.text);
    else if (v.kind != SCAN_STRING || !numeral_read(v.text, mark, &text))
        return absent;
    c->no_memory |= text.failed;
    bool read = !text.failed && digits_read(text.data, text.size, &number) && isfinite(number);
    return read ? cel_double(number) : absent;
}

struct cel_value shape_read(struct shape_reader *r, const struct shape *shape)
{
    char c0 = scan_peek(&r->c.scan);
    switch (shape->kind) {
    case SHAPE_VALUE: return coerce(&r->c, shape->type);
    case SHAPE_US: return read_instant(&r->c, -3);
    case SHAPE_S: return read_instant(&r->c, 3);
    case SHAPE_TEXT:
    case SHAPE_FORM: return read_text(r, shape);
    case SHAPE_TIME: return read_time(&r->c, shape->formats);
    case SHAPE_NUMBER: return read_number(&r->c, shape->mark);
    case SHAPE_RECORD:
        if (c0 == '{') return read_record(r, shape);
        break;
    case SHAPE_LIST:
        if (c0 == '[') return coerce_list_by(&r->c, read_element, r, shape->item);
        break;
    case SHAPE_MAP:
        if (c0 == '{') return read_map(r, shape->item);
        break;
    }
    struct scan_value v = scan_value(&r->c.scan);
    return (struct cel_value){.kind = v.kind == SCAN_NULL ? CEL_NULL : CEL_ABSENT};
}

str shape_text(struct cel_value object)
{
    if (object.kind != CEL_RECORD) return (str){0};
    const struct cel_record *record = object.as.record;
    const struct shape_record_type *type = (const struct shape_record_type *)record->type;
    return type->keeps_text ? cel_text(record->fields[type->type.field_count]) : (str){0};
}
