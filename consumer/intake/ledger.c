#include "intake/ledger.h"
#include "host/log.h"
#include "host/print.h"

enum { LEDGER_KEY_SIZE = 64 }; /* of "dead.REASON" */

static const struct {
    const char *name, *prose;
} ledger_rows[INTAKE_COUNTER_COUNT] = {
#define INTAKE_COUNTER(ENUM, name, prose) {name, prose},
#define INTAKE_COUNTER_FAMILY(ENUM, form, prose)
#include "intake.def"
#undef INTAKE_COUNTER
#undef INTAKE_COUNTER_FAMILY
};

static const char ledger_dead_prose[] =
#define INTAKE_COUNTER(ENUM, name, prose)
#define INTAKE_COUNTER_FAMILY(ENUM, form, prose) prose;
#include "intake.def"
#undef INTAKE_COUNTER
#undef INTAKE_COUNTER_FAMILY

    void ledger_add(struct ledger * ledger, enum intake_counter counter, int64_t number)
{
    ledger->fresh.plain[counter] += number;
}

void ledger_add_dead(struct ledger *ledger, struct relance_str reason)
{
    uint32_t number = names_find(&ledger->reasons, reason);
    if (number == NAME_NONE && ledger->reasons.count == LEDGER_REASONS_MAX) number = LEDGER_REASONS_MAX - 1;
    if (number == NAME_NONE) number = names_add(&ledger->reasons, reason);
    ledger->fresh.dead[number]++;
}

void ledger_keep(struct ledger *ledger)
{
    for (size_t i = 0; i < INTAKE_COUNTER_COUNT; i++)
        ledger->kept.plain[i] += ledger->fresh.plain[i];
    for (size_t i = 0; i < LEDGER_REASONS_MAX; i++)
        ledger->kept.dead[i] += ledger->fresh.dead[i];
    ledger_drop(ledger);
}

void ledger_drop(struct ledger *ledger)
{
    ledger->fresh = (struct ledger_numbers){0};
}

void ledger_log(const struct ledger *ledger, const char *sentence)
{
    struct log_count counts[INTAKE_COUNTER_COUNT + LEDGER_REASONS_MAX];
    char keys[LEDGER_REASONS_MAX][LEDGER_KEY_SIZE];
    size_t count = 0;
    for (size_t i = 0; i < INTAKE_COUNTER_COUNT; i++)
        counts[count++] = (struct log_count){str_of(ledger_rows[i].name), ledger->kept.plain[i]};
    for (uint32_t i = 0; i < ledger->reasons.count; i++) {
        if (!ledger->kept.dead[i]) continue;
        snprintf(keys[i], sizeof keys[i], "dead.%.*s", STR_ARG(ledger->reasons.list[i]));
        counts[count++] = (struct log_count){str_of(keys[i]), ledger->kept.dead[i]};
    }
    log_counts(LOG_INFO, sentence, counts, count);
}

static void ledger_put_head(const char *name, const char *prose, FILE *out)
{
    print(out, "# HELP relance_intake_%s_total %s\n# TYPE relance_intake_%s_total counter\n", name, prose,
          name);
}

static void ledger_put_label(const char *before, str value, FILE *out)
{
    print(out, "%s=\"", before);
    print_label(value, out);
    fputc('"', out);
}

void ledger_print(const struct ledger *ledger, const char *group, FILE *out)
{
    for (size_t i = 0; i < INTAKE_COUNTER_COUNT; i++) {
        ledger_put_head(ledger_rows[i].name, ledger_rows[i].prose, out);
        print(out, "relance_intake_%s_total", ledger_rows[i].name);
        ledger_put_label("{group", str_of(group), out);
        print(out, "} %lld\n", (long long)ledger->kept.plain[i]);
    }
    for (uint32_t i = 0, shown = 0; i < ledger->reasons.count; i++) {
        if (!ledger->kept.dead[i]) continue;
        if (!shown++) ledger_put_head("dead_by_reason", ledger_dead_prose, out);
        fputs("relance_intake_dead_by_reason_total", out);
        ledger_put_label("{group", str_of(group), out);
        ledger_put_label(",reason", ledger->reasons.list[i], out);
        print(out, "} %lld\n", (long long)ledger->kept.dead[i]);
    }
}

void ledger_free(struct ledger *ledger)
{
    names_free(&ledger->reasons);
}
