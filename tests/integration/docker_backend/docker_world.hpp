#pragma once
// The real Docker daemon as a BackendWorld, reached through a relay that a test can cut. The image is made from
// busybox-static, no registry needed. Everything carries a random prefix and is removed again.
// NODEAGENT_TEST_DOCKER names the daemon (default unix:///var/run/docker.sock).

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/ssl/context.hpp>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "runtime/docker/api_client.hpp"
#include "runtime/docker/backend.hpp"
#include "tests/contract/backend_world.hpp"
#include "tests/contract/relay.hpp"
#include "tests/fakes/temp_directory.hpp"
#include "tests/integration/docker_backend/tar.hpp"

namespace nodeagent::runtime::docker {

inline std::string daemon_socket() {
    const char* given = std::getenv("NODEAGENT_TEST_DOCKER");
    const std::string address = given != nullptr ? given : "unix:///var/run/docker.sock";
    const auto endpoint = parse_endpoint(address, false);
    if (!endpoint || endpoint->path.empty()) throw std::runtime_error("NODEAGENT_TEST_DOCKER: expected unix:///path");
    return endpoint->path;
}

class DockerWorld final : public BackendWorld {
  public:
    DockerWorld() : prefix_("nodeagent-test-" + uuid4().substr(0, 8) + "-") {
        relay_ = std::make_unique<Relay>(io, folder_ + "/relay.sock", daemon_socket());
        Options options;
        options.host = "unix://" + (folder_ + "/relay.sock");
        auto made = make_backend(io.get_executor(), options);
        if (!made) throw std::runtime_error(made.error().what);
        backend_ = std::move(*made);
        auto direct = parse_endpoint("unix://" + daemon_socket(), false);
        direct_ = std::make_unique<ApiClient>(io.get_executor(), *direct, nullptr);
        import_image();
    }
    ~DockerWorld() override {
        call("DELETE", "/images/" + image() + "?force=1");
        backend_.reset();
        direct_.reset();
        relay_.reset();
        io.restart();
        io.poll();  // lets what was cut end
    }

    Backend& backend() override { return *backend_; }
    [[nodiscard]] std::string image() const override { return prefix_ + "image:1"; }
    [[nodiscard]] std::string prefix() const override { return prefix_; }
    ContainerSpec spec(const std::string& name, Program program) override {
        // a shell as process 1 ignores signals it has no trap for
        const bool ends = program == Program::ExitsWithSeven;
        return shell(name, ends ? "exit 7" : "trap 'exit 0' TERM; while :; do sleep 0.05; done");
    }
    ContainerSpec shell(const std::string& name, const std::string& script) const {
        ContainerSpec made;
        made.name = name;
        made.config["Image"] = image();
        made.config["Cmd"] = Json::array({"sh", "-c", script});
        made.config["Labels"][label()] = "1";
        made.host_config["NetworkMode"] = "bridge";
        made.host_config["Memory"] = 64 * 1024 * 1024;
        return made;
    }
    void go_away() override { relay_->cut(); }
    void come_back() override { relay_->open(); }

    /// A request of the test itself, past backend and relay.
    ApiResponse call(const std::string& method, const std::string& target, std::string body = {},
                     const std::string& content_type = "application/json",
                     std::vector<std::pair<std::string, std::string>> headers = {}) {
        ApiRequest request;
        request.method = method;
        request.target = target;
        request.body = std::move(body);
        request.content_type = content_type;
        request.headers = std::move(headers);
        auto response = run(direct_->call(std::move(request)));
        if (!response) throw std::runtime_error(response.error().what);
        return std::move(*response);
    }

  private:
    void import_image() {
        std::ifstream file("/bin/busybox", std::ios::binary);
        const std::string busybox((std::istreambuf_iterator<char>(file)), {});
        if (busybox.empty()) throw std::runtime_error("/bin/busybox is missing: apt-get install busybox-static");
        Tar tar;
        tar.file("bin/busybox", busybox);
        for (const char* applet : {"sh", "sleep", "echo", "cat", "env", "tail", "true", "false", "httpd"}) {
            tar.link(std::string("bin/") + applet, "busybox");
        }
        const ApiResponse made =
            call("POST", "/images/create?fromSrc=-&repo=" + prefix_ + "image&tag=1", tar.finish(), "application/x-tar");
        if (made.status != 200 || made.body.find("error") != std::string::npos) throw std::runtime_error(made.body);
    }

    std::string prefix_;
    fakes::TempDirectory folder_;
    std::unique_ptr<Relay> relay_;
    std::unique_ptr<Backend> backend_;
    std::unique_ptr<ApiClient> direct_;
};

}  // namespace nodeagent::runtime::docker
