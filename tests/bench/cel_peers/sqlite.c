/* The expressions of cel_bench.c in SQLite, as prepared statements with bound values, as far as SQL can express
 * them: one tab-separated line each, nanoseconds, "-", the expression. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const struct {
    const char *text, *sql;
} cases[] = {
    {"value >= 100", "SELECT :value >= 100"},
    {"(origin == 'MOW' || country == 'RU') && (value >= 100 || adults == 1)",
     "SELECT (:origin = 'MOW' OR :country = 'RU') AND (:value >= 100 OR :adults = 1)"},
    {"url.startsWith('https://shop.example/')", "SELECT substr(:url, 1, 21) = 'https://shop.example/'"},
    {"product in ['p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'p7', 'p8', 'p9', 'p10']",
     "SELECT :product IN ('p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'p7', 'p8', 'p9', 'p10')"},
    {"'Dear ' + name + ', ' + string(value) + ' things for ' + string(total)",
     "SELECT 'Dear ' || :name || ', ' || :value || ' things for ' || :total"},
};

static void bind(sqlite3_stmt *statement)
{
    static const struct {
        const char *name, *text;
    } texts[] = {{":origin", "LED"},
                 {":country", "RU"},
                 {":url", "https://shop.example/cart/123456"},
                 {":product", "p10"},
                 {":name", "Ada"}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        sqlite3_bind_text(statement, sqlite3_bind_parameter_index(statement, texts[i].name), texts[i].text,
                          -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, sqlite3_bind_parameter_index(statement, ":value"), 99);
    sqlite3_bind_int64(statement, sqlite3_bind_parameter_index(statement, ":adults"), 1);
    sqlite3_bind_double(statement, sqlite3_bind_parameter_index(statement, ":total"), 129.95);
}

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(void)
{
    sqlite3 *db;
    if (sqlite3_open(":memory:", &db) != SQLITE_OK) return 1;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sqlite3_stmt *statement;
        if (sqlite3_prepare_v2(db, cases[i].sql, -1, &statement, NULL) != SQLITE_OK) return 1;
        bind(statement);
        enum { RUNS = 3, ROUNDS = 100000 };
        double times[RUNS];
        for (size_t run = 0; run < RUNS; run++) {
            double begin = now_ns();
            for (size_t round = 0; round < ROUNDS; round++) {
                sqlite3_step(statement);
                sqlite3_reset(statement);
            }
            times[run] = (now_ns() - begin) / ROUNDS;
        }
        qsort(times, RUNS, sizeof times[0], by_size);
        printf("%.1f\t-\t%s\n", times[RUNS / 2], cases[i].text);
        sqlite3_finalize(statement);
    }
    sqlite3_close(db);
    return 0;
}
