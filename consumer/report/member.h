/* Members of JSON documents, as the reports have them (cJSON). Memory that cannot be had ends the program. */
#ifndef CONSUMER_REPORT_MEMBER_H
#define CONSUMER_REPORT_MEMBER_H

#include <relance/text.h>
#include <stdint.h>

#include <cjson/cJSON.h>

cJSON *member_must(cJSON *item); /* it, which is not NULL */

cJSON *member_object(cJSON *object, const char *name);
cJSON *member_list(cJSON *object, const char *name);
cJSON *member_item(cJSON *list); /* one more object at its end */
void member_int(cJSON *object, const char *name, int64_t number);
void member_money(cJSON *object, const char *name, int64_t money); /* ten-thousandths, as a decimal number */
void member_text(cJSON *object, const char *name, struct relance_str text); /* data NULL: null */
void member_day(cJSON *object, const char *name, int64_t day);              /* since 1970 */

#endif
