#include "redis/resp.h"
#include "host/text.h"

static void resp_head(struct buffer *out, char sign, size_t number)
{
    char text[TEXT_NUMBER_SIZE];
    size_t size = text_put_int(text, (int64_t)number);
    char *at = buffer_room(out, size + 3);
    *at++ = sign;
    memcpy(at, text, size);
    memcpy(at + size, "\r\n", 2);
    out->size += size + 3;
}

void resp_begin(struct buffer *out, size_t words)
{
    resp_head(out, '*', words);
}

void resp_word(struct buffer *out, struct relance_str word)
{
    resp_head(out, '$', word.size);
    char *at = buffer_room(out, word.size + 2);
    if (word.size) memcpy(at, word.data, word.size);
    memcpy(at + word.size, "\r\n", 2);
    out->size += word.size + 2;
}

void resp_int(struct buffer *out, int64_t number)
{
    char text[TEXT_NUMBER_SIZE];
    resp_word(out, (struct relance_str){text, text_put_int(text, number)});
}

void resp_command(struct buffer *out, size_t count, const struct relance_str *words)
{
    resp_begin(out, count);
    for (size_t i = 0; i < count; i++)
        resp_word(out, words[i]);
}

void resp_many_clear(struct resp_many *many)
{
    many->words.size = 0;
    many->count = 0;
}

size_t resp_many_flush(struct resp_many *many)
{
    if (!many->count) return 0;
    resp_begin(many->out, many->count + 2);
    resp_word(many->out, many->verb);
    resp_word(many->out, many->key);
    buffer_put(many->out, many->words.data, many->words.size);
    resp_many_clear(many);
    return 1;
}

void resp_many_add(struct resp_many *many, struct relance_str first, struct relance_str second)
{
    resp_word(&many->words, first);
    resp_word(&many->words, second);
    many->count += 2;
}

void resp_many_add_one(struct resp_many *many, struct relance_str word)
{
    resp_word(&many->words, word);
    many->count++;
}
