#include "runtime/containerd/oci/seccomp.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

#include <utility>

#include "agent/base/strings.hpp"
#include "runtime/containerd/oci/capabilities.hpp"
#include "runtime/containerd/oci/documents.hpp"
#include "runtime/containerd/oci/seccomp_profile.hpp"

namespace nodeagent::runtime::containerd::oci {

namespace {

/// When an entry of a profile counts.
struct Condition {
    std::vector<std::string> capabilities, architectures;
    std::optional<std::pair<long long, long long>> kernel;  ///< this one or a later one
};

bool kernel_reached(const SeccompInputs& inputs, const std::pair<long long, long long>& kernel) {
    return std::pair<long long, long long>(inputs.kernel_major, inputs.kernel_minor) >= kernel;
}

bool lists(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_included(const Condition& includes, const SeccompInputs& inputs) {
    const auto held = [&inputs](const std::string& name) { return has_capability(inputs.capabilities, name); };
    if (!includes.architectures.empty() && !lists(includes.architectures, inputs.architecture)) return false;
    if (!std::all_of(includes.capabilities.begin(), includes.capabilities.end(), held)) return false;
    return !includes.kernel || kernel_reached(inputs, *includes.kernel);
}

bool is_excluded(const Condition& excludes, const SeccompInputs& inputs) {
    const auto held = [&inputs](const std::string& name) { return has_capability(inputs.capabilities, name); };
    if (lists(excludes.architectures, inputs.architecture)) return true;
    if (std::any_of(excludes.capabilities.begin(), excludes.capabilities.end(), held)) return true;
    return excludes.kernel && kernel_reached(inputs, *excludes.kernel);
}

/// The architectures a process of this machine's kind can call the kernel as.
struct ArchitectureFamily {
    std::string_view name, own;
    std::vector<std::string_view> others;
};

const std::vector<ArchitectureFamily>& architecture_families() {
    static const std::vector<ArchitectureFamily> kFamilies{
        {"amd64", "SCMP_ARCH_X86_64", {"SCMP_ARCH_X86", "SCMP_ARCH_X32"}},
        {"arm64", "SCMP_ARCH_AARCH64", {"SCMP_ARCH_ARM"}},
        {"s390x", "SCMP_ARCH_S390X", {"SCMP_ARCH_S390"}}};
    return kFamilies;
}

std::string_view seccomp_architecture(std::string_view name) {
    for (const ArchitectureFamily& family : architecture_families()) {
        if (family.name == name) return family.own;
    }
    return {};
}

// ---- the default profile

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    for (const std::string_view word : split(text, ' ')) {
        if (!word.empty()) words.emplace_back(word);
    }
    return words;
}

bool applies(const SeccompRule& rule, const SeccompInputs& inputs) {
    Condition includes{words_of(rule.with_capability), words_of(rule.on_architectures), std::nullopt};
    if (rule.since_major != 0) includes.kernel = {rule.since_major, rule.since_minor};
    const Condition excludes{words_of(rule.without_capability), words_of(rule.not_on_architectures), std::nullopt};
    return is_included(includes, inputs) && !is_excluded(excludes, inputs);
}

Json argument_json(const SeccompArgument& argument) {
    Json out{{"index", argument.index}, {"op", argument.op}, {"value", argument.value}};
    // a masked comparison: (argument & value) == valueTwo
    if (argument.op == std::string_view("SCMP_CMP_MASKED_EQ")) out["valueTwo"] = 0;
    return out;
}

// ---- a profile of the caller's

Error undecodable(const std::string& why) { return malformed("Decoding seccomp profile failed: " + why); }

/// A member of a profile, which is JSON of any shape.
Result<std::vector<std::string>> names_in(const Json& object, std::string_view field) {
    std::vector<std::string> names;
    const Json* member = member_of(object, field);
    if (member == nullptr) return names;
    if (!member->is_array()) return undecodable(std::string(field) + ": expected a list of strings");
    for (const Json& item : *member) {
        if (!item.is_string()) return undecodable(std::string(field) + ": expected a list of strings");
        names.push_back(item.get<std::string>());
    }
    return names;
}

Result<Condition> condition_in(const Json& call, std::string_view field) {
    Condition condition;
    const Json* member = member_of(call, field);
    if (member == nullptr) return condition;
    if (!member->is_object()) return undecodable(std::string(field) + ": expected an object");
    auto capabilities = names_in(*member, "caps");
    if (!capabilities) return capabilities.error();
    auto architectures = names_in(*member, "arches");
    if (!architectures) return architectures.error();
    condition.capabilities = *std::move(capabilities);
    condition.architectures = *std::move(architectures);
    if (const Json* kernel = member_of(*member, "minKernel"); kernel != nullptr) {
        const std::string text = kernel->is_string() ? kernel->get<std::string>() : dump_json(*kernel);
        if (text.empty()) return condition;
        const auto parts = split(text, '.');
        const auto major = parse_integer(parts[0]);
        const auto minor = parts.size() == 2 ? parse_integer(parts[1]) : std::nullopt;
        if (!major || !minor || *major < 0 || *minor < 0 || (*major == 0 && *minor == 0)) {
            return undecodable("invalid kernel version: " + text + ", expected \"<kernel>.<major>\"");
        }
        condition.kernel = {*major, *minor};
    }
    return condition;
}

bool is_whole(const Json* number) {
    return number == nullptr || (number->is_number_integer() && (number->is_number_unsigned() || *number >= 0));
}

Result<Json> arguments_in(const Json& call) {
    Json arguments = Json::array();
    const Json* member = member_of(call, "args");
    if (member == nullptr) return json_result(std::move(arguments));
    if (!member->is_array()) return undecodable("args: expected a list");
    for (const Json& item : *member) {
        if (item.is_null()) continue;
        if (!item.is_object()) return undecodable("args: expected objects");
        Json argument = Json::object();
        for (const std::string_view number : {"index", "value", "valueTwo"}) {
            const Json* value = member_of(item, number);
            if (!is_whole(value)) return undecodable("args: " + std::string(number) + ": expected a number");
            if (value != nullptr) argument[std::string(number)] = *value;
        }
        if (!argument.contains("index")) argument["index"] = 0;
        if (!argument.contains("value")) argument["value"] = 0;
        argument["op"] = text_of(item, "op");
        arguments.push_back(std::move(argument));
    }
    return json_result(std::move(arguments));
}

/// The entry as OCI has it; null when it does not count here.
Result<Json> call_in(const Json& call, const SeccompInputs& inputs) {
    if (!call.is_object()) return undecodable("syscalls: expected objects");
    const auto includes = condition_in(call, "includes");
    if (!includes) return includes.error();
    const auto excludes = condition_in(call, "excludes");
    if (!excludes) return excludes.error();
    if (is_excluded(*excludes, inputs) || !is_included(*includes, inputs)) return json_result(nullptr);
    auto names = names_in(call, "names");
    if (!names) return names.error();
    if (std::string name = text_of(call, "name"); !name.empty()) {
        if (!names->empty()) {
            return malformed("'name' and 'names' were specified in the seccomp profile, use either 'name' or 'names'");
        }
        names->push_back(std::move(name));
    }
    auto arguments = arguments_in(call);
    if (!arguments) return arguments.error();
    Json out{{"names", *std::move(names)}, {"action", text_of(call, "action")}};
    if (!arguments->empty()) out["args"] = *std::move(arguments);
    const Json* number = member_of(call, "errnoRet");
    if (!is_whole(number)) return undecodable("errnoRet: expected a number");
    if (number != nullptr) out["errnoRet"] = *number;
    return json_result(std::move(out));
}

Result<std::vector<std::string>> architectures_in(const Json& profile, const SeccompInputs& inputs) {
    auto names = names_in(profile, "architectures");
    if (!names) return names;
    const std::vector<const Json*> families = objects_of(profile, "archMap");
    if (!names->empty() && !families.empty()) {
        return malformed(
            "'architectures' and 'archMap' were specified in the seccomp profile, use either "
            "'architectures' or 'archMap'");
    }
    for (const Json* family : families) {
        const std::string own = text_of(*family, "architecture");
        if (own.empty() || own != seccomp_architecture(inputs.architecture)) continue;
        auto others = names_in(*family, "subArchitectures");
        if (!others) return others;
        names->push_back(own);
        names->insert(names->end(), others->begin(), others->end());
        break;
    }
    return names;
}

}  // namespace

std::string_view SeccompInputs::native_architecture() {
#if defined(__aarch64__)
    return "arm64";
#elif defined(__s390x__)
    return "s390x";
#else
    return "amd64";
#endif
}

Json default_seccomp(const SeccompInputs& inputs) {
    Json out{{"defaultAction", "SCMP_ACT_ERRNO"}};
    for (const ArchitectureFamily& family : architecture_families()) {
        if (family.name != inputs.architecture) continue;
        out["architectures"] = Json::array({family.own});
        for (const std::string_view other : family.others) out["architectures"].push_back(other);
    }
    Json calls = Json::array();
    for (const SeccompRule& rule : default_seccomp_rules()) {
        if (!applies(rule, inputs)) continue;
        Json call{{"names", words_of(rule.calls)}, {"action", rule.error == 0 ? "SCMP_ACT_ALLOW" : "SCMP_ACT_ERRNO"}};
        if (rule.error != 0) call["errnoRet"] = rule.error;
        if (rule.argument) call["args"] = Json::array({argument_json(*rule.argument)});
        calls.push_back(std::move(call));
    }
    out["syscalls"] = std::move(calls);
    return out;
}

Result<Json> custom_seccomp(std::string_view text, const SeccompInputs& inputs) {
    const auto profile = parse_json(text);
    if (!profile) return undecodable(profile.error().what);
    if (!profile->is_object()) return undecodable("expected an object");
    const std::string action = text_of(*profile, "defaultAction");
    const Json* calls = member_of(*profile, "syscalls");
    if (calls != nullptr && !calls->is_array()) return undecodable("syscalls: expected a list");
    if (action.empty() && (calls == nullptr || calls->empty())) return json_result(nullptr);
    auto architectures = architectures_in(*profile, inputs);
    if (!architectures) return architectures.error();
    Json out{{"defaultAction", action}};
    if (!architectures->empty()) out["architectures"] = *std::move(architectures);
    out["syscalls"] = Json::array();
    if (calls == nullptr) return json_result(std::move(out));
    for (const Json& call : *calls) {
        auto one = call_in(call, inputs);
        if (!one) return one;
        if (!one->is_null()) out["syscalls"].push_back(*std::move(one));
    }
    return json_result(std::move(out));
}

}  // namespace nodeagent::runtime::containerd::oci
