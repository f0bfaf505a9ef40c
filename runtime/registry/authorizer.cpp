#include "runtime/registry/authorizer.hpp"

#include <utility>
#include <vector>

#include "agent/base/strings.hpp"
#include "runtime/registry/endpoint.hpp"
#include "runtime/registry/refusal.hpp"
#include "runtime/registry/token.hpp"

namespace nodeagent::runtime::registry {

namespace {

using Clock = std::chrono::steady_clock;

const Challenge* challenge_of(const std::vector<Challenge>& all, std::string_view scheme) {
    for (const Challenge& challenge : all) {
        if (challenge.scheme == scheme) return &challenge;
    }
    return nullptr;
}

std::vector<Challenge> challenges_in(const HttpAnswer& answer) {
    std::vector<Challenge> all;
    for (const auto& [name, value] : answer.headers) {
        if (!equals_ignoring_case(name, "WWW-Authenticate")) continue;
        for (Challenge& challenge : parse_challenges(value)) all.push_back(std::move(challenge));
    }
    return all;
}

bool insufficient_scope(const std::vector<Challenge>& all) {
    const Challenge* bearer = challenge_of(all, "bearer");
    if (bearer == nullptr) return false;
    const auto found = bearer->values.find("error");
    return found != bearer->values.end() && found->second == "insufficient_scope";
}

}  // namespace

Authorizer::Authorizer(Http& http, const Reference& reference, RegistryAuth auth,
                       const std::vector<std::string>& insecure)
    : http_(http), reference_(reference), auth_(std::move(auth)), insecure_(insecure) {}

Secret Authorizer::basic() const {
    return Secret("Basic " + base64_encode(auth_.username + ":" + auth_.password.reveal()));
}

Result<Authorizer::Header> Authorizer::header(const std::stop_token& stop) {
    const std::lock_guard lock(mutex_);
    if (bearer_ && Clock::now() >= renew_) {
        if (auto fetched = fetch_token(stop); !fetched) return std::move(fetched).error();
    }
    return Header{.value = value_, .generation = generation_};
}

Result<void> Authorizer::refused(const HttpAsk& ask, const HttpAnswer& answer, std::uint64_t used,
                                 const std::stop_token& stop) {
    const std::lock_guard lock(mutex_);
    if (used != generation_) return {};  // another transfer has got something better meanwhile
    const std::vector<Challenge> all = challenges_in(answer);
    const bool tried = !value_.empty();
    if (const Challenge* bearer = challenge_of(all, "bearer"); bearer != nullptr) {
        Challenge asked = *bearer;
        asked.values.erase("error");
        if (tried && insufficient_scope(all) && bearer_ && bearer_->values == asked.values) {
            return refusal(answer.status, answer.body, true, reference_, shown_request(ask));
        }
        bearer_ = std::move(asked);
        return fetch_token(stop);
    }
    if (challenge_of(all, "basic") != nullptr && !tried) {
        if (auth_.empty()) {
            return Error{.kind = ErrorKind::Denied, .what = shown_request(ask) + ": no basic auth credentials"};
        }
        value_ = basic();
        ++generation_;
        return {};
    }
    return refusal(answer.status, answer.body, insufficient_scope(all), reference_, shown_request(ask));
}

Result<void> Authorizer::fetch_token(const std::stop_token& stop) {
    auto url = token_url(*bearer_, reference_.path);
    if (!url) return std::move(url).error();
    HttpAsk ask{.url = *std::move(url)};
    ask.max_body = kMaxTokenAnswer;
    const std::string origin = origin_of(ask.url);
    const bool insecure = is_insecure(origin.substr(origin.find("://") + 3), insecure_);
    ask.check_certificate = !insecure;
    if (!auth_.empty()) {
        if (!insecure && !ask.url.starts_with("https:")) {
            return Error{.kind = ErrorKind::Denied,
                         .what = shown_request(ask) +
                                 ": the registry wants credentials sent to a token service without TLS: list its host "
                                 "in ECS_INSECURE_REGISTRIES to allow it"};
        }
        ask.authorization = basic();
    }
    HttpOutcome outcome = http_.perform(ask, stop);
    if (!outcome) return std::move(outcome).error().error;
    if (outcome->status < 200 || outcome->status > 299) {
        Error error = refusal(outcome->status, outcome->body, false, reference_, shown_request(ask));
        if (!error.what.starts_with(shown_request(ask))) error.what = shown_request(ask) + ": " + error.what;
        return error;
    }
    auto token = parse_token(outcome->body);
    if (!token) return std::move(token).error();
    value_ = Secret("Bearer " + token->value.reveal());
    ++generation_;
    // a tenth before its end: a transfer that begins with it should be let in
    renew_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(token->lifetime * 0.9);
    return {};
}

}  // namespace nodeagent::runtime::registry
