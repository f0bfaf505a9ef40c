#include "runtime/registry/http.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <stdexcept>

#include "agent/base/strings.hpp"
#include "agent/net/curl_trust.hpp"

namespace nodeagent::runtime::registry {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using What = HttpFailure::What;

constexpr std::size_t kMaxHeaders = std::size_t{64} << 10U;
constexpr std::size_t kIdleHandles = 4;
constexpr long kBuffer = 256L << 10U;  ///< a fifth faster than libcurl's 16 KiB
constexpr milliseconds kLook{1000};

struct CloseEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct CloseMulti {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct FreeStrings {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Strings = std::unique_ptr<curl_slist, FreeStrings>;

/// The connections live in the multi handle, which is also what a stop can wake.
struct Handle {
    std::unique_ptr<CURLM, CloseMulti> multi{curl_multi_init()};
    std::unique_ptr<CURL, CloseEasy> easy{curl_easy_init()};
};

struct Exchange {
    const HttpAsk* ask = nullptr;
    HttpAnswer answer;
    std::size_t header_bytes = 0;
    bool too_long = false;
    std::optional<Error> sink_error;
    Clock::time_point active = Clock::now();
};

std::size_t on_registry_header(char* bytes, std::size_t size, std::size_t count, void* context) {
    auto& exchange = *static_cast<Exchange*>(context);
    const std::string_view line(bytes, size * count);
    exchange.active = Clock::now();
    exchange.header_bytes += line.size();
    if (exchange.header_bytes > kMaxHeaders) {
        exchange.too_long = true;
        return 0;
    }
    if (line.starts_with("HTTP/")) {
        exchange.answer.headers.clear();  // an interim answer came before
        const std::size_t space = line.find(' ');
        const auto status = space == std::string_view::npos ? std::nullopt : parse_integer(line.substr(space + 1, 3));
        exchange.answer.status = static_cast<int>(status.value_or(0));
    } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
        exchange.answer.headers.emplace_back(trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
    }
    return line.size();
}

std::size_t on_registry_body(char* bytes, std::size_t size, std::size_t count, void* context) {
    auto& exchange = *static_cast<Exchange*>(context);
    const std::string_view part(bytes, size * count);
    const bool success = exchange.answer.status >= 200 && exchange.answer.status <= 299;
    if (success && exchange.ask->sink) {
        Result<void> taken = exchange.ask->sink(exchange.answer, part);
        exchange.active = Clock::now();
        if (taken) return part.size();
        exchange.sink_error = std::move(taken).error();
        return 0;
    }
    exchange.active = Clock::now();
    if (exchange.answer.body.size() + part.size() > exchange.ask->max_body) {
        exchange.too_long = true;
        return 0;
    }
    exchange.answer.body += part;
    return part.size();
}

std::string host_of(std::string_view url) {
    if (const std::size_t scheme = url.find("://"); scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
    url = url.substr(0, url.find_first_of("/?#"));
    if (const std::size_t at = url.rfind('@'); at != std::string_view::npos) url.remove_prefix(at + 1);
    return std::string(url);
}

/// Docker's words, which are Go's.
HttpFailure failure_of(CURLcode code, const HttpAsk& ask, bool answered, long os_error, const std::string& complaint) {
    const std::string request = shown_request(ask) + ": ";
    const std::string host = host_of(ask.url);
    const auto failure = [&](What what, ErrorKind kind, std::string why) {
        return HttpFailure{.what = what, .error = {.kind = kind, .what = request + why}};
    };
    switch (code) {
        case CURLE_COULDNT_RESOLVE_HOST:
            return failure(What::NoConnection, ErrorKind::Unavailable, "dial tcp: lookup " + host + ": no such host");
        case CURLE_COULDNT_RESOLVE_PROXY:
            return failure(What::NoConnection, ErrorKind::Unavailable,
                           "proxyconnect tcp: no such host: check HTTP_PROXY and HTTPS_PROXY");
        case CURLE_COULDNT_CONNECT: {
            std::string reason = os_error != 0 ? std::strerror(static_cast<int>(os_error)) : complaint;
            if (!reason.empty()) reason = lower(reason);
            return failure(What::NoConnection, ErrorKind::Unavailable, "dial tcp " + host + ": connect: " + reason);
        }
        case CURLE_OPERATION_TIMEDOUT:
            return failure(What::NoConnection, ErrorKind::Unavailable,
                           "net/http: request canceled while waiting for connection (Client.Timeout exceeded while "
                           "awaiting headers)");
        case CURLE_SSL_CONNECT_ERROR:
            return failure(What::NoTls, ErrorKind::Denied,
                           "no TLS connection: " + complaint +
                               ": a registry without TLS has to be listed in ECS_INSECURE_REGISTRIES");
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_ISSUER_ERROR:
            return failure(What::Untrusted, ErrorKind::Denied,
                           "x509: " + complaint + ": add the registry's CA to this host's certificates");
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL:
            return failure(What::NoConnection, ErrorKind::Malformed, "the URL must be http or https");
        default:
            return failure(What::Broken, ErrorKind::Unavailable,
                           (answered ? "the transfer broke off: " : "no answer: ") + complaint);
    }
}

}  // namespace

std::string_view HttpAnswer::header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
        if (equals_ignoring_case(key, name)) return value;
    }
    return {};
}

void throw_exception_from_error(const HttpFailure& failure, const boost::source_location&) {
    throw std::logic_error(failure.error.what);
}

std::string shown_request(const HttpAsk& ask) {
    std::string verb = lower(ask.method);
    if (!verb.empty()) verb.front() = ask.method.front();
    std::string_view url = ask.url;
    url = url.substr(0, url.find_first_of("?#"));
    std::string shown(url);
    const std::size_t scheme = shown.find("://");
    const std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
    const std::size_t slash = shown.find('/', begin);
    if (const std::size_t at = shown.rfind('@', slash); at != std::string::npos && at >= begin) {
        shown.erase(begin, at + 1 - begin);
    }
    return verb + " \"" + shown + "\"";
}

struct Http::State {
    explicit State(HttpOptions given)
        : options(std::move(given)),
          trust(net::curl_trust(options.ca_file, options.ca_dir)),
          no_proxy(net::curl_no_proxy(options.proxy)) {}

