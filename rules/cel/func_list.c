/* Lists: sums, pieces, order. */
#include "cel/func.h"

#include "base/limits.h"

static struct cel_value sum(struct machine *m, const struct cel_list *list, struct cel_value nothing)
{
    if (!machine_spend(m, list->count / 4)) return machine_out_of_steps(m);
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
    int64_t count = a->as.i < 0 ? 0 : a->as.i;
    if (!machine_spend(m, (size_t)count)) return machine_out_of_steps(m);
    struct cel_list *list = list_new(m, (size_t)count);
    if (!list) return machine_exhausted(m);
    for (int64_t i = 0; i < count; i++)
        list->items[list->count++] = cel_int(i);
    return list_value(list);
}

struct cel_value list_slice(struct machine *m, const struct cel_value *a)
{
    const struct cel_list *from = a->as.list;
    int64_t begin = a[1].as.i, end = a[2].as.i;
    if (begin < 0 || end < begin || (uint64_t)end > from->count)
        return cel_fail(m->frame, CEL_ERROR_INDEX, "cannot slice %zu elements from %lld to %lld", from->count,
                        (long long)begin, (long long)end);
    struct cel_list *list = list_new(m, (size_t)(end - begin));
    if (!list) return machine_exhausted(m);
    list->count = (size_t)(end - begin);
    if (list->count) memcpy(list->items, from->items + begin, list->count * sizeof list->items[0]);
    return list_value(list);
}

static size_t flat_count(const struct cel_list *list, int64_t depth)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        bool open = depth > 0 && list->items[i].kind == CEL_LIST;
        count += open ? flat_count(list->items[i].as.list, depth - 1) : 1;
    }
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
    struct cel_list *list = list_new(m, flat_count(from, depth));
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

struct cel_value list_distinct(struct machine *m, const struct cel_value *a)
{
    const struct cel_list *from = a->as.list;
    struct cel_list *list = list_new(m, from->count);
    if (!list) return machine_exhausted(m);
    for (size_t i = 0; i < from->count; i++) {
        bool known = false;
        if (!machine_spend(m, list->count / 8)) return machine_out_of_steps(m);
        for (size_t k = 0; k < list->count && !known; k++)
            known = cel_equal(list->items[k], from->items[i]);
        if (!known) list->items[list->count++] = from->items[i];
    }
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

struct pair {
    struct cel_value key, value;
};

static void merge(struct pair *to, const struct pair *a, size_t a_count, const struct pair *b, size_t b_count)
{
    while (a_count && b_count) {
        bool take_b = cel_order(b->key, a->key) == -1;
        *to++ = take_b ? *b++ : *a++;
        b_count -= take_b;
        a_count -= !take_b;
    }
    if (a_count) memcpy(to, a, a_count * sizeof *a);
    if (b_count) memcpy(to, b, b_count * sizeof *b);
}

static void sort_pairs(struct pair *pairs, struct pair *room, size_t count)
{
    for (size_t run = 1; run < count; run *= 2) {
        for (size_t at = 0; at < count; at += 2 * run) {
            size_t a = count - at < run ? count - at : run, left = count - at - a,
                   b = left < run ? left : run;
            merge(room + at, pairs + at, a, pairs + at + a, b);
        }
        memcpy(pairs, room, count * sizeof *pairs);
    }
}

static bool sortable(const struct cel_list *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        if (keys->items[i].kind != keys->items[0].kind ||
            (cel_order(keys->items[i], keys->items[i]) != 0 && keys->items[i].kind != CEL_DOUBLE))
            return false;
    return true;
}

static struct cel_value sort_by(struct machine *m, const struct cel_list *from, const struct cel_list *keys)
{
    if (from->count != keys->count || !sortable(keys))
        return cel_fail(m->frame, CEL_ERROR_NO_OVERLOAD,
                        "only values of one type that has an order can be sorted");
    size_t count = from->count, cost = count;
    for (size_t n = count; n > 1; n /= 2)
        cost += count;
    if (!machine_spend(m, cost)) return machine_out_of_steps(m);
    struct pair *pairs = machine_alloc(m, 2 * count * sizeof *pairs);
    struct cel_list *list = pairs ? list_new(m, count) : NULL;
    if (!list) return machine_exhausted(m);
    for (size_t i = 0; i < count; i++)
        pairs[i] = (struct pair){keys->items[i], from->items[i]};
    sort_pairs(pairs, pairs + count, count);
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
