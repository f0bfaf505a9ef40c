#include "runtime/registry/http_repository.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "agent/base/backoff.hpp"
#include "agent/base/strings.hpp"
#include "runtime/registry/digest.hpp"
#include "runtime/registry/pause.hpp"
#include "runtime/registry/refusal.hpp"

namespace nodeagent::runtime::registry {

namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;
using What = HttpFailure::What;

constexpr int kMostRedirects = 5;
constexpr int kMostChallengesMet = 3;
constexpr int kRequestAttempts = 3;
constexpr seconds kLongestPause{10};
constexpr seconds kLongestRetryAfter{60};

std::string accept_header() {
    return std::string(kDockerManifest) + ", " + std::string(kDockerIndex) + ", " + std::string(kOciManifest) + ", " +
           std::string(kOciIndex) + ", */*";
}

bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool may_pass(int status) { return status == 408 || status == 429 || status >= 500; }

/// Where `location` leads from `url`; nothing when it is no http or https address.
std::optional<std::string> resolved(const std::string& url, const std::string& location) {
    struct Free {
        void operator()(CURLU* parts) const { curl_url_cleanup(parts); }
    };
    const std::unique_ptr<CURLU, Free> parts(curl_url());
    if (parts == nullptr || curl_url_set(parts.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK ||
        curl_url_set(parts.get(), CURLUPART_URL, location.c_str(), 0) != CURLUE_OK) {
        return std::nullopt;
    }
    curl_url_set(parts.get(), CURLUPART_USER, nullptr, 0);  // a redirect has no credentials to give
    curl_url_set(parts.get(), CURLUPART_PASSWORD, nullptr, 0);
    char* text = nullptr;
    if (curl_url_get(parts.get(), CURLUPART_URL, &text, 0) != CURLUE_OK) return std::nullopt;
    std::string out(text);
    curl_free(text);
    if (!out.starts_with("https://") && !out.starts_with("http://")) return std::nullopt;
    return out;
}

/// Seconds only: registries send no dates.
std::optional<nanoseconds> retry_after(const HttpAnswer& answer) {
    const auto wanted = parse_integer(answer.header("Retry-After"));
    if (!wanted || *wanted < 0) return std::nullopt;
    return seconds(std::min<long long>(*wanted, 24 * 3600));
}

/// First byte of a 206 answer, from "bytes 100-199/200".
std::optional<std::int64_t> range_begin(const HttpAnswer& answer) {
    std::string_view range = answer.header("Content-Range");
    if (!lower(range.substr(0, 6)).starts_with("bytes ")) return std::nullopt;
    range.remove_prefix(6);
    const auto begin = parse_integer(range.substr(0, range.find('-')));
    if (!begin) return std::nullopt;
    return *begin;
}

Backoff pauses(const RegistryOptions& options) {
    return Backoff({.min = options.retry_pause,
                    .max = std::max<nanoseconds>(options.retry_pause, kLongestPause),
                    .jitter = 0.2,
                    .multiplier = 2});
}

Error stopped() { return {.kind = ErrorKind::Timeout, .what = "context canceled"}; }

}  // namespace

HttpRepository::HttpRepository(std::shared_ptr<ClientState> client, Reference reference, const RegistryAuth& auth)
    : client_(std::move(client)),
      reference_(std::move(reference)),
      http_({.ca_file = client_->options.ca_file,
             .ca_dir = client_->options.ca_dir,
             .proxy = client_->options.proxy,
             .user_agent = client_->options.user_agent,
             .connect_timeout = client_->options.connect_timeout,
             .idle_timeout = client_->options.idle_timeout}) {
    for (Endpoint& endpoint : endpoints_of(reference_.host, client_->options, auth.server_address)) {
        auto authorizer = std::make_unique<Authorizer>(
            http_, reference_, endpoint.takes_credentials ? auth : RegistryAuth{}, client_->options.insecure);
        sources_.push_back({.endpoint = std::move(endpoint), .authorizer = std::move(authorizer)});
    }
}

// ---- one request

HttpRepository::Attempt HttpRepository::follow(const Endpoint& endpoint, HttpAsk ask, const std::stop_token& stop) {
    const std::string origin = origin_of(ask.url);
    Final out;
    for (int redirects = 0;; ++redirects) {
        HttpOutcome outcome = http_.perform(ask, stop);
        if (!outcome) return std::move(outcome).error();
        out.answer = *std::move(outcome);
        const auto refuse = [&](const std::string& why) {
            return HttpFailure{.what = What::Broken,
                               .error = {.kind = ErrorKind::Malformed, .what = shown_request(ask) + ": " + why}};
        };
        if (!is_redirect(out.answer.status)) return out;
        if (redirects == kMostRedirects) return refuse("stopped after too many redirects");
        const auto target = resolved(ask.url, std::string(out.answer.header("Location")));
        if (!target) return refuse("redirected to no http or https address");
        if (ask.url.starts_with("https:") && target->starts_with("http:") && endpoint.check_certificate) {
            return refuse("redirected to an address without TLS");
        }
        // S3 refuses two kinds of authorization; and whoever is there has no business with ours
        if (origin_of(*target) != origin) {
            out.elsewhere = true;
            ask.authorization = Secret();
            ask.check_certificate =
                ask.check_certificate ||
                !is_insecure(origin_of(*target).substr(origin_of(*target).find("://") + 3), client_->options.insecure);
        }
        ask.url = *target;
    }
}

HttpRepository::Attempt HttpRepository::ask_base(Source& source, const std::string& base, const std::string& path,
                                                 HttpAsk& ask, const std::stop_token& stop) {
    ask.url = base + "/v2/" + reference_.path + path;
    if (!source.endpoint.mirrored.empty()) ask.url += "?ns=" + percent_encode(source.endpoint.mirrored);
    const auto denied = [](Error error) {
        return HttpFailure{.what = error.kind == ErrorKind::Timeout ? What::Stopped : What::Sink,
                           .error = std::move(error)};
    };
    for (int met = 0;; ++met) {
        auto header = source.authorizer->header(stop);
        if (!header) return denied(std::move(header).error());
        ask.authorization = header->value;
        Attempt attempt = follow(source.endpoint, ask, stop);
        if (!attempt || attempt->answer.status != 401 || attempt->elsewhere) return attempt;
        if (met == kMostChallengesMet) return attempt;
        Result<void> better = source.authorizer->refused(ask, attempt->answer, header->generation, stop);
        if (!better) return denied(std::move(better).error());
    }
}

HttpRepository::Attempt HttpRepository::ask(Source& source, const std::string& path, HttpAsk ask,
                                            const std::stop_token& stop) {
    const std::vector<std::string>& bases = source.endpoint.bases;
    ask.check_certificate = source.endpoint.check_certificate;
    std::size_t known = bases.size();
    if (bases.size() > 1) {
        const std::lock_guard lock(client_->mutex);
        if (const auto found = client_->bases.find(bases.front()); found != client_->bases.end()) known = found->second;
    }
    if (known < bases.size()) {
        Attempt attempt = ask_base(source, bases[known], path, ask, stop);
        if (attempt || (attempt.error().what != What::NoTls && attempt.error().what != What::NoConnection))
            return attempt;
        const std::lock_guard lock(client_->mutex);
        client_->bases.erase(bases.front());
    }
    for (std::size_t i = 0;; ++i) {
        Attempt attempt = ask_base(source, bases[i], path, ask, stop);
        const bool last = i + 1 == bases.size();
        const bool other =
            !attempt && (attempt.error().what == What::NoTls || attempt.error().what == What::NoConnection);
        if (other && !last) continue;
        if (!other && bases.size() > 1) {
            const std::lock_guard lock(client_->mutex);
            client_->bases[bases.front()] = i;
        }
        return attempt;
    }
}

HttpRepository::Attempt HttpRepository::ask_patiently(Source& source, const std::string& path, const HttpAsk& request,
                                                      const std::stop_token& stop) {
    Backoff backoff = pauses(client_->options);
    for (int attempt_number = 1;; ++attempt_number) {
        Attempt attempt = ask(source, path, request, stop);
        const bool passing =
            attempt ? may_pass(attempt->answer.status)
                    : attempt.error().what == What::Broken && attempt.error().error.kind != ErrorKind::Malformed;
        if (!passing || attempt_number == kRequestAttempts) return attempt;
        nanoseconds pause = backoff.next();
        if (attempt) pause = std::max(pause, retry_after(attempt->answer).value_or(pause));
        if (pause > kLongestRetryAfter) return attempt;  // whoever asked for the pull decides whether to wait so long
        if (!pause_for(pause, stop)) return HttpFailure{.what = What::Stopped, .error = stopped()};
    }
}

Error HttpRepository::error_of(const Final& final, const HttpAsk& ask) const {
    return refusal(final.answer.status, final.answer.body, false, reference_, shown_request(ask));
}

// ---- manifests

Result<Document> HttpRepository::fetch_document_from(Source& source, const std::string& which,
                                                     const std::stop_token& stop) {
    HttpAsk ask{.headers = {{"Accept", accept_header()}}};
    ask.max_body = kMaxManifest;
    const std::string path = "/manifests/" + which;
    Attempt attempt = ask_patiently(source, path, ask, stop);
    if (!attempt) return std::move(attempt).error().error;
    ask.url = source.endpoint.bases.back() + "/v2/" + reference_.path + path;
    if (attempt->answer.status != 200) return error_of(*attempt, ask);
    Document out;
    out.body = std::move(attempt->answer.body);
    const std::string found = digest_of(out.body);
    const std::string_view told = attempt->answer.header("Docker-Content-Digest");
    const std::string expected = is_digest(which) ? which : is_digest(told) ? std::string(told) : found;
    if (found != expected) {
        return Error{.kind = ErrorKind::Malformed, .what = "manifest verification failed for digest " + expected};
    }
    const std::string_view type = attempt->answer.header("Content-Type");
    out.descriptor = {.media_type = lower(trimmed(type.substr(0, type.find(';')))),
                      .digest = found,
                      .size = static_cast<std::int64_t>(out.body.size())};
    return out;
}

Result<Document> HttpRepository::fetch_document(const std::string& which, std::stop_token stop) {
    Error last;
    for (std::size_t i = preferred_; i < sources_.size(); ++i) {
        Result<Document> document = fetch_document_from(sources_[i], which, stop);
        if (document) preferred_ = i;
        if (document || stop.stop_requested()) return document;
        last = std::move(document).error();
    }
    return last;
}

Result<Document> HttpRepository::fetch_manifest(const std::string& digest, std::stop_token stop) {
    return fetch_document(digest, std::move(stop));
}

Result<Document> HttpRepository::fetch_top(std::stop_token stop) {
    return fetch_document(reference_.digest.empty() ? reference_.tag : reference_.digest, std::move(stop));
}

Result<BlobDescriptor> HttpRepository::resolve_at(Source& source, const std::stop_token& stop) {
    const std::string which = reference_.digest.empty() ? reference_.tag : reference_.digest;
    HttpAsk ask{.method = "HEAD", .headers = {{"Accept", accept_header()}}};
    Attempt attempt = this->ask(source, "/manifests/" + which, ask, stop);
    if (!attempt && attempt.error().what != What::Broken) return std::move(attempt).error().error;
    if (attempt && attempt->answer.status == 200) {
        const std::string_view digest = attempt->answer.header("Docker-Content-Digest");
        const std::string_view type = attempt->answer.header("Content-Type");
        const auto size = parse_integer(attempt->answer.header("Content-Length"));
        const bool expected = reference_.digest.empty() || digest == reference_.digest;
        if (is_digest(digest) && expected && size && *size > 0) {
            return BlobDescriptor{.media_type = lower(trimmed(type.substr(0, type.find(';')))),
                                  .digest = std::string(digest),
                                  .size = *size};
        }
    }
    // an answer to HEAD has no body that would say what is wrong
    auto document = fetch_document_from(source, which, stop);
    if (!document) return std::move(document).error();
    return std::move(document->descriptor);
}

Result<BlobDescriptor> HttpRepository::resolve(std::stop_token stop) {
    Error last;
    for (std::size_t i = preferred_; i < sources_.size(); ++i) {
        Result<BlobDescriptor> descriptor = resolve_at(sources_[i], stop);
        if (descriptor) preferred_ = i;
        if (descriptor || stop.stop_requested()) return descriptor;
        last = std::move(descriptor).error();
    }
    return last;
}

// ---- blobs

Result<void> HttpRepository::fetch_blob_from(Source& source, const BlobDescriptor& blob, std::int64_t& received,
                                             const BlobSink& sink, const std::stop_token& stop, bool& final) {
    final = true;
    Backoff backoff = pauses(client_->options);
    const std::string path = "/blobs/" + blob.digest;
    for (int fruitless = 0;;) {
        const std::int64_t before = received;
        HttpAsk ask;
        if (before > 0) ask.headers.emplace_back("Range", "bytes=" + std::to_string(before) + "-");
        std::int64_t skip = -1;  // of an answer that begins at the blob's begin; -1: not known yet
        ask.sink = [&](const HttpAnswer& answer, std::string_view bytes) -> Result<void> {
            if (skip < 0) {
                skip = answer.status == 206 ? 0 : before;
                if (answer.status == 206 && range_begin(answer).value_or(before) != before) {
                    return Error{.kind = ErrorKind::Malformed,
                                 .what = "the registry sent another part of " + blob.digest + " than it was asked for"};
                }
            }
            const auto skipped = std::min<std::int64_t>(skip, static_cast<std::int64_t>(bytes.size()));
            bytes.remove_prefix(static_cast<std::size_t>(skipped));
            skip -= skipped;
            if (bytes.empty()) return {};
            if (static_cast<std::int64_t>(bytes.size()) > blob.size - received) {
                return Error{.kind = ErrorKind::Malformed,
                             .what = "the registry sent more of " + blob.digest + " than the " +
                                     std::to_string(blob.size) + " bytes that its manifest says"};
            }
            Result<void> taken = sink(bytes);
            if (taken) received += static_cast<std::int64_t>(bytes.size());
            return taken;
        };
        Attempt attempt = this->ask(source, path, ask, stop);
        ask.url = source.endpoint.bases.back() + "/v2/" + reference_.path + path;
        if (attempt && attempt->answer.status < 300 && received == blob.size) return {};

        Error error;
        nanoseconds wanted{0};
        if (!attempt) {
            const What what = attempt.error().what;
            error = std::move(attempt).error().error;
            if (what == What::Sink || what == What::Stopped) return error;
            if (error.kind == ErrorKind::Malformed || what == What::Untrusted) {
                final = false;
                return error;
            }
        } else if (attempt->answer.status < 300) {
            error = {.kind = ErrorKind::Unavailable,
                     .what = shown_request(ask) + ": unexpected EOF after " + std::to_string(received) + " of " +
                             std::to_string(blob.size) + " bytes"};
        } else {
            error = error_of(*attempt, ask);
            wanted = retry_after(attempt->answer).value_or(wanted);
            // a signed address that has expired is made anew by asking the registry again
            if (!may_pass(attempt->answer.status) && !attempt->elsewhere) {
                final = false;
                return error;
            }
        }
        if (received > before) {
            fruitless = 0;
            backoff.reset();
        }
        if (++fruitless >= client_->options.attempts || wanted > kLongestRetryAfter) {
            final = false;
            return error;
        }
        if (!pause_for(std::max(backoff.next(), wanted), stop)) return stopped();
    }
}

Result<void> HttpRepository::fetch_blob(const BlobDescriptor& blob, std::int64_t offset, const BlobSink& sink,
                                        std::stop_token stop) {
    std::int64_t received = offset;
    if (received == blob.size) return {};
    if (received > blob.size) {
        return Error{.kind = ErrorKind::Malformed, .what = "more of " + blob.digest + " is here than it has"};
    }
    Error last;
    for (std::size_t i = preferred_; i < sources_.size(); ++i) {
        bool final = true;
        Result<void> fetched = fetch_blob_from(sources_[i], blob, received, sink, stop, final);
        if (fetched || final) return fetched;
        last = std::move(fetched).error();
    }
    return last;
}

}  // namespace nodeagent::runtime::registry
