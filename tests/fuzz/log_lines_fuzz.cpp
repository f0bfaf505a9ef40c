// Bytes of a pipe -> lines -> events -> a request, which must be JSON within the service's limits.
#include "agent/base/json.hpp"
#include "runtime/logs/events.hpp"
#include "runtime/logs/splitter.hpp"
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace nodeagent::runtime::logs;
    static const auto memory = *SharedMemory::make(4096);
    InputState& input = memory->state().inputs[0];
    input.filled = 0;
    input.partial_id = 0;
    Batch batch;
    const auto publish = [&] {
        if (batch.empty()) return;
        const auto request = nodeagent::parse_json(batch.request("g", "s", ""));
        if (!request || (*request)["logEvents"].size() != batch.count()) __builtin_trap();
        for (const auto& event : (*request)["logEvents"]) {
            if (event["message"].get_ref<const std::string&>().size() > kMaxEvent) __builtin_trap();
        }
        batch.clear();
    };
    const auto pattern = compile_pattern("^[0-9]");
    EventMaker maker(size % 2 == 0 ? pattern->get() : nullptr, 5000, batch, publish);
    const std::size_t longest = size % 3 == 0 ? 16 : kMaxEvent;
    Splitter splitter(
        input, Stream::Stdout, longest,
        [&](Message& line) {
            if (line.text.size() > longest) __builtin_trap();
            maker.add(line);
            return true;
        },
        [] {});
    for (std::size_t at = 0; at < size;) {
        const std::size_t count = std::min({size - at, std::size_t{97}, input.input.size()});
        std::copy_n(reinterpret_cast<const char*>(data) + at, count, input.input.data());
        input.begin = 0;
        input.end = static_cast<std::uint32_t>(count);
        if (!splitter.run(1'000'000'000)) __builtin_trap();
        at += count;
    }
    splitter.end(2'000'000'000);
    maker.end();
    publish();
    (void)decode_config({reinterpret_cast<const char*>(data), size});
    return 0;
}
