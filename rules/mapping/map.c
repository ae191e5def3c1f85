/* Runs a mapping: one record in, native events out.
 *
 *     bytes -> format -> tokens -> shape -> for each that it holds: by -> rows -> for each: if, members, need -> JSON
 *
 * All that belongs to a record lies in buffers that are kept: nothing is allocated once they are warm. */
#include "mapping/build.h"
#include "mapping/mapping.h"

#include "base/limits.h"
#include "base/rfc3339.h"
#include "event/event.h"

uint64_t mapping_serial(const struct relance_mapping *mapping)
{
    return mapping->mapper->serial;
}

/* One record on its way. */
struct mapping_run {
    const struct relance_mapping *mapping;
    struct mapper *mapper;
    const struct relance_foreign *record;
    struct relance_mapped *mapped;
    struct value_writer writer;
    struct format_run format;
    size_t number;       /* of the next event, in the record */
    size_t number_there; /* in the element of an outermost list */
    bool too_many;
    bool no_memory;
};

static void resolve(struct cel_frame *frame, uint32_t slot);

struct mapper *mapper_new(struct relance_mapping *mapping)
{
    struct arena keep;
    arena_init(&keep, 0);
    struct mapper *m = ARENA_NEW(&keep, struct mapper);
    if (!m) return NULL;
    m->keep = keep;
    arena_init(&m->values, 0);
    m->slots = ARENA_ARRAY(&m->keep, struct cel_value, mapping->slot_count);
    m->frame = (struct cel_frame){
        .slots = m->slots, .scratch = &m->values, .resolve = resolve, .steps_left = &m->steps_left};
    m->found = ARENA_ARRAY(&m->keep, bool, mapping->field_max + 1);
    if (m->slots && m->found && json_loader_init(&m->record, &m->keep) &&
        json_loader_init(&m->texts, &m->keep) && json_loader_init(&m->from, &m->keep))
        return m;
    mapper_free(m);
    return NULL;
}

void mapper_free(struct mapper *m)
{
    if (!m) return;
    json_loader_free(&m->record);
    json_loader_free(&m->texts);
    json_loader_free(&m->from);
    buffer_free(&m->out);
    buffer_free(&m->splice);
    buffer_free(&m->json);
    arena_free(&m->values);
    struct arena keep = m->keep;
    arena_free(&keep);
}

/* ---- names that are computed when they are read */

static struct cel_value headers_of(struct mapping_run *run)
{
    const struct relance_foreign *record = run->record;
    struct arena *arena = &run->mapper->values;
    struct cel_map *map = cel_map_new(arena, record->header_count);
    struct names names;
    if (!map || !names_init(&names, arena, record->header_count)) {
        run->no_memory = true;
        return (struct cel_value){.kind = CEL_ABSENT};
    }
    for (size_t i = 0; i < record->header_count; i++) {
        str name;
        if (!arena_copy_str(arena, record->headers[i].name, &name)) continue;
        for (size_t b = 0; b < name.size; b++)
            if (name.data[b] >= 'A' && name.data[b] <= 'Z') ((char *)name.data)[b] += 'a' - 'A';
        if (!utf8_valid(name) || !utf8_valid(record->headers[i].value)) continue;
        map->entries[names_add(&names, name)] =
            (struct cel_entry){cel_string(name), cel_string(record->headers[i].value)};
    }
    map->count = names.count;
    run->no_memory |= !cel_map_finish(arena, map);
    return (struct cel_value){.kind = CEL_MAP, .as.map = map};
}

static struct cel_value text_or_none(str text)
{
    return text.data && utf8_valid(text) ? cel_string(text) : (struct cel_value){.kind = CEL_ABSENT};
}

static struct cel_value let_value(struct cel_frame *frame, const struct cel_program *let)
{
    struct cel_value value;
    bool there = cel_follow(let, frame, &value) && value.kind != CEL_ABSENT; /* else why not is part of it */
    return there ? value : cel_eval(let, frame);
}

static void resolve(struct cel_frame *frame, uint32_t slot)
{
    struct mapping_run *run = frame->context;
    const struct cel_program *let = slot < SLOT_NAMES ? NULL : run->mapping->lets[slot - SLOT_NAMES];
    if (slot == SLOT_HEADERS)
        frame->slots[slot] = headers_of(run);
    else if (slot == SLOT_KEY)
        frame->slots[slot] = text_or_none(run->record->key);
    else if (slot == SLOT_TOPIC)
        frame->slots[slot] = cel_string(run->record->topic);
    else
        frame->slots[slot] = let ? let_value(frame, let) : (struct cel_value){.kind = CEL_ABSENT};
}

