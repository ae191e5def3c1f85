/* Chunks double from 4 KiB to 1 MiB, and on from there for a request that is larger. After a reset they are walked
 * in order, so that a warm arena settles on a fixed set of them; one that is too small for a request gives way to
 * another in its place, so that requests that grow from use to use leave no chunks behind.
 *
 * What is kept at a reset is at most four times the largest of the uses remembered, those of the last 64 to 128
 * resets: one large use is forgotten again. Where there is more, all chunks go and the next use begins with a
 * single one in which the largest would have fitted. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHUNK_MIN = 4 << 10, CHUNK_MAX = 1 << 20, KEPT_TIMES = 4, REMEMBERED_RESETS = 64 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t size; /* of room[] */
    _Alignas(16) char room[];
};

/* Room for nothing, for arenas without a chunk: no bytes are no reason to answer NULL. */
static _Alignas(16) char no_room[16];

static void arena_enter(struct arena *arena, struct arena_chunk *chunk)
{
    arena->current = chunk;
    arena->at = chunk ? chunk->room : no_room;
    arena->end = chunk ? chunk->room + chunk->size : no_room;
}

void arena_init(struct arena *arena, size_t limit)
{
    *arena = (struct arena){.limit = limit};
    arena_enter(arena, NULL);
}

/* One thing to be done when the memory goes. It lies in that memory itself. */
struct arena_end {
    struct arena_end *next;
    void (*end)(void *object);
    void *object;
};

bool arena_defer(struct arena *arena, void (*end)(void *object), void *object)
{
    struct arena_end *this = arena_alloc(arena, sizeof *this);
    if (!this) return false;
    *this = (struct arena_end){arena->ends, end, object};
    arena->ends = this;
    return true;
}

/* Does what was asked for since `last` was the newest. */
static void arena_end_until(struct arena *arena, const struct arena_end *last)
{
    for (struct arena_end *this = arena->ends; this != last; this = this->next)
        this->end(this->object);
    arena->ends = (struct arena_end *)last;
}

static void arena_free_chunks(struct arena *arena)
{
    for (struct arena_chunk *chunk = arena->first, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    arena->first = NULL;
    arena->kept = 0;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* The least power of two that is no less than either. */
static size_t roomy(size_t size, size_t least)
{
    size_t room = CHUNK_MIN;
    while (room < size || room < least)
        room *= 2;
    return room;
}

/* The largest use within memory, this one included. */
static size_t arena_remember(struct arena *arena)
{
    arena->recent_use = larger(arena->recent_use, larger(arena->used, arena->rewound_use));
    size_t largest = larger(arena->recent_use, arena->earlier_use);
    if (++arena->resets % REMEMBERED_RESETS == 0) {
        arena->earlier_use = arena->recent_use;
        arena->recent_use = 0;
    }
    return largest;
}

void arena_reset(struct arena *arena)
{
    if (!arena->used && !arena->rewound_use) return; /* as it was */
    arena_end_until(arena, NULL);
    size_t largest = arena_remember(arena);
    if (arena->kept > larger(largest * KEPT_TIMES, CHUNK_MIN)) {
        arena_free_chunks(arena);
        arena->wanted = roomy(largest, 0);
    }
    arena->used = arena->rewound_use = 0;
    arena_enter(arena, arena->first);
}

void arena_free(struct arena *arena)
{
    arena_end_until(arena, NULL);
    arena_free_chunks(arena);
    arena_init(arena, arena->limit);
}

static struct arena_chunk *arena_add_chunk(struct arena *arena, size_t size)
{
    if (arena->fail_in && --arena->fail_in == 0) return NULL;
    size_t usual = arena->current ? arena->current->size * 2 : CHUNK_MIN;
    if (usual > CHUNK_MAX) usual = CHUNK_MAX;
    size_t room = roomy(size, arena->current ? usual : larger(usual, arena->wanted));
    struct arena_chunk *chunk = malloc(sizeof *chunk + room);
    if (!chunk) return NULL;
    arena->growths++;
    arena->kept += room;
    *chunk = (struct arena_chunk){.size = room};
    return chunk;
}

/* The chunk behind the current one, with so much room; those that are too small have gone. NULL without memory. */
static struct arena_chunk *arena_next_chunk(struct arena *arena, size_t size)
{
    struct arena_chunk **place = arena->current ? &arena->current->next : &arena->first;
    while (*place && (*place)->size < size) {
        struct arena_chunk *small = *place;
        *place = small->next;
        arena->kept -= small->size;
        free(small);
    }
    if (!*place) *place = arena_add_chunk(arena, size);
    return *place;
}

void *arena_grow(struct arena *arena, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    if (size > SIZE_MAX / 4 || (arena->limit && arena->used + size > arena->limit)) return NULL;
    if (size > (size_t)(arena->end - arena->at)) {
        if (!arena->used) arena_enter(arena, NULL); /* the first chunk may be one that is too small */
        struct arena_chunk *next = arena_next_chunk(arena, size);
        if (!next) return NULL;
        arena_enter(arena, next);
    }
    char *p = arena->at;
    arena->at += size;
    arena->used += size;
    return p;
}

void *arena_alloc_zero(struct arena *arena, size_t size)
{
    void *p = arena_alloc(arena, size);
    if (p) memset(p, 0, size);
    return p;
}

void *arena_copy(struct arena *arena, const void *data, size_t size)
{
    void *p = arena_alloc(arena, size);
    if (p && size) memcpy(p, data, size);
    return p;
}

bool arena_copy_str(struct arena *arena, str s, str *out)
{
    char *p = arena_alloc(arena, s.size + 1);
    if (!p) return false;
    if (s.size) memcpy(p, s.data, s.size);
    p[s.size] = '\0';
    *out = (str){p, s.size};
    return true;
}

str arena_format(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (size < 0) return (str){0};
    char *text = arena_alloc(arena, (size_t)size + 1);
    if (!text) return (str){0};
    va_start(arguments, format);
    vsnprintf(text, (size_t)size + 1, format, arguments);
    va_end(arguments);
    return (str){text, (size_t)size};
}

struct arena_mark arena_mark(const struct arena *arena)
{
    return (struct arena_mark){arena->used ? arena->current : NULL, arena->at, arena->used, arena->ends};
}

void arena_rewind(struct arena *arena, struct arena_mark mark)
{
    arena_end_until(arena, mark.ends);
    arena->rewound_use = larger(arena->rewound_use, arena->used);
    arena_enter(arena, mark.chunk ? mark.chunk : arena->first);
    if (mark.chunk) arena->at = mark.at;
    arena->used = mark.used;
}
