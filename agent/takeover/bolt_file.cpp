#include "agent/takeover/bolt_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

namespace nodeagent::takeover {

namespace {

// host.md 2.4
constexpr std::uint32_t kMagic = 0xED0CDAED;
constexpr std::uint32_t kVersion = 2;
constexpr std::size_t kPageHeader = 16;  // u64 id, u16 flags, u16 count, u32 overflow
constexpr std::size_t kElement = 16;
constexpr std::size_t kMeta = 64;  // of which the last 8 bytes are the checksum of the others
constexpr std::size_t kBucketHeader = 16;
constexpr std::uint16_t kBranch = 1;
constexpr std::uint16_t kLeaf = 2;
constexpr std::uint32_t kIsBucket = 1;
constexpr std::size_t kSmallestPage = 512;
constexpr std::size_t kLargestPage = 64U << 10U;
constexpr int kDeepestTree = 64;
constexpr int kDeepestNesting = 16;

Error bolt_error(std::string what) { return {.kind = ErrorKind::Malformed, .what = std::move(what), .cause = {}}; }
Error damage(const std::string& what) { return bolt_error("is damaged: " + what); }

template <class T>
T number_at(std::string_view bytes, std::size_t at) {
    T value{};
    std::memcpy(&value, bytes.data() + at, sizeof value);  // the caller has checked the range
    return value;
}

std::uint64_t fnv1a(std::string_view bytes) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
    return hash;
}

struct Meta {
    std::uint32_t page_size = 0;
    std::uint64_t root = 0;
    std::uint64_t pages = 0;  ///< the first page id that is not in use
    std::uint64_t transaction = 0;
};

enum class MetaState : std::uint8_t { Foreign, OtherVersion, Damaged, Good };

MetaState meta_at(std::string_view file, std::size_t at, Meta& out) {
    if (at > file.size() || file.size() - at < kPageHeader + kMeta) return MetaState::Foreign;
    const std::string_view meta = file.substr(at + kPageHeader, kMeta);
    if (number_at<std::uint32_t>(meta, 0) != kMagic) return MetaState::Foreign;
    if (number_at<std::uint64_t>(meta, kMeta - 8) != fnv1a(meta.substr(0, kMeta - 8))) return MetaState::Damaged;
    if (number_at<std::uint32_t>(meta, 4) != kVersion) return MetaState::OtherVersion;
    out.page_size = number_at<std::uint32_t>(meta, 8);
    out.root = number_at<std::uint64_t>(meta, 16);
    out.pages = number_at<std::uint64_t>(meta, 40);
    out.transaction = number_at<std::uint64_t>(meta, 48);
    const bool power_of_two = (out.page_size & (out.page_size - 1)) == 0;
    if (out.page_size < kSmallestPage || out.page_size > kLargestPage || !power_of_two) return MetaState::Damaged;
    return MetaState::Good;
}

/// The valid one of the newer transaction.
Result<Meta> newest_meta(std::string_view file) {
    bool known_magic = false;
    bool other_version = false;
    std::optional<Meta> best;
    const auto look = [&](std::size_t at, std::optional<std::size_t> expected) {
        Meta meta;
        const MetaState state = meta_at(file, at, meta);
        known_magic = known_magic || state != MetaState::Foreign;
        other_version = other_version || state == MetaState::OtherVersion;
        if (state != MetaState::Good || (expected && meta.page_size != *expected)) return false;
        if (!best || meta.transaction > best->transaction) best = meta;
        return true;
    };
    if (look(0, std::nullopt)) {
        const std::size_t page_size = best->page_size;
        look(page_size, page_size);
    } else {  // the first is being written or lost: the second is one page further, of whatever size pages are
        for (std::size_t size = kSmallestPage; size <= kLargestPage && !best; size *= 2) look(size, size);
    }
    if (best) return *best;
    if (other_version) return bolt_error("is of a version of bbolt's format that is not known here");
    if (known_magic) return damage("neither of its two heads has the right checksum");
    return bolt_error(file.empty() ? "is empty" : "is no bbolt file");
}

/// A page with what overflows it; or the page inside an inline bucket.
struct Page {
    std::string_view bytes;
    std::uint64_t id = 0;  ///< 0: inline
    std::uint16_t flags = 0;
    std::uint16_t count = 0;
};

class Walk {
  public:
    Walk(std::string_view file, const Meta& meta) : file_(file), meta_(meta) {}

