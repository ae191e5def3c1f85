#include "base/report.h"

#include "base/buffer.h"

struct relance_report {
    struct arena arena;
    str text;
    size_t errors, warnings, count;
    struct relance_diagnostic *diagnostics;
};

static bool report_add(struct relance_report *report, const struct diagnostic *d, struct source_cursor *place)
{
    struct relance_diagnostic *out = &report->diagnostics[report->count++];
    *out = (struct relance_diagnostic){.is_warning = d->severity == SEVERITY_WARNING};
    if (d->source) {
        source_cursor_move(place, d->source, d->begin);
        out->line = place->line.number;
        out->column = place->column + 1;
        struct source_cursor end = *place;
        source_cursor_move(&end, d->source, d->end < place->line.end ? d->end : place->line.end);
        out->end_column = end.column + 1;
    }
    return arena_copy_str(&report->arena, d->source ? d->source->name : (str){0}, &out->file) &&
           arena_copy_str(&report->arena, d->message, &out->message) &&
           arena_copy_str(&report->arena, d->hint, &out->hint);
}

static bool report_fill(struct relance_report *report, const struct diagnostics *diag)
{
    report->diagnostics = ARENA_ARRAY(&report->arena, struct relance_diagnostic, diag->kept + 1);
    if (!report->diagnostics) return false;
    struct source_cursor place = {0};
    for (const struct diagnostic *d = diag->first; d; d = d->next)
        if (!report_add(report, d, &place)) return false;
    return true;
}

struct relance_report *report_new(struct diagnostics *diag)
{
    struct arena arena;
    arena_init(&arena, 0);
    struct relance_report *report = ARENA_NEW(&arena, struct relance_report);
    if (!report) return NULL;
    struct buffer text;
    buffer_init(&text, &arena);
    diag_print(diag, &text);
    *report = (struct relance_report){.arena = arena,
                                      .text = buffer_str(&text),
                                      .errors = diag->error_count + diag->failed,
                                      .warnings = diag->warning_count};
    if (!text.failed && report_fill(report, diag)) return report;
    relance_report_free(report);
    return NULL;
}

struct relance_str relance_report_text(const struct relance_report *report)
{
    return report->text;
}

size_t relance_report_errors(const struct relance_report *report)
{
    return report->errors;
}

size_t relance_report_warnings(const struct relance_report *report)
{
    return report->warnings;
}

void relance_report_each(const struct relance_report *report, relance_diagnostic_show *show, void *context)
{
    for (size_t i = 0; i < report->count; i++)
        show(context, &report->diagnostics[i]);
}

void relance_report_free(struct relance_report *report)
{
    if (!report) return;
    struct arena arena = report->arena;
    arena_free(&arena);
}
