#include "base/numeral.h"

struct numeral {
    str rest; /* what has not been read */
    str mark;
    unsigned signs, opened, closed; /* brackets */
    bool minus, digits;
    struct buffer *out;
};

/* ---- the alphabet */

static const str blanks[] = {
    STR(" "),
    STR("\t"),
    STR("\xC2\xA0"),     /* no-break space */
    STR("\xE2\x80\x87"), /* figure space */
    STR("\xE2\x80\x89"), /* thin space */
    STR("\xE2\x80\xAF"), /* narrow no-break space */
    STR("\xE2\x80\x8E"), /* marks of direction, which formatters put beside signs */
    STR("\xE2\x80\x8F"),
    STR("\xD8\x9C"),
    STR("\xE2\x81\xA0"), /* word joiner */
    STR("\xEF\xBB\xBF"), /* its older form */
};

static const str minuses[] = {
    STR("-"),
    STR("\xE2\x88\x92"), /* minus sign: Swedish, Finnish, Slovenian … formatters print it */
    STR("\xE2\x80\x90"), /* hyphens */
    STR("\xE2\x80\x91"),
    STR("\xE2\x80\x92"), /* figure dash */
    STR("\xE2\x80\x93"), /* en dash */
    STR("\xEF\xB9\xA3"), /* small hyphen */
    STR("\xEF\xBC\x8D"), /* full-width hyphen */
};

/* "12,–": in the place of cents, and what stands before them. */
static const str dashes[] = {STR("-"), STR("–"), STR("—"), STR("\xE2\x88\x92")};
static const str ends[] = {STR(","), STR("."), STR(":")};

/* Of thousands. */
static const str separators[] = {
    STR(" "),
    STR("\xC2\xA0"),
    STR("\xE2\x80\x87"),
    STR("\xE2\x80\x89"),
    STR("\xE2\x80\xAF"),
    STR("'"),
    STR("\xE2\x80\x99"), /* ’ */
    STR("."),
    STR(","),
};

/* Signs of currencies; where one begins another, the longer stands first. */
static const str signs[] = {
    STR("US$"), STR("CA$"), STR("C$"), STR("AU$"), STR("A$"),  STR("NZ$"), STR("HK$"), STR("NT$"),
    STR("MX$"), STR("R$"),  STR("S$"), STR("$"),   STR("€"),   STR("£"),   STR("¥"),   STR("￥"),
    STR("円"),  STR("元"),  STR("₹"),  STR("₽"), STR("₺"),   STR("₴"),   STR("₩"),   STR("₪"),
    STR("₫"),   STR("฿"),   STR("₦"),  STR("₱"),   STR("₡"),   STR("₲"),   STR("₸"),   STR("₼"),
    STR("₾"), STR("₵"),   STR("¢"),  STR("¤"),   STR("S/."), STR("S/"),  STR("B/."),
};

/* Names of currencies, which no letter follows; the longer first, too. */
static const str names[] = {
    STR("Euro"), STR("EURO"), STR("euro"), STR("Eur"), STR("eur"),  STR("kr."), STR("kr"),   STR("Kr."),
    STR("Kr"),   STR("KR"),   STR("SFr."), STR("SFr"), STR("sFr."), STR("Fr."), STR("Fr"),   STR("fr."),
    STR("Rs."),  STR("Rs"),   STR("Re."),  STR("zł"),  STR("Zł"),   STR("ZŁ"),  STR("Kč"),   STR("kč"),
    STR("Ft."),  STR("Ft"),   STR("ft"),   STR("Lei"), STR("lei"),  STR("leu"), STR("лв."),  STR("лв"),
    STR("руб."), STR("руб"),  STR("р."),   STR("р"),   STR("грн."), STR("грн"), STR("дин."), STR("дин"),
    STR("ден."), STR("ден"),  STR("din."), STR("din"), STR("KM"),   STR("TL"),  STR("Rp."),  STR("Rp"),
    STR("RM"),   STR("Dhs."), STR("Dhs"),  STR("Bs."), STR("Bs"),   STR("Q"),   STR("R"),
};

/* ISO 4217. Capitals alone: "12 all" and "12 cup" are no amounts of money. */
static const char currency_codes[] =
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD "
    "CDF CHF "
    "CLF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD "
    "HKD HNL "
    "HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL "
    "LYD MAD "
    "MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN "
    "PYG QAR "
    "RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD "
    "TWD TZS "
    "UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG";

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* ---- reading */

static bool is_digit(str text, size_t at)
{
    return at < text.size && (unsigned char)(text.data[at] - '0') <= 9;
}

/* Of the alphabets of Europe; signs, blanks and what stands between them are none. */
static bool is_letter(str text, size_t at)
{
    uint32_t point = 0;
    if (at >= text.size || !utf8_decode(text, at, &point)) return false;
    if (point < 0x80) return (point | 0x20) - 'a' < 26;
    return point >= 0xC0 && point < 0x600 && point != 0xD7 && point != 0xF7; /* × ÷ */
}

static size_t count_digits(str text)
{
    size_t count = 0;
    while (is_digit(text, count))
        count++;
    return count;
}

static bool pass(struct numeral *n, size_t size)
{
    n->rest = str_slice(n->rest, size, n->rest.size);
    return size > 0;
}

