#include "mapping/value.h"

#include "base/limits.h"
#include "cel/placeholder.h"
#include "event/event.h"

enum value_kind {
    VALUE_PLAIN,   /* JSON as it stands */
    VALUE_PROGRAM, /* "${CEL}" */
    VALUE_SPLICE,  /* a text with CEL in it: parts are texts as they stand in JSON, and programs */
    VALUE_OBJECT,
    VALUE_LIST,
    VALUE_EACH, /* a list of one element for each of another list */
};

struct value {
    enum value_kind kind;
    str text;  /* VALUE_PLAIN */
    str plain; /* of a text or a number, without its quotes and escapes */
    const struct cel_program *program;
    struct value_loop loop;
    struct value_part {
        str key; /* of an object's member: as JSON, with its colon */
        const struct value *value;
    } * parts;
    size_t count;
};

/* ---- compiling */

const struct cel_program *value_program(struct value_compiler *c, str text, struct origin origin,
                                        const struct cel_type *wanted)
{
    const uint32_t *slots;
    const struct cel_program *program = cel_compile(c->keep, c->work, c->env, text, origin, wanted, c->diag);
    arena_reset(c->work);
    size_t count = program ? cel_program_slots(program, &slots) : 0;
    for (size_t i = 0; i < count; i++)
        if (slots[i] < c->reads_count) c->reads[slots[i]] = true;
    return program;
}

struct cel_env *value_env_inside(struct value_compiler *c)
{
    struct cel_env *env = cel_env_inside(c->keep, c->env);
    if (env)
        cel_env_set_refuse(env, c->refuse, c->refuse_context);
    else
        c->diag->failed = true;
    return env;
}

bool value_name_check(struct value_compiler *c, str name, struct origin origin, size_t begin, size_t end)
{
    bool identifier = str_is_identifier(name), taken = cel_is_taken(name);
    for (size_t i = 0; i < c->ground_count; i++)
        taken |= str_equal(name, c->ground[i]);
    if (identifier && !taken) return true;
    diag_add(c->diag, SEVERITY_ERROR, origin, begin, end, STR("choose another name"),
             taken ? "'%.*s' already means something in expressions" : "'%.*s' cannot be said in expressions",
             STR_ARG(name));
    return false;
}

static struct value *value_new(struct value_compiler *c, enum value_kind kind, size_t parts)
{
    struct value *value = ARENA_NEW(c->keep, struct value);
    struct value_part *room = parts ? ARENA_ARRAY(c->keep, struct value_part, parts) : NULL;
    if (!value || (parts && !room)) {
        c->diag->failed = true;
        return NULL;
    }
    *value = (struct value){.kind = kind, .parts = room};
    return value;
}

static const struct value *find_let(const struct value_compiler *c, str name)
{
    for (const struct value_let *let = c->lets; let; let = let->next)
        if (str_equal(let->name, name)) return let->value;
    return NULL;
}

static struct value *compile_whole(struct value_compiler *c, str text, struct origin origin)
{
    const struct value *let = find_let(c, str_trim(text));
    struct value *value = value_new(c, VALUE_PROGRAM, 0);
    if (let && value) *value = *let;
    if (let || !value) return value;
    value->program = value_program(c, text, origin, NULL);
    return value;
}

static struct value *plain(struct value_compiler *c, const struct buffer *json, str text)
{
    struct value *value = value_new(c, VALUE_PLAIN, 0);
    if (!value) return NULL;
    value->plain = text;
    if (json->failed || !arena_copy_str(c->keep, buffer_str(json), &value->text)) c->diag->failed = true;
    return value;
}

static bool put_part(struct value_compiler *c, struct value *splice, struct value *part)
{
    if (!part) return false;
    if (splice->count % 8 == 0) {
        struct value_part *grown = ARENA_ARRAY(c->keep, struct value_part, splice->count + 8);
        if (!grown) {
            c->diag->failed = true;
            return false;
        }
        if (splice->count) memcpy(grown, splice->parts, splice->count * sizeof *grown);
        splice->parts = grown;
    }
    splice->parts[splice->count++].value = part;
    return true;
}

