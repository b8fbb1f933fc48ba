#include "gateway/cli/explanations.h"

#include <gtest/gtest.h>

#include "policy/model/document.h"

namespace sekisho::cli {
namespace {

Node json(std::string_view text) {
  return *read_json(text, "test");
}

TEST(Explanations, ChangesSayObjectsPeopleAndConnections) {
  EXPECT_EQ(changes_of(json(R"({
    "objects": [{"object": "grant.web", "change": "removed",
                 "before": {"who": "role:sales", "resource": "internet"}, "after": null}],
    "access": [
      {"people": ["sato", "tanaka"], "change": "loses", "resource": "internet",
       "services": ["https", "ssh"], "only_at": null, "before": "always", "after": null},
      {"people": ["a", "b", "c", "d", "e", "f", "g"], "change": "gains", "resource": "lan",
       "services": ["https"], "only_at": ["10.1.2.0/24"], "before": null, "after": "always"},
      {"people": ["sato"], "change": "changes", "resource": "wiki", "services": ["https"],
       "only_at": null, "before": "always", "after": "until 2027-01-01T00:00:00Z"}],
    "flows": [{"device": "pc", "person": "sato", "protocol": "tcp", "source": "10.66.0.2",
               "source_port": 40000, "destination": "2001:db8::1", "destination_port": 443,
               "bytes": 1234}]})")),
            R"(removed  grant.web
  - who role:sales, resource internet

Who may reach what:
loses    sato, tanaka: internet by https, ssh
gains    a, b, c, d, e and 2 more: lan by https at 10.1.2.0/24 only, always
changes  sato: wiki by https, until 2027-01-01T00:00:00Z instead of always

Connections that end:
sato  pc  tcp  10.66.0.2:40000 -> [2001:db8::1]:443  1234 bytes
)");
  EXPECT_EQ(changes_of(json(R"({"objects": [], "access": [], "flows": []})")), "no difference\n");
  EXPECT_EQ(changes_of(json(R"({"objects": [{"object": "role.x", "change": "added",
                                "before": null, "after": {"name": "X"}}],
                               "access": [], "flows": []})")),
            "added    role.x\n  + name X\n\nWho may reach what:\nas before\n\nConnections that "
            "end:\nnone\n");
}

TEST(Explanations, AnExplanationIsTheAnswerAndWhatCounted) {
  EXPECT_EQ(explanation_of(json(R"({"answer": false, "explanation": "sato has no grant",
      "steps": [{"object": "device.pc", "finding": "is sato's, active"},
                {"object": "resource.wiki", "finding": "(public) covers the destination"}],
      "elements": ["cohort4: 10.66.0.2 : 0x00000002"]})")),
            R"(no: sato has no grant
  device.pc      is sato's, active
  resource.wiki  (public) covers the destination
in the kernel (nft list table inet sekisho):
  cohort4: 10.66.0.2 : 0x00000002
)");
  EXPECT_EQ(explanation_of(json(R"({"answer": true, "explanation": "e", "steps": []})")),
            "yes: e\n");
}

TEST(Explanations, AMatrixIsPeopleByResources) {
  constexpr std::string_view kCells = R"([
    {"person": "sato", "resource": "lan", "reach": "part", "reason": "granted", "grant": "g", "until": null},
    {"person": "sato", "resource": "wiki", "reach": "open", "reason": "granted", "grant": "g", "until": null},
    {"person": "田中", "resource": "lan", "reach": "closed", "reason": "no_grant", "grant": null, "until": null},
    {"person": "田中", "resource": "wiki", "reach": "open", "reason": "granted", "grant": "g", "until": null}])";
  const Node cells = json(kCells);
  EXPECT_EQ(matrix_of(*cells.array()),
            "PERSON  lan   wiki\nsato    part  yes\n田中    .     yes\n");
  const Node one = json(R"([{"person": "sato", "resource": "lan", "reach": "closed",
                             "reason": "no_grant", "grant": null, "until": null}])");
  EXPECT_EQ(matrix_of(*one.array()),
            "PERSON  RESOURCE  REACH   REASON    GRANT  UNTIL\n"
            "sato    lan       closed  no_grant  -      -\n");
  EXPECT_EQ(matrix_of({}), "none\n");
}

TEST(Explanations, NotesNameTheGrantAndWhy) {
  const Node notes = json(R"([{"grant": "a", "finding": "useless", "why": "it ended", "by": []},
                              {"grant": "long-one", "finding": "shadowed", "why": "w", "by": ["a"]}])");
  EXPECT_EQ(notes_of(*notes.array()),
            "grant.a         useless:   it ended\ngrant.long-one  shadowed:  w\n");
  EXPECT_EQ(notes_of({}), "");
}

}  // namespace
}  // namespace sekisho::cli
