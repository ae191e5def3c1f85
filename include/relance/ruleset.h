/* Rule sets: from files to something an engine can run. LANGUAGE.md describes the language. */
#ifndef RELANCE_RULESET_H
#define RELANCE_RULESET_H

#include <relance/text.h>
#include <stdbool.h>
#include <stdint.h>

/* What a file of a set is: rules; the mapping through which records are read, at most one; a preset that it extends,
 * whose name is the preset's. */
enum relance_source_kind { RELANCE_RULES, RELANCE_MAPPING, RELANCE_PRESET };

/* One file of a set. `name` is what messages show; files count in the order given (the caller sorts them). */
struct relance_source {
    struct relance_str name, text;
    enum relance_source_kind kind;
};

/* Gives the bytes of an IANA zone's TZif file ("Europe/Paris"); false when there is none. They need to live
 * until the next call. Zones are loaded at their first use: the context must live as long as the set. The core
 * opens no files. */
typedef bool relance_zone_load(void *context, struct relance_str name, struct relance_str *bytes);

struct relance_ruleset;
struct relance_report;

/* Compiles a set. Names and texts are copied. On RELANCE_OK *out is the set, to be freed by the caller; else
 * *out is untouched and error->message one sentence. *report is always set (unless out of memory: NULL): the
 * diagnostics as LANGUAGE.md §1.1 prints them, empty when there are none; freed by relance_report_free.
 * A set and all engines that run it belong to one thread. */
RELANCE_MUST enum relance_status relance_ruleset_compile(const struct relance_source *sources, size_t count,
                                                         relance_zone_load *zone_load, void *zone_context,
                                                         struct relance_ruleset **out,
                                                         struct relance_report **report,
                                                         struct relance_error *error);
/* The same; `strict`: with warnings of what is usual and yet a risk, too. */
RELANCE_MUST enum relance_status relance_ruleset_check(const struct relance_source *sources, size_t count,
                                                       relance_zone_load *zone_load, void *zone_context,
                                                       bool strict, struct relance_ruleset **out,
                                                       struct relance_report **report,
                                                       struct relance_error *error);
void relance_ruleset_free(struct relance_ruleset *rules);
size_t relance_ruleset_rule_count(const struct relance_ruleset *rules);
/* The name of one of them, in their order; borrowed. */
struct relance_str relance_ruleset_rule_name(const struct relance_ruleset *rules, size_t at);
/* Does it say by `sales` what an order is? */
bool relance_ruleset_has_sales(const struct relance_ruleset *rules);
/* Does its mapping, if any, read headers of records? They cost something to fetch. */
bool relance_ruleset_reads_headers(const struct relance_ruleset *rules);
/* The instant of a local time, given in ms as if it were UTC, by LANGUAGE.md §2: a time that a clock change skips is
 * moved forward, one that occurs twice means the first. False: there is no such zone. */
bool relance_ruleset_local_instant(const struct relance_ruleset *rules, struct relance_str zone,
                                   int64_t local_ms, int64_t *instant_ms);

/* The time zone that days and months are of where a customer has no other, and the local day there, since 1970. */
struct relance_str relance_ruleset_zone(const struct relance_ruleset *rules);
int64_t relance_ruleset_day(const struct relance_ruleset *rules, int64_t instant_ms);

/* Visits each time zone that engines of these rules have asked for an offset since the last call, UTC apart, with the hash
 * of its file (relance_zone_hash). Not while another thread uses the rules. */
typedef void relance_zone_visit(void *context, struct relance_str name, uint64_t hash);
void relance_ruleset_take_zones(const struct relance_ruleset *rules, relance_zone_visit *visit,
                                void *context);
uint64_t relance_zone_hash(struct relance_str file);

/* What compiling had to say. */
struct relance_diagnostic {
    struct relance_str file;         /* empty: it belongs to no file */
    size_t line, column, end_column; /* from 1, columns in code points; end_column is behind the last */
    bool is_warning;
    struct relance_str message, hint; /* the hint may be empty */
};
typedef void relance_diagnostic_show(void *context, const struct relance_diagnostic *diagnostic);
/* One by one, in the order of the text. Texts live as long as the report, each with a NUL behind it. */
void relance_report_each(const struct relance_report *report, relance_diagnostic_show *show, void *context);
struct relance_str relance_report_text(const struct relance_report *report);
size_t relance_report_errors(const struct relance_report *report);
size_t relance_report_warnings(const struct relance_report *report);
void relance_report_free(struct relance_report *report);

#endif
