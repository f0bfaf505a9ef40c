#include "agent/credentials/chain.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "agent/base/log.hpp"
#include "agent/base/strings.hpp"
#include "agent/credentials/sources.hpp"

namespace nodeagent::credentials {

namespace {
constexpr WallTime::duration kLongestLife = std::chrono::hours(24 * 3650);  // keeps the sum inside the clock's range
}

// One pass over the sources. Others wait on `done`, which never expires; it is cancelled when there is an outcome, or
// when the coroutine that leads the round was cancelled, in which case a waiter leads the next one.
struct Chain::Round {
    explicit Round(const asio::any_io_executor& shard) : done(shard, asio::steady_timer::time_point::max()) {}
    asio::steady_timer done;
    bool over = false;
    std::optional<Result<AwsCredentials>> outcome;
};

Chain::Chain(std::vector<std::unique_ptr<Source>> sources, Clock& clock)
    : sources_(std::move(sources)), clock_(clock) {}

void Chain::invalidate() {
    cached_.reset();
    ++generation_;
    for (const auto& source : sources_) source->invalidate();
}

bool Chain::fresh() const {
    if (!cached_) return false;
    if (!cached_->expires_at) return true;
    const Instant now = clock_.now();
    return now.wall < *cached_->expires_at && now.steady < cached_until_;
}

asio::awaitable<Result<AwsCredentials>> Chain::get() {
    for (;;) {
        if (fresh()) co_return *cached_;
        if (!round_) break;
        const std::shared_ptr<Round> others = round_;
        while (!others->over) {
            boost::system::error_code woken;
            co_await others->done.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        }
        if (others->outcome) co_return *others->outcome;
    }
    const asio::any_io_executor shard = co_await asio::this_coro::executor;
    const auto mine = std::make_shared<Round>(shard);
    round_ = mine;
    struct End {
        Chain& chain;
        std::shared_ptr<Round> round;
        ~End() {
            round->over = true;
            round->done.cancel();
            if (chain.round_ == round) chain.round_.reset();
        }
    };
    const End end{*this, mine};
    const unsigned begun = generation_;
    Result<AwsCredentials> answer = co_await ask_sources();
    if (answer && begun == generation_) {
        cached_ = *answer;
        const Instant now = clock_.now();
        if (cached_->expires_at) {
            const auto life = std::min<WallTime::duration>(*cached_->expires_at - now.wall, kLongestLife);
            cached_until_ = now.steady + std::chrono::duration_cast<SteadyTime::duration>(life);
        }
    }
    mine->outcome = answer;
    co_return answer;
}

asio::awaitable<Result<AwsCredentials>> Chain::ask_sources() {
    std::vector<std::string> tried;
    for (const auto& source : sources_) {
        Result<AwsCredentials> answer = co_await source->fetch();
        if (answer) {
            if (!cached_ || cached_->source != answer->source) {
                log::info("credentials of the agent found", {{"source", answer->source}});
            }
            co_return answer;
        }
        tried.push_back(std::string(source->name()) + ": " + answer.error().what);
    }
    co_return Error{.kind = ErrorKind::Denied, .what = "no AWS credentials; tried " + join(tried, "; ")};
}

std::unique_ptr<Provider> make_provider(ChainOptions options, net::HttpClient& http, Imds& imds, BlockingPool& pool,
                                        Clock& clock) {
    const config::Environment& environment = options.environment;
    std::vector<std::unique_ptr<Source>> sources;
    sources.push_back(environment_source(environment));
    auto rotating = rotating_file_source(options.rotating_file, options.alternate_profile, clock);
    if (options.external) {
        sources.push_back(std::move(rotating));
        sources.push_back(shared_files_source(environment, SharedFiles::CredentialsOnly, pool, clock));
        sources.push_back(instance_role_source(imds, clock));
    } else {
        sources.push_back(web_identity_source(environment));
        sources.push_back(shared_files_source(environment, SharedFiles::CredentialsAndConfig, pool, clock));
        sources.push_back(container_source(environment, http, clock));
        sources.push_back(instance_role_source(imds, clock));
        sources.push_back(std::move(rotating));
    }
    return std::make_unique<Chain>(std::move(sources), clock);
}

}  // namespace nodeagent::credentials
