/* What is written to standard error between heard_begin and heard_end: log lines, for one. */
#ifndef SUPPORT_HEARD_H
#define SUPPORT_HEARD_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int heard_kept, heard_file;

static void heard_begin(void)
{
    char path[] = "/tmp/relance-heard-XXXXXX";
    fflush(stderr);
    heard_kept = dup(STDERR_FILENO);
    heard_file = mkstemp(path);
    cr_assert_geq(heard_file, 0);
    unlink(path);
    cr_assert_eq(dup2(heard_file, STDERR_FILENO), STDERR_FILENO);
}

/* Up to 16 KiB of it, until the next call. */
static const char *heard_end(void)
{
    static char said[16384];
    fflush(stderr);
    dup2(heard_kept, STDERR_FILENO);
    close(heard_kept);
    ssize_t size = pread(heard_file, said, sizeof said - 1, 0);
    close(heard_file);
    cr_assert_geq(size, 0);
    said[size] = '\0';
    return said;
}

#endif
