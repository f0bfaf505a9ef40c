#pragma once
// A host made of a few files, and an instance that answers what the test says.

#include <map>
#include <string>

#include "agent/config/load.hpp"

namespace nodeagent::config {

struct HostFiles {
    std::map<std::string, std::string> files;
    std::map<std::string, Error> failures;

    [[nodiscard]] std::function<Result<std::string>(const std::string&)> reader() const {
        return [this](const std::string& path) -> Result<std::string> {
            if (const auto failure = failures.find(path); failure != failures.end()) return failure->second;
            if (const auto file = files.find(path); file != files.end()) return file->second;
            return Error{.kind = ErrorKind::NotFound, .what = "read " + path + ": no such file"};
        };
    }
};

struct FakeInstance final : InstanceFacts {
    Result<std::string> user_data_answer = Error{.kind = ErrorKind::NotFound, .what = "404"};
    Result<std::string> identity_region_answer = Error{.kind = ErrorKind::Unavailable, .what = "no answer"};
    Result<std::string> placement_region_answer = Error{.kind = ErrorKind::Unavailable, .what = "no answer"};
    int asked = 0;

    Result<std::string> user_data() override { return ++asked, user_data_answer; }
    Result<std::string> identity_region() override { return ++asked, identity_region_answer; }
    Result<std::string> placement_region() override { return ++asked, placement_region_answer; }
};

}  // namespace nodeagent::config