/* What stands between expressions, escaped for JSON, without quotes. */
static bool put_between(struct value_compiler *c, struct value *splice, str literal, struct buffer *between)
{
    if (between->size <= 2) return true;
    struct value *part = value_new(c, VALUE_PLAIN, 0);
    str inside = str_slice(buffer_str(between), 1, between->size - 1);
    if (!part) return false;
    if (between->failed || !arena_copy_str(c->keep, inside, &part->text) ||
        !arena_copy_str(c->keep, literal, &part->plain))
        c->diag->failed = true;
    return put_part(c, splice, part);
}

/* A text with `${CEL}` in it, or `$$`, which stands for a dollar sign. */
static struct value *compile_splice(struct value_compiler *c, const struct source *source,
                                    const struct json *node)
{
    struct value *splice = value_new(c, VALUE_SPLICE, 0);
    struct origin origin = json_origin(source, node);
    struct buffer literal, escaped;
    buffer_init(&literal, c->keep); /* compiling resets the other arena */
    buffer_init(&escaped, c->keep);
    str text = node->text;
    for (size_t at = 0; splice && at <= text.size;) {
        str rest = str_slice(text, at, text.size);
        bool opens = str_starts_with(rest, STR("${")), ends = at == text.size;
        if (!opens && !ends) {
            buffer_put_char(&literal, text.data[at]);
            at += str_starts_with(rest, STR("$$")) ? 2 : 1;
            continue;
        }
        escaped.size = 0;
        buffer_put_json_string(&escaped, buffer_str(&literal));
        if (!put_between(c, splice, buffer_str(&literal), &escaped) || ends) break;
        literal.size = 0;
        size_t end = placeholder_end(text, at + 2);
        if (end == text.size) {
            diag_add(c->diag, SEVERITY_ERROR, origin, at, at + 2, STR("a dollar sign alone is written $$"),
                     "this '${' has no '}'");
            break;
        }
        struct value *part = value_new(c, VALUE_PROGRAM, 0);
        if (part)
            part->program = value_program(c, str_slice(text, at + 2, end), origin_at(origin, at + 2), NULL);
        if (!put_part(c, splice, part)) break;
        at = end + 1;
    }
    return splice;
}

static struct value *compile_text(struct value_compiler *c, const struct source *source,
                                  const struct json *node)
{
    str text = node->text;
    if (placeholder_is_whole(text))
        return compile_whole(c, str_slice(text, 2, text.size - 1), origin_at(json_origin(source, node), 2));
    if (text.size && memchr(text.data, '$', text.size)) return compile_splice(c, source, node);
    struct buffer json;
    buffer_init(&json, c->work);
    buffer_put_json_string(&json, text);
    return plain(c, &json, text);
}

static bool add_member(struct value_compiler *c, struct value *object, const struct source *source,
                       const struct json *member)
{
    struct buffer key;
    struct value_part *part = &object->parts[object->count++];
    part->value = value_compile(c, source, member);
    buffer_init(&key, c->work);
    buffer_put_json_string(&key, member->key);
    buffer_put_char(&key, ':');
    bool kept = !key.failed && arena_copy_str(c->keep, buffer_str(&key), &part->key);
    if (!kept) c->diag->failed = true;
    return kept && part->value;
}

/* All its members but for `loop`, which may be NULL. */
static struct value *compile_object(struct value_compiler *c, const struct source *source,
                                    const struct json *node, const struct json *loop)
{
    struct value *object = value_new(c, VALUE_OBJECT, node->count + 1);
    for (const struct json *member = node->child; member && object; member = member->next)
        if (member != loop) add_member(c, object, source, member);
    return object;
}

static struct value *compile_each(struct value_compiler *c, const struct source *source,
                                  const struct json *element, const struct json *over)
{
    struct value *each = value_new(c, VALUE_EACH, 1);
    const struct cel_env *around = c->env, *inside;
    if (!each || !value_loop_compile(c, source, over, &each->loop, &inside)) return each;
    c->env = inside;
    each->parts[0].value = compile_object(c, source, element, over);
    each->count = 1;
    c->env = around;
    return each;
}

static struct value *compile_list(struct value_compiler *c, const struct source *source,
                                  const struct json *node)
{
    const struct json *over = node->count == 1 ? json_member(node->child, "for") : NULL;
    if (over && over->kind == JSON_STRING) return compile_each(c, source, node->child, over);
    struct value *list = value_new(c, VALUE_LIST, node->count + 1);
    for (const struct json *element = node->child; element && list; element = element->next)
        list->parts[list->count++].value = value_compile(c, source, element);
    return list;
}

