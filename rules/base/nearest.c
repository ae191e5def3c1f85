#include "base/nearest.h"

enum { NEAREST_LETTERS = 64, NEAREST_WORK = 200000 /* letters compared with letters, for one word */ };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment distance (a swap of neighbours counts one), by rows; or `most`, where it is no less. */
static size_t nearest_distance(str a, str b, size_t most)
{
    size_t rows[3][NEAREST_LETTERS + 1];
    for (size_t j = 0; j <= b.size; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.size; i++) {
        size_t *row = rows[i % 3], *above = rows[(i - 1) % 3], *before = rows[(i + 1) % 3];
        size_t smallest = row[0] = i;
        for (size_t j = 1; j <= b.size; j++) {
            bool same = a.data[i - 1] == b.data[j - 1];
            row[j] = least(least(above[j] + 1, row[j - 1] + 1), above[j - 1] + !same);
            if (i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] && a.data[i - 2] == b.data[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
            smallest = least(smallest, row[j]);
        }
        if (smallest > most) return most; /* a swap reaches over one row, and costs one */
    }
    return rows[a.size % 3][b.size];
}

struct nearest nearest_to(str word)
{
    return (struct nearest){.word = word, .distance = word.size / 3 + 2};
}

void nearest_offer(struct nearest *nearest, str candidate)
{
    if (nearest->word.size > NEAREST_LETTERS || candidate.size > NEAREST_LETTERS || !candidate.size) return;
    size_t a = nearest->word.size, b = candidate.size;
    if ((a > b ? a - b : b - a) >= nearest->distance || nearest->work > NEAREST_WORK) return;
    nearest->work += a * b;
    size_t distance = nearest_distance(nearest->word, candidate, nearest->distance);
    if (distance >= nearest->distance) return;
    nearest->distance = distance;
    nearest->name = candidate;
}

str nearest_of(str word, const str *names, size_t count)
{
    struct nearest nearest = nearest_to(word);
    for (size_t i = 0; i < count; i++)
        nearest_offer(&nearest, names[i]);
    return nearest.name;
}

str nearest_hint(const struct nearest *nearest, struct arena *arena)
{
    if (!nearest->name.size) return (str){0};
    return arena_format(arena, "did you mean '%.*s'?", STR_ARG(nearest->name));
}
