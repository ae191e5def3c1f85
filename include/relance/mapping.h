/* Mappings: other pipelines' records as native events. rules/README.md, "Mappings", describes the language.
 *
 * A mapping is a pure function of one record: no state, no clock, no look-ups. The same record gives the same events,
 * with the same ids, whenever and wherever it is mapped.
 *
 *     relance_mapping_map(mapper, &record, &mapped);
 *     for (size_t i = 0; i < mapped.count; i++) … mapped.items[i] … */
#ifndef RELANCE_MAPPING_H
#define RELANCE_MAPPING_H

#include <relance/listing.h>
#include <relance/misfit.h>
#include <relance/ruleset.h>

struct relance_mapping;

/* Gives the text of a shipped preset ("segment") that a mapping extends; false when there is none of that name. It
 * needs to live until the call that asked returns. */
typedef bool relance_preset_load(void *context, struct relance_str name, struct relance_str *text);

/* What compiling a mapping needs besides its text. All of it lives as long as the mapping. */
struct relance_mapping_host {
    relance_preset_load *preset_load;
    void *preset_context;
    relance_zone_load *zone_load;
    void *zone_context;
};

/* Is the text a mapping file, rather than a rule file? It is one where it says `extends`, `format`, `record`, `for`, `by` or
 * `each`, or has a row `*`, and has no `rules`; so are all mappings that compile. Text that is no JSON is none. */
bool relance_mapping_is(struct relance_str text);
/* The preset that a mapping extends; empty: none, or what stands there is no mapping. Valid as long as `text`. */
struct relance_str relance_mapping_extends(struct relance_str text);

/* Compiles a mapping for whoever takes all that it gives. On RELANCE_OK *out is the mapping, freed by the caller; else
 * *out is untouched and error->message one sentence. *report as with relance_ruleset_compile. A mapping belongs to one
 * thread. */
RELANCE_MUST enum relance_status relance_mapping_compile(const struct relance_source *source,
                                                         const struct relance_mapping_host *host,
                                                         struct relance_mapping **out,
                                                         struct relance_report **report,
                                                         struct relance_error *error);
void relance_mapping_free(struct relance_mapping *mapping);
/* Of how many rows the mapping consists, those of presets included. */
size_t relance_mapping_row_count(const struct relance_mapping *mapping);
/* What its records are: `json`, `avro` … Those of `avro` and `protobuf` are given to it as JSON. */
struct relance_str relance_mapping_format(const struct relance_mapping *mapping);
/* The mapping through which a set's records are read; NULL: none. It lives as long as the set. */
struct relance_mapping *relance_ruleset_mapping(const struct relance_ruleset *rules);
/* Does it read headers of records? They cost something to fetch. */
bool relance_mapping_reads_headers(const struct relance_mapping *mapping);

/* Every keyword of mappings, by the object that it stands in. */
void relance_mapping_keyword_rows(relance_row_show *show, void *context);

/* Of the format `csv`, whose rows a host takes out of a file: a record's value is a row as it stands in the file, or the
 * rows of one group. */
struct relance_csv {
    char separator;     /* ' ': any number of blanks and tabs, no quotes */
    bool header_wanted; /* the mapping does not name the columns, and nobody has */
    bool grouped;       /* rows that follow each other may be one record */
};

/* False: it is of another format. */
bool relance_mapping_csv(const struct relance_mapping *mapping, struct relance_csv *csv);
/* Names the columns of all values to come, which then have no header of their own; `row` is borrowed for the call. */
RELANCE_MUST enum relance_status relance_mapping_csv_header(struct relance_mapping *mapping,
                                                            struct relance_str row,
                                                            struct relance_error *error);

/* A record as Kafka has it; all borrowed. */
struct relance_foreign {
    struct relance_str topic; /* for made-up ids TOPIC/PARTITION/OFFSET */
    int32_t partition;
    int64_t offset;
    struct relance_str key, value; /* data NULL: there is none */
    const struct relance_header *headers;
    size_t header_count;
};

/* One event of a record, or what stands in the place of one. */
struct relance_mapped_item {
    struct relance_str event; /* a native event as JSON; empty: a dead letter */
    struct relance_str
        customer;    /* the key of the event: its customer, else its visitor; of a dead letter, if known */
    bool is_visitor; /* `customer` is a visitor's name */
    size_t number;   /* of the event in its record, from 0, events that a condition left out included */
    struct relance_str reason;   /* of a dead letter: "mapping", "customer", … */
    struct relance_str sentence; /* of a dead letter: what was missing */
};

enum relance_mapped_kind {
    RELANCE_MAPPED,     /* its events are in `items`; none where conditions left all of them out */
    RELANCE_UNMAPPED,   /* no row of the mapping is for it: passed over */
    RELANCE_UNREADABLE, /* the whole record is a dead letter: `reason`, `sentence` */
};

/* What became of a record; texts are valid until the next call. */
struct relance_mapped {
    enum relance_mapped_kind kind;
    const struct relance_mapped_item *items;
    size_t count;
    size_t unmapped; /* of what the record holds, so much is for no row: passed over */
    struct relance_str reason, sentence;
    struct relance_str row; /* of RELANCE_UNMAPPED: what `by` gave; empty: it gave nothing */
    uint32_t
        fields_invalid; /* values that do not fit what the shape says of them, and expressions that failed */
    const struct relance_misfit *misfits; /* the first of them */
    size_t misfit_count;
};

/* Maps one record. RELANCE_NO_MEMORY: nothing is wrong with the record, and mapping it again may work. */
RELANCE_MUST enum relance_status relance_mapping_map(struct relance_mapping *mapping,
                                                     const struct relance_foreign *record,
                                                     struct relance_mapped *mapped);

/* The group of a record that is one row of CSV, valid until the next call; empty: it is a record alone, as it is where
 * `mapped` says why it cannot be read. */
RELANCE_MUST enum relance_status relance_mapping_csv_group(struct relance_mapping *mapping,
                                                           const struct relance_foreign *record,
                                                           struct relance_mapped *mapped,
                                                           struct relance_str *group);

#endif