struct value *value_compile(struct value_compiler *c, const struct source *source, const struct json *node)
{
    struct buffer json;
    switch (node->kind) {
    case JSON_STRING: return compile_text(c, source, node);
    case JSON_OBJECT: return compile_object(c, source, node, NULL);
    case JSON_ARRAY: return compile_list(c, source, node);
    default: break;
    }
    buffer_init(&json, c->work);
    json_write(node, &json);
    return plain(c, &json, node->kind == JSON_NUMBER ? node->text : (str){0});
}

/* "i in …" taken apart; false: it has another form. */
static bool split_loop(str text, str *name, size_t *list_at)
{
    size_t begin = 0, end;
    while (begin < text.size && text.data[begin] == ' ')
        begin++;
    for (end = begin; end < text.size && text.data[end] != ' '; end++) {
    }
    *name = str_slice(text, begin, end);
    while (end < text.size && text.data[end] == ' ')
        end++;
    *list_at = end + 3;
    return str_is_identifier(*name) && str_starts_with(str_slice(text, end, text.size), STR("in "));
}

bool value_loop_compile(struct value_compiler *c, const struct source *source, const struct json *node,
                        struct value_loop *loop, const struct cel_env **inside)
{
    str name;
    size_t at;
    if (node->kind != JSON_STRING || !split_loop(node->text, &name, &at)) {
        diag_add(c->diag, SEVERITY_ERROR, (struct origin){.source = source}, node->begin, node->end, (str){0},
                 "'for' names an element and its list, such as \"i in record.items\"");
        return false;
    }
    struct origin origin = json_origin(source, node);
    loop->list = value_program(c, str_slice(node->text, at, node->text.size), origin_at(origin, at), NULL);
    if (!loop->list) return false;
    const struct cel_type *type = cel_program_type(loop->list);
    if (type->kind == CEL_TYPE_OPTIONAL) type = type->params[0];
    bool list = type->kind == CEL_TYPE_LIST;
    if (!list && type->kind != CEL_TYPE_DYN) {
        str noun = cel_type_noun(c->work, type);
        diag_add(c->diag, SEVERITY_ERROR, origin, at, node->text.size, (str){0},
                 "'for' goes over a list, but this is %.*s", STR_ARG(noun));
        return false;
    }
    size_t name_at = (size_t)(name.data - node->text.data);
    if (!value_name_check(c, name, origin, name_at, name_at + name.size)) return false;
    loop->slot = (*c->slot_count)++;
    struct cel_env *env = value_env_inside(c);
    str kept;
    bool made = env && arena_copy_str(c->keep, name, &kept) &&
                cel_env_add_variable(env, kept, list ? type->params[0] : type, loop->slot);
    if (!made) c->diag->failed = true;
    *inside = env;
    return made;
}

static bool may_be(const struct value *value, bool time)
{
    if (value->kind == VALUE_PLAIN) return value->text.size && strchr("\"-0123456789", value->text.data[0]);
    if (value->kind != VALUE_PROGRAM) return value->kind == VALUE_SPLICE;
    const struct cel_type *type =
        value->program ? cel_program_type(value->program) : &cel_types[CEL_TYPE_DYN];
    if (type->kind == CEL_TYPE_OPTIONAL) type = type->params[0];
    switch (type->kind) {
    case CEL_TYPE_STRING:
    case CEL_TYPE_INT:
    case CEL_TYPE_UINT:
    case CEL_TYPE_DYN: return true;
    case CEL_TYPE_DOUBLE:
    case CEL_TYPE_TIMESTAMP: return time;
    default: return false;
    }
}

bool value_may_be_text(const struct value *value)
{
    return may_be(value, false);
}

bool value_may_be_time(const struct value *value)
{
    return may_be(value, true);
}

bool value_is_plain_text(const struct value *value, str *text)
{
    bool plain = value->kind == VALUE_PLAIN && value->text.size && value->text.data[0] == '"';
    if (plain) *text = value->plain;
    return plain;
}

const struct cel_program *value_is_program(const struct value *value)
{
    return value->kind == VALUE_PROGRAM ? value->program : NULL;
}

/* ---- comparing with what is declared */

static bool is_misfit(struct value_misfit *misfit, const struct cel_type *found,
                      const struct cel_type *wanted)
{
    if (event_may_take(wanted, found)) return false;
    *misfit = (struct value_misfit){.found = found, .wanted = wanted};
    return true;
}

