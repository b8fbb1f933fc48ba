#include <gmock/gmock.h>

#include <cstdio>
#include <fstream>
#include <random>
#include <sstream>

#include "gateway/store/store.h"
#include "tests/unit/gateway/store/whole_changes.h"

// Single bits flipped in the files of a state.
namespace sekisho::store {
namespace {

// All that the store gives out and vouches for by digests.
struct Contents {
  std::string key;
  std::vector<std::string> documents;
  std::vector<std::vector<Atom>> atoms;
  std::vector<KeyBytes> preshared_keys;
  std::vector<RecordedOperation> operations;
  bool operator==(const Contents&) const = default;
};

constexpr unsigned kChanges = 20;

Result<Contents> read_everything(const std::filesystem::path& state) {
  auto store = Store::open(state, kNow);
  if (!store) return std::unexpected(store.error());
  Contents contents;
  const auto key = store->gateway_key([] { return PrivateKey(key_bytes(7)); });
  if (!key) return std::unexpected(key.error());
  contents.key = key->reveal_base64();
  for (unsigned n = 1; n <= kChanges; ++n) {
    auto revision = store->revision(RevisionNumber(n));
    if (!revision) return std::unexpected(revision.error());
    contents.documents.push_back(text_of(*revision));
    contents.atoms.push_back(std::move(revision->space.atoms));
    const auto psk =
        store->preshared_key(DeviceId("device-" + std::to_string(n)), PublicKey(key_bytes(n)));
    if (!psk) return std::unexpected(psk.error());
    contents.preshared_keys.push_back(psk->reveal());
  }
  const auto broken = store->verify_operations();
  if (!broken) return std::unexpected(broken.error());
  if (*broken) return fail(ErrorCode::failed, "operations", "broken");
  auto operations = store->operations(1000);
  if (!operations) return std::unexpected(operations.error());
  contents.operations = std::move(*operations);
  if (const auto devices = store->devices(); !devices) return std::unexpected(devices.error());
  if (const auto history = store->history(100); !history) return std::unexpected(history.error());
  return contents;
}

std::string read_file(const std::filesystem::path& file) {
  std::ostringstream bytes;
  bytes << std::ifstream(file, std::ios::binary).rdbuf();
  return bytes.str();
}

void copy_state(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::filesystem::copy(from, to);
  std::filesystem::permissions(to, std::filesystem::perms::owner_all);
}

// Two states of the same contents: one closed, one whose daemon was killed, with all in the log.
class StoreDamage : public testing::Test {
 protected:
  StoreDamage() {
    Store store = must(Store::open(closed_.state(), kNow));
    must(store.gateway_key([] { return PrivateKey(key_bytes(7)); }));
    for (unsigned n = 1; n <= kChanges; ++n) must(one_change(store, n));
    copy_state(closed_.state(), killed_.state());
  }

  // `look` at a state with one bit of `file` flipped; 200 times.
  template <class Look>
  void flip_bits(const Directory& original, const char* file, Look look) {
    const std::string bytes = read_file(original.state() / file);
    ASSERT_GT(bytes.size(), 4096U);
    std::minstd_rand random(2);
    for (int flip = 0; flip < 200; ++flip) {
      const Directory copy;
      copy_state(original.state(), copy.state());
      const std::size_t offset = random() % bytes.size();
      std::string damaged = bytes;
      damaged[offset] = static_cast<char>(damaged[offset] ^ (1 << random() % 8));
      std::ofstream(copy.state() / file, std::ios::binary | std::ios::trunc) << damaged;
      SCOPED_TRACE(std::string(file) + " byte " + std::to_string(offset));
      look(copy.state());
    }
  }

  Directory closed_;
  Directory killed_;
};

TEST_F(StoreDamage, FlippedBitsInTheDatabaseAreAnErrorOrHarmless) {
  const Contents intact = must(read_everything(closed_.state()));
  int errors = 0;
  flip_bits(closed_, "state.db", [&](const std::filesystem::path& state) {
    const auto found = read_everything(state);
    if (!found) ++errors;
    EXPECT_TRUE(!found || *found == intact);
  });
  std::printf("200 flips in state.db: %d told as errors, %d harmless\n", errors, 200 - errors);
  EXPECT_GT(errors, 20);
}

// SQLite ends the log at the first frame that is damaged, as it must after a power cut: what is
// read then is a state that once was, whole.
TEST_F(StoreDamage, FlippedBitsInTheLogLeaveAnErrorOrAWholeState) {
  int errors = 0;
  unsigned fewest = kChanges, most = 0;
  flip_bits(killed_, "state.db-wal", [&](const std::filesystem::path& state) {
    auto store = Store::open(state, kNow);
    if (!store) ++errors;
    if (!store) return;
    const unsigned whole = whole_changes(*store);
    fewest = std::min(fewest, whole);
    most = std::max(most, whole);
  });
  std::printf(
      "200 flips in state.db-wal: %d told as errors, the others hold %u to %u of %u changes\n",
      errors, fewest, most, kChanges);
  EXPECT_LT(fewest, kChanges);
}

}  // namespace
}  // namespace sekisho::store
