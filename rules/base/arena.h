/* Arena: memory with one lifetime. Three of them make up the core: process, rule set, cycle.
 *
 * A chain of chunks; an allocation bumps a pointer; nothing is freed singly. Reset keeps the chunks, so that
 * a warm arena never asks the system again, but at most four times what the largest use took (4 KiB at least).
 * The only place of the core, with pool.c, that calls malloc.
 *
 * Out of memory is an ordinary answer: arena_alloc returns NULL past `limit` bytes, when malloc fails, or
 * when a test asked for it with `fail_in`; the arena stays usable. */
#ifndef RULES_BASE_ARENA_H
#define RULES_BASE_ARENA_H

#include "base/str.h"

struct arena_chunk;
struct arena_end;

struct arena {
    struct arena_chunk *first, *current;
    size_t used;            /* bytes handed out since the last reset, rounding included */
    size_t limit;           /* bytes; 0: none */
    size_t growths;         /* chunks asked of malloc so far */
    size_t kept;            /* bytes of all chunks, in use or not */
    size_t fail_in;         /* tests: 0 off; n: the n-th growth from now fails, once */
    char *at, *end;         /* free room of the current chunk */
    struct arena_end *ends; /* what arena_defer was asked to do, newest first */
    /* How much a use takes, in bytes handed out: what decides what a reset keeps. */
    size_t rewound_use;             /* of this use, before it went back to a mark; 0: it never did */
    size_t recent_use, earlier_use; /* the largest of the latest up to 64 uses, and of the 64 before */
    size_t resets;
    size_t wanted; /* of the first chunk, where there is none */
};

/* A position to go back to: what was allocated since is gone, as by a reset. */
struct arena_mark {
    struct arena_chunk *chunk;
    char *at;
    size_t used;
    struct arena_end *ends;
};

void arena_init(struct arena *arena, size_t limit);
void arena_reset(struct arena *arena);
void arena_free(struct arena *arena);

void *arena_grow(struct arena *arena, size_t size); /* the slow path of arena_alloc */

/* Room for `size` bytes, aligned to 16, not cleared; NULL when there is none. */
static inline void *arena_alloc(struct arena *arena, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    if (size > (size_t)(arena->end - arena->at) || (arena->limit && arena->used + size > arena->limit))
        return arena_grow(arena, size);
    char *p = arena->at;
    arena->at += size;
    arena->used += size;
    return p;
}

void *arena_alloc_zero(struct arena *arena, size_t size);
void *arena_copy(struct arena *arena, const void *data, size_t size);
bool arena_copy_str(struct arena *arena, str s, str *out); /* NUL-terminated copy; false without memory */
/* printf into the arena; an empty string without memory. */
str arena_format(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Calls end(object) when this memory goes: at reset, rewind or free. For what an arena cannot hold itself (a
 * compiled pattern of a C++ library). False without memory: nothing will be called. */
bool arena_defer(struct arena *arena, void (*end)(void *object), void *object);

struct arena_mark arena_mark(const struct arena *arena);
void arena_rewind(struct arena *arena, struct arena_mark mark);

#define ARENA_NEW(arena, type)          ((type *)arena_alloc_zero((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_alloc_zero((arena), sizeof(type) * (count)))

#endif
