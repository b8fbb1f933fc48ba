#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/model/policy.h"

// Ready resources for what stops working when all of a device's traffic takes the tunnel and only
// HTTPS and SSH leave. None of it is part of any policy: an officer imports what is needed, then
// grants it.
namespace sekisho {

struct CatalogueEntry {
  ResourceId id;
  std::string breaks;  // what does not work without it
  Resource resource;   // on the internet; each exception with its reason
};

std::span<const CatalogueEntry> service_catalogue();

// A document to import, each entry under a comment that says what breaks without it.
std::string write_catalogue(const std::vector<const CatalogueEntry*>& entries);

}  // namespace sekisho
