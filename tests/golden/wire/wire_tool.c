/* wire_tool: values of records through consumer/wire, for the tests in Python.
 *
 *     wire_tool FORMAT [--registry URL] [--user U] [--password P] [--ca FILE] [--schema FILE]... [--message NAME]
 *
 * Each line of the input is a value in hex; the answer to it is one line: `ok JSON`, `dead REASON SENTENCE`,
 * `away SENTENCE` or `memory`. Status 2, with the sentence on stderr: it cannot be opened. */
#include "wire/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCHEMAS_MAX = 8 };

static const char *schema_files[SCHEMAS_MAX];

static void read_option(struct wire_options *options, const char *name, const char *value)
{
    if (strcmp(name, "--registry") == 0) options->registry = value;
    if (strcmp(name, "--user") == 0) options->user = value;
    if (strcmp(name, "--password") == 0) options->password = value;
    if (strcmp(name, "--ca") == 0) options->ca_file = value;
    if (strcmp(name, "--message") == 0) options->message = value;
    if (strcmp(name, "--schema") == 0 && options->schema_file_count < SCHEMAS_MAX)
        schema_files[options->schema_file_count++] = value;
}

static size_t read_hex(const char *line, char *out)
{
    size_t size = 0;
    unsigned byte;
    for (int used; sscanf(line, " %2x%n", &byte, &used) == 1; line += used)
        out[size++] = (char)byte;
    return size;
}

/* In memory of its own size, so that a sanitizer sees whoever reads beyond it. */
static void answer(struct wire *wire, const char *line)
{
    struct wire_decoded decoded;
    struct relance_error error;
    char *bytes = malloc(strlen(line) / 2 + 1);
    size_t size = read_hex(line, bytes);
    bytes = realloc(bytes, size ? size : 1);
    switch (wire_decode(wire, (struct relance_str){bytes, size}, &decoded, &error)) {
    case WIRE_OK: printf("ok %.*s\n", (int)decoded.json.size, decoded.json.data); break;
    case WIRE_DEAD: printf("dead %s %s\n", decoded.reason.data, error.message); break;
    case WIRE_AWAY: printf("away %s\n", error.message); break;
    case WIRE_NO_MEMORY: printf("memory\n"); break;
    }
    fflush(stdout);
    free(bytes);
}

int main(int count, char **words)
{
    struct wire_options options = {.format = count > 1 ? words[1] : "", .schema_files = schema_files};
    struct relance_error error;
    struct wire *wire;
    char *line = NULL;
    size_t capacity = 0;
    for (int i = 2; i + 1 < count; i += 2)
        read_option(&options, words[i], words[i + 1]);
    if (wire_open(&options, &wire, &error) != RELANCE_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 2;
    }
    while (getline(&line, &capacity, stdin) > 0)
        answer(wire, line);
    free(line);
    wire_close(wire);
    return 0;
}
