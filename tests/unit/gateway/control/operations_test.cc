#include "gateway/control/operations.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <vector>

#include "policy/model/catalogue.h"
#include "policy/model/document.h"

namespace sekisho::control {
namespace {

using testing::ElementsAreArray;
using testing::UnorderedElementsAreArray;

const Parameter& parameter(OperationId id, std::string_view name) {
  return *std::ranges::find(operation(id).parameters, name, &Parameter::name);
}

std::vector<std::string> words(OperationId id, std::string_view name) {
  std::vector<std::string> result;
  for (const Value& value : parameter(id, name).values) result.emplace_back(value.word);
  return result;
}

TEST(Values, AreListedByOperationsThatNeedNoParameters) {
  for (const Operation& row : operations()) {
    for (const Parameter& declared : row.parameters) {
      for (const Value& value : declared.values) {
        EXPECT_FALSE(value.word.empty() && value.listed_by.empty()) << row.name();
        if (value.listed_by.empty() || value.listed_by == kOwnList) continue;
        const Operation* list = find_operation(value.listed_by);
        ASSERT_NE(list, nullptr) << value.listed_by;
        EXPECT_FALSE(list->changes);
        EXPECT_TRUE(std::ranges::none_of(list->parameters, &Parameter::required));
      }
    }
  }
}

// The words that the model reads, as it tells them to who wrote another.
template <class Decode>
std::vector<std::string> understood(Decode decode, const std::string& field) {
  Errors errors = decode(Node{Node::Table{{field, {std::string("nonsense")}}}}, "x").error();
  const auto error = std::ranges::find(errors, "x." + field, &Error::object);
  if (error == errors.end()) return {};
  std::vector<std::string> found;
  std::string word;
  for (const char c : error->advice + " ") {
    if ((c >= 'a' && c <= 'z') || c == '_') {
      word += c;
    } else if (!word.empty()) {
      if (word != "write" && word != "or") found.push_back(word);
      word.clear();
    }
  }
  return found;
}

TEST(Values, AreTheWordsThatTheModelReads) {
  EXPECT_THAT(words(OperationId::person_set, "kind"),
              UnorderedElementsAreArray(understood(decode_person, "kind")));
  EXPECT_THAT(words(OperationId::person_set, "state"),
              UnorderedElementsAreArray(understood(decode_person, "state")));
  EXPECT_THAT(words(OperationId::device_set, "state"),
              UnorderedElementsAreArray(understood(decode_device, "state")));
  EXPECT_THAT(words(OperationId::resource_set, "classification"),
              UnorderedElementsAreArray(understood(decode_resource, "classification")));
  std::vector<std::string> catalogue;
  for (const CatalogueEntry& entry : service_catalogue()) catalogue.push_back(entry.id.str());
  EXPECT_THAT(words(OperationId::service_catalogue, "only"), ElementsAreArray(catalogue));
}

}  // namespace
}  // namespace sekisho::control
