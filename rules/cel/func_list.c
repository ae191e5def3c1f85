/* Lists: sums, pieces, order. */
#include "cel/func.h"

#include "base/limits.h"

static struct cel_value sum(struct machine *m, const struct cel_list *list, struct cel_value nothing)
{
    if (!list_touch(m, 2 * list->count)) return machine_out_of_steps(m);
    if (list->count == 0) return nothing;
    if (!cel_is_number(list->items[0])) return fail_overload(m, "sum");
    struct cel_value total[2] = {list->items[0]};
    for (size_t i = 1; i < list->count; i++) {
        total[1] = list->items[i];
        if (total[0].kind == CEL_DOUBLE && total[1].kind == CEL_DOUBLE)
            total[0].as.d += total[1].as.d;
        else
            total[0] = op_add(m, total);
        if (total[0].kind == CEL_ERROR) return total[0];
    }
    return total[0];
}

struct cel_value list_sum_int(struct machine *m, const struct cel_value *a)
{
    return sum(m, a->as.list, cel_int(0));
}

struct cel_value list_sum_uint(struct machine *m, const struct cel_value *a)
{
    return sum(m, a->as.list, cel_uint(0));
}

struct cel_value list_sum_double(struct machine *m, const struct cel_value *a)
{
    return sum(m, a->as.list, cel_double(0));
}

struct cel_value list_range(struct machine *m, const struct cel_value *a)
{
    int64_t count = a->as.i < 0 ? 0 : a->as.i <= LIMIT_CEL_STEPS ? a->as.i : 2 * (int64_t)LIMIT_CEL_STEPS;
    if (!machine_touch(m, (STEP_UNITS - LIST_UNITS) * (size_t)count)) return machine_out_of_steps(m);
    struct cel_list *list = list_new(m, (size_t)count);
    if (!list) return machine_exhausted(m);
    for (int64_t i = 0; i < count; i++)
        list->items[list->count++] = cel_int(i);
    return list_value(list);
}

static struct cel_value piece(struct machine *m, const struct cel_list *from, size_t begin, size_t count)
{
    struct cel_list *list = list_new(m, count);
    if (!list) return machine_exhausted(m);
    list->count = count;
    if (count) memcpy(list->items, from->items + begin, count * sizeof list->items[0]);
    return list_value(list);
}

struct cel_value list_slice(struct machine *m, const struct cel_value *a)
{
    const struct cel_list *from = a->as.list;
    int64_t begin = a[1].as.i, end = a[2].as.i;
    if (begin < 0 || end < begin || (uint64_t)end > from->count)
        return cel_fail(m->frame, CEL_ERROR_ARGUMENT, "cannot slice %zu elements from %lld to %lld",
                        from->count, (long long)begin, (long long)end);
    return piece(m, from, (size_t)begin, (size_t)(end - begin));
}

struct cel_value list_take(struct machine *m, const struct cel_value *a)
{
    const struct cel_list *from = a->as.list;
    if (a[1].as.i < 0)
        return cel_fail(m->frame, CEL_ERROR_ARGUMENT, "take takes no negative number of elements");
    return piece(m, from, 0, (uint64_t)a[1].as.i < from->count ? (size_t)a[1].as.i : from->count);
}

static size_t flat_count(struct machine *m, const struct cel_list *list, int64_t depth)
{
    size_t count = 0;
    machine_enter(m);
    for (size_t i = 0; i < list->count && list_touch(m, 1); i++) {
        bool open = depth > 0 && list->items[i].kind == CEL_LIST;
        count += open ? flat_count(m, list->items[i].as.list, depth - 1) : 1;
    }
    machine_leave(m);
    return count;
}

static void flat_put(struct cel_list *out, const struct cel_list *list, int64_t depth)
{
    for (size_t i = 0; i < list->count; i++) {
        if (depth > 0 && list->items[i].kind == CEL_LIST)
            flat_put(out, list->items[i].as.list, depth - 1);
        else
            out->items[out->count++] = list->items[i];
    }
}

static struct cel_value flatten(struct machine *m, const struct cel_list *from, int64_t depth)
{
    if (depth < 0)
        return cel_fail(m->frame, CEL_ERROR_ARGUMENT, "flatten goes no negative number of levels deep");
    struct cel_list *list = list_new(m, flat_count(m, from, depth));
    if (!list) return machine_exhausted(m);
    flat_put(list, from, depth);
    return list_value(list);
}

struct cel_value list_flatten(struct machine *m, const struct cel_value *a)
{
    return flatten(m, a->as.list, 1);
}

struct cel_value list_flatten_deep(struct machine *m, const struct cel_value *a)
{
    return flatten(m, a->as.list, a[1].as.i);
}

static bool list_has(struct machine *m, const struct cel_list *list, struct cel_value v)
{
    for (size_t i = 0; i < list->count && list_touch(m, 1); i++)
        if (value_is(m, list->items[i], v)) return true;
    return false;
}

