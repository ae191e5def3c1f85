#include "input/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int64_t lines_size(int file)
{
    struct stat about;
    return file >= 0 && fstat(file, &about) == 0 && S_ISREG(about.st_mode) ? about.st_size : -1;
}

bool lines_open(struct lines *lines, const char *path)
{
    *lines = (struct lines){.file = STDIN_FILENO, .number = -1, .data = malloc(LINES_MAX)};
    if (!lines->data) return false;
    if (strcmp(path, "-") != 0) lines->file = open(path, O_RDONLY | O_CLOEXEC);
    lines->size = lines_size(lines->file);
    if (lines->file >= 0) return true;
    free(lines->data);
    return false;
}

/* Reads more behind what is there; nothing is read at the end of the file, nor into a full buffer. */
static void lines_fill(struct lines *lines)
{
    if (lines->begin) {
        memmove(lines->data, lines->data + lines->begin, lines->end - lines->begin);
        lines->end -= lines->begin;
        lines->ahead -= lines->ahead < lines->begin ? lines->ahead : lines->begin;
        lines->begin = 0;
    }
    ssize_t got;
    do
        got = read(lines->file, lines->data + lines->end, LINES_MAX - lines->end);
    while (got < 0 && errno == EINTR);
    lines->failed = got < 0;
    lines->at_end = got <= 0;
    if (got > 0) lines->end += (size_t)got, lines->read += got;
}

/* The rest of a line that did not fit. */
static void lines_skip_rest(struct lines *lines)
{
    const char *feed = NULL;
    lines->cut = false;
    while (!feed && !lines->at_end) {
        lines->begin = lines->end = lines->ahead = 0;
        lines_fill(lines);
        feed = memchr(lines->data, '\n', lines->end);
    }
    lines->begin = feed ? (size_t)(feed - lines->data) + 1 : lines->end;
}

bool lines_next(struct lines *lines, struct relance_str *line)
{
    if (lines->cut) lines_skip_rest(lines);
    size_t searched = 0; /* bytes behind begin that are known to hold no line feed */
    for (;;) {
        const char *from = lines->data + lines->begin;
        const char *feed = memchr(from + searched, '\n', lines->end - lines->begin - searched);
        searched = lines->end - lines->begin;
        if (feed) {
            *line = (struct relance_str){from, (size_t)(feed - from)};
            lines->begin += line->size + 1;
            break;
        }
        if (searched == LINES_MAX || (lines->at_end && searched)) {
            *line = (struct relance_str){from, searched};
            lines->begin = lines->end;
            lines->cut = !lines->at_end;
            break;
        }
        if (lines->at_end) return false;
        lines_fill(lines);
    }
    lines->number++;
    return true;
}

bool lines_ahead(struct lines *lines, struct relance_str *line)
{
    if (lines->ahead < lines->begin) lines->ahead = lines->begin;
    if (lines->cut || lines->ahead >= lines->end) return false;
    const char *from = lines->data + lines->ahead;
    const char *feed = memchr(from, '\n', lines->end - lines->ahead);
    if (!feed) return false;
    *line = (struct relance_str){from, (size_t)(feed - from)};
    lines->ahead += line->size + 1;
    return true;
}

double lines_part(const struct lines *lines)
{
    if (lines->size <= 0) return -1.0;
    return (double)(lines->read - (int64_t)(lines->end - lines->begin)) / (double)lines->size;
}

void lines_close(struct lines *lines)
{
    if (lines->file != STDIN_FILENO) close(lines->file);
    free(lines->data);
}
