#include "agent/net/curl_http_client.hpp"

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "agent/base/strings.hpp"
#include "agent/net/curl_trust.hpp"
#include "agent/net/sigv4.hpp"

namespace nodeagent::net {

namespace {

// Enough for the ten submissions that a burst of tasks makes at once; what a burst leaves behind goes after a minute.
constexpr std::size_t kIdleHandles = 10;
constexpr std::chrono::seconds kIdleLifetime{60};

// TLS 1.2 suites of the reference (control-plane.md 3.1); those of TLS 1.3 stay as OpenSSL has them.
constexpr const char* kCipherSuites =
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-SHA:AES128-GCM-SHA256:AES128-SHA256:AES128-SHA:AES256-GCM-SHA384:AES256-SHA";

struct CloseHandle {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, CloseHandle>;
struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

struct Answer {
    HttpResponse response;
    std::size_t limit = 0;
    bool too_long = false;
    BodySink* sink = nullptr;
    std::size_t sunk = 0;
    std::optional<Error> sink_failure;
};

std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* context) {
    auto& answer = *static_cast<Answer*>(context);
    const std::size_t length = size * count;
    if (answer.response.body.size() + answer.sunk + length > answer.limit) {
        answer.too_long = true;
        return 0;
    }
    const bool success = answer.response.status >= 200 && answer.response.status <= 299;
    if (answer.sink != nullptr && success) {
        const Result<void> written = answer.sink->write({bytes, length});
        answer.sunk += length;
        if (written) return length;
        answer.sink_failure = written.error();
        return 0;
    }
    answer.response.body.append(bytes, length);
    return length;
}

std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* context) {
    auto& answer = *static_cast<Answer*>(context);
    const std::string_view line(bytes, size * count);
    if (line.starts_with("HTTP/")) {
        answer.response.headers.clear();  // an interim answer came before
        const std::size_t space = line.find(' ');
        const auto status = space == std::string_view::npos ? std::nullopt : parse_integer(line.substr(space + 1, 3));
        answer.response.status = static_cast<int>(status.value_or(0));
    } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
        answer.response.headers.emplace_back(trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
    }
    return size * count;
}

struct Failure {
    ErrorKind kind;
    std::string_view remedy;
};

Failure failure_of(CURLcode code) {
    switch (code) {
        case CURLE_OPERATION_TIMEDOUT: return {ErrorKind::Timeout, "check the network path and security groups"};
        case CURLE_COULDNT_RESOLVE_HOST: return {ErrorKind::Unavailable, "check DNS, the region and ECS_BACKEND_HOST"};
        case CURLE_COULDNT_RESOLVE_PROXY: return {ErrorKind::Unavailable, "check HTTP_PROXY and HTTPS_PROXY"};
        case CURLE_COULDNT_CONNECT: return {ErrorKind::Unavailable, "check that the host listens and can be reached"};
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL: return {ErrorKind::Malformed, "the URL must be http or https"};
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_ISSUER_ERROR:
            return {ErrorKind::Denied,
                    "its certificate is not trusted here: check AWS_CA_BUNDLE, SSL_CERT_FILE and the clock"};
        case CURLE_SSL_CONNECT_ERROR: return {ErrorKind::Denied, "no TLS 1.2 or later could be agreed on"};
        default: return {ErrorKind::Unavailable, "check the network path and any proxy"};
    }
}

HeaderList header_list(const HttpRequest& request) {
    HeaderList list;
    const auto add = [&list](const std::string& line) { list.reset(curl_slist_append(list.release(), line.c_str())); };
    bool has_type = false;
    for (const auto& [name, value] : request.headers) {
        if (equals_ignoring_case(name, "Content-Length")) continue;  // libcurl counts the same bytes
        has_type = has_type || equals_ignoring_case(name, "Content-Type");
        add(value.empty() ? name + ';' : name + ": " + value);
    }
    if (!has_type) add("Content-Type:");  // without a value: not sent, instead of libcurl's form default
    add("Expect:");
    return list;
}

}  // namespace

struct CurlHttpClient::State {
    explicit State(CurlOptions given) : options(std::move(given)), trust(curl_trust(options.ca_file, options.ca_dir)) {
        no_proxy = curl_no_proxy(options.proxy);
    }

    CurlOptions options;
    CurlTrust trust;
    std::string no_proxy;
    std::mutex mutex;
    struct Idle {
        Handle handle;
        std::chrono::steady_clock::time_point since;
    };
    std::deque<Idle> idle;  // the latest at the back, and taken first: the rest grows old and is closed

