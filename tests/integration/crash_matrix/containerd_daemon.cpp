// containerd, whose shims and containers outlive it.

#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "agent/base/files.hpp"
#include "runtime/containerd/module.hpp"
#include "runtime/containerd/record.hpp"
#include "tests/harness/registry_push.hpp"
#include "tests/integration/containerd_backend/saved_image.hpp"
#include "tests/integration/crash_matrix/containerd_leftovers.hpp"
#include "tests/integration/crash_matrix/programs.hpp"
#include "tests/integration/crash_matrix/runtime_daemon.hpp"

namespace nodeagent::crash_matrix {

namespace {

namespace ctr = runtime::containerd;

constexpr const char* kNamespace = "ecs";
constexpr const char* kBridge = "ecs0";

class ContainerdDaemon final : public RuntimeDaemon {
  public:
    explicit ContainerdDaemon(std::string directory) : directory_(std::move(directory)) {
        // creations are counted in what it logs of events, which a kill -9 does not take away
        std::ofstream(directory_ + "/containerd.toml")
            << "version = 2\nroot = '" << directory_ << "/root'\nstate = '" << directory_ << "/state'\n"
            << "disabled_plugins = ['io.containerd.grpc.v1.cri']\n[grpc]\n  address = '" << socket() << "'\n"
            << "[debug]\n  level = 'debug'\n";
        auto client = ctr::load_client({NODEAGENT_CONTAINERD_MODULE}, socket(), kNamespace);
        if (!client) throw std::runtime_error(client.error().what);
        client_ = *std::move(client);
    }
    ~ContainerdDaemon() override {
        client_.reset();
        end_program(containerd_, SIGTERM);
    }
    ContainerdDaemon(const ContainerdDaemon&) = delete;
    ContainerdDaemon& operator=(const ContainerdDaemon&) = delete;

    [[nodiscard]] std::vector<std::string> environment() const override {
        return {"ECS_RUNTIME=containerd", "ECS_CONTAINERD_ADDRESS=" + socket(),
                std::string("ECS_CONTAINERD_NAMESPACE=") + kNamespace, std::string("ECS_CONTAINERD_BRIDGE=") + kBridge};
    }
    void push_image(const std::string& image) override {
        image_ = image;
        const std::size_t slash = image.find('/'), colon = image.rfind(':');
        test::RegistryPush(image.substr(0, slash), image.substr(slash + 1, colon - slash - 1), {})
            .push(image.substr(colon + 1),
                  fakes::make_image({fakes::gzip_layer(ctr::busybox_layer())}, {{"Env", {"PATH=/bin"}}}));
    }

    void start() override {
        containerd_ = launch({"containerd", "--config", directory_ + "/containerd.toml"}, log());
        await_daemon(containerd_, "containerd", log(),
                     [this] { return client_->version(std::chrono::seconds(1)).has_value(); });
    }
    void kill() override { end_program(containerd_, SIGKILL); }

    /// The image goes, so that a cell has a whole pull, and the bridge, whose network the agent's data directory has.
    void begin_cell(const std::string& agent_data, bool agent_is_killed) override {
        places_ = {.client = client_.get(),
                   .agent_data = agent_data + "/containerd",
                   .agent_was_killed = agent_is_killed,
                   .state = directory_ + "/state",
                   .log_begin = std::filesystem::file_size(log())};
        if (const auto images = client_->list_images()) {
            for (const ctr::Image& image : *images) (void)client_->delete_image(image.name, true);
        }
        if (const auto leases = client_->list_leases()) {
            for (const std::string& lease : *leases) (void)client_->delete_lease(lease);
        }
        shell(std::string("ip link delete ") + kBridge + " 2>/dev/null || true", directory_ + "/setup.log");
    }
    void note_creations() override {}
    std::string wrong_creations(const std::vector<std::string>& names) override {
        const int created = events_in_log("/containers/create");
        if (created == static_cast<int>(names.size())) return {};
        return std::to_string(created) + " containers were created instead of " + std::to_string(names.size());
    }
    std::string volume_folder(const std::string& part_of_name) override {
        std::error_code absent;
        for (const auto& entry : std::filesystem::directory_iterator(places_.agent_data + "/volumes", absent)) {
            if (entry.path().filename().string().find(part_of_name) != std::string::npos) {
                return entry.path().string() + "/_data";
            }
        }
        return {};
    }
    std::string left() override { return containerd_leftovers(places_); }
    void clear_away() override { clear_containerd_leftovers(places_); }

  private:
    [[nodiscard]] std::string socket() const { return directory_ + "/c.sock"; }
    [[nodiscard]] std::string log() const { return directory_ + "/containerd.log"; }
    /// Events of the agent's namespace since the cell began.
    [[nodiscard]] int events_in_log(const std::string& topic) const {
        std::ifstream file(log());
        file.seekg(static_cast<std::streamoff>(places_.log_begin));
        int count = 0;
        for (std::string line; std::getline(file, line);) {
            const bool published = line.find("event published") != std::string::npos;
            const bool own = line.find(std::string(" ns=") + kNamespace + " ") != std::string::npos;
            if (published && own && line.find(" topic=" + topic + " ") != std::string::npos) ++count;
        }
        return count;
    }

    std::string directory_;
    std::string image_;
    std::shared_ptr<ctr::Client> client_;
    pid_t containerd_ = -1;
    ContainerdPlaces places_;
};

}  // namespace

std::unique_ptr<RuntimeDaemon> make_containerd_daemon(std::string directory) {
    return std::make_unique<ContainerdDaemon>(std::move(directory));
}

}  // namespace nodeagent::crash_matrix
