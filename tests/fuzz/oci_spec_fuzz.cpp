// Config and HostConfig of a payload, two JSON texts with a NUL between them, merged as the agent merges them and made
// into an OCI document; after a second NUL an image's passwd and group.
#include "agent/base/json.hpp"
#include "agent/engine/spec/docker_documents.hpp"
#include "runtime/containerd/mount_words.hpp"
#include "runtime/containerd/oci/documents.hpp"
#include "runtime/containerd/oci/exec_process.hpp"
#include "runtime/containerd/oci/mount_options.hpp"
#include "runtime/containerd/oci/spec.hpp"
#include "tests/fakes/fake_devices.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace nodeagent;
using namespace nodeagent::runtime::containerd;
using fuzz::require;

const fakes::FakeDevices kDevices{
    {{.path = "/dev/null", .major = 1, .minor = 3}, {.path = "/dev/sda", .type = 'b', .major = 8, .minor = 0}}};

void check_spec(const oci::SpecInputs& from) {
    const auto spec = oci::runtime_spec(from);
    if (!spec) {
        require(spec.error().kind == ErrorKind::Malformed && !spec.error().what.empty(), "a refusal says why");
        return;
    }
    const std::string text = dump_json(*spec);
    const auto back = parse_json(text);
    require(back.has_value(), "the document is JSON", text);
    require(!back->at("process").at("args").empty(), "there is something to run", text);
    const std::string cgroup = back->at("linux").at("cgroupsPath").get<std::string>();
    require(from.systemd_cgroup || (cgroup.starts_with('/') && cgroup.find("/../") == std::string::npos),
            "the cgroup stays in the hierarchy", text);
    if (!oci::flag_of(from.host_config, "Privileged")) {
        require(back->at("linux").at("resources").at("devices").front().at("allow") == false,
                "devices are denied first", text);
    }
    require(parse_json(oci::with_command(oci::exec_template(text), {"true"})).has_value(), "an exec is JSON");
}

void check_mounts(const Json& host) {
    for (const std::string& bind : oci::texts_of(host, "Binds")) {
        const auto point = parse_bind(bind, {});
        require(!point || (point->destination.starts_with('/') && point->destination != "/"), "a target is a path",
                bind);
    }
    for (const Json* mount : oci::objects_of(host, "Mounts")) {
        const auto point = parse_mount(*mount);
        require(!point || (point->destination.starts_with('/') && point->destination != "/"), "a target is a path");
    }
    for (const auto& [path, options] : oci::text_map_of(host, "Tmpfs")) (void)oci::tmpfs_options(options);
    for (const std::string& from : oci::texts_of(host, "VolumesFrom")) (void)parse_volumes_from(from);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    std::string_view input = fuzz::text_of(bytes, size);
    const auto next = [&input] {
        const std::size_t nul = input.find('\0');
        const std::string_view part = input.substr(0, nul);
        input = nul == std::string_view::npos ? std::string_view() : input.substr(nul + 1);
        return part;
    };
    Json config = Json::object(), host = Json::object();
    if (!engine::merge_config(config, next()) || !engine::merge_host_config(host, next())) return 0;
    const std::string_view passwd = next(), group = next();

    ImageConfig image;
    image.cmd = {"sh"};
    image.env = {"PATH=/bin"};
    oci::SpecInputs from{.config = config, .host_config = host, .image = image, .devices = kDevices};
    from.container_id = std::string(64, 'a');
    from.init_program = "/init";
    const auto user = oci::resolve_user(oci::user_word(config, image), oci::texts_of(host, "GroupAdd"), passwd, group);
    require(user.has_value() || !user.error().what.empty(), "a refusal says why");
    if (user) from.user = *user;
    from.cgroup_v2 = size % 2 == 0;
    from.systemd_cgroup = size % 3 == 0;
    if (size % 5 != 0) from.netns_path = "/run/netns/x";
    check_spec(from);
    check_mounts(host);
    return 0;
}
