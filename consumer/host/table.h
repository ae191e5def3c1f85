/* Tables for people: cells are put row by row, then printed in columns as wide as their widest cell.
 *
 *     struct table *t = table_new(columns, 3);
 *     table_put(t, "%s", name); table_put(t, "%d", n); …      three cells make a row
 *     table_print(t, stdout);
 *     table_free(t);
 */
#ifndef CONSUMER_HOST_TABLE_H
#define CONSUMER_HOST_TABLE_H

#include <stddef.h>
#include <stdio.h>

struct table;

struct table_column {
    const char *head;
    enum { TABLE_LEFT, TABLE_RIGHT } align;
};

struct table *table_new(const struct table_column *columns, size_t count); /* columns are borrowed */
void table_put(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
void table_print(const struct table *table, FILE *out); /* an unfinished row is filled with empty cells */
void table_free(struct table *table);

#endif
