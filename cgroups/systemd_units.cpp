#include "cgroups/systemd_units.hpp"

#include <dlfcn.h>
#include <systemd/sd-bus.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <string_view>

#include "agent/base/shared_library.hpp"

namespace nodeagent::cgroups {

namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::steady_clock;

// The functions of libsystemd that we use, by their own names.
struct SdBus {
    decltype(&::sd_bus_new) create = nullptr;
    decltype(&::sd_bus_open_system) open_system = nullptr;
    decltype(&::sd_bus_set_address) set_address = nullptr;
    decltype(&::sd_bus_start) start = nullptr;
    decltype(&::sd_bus_flush_close_unref) close = nullptr;
    decltype(&::sd_bus_match_signal) match_signal = nullptr;
    decltype(&::sd_bus_message_new_method_call) new_call = nullptr;
    decltype(&::sd_bus_message_append) append = nullptr;
    decltype(&::sd_bus_message_open_container) open_container = nullptr;
    decltype(&::sd_bus_message_close_container) close_container = nullptr;
    decltype(&::sd_bus_message_read) read = nullptr;
    decltype(&::sd_bus_message_unref) unref = nullptr;
    decltype(&::sd_bus_call) call = nullptr;
    decltype(&::sd_bus_process) process = nullptr;
    decltype(&::sd_bus_wait) wait = nullptr;
    decltype(&::sd_bus_error_free) error_free = nullptr;
    bool loaded = false;
};

const SdBus& sd_bus_library() {
    static SdBus functions;
    static std::once_flag once;
    std::call_once(once, [] {
        void* library = ::dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
        if (library == nullptr) return;
        SdBus& f = functions;
        f.loaded =
            find_function(library, f.create, "sd_bus_new") &&
            find_function(library, f.open_system, "sd_bus_open_system") &&
            find_function(library, f.set_address, "sd_bus_set_address") &&
            find_function(library, f.start, "sd_bus_start") &&
            find_function(library, f.close, "sd_bus_flush_close_unref") &&
            find_function(library, f.match_signal, "sd_bus_match_signal") &&
            find_function(library, f.new_call, "sd_bus_message_new_method_call") &&
            find_function(library, f.append, "sd_bus_message_append") &&
            find_function(library, f.open_container, "sd_bus_message_open_container") &&
            find_function(library, f.close_container, "sd_bus_message_close_container") &&
            find_function(library, f.read, "sd_bus_message_read") &&
            find_function(library, f.unref, "sd_bus_message_unref") && find_function(library, f.call, "sd_bus_call") &&
            find_function(library, f.process, "sd_bus_process") && find_function(library, f.wait, "sd_bus_wait") &&
            find_function(library, f.error_free, "sd_bus_error_free");
    });
    return functions;
}

constexpr const char* kSystemd = "org.freedesktop.systemd1";
constexpr const char* kManagerPath = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";

struct FinishedJob {
    std::string path;
    std::string result;
};

// One conversation with the manager. A connection per call: calls are rare and come from any thread of the pool.
class Conversation {
  public:
    Conversation(const SdBus& bus, std::chrono::seconds limit) : sd_(bus), deadline_(steady_clock::now() + limit) {}
    ~Conversation() {
        if (message_ != nullptr) sd_.unref(message_);
        if (reply_ != nullptr) sd_.unref(reply_);
        if (bus_ != nullptr) sd_.close(bus_);
        sd_.error_free(&error_);
    }
    Conversation(const Conversation&) = delete;
    Conversation& operator=(const Conversation&) = delete;

    Result<void> connect(const std::string& address) {
        int r = 0;
        if (address.empty()) {
            r = sd_.open_system(&bus_);
        } else {
            r = sd_.create(&bus_);
            if (r >= 0) r = sd_.set_address(bus_, address.c_str());
            if (r >= 0) r = sd_.start(bus_);
        }
        if (r < 0) {
            Error error = failure("connect to systemd", r);
            error.kind = ErrorKind::Unavailable;
            error.what += address.empty() ? "; is dbus running? (apt-get install dbus)" : "";
            return error;
        }
        // Without Subscribe systemd tells nobody when jobs end.
        r = sd_.match_signal(bus_, nullptr, nullptr, kManagerPath, kManager, "JobRemoved",
                             &Conversation::on_job_removed, this);
        if (r < 0) return failure("watch systemd's jobs", r);
        if (auto made = begin("Subscribe"); !made) return made;
        return finish("subscribe to systemd's jobs");
    }

    Result<void> begin(const char* method) {
        if (message_ != nullptr) message_ = sd_.unref(message_);
        const int r = sd_.new_call(bus_, &message_, kSystemd, kManagerPath, kManager, method);
        if (r < 0) return failure(std::string("call systemd's ") + method, r);
        return {};
    }

    Result<void> finish(const std::string& doing) {
        if (reply_ != nullptr) reply_ = sd_.unref(reply_);
        sd_.error_free(&error_);
        error_ = sd_bus_error{};
        const int r = sd_.call(bus_, message_, remaining_us(), &error_, &reply_);
        if (r < 0) return failure(doing, r);
        return {};
    }

    // The job that the last reply names, until it has ended.
    Result<void> wait_for_job(const std::string& doing) {
        const char* path = nullptr;
        if (const int r = sd_.read(reply_, "o", &path); r < 0) return failure(doing, r);
        const std::string job = path;
        for (;;) {
            for (const FinishedJob& finished : finished_) {
                if (finished.path != job) continue;
                if (finished.result == "done" || finished.result == "skipped") return {};
                return Error{.kind = ErrorKind::Unavailable,
                             .what = doing + ": systemd's job ended as \"" + finished.result + "\""};
            }
            int r = sd_.process(bus_, nullptr);
            if (r > 0) continue;
            const std::uint64_t left = remaining_us();
            if (r == 0 && left <= 1) {
                return Error{.kind = ErrorKind::Timeout, .what = doing + ": systemd did not finish the job in time"};
            }
            if (r == 0) r = sd_.wait(bus_, left);
            if (r < 0) return failure(doing, r);
        }
    }

