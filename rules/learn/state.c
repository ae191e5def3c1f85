/* States: what a learner keeps of all that it has counted.
 *
 *     "rls"  u8 1  u64 number  u64 recipe  u64 chain of the state before  u64 instant  u64 epoch of the weights
 *     products, by name: how many; name, u64 tally
 *     for each: how many partners; each with its number, u64 tally, rising by number
 *     windows, by customer: how many; u64 customer, day, products of that day, how many; each with number and time, the newest first
 *
 * A product is kept where it is among those that weigh most; a pair where both are, and it is among the 48 strongest of its
 * earlier product; a window while it is `within`. Weights are brought to the instant's half-life, each rounded down: once in a
 * half-life, and never for a version. */
#include "base/ensure.h"
#include "base/floor.h"
#include "base/limits.h"
#include "learn/codec.h"
#include "learn/counts.h"

#include <stdlib.h>

#define EPOCH_MAX ((int64_t)1 << 53) /* half-lives: no instant is as far */

enum { HEAD_SIZE = 4 + 5 * 8, PRODUCT_MIN = 10, PARTNER_MIN = 9, WINDOW_MIN = 11, PLACE_MIN = 2 };

struct keeper {
    struct relance_learn *learn;
    struct arena arena;
    unsigned shift; /* by how much weights go down */
    uint32_t *by_name, *ranks;
    uint32_t *numbers; /* in the state, by number; NAME_NONE: not kept */
    size_t count;
};

struct keeping {
    uint64_t tally, weight; /* `weight`: by which is chosen */
    uint32_t number, rank;
};

static int keeping_by_weight(const void *a, const void *b)
{
    const struct keeping *one = a, *other = b;
    if (one->weight != other->weight) return one->weight < other->weight ? 1 : -1;
    return (one->rank > other->rank) - (one->rank < other->rank);
}

static int keeping_by_rank(const void *a, const void *b)
{
    const struct keeping *one = a, *other = b;
    return (one->rank > other->rank) - (one->rank < other->rank);
}

/* At most `most` of them, those that weigh most, by their rank; how many. */
static size_t keep_strongest(struct keeping *list, size_t count, size_t most)
{
    if (count > most) {
        qsort(list, count, sizeof *list, keeping_by_weight);
        count = most;
    }
    qsort(list, count, sizeof *list, keeping_by_rank);
    return count;
}

/* Which products stay, and their numbers in the order of their names. */
static void keeper_choose(struct keeper *keeper)
{
    const struct relance_learn *learn = keeper->learn;
    uint32_t all = learn->products.count;
    struct keeping *kept = arena_alloc(&keeper->arena, all * sizeof *kept);
    keeper->numbers = arena_alloc(&keeper->arena, all * sizeof *keeper->numbers);
    ensure(kept && keeper->numbers);
    size_t count = 0;
    for (uint32_t i = 0; i < all; i++) {
        uint64_t tally = tally_less(*learn_own(learn, i), keeper->shift);
        keeper->numbers[i] = NAME_NONE;
        if (tally_weight(tally))
            kept[count++] = (struct keeping){tally, tally_weight(tally), i, keeper->ranks[i]};
    }
    count = keep_strongest(kept, count, LIMIT_PRODUCTS_KEPT);
    for (size_t i = 0; i < count; i++)
        keeper->numbers[kept[i].number] = (uint32_t)i;
    keeper->count = count;
}

static void put_products(const struct keeper *keeper, struct buffer *out)
{
    const struct relance_learn *learn = keeper->learn;
    codec_put_number(out, keeper->count);
    for (uint32_t rank = 0; rank < learn->products.count; rank++) {
        uint32_t number = keeper->by_name[rank];
        if (keeper->numbers[number] == NAME_NONE) continue;
        codec_put_text(out, learn->products.list[number]);
        codec_put_fixed(out, tally_less(*learn_own(learn, number), keeper->shift), 8);
    }
}

/* By what a partner is chosen: its weight as a version would weigh it, the earlier product being the same for all. */
static uint64_t keeping_weight(const struct relance_learn *learn, uint64_t tally, uint32_t partner)
{
    enum { ABOVE = 100 * LOG_ONE }; /* no popularity is as large */
    if (!learn->recipe.lift) return tally_weight(tally);
    return (uint64_t)(ABOVE + decay_log(&learn->decay, tally_weight(tally)) -
                      learn_popularity(learn, partner));
}