/* ---- one event */

static struct relance_mapped_item *new_item(struct mapping_run *run, size_t number)
{
    struct relance_mapped *mapped = run->mapped;
    if (mapped->count == LIMIT_MAPPED_EVENTS) {
        run->too_many = true;
        return NULL;
    }
    run->mapper->written[mapped->count] = (struct mapped_text){0, 0};
    struct relance_mapped_item *item = &run->mapper->items[mapped->count++];
    *item = (struct relance_mapped_item){.number = number};
    return item;
}

static void bury(struct relance_mapped_item *item, const char *reason, str sentence)
{
    item->reason = str_of(reason);
    item->sentence = sentence;
}

static void put_member(struct buffer *out, str key, str text)
{
    buffer_put_str(out, key);
    buffer_put_json_string(out, text);
}

/* "TOPIC/PARTITION/OFFSET" and "/n" from the second event on; what a row gives itself stays. */
static str event_id(struct mapping_run *run, const struct row *row, size_t number, size_t number_there,
                    bool *made_up)
{
    struct arena *arena = &run->mapper->values;
    str id = row->members[ROW_ID] ? value_text(&run->writer, row->members[ROW_ID]) : (str){0};
    *made_up = id.size == 0;
    if (*made_up)
        id = arena_format(arena, "%.*s/%d/%lld", STR_ARG(run->record->topic), (int)run->record->partition,
                          (long long)run->record->offset);
    size_t behind = *made_up ? number : number_there;
    if (behind == 0 || (row->own_id && !*made_up)) return id;
    return arena_format(arena, "%.*s/%zu", STR_ARG(id), behind);
}

/* A time that is none is counted and left out: then the record's own is the event's. */
static bool put_time(struct mapping_run *run, const struct value *value)
{
    struct value_writer *w = &run->writer;
    const struct cel_program *program = value_is_program(value);
    struct cel_value time = program ? value_eval(w, program) : cel_string(value_text(w, value));
    int64_t seconds;
    int32_t nanos;
    bool number = time.kind == CEL_INT || time.kind == CEL_UINT || time.kind == CEL_DOUBLE;
    bool text = time.kind == CEL_STRING && rfc3339_parse(cel_text(time), &seconds, &nanos);
    const struct time_formats *written = time.kind == CEL_STRING && !text ? run->mapping->times : NULL;
    int64_t ms;
    if (written && time_formats_read(written, cel_text(time), &ms)) time = cel_timestamp_ms(ms);
    size_t begin = w->out->size;
    if (time.kind == CEL_ABSENT || time.kind == CEL_NULL) return false;
    buffer_put_str(w->out, STR(",\"time\":"));
    if ((number || text || time.kind == CEL_TIMESTAMP) && cel_print_json(time, w->out)) return true;
    w->out->size = begin;
    w->failed++;
    return false;
}

static bool is_member_name(str name)
{
    return str_equal(name, STR("type")) || str_equal(name, STR("customer")) ||
           str_equal(name, STR("visitor")) || str_equal(name, STR("id")) || str_equal(name, STR("time"));
}

/* The members of an object as they stand, but for those that the row has, or that would be the envelope's. */
static void put_from(struct mapping_run *run, const struct row *row)
{
    struct buffer *out = run->writer.out;
    struct json_loader *loader = &run->mapper->from;
    struct scan scan;
    str text = shape_text(value_eval(&run->writer, row->from));
    if (!text.size) return;
    enum json_index_status status = json_load(loader, text);
    run->no_memory |= status == JSON_INDEX_NO_MEMORY;
    if (status != JSON_INDEX_OK) return;
    json_loader_begin(loader, &scan, LIMIT_EVENT_DEPTH);
    for (bool more = scan_open(&scan); more; more = scan_more(&scan, '}')) {
        const uint32_t *from = scan.next;
        str name = scan_key(&scan);
        size_t field = 0;
        while (field < row->field_count && !str_equal(row->fields[field].name, name))
            field++;
        bool named = field < row->field_count, null = scan_peek(&scan) == 'n';
        bool listed = named && (row->fields[field].value || row->fields[field].removed);
        scan_skip(&scan);
        if (listed || is_member_name(name) || scan.fault != SCAN_OK) continue;
        if (named && !null) run->mapper->found[field] = true;
        buffer_put_char(out, ',');
        buffer_put_str(out, scan_since(&scan, from));
    }
}

