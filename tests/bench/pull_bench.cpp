// Pulls a 200 MB image of 8 layers from a docker-registry on loopback into a containerd of its own, with ours and with
// `ctr images pull`, in turn; both unpack. The figure: ours over ctr's, of the medians.
//   pull_bench [--dir DIR] [--runs 3] [--megabytes 200] [--layers 8] [--parallel 3]
// DIR must be on a disk that overlayfs can use. Root, Debian's containerd and docker-registry.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "agent/base/random.hpp"
#include "runtime/containerd/images/image_store.hpp"
#include "tests/harness/containerd_process.hpp"
#include "tests/harness/registry_push.hpp"
#include "tests/integration/docker_backend/tar.hpp"
#include "tests/integration/docker_registry/registry.hpp"

namespace nodeagent::bench {
namespace {

using Steady = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

struct Options {
    std::string parent = "/var/tmp";
    std::size_t runs = 3, megabytes = 200, layers = 8, parallel = 3;
};

/// Like programs are: half of it compresses well.
std::string file_content(std::size_t size, Random& random) {
    std::string out(size, '\0');
    for (std::size_t at = 0; at + 8 <= size; at += 8) {
        const std::uint64_t word = at % 4096 < 2048 ? random() : (at / 64) * 0x0101010101ULL;
        std::memcpy(&out[at], &word, 8);
    }
    return out;
}

fakes::MadeImage make_image(const Options& options) {
    Random random(7);
    std::vector<fakes::MadeLayer> layers;
    const std::size_t per_layer = (options.megabytes << 20U) / options.layers;
    constexpr std::size_t kFile = std::size_t{256} << 10U;
    for (std::size_t layer = 0; layer < options.layers; ++layer) {
        runtime::docker::Tar tar;
        for (std::size_t file = 0; file * kFile < per_layer; ++file) {
            tar.file("layer" + std::to_string(layer) + "/file" + std::to_string(file), file_content(kFile, random));
        }
        layers.push_back(fakes::gzip_layer(tar.finish()));
    }
    return fakes::make_image(std::move(layers));
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/// Nothing of the image is in the namespace any more, and the collector is done.
void forget(runtime::containerd::Client& client) {
    const auto images = client.list_images();
    if (!images) throw std::runtime_error(images.error().what);
    for (std::size_t i = 0; i < images->size(); ++i) {
        (void)client.delete_image((*images)[i].name, i + 1 == images->size());
    }
}

double ours(const test::ContainerdProcess& daemon, const std::string& reference, const Options& options) {
    const auto client = daemon.connect("ecs");
    (void)client->make_namespace();
    forget(*client);
    runtime::containerd::ImageStoreOptions settings;
    settings.layers_parallel = options.parallel;
    runtime::containerd::ImageStore store(client, settings);
    const auto began = Steady::now();
    const auto pulled = store.pull(reference, {}, {}, {}, {});
    const double took = Seconds(Steady::now() - began).count();
    if (!pulled) throw std::runtime_error(pulled.error().what);
    forget(*client);
    return took;
}

double theirs(const test::ContainerdProcess& daemon, const std::string& reference) {
    const auto client = daemon.connect("other");
    (void)client->make_namespace();
    forget(*client);
    const std::string command =
        "ctr -a " + daemon.socket() + " -n other images pull --plain-http " + reference + " >/dev/null";
    const auto began = Steady::now();
    if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
    const double took = Seconds(Steady::now() - began).count();
    forget(*client);
    return took;
}

int run(const Options& options) {
    std::string folder = options.parent + "/pull-bench.XXXXXX";
    if (::mkdtemp(folder.data()) == nullptr) throw std::runtime_error("no folder in " + options.parent);
    int failed = 0;
    {
        const fakes::MadeImage image = make_image(options);
        std::size_t compressed = 0;
        for (const auto& layer : image.layers) compressed += layer.blob.size();
        const runtime::docker::Registry registry{runtime::docker::Registry::Open{}};
        test::RegistryPush(registry.address(), "bench/image", {}).push("1", image);
        const std::string reference = registry.address() + "/bench/image:1";
        test::ContainerdProcess daemon(folder);
        std::vector<double> we, they;
        for (std::size_t i = 0; i <= options.runs; ++i) {
            const double a = ours(daemon, reference, options);
            const double b = theirs(daemon, reference);
            std::printf("%s  ours %.2f s  ctr %.2f s\n", i == 0 ? "warm-up" : "run    ", a, b);
            if (i == 0) continue;
            we.push_back(a);
            they.push_back(b);
        }
        std::printf("%zu MB in %zu layers (%zu MB compressed): ours %.2f s, ctr %.2f s, ratio %.2f\n",
                    options.megabytes, options.layers, compressed >> 20U, median(we), median(they),
                    median(we) / median(they));
        failed = median(we) > median(they) ? 1 : 0;
    }
    std::filesystem::remove_all(folder);
    return failed;
}

}  // namespace
}  // namespace nodeagent::bench

int main(int count, char** arguments) {
    nodeagent::bench::Options options;
    for (int i = 1; i + 1 < count; i += 2) {
        const std::string name = arguments[i];
        if (name == "--dir") options.parent = arguments[i + 1];
        if (name == "--runs") options.runs = std::stoul(arguments[i + 1]);
        if (name == "--megabytes") options.megabytes = std::stoul(arguments[i + 1]);
        if (name == "--layers") options.layers = std::stoul(arguments[i + 1]);
        if (name == "--parallel") options.parallel = std::stoul(arguments[i + 1]);
    }
    try {
        return nodeagent::bench::run(options);
    } catch (const std::exception& failure) {
        std::cerr << failure.what() << '\n';
        return 2;
    }
}
