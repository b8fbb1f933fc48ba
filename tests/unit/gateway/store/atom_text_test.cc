#include "gateway/store/atom_text.h"

#include <gmock/gmock.h>

#include "tests/unit/gateway/store/sample_state.h"

namespace sekisho::store {
namespace {

constexpr const char* kText =
    "4096 none \n"
    " 10.1.0.0 10.1.0.255 17 53 53\n"
    "4097 tls files,wiki\n"
    " 10.1.0.0 10.1.0.255 6 443 443\n"
    " 2001:db8:: 2001:db8::ffff 6 1 65535\n";

TEST(AtomText, IsOneLineForEachAtomAndEachBox) {
  EXPECT_EQ(write_atoms(space(0).atoms), kText);
}

TEST(AtomText, ComesBackExactly) {
  EXPECT_EQ(must(read_atoms(kText)), space(0).atoms);
  EXPECT_TRUE(must(read_atoms("")).empty());
  const std::vector<Atom> edges = {
      {.mark = AtomMark(AtomMark::kLastAtom, Check::quic), .opened_by = {kInternet}, .where = {}}};
  EXPECT_EQ(must(read_atoms(write_atoms(edges))), edges);
}

TEST(AtomText, RefusesEverythingElse) {
  for (const char* text :
       {"4096 none", "4095 none \n", "268435456 none \n", "4096 other \n", "4096 none\n",
        "4096 none a,,b\n", "4096 none A\n", "x none \n", " 10.0.0.1 10.0.0.1 6 1 1\n", "\n",
        "4096 none \n 10.0.0.2 10.0.0.1 6 1 1\n", "4096 none \n 10.0.0.1 ::1 6 1 1\n",
        "4096 none \n 10.0.0.1 10.0.0.1 7 1 1\n", "4096 none \n 10.0.0.1 10.0.0.1 6 2 1\n",
        "4096 none \n 10.0.0.1 10.0.0.1 6 1 65536\n", "4096 none \n 10.0.0.1 10.0.0.1 6 1\n",
        "4096 none \n 10.0.0.1 10.0.0.1 6 1 1 \n", "4096 none \n 10.0.0.1 10.0.0.1 6 -1 1\n"}) {
    EXPECT_FALSE(read_atoms(text)) << text;
  }
}

}  // namespace
}  // namespace sekisho::store
