#include "agent/ecs/instance_tags.hpp"

#include <optional>
#include <utility>

#include "agent/base/strings.hpp"

namespace nodeagent::ecs {

namespace {

// What stands between the first <name> and its end; `text` goes on behind it. The answer has no attributes below its
// root and no element inside one of the same name, except items, which do not nest here.
std::optional<std::string_view> take_element(std::string_view& text, std::string_view name) {
    const std::string open = '<' + std::string(name) + '>';
    const std::string close = "</" + std::string(name) + '>';
    const std::size_t begin = text.find(open);
    if (begin == std::string_view::npos) return std::nullopt;
    const std::size_t end = text.find(close, begin + open.size());
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view inner = text.substr(begin + open.size(), end - begin - open.size());
    text.remove_prefix(end + close.size());
    return inner;
}

std::string text_of(std::string_view item, std::string_view name) {
    const auto inner = take_element(item, name);
    return inner ? net::xml_text(*inner) : std::string();
}

std::string parameter(std::string_view name, std::string_view value) {
    return '&' + std::string(name) + '=' + percent_encode(value);
}

}  // namespace

Result<std::vector<model::Tag>> parse_describe_tags(std::string_view xml) {
    if (xml.find("<DescribeTagsResponse") == std::string_view::npos) {
        return Error{.kind = ErrorKind::Malformed, .what = "EC2 did not answer with a DescribeTagsResponse"};
    }
    std::vector<model::Tag> tags;
    auto set = take_element(xml, "tagSet");
    while (set) {
        const auto item = take_element(*set, "item");
        if (!item) break;
        tags.push_back(model::Tag{.key = text_of(*item, "key"), .value = text_of(*item, "value")});
    }
    return tags;
}

asio::awaitable<Result<std::vector<model::Tag>>> describe_instance_tags(net::AwsClient& ec2, std::string instance_id) {
    std::string form = "Action=DescribeTags&Version=2016-11-15";
    form += parameter("Filter.1.Name", "resource-id") + parameter("Filter.1.Value.1", instance_id);
    form += parameter("Filter.2.Name", "resource-type") + parameter("Filter.2.Value.1", "instance");
    form += parameter("MaxResults", "50");
    const net::ServiceResult<std::string> xml = co_await ec2.call_query(std::move(form));
    if (!xml) co_return net::to_error("describe the tags of " + instance_id, xml.error());
    co_return parse_describe_tags(*xml);
}

}  // namespace nodeagent::ecs