static void put_distinct(struct machine *m, const struct cel_list *from, struct value_index *index,
                         struct cel_list *list)
{
    for (size_t i = 0; i < from->count && !machine_ended(m); i++) {
        uint32_t *place = value_index_place(m, index, list->items, 1, from->items[i]);
        if (*place) continue;
        list->items[list->count++] = from->items[i];
        *place = (uint32_t)list->count;
    }
}

struct cel_value list_distinct(struct machine *m, const struct cel_value *a)
{
    const struct cel_list *from = a->as.list;
    struct cel_list *list = list_new(m, from->count);
    if (!list) return machine_exhausted(m);
    if (from->count <= INDEX_FROM) {
        for (size_t i = 0; i < from->count; i++)
            if (!list_has(m, list, from->items[i])) list->items[list->count++] = from->items[i];
        return list_value(list);
    }
    struct arena_mark mark = arena_mark(m->frame->scratch);
    struct value_index *index = value_index_new(m->frame->scratch, from->count);
    if (!index) return machine_exhausted(m);
    put_distinct(m, from, index, list);
    arena_rewind(m->frame->scratch, mark);
    return list_value(list);
}

struct cel_value list_reverse(struct machine *m, const struct cel_value *a)
{
    const struct cel_list *from = a->as.list;
    struct cel_list *list = list_new(m, from->count);
    if (!list) return machine_exhausted(m);
    for (size_t i = from->count; i-- > 0;)
        list->items[list->count++] = from->items[i];
    return list_value(list);
}

/* ---- sorting: a merge of runs, so that equal elements stay in place */

static void merge(struct machine *m, struct sort_pair *to, const struct sort_pair *a, size_t a_count,
                  const struct sort_pair *b, size_t b_count)
{
    while (a_count && b_count) {
        bool take_b = value_order(m, b->key, a->key) == -1;
        *to++ = take_b ? *b++ : *a++;
        b_count -= take_b;
        a_count -= !take_b;
    }
    if (a_count) memcpy(to, a, a_count * sizeof *a);
    if (b_count) memcpy(to, b, b_count * sizeof *b);
}

void sort_pairs(struct machine *m, struct sort_pair *pairs, struct sort_pair *room, size_t count)
{
    for (size_t run = 1; run < count && machine_spend(m, count); run *= 2) {
        for (size_t at = 0; at < count; at += 2 * run) {
            size_t a = count - at < run ? count - at : run, left = count - at - a,
                   b = left < run ? left : run;
            merge(m, room + at, pairs + at, a, pairs + at + a, b);
        }
        memcpy(pairs, room, count * sizeof *pairs);
    }
}

static bool sortable(const struct cel_list *keys)
{
    static const uint8_t kinds[] = {CEL_BOOL,   CEL_INT,   CEL_UINT,     CEL_DOUBLE,
                                    CEL_STRING, CEL_BYTES, CEL_DURATION, CEL_TIMESTAMP};
    bool ordered = keys->count == 0;
    for (size_t i = 0; i < sizeof kinds && !ordered; i++)
        ordered = keys->items[0].kind == kinds[i];
    for (size_t i = 1; i < keys->count && ordered; i++)
        ordered = keys->items[i].kind == keys->items[0].kind;
    return ordered;
}

static struct cel_value sort_by(struct machine *m, const struct cel_list *from, const struct cel_list *keys)
{
    if (from->count != keys->count || !sortable(keys))
        return cel_fail(m->frame, CEL_ERROR_NO_OVERLOAD,
                        "only values of one type that has an order can be sorted");
    size_t count = from->count;
    if (!machine_spend(m, count)) return machine_out_of_steps(m);
    struct sort_pair *pairs = machine_alloc(m, 2 * count * sizeof *pairs);
    struct cel_list *list = pairs ? list_new(m, count) : NULL;
    if (!list) return machine_exhausted(m);
    for (size_t i = 0; i < count; i++)
        pairs[i] = (struct sort_pair){keys->items[i], from->items[i]};
    sort_pairs(m, pairs, pairs + count, count);
    for (size_t i = 0; i < count; i++)
        list->items[i] = pairs[i].value;
    list->count = count;
    return list_value(list);
}

struct cel_value list_sort(struct machine *m, const struct cel_value *a)
{
    return sort_by(m, a->as.list, a->as.list);
}

struct cel_value list_sort_by_keys(struct machine *m, const struct cel_value *a)
{
    return sort_by(m, a[0].as.list, a[1].as.list);
}

struct cel_value list_first(struct machine *m, const struct cel_value *a)
{
    return a->as.list->count ? optional_new(m, a->as.list->items[0]) : optional_none();
}

struct cel_value list_last(struct machine *m, const struct cel_value *a)
{
    size_t count = a->as.list->count;
    return count ? optional_new(m, a->as.list->items[count - 1]) : optional_none();
}
