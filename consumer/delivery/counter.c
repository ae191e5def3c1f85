#include "delivery/counter.h"
#include "base/ensure.h"
#include "base/str.h"
#include <stdlib.h>
#include <xxhash.h>

struct counter_row {
    uint64_t hash;
    char *name; /* NULL: free */
    uint32_t size;
    bool whole;
    double value;
};

/* The longest name: rule, outcome and variant have no bound of their own; what is longer is cut. */
enum { COUNTER_NAME_MAX = 512 };

struct counter_name {
    char data[COUNTER_NAME_MAX];
    size_t size;
};

static void counter_name_put(struct counter_name *name, struct relance_str part)
{
    size_t room = sizeof name->data - name->size, size = part.size < room ? part.size : room;
    if (!size) return;
    memcpy(name->data + name->size, part.data, size);
    name->size += size;
}

/* ---- the table */
/* The row with that name, or the free one where it belongs. */
static struct counter_row *counter_seek(struct counter_row *rows, size_t capacity, uint64_t hash,
                                        struct relance_str name)
{
    for (size_t i = hash & (capacity - 1);; i = (i + 1) & (capacity - 1)) {
        struct counter_row *row = &rows[i];
        if (!row->name || (row->hash == hash && str_equal(name, (struct relance_str){row->name, row->size})))
            return row;
    }
}

static void counter_grow(struct counters *counters)
{
    size_t capacity = counters->capacity ? 2 * counters->capacity : 64;
    struct counter_row *rows = calloc(capacity, sizeof *rows);
    ensure(rows);
    for (size_t i = 0; i < counters->capacity; i++) {
        const struct counter_row *row = &counters->rows[i];
        if (row->name)
            *counter_seek(rows, capacity, row->hash, (struct relance_str){row->name, row->size}) = *row;
    }
    free(counters->rows);
    counters->rows = rows;
    counters->capacity = capacity;
}

static struct counter_row *counter_row_of(struct counters *counters, struct relance_str name)
{
    if (2 * counters->used >= counters->capacity) counter_grow(counters);
    uint64_t hash = XXH3_64bits(name.data, name.size);
    struct counter_row *row = counter_seek(counters->rows, counters->capacity, hash, name);
    if (row->name) return row;
    *row = (struct counter_row){
        .hash = hash, .name = strndup(name.data, name.size), .size = (uint32_t)name.size, .whole = true};
    ensure(row->name);
    counters->used++;
    return row;
}

void counters_add_named(struct counters *counters, struct relance_str start, struct relance_str name,
                        int64_t number)
{
    struct counter_name whole;
    whole.size = 0;
    counter_name_put(&whole, start);
    counter_name_put(&whole, name);
    counter_row_of(counters, (struct relance_str){whole.data, whole.size})->value += (double)number;
}

/* ---- decisions */
/* rule.NAME.WHAT, with .VARIANT behind it where there is one. */
static struct counter_row *counter_rule_row(struct counters *counters,
                                            const struct relance_decision *decision, struct relance_str what)
{
    struct counter_name name;
    name.size = 0;
    counter_name_put(&name, STR("rule."));
    counter_name_put(&name, decision->rule);
    counter_name_put(&name, STR("."));
    counter_name_put(&name, what);
    if (decision->variant.size) {
        counter_name_put(&name, STR("."));
        counter_name_put(&name, decision->variant);
    }
    return counter_row_of(counters, (struct relance_str){name.data, name.size});
}

void counters_add_decision(struct counters *counters, const struct relance_decision *decision)
{
    counter_rule_row(counters, decision, relance_outcome_text(decision->outcome))->value += 1;
    if (decision->outcome == RELANCE_OUTCOME_SENT)
        counters_add_named(counters, STR("sent."), decision->send, 1);
    if (decision->outcome != RELANCE_OUTCOME_GOAL) return;
    struct counter_row *sum = counter_rule_row(counters, decision, STR("goal_value"));
    sum->whole = false;
    sum->value += decision->value;
}

/* ---- reading */
void counters_each(const struct counters *counters, counter_visit *visit, void *context)
{
    static const char *const names[] = {
#define COUNTER(ENUM, name, prose) name,
#define COUNTER_FAMILY(ENUM, form, prose)
#include "counter.def"
#undef COUNTER
#undef COUNTER_FAMILY
    };
    for (size_t i = 0; i < COUNTER_COUNT; i++)
        if (counters->plain[i]) visit(context, str_of(names[i]), true, (double)counters->plain[i]);
    for (size_t i = 0; i < counters->capacity; i++) {
        const struct counter_row *row = &counters->rows[i];
        if (row->name && row->value != 0)
            visit(context, (struct relance_str){row->name, row->size}, row->whole, row->value);
    }
}

bool counters_empty(const struct counters *counters)
{
    for (size_t i = 0; i < COUNTER_COUNT; i++)
        if (counters->plain[i]) return false;
    for (size_t i = 0; i < counters->capacity; i++)
        if (counters->rows[i].value != 0) return false;
    return true;
}

void counters_clear(struct counters *counters)
{
    memset(counters->plain, 0, sizeof counters->plain);
    for (size_t i = 0; i < counters->capacity; i++)
        counters->rows[i].value = 0;
}

void counters_free(struct counters *counters)
{
    for (size_t i = 0; i < counters->capacity; i++)
        free(counters->rows[i].name);
    free(counters->rows);
    *counters = (struct counters){0};
}
