#include "service_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static void accepts(void **state)
{
    static const char *const good[] = {
        "https://foo.bar:443",
        "http://foo.bar:80",
        "HTTPS://Foo.Bar:443",
        "http://1.2.3.4:65535",
        "https://a.b:0",
        "https://a.b:00080",
        "https://user@foo.bar:443",
        "https://foo.bar/path:443",
        "https://f%25.bar:443",
        "https://\xc3\xa9.bar:443",
    };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (!service_url_is_valid(bytes_of(good[i])))
            fail_msg("%s", good[i]);
}

static void refuses(void **state)
{
    static const char *const bad[] = {
        "",
        "/x", /* this one stopped the reference */
        "http",
        "https://",
        "http://localhost:80",
        "validator1:42069",
        "https://foo.bar",
        "https://foo.bar:",
        "https://foo.bar:443/",
        "https://foo.bar:443/path",
        "https://foo.bar:443?x",
        "https://foo.bar:65536",
        "https://foo.bar:99999999999999999999999999",
        "https://foo.bar:+80",
        "https://foo.bar:-1",
        "https://foo.bar:8a",
        "https://foo.bar:1:2",
        "ftp://foo.bar:21",
        "https:/foo.bar:443",
        "//foo.bar:443",
        "https://foo bar.x:443",
        "https://foo.bar\\:443",
        "https://foo%.bar:443",
        "https://foo.b%zz:443",
        "https://[foo.bar:443",
        "https://us er@foo.bar:443",
        "https://foo.bar/%4:443",
        "https://foo.bar\n:443",
        "https://foo.bar\x7f:443",
        " https://foo.bar:443",
        "https://foo.bar:443 ",
        "https://foo.bar#x:443",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (service_url_is_valid(bytes_of(bad[i])))
            fail_msg("%s", bad[i]);
    assert_false(service_url_is_valid(bytes_make("https://foo\0.bar:443", 20)));
    assert_false(service_url_is_valid((struct bytes){NULL, 0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts),
        cmocka_unit_test(refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