static void put_row(const struct keeper *keeper, const struct rows *rows, uint32_t product,
                    struct keeping *room, struct buffer *out)
{
    const struct relance_learn *learn = keeper->learn;
    size_t count = 0;
    for (uint32_t i = rows->ends[product]; i < rows->ends[product + 1]; i++) {
        const struct pair *pair = &learn->pairs.slots[rows->order[i]];
        uint32_t later = pair_later(pair), number = keeper->numbers[later];
        uint64_t tally = tally_less(pair->tally, keeper->shift);
        if (number == NAME_NONE || !tally_weight(tally)) continue;
        room[count++] = (struct keeping){tally, keeping_weight(learn, pair->tally, later), number, number};
    }
    count = keep_strongest(room, count, COUNTS_KEPT_PARTNERS);
    codec_put_number(out, count);
    for (size_t i = 0; i < count; i++) {
        codec_put_number(out, room[i].number);
        codec_put_fixed(out, room[i].tally, 8);
    }
}

static void put_rows(struct keeper *keeper, struct buffer *out)
{
    const struct relance_learn *learn = keeper->learn;
    struct rows rows;
    size_t longest = 0;
    ensure(rows_make(&rows, &keeper->arena, learn, false));
    for (uint32_t i = 0; i < learn->products.count; i++)
        if (rows.ends[i + 1] - rows.ends[i] > longest) longest = rows.ends[i + 1] - rows.ends[i];
    struct keeping *room = arena_alloc(&keeper->arena, longest * sizeof *room);
    ensure(room);
    for (uint32_t rank = 0; rank < learn->products.count; rank++)
        if (keeper->numbers[keeper->by_name[rank]] != NAME_NONE)
            put_row(keeper, &rows, keeper->by_name[rank], room, out);
}

static int window_order(const void *a, const void *b)
{
    uint64_t one = (*(const struct window *const *)a)->customer,
             other = (*(const struct window *const *)b)->customer;
    return (one > other) - (one < other);
}

/* How many of a window's products the state keeps: those that are `within` at its instant. */
static size_t window_kept(const struct keeper *keeper, const struct window *window, int64_t at_ms,
                          uint32_t products[WINDOW_PRODUCTS], uint32_t times_s[WINDOW_PRODUCTS])
{
    size_t count = 0;
    for (size_t i = 0; i < window->size; i++) {
        uint32_t number = keeper->numbers[window->products[i]];
        if (number == NAME_NONE ||
            (int64_t)window->times_s[i] * 1000 < at_ms - keeper->learn->recipe.within_ms)
            continue;
        products[count] = number, times_s[count] = window->times_s[i];
        count++;
    }
    return count;
}

static void put_window(const struct keeper *keeper, const struct window *window, int64_t at_ms,
                       struct buffer *out)
{
    uint32_t products[WINDOW_PRODUCTS], times_s[WINDOW_PRODUCTS];
    size_t count = window_kept(keeper, window, at_ms, products, times_s);
    codec_put_fixed(out, window->customer, 8);
    codec_put_number(out, window->day);
    codec_put_number(out, window->counted);
    codec_put_number(out, count);
    for (size_t i = 0; i < count; i++) {
        codec_put_number(out, products[i]);
        codec_put_number(out, times_s[i]);
    }
}

static void put_windows(struct keeper *keeper, int64_t at_ms, struct buffer *out)
{
    const struct windows *windows = &keeper->learn->windows;
    const struct window **kept = arena_alloc(&keeper->arena, windows->count * sizeof *kept);
    ensure(kept);
    size_t count = 0;
    for (size_t i = 0; i < windows->count; i++) {
        uint32_t products[WINDOW_PRODUCTS], times_s[WINDOW_PRODUCTS];
        const struct window *window = &windows->list[i];
        bool counts_today = (int64_t)window->day >= floor_div(at_ms, COUNTS_DAY_MS);
        if (counts_today || window_kept(keeper, window, at_ms, products, times_s)) kept[count++] = window;
    }
    if (count) qsort(kept, count, sizeof *kept, window_order);
    codec_put_number(out, count);
    for (size_t i = 0; i < count; i++)
        put_window(keeper, kept[i], at_ms, out);
}

static void put_head(const struct relance_learn *learn, int64_t at_ms, int64_t epoch, struct buffer *out)
{
    buffer_put_str(out, STR("rls\x01"));
    codec_put_fixed(out, learn->state_count + 1, 8);
    codec_put_fixed(out, learn->recipe.recipe, 8);
    codec_put_fixed(out, learn->chain, 8);
    codec_put_fixed(out, (uint64_t)at_ms, 8);
    codec_put_fixed(out, (uint64_t)epoch, 8);
}

struct relance_str relance_learn_state(struct relance_learn *learn, int64_t at_ms)
{
    enum { SHIFT_MAX = 63 };
    struct keeper keeper = {.learn = learn};
    struct buffer *out = &learn->bytes;
    learn_settle(learn, at_ms);
    int64_t epoch = decay_epoch_at(&learn->decay, at_ms),
            on = learn->has_epoch ? epoch - learn->decay.epoch : 0;
    if (on < 0) epoch = learn->decay.epoch, on = 0;
    keeper.shift = on < SHIFT_MAX ? (unsigned)on : SHIFT_MAX;
    arena_init(&keeper.arena, 0);
    keeper.by_name = learn_by_name(learn, &keeper.arena, &keeper.ranks);
    ensure(keeper.by_name);
    keeper_choose(&keeper);
    out->size = 0;
    put_head(learn, at_ms, epoch, out);
    put_products(&keeper, out);
    put_rows(&keeper, out);
    put_windows(&keeper, at_ms, out);
    arena_free(&keeper.arena);
    struct relance_error error;
    str bytes = buffer_str(out);
    ensure(relance_learn_restore(learn, bytes, &error) == RELANCE_OK);
    return bytes;
}