    Handle take() {
        const std::lock_guard lock(mutex);
        if (idle.empty()) return Handle(curl_easy_init());
        Handle handle = std::move(idle.back().handle);
        idle.pop_back();
        return handle;
    }
    void give_back(Handle handle) {
        curl_easy_reset(handle.get());  // keeps connections and TLS sessions
        const auto now = std::chrono::steady_clock::now();
        Handle expired;  // closed after the lock is gone
        const std::lock_guard lock(mutex);
        const bool full = idle.size() >= kIdleHandles;
        if (!idle.empty() && (full || now - idle.front().since > kIdleLifetime)) {
            expired = std::move(idle.front().handle);
            idle.pop_front();
        }
        idle.push_back({std::move(handle), now});
    }

    void prepare(CURL* curl, const HttpRequest& request, curl_slist* headers, Answer& answer, char* complaint) const;
    Result<HttpResponse> perform(const HttpRequest& request);
};

void CurlHttpClient::State::prepare(CURL* curl, const HttpRequest& request, curl_slist* headers, Answer& answer,
                                    char* complaint) const {
    const auto set = [curl](CURLoption option, auto value) { curl_easy_setopt(curl, option, value); };
    set(CURLOPT_ERRORBUFFER, complaint);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_URL, request.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.total_timeout.count()));
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    set(CURLOPT_TCP_KEEPIDLE, 30L);
    set(CURLOPT_TCP_KEEPINTVL, 30L);
    set(CURLOPT_MAXCONNECTS, 2L);
    set(CURLOPT_BUFFERSIZE, 8192L);
    set(CURLOPT_UPLOAD_BUFFERSIZE, 16384L);
    set(CURLOPT_HTTPHEADER, headers);
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    set(CURLOPT_HEADERFUNCTION, &on_header);
    set(CURLOPT_HEADERDATA, &answer);
    set(CURLOPT_WRITEFUNCTION, &on_body);
    set(CURLOPT_WRITEDATA, &answer);

    if (request.method == "HEAD") {
        set(CURLOPT_NOBODY, 1L);
    } else if (request.method != "GET" || !request.body.empty()) {
        set(CURLOPT_POSTFIELDS, request.body.data());
        set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }

    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_SSL_CIPHER_LIST, kCipherSuites);
    set(CURLOPT_SSL_VERIFYPEER, options.insecure ? 0L : 1L);
    set(CURLOPT_SSL_VERIFYHOST, options.insecure ? 0L : 2L);
    if (!trust.file.empty()) {
        set(CURLOPT_CAINFO, trust.file.c_str());
        set(CURLOPT_CAPATH, nullptr);
    } else if (!trust.directory.empty()) {
        set(CURLOPT_CAINFO, nullptr);
        set(CURLOPT_CAPATH, trust.directory.c_str());
    }

    // An empty string, unlike an unset option, keeps libcurl from looking into the environment itself.
    const bool secure = request.url.starts_with("https:");
    const std::string& proxy = secure ? options.proxy.https_proxy : options.proxy.http_proxy;
    set(CURLOPT_PROXY, request.use_proxy ? proxy.c_str() : "");
    set(CURLOPT_NOPROXY, no_proxy.c_str());
}

Result<HttpResponse> CurlHttpClient::State::perform(const HttpRequest& request) {
    Handle handle = take();
    if (handle == nullptr) return Error{.kind = ErrorKind::Internal, .what = "libcurl has no memory for a request"};
    Answer answer;
    answer.limit = request.max_body;
    answer.sink = request.body_sink.get();
    if (answer.sink != nullptr) {
        if (const Result<void> ready = answer.sink->restart(); !ready) return ready.error();
    }
    std::array<char, CURL_ERROR_SIZE> complaint{};
    const HeaderList headers = header_list(request);
    prepare(handle.get(), request, headers.get(), answer, complaint.data());

    const CURLcode code = curl_easy_perform(handle.get());
    long status = 0;
    curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
    give_back(std::move(handle));

    const std::string host = host_header(request.url);
    if (answer.too_long) {
        return Error{.kind = ErrorKind::Malformed,
                     .what = host + " answered with more than " + std::to_string(request.max_body) + " bytes"};
    }
    if (answer.sink_failure) return *std::move(answer.sink_failure);
    if (code != CURLE_OK) {
        const Failure failure = failure_of(code);
        const std::string reason = complaint[0] != '\0' ? complaint.data() : curl_easy_strerror(code);
        return Error{.kind = failure.kind,
                     .what = "no answer from " + host + ": " + reason + "; " + std::string(failure.remedy)};
    }
    answer.response.status = static_cast<int>(status);
    return std::move(answer.response);
}

CurlHttpClient::CurlHttpClient(BlockingPool& pool, CurlOptions options)
    : pool_(pool), state_(std::make_shared<State>(std::move(options))) {
    static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);  // once, before the pool has threads
    (void)initialised;
}

CurlHttpClient::~CurlHttpClient() = default;

asio::awaitable<Result<HttpResponse>> CurlHttpClient::send(HttpRequest request) {
    auto work = [state = state_, request = std::move(request)]() -> Result<HttpResponse> {
        return state->perform(request);
    };
    co_return co_await pool_.run(std::move(work));
}

}  // namespace nodeagent::net