static const struct cel_type *plain_type(str json)
{
    switch (json.size ? json.data[0] : 'n') {
    case '"': return &cel_types[CEL_TYPE_STRING];
    case 't':
    case 'f': return &cel_types[CEL_TYPE_BOOL];
    case 'n': return &cel_types[CEL_TYPE_NULL];
    default: return &cel_types[CEL_TYPE_DOUBLE];
    }
}

static bool fits_below(const struct value_part *part, const struct cel_type *declared, str name,
                       struct arena *arena, struct value_misfit *misfit)
{
    if (!part->value || value_fits(part->value, declared, arena, misfit)) return true;
    if (name.size) misfit->path = arena_format(arena, ".%.*s%.*s", STR_ARG(name), STR_ARG(misfit->path));
    return false;
}

static bool object_fits(const struct value *object, const struct cel_type *declared, struct arena *arena,
                        struct value_misfit *misfit)
{
    static const struct cel_type map = {.kind = CEL_TYPE_MAP,
                                        .params = {&cel_types[CEL_TYPE_STRING], &cel_types[CEL_TYPE_DYN]}};
    const struct cel_record_type *record = declared->kind == CEL_TYPE_RECORD ? declared->record : NULL;
    if (declared->kind != CEL_TYPE_MAP && !record) return !is_misfit(misfit, &map, declared);
    for (size_t i = 0; i < object->count; i++) {
        const struct value_part *part = &object->parts[i];
        str name = str_slice(part->key, 1, part->key.size - 2);
        const struct cel_type *type = record ? NULL : declared->params[1];
        for (size_t f = 0; record && f < record->field_count; f++)
            if (str_equal(record->fields[f].name, name)) type = record->fields[f].type;
        if (type && !fits_below(part, type, name, arena, misfit)) return false;
    }
    return true;
}

bool value_fits(const struct value *value, const struct cel_type *declared, struct arena *arena,
                struct value_misfit *misfit)
{
    static const struct cel_type list = {.kind = CEL_TYPE_LIST, .params = {&cel_types[CEL_TYPE_DYN]}};
    switch (value->kind) {
    case VALUE_PLAIN: return !is_misfit(misfit, plain_type(value->text), declared);
    case VALUE_PROGRAM:
        return !value->program || !is_misfit(misfit, cel_program_type(value->program), declared);
    case VALUE_SPLICE: return !is_misfit(misfit, &cel_types[CEL_TYPE_STRING], declared);
    case VALUE_OBJECT: return object_fits(value, declared, arena, misfit);
    case VALUE_LIST:
    case VALUE_EACH: break;
    }
    if (is_misfit(misfit, &list, declared)) return false;
    for (size_t i = 0; i < value->count && declared->kind == CEL_TYPE_LIST; i++)
        if (!fits_below(&value->parts[i], declared->params[0], (str){0}, arena, misfit)) return false;
    return true;
}

/* ---- writing */

struct cel_value value_eval(struct value_writer *w, const struct cel_program *program)
{
    struct cel_value value;
    if (!cel_follow(program, w->frame, &value)) value = cel_eval(program, w->frame);
    if (value.kind == CEL_OPTIONAL)
        value = value.as.optional ? *value.as.optional : (struct cel_value){.kind = CEL_ABSENT};
    if (value.kind != CEL_ERROR) return value;
    w->failed += !cel_is_missing(value);
    return (struct cel_value){.kind = CEL_ABSENT};
}

const struct cel_list *value_loop_list(struct value_writer *w, const struct value_loop *loop)
{
    struct cel_value list = value_eval(w, loop->list);
    w->failed += list.kind != CEL_LIST && list.kind != CEL_ABSENT && list.kind != CEL_NULL;
    return list.kind == CEL_LIST ? list.as.list : NULL;
}

static str text_of(struct value_writer *w, struct cel_value value)
{
    struct buffer text;
    if (value.kind == CEL_STRING) return cel_text(value);
    if (value.kind != CEL_INT && value.kind != CEL_UINT) {
        w->failed += value.kind != CEL_ABSENT && value.kind != CEL_NULL;
        return (str){0};
    }
    buffer_init(&text, w->frame->scratch);
    cel_print(value, &text);
    return text.failed ? (str){0} : buffer_str(&text);
}

