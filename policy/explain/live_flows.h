#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "policy/compile/compile.h"

namespace sekisho {

// A connection as the kernel tracks it.
struct LiveFlow {
  IpAddress source;       // who opened it: a tunnel address
  IpAddress destination;  // where it meant to go
  Protocol protocol = Protocol::tcp;
  Port source_port = {};
  Port port = {};           // of the destination
  std::uint32_t mark = 0;   // its ct mark
  std::uint64_t bytes = 0;  // both ways
};

// Those that pass by the tables of `before` and do not by those of `after`, which keep the numbers
// of atoms as cut() does; a flow whose number is given up is re-marked by its destination, and does
// not survive where that asks for another check. By index, ascending.
std::vector<std::size_t> ended(const Compiled& before, const Compiled& after,
                               std::span<const LiveFlow> flows);

}  // namespace sekisho
