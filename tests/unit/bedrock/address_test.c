#include "bedrock/address.h"

#include <string.h>

#include "tests/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define MODEL        "anthropic.claude-3-haiku-20240307-v1:0"
#define TAIL         "/model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke"

static int open_address(struct address *address, const char *endpoint, const char *region,
                        struct error *err)
{
    const struct settings settings = {
        .model_id = (char *)(uintptr_t)MODEL,
        .endpoint = (char *)(uintptr_t)endpoint,
        .region = (char *)(uintptr_t)region,
    };
    return address_init(address, &settings, err);
}

static void each_partition_has_its_domain(void **state)
{
    (void)state;
    static const struct {
        const char *region, *host;
    } cases[] = {
        {"us-east-1", "bedrock-runtime.us-east-1.amazonaws.com"},
        {"us-gov-west-1", "bedrock-runtime.us-gov-west-1.amazonaws.com"},
        {"cn-north-1", "bedrock-runtime.cn-north-1.amazonaws.com.cn"},
        {"us-iso-east-1", "bedrock-runtime.us-iso-east-1.c2s.ic.gov"},
        {"us-isob-east-1", "bedrock-runtime.us-isob-east-1.sc2s.sgov.gov"},
        {"us-isof-south-1", "bedrock-runtime.us-isof-south-1.csp.hci.ic.gov"},
        {"eu-isoe-west-1", "bedrock-runtime.eu-isoe-west-1.cloud.adc-e.uk"},
        {"eusc-de-east-1", "bedrock-runtime.eusc-de-east-1.amazonaws.eu"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct address address;
        assert_int_equal(open_address(&address, NULL, cases[i].region, NULL), 0);
        assert_string_equal(address.host, cases[i].host);
        assert_memory_equal(address.endpoint, "https://", 8);
        assert_string_equal(address.endpoint + 8, cases[i].host);
        assert_string_equal(address.path, TAIL);
        address_free(&address);
    }
}

static void an_endpoint_gives_host_and_path_as_the_client_sends_them(void **state)
{
    (void)state;
    static const struct {
        const char *given, *endpoint, *host, *path;
    } cases[] = {
        {"https://a.b", "https://a.b", "a.b", TAIL},
        {"https://a.b/", "https://a.b", "a.b", TAIL},
        {"https://a.b///", "https://a.b", "a.b", TAIL},
        {"https://a.b:443", "https://a.b:443", "a.b", TAIL},
        {"https://a.b:80", "https://a.b:80", "a.b:80", TAIL},
        {"https://a.b:4430", "https://a.b:4430", "a.b:4430", TAIL},
        {"http://a.b:80/", "http://a.b:80", "a.b", TAIL},
        {"http://a.b:443", "http://a.b:443", "a.b:443", TAIL},
        {"http://a.b:65535", "http://a.b:65535", "a.b:65535", TAIL},
        {"http://LocalHost:9000/p/q%20r/", "http://LocalHost:9000/p/q%20r", "LocalHost:9000",
         "/p/q%20r" TAIL},
        {"http://127.0.0.1:1", "http://127.0.0.1:1", "127.0.0.1:1", TAIL},
        {"http://[::1]", "http://[::1]", "[::1]", TAIL},
        {"http://[::1]:8080/p", "http://[::1]:8080/p", "[::1]:8080", "/p" TAIL},
        {"http://[::1]:80", "http://[::1]:80", "[::1]", TAIL},
        {"https://vpce-1_2.bedrock.us-east-1.vpce.amazonaws.com",
         "https://vpce-1_2.bedrock.us-east-1.vpce.amazonaws.com",
         "vpce-1_2.bedrock.us-east-1.vpce.amazonaws.com", TAIL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct address address;
        assert_int_equal(open_address(&address, cases[i].given, "us-east-1", NULL), 0);
        assert_string_equal(address.endpoint, cases[i].endpoint);
        assert_string_equal(address.host, cases[i].host);
        assert_string_equal(address.path, cases[i].path);
        size_t length = strlen(cases[i].endpoint);
        assert_memory_equal(address.url, cases[i].endpoint, length);
        assert_string_equal(address.url + length, TAIL);
        address_free(&address);
    }
}

static void what_is_no_plain_address_is_refused(void **state)
{
    (void)state;
    static const char *const endpoints[] = {
        "",
        "/",
        "x",
        "a.b",
        "ftp://a.b",
        "HTTPS//a.b",
        "https:",
        "https:/",
        "https://",
        "https:///",
        "https:///path",
        "https://:443",
        "https://user:pw@a.b",
        "https://a.b:",
        "https://a.b:0",
        "https://a.b:0443",
        "https://a.b:65536",
        "https://a.b:999999",
        "https://a.b:44x",
        "https://a.b:443:443",
        "https://a b",
        "https://a.b/p q",
        "https://a.b/p\nq",
        "https://a.b/\xc3\xa9",
        "https://\xc3\xa9",
        "https://a.b?x=1",
        "https://a.b/?x=1",
        "https://a.b#x",
        "https://a%2eb",
        "https://a.b/x//y",
        "https://a.b/./y",
        "https://a.b/x/..",
        "http://[::1",
        "http://[",
        "http://[::1]x",
        "http://[fe80::1%25eth0]",
        "http://::1",
    };
    for (size_t i = 0; i < COUNT(endpoints); i++) {
        struct address address;
        struct error err = {0};
        int result = open_address(&address, endpoints[i], "us-east-1", &err);
        if (result == 0)
            print_error("\"%s\"\n", endpoints[i]);
        assert_int_equal(result, -1);
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_null(strstr(err.text, "pw"));
        assert_null(address.url);
        address_free(&address);
    }
}

static void what_is_no_region_is_refused(void **state)
{
    (void)state;
    static const char *const regions[] = {"", "us east 1", "us-east-1/", "evil.example/x",
                                          "US-EAST-1"};
    for (size_t i = 0; i < COUNT(regions); i++) {
        struct address address;
        struct error err = {0};
        assert_int_equal(open_address(&address, NULL, regions[i], &err), -1);
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_non_null(strstr(err.text, "BEDROCK_REGION"));
    }
}

static void the_longest_settings_fit(void **state)
{
    (void)state;
    static char endpoint[2048 + 1];
    static char model[2048 + 1];
    static char region[] = "us-east-1";
    memset(endpoint, 'a', sizeof endpoint - 1);
    memcpy(endpoint, "https://b/", 10);
    memset(model, ':', sizeof model - 1);
    const struct settings settings = {.model_id = model, .endpoint = endpoint, .region = region};
    struct address address;
    assert_int_equal(address_init(&address, &settings, NULL), 0);
    assert_int_equal(strlen(address.url), 2048 + 3 * 2048 + strlen("/model//invoke"));
    address_free(&address);
}

static void an_empty_address_may_be_freed(void **state)
{
    (void)state;
    struct address address = {0};
    address_free(&address);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_partition_has_its_domain),
        cmocka_unit_test(an_endpoint_gives_host_and_path_as_the_client_sends_them),
        cmocka_unit_test(what_is_no_plain_address_is_refused),
        cmocka_unit_test(what_is_no_region_is_refused),
        cmocka_unit_test(the_longest_settings_fit),
        cmocka_unit_test(an_empty_address_may_be_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
