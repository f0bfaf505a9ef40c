#pragma once
// Makes bbolt files as bbolt lays them out (host.md 2.4): two heads of which one is older, a freelist, branch pages
// once a leaf is full, overflow pages for what is larger than a page, small buckets inline. For tests of the reader.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "agent/takeover/bolt_file.hpp"

namespace nodeagent::fakes {

class BoltWriter {
  public:
    explicit BoltWriter(std::size_t page_size = 4096) : page_size_(page_size) {}

    /// The file's bytes. The other head is of an earlier transaction, in which the database was empty.
    std::string write(const takeover::BoltBucket& root) {
        file_.assign(3 * page_size_, '\0');
        const std::uint64_t empty = new_pages(page_size_ / 2);  // root of the earlier transaction
        page_header(empty, kLeaf, 0);
        const std::uint64_t stale = new_pages(2 * page_size_ - 32);  // pages that nobody uses any more
        file_.replace(stale * page_size_ + 16, 5, "stale");
        const std::uint64_t tree = write_tree(elements_of(root));
        page_header(2, kFreelist, 3);
        for (std::uint64_t i = 0; i < 3; ++i) put<std::uint64_t>(2 * page_size_ + 16 + 8 * i, empty + i);
        const std::uint64_t pages = file_.size() / page_size_;
        meta(0, empty, pages, 6);
        meta(1, tree, pages, 7);
        file_.resize(file_.size() + 2 * page_size_);  // bbolt's files are longer than what is used
        return file_;
    }

    void write_to(const std::string& path, const takeover::BoltBucket& root) {
        const std::string bytes = write(root);
        std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }

    static std::uint64_t checksum(const char* bytes, std::size_t size) {
        std::uint64_t hash = 0xcbf29ce484222325;
        for (std::size_t i = 0; i < size; ++i) hash = (hash ^ static_cast<unsigned char>(bytes[i])) * 0x100000001b3;
        return hash;
    }

  private:
    static constexpr std::uint16_t kBranch = 1, kLeaf = 2, kMetaFlag = 4, kFreelist = 16;

    struct Element {
        std::string key, value;
        bool bucket = false;
    };

    template <class T>
    void put(std::size_t at, T value) {
        std::memcpy(file_.data() + at, &value, sizeof value);
    }
    template <class T>
    static void append(std::string& out, T value) {
        out.append(reinterpret_cast<const char*>(&value), sizeof value);
    }

    std::uint64_t new_pages(std::size_t bytes) {
        const std::uint64_t id = file_.size() / page_size_;
        file_.resize(file_.size() + (bytes / page_size_ + 1) * page_size_);
        return id;
    }
    void page_header(std::uint64_t id, std::uint16_t flags, std::size_t count, std::size_t overflow = 0) {
        const std::size_t at = id * page_size_;
        put<std::uint64_t>(at, id);
        put<std::uint16_t>(at + 8, flags);
        put<std::uint16_t>(at + 10, static_cast<std::uint16_t>(count));
        put<std::uint32_t>(at + 12, static_cast<std::uint32_t>(overflow));
    }
    void meta(std::uint64_t id, std::uint64_t root, std::uint64_t pages, std::uint64_t transaction) {
        page_header(id, kMetaFlag, 0);
        const std::size_t at = id * page_size_ + 16;
        put<std::uint32_t>(at, 0xED0CDAED);
        put<std::uint32_t>(at + 4, 2);
        put<std::uint32_t>(at + 8, static_cast<std::uint32_t>(page_size_));
        put<std::uint64_t>(at + 16, root);
        put<std::uint64_t>(at + 32, 2);  // freelist
        put<std::uint64_t>(at + 40, pages);
        put<std::uint64_t>(at + 48, transaction);
        put<std::uint64_t>(at + 56, checksum(file_.data() + at, 56));
    }

