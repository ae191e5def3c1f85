#include "learn/windows.h"

#include "base/ensure.h"

enum { WINDOWS_MIN = 256 };

void windows_init(struct windows *windows, struct pool *pool)
{
    *windows = (struct windows){.pool = pool};
}

static void windows_release(const struct windows *windows)
{
    pool_release(windows->pool, windows->list, windows->capacity * sizeof *windows->list);
    pool_release(windows->pool, windows->table, 2 * windows->capacity * sizeof *windows->table);
}

void windows_clear(struct windows *windows)
{
    windows_release(windows);
    windows_init(windows, windows->pool);
}

static uint32_t *windows_place(const struct windows *windows, uint64_t customer)
{
    size_t mask = 2 * windows->capacity - 1, at = customer & mask;
    while (windows->table[at] && windows->list[windows->table[at] - 1].customer != customer)
        at = (at + 1) & mask;
    return &windows->table[at];
}

static void windows_grow(struct windows *windows)
{
    struct windows old = *windows;
    windows->capacity = old.capacity ? 2 * old.capacity : WINDOWS_MIN;
    windows->list = pool_alloc(windows->pool, windows->capacity * sizeof *windows->list);
    windows->table = pool_alloc(windows->pool, 2 * windows->capacity * sizeof *windows->table);
    ensure(windows->list && windows->table);
    memset(windows->table, 0, 2 * windows->capacity * sizeof *windows->table);
    for (size_t i = 0; i < old.count; i++) {
        windows->list[i] = old.list[i];
        *windows_place(windows, old.list[i].customer) = (uint32_t)i + 1;
    }
    windows_release(&old);
}

struct window *windows_of(struct windows *windows, uint64_t customer)
{
    if (windows->count == windows->capacity) windows_grow(windows);
    uint32_t *place = windows_place(windows, customer);
    if (!*place) {
        windows->list[windows->count++] = (struct window){.customer = customer};
        *place = (uint32_t)windows->count;
    }
    return &windows->list[*place - 1];
}

void windows_empty(struct windows *windows, uint64_t customer)
{
    uint32_t place = windows->capacity ? *windows_place(windows, customer) : 0;
    if (place) windows->list[place - 1] = (struct window){.customer = customer};
}

bool window_has(const struct window *window, uint32_t product)
{
    for (size_t i = 0; i < window->size; i++)
        if (window->products[i] == product) return true;
    return false;
}

void window_push(struct window *window, uint32_t product, uint32_t time_s)
{
    size_t at = 0; /* where it stands, or what falls out */
    while (at < window->size && window->products[at] != product)
        at++;
    if (at == window->size && window->size < WINDOW_PRODUCTS) window->size++;
    if (at == WINDOW_PRODUCTS) at--;
    for (; at > 0; at--) {
        window->products[at] = window->products[at - 1];
        window->times_s[at] = window->times_s[at - 1];
    }
    window->products[0] = product;
    window->times_s[0] = time_s;
}