    [[nodiscard]] bool refused_with(std::string_view name) const {
        return error_.name != nullptr && name == error_.name;
    }
    [[nodiscard]] sd_bus_message* message() const { return message_; }

    Error failure(const std::string& doing, int negative_errno) const {
        Error error = from_error_code(doing, std::error_code(-negative_errno, std::generic_category()));
        if (error_.name != nullptr) {
            error.what =
                doing + ": " + error_.name + (error_.message != nullptr ? std::string(": ") + error_.message : "");
        }
        return error;
    }

  private:
    static int on_job_removed(sd_bus_message* signal, void* self, sd_bus_error*) {
        auto& conversation = *static_cast<Conversation*>(self);
        std::uint32_t id = 0;
        const char *job = nullptr, *unit = nullptr, *result = nullptr;
        if (conversation.sd_.read(signal, "uoss", &id, &job, &unit, &result) >= 0) {
            conversation.finished_.push_back({.path = job, .result = result});
        }
        return 0;
    }

    [[nodiscard]] std::uint64_t remaining_us() const {
        const auto left = duration_cast<microseconds>(deadline_ - steady_clock::now()).count();
        return left > 0 ? static_cast<std::uint64_t>(left) : 1;  // 0 would mean the library's default
    }

    const SdBus& sd_;
    steady_clock::time_point deadline_;
    sd_bus* bus_ = nullptr;
    sd_bus_message* message_ = nullptr;
    sd_bus_message* reply_ = nullptr;
    sd_bus_error error_{};
    std::vector<FinishedJob> finished_;
};

class DBusSystemdUnits final : public SystemdUnits {
  public:
    DBusSystemdUnits(std::string address, std::chrono::seconds job_timeout)
        : address_(std::move(address)), job_timeout_(job_timeout) {}

    Result<void> start_slice(const std::string& name, const SliceProperties& properties) override {
        const SdBus& sd = sd_bus_library();
        if (!sd.loaded) return library_missing();
        const std::string doing = "start slice " + name;
        Conversation talk(sd, job_timeout_);
        if (auto connected = talk.connect(address_); !connected)
            return with_context(doing, std::move(connected).error());
        if (auto begun = talk.begin("StartTransientUnit"); !begun) return with_context(doing, std::move(begun).error());
        if (const int r = append_slice(sd, talk.message(), name, properties); r < 0) return talk.failure(doing, r);
        if (auto called = talk.finish(doing); !called) {
            if (talk.refused_with("org.freedesktop.systemd1.UnitExists")) return {};
            return called;
        }
        return talk.wait_for_job(doing);
    }

    Result<void> stop_unit(const std::string& name) override {
        const SdBus& sd = sd_bus_library();
        if (!sd.loaded) return library_missing();
        const std::string doing = "stop unit " + name;
        Conversation talk(sd, job_timeout_);
        if (auto connected = talk.connect(address_); !connected)
            return with_context(doing, std::move(connected).error());
        if (auto begun = talk.begin("StopUnit"); !begun) return with_context(doing, std::move(begun).error());
        if (const int r = sd.append(talk.message(), "ss", name.c_str(), "replace"); r < 0)
            return talk.failure(doing, r);
        if (auto called = talk.finish(doing); !called) {
            if (talk.refused_with("org.freedesktop.systemd1.NoSuchUnit")) return {};
            return called;
        }
        return talk.wait_for_job(doing);
    }

  private:
    static Error library_missing() {
        return Error{.kind = ErrorKind::Unavailable,
                     .what = "talk to systemd: libsystemd.so.0 cannot be loaded: apt-get install libsystemd0"};
    }

    // ss a(sv) a(sa(sv)): name, mode, properties, no auxiliary units
    static int append_slice(const SdBus& sd, sd_bus_message* message, const std::string& name,
                            const SliceProperties& properties) {
        int r = sd.append(message, "ss", name.c_str(), "replace");
        if (r >= 0) r = sd.open_container(message, 'a', "(sv)");
        const auto flag = [&](const char* property, int value) {
            if (r >= 0) r = sd.append(message, "(sv)", property, "b", value);
        };
        if (r >= 0) r = sd.append(message, "(sv)", "Description", "s", properties.description.c_str());
        flag("DefaultDependencies", 0);
        flag("MemoryAccounting", 1);
        flag("CPUAccounting", 1);
        flag("IOAccounting", 1);
        if (properties.tasks_accounting) flag("TasksAccounting", 1);
        if (r >= 0) r = sd.append(message, "(sv)", "Wants", "as", 1, "system.slice");
        for (const auto& [property, value] : properties.numbers) {
            if (r >= 0) r = sd.append(message, "(sv)", property.c_str(), "t", value);
        }
        if (r >= 0) r = sd.close_container(message);
        if (r >= 0) r = sd.append(message, "a(sa(sv))", 0);
        return r;
    }

    std::string address_;
    std::chrono::seconds job_timeout_;
};

}  // namespace

std::unique_ptr<SystemdUnits> make_systemd_units(std::string address, std::chrono::seconds job_timeout) {
    return std::make_unique<DBusSystemdUnits>(std::move(address), job_timeout);
}

}  // namespace nodeagent::cgroups
