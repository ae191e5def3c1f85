#include "host/mishap.h"

#include "base/str.h"
#include "host/log.h"

#include <inttypes.h>
#include <relance/dead.h>

static size_t mishap_byte(const struct mishap_record *record, struct relance_str reason)
{
    bool is_broken =
        str_equal(reason, STR("json")) || str_equal(reason, STR("utf8")) || str_equal(reason, STR("depth"));
    return is_broken && record->value.size ? relance_dead_at(record->value) : RELANCE_DEAD_NOWHERE;
}

void mishap_tell_dead(struct sampler *sampler, const struct mishap_record *record, struct relance_str reason,
                      struct relance_str sentence)
{
    static const char said[] = "A record is a dead letter.";
    uint64_t more;
    if (!sampler_take(sampler, STR("dead letter"), reason, &more)) return;
    size_t byte = mishap_byte(record, reason);
    if (!sentence.size) sentence = relance_dead_prose(reason);
    if (byte == RELANCE_DEAD_NOWHERE)
        log_line(LOG_WARNING, said,
                 "reason=%.*s why=\"%.*s\" topic=%.*s partition=%d offset=%" PRId64 " more_since=%" PRIu64,
                 STR_ARG(reason), STR_ARG(sentence), STR_ARG(record->topic), record->partition,
                 record->offset, more);
    else
        log_line(LOG_WARNING, said,
                 "reason=%.*s why=\"%.*s\" byte=%zu topic=%.*s partition=%d offset=%" PRId64
                 " more_since=%" PRIu64,
                 STR_ARG(reason), STR_ARG(sentence), byte, STR_ARG(record->topic), record->partition,
                 record->offset, more);
}
