/* A rule set that uses every keyword, for the fuzz targets that run one. */
#ifndef FUZZ_SHOP_RULES_H
#define FUZZ_SHOP_RULES_H

static const char shop_rules[] =
    "{\"tz\": \"Europe/Paris\", \"stale\": \"2d\","
    " \"types\": {\"item\": {\"product\": \"string\", \"price\": \"double\", \"qty\": \"int\"}},"
    " \"customer\": {\"tz\": \"string\", \"birthday\": \"string\", \"renewal\": \"timestamp\", \"mails\": \"int\","
    "   \"first\": {\"type\": \"string\", \"on\": \"view\", \"value\": \"event.product\", \"keep\": \"first\"}},"
    " \"events\": {\"view\": {\"product\": \"string\"}, \"cart\": {\"cart\": \"string\", \"items\": \"list(item)\"},"
    "   \"buy\": {\"cart\": \"string\", \"total\": \"double\", \"when\": \"timestamp\", \"wait\": \"duration\", \"raw\": \"bytes\","
    "     \"n\": \"uint\", \"m\": \"map(string, int)\", \"ok\": \"bool\"}},"
    " \"counts\": {\"views\": {\"on\": \"view\", \"by\": \"event.product\", \"over\": \"1h\"}, \"buys\": {\"on\": \"buy\"},"
    "   \"spend\": {\"on\": \"buy\", \"sum\": \"event.total\", \"over\": \"30d\"},"
    "   \"carted\": {\"on\": \"cart\", \"by\": \"event.items.map(i, i.product)\", \"if\": \"event.items.size() < 9\"}},"
    " \"segments\": {\"hot\": \"views('p') > 1 || spend() > 50.0\", \"loyal\": \"buys() >= 2 && !segments.hot\"},"
    " \"limits\": [{\"quiet\": \"21:00-08:00\", \"if\": \"rule.priority < 5\"}, {\"max\": \"1 per 1h\", \"send\": \"email\"},"
    "   {\"max\": \"3 per week\", \"else\": \"defer\", \"if\": \"run.step == 1\"}],"
    " \"rules\": {"
    "   \"cart\": {\"on\": \"cart\", \"key\": \"event.cart\", \"again\": \"rearm\", \"cooldown\": \"2h\", \"priority\": 7,"
    "     \"cancel\": [{\"on\": \"buy\", \"key\": \"event.cart\"}, {\"on\": \"view\", \"if\": \"event.product == 'stop' && run.step == 2\"}],"
    "     \"split\": {\"a\": 1, \"holdout\": 1},"
    "     \"do\": [{\"after\": \"10m\", \"send\": \"email\", \"with\": {\"v\": \"x${run.variant}\", \"i\": \"${triggers.map(t, t.items.size())}\"}},"
    "       {\"after\": \"1d\", \"at\": \"10:00\", \"if\": \"trigger.items.map(i, i.price * double(i.qty)).sum() > 5.0\", \"send\": \"push\"}],"
    "     \"goal\": {\"on\": \"buy\", \"key\": \"event.cart\", \"within\": \"2d\", \"value\": \"event.total\"}},"
    "   \"look\": {\"on\": [\"view\", \"cart\"], \"again\": \"restart\", \"while\": \"views('stop') == 0\","
    "     \"do\": [{\"send\": \"push\"}, {\"after\": \"5m\", \"set\": {\"mails\": \"${(has(customer.mails) ? customer.mails : 0) + 1}\"}}]},"
    "   \"thanks\": {\"on\": \"buy\", \"key\": \"event.m.map(k, k)\", \"if\": \"buys() < 9\", \"do\": [{\"after\": \"1m\", \"send\": \"email\","
    "     \"with\": [\"${trigger}\", \"${has(last.view) ? last.view.product : 'none'}\", \"${trigger.when}\", \"${trigger.raw}\"]}],"
    "     \"goal\": {\"on\": \"view\", \"within\": \"1h\"}},"
    "   \"enters\": {\"on\": \"enter hot\", \"do\": [{\"send\": \"push\", \"set\": {\"birthday\": \"03-02\"}}]},"
    "   \"leaves\": {\"on\": \"leave hot\", \"do\": [{\"after\": \"1h\", \"send\": \"sms\"}]},"
    "   \"birthday\": {\"on\": {\"yearly\": \"customer.birthday\"}, \"do\": [{\"at\": \"09:00\", \"send\": \"email\"}]},"
    "   \"renewal\": {\"on\": {\"date\": \"customer.renewal\"}, \"do\": [{\"after\": \"-3d\", \"send\": \"email\"}]}}}";

#endif
