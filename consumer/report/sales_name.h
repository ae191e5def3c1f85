/* The names of what sales add up to (relance/sales.h), read backwards: which sum it is, and of what. */
#ifndef CONSUMER_REPORT_SALES_NAME_H
#define CONSUMER_REPORT_SALES_NAME_H

#include "base/str.h"

#include <relance/sales.h>
#include <stdbool.h>

/* The words in capitals of a form; what it does not have is empty. Borrowed from the name. */
#define SALES_WORD_TABLE(X)                                                                                  \
    X(CLASS, "class")                                                                                        \
    X(CUR, "currency")                                                                                       \
    X(CH, "channel")                                                                                         \
    X(MONTH, "month")                                                                                        \
    X(K, "k")                                                                                                \
    X(N, "orders")                                                                                           \
    X(DAYS, "days")

enum sales_word {
#define SALES_WORD(NAME, label) SALES_##NAME,
    SALES_WORD_TABLE(SALES_WORD)
#undef SALES_WORD
        SALES_WORDS,
};

struct sales_name {
    enum relance_sales sum;
    str words[SALES_WORDS];
};

/* False: it is none of them. */
bool sales_name_read(str name, struct sales_name *out);

struct sales_form {
    const char *name, *prose;
    bool is_money;
};
extern const struct sales_form sales_forms[RELANCE_SALES_COUNT];

/* Does its name stand for itself? "sales.orders_updated". */
bool sales_has_no_words(enum relance_sales sum);

/* How labels of Prometheus call what stands for a word. */
extern const char *const sales_word_labels[SALES_WORDS];

#endif