static str splice_text(struct value_writer *w, const struct value *splice)
{
    struct buffer text;
    buffer_init(&text, w->frame->scratch);
    for (size_t i = 0; i < splice->count; i++) {
        const struct value *part = splice->parts[i].value;
        struct cel_value value = part->program ? value_eval(w, part->program) : cel_string(part->plain);
        if (value.kind == CEL_ABSENT) return (str){0};
        if (!cel_print(value, &text)) {
            w->failed++;
            return (str){0};
        }
    }
    return text.failed ? (str){0} : buffer_str(&text);
}

str value_text(struct value_writer *w, const struct value *value)
{
    switch (value->kind) {
    case VALUE_PLAIN: return value->plain;
    case VALUE_PROGRAM: return text_of(w, value_eval(w, value->program));
    case VALUE_SPLICE: return splice_text(w, value);
    case VALUE_OBJECT:
    case VALUE_LIST:
    case VALUE_EACH: w->failed++; return (str){0};
    }
    return (str){0};
}

static bool write_program(struct value_writer *w, const struct cel_program *program)
{
    struct cel_value value = value_eval(w, program);
    if (value.kind == CEL_ABSENT) return false;
    size_t begin = w->out->size;
    if (cel_print_json(value, w->out)) return true;
    w->out->size = begin;
    w->failed++;
    return false;
}

/* The value's text into the text that is being written, escaped. */
static bool write_spliced(struct value_writer *w, const struct cel_program *program)
{
    struct cel_value value = value_eval(w, program);
    w->splice->size = 0;
    if (value.kind == CEL_ABSENT) return false;
    if (!cel_print(value, w->splice)) {
        w->failed++;
        return false;
    }
    str text = buffer_str(w->splice);
    for (size_t i = 0; i < text.size; i++) {
        char escape[6];
        bool plain_byte = json_is_plain((unsigned char)text.data[i]);
        size_t size = plain_byte ? 1 : json_escape((unsigned char)text.data[i], escape);
        buffer_put(w->out, plain_byte ? &text.data[i] : escape, size);
    }
    return true;
}

static bool write_splice(struct value_writer *w, const struct value *splice)
{
    buffer_put_char(w->out, '"');
    for (size_t i = 0; i < splice->count; i++) {
        const struct value *part = splice->parts[i].value;
        if (part->kind == VALUE_PLAIN)
            buffer_put_str(w->out, part->text);
        else if (!write_spliced(w, part->program))
            return false;
    }
    buffer_put_char(w->out, '"');
    return true;
}

/* Members and elements that there are. */
static void write_parts(struct value_writer *w, const struct value *value)
{
    bool first = true;
    buffer_put_char(w->out, value->kind == VALUE_OBJECT ? '{' : '[');
    for (size_t i = 0; i < value->count; i++) {
        size_t begin = w->out->size;
        if (!first) buffer_put_char(w->out, ',');
        buffer_put_str(w->out, value->parts[i].key);
        if (value_write(w, value->parts[i].value))
            first = false;
        else
            w->out->size = begin;
    }
    buffer_put_char(w->out, value->kind == VALUE_OBJECT ? '}' : ']');
}

static bool write_each(struct value_writer *w, const struct value *each)
{
    const struct cel_list *list = value_loop_list(w, &each->loop);
    if (!list) return false;
    buffer_put_char(w->out, '[');
    for (size_t i = 0; i < list->count && w->out->size < w->full; i++) {
        w->frame->slots[each->loop.slot] = list->items[i];
        if (i) buffer_put_char(w->out, ',');
        value_write(w, each->parts[0].value);
    }
    buffer_put_char(w->out, ']');
    return true;
}

bool value_write(struct value_writer *w, const struct value *value)
{
    size_t begin = w->out->size;
    bool written = true;
    if (begin >= w->full || *w->frame->steps_left < 0) return false;
    switch (value->kind) {
    case VALUE_PLAIN: buffer_put_str(w->out, value->text); break;
    case VALUE_PROGRAM: return write_program(w, value->program);
    case VALUE_SPLICE: written = write_splice(w, value); break;
    case VALUE_OBJECT:
    case VALUE_LIST: write_parts(w, value); break;
    case VALUE_EACH: written = write_each(w, value); break;
    }
    if (!written) w->out->size = begin;
    return written;
}