    Result<BoltBucket> root() {
        BoltBucket bucket;
        if (auto read = read_tree(meta_.root, bucket, 0, 0); !read) return std::move(read).error();
        return bucket;
    }

  private:
    static std::string name(std::uint64_t id) {
        return id == 0 ? std::string("an inline bucket") : "page " + std::to_string(id);
    }

    Result<Page> page(std::uint64_t id) {
        if (id < 2 || id >= meta_.pages)
            return damage("page " + std::to_string(id) + " is referred to, which cannot be");
        const std::size_t size = meta_.page_size;
        const std::size_t in_file = file_.size() / size;
        if (id >= in_file) return bolt_error("is truncated: page " + std::to_string(id) + " is not in it");
        const std::size_t at = static_cast<std::size_t>(id) * size;
        if (number_at<std::uint64_t>(file_, at) != id) return damage(name(id) + " says that it is another one");
        const std::size_t more = number_at<std::uint32_t>(file_, at + 12);
        if (more >= meta_.pages - id) return damage(name(id) + " goes on behind the last page");
        if (more >= in_file - id)
            return bolt_error("is truncated: page " + std::to_string(id + more) + " is not in it");
        for (std::uint64_t one = id; one <= id + more; ++one) {
            if (!seen_.insert(one).second) return damage(name(one) + " is used twice");
        }
        return Page{.bytes = file_.substr(at, (more + 1) * size),
                    .id = id,
                    .flags = number_at<std::uint16_t>(file_, at + 8),
                    .count = number_at<std::uint16_t>(file_, at + 10)};
    }

    /// `size` bytes at `at` of the page; nothing if they are not within it.
    static std::optional<std::string_view> part(const Page& page, std::size_t at, std::size_t size) {
        if (at > page.bytes.size() || size > page.bytes.size() - at) return std::nullopt;
        return page.bytes.substr(at, size);
    }

    Result<void> read_tree(std::uint64_t id, BoltBucket& out, int depth, int nesting) {
        if (depth > kDeepestTree) return damage("its tree is too deep");
        const auto found = page(id);
        if (!found) return found.error();
        if (found->flags == kLeaf) return read_leaf(*found, out, nesting);
        if (found->flags != kBranch) return damage(name(id) + " is neither branch nor leaf");
        for (std::size_t i = 0; i < found->count; ++i) {
            const auto element = part(*found, kPageHeader + i * kElement, kElement);
            if (!element) return damage(name(id) + " has more elements than fit");
            const auto child = number_at<std::uint64_t>(*element, 8);
            if (auto read = read_tree(child, out, depth + 1, nesting); !read) return read;
        }
        return {};
    }

