#include "agent/net/proxy.hpp"

namespace nodeagent::net {
namespace {

const ProxySettings kProxied{.http_proxy = "http://plain:3128", .https_proxy = "tls-proxy:8080", .no_proxy = ""};

std::string through(const ProxySettings& settings, bool secure, std::string_view host, std::uint16_t port) {
    const auto found = proxy_for(settings, secure, host, port);
    if (!found) return "error: " + found.error().what;
    if (!*found) return "direct";
    return (*found)->host + ":" + std::to_string((*found)->port);
}

TEST(Proxy, IsChosenByTheSchemeOfTheTarget) {
    EXPECT_EQ(through(kProxied, true, "acs.example", 443), "tls-proxy:8080");
    EXPECT_EQ(through(kProxied, false, "acs.example", 80), "plain:3128");
    EXPECT_EQ(through({}, true, "acs.example", 443), "direct");
}

TEST(Proxy, IsNeverUsedForLoopback) {
    EXPECT_EQ(through(kProxied, false, "localhost", 80), "direct");
    EXPECT_EQ(through(kProxied, false, "127.8.0.1", 80), "direct");
    EXPECT_EQ(through(kProxied, false, "::1", 80), "direct");
}

TEST(Proxy, RespectsEveryFormOfNoProxy) {
    ProxySettings settings = kProxied;
    settings.no_proxy = " 10.0.0.0/8, example.com , .internal,exact:444,192.0.2.7,fd00::/8";
    for (const char* host :
         {"10.2.3.4", "example.com", "a.example.com", "x.internal", "192.0.2.7", "fd00:ec2::254", "EXAMPLE.com."}) {
        EXPECT_EQ(through(settings, true, host, 443), "direct") << host;
    }
    for (const char* host : {"11.2.3.4", "notexample.com", "internal", "exact", "192.0.2.8", "fe00::1"}) {
        EXPECT_EQ(through(settings, true, host, 443), "tls-proxy:8080") << host;
    }
    EXPECT_EQ(through(settings, true, "exact", 444), "direct");
    settings.no_proxy = "*";
    EXPECT_EQ(through(settings, true, "anything", 443), "direct");
}

TEST(Proxy, IsToldAsAUrlWhateverItWasWrittenAs) {
    ProxySettings settings = kProxied;
    EXPECT_EQ(*proxy_url_for(settings, "https://logs.example"), "http://tls-proxy:8080");
    EXPECT_EQ(*proxy_url_for(settings, "http://logs.example:8000/path"), "http://plain:3128");
    EXPECT_EQ(*proxy_url_for(settings, "https://127.0.0.1:443"), "");
    settings.https_proxy = "http://me:p%40ss@[fd00::1]/";
    EXPECT_EQ(*proxy_url_for(settings, "https://logs.example"), "http://me:p%40ss@[fd00::1]:80");
    settings.no_proxy = "logs.example:444";
    EXPECT_EQ(*proxy_url_for(settings, "https://logs.example:444"), "");
    settings.https_proxy = "socks5://me:secret@proxy";
    EXPECT_EQ(proxy_url_for(settings, "https://logs.example").error().what,
              proxy_for(settings, true, "logs.example", 443).error().what);
}

TEST(Proxy, SendsTheUrlsUserInformationAsBasicCredentials) {
    const auto found =
        proxy_for({.http_proxy = "", .https_proxy = "http://me:p%40ss@proxy", .no_proxy = ""}, true, "h", 443);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->host, "proxy");
    EXPECT_EQ((*found)->port, 80);
    EXPECT_EQ((*found)->authorization.reveal(), "Basic bWU6cEBzcw==");
}

TEST(Proxy, NamesTheVariableAndNoSecretWhenTheUrlIsUnusable) {
    const auto found =
        proxy_for({.http_proxy = "", .https_proxy = "socks5://me:secret@proxy", .no_proxy = ""}, true, "h", 443);
    ASSERT_FALSE(found);
    EXPECT_THAT(found.error().what, testing::HasSubstr("HTTPS_PROXY"));
    EXPECT_THAT(found.error().what, testing::Not(testing::HasSubstr("secret")));
}

TEST(Proxy, ReadsUpperCaseFirstAndKeepsTheInstanceEndpointsDirect) {
    const std::map<std::string, std::string> environment{
        {"http_proxy", "low"}, {"HTTPS_PROXY", "up"}, {"https_proxy", "low"}};
    const auto settings = proxy_from_environment(
        [&](const char* name) -> std::optional<std::string> {
            const auto found = environment.find(name);
            if (found == environment.end()) return std::nullopt;
            return found->second;
        },
        "unix:///var/run/docker.sock");
    EXPECT_EQ(settings.http_proxy, "low");
    EXPECT_EQ(settings.https_proxy, "up");
    EXPECT_EQ(settings.no_proxy, "169.254.169.254,169.254.170.2,/var/run/docker.sock");
    EXPECT_EQ(through(settings, false, "169.254.170.2", 80), "direct");
}

}  // namespace
}  // namespace nodeagent::net
