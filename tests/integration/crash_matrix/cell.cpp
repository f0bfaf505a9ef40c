#include "tests/integration/crash_matrix/cell.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "agent/base/fd.hpp"
#include "agent/engine/state_store.hpp"
#include "tests/harness/agent_process.hpp"
#include "tests/harness/control_plane.hpp"
#include "tests/integration/crash_matrix/point_listener.hpp"
#include "tests/integration/crash_matrix/task.hpp"

namespace nodeagent::crash_matrix {

namespace {

using namespace std::chrono_literals;
using harness::AgentProcess;
using harness::ApiFault;
using harness::ControlPlane;
using nlohmann::json;
using SteadyClock = std::chrono::steady_clock;

constexpr auto kCellLimit = 60s;
constexpr auto kGlance = 20ms;        // how often the harness looks
constexpr auto kFaultLasts = 1500ms;  // longer than the agent's first retries
constexpr auto kDaemonSettles = 500ms;
constexpr auto kPayloadAgainAfter = 1s;   // ECS sends what is not acknowledged again
constexpr auto kCredentialsWithin = 10s;  // a restarted agent gets them anew
constexpr int kIntrospectionPort = 51678;
constexpr int kCredentialsPort = 51679;

/// The whole answer of a local endpoint, head and body; "" when nobody answers.
std::string get(int port, const std::string& path) {
    boost::asio::io_context io;
    boost::asio::ip::tcp::socket socket(io);
    boost::system::error_code failure;
    socket.connect({boost::asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port)}, failure);
    if (failure) return {};
    boost::asio::write(socket, boost::asio::buffer("GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
                       failure);
    std::string answer;
    boost::asio::read(socket, boost::asio::dynamic_buffer(answer), failure);
    return answer;
}

int rows(const std::string& database, const std::string& sql) {
    sqlite3* handle = nullptr;
    int count = -1;
    if (sqlite3_open_v2(database.c_str(), &handle, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK) {
        const auto take = [](void* out, int, char** values, char**) {
            *static_cast<int*>(out) = std::atoi(values[0]);
            return 0;
        };
        sqlite3_exec(handle, sql.c_str(), take, &count, nullptr);
    }
    sqlite3_close_v2(handle);
    return count;
}

class Cell {
  public:
    Cell(Lane& lane, std::string point, Fault fault, int number)
        : lane_(lane),
          point_(std::move(point)),
          fault_(fault),
          task_(make_task(number, lane.image())),
          directory_(lane.directory() + "/cell" + std::to_string(number)),
          prepared_(prepare(directory_)),
          listener_(directory_ + "/point.sock") {
        lane_.daemon().begin_cell(directory_ + "/data", fault_ == Fault::Kill);
        control_.on_session([this](bool send_credentials) { session_opened(send_credentials); });
    }
    ~Cell() {
        agent_.reset();
        ::umount2((directory_ + "/data").c_str(), MNT_DETACH);
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }
    Cell(const Cell&) = delete;
    Cell& operator=(const Cell&) = delete;

    CellResult run(const History* expected) {
        const auto begun = SteadyClock::now();
        start_agent(true);
        const bool ended = live(begun + kCellLimit);
        if (!struck_ && fault_ != Fault::None) problem("the point was not reached");
        if (!ended) {
            problem("not at its end after " + std::to_string(kCellLimit / 1s) + " s: " + what_is_left());
            clear_away();
        }
        const int exit_code = agent_->finish(SIGTERM);
        if (exit_code != 0) problem("the agent ended with " + std::to_string(exit_code) + " on SIGTERM");
        check_database();
        if (std::string wrong = lane_.daemon().wrong_creations({kServer, kEnder}); !wrong.empty()) problem(wrong);
        check_history(expected);
        result_.seconds = std::chrono::duration<double>(SteadyClock::now() - begun).count();
        std::ifstream log(directory_ + "/agent.log");
        result_.agent_log.assign(std::istreambuf_iterator<char>(log), {});
        return std::move(result_);
    }

  private:
    static bool prepare(const std::string& directory) {
        std::filesystem::create_directories(directory + "/data");
        if (::mount("tmpfs", (directory + "/data").c_str(), "tmpfs", 0, "size=8m") != 0) {
            throw std::runtime_error("cannot mount a tmpfs: the matrix must run as root");
        }
        return true;
    }

    void problem(std::string what) { result_.problems.push_back(std::move(what)); }

    void start_agent(bool with_point) {
        std::vector<std::string> environment{"ECS_DATADIR=" + directory_ + "/data",
                                             "ECS_IMAGE_PULL_BEHAVIOR=default",
                                             "ECS_ENABLE_TASK_CPU_MEM_LIMIT=true",
                                             "ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION=1s",
                                             "ECS_CONTAINER_STOP_TIMEOUT=10s",
                                             "ECS_DISABLE_IMAGE_CLEANUP=true",
                                             "ECS_LOGLEVEL=debug"};
        if (with_point && !point_.empty()) {
            environment.push_back("NODEAGENT_TEST_POINT=" + point_);
            environment.push_back("NODEAGENT_TEST_POINT_SOCKET=" + listener_.path());
        }
        for (std::string& setting : lane_.daemon().environment()) environment.push_back(std::move(setting));
        started_at_ = SteadyClock::now();
        agent_ = std::make_unique<AgentProcess>(NODEAGENT_AGENT, control_.endpoint(), directory_,
                                                "unix:///run/docker.sock", std::move(environment));
    }

    // ---- ECS's side of the session; session_opened runs on the control plane's thread

    bool acknowledged() {
        return !control_
                    .frame(
                        [](const json& frame) {
                            return frame.value("type", "") == "AckRequest" &&
                                   frame["message"].value("messageId", "") == kPayloadId;
                        },
                        0s)
                    .is_null();
    }

    void session_opened(bool send_credentials) {
        if (!acknowledged()) {
            control_.send(payload_frame(task_));
        } else if (send_credentials) {
            control_.send(credentials_frame(task_));
        }
        control_.send(manifest_frame(task_, ++timeline_, reported("STOPPED") ? "STOPPED" : "RUNNING"));
    }

    void send_payload_again() {
        if (acknowledged_) return;
        acknowledged_ = acknowledged();
        const auto now = SteadyClock::now();
        if (acknowledged_ || now < payload_again_at_) return;
        if (payload_again_at_ != SteadyClock::time_point()) control_.send(payload_frame(task_));
        payload_again_at_ = now + kPayloadAgainAfter;
    }

    bool reported(const std::string& status) { return !control_.report_of(task_.arn, status, 0s).is_null(); }

    // ---- the life of the task

    bool live(SteadyClock::time_point deadline) {
        while (SteadyClock::now() < deadline) {
            if (!struck_ && listener_.arrived()) strike();
            lift();
            send_payload_again();
            if (!told_to_end_ && reported("RUNNING")) tell_to_end();
            if (told_to_end_ && reported("STOPPED") && !lift_at_ && (struck_ || fault_ == Fault::None) &&
                what_is_left().empty()) {
                return true;
            }
            std::this_thread::sleep_for(kGlance);
        }
        return false;
    }

    void strike() {
        struck_ = true;
        switch (fault_) {
            case Fault::None: return listener_.answer("go");
            case Fault::Kill:
                agent_->finish(SIGKILL);
                listener_.answer("");
                return start_agent(false);
            case Fault::Daemon:
                lane_.daemon().note_creations();
                // What is under way ends first: a daemon that dies inside a start may keep the host port for itself,
                // which is not between two effects, and which no agent can mend.
                std::this_thread::sleep_for(kDaemonSettles);
                lane_.daemon().kill();
                listener_.answer("go");
                return lane_.daemon().start();
            case Fault::Api500: return fail_calls(ApiFault::InternalError);
            case Fault::Throttling: return fail_calls(ApiFault::Throttling);
            case Fault::Silence: return fail_calls(ApiFault::Silence);
            case Fault::LostAnswer: return fail_calls(ApiFault::LostAnswer);
            case Fault::Websocket: control_.cut(""); return listener_.answer("go");
            case Fault::DiskFull: {
                const Fd file(::open((directory_ + "/data/filler").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
                const std::string block(4096, 'x');
                while (::write(file.get(), block.data(), block.size()) > 0) continue;
                lift_at_ = SteadyClock::now() + kFaultLasts;
                return listener_.answer("go");
            }
            case Fault::ClockBack: return listener_.answer("go -3600");
        }
    }

    void fail_calls(ApiFault fault) {
        control_.fail_calls(fault);
        lift_at_ = SteadyClock::now() + kFaultLasts;
        listener_.answer("go");
    }

    void lift() {
        if (!lift_at_ || SteadyClock::now() < *lift_at_) return;
        lift_at_.reset();
        control_.fail_calls(ApiFault::None);
        std::error_code ignored;
        std::filesystem::remove(directory_ + "/data/filler", ignored);
    }

    /// Once the task runs: its role must answer; then the file that ender waits for.
    void tell_to_end() {
        if (!credentials_deadline_) credentials_deadline_ = SteadyClock::now() + kCredentialsWithin;
        const bool answers =
            get(kCredentialsPort, "/v2/credentials/" + task_.credentials_id).find(kAccessKey) != std::string::npos;
        if (!answers && SteadyClock::now() < *credentials_deadline_) return;
        if (!answers) problem("the task role's credentials are not answered");
        const std::string volume = lane_.daemon().volume_folder(kSharedVolume);
        if (volume.empty()) return;
        std::ofstream(volume + "/end") << "now";
        told_to_end_ = true;
    }

    // ---- the verdict

    /// What of the task is still on the host; "" when nothing is.
    std::string what_is_left() {
        std::error_code ignored;
        for (const char* controller : {"memory", "cpu", "pids", "unified", "."}) {
            const std::string path = std::string("/sys/fs/cgroup/") + controller + "/ecs/" + task_.id;
            if (std::filesystem::exists(path, ignored)) return "cgroup " + path;
        }
        try {
            if (std::string left = lane_.daemon().left(); !left.empty()) return left;
        } catch (const std::exception& failure) {
            return std::string("the runtime does not tell: ") + failure.what();
        }
        if (!control_.session_since(started_at_, 0s)) return "the agent, which has no session";
        const std::string tasks = get(kIntrospectionPort, "/v1/tasks");
        if (tasks.find(" 200 ") == std::string::npos) return "the agent, which does not tell its tasks";
        if (tasks.find(task_.arn) != std::string::npos) return "the agent's task";
        return {};
    }

    /// So that a cell that failed does not fail the next one.
    void clear_away() {
        lift_at_ = SteadyClock::now();
        lift();
        try {
            lane_.daemon().clear_away();
        } catch (const std::exception& failure) {
            problem(std::string("cannot clear away: ") + failure.what());
        }
    }

    void check_database() {
        const std::string database = directory_ + "/data/ecs-node-agent.db";
        const int tasks = rows(database, "SELECT count(*) FROM record WHERE shelf = " +
                                             std::to_string(static_cast<int>(engine::Shelf::Tasks)));
        if (tasks != 0) problem(std::to_string(tasks) + " rows of tasks are left in the database");
        const int damaged = rows(database, "SELECT count(*) FROM damaged");
        if (damaged != 0) problem(std::to_string(damaged) + " damaged rows are in the database");
    }

    void check_history(const History* expected) {
        std::vector<json> submissions;
        for (json& body : control_.calls("SubmitTaskStateChange")) {
            if (body.value("task", "") == task_.arn) submissions.push_back(std::move(body));
        }
        result_.history = history_of(submissions);
        for (const std::string& one : result_.history.contradictions) problem(one);
        if (expected != nullptr && !(result_.history == *expected)) problem("the reported history differs");
        if (result_.history.repetitions > 0 && !may_repeat(fault_)) {
            problem(std::to_string(result_.history.repetitions) + " changes were reported again after their answer");
        }
        const auto other = control_.frame(
            [](const json& frame) { return frame.value("type", "") == "TaskStopVerificationMessage"; }, 0s);
        if (!other.is_null()) problem("the agent offered to stop a task that ECS lists");
    }

    Lane& lane_;
    const std::string point_;
    const Fault fault_;
    const TaskOfCell task_;
    const std::string directory_;
    const bool prepared_;
    PointListener listener_;
    std::atomic<int> timeline_ = 1;  ///< the payload has 1
    ControlPlane control_;
    std::unique_ptr<AgentProcess> agent_;
    SteadyClock::time_point started_at_;
    bool struck_ = false;
    bool told_to_end_ = false;
    bool acknowledged_ = false;
    SteadyClock::time_point payload_again_at_;
    std::optional<SteadyClock::time_point> lift_at_;
    std::optional<SteadyClock::time_point> credentials_deadline_;
    CellResult result_;
};

}  // namespace

CellResult run_cell(Lane& lane, const std::string& point, Fault fault, const History* expected, int number) {
    return Cell(lane, point, fault, number).run(expected);
}

}  // namespace nodeagent::crash_matrix