    Result<void> read_leaf(const Page& leaf, BoltBucket& out, int nesting) {
        for (std::size_t i = 0; i < leaf.count; ++i) {
            const std::size_t at = kPageHeader + i * kElement;
            const auto element = part(leaf, at, kElement);
            if (!element) return damage(name(leaf.id) + " has more elements than fit");
            const std::size_t key_at = at + number_at<std::uint32_t>(*element, 4);
            const std::size_t key_size = number_at<std::uint32_t>(*element, 8);
            const std::size_t value_size = number_at<std::uint32_t>(*element, 12);
            const auto key = part(leaf, key_at, key_size);
            const auto value = part(leaf, key_at + key_size, value_size);
            if (!key || !value) return damage("an element of " + name(leaf.id) + " reaches beyond it");
            content_ += key->size();
            if ((number_at<std::uint32_t>(*element, 0) & kIsBucket) == 0) content_ += value->size();
            if (content_ > file_.size()) return damage("its elements overlap");
            std::string text(*key);
            if (out.values.contains(text) || out.buckets.contains(text)) return damage("a key is there twice");
            if ((number_at<std::uint32_t>(*element, 0) & kIsBucket) == 0) {
                out.values.emplace(std::move(text), *value);
                continue;
            }
            BoltBucket& inner = out.buckets[std::move(text)];
            if (auto read = read_bucket(*value, inner, nesting + 1); !read) return read;
        }
        return {};
    }

    Result<void> read_bucket(std::string_view value, BoltBucket& out, int nesting) {
        if (nesting > kDeepestNesting) return damage("its buckets are nested too deep");
        if (value.size() < kBucketHeader) return damage("a bucket has no head");
        const auto root = number_at<std::uint64_t>(value, 0);
        if (root != 0) return read_tree(root, out, 0, nesting);
        const std::string_view bytes = value.substr(kBucketHeader);
        if (bytes.size() < kPageHeader) return damage("an inline bucket has no page");
        const Page inlined{.bytes = bytes,
                           .id = 0,
                           .flags = number_at<std::uint16_t>(bytes, 8),
                           .count = number_at<std::uint16_t>(bytes, 10)};
        if (inlined.flags != kLeaf) return damage("an inline bucket is no leaf");
        return read_leaf(inlined, out, nesting);
    }

    std::string_view file_;
    Meta meta_;
    std::set<std::uint64_t> seen_;
    std::size_t content_ = 0;  ///< bytes of keys and values so far: no more than the file has
};

Result<std::string> read_whole(const Fd& file, std::size_t size) {
    std::string bytes(size, '\0');
    std::size_t done = 0;
    while (done < size) {
        const ssize_t n = ::pread(file.get(), bytes.data() + done, size - done, static_cast<off_t>(done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return from_errno("read it");
        if (n == 0) break;
        done += static_cast<std::size_t>(n);
    }
    bytes.resize(done);
    return bytes;
}

}  // namespace

Result<BoltBucket> read_bolt(std::string_view file) {
    const auto meta = newest_meta(file);
    if (!meta) return meta.error();
    if (meta->pages > file.size() / meta->page_size) {
        return bolt_error("is truncated: it has " + std::to_string(file.size()) + " bytes and should have " +
                          std::to_string(meta->pages) + " pages of " + std::to_string(meta->page_size));
    }
    return Walk(file, *meta).root();
}

Result<LockedBolt> open_bolt(const std::string& path) {
    Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file) return from_errno(path);
    struct stat about {};
    if (::fstat(file.get(), &about) != 0) return from_errno(path);
    if (!S_ISREG(about.st_mode)) return bolt_error(path + " is no file");
    if (::flock(file.get(), LOCK_SH | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return from_errno("lock " + path);
        return Error{.kind = ErrorKind::Conflict, .what = path + " is in use by another process"};
    }
    if (::fstat(file.get(), &about) != 0) return from_errno(path);  // a writer may have been at it until the lock
    if (about.st_size < 0 || static_cast<std::uint64_t>(about.st_size) > kLargestBoltFile) {
        return bolt_error(path + " is larger than " + std::to_string(kLargestBoltFile >> 20U) + " MiB");
    }
    const auto bytes = read_whole(file, static_cast<std::size_t>(about.st_size));
    if (!bytes) return with_context(path, bytes.error());
    auto root = read_bolt(*bytes);
    if (!root) {
        Error failure = std::move(root).error();
        failure.what = path + " " + failure.what;
        return failure;
    }
    return LockedBolt{std::move(file), *std::move(root)};
}

}  // namespace nodeagent::takeover
