#pragma once
// SHA-256 of bytes as they come, in the notation of digests.

#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace nodeagent::runtime::registry {

class Digester {
  public:
    Digester();
    ~Digester();
    Digester(const Digester&) = delete;
    Digester& operator=(const Digester&) = delete;
    void add(std::string_view bytes);
    /// "sha256:<hex>" of all that was added; once.
    [[nodiscard]] std::string finish();

  private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const;
    };
    std::unique_ptr<evp_md_ctx_st, Free> context_;
};

[[nodiscard]] std::string digest_of(std::string_view bytes);

}  // namespace nodeagent::runtime::registry