/* Writes the row's members. The name of one that is needed and not there; empty: all are. */
static str put_fields(struct mapping_run *run, const struct row *row)
{
    struct buffer *out = run->writer.out;
    const bool *found = run->mapper->found;
    str missing = {0};
    for (size_t i = 0; i < row->field_count; i++) {
        const struct row_field *field = &row->fields[i];
        size_t begin = out->size;
        if (!field->value) continue;
        buffer_put_str(out, field->key);
        size_t value_begin = out->size;
        bool written = value_write(&run->writer, field->value);
        if (!written) out->size = begin;
        bool there = written && !str_equal(str_slice(buffer_str(out), value_begin, out->size), STR("null"));
        if (field->needed && !there && !missing.size) missing = field->name;
    }
    if (row->from) memset(run->mapper->found, 0, row->field_count * sizeof *found);
    if (row->from) put_from(run, row);
    for (size_t i = 0; i < row->field_count && !missing.size; i++)
        if (!row->fields[i].value && row->fields[i].needed && !(row->from && found[i]))
            missing = row->fields[i].name;
    return missing;
}

enum { SHOWN_BYTES = 256 }; /* of a text that a sentence tells of */

struct envelope {
    str type, customer, visitor, id;
    bool made_up; /* the id: the mapping gives none */
};

/* Why the event cannot be; NULL: it can. */
static const char *envelope_fault(const struct envelope *e)
{
    if (!e->type.size) return "type";
    if (!e->customer.size && !e->visitor.size) return "customer";
    if (e->customer.size > LIMIT_ID_BYTES || e->visitor.size > LIMIT_ID_BYTES) return "customer";
    return e->id.size > LIMIT_ID_BYTES ? "id" : NULL;
}

static str fault_sentence(const char *fault)
{
    if (strcmp(fault, "type") == 0) return STR("the event has no type");
    if (strcmp(fault, "id") == 0) return STR("the event's id is longer than 256 bytes");
    return STR("the event has neither a customer nor a visitor of at most 256 bytes");
}

static str member_text(struct mapping_run *run, const struct row *row, enum row_member member)
{
    return row->members[member] ? value_text(&run->writer, row->members[member]) : (str){0};
}

/* The first of the envelope's members that is needed and not there, else `missing`. */
static str needed_of(const struct row *row, const struct envelope *e, bool has_time, str missing)
{
    const struct {
        str name;
        bool there;
    } members[ROW_MEMBERS] = {[ROW_TYPE] = {STR("type"), true},
                              [ROW_CUSTOMER] = {STR("customer"), e->customer.size},
                              [ROW_VISITOR] = {STR("visitor"), e->visitor.size},
                              [ROW_ID] = {STR("id"), !e->made_up},
                              [ROW_TIME] = {STR("time"), has_time}};
    for (size_t i = 0; i < ROW_MEMBERS; i++)
        if (row->needed >> i & 1 && !members[i].there) return members[i].name;
    return missing;
}

/* As much of a record's text as a sentence takes. */
static str shown(str text)
{
    size_t size = text.size < SHOWN_BYTES ? text.size : SHOWN_BYTES;
    while (size > 0 && size < text.size && ((unsigned char)text.data[size] & 0xC0) == 0x80)
        size--; /* no part of a character */
    return str_slice(text, 0, size);
}