    HttpOptions options;
    net::CurlTrust trust;
    std::string no_proxy;
    std::mutex mutex;
    std::vector<Handle> idle;

    Handle take() {
        const std::lock_guard lock(mutex);
        if (idle.empty()) return {};
        Handle handle = std::move(idle.back());
        idle.pop_back();
        return handle;
    }
    void give_back(Handle handle) {
        curl_easy_reset(handle.easy.get());
        const std::lock_guard lock(mutex);
        if (idle.size() < kIdleHandles) idle.push_back(std::move(handle));
    }
    void prepare(CURL* easy, const HttpAsk& ask, curl_slist* headers, Exchange& exchange, char* complaint) const;
};

void Http::State::prepare(CURL* easy, const HttpAsk& ask, curl_slist* headers, Exchange& exchange,
                          char* complaint) const {
    const auto set = [easy](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };
    set(CURLOPT_ERRORBUFFER, complaint);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_URL, ask.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_CONNECTTIMEOUT_MS,
        static_cast<long>(std::chrono::duration_cast<milliseconds>(options.connect_timeout).count()));
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    set(CURLOPT_BUFFERSIZE, kBuffer);
    set(CURLOPT_HTTPHEADER, headers);
    set(CURLOPT_USERAGENT, options.user_agent.c_str());
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    set(CURLOPT_HEADERFUNCTION, &on_registry_header);
    set(CURLOPT_HEADERDATA, &exchange);
    set(CURLOPT_WRITEFUNCTION, &on_registry_body);
    set(CURLOPT_WRITEDATA, &exchange);
    if (ask.method == "HEAD") set(CURLOPT_NOBODY, 1L);
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_SSL_VERIFYPEER, ask.check_certificate ? 1L : 0L);
    set(CURLOPT_SSL_VERIFYHOST, ask.check_certificate ? 2L : 0L);
    if (!trust.file.empty()) {
        set(CURLOPT_CAINFO, trust.file.c_str());
        set(CURLOPT_CAPATH, nullptr);
    } else if (!trust.directory.empty()) {
        set(CURLOPT_CAINFO, nullptr);
        set(CURLOPT_CAPATH, trust.directory.c_str());
    }
    // An empty string, unlike an unset option, keeps libcurl from looking into the environment itself.
    const bool secure = ask.url.starts_with("https:");
    set(CURLOPT_PROXY, (secure ? options.proxy.https_proxy : options.proxy.http_proxy).c_str());
    set(CURLOPT_NOPROXY, no_proxy.c_str());
}

