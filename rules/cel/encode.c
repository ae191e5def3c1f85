/* base64 (RFC 4648 §4): three bytes are four letters. */
#include "cel/encode.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(str bytes, struct buffer *out)
{
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i < 3 ? bytes.size - i : 3;
        uint32_t group = 0;
        for (size_t k = 0; k < 3; k++)
            group = group << 8 | (k < left ? (unsigned char)bytes.data[i + k] : 0u);
        char four[4] = {letters[group >> 18], letters[group >> 12 & 63], letters[group >> 6 & 63],
                        letters[group & 63]};
        for (size_t k = left + 1; k < 4; k++)
            four[k] = '=';
        buffer_put(out, four, 4);
    }
}

static int letter_value(char c)
{
    const char *at = c ? strchr(letters, c) : NULL;
    return at ? (int)(at - letters) : -1;
}

bool base64_decode(str text, struct buffer *out)
{
    size_t padding = 0;
    while (padding < 2 && padding < text.size && text.data[text.size - 1 - padding] == '=')
        padding++;
    if (padding && text.size % 4) return false;
    text.size -= padding;
    if (text.size % 4 == 1) return false;
    uint32_t bits = 0;
    for (size_t i = 0, have = 0; i < text.size; i++) {
        int value = letter_value(text.data[i]);
        if (value < 0) return false;
        bits = bits << 6 | (uint32_t)value;
        have += 6;
        if (have < 8) continue;
        have -= 8;
        buffer_put_char(out, (char)(bits >> have & 255));
    }
    return true;
}
