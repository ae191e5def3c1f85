/* Lines of large files: every line once, whatever its length, in bounded memory. */
#include "input/lines.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct file {
    char path[64];
    FILE *out;
};

static struct file file_begin(void)
{
    struct file file = {.path = "/tmp/relance-lines-XXXXXX"};
    int fd = mkstemp(file.path);
    cr_assert(fd >= 0);
    file.out = fdopen(fd, "w");
    return file;
}

static struct lines file_open(struct file *file)
{
    struct lines lines;
    fclose(file->out);
    cr_assert(lines_open(&lines, file->path));
    unlink(file->path);
    return lines;
}

static void put_line(FILE *out, size_t size, char letter)
{
    for (size_t i = 0; i < size; i++)
        fputc(letter, out);
    fputc('\n', out);
}

Test(lines, say_how_much_of_a_file_has_been_handed_out_and_nothing_of_what_has_no_end)
{
    struct file file = file_begin();
    put_line(file.out, 99, 'a');
    put_line(file.out, 299, 'b');
    struct lines lines = file_open(&file);
    struct relance_str line;
    cr_expect_eq(lines_part(&lines), 0.0);
    cr_assert(lines_next(&lines, &line));
    cr_expect_eq(lines_part(&lines), 0.25);
    cr_assert(lines_next(&lines, &line));
    cr_expect_eq(lines_part(&lines), 1.0);
    lines_close(&lines);
    cr_assert(lines_open(&lines, "/dev/null"));
    cr_expect_lt(lines_part(&lines), 0.0);
    lines_close(&lines);
}

Test(lines, hands_out_every_line_with_its_number_also_without_a_last_line_feed)
{
    struct file file = file_begin();
    fputs("one\n\nthree", file.out);
    struct lines lines = file_open(&file);
    struct relance_str line;
    static const char *const wanted[] = {"one", "", "three"};
    for (int i = 0; i < 3; i++) {
        cr_assert(lines_next(&lines, &line));
        cr_expect_eq(lines.number, i);
        cr_expect_eq(line.size, strlen(wanted[i]));
        cr_expect(memcmp(line.data, wanted[i], line.size) == 0);
    }
    cr_expect_not(lines_next(&lines, &line));
    cr_expect_not(lines.failed);
    lines_close(&lines);
}

Test(lines, finds_nothing_in_an_empty_file)
{
    struct file file = file_begin();
    struct lines lines = file_open(&file);
    struct relance_str line;
    cr_expect_not(lines_next(&lines, &line));
    lines_close(&lines);
}

Test(lines, joins_lines_over_the_edges_of_what_is_read_at_once)
{
    enum { COUNT = 5000, SIZE = 997 }; /* almost three buffers, and no line ends where one does */
    struct file file = file_begin();
    for (int i = 0; i < COUNT; i++)
        put_line(file.out, SIZE, (char)('a' + i % 26));
    struct lines lines = file_open(&file);
    struct relance_str line;
    for (int i = 0; i < COUNT; i++) {
        cr_assert(lines_next(&lines, &line));
        cr_assert_eq(line.size, SIZE);
        cr_assert_eq(line.data[0], 'a' + i % 26);
        cr_assert_eq(line.data[SIZE - 1], 'a' + i % 26);
    }
    cr_expect_not(lines_next(&lines, &line));
    lines_close(&lines);
}

/* A line of `size` bytes, then a short one: how many bytes of the first are seen? */
static size_t seen_of_a_line(size_t size)
{
    struct file file = file_begin();
    put_line(file.out, size, 'x');
    put_line(file.out, 3, 'y');
    struct lines lines = file_open(&file);
    struct relance_str line;
    cr_assert(lines_next(&lines, &line));
    size_t seen = line.size;
    cr_assert(lines_next(&lines, &line));
    cr_expect_eq(line.size, 3);
    cr_expect_eq(line.data[0], 'y');
    cr_expect_eq(lines.number, 1);
    cr_expect_not(lines_next(&lines, &line));
    lines_close(&lines);
    return seen;
}

Test(lines, shows_all_of_a_line_at_its_limit_and_the_head_of_a_longer_one)
{
    cr_expect_eq(seen_of_a_line(LINES_MAX - 1), LINES_MAX - 1);
    cr_expect_eq(seen_of_a_line(LINES_MAX), LINES_MAX);
    cr_expect_eq(seen_of_a_line(LINES_MAX + 1), LINES_MAX);
    cr_expect_eq(seen_of_a_line(5 * LINES_MAX + 17), LINES_MAX);
}

Test(lines, says_when_a_file_cannot_be_opened)
{
    struct lines lines;
    cr_expect_not(lines_open(&lines, "/nowhere/at/all"));
}

Test(lines, says_when_a_file_cannot_be_read)
{
    struct lines lines;
    struct relance_str line;
    cr_assert(lines_open(&lines, "/tmp")); /* a directory opens, but does not read */
    cr_expect_not(lines_next(&lines, &line));
    cr_expect(lines.failed);
    lines_close(&lines);
}

Test(lines, those_ahead_are_the_next_ones_and_none_is_there_twice)
{
    struct file file = file_begin();
    for (size_t i = 1; i <= 5; i++)
        put_line(file.out, i, 'a');
    struct lines lines = file_open(&file);
    struct relance_str line;
    cr_expect(!lines_ahead(&lines, &line), "nothing has been read yet");
    cr_assert(lines_next(&lines, &line));
    for (size_t i = 2; i <= 3; i++) {
        cr_assert(lines_ahead(&lines, &line));
        cr_expect_eq(line.size, i);
    }
    for (size_t i = 2; i <= 4; i++) {
        cr_assert(lines_next(&lines, &line));
        cr_expect_eq(line.size, i, "what has been looked at comes nevertheless");
    }
    cr_assert(lines_ahead(&lines, &line));
    cr_expect_eq(line.size, 5u, "what has come is not ahead");
    cr_expect(!lines_ahead(&lines, &line));
    lines_close(&lines);
}

/* Far more than is read at once: what is ahead moves with what is read, and a line that is cut has nothing ahead. */
Test(lines, ahead_of_a_large_file_are_lines_of_it)
{
    enum { LINES = 40, SIZE = 1 << 17 };
    struct file file = file_begin();
    for (size_t i = 0; i < LINES; i++)
        put_line(file.out, i == LINES / 2 ? LINES_MAX + 1 : SIZE + i, 'a');
    struct lines lines = file_open(&file);
    struct relance_str line;
    size_t seen = 0;
    for (size_t i = 0; lines_next(&lines, &line); i++) {
        cr_expect_eq(line.size, i == LINES / 2 ? LINES_MAX : SIZE + i);
        while (lines_ahead(&lines, &line)) {
            cr_expect_gt(line.size, SIZE + i);
            cr_expect_lt(line.size, SIZE + LINES);
            seen++;
        }
    }
    cr_expect_gt(seen, LINES / 2);
    lines_close(&lines);
}
