/* What the programs that go through a list of cases share: a count of passed and failed, a line for each that
 * failed, and files as text. Header only; each program is one file. */
#ifndef SUPPORT_SUITE_H
#define SUPPORT_SUITE_H

#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>

static size_t suite_passed, suite_failed;

__attribute__((format(printf, 2, 3))) static inline void suite_check(bool holds, const char *format, ...)
{
    if (holds) {
        suite_passed++;
        return;
    }
    suite_failed++;
    va_list arguments;
    va_start(arguments, format);
    printf("FAILED ");
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
}

/* The totals, last; the exit status. */
static inline int suite_end(void)
{
    printf("%zu passed, %zu failed\n", suite_passed, suite_failed);
    return suite_failed != 0;
}

/* A whole file, in the arena, with 8 NULs behind it; data NULL when it cannot be read. */
static inline str suite_file(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) return (str){0};
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *data = size < 0 ? NULL : arena_alloc_zero(arena, (size_t)size + 8);
    bool whole = data && fread(data, 1, (size_t)size, file) == (size_t)size;
    fclose(file);
    return whole ? (str){data, (size_t)size} : (str){0};
}

/* Cuts the next line off `text`, without its end; false when there is none left. */
static inline bool suite_line(str *text, str *line)
{
    if (text->size == 0) return false;
    const char *end = memchr(text->data, '\n', text->size);
    size_t size = end ? (size_t)(end - text->data) : text->size;
    *line = str_slice(*text, 0, size);
    *text = str_slice(*text, size + (end != NULL), text->size);
    return true;
}

#endif
