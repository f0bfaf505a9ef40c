#pragma once
// The harness's end of agent/base/test_point.hpp: a unix socket on which the agent announces its point and waits.

#include <string>

#include "agent/base/fd.hpp"

namespace nodeagent::crash_matrix {

class PointListener {
  public:
    /// Listens at `path` (at most 107 bytes); throws std::runtime_error.
    explicit PointListener(std::string path);
    ~PointListener();
    PointListener(const PointListener&) = delete;
    PointListener& operator=(const PointListener&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }
    /// True once, when an agent stands at its point; returns at once.
    bool arrived();
    /// Lets the agent go on ("go", "go -3600"); "" only closes the connection.
    void answer(const std::string& text);

  private:
    std::string path_;
    Fd listener_;
    Fd connection_;
};

}  // namespace nodeagent::crash_matrix
