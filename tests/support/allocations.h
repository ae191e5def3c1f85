/* Counts the heap allocations of the whole program, libraries included. Include it in one file of a program. */
#ifndef SUPPORT_ALLOCATIONS_H
#define SUPPORT_ALLOCATIONS_H

#include "sanitized.h"

#include <stddef.h>
#include <stdlib.h>

static size_t allocations; /* so far */

#if SUPPORT_SANITIZED
/* The sanitizer owns the allocator, and tells. */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *));

static void allocations_note(const volatile void *block, size_t size)
{
    (void)block;
    (void)size;
    allocations++;
}

static void allocations_ignore(const volatile void *block)
{
    (void)block;
}

static inline void allocations_watch(void)
{
    __sanitizer_install_malloc_and_free_hooks(allocations_note, allocations_ignore);
}
#else
/* The names of the C library are taken over; it goes on under its own. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
    allocations++;
    return __libc_realloc(block, size);
}

static inline void allocations_watch(void)
{
}
#endif

#endif
