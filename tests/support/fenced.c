/* For LD_PRELOAD: once, librdkafka says of a consumer that has been at work for a while that it has been fenced. So it
 * does, without another process, after a session that timed out (its issue 3437). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <librdkafka/rdkafka.h>

enum { CALLS_BEFORE = 100 };

typedef rd_kafka_resp_err_t fatal_error(rd_kafka_t *rk, char *reason, size_t size);

rd_kafka_resp_err_t rd_kafka_fatal_error(rd_kafka_t *rk, char *reason, size_t size)
{
    static int calls;
    if (reason && rd_kafka_type(rk) == RD_KAFKA_CONSUMER && ++calls == CALLS_BEFORE) {
        *reason = '\0';
        return RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
    }
    return ((fatal_error *)dlsym(RTLD_NEXT, "rd_kafka_fatal_error"))(rk, reason, size);
}
