#include "agent/acs_adapter.hpp"

namespace nodeagent {
namespace {

TEST(SavedAttachments, DamagedRecordsAreNamedWhateverIsWrongWithThem) {
    engine::StoredState stored;
    stored.metadata["attachment:good"] = R"({"kind":0,"key":"02:ab","expiresAt":"2026-01-01T00:00:00Z"})";
    stored.metadata["attachment:type"] = R"({"kind":"zero","key":"k","expiresAt":"2026-01-01T00:00:00Z"})";
    stored.metadata["attachment:kind"] = R"({"kind":9,"key":"k","expiresAt":"2026-01-01T00:00:00Z"})";
    stored.metadata["attachment:time"] = R"({"kind":1,"key":"k","expiresAt":"soon"})";
    stored.metadata["attachment:json"] = "{";
    stored.metadata["cluster-name"] = "prod";
    const auto found = saved_attachments(stored);
    ASSERT_EQ(found.attachments.size(), 1U);
    EXPECT_EQ(found.attachments[0].key, "02:ab");
    const std::vector<std::string> damaged{"attachment:json", "attachment:kind", "attachment:time", "attachment:type"};
    EXPECT_EQ(found.damaged, damaged);
}

}  // namespace
}  // namespace nodeagent
