#include "report/deaths.h"
#include "base/str.h"
#include "host/print.h"

void deaths_take(struct deaths *deaths, struct relance_str reason, struct relance_str sentence, int64_t line)
{
    size_t i = 0;
    char told[DEATH_SENTENCE_SIZE];
    deaths->count++;
    if (!sentence.size && str_equal(reason, STR("time"))) /* a record of Kafka would have one of its own */
        sentence = STR("it has no time that can be read");
    snprintf(told, sizeof told, "%.*s", (int)sentence.size, sentence.size ? sentence.data : "");
    while (i < deaths->kind_count && (!str_equal(str_of(deaths->kinds[i].reason), reason) ||
                                      strcmp(deaths->kinds[i].sentence, told) != 0))
        i++;
    if (i == DEATHS_MAX) return;
    struct death *death = &deaths->kinds[i];
    if (i == deaths->kind_count) {
        deaths->kind_count++;
        snprintf(death->reason, sizeof death->reason, "%.*s", STR_ARG(reason));
        memcpy(death->sentence, told, sizeof told);
        death->line = line;
    }
    death->count++;
}

void deaths_print(const struct deaths *deaths, const char *command)
{
    if (!deaths->count) return;
    print(stderr, "relance %s: %llu dead letter%s:", command, (unsigned long long)deaths->count,
          deaths->count == 1 ? "" : "s");
    for (size_t i = 0; i < deaths->kind_count; i++) {
        const struct death *death = &deaths->kinds[i];
        print(stderr, "%s %s %llu (%sline %lld%s%s)", i ? "," : "", death->reason,
              (unsigned long long)death->count, death->count > 1 ? "first in " : "", (long long)death->line,
              death->sentence[0] ? ": " : "", death->sentence);
    }
    fputc('\n', stderr);
}