static void put_event(struct mapping_run *run, const struct row *row, struct relance_mapped_item *item,
                      size_t number_there)
{
    struct buffer *out = run->writer.out;
    size_t begin = out->size;
    run->writer.full = begin + LIMIT_EVENT_BYTES + 1;
    struct envelope e = {.type = member_text(run, row, ROW_TYPE),
                         .customer = member_text(run, row, ROW_CUSTOMER),
                         .visitor = member_text(run, row, ROW_VISITOR)};
    e.id = event_id(run, row, item->number, number_there, &e.made_up);
    if (event_names_nobody(e.visitor)) e.visitor = (str){0};
    const char *fault = envelope_fault(&e);
    if (fault) return bury(item, fault, fault_sentence(fault));
    put_member(out, STR("{\"type\":"), e.type);
    put_member(out, STR(",\"id\":"), e.id);
    if (e.customer.size) put_member(out, STR(",\"customer\":"), e.customer);
    if (e.visitor.size) put_member(out, STR(",\"visitor\":"), e.visitor);
    bool has_time = row->members[ROW_TIME] && put_time(run, row->members[ROW_TIME]);
    str missing = put_fields(run, row), type = shown(e.type);
    if (row->needed) missing = needed_of(row, &e, has_time, missing);
    buffer_put_char(out, '}');
    item->is_visitor = !e.customer.size;
    item->customer = item->is_visitor ? e.visitor : e.customer;
    size_t size = out->size - begin;
    run->mapper->written[item - run->mapper->items] = (struct mapped_text){begin, size};
    if (missing.size)
        bury(item, "mapping",
             arena_format(&run->mapper->values, "the event '%.*s' has no '%.*s'", STR_ARG(type),
                          STR_ARG(missing)));
    else if (size > LIMIT_EVENT_BYTES)
        bury(item, "size", STR("the event is larger than 1 MiB"));
    if (item->reason.size) out->size = begin;
}

static void map_row_once(struct mapping_run *run, const struct row *row)
{
    size_t number = run->number++, number_there = run->number_there++;
    if (row->condition) {
        struct cel_value holds = value_eval(&run->writer, row->condition);
        if (holds.kind != CEL_BOOL || !holds.as.b) return;
    }
    if (run->mapping->reached) run->mapping->reached[row->number] = true;
    struct relance_mapped_item *item = new_item(run, number);
    if (item) put_event(run, row, item, number_there);
}

static void map_row(struct mapping_run *run, const struct row *row)
{
    if (!row->loop.list) return map_row_once(run, row);
    const struct cel_list *list = value_loop_list(&run->writer, &row->loop);
    for (size_t i = 0; list && i < list->count && !run->too_many; i++) {
        run->mapper->slots[row->loop.slot] = list->items[i];
        map_row_once(run, row);
    }
}

/* ---- what a record holds */

static void reset_names(struct mapping_run *run)
{
    for (uint32_t slot = SLOT_NAMES; slot < run->mapping->slot_count; slot++)
        run->mapper->slots[slot].kind = CEL_UNSET;
}

/* The rows of one thing that a record holds; NULL: none is for it. */
static const struct rows *rows_for(struct mapping_run *run)
{
    const struct relance_mapping *mapping = run->mapping;
    struct cel_value name = {.kind = CEL_ABSENT};
    if (mapping->by) name = value_eval(&run->writer, mapping->by);
    if (mapping->by && name.kind != CEL_STRING) return NULL;
    run->mapped->row = mapping->by ? cel_text(name) : (str){0};
    uint32_t at = mapping->by ? names_find(&mapping->names, cel_text(name)) : NAME_NONE;
    return at == NAME_NONE ? mapping->others : &mapping->rows[at];
}

static void map_one(struct mapping_run *run)
{
    const struct rows *rows = rows_for(run);
    run->mapped->unmapped += !rows;
    for (size_t i = 0; rows && i < rows->count && !run->too_many; i++)
        map_row(run, &rows->items[i]);
}

static void map_object(struct mapping_run *run, struct cel_value object)
{
    const struct value_loop *loop = &run->mapping->loop;
    run->number_there = 0;
    run->mapper->slots[SLOT_RECORD] = object;
    run->mapper->slots[SLOT_CE] = run->format.ce;
    reset_names(run);
    if (!loop->list) return map_one(run);
    const struct cel_list *list = value_loop_list(&run->writer, loop);
    run->mapped->unmapped += !list;
    for (size_t i = 0; list && i < list->count && !run->too_many; i++) {
        reset_names(run);
        run->mapper->slots[loop->slot] = list->items[i];
        map_one(run);
    }
}

/* ---- the record */

static void unreadable(struct mapping_run *run, const char *reason, const char *sentence)
{
    run->mapped->kind = RELANCE_UNREADABLE;
    run->mapped->count = 0;
    run->mapped->reason = str_of(reason);
    run->mapped->sentence = str_of(sentence);
}

