#pragma once
// An image of one program as the archive that Backend::load_image takes, the form of `docker save`. Pure and
// repeatable: the same program gives the same bytes, hence the same image id.

#include <string>
#include <string_view>

namespace nodeagent::runtime {

/// `name` with tag; `program` becomes /`file`, executable, and the image's entry point.
[[nodiscard]] std::string image_archive(std::string_view name, std::string_view file, std::string_view program);

}  // namespace nodeagent::runtime