/* Reading. */

static void take_products(struct relance_learn *learn, struct codec *codec)
{
    size_t count = codec_count(codec, PRODUCT_MIN, LIMIT_PRODUCTS_KEPT);
    str before = {0};
    for (size_t i = 0; i < count && !codec->bad; i++) {
        str name = codec_text(codec);
        uint64_t tally = codec_fixed(codec, 8);
        if ((i && str_compare(before, name) >= 0) || !tally_weight(tally) || codec->bad ||
            learn_product(learn, name) != i) {
            codec->bad = true;
            return;
        }
        *learn_own(learn, (uint32_t)i) = tally;
        before = name;
    }
}

static void take_rows(struct relance_learn *learn, struct codec *codec)
{
    uint32_t count = learn->products.count;
    for (uint32_t i = 0; i < count && !codec->bad; i++) {
        size_t partners = codec_count(codec, PARTNER_MIN, COUNTS_KEPT_PARTNERS);
        uint64_t next = 0;
        for (size_t j = 0; j < partners && !codec->bad; j++) {
            uint64_t number = codec_number(codec, count), tally = codec_fixed(codec, 8);
            if (number < next || number >= count || number == i || !tally_weight(tally)) codec->bad = true;
            if (!codec->bad) pairs_add(&learn->pairs, i, (uint32_t)number, tally);
            next = number + 1;
        }
    }
    pairs_flush(&learn->pairs);
}

static void take_window(struct relance_learn *learn, struct codec *codec, uint64_t customer)
{
    struct window read = {.customer = customer};
    read.day = (uint32_t)codec_number(codec, UINT32_MAX);
    read.counted = (uint16_t)codec_number(codec, LIMIT_PRODUCTS_A_DAY);
    read.size = (uint16_t)codec_count(codec, PLACE_MIN, WINDOW_PRODUCTS);
    for (size_t i = 0; i < read.size && !codec->bad; i++) {
        uint32_t product = (uint32_t)codec_number(codec, UINT32_MAX);
        read.times_s[i] = (uint32_t)codec_number(codec, UINT32_MAX);
        for (size_t j = 0; j < i; j++)
            if (read.products[j] == product) codec->bad = true;
        if (product >= learn->products.count) codec->bad = true;
        read.products[i] = product;
    }
    if (!codec->bad) *windows_of(&learn->windows, customer) = read;
}

static void take_windows(struct relance_learn *learn, struct codec *codec)
{
    size_t count = codec_count(codec, WINDOW_MIN, UINT32_MAX);
    uint64_t before = 0;
    for (size_t i = 0; i < count && !codec->bad; i++) {
        uint64_t customer = codec_fixed(codec, 8);
        if (i && customer <= before) codec->bad = true;
        if (!codec->bad) take_window(learn, codec, customer);
        before = customer;
    }
    if (codec_left(codec)) codec->bad = true;
}

enum relance_status relance_learn_restore(struct relance_learn *learn, struct relance_str state,
                                          struct relance_error *error)
{
    learn_clear(learn);
    if (state.size < HEAD_SIZE || memcmp(state.data, "rls\x01", 4) != 0)
        return relance_error_set(error, RELANCE_INVALID, "these bytes are no state of a learner");
    struct codec codec = codec_open(str_slice(state, 4, state.size));
    uint64_t number = codec_fixed(&codec, 8);
    if (codec_fixed(&codec, 8) != learn->recipe.recipe)
        return relance_error_set(error, RELANCE_INVALID, "this state was counted by another declaration");
    codec_fixed(&codec, 8); /* the state before: for whoever verifies */
    codec_fixed(&codec, 8);
    learn->decay.epoch = (int64_t)codec_fixed(&codec, 8);
    if (learn->decay.epoch > EPOCH_MAX || learn->decay.epoch < -EPOCH_MAX) codec.bad = true;
    take_products(learn, &codec);
    take_rows(learn, &codec);
    take_windows(learn, &codec);
    if (codec.bad) {
        learn_clear(learn);
        learn->decay.epoch = 0;
        return relance_error_set(error, RELANCE_INVALID, "these bytes are no state of a learner");
    }
    learn->has_epoch = true;
    learn->state_count = number;
    learn->chain = str_hash(state);
    return RELANCE_OK;
}