    /// A leaf page's bytes, which an inline bucket has in its value too.
    static std::string leaf_bytes(const std::vector<Element>& elements) {
        std::string bytes(16, '\0');
        const std::uint16_t flags = kLeaf;
        const auto count = static_cast<std::uint16_t>(elements.size());
        std::memcpy(bytes.data() + 8, &flags, 2);
        std::memcpy(bytes.data() + 10, &count, 2);
        std::size_t data = 16 * elements.size();  // from the element to its key
        for (const Element& element : elements) {
            append<std::uint32_t>(bytes, element.bucket ? 1 : 0);
            append<std::uint32_t>(bytes, static_cast<std::uint32_t>(data));
            append<std::uint32_t>(bytes, static_cast<std::uint32_t>(element.key.size()));
            append<std::uint32_t>(bytes, static_cast<std::uint32_t>(element.value.size()));
            data += element.key.size() + element.value.size() - 16;
        }
        for (const Element& element : elements) bytes += element.key + element.value;
        return bytes;
    }

    std::vector<Element> elements_of(const takeover::BoltBucket& bucket) {
        std::vector<Element> elements;
        for (const auto& [key, value] : bucket.values) elements.push_back({key, value, false});
        for (const auto& [key, inner] : bucket.buckets) elements.push_back({key, bucket_value(inner), true});
        std::sort(elements.begin(), elements.end(), [](const Element& a, const Element& b) { return a.key < b.key; });
        return elements;
    }

    std::string bucket_value(const takeover::BoltBucket& bucket) {
        const std::vector<Element> elements = elements_of(bucket);
        const std::string leaf = leaf_bytes(elements);
        const bool inlined = bucket.buckets.empty() && leaf.size() <= page_size_ / 4;
        std::string value;
        append<std::uint64_t>(value, inlined ? 0 : write_tree(elements));
        append<std::uint64_t>(value, 0);  // sequence
        return inlined ? value + leaf : value;
    }

    std::uint64_t write_page(const std::string& bytes, std::uint16_t flags, std::size_t count) {
        const std::uint64_t id = new_pages(bytes.size() - 1);
        file_.replace(id * page_size_, bytes.size(), bytes);
        page_header(id, flags, count, (bytes.size() - 1) / page_size_);
        return id;
    }

    /// Leaves, and branches above them until there is one page.
    std::uint64_t write_tree(const std::vector<Element>& elements) {
        std::vector<std::pair<std::string, std::uint64_t>> level;  // first key, page
        std::vector<Element> leaf;
        std::size_t size = 16;
        const auto finish = [&] {
            level.emplace_back(leaf.empty() ? "" : leaf.front().key, write_page(leaf_bytes(leaf), kLeaf, leaf.size()));
            leaf.clear();
            size = 16;
        };
        for (const Element& element : elements) {
            const std::size_t more = 16 + element.key.size() + element.value.size();
            if (!leaf.empty() && size + more > page_size_) finish();
            leaf.push_back(element);
            size += more;
        }
        if (!leaf.empty() || level.empty()) finish();
        while (level.size() > 1) level = write_branches(level);
        return level.front().second;
    }

    std::vector<std::pair<std::string, std::uint64_t>> write_branches(
        const std::vector<std::pair<std::string, std::uint64_t>>& below) {
        std::vector<std::pair<std::string, std::uint64_t>> level;
        for (std::size_t first = 0; first < below.size();) {
            std::size_t last = first, size = 16;
            while (last < below.size() && (last < first + 2 || size + 16 + below[last].first.size() <= page_size_)) {
                size += 16 + below[last++].first.size();
            }
            if (last + 1 == below.size())
                last += last - first > 2 ? std::size_t(-1) : 1;  // no branch has one child only
            std::string bytes(16, '\0'), keys;
            const std::size_t count = last - first;
            for (std::size_t i = first; i < last; ++i) {
                append<std::uint32_t>(bytes, static_cast<std::uint32_t>(16 * (count - (i - first)) + keys.size()));
                append<std::uint32_t>(bytes, static_cast<std::uint32_t>(below[i].first.size()));
                append<std::uint64_t>(bytes, below[i].second);
                keys += below[i].first;
            }
            level.emplace_back(below[first].first, write_page(bytes + keys, kBranch, count));
            first = last;
        }
        return level;
    }

    std::size_t page_size_;
    std::string file_;
};

}  // namespace nodeagent::fakes