static void take(struct numeral *n, size_t size)
{
    buffer_put(n->out, n->rest.data, size);
    pass(n, size);
}

/* The bytes of the first of `words` that `text` begins with; 0: none. */
static size_t begins_with(str text, const str *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_starts_with(text, words[i])) return words[i].size;
    return 0;
}

#define PASS_ANY(n, words) pass(n, begins_with((n)->rest, words, COUNT(words)))

/* ---- around the digits */

static bool pass_name(struct numeral *n)
{
    size_t size = begins_with(n->rest, names, COUNT(names));
    bool dotted = size && n->rest.data[size - 1] == '.';
    return (dotted || !is_letter(n->rest, size)) && pass(n, size);
}

static bool pass_code(struct numeral *n)
{
    if (n->rest.size < 3 || is_letter(n->rest, 3)) return false;
    for (size_t at = 0; at < sizeof currency_codes; at += 4)
        if (memcmp(currency_codes + at, n->rest.data, 3) == 0) return pass(n, 3);
    return false;
}

static bool pass_minus(struct numeral *n)
{
    bool minus = PASS_ANY(n, minuses);
    n->minus |= minus;
    n->signs += minus;
    return minus;
}

static bool pass_char(struct numeral *n, char c, unsigned *count)
{
    bool there = n->rest.size && n->rest.data[0] == c;
    *count += there;
    return pass(n, there);
}

static bool pass_currency(struct numeral *n)
{
    return PASS_ANY(n, blanks) || PASS_ANY(n, signs) || pass_name(n) || pass_code(n);
}

static void pass_front(struct numeral *n)
{
    while (pass_currency(n) || pass_minus(n) || pass_char(n, '+', &n->signs) || pass_char(n, '(', &n->opened))
        continue;
}

static void pass_back(struct numeral *n)
{
    while (pass_currency(n) || pass_minus(n) || pass_char(n, ')', &n->closed))
        continue;
}

/* ---- the digits */

/* What separates the thousands here, the mark excepted; empty: nothing does. */
static str find_separator(const struct numeral *n)
{
    for (size_t i = 0; i < COUNT(separators); i++) {
        str separator = separators[i];
        bool here = str_starts_with(n->rest, separator) && is_digit(n->rest, separator.size);
        if (here && !str_equal(separator, n->mark)) return separator;
    }
    return (str){0};
}

/* Without the zeros that JSON allows before no other digit. */
static void take_plain(struct numeral *n, size_t digits)
{
    for (; digits > 1 && n->rest.data[0] == '0'; digits--)
        pass(n, 1);
    take(n, digits);
}

/* Digits before the mark; false: their groups are none. */
static bool take_whole(struct numeral *n)
{
    size_t first = count_digits(n->rest), middle = 0, last = 0;
    bool zero = is_digit(n->rest, 0) && n->rest.data[0] == '0';
    n->digits = first;
    if (!first) buffer_put_char(n->out, '0');
    take_plain(n, first);
    str separator = find_separator(n);
    if (!separator.size) return true;
    while (str_starts_with(n->rest, separator) && is_digit(n->rest, separator.size)) {
        if (middle && middle != last) return false;
        middle = last;
        pass(n, separator.size);
        last = count_digits(n->rest);
        take(n, last);
    }
    bool indian = middle == 2 && first <= 2;
    return first && first <= 3 && !zero && last == 3 && (!middle || middle == 3 || indian);
}

/* ",50"; nothing may stand behind the mark, or a dash for the cents that there are not: "12,–". */
static void take_fraction(struct numeral *n)
{
    size_t mark = begins_with(n->rest, ends, COUNT(ends));
    str behind = str_slice(n->rest, mark, n->rest.size);
    if (mark && n->digits && begins_with(behind, dashes, COUNT(dashes))) {
        pass(n, mark);
        while (PASS_ANY(n, dashes))
            continue;
    } else if (str_starts_with(n->rest, n->mark)) {
        size_t digits = count_digits(behind);
        if (!digits && !n->digits) return;
        pass(n, n->mark.size);
        if (digits) buffer_put_char(n->out, '.');
        n->digits = true;
        take(n, digits);
    }
}

static void take_exponent(struct numeral *n)
{
    if (!n->digits || !n->rest.size || (n->rest.data[0] | 0x20) != 'e') return;
    size_t sign = n->rest.size > 1 && (n->rest.data[1] == '-' || n->rest.data[1] == '+');
    size_t digits = count_digits(str_slice(n->rest, 1 + sign, n->rest.size));
    if (digits) take(n, 1 + sign + digits);
}

/* All of the text: the minus is put first, and taken back where there was none. */
static bool read_all(struct numeral *n)
{
    pass_front(n);
    buffer_put_char(n->out, '-');
    if (!take_whole(n)) return false;
    take_fraction(n);
    take_exponent(n);
    pass_back(n);
    return n->digits && !n->rest.size && n->opened == n->closed && n->signs + n->opened <= 1;
}

bool numeral_read(str text, char mark, struct buffer *out)
{
    struct numeral n = {.rest = text, .mark = {&mark, 1}, .out = out};
    size_t before = out->size;
    bool read = read_all(&n) && !out->failed;
    if (!read) {
        out->size = before;
    } else if (!n.minus && !n.opened) {
        out->size--;
        memmove(out->data + before, out->data + before + 1, out->size - before);
    }
    return read;
}
