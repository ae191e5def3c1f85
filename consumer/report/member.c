#include "report/member.h"
#include "base/ensure.h"
#include "host/text.h"
#include "report/report.h"

#include <stdlib.h>

cJSON *member_must(cJSON *item)
{
    ensure(item);
    return item;
}

cJSON *member_object(cJSON *object, const char *name)
{
    return member_must(cJSON_AddObjectToObject(object, name));
}

cJSON *member_list(cJSON *object, const char *name)
{
    return member_must(cJSON_AddArrayToObject(object, name));
}

cJSON *member_item(cJSON *list)
{
    cJSON *item = member_must(cJSON_CreateObject());
    cJSON_AddItemToArray(list, item);
    return item;
}

void member_int(cJSON *object, const char *name, int64_t number)
{
    char text[TEXT_NUMBER_SIZE];
    text_put_int(text, number);
    member_must(cJSON_AddRawToObject(object, name, text));
}

void member_money(cJSON *object, const char *name, int64_t money)
{
    char text[REPORT_MONEY_SIZE];
    member_must(cJSON_AddRawToObject(object, name, report_money_text(money, text)));
}

void member_text(cJSON *object, const char *name, struct relance_str text)
{
    char *copy = text_copy(text);
    member_must(text.data ? cJSON_AddStringToObject(object, name, copy)
                          : cJSON_AddNullToObject(object, name));
    free(copy);
}

void member_day(cJSON *object, const char *name, int64_t day)
{
    char text[TEXT_DAY_SIZE];
    text_put_day(text, day);
    member_must(cJSON_AddStringToObject(object, name, text));
}
