#include "runtime/containerd/refusal.hpp"

#include <gtest/gtest.h>

namespace nodeagent::runtime::containerd {
namespace {

Error told(ErrorKind kind, std::string what) {
    return told_as_refusal(Result<int>(Error{.kind = kind, .what = std::move(what)})).error();
}

TEST(Refusal, BeginsWithTheWordsOfDockersClient) {
    for (const ErrorKind kind : {ErrorKind::Malformed, ErrorKind::NotFound, ErrorKind::Conflict, ErrorKind::Denied,
                                 ErrorKind::Throttled, ErrorKind::Internal}) {
        const Error error = told(kind, "get judge-absent: no such volume");
        EXPECT_EQ(error.kind, kind);
        EXPECT_EQ(error.what, "Error response from daemon: get judge-absent: no such volume");
    }
}

TEST(Refusal, IsNotWhatNobodyHasAnswered) {
    EXPECT_EQ(told(ErrorKind::Unavailable, "connection refused").what, "connection refused");
    EXPECT_EQ(told(ErrorKind::Timeout, "deadline exceeded").what, "deadline exceeded");
    EXPECT_EQ(*told_as_refusal(Result<int>(7)), 7);
}

}  // namespace
}  // namespace nodeagent::runtime::containerd
