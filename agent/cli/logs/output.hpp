#pragma once
// Standard output and error of `ecs-node logs`: what goes to both keeps its order.

#include <string>
#include <string_view>

namespace nodeagent::cli {

class LogOutput {
  public:
    LogOutput(int out, int err);
    [[nodiscard]] bool terminal(bool error) const { return error ? err_terminal_ : out_terminal_; }
    /// A reader that has gone ends the process as SIGPIPE would, without a word; what cannot be written otherwise ends
    /// it with 1.
    void write(bool error, std::string_view text);
    void flush();
    /// Whether who reads standard output has gone, though nothing was written.
    [[nodiscard]] bool reader_gone() const;

  private:
    void write_now(int to, std::string_view text);
    int out_, err_;
    bool out_terminal_, err_terminal_;
    std::string waiting_;
    bool waiting_is_error_ = false;
};

/// 128 + SIGPIPE: what a shell shows of a program that the signal has ended.
inline constexpr int kPipeClosed = 141;

}  // namespace nodeagent::cli
