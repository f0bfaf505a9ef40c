#pragma once
// The task of a cell and the ACS frames about it.

#include <string>

namespace nodeagent::crash_matrix {

inline constexpr const char* kServer = "server";
inline constexpr const char* kEnder = "ender";
inline constexpr const char* kSharedVolume = "shared";
inline constexpr const char* kPayloadId = "payload-1";
inline constexpr const char* kAccessKey = "ASIAMATRIX";

struct TaskOfCell {
    std::string arn;
    std::string id;  ///< last part of the ARN, name of its cgroup
    std::string credentials_id;
    std::string image;
};

/// `number` makes its names unique.
[[nodiscard]] TaskOfCell make_task(int number, const std::string& image);

/// ACS text frames. The payload has sequence number 1, a manifest's `timeline` must be larger.
[[nodiscard]] std::string payload_frame(const TaskOfCell& task);
[[nodiscard]] std::string credentials_frame(const TaskOfCell& task);
[[nodiscard]] std::string manifest_frame(const TaskOfCell& task, int timeline, const std::string& desired_status);

}  // namespace nodeagent::crash_matrix
