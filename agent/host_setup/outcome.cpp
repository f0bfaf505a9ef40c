#include "agent/host_setup/outcome.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "agent/base/files.hpp"
#include "agent/base/json.hpp"

namespace nodeagent::host_setup {

namespace {

std::string outcome_file(const std::string& folder) { return folder + "/outcome.json"; }

std::string clause(const Finding& finding) {
    // of a family whose rules cannot be read one line says it all
    if (finding.state == State::Unknown && finding.where.starts_with("ip")) return finding.is;
    std::string text = finding.what + " (" + finding.where + "): ";
    text += finding.state == State::OtherKind ? "left there by another kind of iptables; to remove it"
                                              : std::string(to_string(finding.state)) + ", is " + finding.is;
    if (!finding.remedy.empty()) text += (finding.state == State::OtherKind ? ": " : "; ") + finding.remedy;
    return text;
}

}  // namespace

Outcome outcome_of(const Wishes& wishes, const Applied& applied, std::string at) {
    Outcome outcome{.at = std::move(at), .problems = applied.errors, .bridges = wishes.bridges};
    outcome.imds_blocked = wishes.block_imds && !wishes.remove && !wishes.bridges.empty();
    for (const Finding& finding : applied.findings) {
        const bool of_imds = finding.where.find(" raw ") != std::string::npos;
        if (of_imds && finding.state != State::Ok) outcome.imds_blocked = false;
        const bool told_by_an_error = finding.state == State::Missing && !applied.errors.empty();
        if (is_right(finding.state) || told_by_an_error) continue;
        const std::string text = clause(finding);
        if (std::find(outcome.problems.begin(), outcome.problems.end(), text) == outcome.problems.end())
            outcome.problems.push_back(text);
    }
    return outcome;
}

std::optional<Outcome> read_outcome(const std::string& folder) {
    const auto text = read_file(outcome_file(folder), 1U << 20U);
    if (!text) return std::nullopt;
    auto outcome = decode<Outcome>(*text);
    return outcome ? std::optional(*std::move(outcome)) : std::nullopt;
}

Result<void> write_outcome(const Outcome& outcome, const std::string& folder) {
    if (auto made = make_directories(folder); !made) return made;
    return replace_file(outcome_file(folder), encode(outcome) + "\n", 0644);
}

Result<void> forget_outcome(const std::string& folder) {
    if (::unlink(outcome_file(folder).c_str()) != 0 && errno != ENOENT)
        return from_errno("remove " + outcome_file(folder));
    return {};
}

}  // namespace nodeagent::host_setup