static bool read_object(struct mapping_run *run, struct shape_reader *reader, struct cel_value *object)
{
    const struct format *format = run->mapping->format;
    if (format->read) return format->read(&run->format, reader, run->mapping->shape, object);
    *object = shape_read(reader, run->mapping->shape);
    return true;
}

/* Rows of CSV that are one record: those that follow each other and are of one group. */
struct open_rows {
    size_t base; /* on the reader's stack */
    str group;   /* empty: no other row belongs to them */
};

static void map_rows(struct mapping_run *run, struct shape_reader *reader, const struct open_rows *rows)
{
    if (reader->c.stack_count == rows->base) return;
    struct cel_value list = coerce_take_list(&reader->c, rows->base);
    if (list.kind != CEL_LIST || run->too_many) return;
    run->mapper->slots[SLOT_ROWS] = list;
    map_object(run, list.as.list->items[0]);
}

/* The group of a row; empty: it has none. */
static str group_of(struct mapping_run *run, struct cel_value row)
{
    if (!run->mapping->group) return (str){0};
    run->mapper->slots[SLOT_RECORD] = row;
    struct cel_value group = value_eval(&run->writer, run->mapping->group);
    return group.kind == CEL_STRING ? cel_text(group) : (str){0};
}

static void take_row(struct mapping_run *run, struct shape_reader *reader, struct open_rows *rows,
                     struct cel_value row)
{
    str group = group_of(run, row);
    if (!group.size || !str_equal(group, rows->group)) map_rows(run, reader, rows);
    rows->group = group;
    coerce_push(&reader->c, row);
}

/* An object, or a list of them: each is as a record of its own. False: one of them is not of the format. */
static bool map_value(struct mapping_run *run, struct shape_reader *reader)
{
    struct scan *scan = &reader->c.scan;
    struct cel_value object;
    struct open_rows rows = {.base = reader->c.stack_count};
    bool list = scan_peek(scan) == '[', good = true;
    if (!list && scan_peek(scan) != '{') scan_fail(scan, SCAN_BROKEN, *scan->next);
    for (bool more = scan->fault == SCAN_OK && (!list || scan_open(scan)); more && good;
         more = list && scan_more(scan, ']')) {
        if (scan_peek(scan) != '{')
            scan_fail(scan, SCAN_BROKEN, *scan->next);
        else
            good = read_object(run, reader, &object);
        if (!good || scan->fault != SCAN_OK || run->too_many || reader->c.no_memory) continue;
        if (run->mapping->format == &format_csv)
            take_row(run, reader, &rows, object);
        else
            map_object(run, object);
    }
    map_rows(run, reader, &rows);
    if (good) scan_finish(scan);
    return good;
}

static void run_begin(struct mapping_run *run)
{
    struct mapper *m = run->mapper;
    m->out.size = m->json.size = 0;
    arena_reset(&m->values);
    m->steps_left = LIMIT_MAPPING_STEPS;
    m->frame.context = run;
    for (size_t i = 0; i < SLOT_NAMES; i++)
        m->slots[i].kind = CEL_UNSET;
}

static void conclude(struct mapping_run *run, const struct shape_reader *reader)
{
    const struct scan *scan = &reader->c.scan;
    struct relance_mapped *mapped = run->mapped;
    struct mapper *m = run->mapper;
    mapped->fields_invalid = reader->c.invalid + reader->garbled + run->format.garbled + run->writer.failed;
    mapped->misfits = m->misfits;
    mapped->misfit_count = reader->c.invalid < RELANCE_MISFITS_MAX ? reader->c.invalid : RELANCE_MISFITS_MAX;
    mapped->items = m->items;
    for (size_t i = 0; i < mapped->count; i++)
        if (!m->items[i].reason.size)
            m->items[i].event = (str){m->out.data + m->written[i].begin, m->written[i].size};
    if (scan->fault == SCAN_TOO_DEEP) return unreadable(run, "depth", "the record nests deeper than 64");
    if (scan->fault != SCAN_OK) return unreadable(run, "json", "the record is no JSON object");
    if (run->mapper->steps_left < 0)
        return unreadable(run, "mapping", "the record takes more than 1,000,000 steps");
    if (run->too_many) return unreadable(run, "mapping", "the record becomes more than 100 events");
    mapped->kind = mapped->unmapped && !run->number ? RELANCE_UNMAPPED : RELANCE_MAPPED;
}

