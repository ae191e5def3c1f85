/* Chunks double from 4 KiB to 1 MiB; one that is too small for a request is passed over, and met again after
 * a reset. After a reset the chunks are walked in order, so a warm arena settles on a fixed set of them. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHUNK_MIN = 4 << 10, CHUNK_MAX = 1 << 20 };

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

void arena_reset(struct arena *arena)
{
    arena_end_until(arena, NULL);
    arena->used = 0;
    arena_enter(arena, arena->first);
}

void arena_free(struct arena *arena)
{
    arena_end_until(arena, NULL);
    for (struct arena_chunk *chunk = arena->first, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    arena_init(arena, arena->limit);
}

static struct arena_chunk *arena_add_chunk(struct arena *arena, size_t size)
{
    if (arena->fail_in && --arena->fail_in == 0) return NULL;
    size_t room = arena->current ? arena->current->size * 2 : CHUNK_MIN;
    if (room > CHUNK_MAX) room = CHUNK_MAX;
    if (room < size) room = size;
    struct arena_chunk *chunk = malloc(sizeof *chunk + room);
    if (!chunk) return NULL;
    arena->growths++;
    chunk->size = room;
    chunk->next = NULL;
    struct arena_chunk **end = arena->current ? &arena->current->next : &arena->first;
    chunk->next = *end;
    *end = chunk;
    return chunk;
}

void *arena_grow(struct arena *arena, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    if (size > SIZE_MAX / 4 || (arena->limit && arena->used + size > arena->limit)) return NULL;
    while (size > (size_t)(arena->end - arena->at)) {
        struct arena_chunk *next = arena->current ? arena->current->next : arena->first;
        if (!next || next->size < size) next = arena_add_chunk(arena, size);
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
    return (struct arena_mark){arena->current, arena->at, arena->used, arena->ends};
}

void arena_rewind(struct arena *arena, struct arena_mark mark)
{
    arena_end_until(arena, mark.ends);
    arena_enter(arena, mark.chunk ? mark.chunk : arena->first);
    if (mark.chunk) arena->at = mark.at;
    arena->used = mark.used;
}
