// The D-Bus conversation, against a peer on a socket that plays systemd's manager.

#include "cgroups/systemd_units.hpp"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "agent/base/fd.hpp"
#include "tests/fakes/temp_directory.hpp"

namespace nodeagent::cgroups {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Answers one connection on a thread of its own, until the client leaves.
class Manager {
  public:
    explicit Manager(std::string job_result, std::string refusal = {})
        : job_result_(std::move(job_result)), refusal_(std::move(refusal)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, (directory_ + "/bus").c_str(), sizeof address.sun_path - 1);
        listener_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::listen(listener_.get(), 1), 0);
        thread_ = std::thread([this] { serve(); });
    }
    ~Manager() {
        ::shutdown(listener_.get(), SHUT_RDWR);
        if (thread_.joinable()) thread_.join();
    }
    [[nodiscard]] std::string address() const { return "unix:path=" + (directory_ + "/bus"); }
    std::vector<std::string> finish() {
        thread_.join();
        return calls_;
    }

  private:
    void serve() {
        Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!client) return;
        sd_bus* bus = nullptr;
        sd_id128_t id{};
        id.bytes[0] = 1;
        sd_bus_new(&bus);
        const int fd = client.release();
        sd_bus_set_fd(bus, fd, fd);
        sd_bus_set_server(bus, 1, id);
        sd_bus_set_anonymous(bus, 1);
        sd_bus_start(bus);
        for (;;) {
            sd_bus_message* message = nullptr;
            const int r = sd_bus_process(bus, &message);
            if (r < 0) break;
            if (message != nullptr) answer(bus, message);
            sd_bus_message_unref(message);
            if (r == 0 && sd_bus_wait(bus, 10'000'000) <= 0) break;
        }
        sd_bus_unref(bus);
    }

    void answer(sd_bus* bus, sd_bus_message* message) {
        const char* member = sd_bus_message_get_member(message);
        if (member == nullptr || sd_bus_message_is_method_call(message, nullptr, nullptr) == 0) return;
        if (std::strcmp(member, "Subscribe") == 0) {
            sd_bus_reply_method_return(message, "");
            return;
        }
        record(message, member);
        if (!refusal_.empty()) {
            sd_bus_error error = SD_BUS_ERROR_MAKE_CONST(refusal_.c_str(), "no");
            sd_bus_reply_method_error(message, &error);
            return;
        }
        sd_bus_reply_method_return(message, "o", "/org/freedesktop/systemd1/job/7");
        sd_bus_emit_signal(bus, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "JobRemoved", "uoss",
                           6, "/org/freedesktop/systemd1/job/6", "other.slice", "failed");
        sd_bus_emit_signal(bus, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "JobRemoved", "uoss",
                           7, "/org/freedesktop/systemd1/job/7", "some.slice", job_result_.c_str());
    }

    void record(sd_bus_message* message, const char* member) {
        const char *name = nullptr, *mode = nullptr;
        sd_bus_message_read(message, "ss", &name, &mode);
        std::string call = std::string(member) + " " + name + " " + mode;
        if (std::strcmp(member, "StartTransientUnit") == 0) {
            sd_bus_message_enter_container(message, 'a', "(sv)");
            while (sd_bus_message_enter_container(message, 'r', "sv") > 0) {
                const char* property = nullptr;
                sd_bus_message_read(message, "s", &property);
                call += std::string(" ") + property + "=" + value(message);
                sd_bus_message_exit_container(message);
            }
        }
        calls_.push_back(call);
    }

    static std::string value(sd_bus_message* message) {
        const char* type = nullptr;
        sd_bus_message_peek_type(message, nullptr, &type);
        const std::string kind = type;
        if (kind == "b") {
            int flag = 0;
            sd_bus_message_read(message, "v", "b", &flag);
            return flag != 0 ? "yes" : "no";
        }
        if (kind == "t") {
            std::uint64_t number = 0;
            sd_bus_message_read(message, "v", "t", &number);
            return std::to_string(number);
        }
        const char* text = nullptr;
        if (kind == "s") {
            sd_bus_message_read(message, "v", "s", &text);
        } else {
            sd_bus_message_read(message, "v", "as", 1, &text);
        }
        return text;
    }

    std::string job_result_;
    std::string refusal_;
    fakes::TempDirectory directory_;
    Fd listener_;
    std::vector<std::string> calls_;
    std::thread thread_;
};

TEST(SystemdUnits, StartsASliceWithItsPropertiesAndWaitsForTheJob) {
    Manager manager("done");
    const auto systemd = make_systemd_units(manager.address(), std::chrono::seconds(10));
    const auto started = systemd->start_slice(
        "ecstasks-a.slice", {.description = "cgroup a", .numbers = {{"MemoryMax", 1048576}}, .tasks_accounting = true});
    EXPECT_TRUE(started) << started.error().what;
    EXPECT_THAT(manager.finish(),
                ElementsAre("StartTransientUnit ecstasks-a.slice replace Description=cgroup a DefaultDependencies=no "
                            "MemoryAccounting=yes CPUAccounting=yes IOAccounting=yes TasksAccounting=yes "
                            "Wants=system.slice MemoryMax=1048576"));
}

TEST(SystemdUnits, SaysHowAJobEndedThatDidNotGoWell) {
    Manager manager("timeout");
    const auto started = make_systemd_units(manager.address(), std::chrono::seconds(10))->start_slice("a.slice", {});
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().what, HasSubstr("\"timeout\""));
}

TEST(SystemdUnits, TakesASliceThatExistsAsItIs) {
    Manager manager("done", "org.freedesktop.systemd1.UnitExists");
    EXPECT_TRUE(make_systemd_units(manager.address(), std::chrono::seconds(10))->start_slice("a.slice", {}));
}

TEST(SystemdUnits, PassesOnWhySystemdRefuses) {
    Manager manager("done", "org.freedesktop.DBus.Error.AccessDenied");
    const auto started = make_systemd_units(manager.address(), std::chrono::seconds(10))->start_slice("a.slice", {});
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().kind, ErrorKind::Denied);
    EXPECT_THAT(started.error().what, HasSubstr("AccessDenied"));
}

TEST(SystemdUnits, StopsAUnitAndDoesNotMindOneThatIsGone) {
    Manager manager("done");
    EXPECT_TRUE(make_systemd_units(manager.address(), std::chrono::seconds(10))->stop_unit("a.slice"));
    EXPECT_THAT(manager.finish(), ElementsAre("StopUnit a.slice replace"));
    Manager forgetful("done", "org.freedesktop.systemd1.NoSuchUnit");
    EXPECT_TRUE(make_systemd_units(forgetful.address(), std::chrono::seconds(10))->stop_unit("a.slice"));
}

TEST(SystemdUnits, AreUnavailableWhereNobodyListens) {
    const auto stopped =
        make_systemd_units("unix:path=/nonexistent/bus", std::chrono::seconds(1))->stop_unit("a.slice");
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().kind, ErrorKind::Unavailable);
}

}  // namespace
}  // namespace nodeagent::cgroups
