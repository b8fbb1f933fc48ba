#include "policy/compile/render_nft.h"

#include <fmt/format.h>

#include <vector>

namespace sekisho {

namespace {

using namespace nft;
using Elements = std::vector<std::string>;

std::string_view name_of(Field field) {
  switch (field) {
    case Field::ipv4_addr:
      return "ipv4_addr";
    case Field::ipv6_addr:
      return "ipv6_addr";
    case Field::inet_proto:
      return "inet_proto";
    case Field::inet_service:
      return "inet_service";
    case Field::mark:
      return "mark";
  }
  return {};
}

std::string_view name_of(Hook hook) {
  switch (hook) {
    case Hook::prerouting:
      return "prerouting";
    case Hook::input:
      return "input";
    case Hook::forward:
      return "forward";
    case Hook::output:
      return "output";
    case Hook::postrouting:
      return "postrouting";
  }
  return {};
}

std::string_view name_of(Priority priority) {
  switch (priority) {
    case Priority::raw:
      return "raw";
    case Priority::filter:
      return "filter";
    case Priority::srcnat:
      return "srcnat";
  }
  return {};
}

std::string type_of(const Set& set) {
  std::string type;
  for (const Field field : set.key) {
    type += fmt::format("{}{}", type.empty() ? "" : " . ", name_of(field));
  }
  return set.to_mark ? type + " : mark" : type;
}

std::string flags_of(const Set& set) {
  std::string flags;
  const auto add = [&](bool has, std::string_view name) {
    if (has) flags += fmt::format("{}{}", flags.empty() ? "" : ",", name);
  };
  add(set.interval, "interval");
  add(set.dynamic, "dynamic");
  add(set.timeout, "timeout");
  return flags;
}

std::string duration(std::chrono::seconds time) {
  return time.count() % 60 == 0 ? fmt::format("{}m", time.count() / 60)
                                : fmt::format("{}s", time.count());
}

std::string render(const Set& set, const Elements& elements) {
  std::string out =
      fmt::format("\t{} {} {{\n\t\ttype {}\n", set.to_mark ? "map" : "set", set.name, type_of(set));
  if (set.size) out += fmt::format("\t\tsize {}\n", *set.size);
  out += fmt::format("\t\tflags {}\n", flags_of(set));
  if (set.default_timeout) out += fmt::format("\t\ttimeout {}\n", duration(*set.default_timeout));
  out += fmt::format("\t\tcomment \"{}\"\n", set.comment);
  for (std::size_t i = 0; i < elements.size(); ++i) {
    out += i == 0 ? "\t\telements = { " : ",\n\t\t\t     ";
    out += elements[i];
  }
  return out + (elements.empty() ? "\t}\n" : " }\n\t}\n");
}

std::string render(const Chain& chain) {
  std::string out = fmt::format("\tchain {} {{\n\t\tcomment \"{}\"\n", chain.name, chain.comment);
  if (chain.base) {
    out += fmt::format("\t\ttype {} hook {} priority {}; policy accept;\n",
                       chain.base->priority == Priority::srcnat ? "nat" : "filter",
                       name_of(chain.base->hook), name_of(chain.base->priority));
  }
  for (const Rule& rule : chain.rules) out += "\t\t" + to_nft(rule) + "\n";
  return out + "\t}\n";
}

// Nothing where it has ended; " timeout 30s" where it will.
std::optional<std::string> timeout(const std::optional<Time>& until, Time now) {
  if (!until) return "";
  if (*until <= now) return std::nullopt;
  return fmt::format(" timeout {}s", (*until - now).count());
}

Elements cohorts(const Tables& tables, Family family, Time now) {
  Elements elements;
  for (const auto& [address, entry] : tables.cohorts) {
    const auto left = timeout(entry.until, now);
    if (address.family() != family || !left) continue;
    elements.push_back(
        fmt::format("{}{} : {:#010x}", address.to_string(), *left, entry.cohort.value()));
  }
  return elements;
}

Elements atoms(const Tables& tables, Family family) {
  Elements elements;
  for (const auto& [where, atom] : tables.atoms) {
    const auto& [first, last] = where.addresses;
    if (first.family() != family) continue;
    const std::string addresses =
        first == last ? first.to_string() : first.to_string() + "-" + last.to_string();
    elements.push_back(fmt::format("{} . {} . {} : {:#010x}", addresses,
                                   static_cast<int>(where.protocol), where.ports.to_string(),
                                   atom.opening()));
  }
  return elements;
}

Elements grants(const Tables& tables, Time now) {
  Elements elements;
  for (const auto& [key, until] : tables.grants) {
    const auto left = timeout(until, now);
    if (!left) continue;
    elements.push_back(
        fmt::format("{:#010x} . {:#010x}{}", key.cohort.value(), key.atom.verified(), *left));
  }
  return elements;
}

Elements contents(const Set& set, const Tables& tables, Time now) {
  if (set.name == kGrantsSet) return grants(tables, now);
  for (const Family family : {Family::v4, Family::v6}) {
    if (set.name == cohort_map(family)) return cohorts(tables, family, now);
    if (set.name == atom_map(family)) return atoms(tables, family);
  }
  return {};
}

}  // namespace

std::string render_nft(const Ruleset& ruleset) {
  return render_nft(ruleset, Tables{}, Time{});
}

std::string render_nft(const Ruleset& ruleset, const Tables& tables, Time now) {
  std::string out =
      fmt::format("table inet {} {{\n\tcomment \"{}\"\n", ruleset.table, ruleset.comment);
  for (const Counter& counter : ruleset.counters) {
    out += fmt::format("\tcounter {} {{\n\t\tcomment \"{}\"\n\t\tpackets 0 bytes 0\n\t}}\n\n",
                       counter.name, counter.comment);
  }
  for (const Set& set : ruleset.sets) out += render(set, contents(set, tables, now)) + "\n";
  for (std::size_t i = 0; i < ruleset.chains.size(); ++i) {
    out += render(ruleset.chains[i]) + (i + 1 < ruleset.chains.size() ? "\n" : "");
  }
  return out + "}\n";
}

}  // namespace sekisho
