#pragma once
// ecs-local as a child process, and its ECS API as a user calls it.

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "agent/base/fd.hpp"
#include "agent/base/json.hpp"
#include "agent/credentials/fixed_provider.hpp"
#include "agent/net/aws_client.hpp"
#include "agent/net/curl_http_client.hpp"

namespace nodeagent::harness {

class LocalPlane {
  public:
    static constexpr const char* kKey = "LOCALKEY";
    static constexpr const char* kSecretKey = "local-secret-key";

    /// `binary` is ecs-local; its state is in `directory`; without `fixtures` ("") it is ECS and CloudWatch only.
    LocalPlane(const std::string& binary, const std::string& directory, const std::string& fixtures) {
        int ends[2] = {-1, -1};
        if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
        const Fd output(ends[0]);
        const Fd input(ends[1]);
        std::vector<std::string> words{binary, "--listen",     "127.0.0.1:0", "--data",      directory, "--access-key",
                                       kKey,   "--secret-key", kSecretKey,    "--log-level", "warn"};
        if (!fixtures.empty()) words.insert(words.end(), {"--fixtures", fixtures});
        std::vector<char*> arguments;
        for (std::string& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        posix_spawn_file_actions_t files;
        ::posix_spawn_file_actions_init(&files);
        ::posix_spawn_file_actions_adddup2(&files, input.get(), STDOUT_FILENO);
        const int failed = ::posix_spawn(&process_, binary.c_str(), &files, nullptr, arguments.data(), environ);
        ::posix_spawn_file_actions_destroy(&files);
        if (failed != 0) throw std::runtime_error("ecs-local does not start");
        std::string line;
        char one = 0;
        while (::read(output.get(), &one, 1) == 1 && one != '\n') line.push_back(one);
        endpoint_ = line.substr(line.find("http://"));
    }
    ~LocalPlane() {
        ::kill(process_, SIGTERM);
        ::waitpid(process_, nullptr, 0);
    }
    LocalPlane(const LocalPlane&) = delete;
    LocalPlane& operator=(const LocalPlane&) = delete;
    [[nodiscard]] const std::string& endpoint() const { return endpoint_; }

    /// An ECS call as a user; null when it is refused.
    Json call(const std::string& operation, const Json& request) {
        credentials::AwsCredentials keys;
        keys.access_key_id = kKey;
        keys.secret_access_key = Secret(kSecretKey);
        credentials::FixedProvider provider(std::move(keys));
        net::AwsService service;
        service.endpoint = endpoint_;
        service.signing_name = "ecs";
        service.region = "us-west-2";
        service.target_prefix = "AmazonEC2ContainerServiceV20141113";
        net::AwsClient client({http_, provider, clock_}, std::move(service), net::standard_retries());
        Json answer;
        boost::asio::io_context io;
        boost::asio::co_spawn(io, client.call_json(operation, request.dump()),
                              [&](std::exception_ptr, net::ServiceResult<std::string> result) {
                                  if (result) {
                                      answer = Json::parse(*result);
                                  } else {
                                      last_error = result.error().code + ": " + result.error().message;
                                  }
                              });
        io.run();
        return answer;
    }
    std::string last_error;

  private:
    pid_t process_ = -1;
    std::string endpoint_;
    BlockingPool pool_{1};
    SystemClock clock_;
    net::CurlHttpClient http_{pool_, {}};
};

}  // namespace nodeagent::harness
