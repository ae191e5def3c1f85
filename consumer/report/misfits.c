#include "report/misfits.h"
#include "base/str.h"
#include "host/print.h"

#include <inttypes.h>

static void misfits_add(struct misfits *misfits, const struct relance_misfit *misfit, struct relance_str type,
                        int64_t line)
{
    uint64_t hash = str_hash(type) * 31 + str_hash(misfit->field);
    size_t i = 0;
    while (i < misfits->kind_count && misfits->kinds[i].hash != hash)
        i++;
    if (i == MISFIT_KINDS_MAX) return;
    struct misfit_kind *kind = &misfits->kinds[i];
    if (kind->count++) return;
    misfits->kind_count++;
    kind->hash = hash;
    kind->line = line;
    char words[MISFIT_WORDS_MAX];
    size_t size = relance_misfit_tell(misfit, words, sizeof words);
    snprintf(kind->words, sizeof kind->words, "%.*s.%.*s", STR_ARG(type),
             (int)(size < sizeof words ? size : sizeof words), words);
}

void misfits_take(struct misfits *misfits, const struct relance_fate *fate, int64_t line)
{
    misfits->count += fate->fields_invalid;
    for (size_t i = 0; i < fate->misfit_count; i++)
        misfits_add(misfits, &fate->misfits[i], fate->type, line);
}

void misfits_take_mapped(struct misfits *misfits, const struct relance_mapped *mapped, int64_t line)
{
    const struct relance_fate fate = {.type = STR("record"),
                                      .fields_invalid = mapped->fields_invalid,
                                      .misfits = mapped->misfits,
                                      .misfit_count = mapped->misfit_count};
    misfits_take(misfits, &fate, line);
}

void misfits_print(const struct misfits *misfits, const char *path)
{
    uint64_t told = 0;
    for (size_t i = 0; i < misfits->kind_count; i++) {
        const struct misfit_kind *kind = &misfits->kinds[i];
        bool one = kind->count == 1;
        told += kind->count;
        print_mistake("%s: %" PRIu64 " value%s left out: %s (%sline %" PRId64 ")", path, kind->count,
                      one ? "" : "s", kind->words, one ? "" : "first in ", kind->line);
    }
    if (told < misfits->count)
        print_mistake("%s: %" PRIu64 " more value%s left out", path, misfits->count - told,
                      misfits->count - told == 1 ? "" : "s");
}
