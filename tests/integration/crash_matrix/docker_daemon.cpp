// dockerd with live-restore: containers outlive the daemon, as they do where ECS hosts are set up to lose nothing.

#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <stdexcept>
#include <utility>

#include <nlohmann/json.hpp>

#include "agent/base/strings.hpp"
#include "tests/harness/docker_client.hpp"
#include "tests/integration/crash_matrix/programs.hpp"
#include "tests/integration/crash_matrix/runtime_daemon.hpp"

namespace nodeagent::crash_matrix {

namespace {

using nlohmann::json;

double wall_seconds() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

class DockerDaemon final : public RuntimeDaemon {
  public:
    explicit DockerDaemon(std::string directory) : directory_(std::move(directory)) {}
    ~DockerDaemon() override {
        end_program(dockerd_, SIGTERM);
        // a containerd whose dockerd was killed may have been left by the next one
        if (const pid_t containerd = containerd_pid(); containerd > 1) ::kill(containerd, SIGKILL);
    }
    DockerDaemon(const DockerDaemon&) = delete;
    DockerDaemon& operator=(const DockerDaemon&) = delete;

    [[nodiscard]] std::vector<std::string> environment() const override {
        return {"ECS_RUNTIME=docker", "DOCKER_HOST=unix://" + socket()};
    }
    void push_image(const std::string& image) override {
        shell("export DOCKER_HOST=unix://" + socket() + "; . " NODEAGENT_SOURCE "/packaging/common.sh; busybox_image " +
                  image + "; docker push -q " + image,
              directory_ + "/setup.log");
    }

    void start() override {
        const std::string log = directory_ + "/dockerd.log";
        dockerd_ =
            launch({"dockerd", "--host", "unix://" + socket(), "--data-root", directory_ + "/data", "--exec-root",
                    directory_ + "/exec", "--pidfile", directory_ + "/docker.pid", "--live-restore"},
                   log);
        await_daemon(dockerd_, "dockerd", log, [this] {
            try {
                (void)call("GET", "/_ping");
                return true;
            } catch (const std::exception&) {
                return false;
            }
        });
    }
    void kill() override {
        end_program(dockerd_, SIGKILL);
        // its containerd dies with it; the next dockerd takes one that is not reaped for a running one
        if (pid_t containerd = containerd_pid(); containerd > 1) end_program(containerd, SIGKILL);
    }

    void begin_cell(const std::string& /*agent_data*/, bool /*agent_is_killed*/) override {
        since_ = wall_seconds();
        creations_.clear();
    }
    void note_creations() override {
        for (const json& event : events()) {
            if (event.value("Type", "") != "container" || event.value("Action", "") != "create") continue;
            const json& attributes = event.at("Actor").at("Attributes");
            creations_[attributes.value("com.amazonaws.ecs.container-name", "?")].insert(event.at("Actor").at("ID"));
        }
    }
    std::string wrong_creations(const std::vector<std::string>& names) override {
        note_creations();
        for (const std::string& name : names) {
            const std::size_t count = creations_[name].size();
            if (count != 1) return std::to_string(count) + " containers were created for " + name + " instead of 1";
        }
        return creations_.size() == names.size() ? "" : "containers of other names were created";
    }
    std::string volume_folder(const std::string& part_of_name) override {
        for (const json& volume : volumes()) {
            if (volume.at("Name").get<std::string>().find(part_of_name) != std::string::npos) {
                return volume.at("Mountpoint").get<std::string>();
            }
        }
        return {};
    }
    std::string left() override {
        for (const json& one : containers())
            return "container " + one.at("Names").dump() + " " + one.value("Status", "");
        for (const json& one : volumes()) return "volume " + one.at("Name").get<std::string>();
        return {};
    }
    void clear_away() override {
        for (const json& one : containers()) {
            (void)call("DELETE", "/containers/" + one.at("Id").get<std::string>() + "?force=1&v=1");
        }
        for (const json& one : volumes()) {
            (void)call("DELETE", "/volumes/" + one.at("Name").get<std::string>() + "?force=1");
        }
    }

  private:
    [[nodiscard]] std::string socket() const { return directory_ + "/docker.sock"; }
    /// Of the daemon's own containerd; 0 when there is none.
    [[nodiscard]] pid_t containerd_pid() const {
        std::ifstream file(directory_ + "/exec/containerd/containerd.pid");
        pid_t pid = 0;
        return file >> pid ? pid : 0;
    }
    /// One call to the Docker API; throws on failure.
    [[nodiscard]] json call(const std::string& method, const std::string& target) const {
        harness::DockerClient client(socket());
        return client.call(method, target);
    }
    [[nodiscard]] json containers() const {
        const json label{{"label", {"com.amazonaws.ecs.task-arn"}}};
        return call("GET", "/containers/json?all=1&filters=" + percent_encode(label.dump()));
    }
    [[nodiscard]] json volumes() const {
        const json answer = call("GET", "/volumes");
        const auto found = answer.find("Volumes");
        return found != answer.end() && found->is_array() ? *found : json::array();
    }
    /// The daemon's events since the cell began.
    [[nodiscard]] std::vector<json> events() const {
        // one JSON document per line, so not for DockerClient::call
        const std::string out = directory_ + "/events.json";
        std::filesystem::remove(out);
        char range[100];
        std::snprintf(range, sizeof range, "--since %.6f --until %.6f", since_, wall_seconds());
        shell("docker -H unix://" + socket() + " events " + range + " --format '{{json .}}'", out);
        std::vector<json> found;
        std::ifstream file(out);
        for (std::string line; std::getline(file, line);) {
            json event = json::parse(line, nullptr, false);
            if (event.is_object()) found.push_back(std::move(event));
        }
        return found;
    }

    std::string directory_;
    pid_t dockerd_ = -1;
    double since_ = 0;
    std::map<std::string, std::set<std::string>> creations_;  ///< container name -> ids of the containers made for it
};

}  // namespace

std::unique_ptr<RuntimeDaemon> make_docker_daemon(std::string directory) {
    return std::make_unique<DockerDaemon>(std::move(directory));
}

}  // namespace nodeagent::crash_matrix
