#include "host/subject.h"
#include "host/preset.h"
#include "host/text.h"

#include <stdlib.h>
#include <unistd.h>

static bool is_preset(const char *path)
{
    struct relance_str text;
    return !mapping_is_file(path) && access(path, F_OK) != 0 && preset_find(str_of(path), &text);
}

/* The word that is neither a file nor, as it might be, a preset; NULL: there is none. */
static const char *unknown_word(const struct file_paths *files)
{
    for (size_t i = 0; i < files->count; i++)
        if (!mapping_is_file(files->items[i]) && access(files->items[i], F_OK) != 0) return files->items[i];
    return NULL;
}

/* Notes the presets; *files gets the other paths. */
static void take_presets(const struct file_paths *paths, struct subject *out, struct file_paths *files)
{
    for (size_t i = 0; i < paths->count; i++) {
        struct relance_source preset = {.name = str_of(paths->items[i])};
        if (is_preset(paths->items[i]) && preset_find(preset.name, &preset.text))
            out->mappings[out->mapping_count++] = preset;
        else
            files->items[files->count++] = paths->items[i];
    }
}

static bool is_mapping(const struct subject *subject, const char *path)
{
    for (size_t i = 0; i < subject->mapping_count; i++)
        if (str_equal(subject->mappings[i].name, str_of(path))) return true;
    return false;
}

static void keep_rule_paths(struct subject *out, const struct file_paths *files)
{
    out->rule_paths.items = files->items;
    for (size_t i = 0; i < files->count; i++)
        if (!is_mapping(out, files->items[i]))
            out->rule_paths.items[out->rule_paths.count++] = files->items[i];
}

/* A mapping among the paths is looked at by itself; one through which the rules' records are read is a part of their set. */
static bool stands_alone(const struct file_source *source)
{
    return source->kind == RELANCE_RULES && relance_mapping_is(source->text);
}

/* Puts the mappings behind the rules; each keep their order. `room` is for as many files as there may be. */
static void part(struct subject *out, struct file_source *room)
{
    struct file_set *files = &out->files;
    size_t rules = 0, mappings = 0;
    for (size_t i = 0; i < files->count; i++) {
        const struct file_source *source = &files->sources[i];
        if (!stands_alone(source)) {
            files->sources[rules++] = *source;
            continue;
        }
        room[mappings++] = *source;
        out->mappings[out->mapping_count++] =
            (struct relance_source){.name = source->path, .text = source->text};
    }
    if (mappings) memcpy(files->sources + rules, room, mappings * sizeof *room);
    out->rules = *files;
    out->rules.count = rules;
}

enum relance_status subject_read(const struct file_paths *paths, struct subject *out,
                                 struct relance_error *error)
{
    *out = (struct subject){0};
    struct file_paths files = {
        .items = calloc(paths->count + 1, sizeof *files.items), .mapping = paths->mapping, .all = paths->all};
    out->mappings = calloc(paths->count + FILE_RULE_COUNT_MAX + FILE_EXTENDS_MAX, sizeof *out->mappings);
    struct file_source *room = calloc(FILE_RULE_COUNT_MAX + FILE_EXTENDS_MAX, sizeof *room);
    if (!files.items || !out->mappings || !room) abort(); /* a few pages, at the start */
    take_presets(paths, out, &files);
    const char *unknown = unknown_word(&files);
    char shown[TEXT_SHOWN_SIZE];
    enum relance_status status = RELANCE_OK;
    if (unknown)
        status = relance_error_set(error, RELANCE_IO, "%s: No such file or directory, and no such preset",
                                   text_shown(unknown, shown));
    else if (files.count)
        status = file_set_read(&files, &out->files, error);
    if (status == RELANCE_OK) part(out, room);
    keep_rule_paths(out, &files);
    free(room);
    if (status != RELANCE_OK) subject_free(out);
    return status;
}

void subject_free(struct subject *subject)
{
    file_set_free(&subject->files);
    free(subject->mappings);
    free(subject->rule_paths.items);
    *subject = (struct subject){0};
}
