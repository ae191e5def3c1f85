/* Dead letters of a file, gathered over it: of each reason how many, and the line of the first. */
#ifndef CONSUMER_REPORT_DEATHS_H
#define CONSUMER_REPORT_DEATHS_H

#include <relance/text.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DEATHS_MAX = 16,          /* reasons; the engine has 8 */
    DEATH_SENTENCE_SIZE = 160 /* bytes of one */
};

struct deaths {
    uint64_t count; /* in all */
    struct death {
        char reason[32];
        char sentence[DEATH_SENTENCE_SIZE]; /* of a mapping, which tells more of it; else empty */
        uint64_t count;
        int64_t line; /* of the first, from 1 */
    } kinds[DEATHS_MAX];
    size_t kind_count;
};

void deaths_take(struct deaths *deaths, struct relance_str reason, struct relance_str sentence, int64_t line);
/* On standard error, a line: "relance COMMAND: 2 dead letters: json 1 (line 17), time 1 (line 20)" */
void deaths_print(const struct deaths *deaths, const char *command);

#endif
