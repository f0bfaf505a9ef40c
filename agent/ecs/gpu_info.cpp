#include "agent/ecs/gpu_info.hpp"

#include "agent/base/files.hpp"
#include "agent/base/json.hpp"

namespace nodeagent::ecs {

namespace {

struct GpuInfoFile {
    std::string driver_version;
    std::vector<std::string> ids;
    static constexpr auto json_fields() {
        return std::tuple{optional_field("DriverVersion", &GpuInfoFile::driver_version),
                          optional_field("GPUIDs", &GpuInfoFile::ids)};
    }
};

}  // namespace

Result<std::optional<GpuInfo>> read_gpu_info(const std::string& path) {
    using Found = std::optional<GpuInfo>;
    const Result<std::string> text = read_file(path);
    if (!text && text.error().kind == ErrorKind::NotFound) return Found();
    if (!text) return with_context("read which GPUs this host has", text.error());
    Result<GpuInfoFile> file = decode<GpuInfoFile>(*text);
    if (!file) {
        Error error = with_context("read which GPUs this host has from " + path, std::move(file).error());
        error.what += "; remove that file and let host set-up write it again, or set ECS_ENABLE_GPU_SUPPORT=false";
        return error;
    }
    return Found(GpuInfo{.driver_version = std::move(file->driver_version), .ids = std::move(file->ids)});
}

}  // namespace nodeagent::ecs
