/* SCRAM against the examples of its RFCs, and against servers that say something else: each is found out. */
#include "kafka/scram.h"

#include <criterion/criterion.h>

static struct kafka_scram scram;
static struct buffer out;
static struct relance_error error;

static void expect_said(const char *text)
{
    cr_expect(str_equal(buffer_str(&out), str_of(text)), "%.*s", STR_ARG(buffer_str(&out)));
    out.size = 0;
}

static enum relance_status prove(const char *told)
{
    out.size = 0;
    return kafka_scram_prove(&scram, str_of(told), "pencil", &out, &error);
}

static void begin(void)
{
    kafka_scram_begin(&scram, KAFKA_SCRAM_SHA_256, "user", "rOprNGfwEbeRWgbNEkqO", &out);
}

static void end(void)
{
    kafka_scram_end(&scram);
    buffer_free(&out);
}

TestSuite(scram, .init = begin, .fini = end);

static const char salted[] =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

Test(scram, the_example_of_rfc_7677)
{
    expect_said("n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    cr_assert_eq(prove(salted), RELANCE_OK);
    expect_said("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    cr_expect_eq(kafka_scram_check(&scram, STR("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="), &error),
                 RELANCE_OK);
}

Test(scram, a_server_that_does_not_know_the_password_is_none)
{
    cr_assert_eq(prove(salted), RELANCE_OK);
    const char *answers[] = {"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "v=", "v=AAAA", "",
                             "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4"};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        cr_expect_eq(kafka_scram_check(&scram, str_of(answers[i]), &error), RELANCE_REFUSED, "%s",
                     answers[i]);
}

Test(scram, what_a_server_refuses_for_is_said)
{
    cr_assert_eq(prove(salted), RELANCE_OK);
    cr_expect_eq(kafka_scram_check(&scram, STR("e=invalid-proof"), &error), RELANCE_REFUSED);
    cr_expect_str_eq(error.message, "SCRAM: invalid-proof");
}

Test(scram, a_first_answer_that_is_none_is_found_out)
{
    const char *answers[] = {
        "",
        "r=",
        "r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",    /* nothing of the server's own */
        "r=rOprNGfwEbeRWgbNEkq0xyz,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", /* somebody else's */
        "m=x,r=rOprNGfwEbeRWgbNEkqOxyz,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", /* an extension that has to be understood */
        "r=rOprNGfwEbeRWgbNEkqOxyz,i=4096",
        "r=rOprNGfwEbeRWgbNEkqOxyz,s=,i=4096",
        "r=rOprNGfwEbeRWgbNEkqOxyz,s=W22ZaJ0SNY7soEsUEjb6g,i=4096",
        "r=rOprNGfwEbeRWgbNEkqOxyz,s=W22Z!J0SNY7soEsUEjb6gQ==,i=4096",
        "r=rOprNGfwEbeRWgbNEkqOxyz,s=W22ZaJ0SNY7soEsUEjb6gQ==",
        "r=rOprNGfwEbeRWgbNEkqOxyz,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095",
        "r=rOprNGfwEbeRWgbNEkqOxyz,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4x96",
        "r=rOprNGfwEbeRWgbNEkqOxyz,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=-4096",
        "r=rOprNGfwEbeRWgbNEkqOxyz,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=65537",
        "r=rOprNGfwEbeRWgbNEkqOxyz,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=99999999999999999999999999",
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        cr_expect_eq(prove(answers[i]), RELANCE_INVALID, "%s", answers[i]);
}

Test(scram, signs_that_mean_something_are_written_otherwise)
{
    out.size = 0;
    kafka_scram_end(&scram);
    kafka_scram_begin(&scram, KAFKA_SCRAM_SHA_512, "a,b=c", "x", &out);
    expect_said("n,,n=a=2Cb=3Dc,r=x");
}

Test(scram, each_login_has_a_nonce_of_its_own)
{
    struct kafka_scram other;
    kafka_scram_begin(&other, KAFKA_SCRAM_SHA_512, "user", NULL, &out);
    out.size = 0;
    kafka_scram_end(&scram);
    kafka_scram_begin(&scram, KAFKA_SCRAM_SHA_512, "user", NULL, &out);
    cr_expect_eq(strlen(scram.nonce), KAFKA_SCRAM_NONCE_SIZE - 1);
    cr_expect_str_neq(scram.nonce, other.nonce);
    kafka_scram_end(&other);
}