/* Makes a record's value ready to be read. False: why, is said. */
static bool load_value(struct mapping_run *run, str value)
{
    const struct format *format = run->mapping->format;
    value = str_skip_mark(value);
    if (value.size > LIMIT_EVENT_BYTES) {
        unreadable(run, "size", "the record is larger than 1 MiB");
        return false;
    }
    bool opened = !format->open || format->open(&run->format, value, &value);
    run->no_memory |= run->format.no_memory;
    enum json_index_status status = opened ? json_load(&run->mapper->record, value) : JSON_INDEX_BROKEN;
    run->no_memory |= status == JSON_INDEX_NO_MEMORY;
    if (!opened)
        unreadable(run, "format", run->format.sentence);
    else if (status == JSON_INDEX_BROKEN)
        unreadable(run, "json", "the record is no JSON object");
    else if (status == JSON_INDEX_NOT_UTF8)
        unreadable(run, "utf8", "the record is not valid UTF-8");
    return status == JSON_INDEX_OK;
}

static void reader_begin(struct mapping_run *run, struct shape_reader *reader)
{
    struct mapper *m = run->mapper;
    reader->texts = &m->texts; /* one by one: to clear all of it first costs more */
    reader->garbled = 0;
    json_loader_begin(&m->record, &reader->c.scan, LIMIT_EVENT_DEPTH);
    reader->c.values = &m->values;
    reader->c.keep = &m->keep;
    reader->c.stack = m->stack;
    reader->c.stack_count = 0;
    reader->c.stack_capacity = m->stack_capacity;
    reader->c.invalid = 0;
    reader->c.misfits = m->misfits;
    reader->c.no_memory = false;
}

static void reader_end(struct mapping_run *run, const struct shape_reader *reader)
{
    run->mapper->stack = reader->c.stack;
    run->mapper->stack_capacity = reader->c.stack_capacity;
    run->no_memory |= reader->c.no_memory;
}

static void map_text(struct mapping_run *run, str value)
{
    struct shape_reader reader;
    if (!load_value(run, value)) return;
    reader_begin(run, &reader);
    bool good = map_value(run, &reader);
    reader_end(run, &reader);
    conclude(run, &reader);
    if (!good) unreadable(run, "format", run->format.sentence);
}

static inline struct mapping_run run_of(struct relance_mapping *mapping, const struct relance_foreign *record,
                                        struct relance_mapped *mapped)
{
    struct mapper *m = mapping->mapper;
    *mapped = (struct relance_mapped){.kind = RELANCE_MAPPED};
    return (struct mapping_run){.mapping = mapping,
                                .mapper = m,
                                .record = record,
                                .mapped = mapped,
                                .writer = {.frame = &m->frame, .out = &m->out, .splice = &m->splice},
                                .format = {.record = record,
                                           .values = &m->values,
                                           .texts = &m->texts,
                                           .out = &m->json,
                                           .csv = &mapping->csv,
                                           .shape = mapping->shape,
                                           .ce = {.kind = CEL_ABSENT}}};
}

enum relance_status relance_mapping_map(struct relance_mapping *mapping, const struct relance_foreign *record,
                                        struct relance_mapped *mapped)
{
    struct mapping_run run = run_of(mapping, record, mapped);
    mapping->mapper->serial++;
    run_begin(&run);
    if (record->value.data) map_text(&run, record->value); /* else a tombstone, which becomes nothing */
    return run.no_memory ? RELANCE_NO_MEMORY : RELANCE_OK;
}

enum relance_status relance_mapping_csv_group(struct relance_mapping *mapping,
                                              const struct relance_foreign *record,
                                              struct relance_mapped *mapped, struct relance_str *group)
{
    struct mapping_run run = run_of(mapping, record, mapped);
    struct shape_reader reader;
    *group = (str){0};
    mapping->mapper->serial++; /* what the record before gave is gone */
    run_begin(&run);
    if (load_value(&run, record->value)) {
        reader_begin(&run, &reader);
        if (scan_open(&reader.c.scan)) *group = group_of(&run, shape_read(&reader, mapping->shape));
        reader_end(&run, &reader);
    }
    return run.no_memory ? RELANCE_NO_MEMORY : RELANCE_OK;
}