Http::Http(HttpOptions options) {
    static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
    (void)initialised;
    state_ = std::make_unique<State>(std::move(options));
}

Http::~Http() = default;

HttpOutcome Http::perform(const HttpAsk& ask, const std::stop_token& stop) {
    const HttpFailure stopped{.what = What::Stopped, .error = {.kind = ErrorKind::Timeout, .what = "context canceled"}};
    if (stop.stop_requested()) return stopped;
    Handle handle = state_->take();
    CURL* easy = handle.easy.get();
    CURLM* multi = handle.multi.get();
    if (easy == nullptr || multi == nullptr) {
        return HttpFailure{.what = What::Broken,
                           .error = {.kind = ErrorKind::Internal, .what = "libcurl has no memory for a request"}};
    }
    Exchange exchange;
    exchange.ask = &ask;
    std::array<char, CURL_ERROR_SIZE> complaint{};
    Strings headers;
    const auto add = [&headers](const std::string& line) {
        headers.reset(curl_slist_append(headers.release(), line.c_str()));
    };
    for (const auto& [name, value] : ask.headers) add(name + ": " + value);
    if (!ask.authorization.empty()) add("Authorization: " + ask.authorization.reveal());
    state_->prepare(easy, ask, headers.get(), exchange, complaint.data());

    curl_multi_add_handle(multi, easy);
    std::optional<HttpFailure> failure;
    CURLcode code = CURLE_OK;
    {
        const std::stop_callback wake(stop, [multi] { curl_multi_wakeup(multi); });
        for (bool done = false; !done;) {
            int running = 0;
            const CURLMcode turned = curl_multi_perform(multi, &running);
            if (turned != CURLM_OK) {
                failure = HttpFailure{.what = What::Broken,
                                      .error = {.kind = ErrorKind::Internal, .what = curl_multi_strerror(turned)}};
                break;
            }
            int left = 0;
            while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
                if (message->msg != CURLMSG_DONE) continue;
                code = message->data.result;
                done = true;
            }
            if (done) break;
            if (stop.stop_requested()) {
                failure = stopped;
                break;
            }
            const auto quiet = Clock::now() - exchange.active;
            if (quiet >= state_->options.idle_timeout) {
                const bool answered = exchange.answer.status != 0;
                failure = HttpFailure{
                    .what = What::Broken,
                    .error = {.kind = ErrorKind::Unavailable,
                              .what = shown_request(ask) +
                                      (answered ? ": the transfer stands still"
                                                : ": net/http: request canceled (Client.Timeout exceeded while "
                                                  "awaiting headers)")}};
                break;
            }
            const auto left_quiet = std::chrono::ceil<milliseconds>(state_->options.idle_timeout - quiet);
            curl_multi_poll(multi, nullptr, 0, static_cast<int>(std::min(left_quiet, kLook).count()), nullptr);
        }
    }
    long os_error = 0;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_error);
    curl_multi_remove_handle(multi, easy);
    state_->give_back(std::move(handle));

    if (failure) return *std::move(failure);
    if (exchange.sink_error) return HttpFailure{.what = What::Sink, .error = *std::move(exchange.sink_error)};
    if (exchange.too_long) {
        return HttpFailure{.what = What::TooLong,
                           .error = {.kind = ErrorKind::Malformed,
                                     .what = shown_request(ask) + ": the answer is longer than the " +
                                             std::to_string(ask.max_body) + " bytes that are allowed"}};
    }
    if (code != CURLE_OK) {
        const std::string reason = complaint[0] != '\0' ? complaint.data() : curl_easy_strerror(code);
        return failure_of(code, ask, exchange.answer.status != 0, os_error, reason);
    }
    return std::move(exchange.answer);
}

}  // namespace nodeagent::runtime::registry
