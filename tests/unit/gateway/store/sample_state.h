#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "gateway/store/store.h"

// A directory for one test, removed at its end, and values to put into a store.
namespace sekisho::store {

inline constexpr Time kNow{std::chrono::seconds(1'800'000'000)};

inline Time later(int seconds) {
  return kNow + std::chrono::seconds(seconds);
}

class Directory {
 public:
  Directory() {
    std::string pattern = std::filesystem::temp_directory_path() / "sekisho-store-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  std::filesystem::path state() const { return path_ / "state"; }
  std::filesystem::path file() const { return state() / "state.db"; }

 private:
  std::filesystem::path path_;
};

// For results that the test takes for granted.
template <class T>
T must(Result<T> result) {
  EXPECT_TRUE(result) << to_string(result.error());
  if (!result) std::abort();
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// For results that the test wants to be errors.
template <class T>
Error why(const Result<T>& result) {
  return result ? Error{.object = {}, .cause = "it succeeded"} : result.error();
}

inline KeyBytes key_bytes(unsigned seed) {
  KeyBytes bytes{};
  bytes[0] = 0x40;
  bytes[1] = static_cast<std::uint8_t>(seed);
  bytes[2] = static_cast<std::uint8_t>(seed >> 8);
  bytes[3] = static_cast<std::uint8_t>(seed >> 16);
  return bytes;
}

inline Operation operation(std::string name, Time time = kNow) {
  return {.time = time,
          .actor = {.user = "tanaka", .uid = 1000},
          .via = Via::socket,
          .name = std::move(name),
          .object = "policy",
          .before = "old",
          .after = "new",
          .reason = "because"};
}

inline IpAddress address(const std::string& text) {
  return must(IpAddress::parse(text));
}

inline NewDevice device(const std::string& id, unsigned key, std::vector<IpAddress> addresses) {
  return {.id = DeviceId(id),
          .public_key = PublicKey(key_bytes(key)),
          .addresses = std::move(addresses),
          .preshared_key = PresharedKey(key_bytes(key + 1'000'000)),
          .key_made = KeyMade::device};
}

inline DeviceChange adding(NewDevice device) {
  DeviceChange change;
  change.add.push_back(std::move(device));
  return change;
}

inline AtomSpace space(std::uint32_t next, const std::string& resource = "wiki") {
  const AddressRange v4{address("10.1.0.0"), address("10.1.0.255")};
  const AddressRange v6{address("2001:db8::"), address("2001:db8::ffff")};
  return {.atoms = {{.mark = AtomMark(4096, Check::none),
                     .opened_by = {},
                     .where = {{v4, Protocol::udp, PortRange::single(53)}}},
                    {.mark = AtomMark(4097, Check::tls),
                     .opened_by = {ResourceId("files"), ResourceId(resource)},
                     .where = {{v4, Protocol::tcp, PortRange::single(443)},
                               {v6, Protocol::tcp, {Port(1), Port(65535)}}}}},
          .next = next};
}

inline NewRevision revision(const std::string& document, RevisionNumber base,
                            std::uint32_t next = 4098) {
  return {.edit = document,
          .document = [document] { return document; },
          .author = "tanaka",
          .reason = "new wiki",
          .time = kNow,
          .base = base,
          .space = space(next)};
}

inline Quarantine quarantine(QuarantineTarget target, Time since = kNow) {
  return {.target = std::move(target),
          .level = Hold::isolate,
          .reason = "it was lost",
          .by = "sato",
          .since = since,
          .two_people = true,
          .devices = {DeviceId("laptop"), DeviceId("phone")},
          .keys = {PublicKey(key_bytes(1)), PublicKey(key_bytes(2))},
          .people = {PersonId("tanaka")},
          .places = {{.addresses = {address("198.51.100.0"), address("198.51.100.15")},
                      .protocol = Protocol::tcp,
                      .ports = PortRange::single(443)}}};
}

inline Flag flag(const std::string& device, const std::string& key, Time time = kNow) {
  return {.number = {},
          .time = time,
          .source = "clamav",
          .key = key,
          .severity = Severity::high,
          .detail = "Eicar-Signature in /home/tanaka",
          .device = DeviceId(device),
          .person = PersonId("tanaka"),
          .state = FlagState::asking,
          .outcome = "the guard allows no more",
          .by = "device:" + device};
}

// In these tests an edit says all of the document that it leads to.
inline std::string text_of(const Revision& revision) {
  return revision.edits.empty() ? revision.document : revision.edits.back();
}

// Runs SQL on a state behind the store's back; gives the first column of the first row.
inline std::string tamper(const std::filesystem::path& file, const std::string& sql) {
  sqlite3* handle = nullptr;
  std::string first;
  EXPECT_EQ(sqlite3_open(file.c_str(), &handle), SQLITE_OK);
  const auto keep = [](void* text, int, char** values, char**) {
    if (values[0] != nullptr) *static_cast<std::string*>(text) = values[0];
    return 0;
  };
  EXPECT_EQ(sqlite3_exec(handle, sql.c_str(), keep, &first, nullptr), SQLITE_OK)
      << sql << ": " << sqlite3_errmsg(handle);
  sqlite3_close(handle);
  return first;
}

// What SQLite says to SQL from outside.
inline int refusal_of(const std::filesystem::path& file, const std::string& sql) {
  sqlite3* handle = nullptr;
  EXPECT_EQ(sqlite3_open(file.c_str(), &handle), SQLITE_OK);
  const int code = sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr);
  sqlite3_close(handle);
  return code;
}

// A state that can be closed and opened again as a daemon that starts does.
class StoreTest : public testing::Test {
 protected:
  Store& store() { return *store_; }
  void open_again() {
    store_.reset();
    store_.emplace(must(Store::open(directory_.state(), kNow)));
  }
  std::string sql(const std::string& text) { return tamper(directory_.file(), text); }
  // `write`, and that it is in the record, whose chain holds.
  template <class Write>
  auto recorded(const Operation& entry, Write write) {
    const std::size_t before = must(store().operations(1'000)).size();
    auto result = write(entry);
    EXPECT_TRUE(result) << to_string(result.error());
    const auto operations = must(store().operations(1'000));
    EXPECT_EQ(operations.size(), before + 1);
    EXPECT_EQ(operations.front().operation, entry);
    EXPECT_EQ(must(store().verify_operations()), std::nullopt);
    return result;
  }

  Directory directory_;
  std::optional<Store> store_ = must(Store::open(directory_.state(), kNow));
};

}  // namespace sekisho::store
