#pragma once
// busybox as an archive of `docker save`, made here.

#include <openssl/sha.h>

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "agent/base/json.hpp"
#include "agent/base/strings.hpp"
#include "tests/integration/docker_backend/tar.hpp"

namespace nodeagent::runtime::containerd {

inline std::string sha256_hex(std::string_view bytes) {
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
    return hex(std::string_view(reinterpret_cast<const char*>(digest), sizeof digest));
}

inline std::string busybox_layer() {
    std::ifstream file("/bin/busybox", std::ios::binary);
    const std::string busybox((std::istreambuf_iterator<char>(file)), {});
    if (busybox.empty()) throw std::runtime_error("/bin/busybox is missing: apt-get install busybox-static");
    docker::Tar tar;
    tar.file("bin/busybox", busybox);
    for (const char* applet : {"sh", "sleep", "echo", "cat", "env", "tail", "true", "false", "httpd", "id", "wget",
                               "ls", "hostname", "ip", "mount", "dd", "yes", "nslookup", "kill"}) {
        tar.link(std::string("bin/") + applet, "busybox");
    }
    tar.file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n");
    tar.file("etc/group", "root:x:0:\napp:x:1000:\nextra:x:2000:app\n");
    return tar.finish();
}

/// `config` is merged over the image's configuration ({"Cmd": ...}).
inline std::string saved_busybox(const std::string& name, const Json& config = Json::object()) {
    static const std::string layer = busybox_layer();
    Json image = Json::object();
    image["architecture"] = "amd64";
    image["os"] = "linux";
    image["created"] = "2026-01-02T03:04:05Z";
    image["config"] = Json::object({{"Cmd", Json::array({"sh"})}, {"Env", Json::array({"PATH=/bin"})}});
    image["config"].update(config);
    image["rootfs"]["type"] = "layers";
    image["rootfs"]["diff_ids"] = Json::array({"sha256:" + sha256_hex(layer)});
    const std::string document = dump_json(image);
    const std::string config_name = sha256_hex(document) + ".json";
    Json manifest = Json::object();
    manifest["Config"] = config_name;
    manifest["RepoTags"] = Json::array({name});
    manifest["Layers"] = Json::array({"layer.tar"});
    docker::Tar tar;
    tar.file(config_name, document);
    tar.file("layer.tar", layer);
    tar.file("manifest.json", dump_json(Json::array({manifest})));
    return tar.finish();
}

}  // namespace nodeagent::runtime::containerd
