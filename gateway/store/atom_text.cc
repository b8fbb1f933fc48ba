#include "gateway/store/atom_text.h"

#include <array>
#include <charconv>
#include <concepts>
#include <optional>
#include <ranges>

namespace sekisho::store {
namespace {

// In the order of enum Check.
constexpr std::array<std::string_view, 4> kChecks = {"none", "tls", "ssh", "quic"};
constexpr std::array kProtocols = {Protocol::icmp, Protocol::tcp, Protocol::udp, Protocol::icmpv6};

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (const auto part : std::views::split(text, separator)) parts.emplace_back(part);
  return parts;
}

template <std::unsigned_integral Number>
std::optional<Number> read_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

void write_head(std::string& text, const Atom& atom) {
  text += std::to_string(atom.mark.atom()) + " ";
  text += kChecks[static_cast<std::size_t>(atom.mark.check())];
  text += " ";
  std::string_view separator;
  for (const ResourceId& resource : atom.opened_by) {
    text += separator;
    text += resource.str();
    separator = ",";
  }
  text += "\n";
}

std::optional<Atom> read_head(std::string_view line) {
  const auto parts = split(line, ' ');
  if (parts.size() != 3) return std::nullopt;
  const auto number = read_number<std::uint32_t>(parts[0]);
  const auto check = std::ranges::find(kChecks, parts[1]);
  if (!number || *number < AtomMark::kFirstAtom || *number > AtomMark::kLastAtom ||
      check == kChecks.end()) {
    return std::nullopt;
  }
  Atom atom{.mark = AtomMark(*number, static_cast<Check>(check - kChecks.begin())),
            .opened_by = {},
            .covered_by = {},
            .where = {}};
  if (parts[2].empty()) return atom;
  for (const std::string_view resource : split(parts[2], ',')) {
    if (!is_valid_id(resource)) return std::nullopt;
    atom.opened_by.emplace(std::string(resource));
  }
  return atom;
}

// False where the line is none of ours.
bool read_line(std::vector<Atom>& atoms, std::string_view line) {
  if (!line.starts_with(' ')) {
    auto atom = read_head(line);
    if (atom) atoms.push_back(std::move(*atom));
    return atom.has_value();
  }
  const auto box = read_box(line.substr(1));
  if (!box || atoms.empty()) return false;
  atoms.back().where.push_back(*box);
  return true;
}

}  // namespace

std::string write_box(const Destinations& box) {
  return box.addresses.first.to_string() + " " + box.addresses.last.to_string() + " " +
         std::to_string(static_cast<unsigned>(box.protocol)) + " " +
         std::to_string(box.ports.first.value()) + " " + std::to_string(box.ports.last.value());
}

std::optional<Destinations> read_box(std::string_view line) {
  const auto parts = split(line, ' ');
  if (parts.size() != 5) return std::nullopt;
  const auto first = IpAddress::parse(parts[0]), last = IpAddress::parse(parts[1]);
  const auto protocol = read_number<std::uint8_t>(parts[2]);
  const auto low = read_number<std::uint16_t>(parts[3]),
             high = read_number<std::uint16_t>(parts[4]);
  if (!first || !last || !protocol || !low || !high || *low > *high || *last < *first ||
      first->family() != last->family() ||
      std::ranges::find(kProtocols, static_cast<Protocol>(*protocol)) == kProtocols.end()) {
    return std::nullopt;
  }
  return Destinations{.addresses = {*first, *last},
                      .protocol = static_cast<Protocol>(*protocol),
                      .ports = {Port(*low), Port(*high)}};
}

std::string write_atoms(const std::vector<Atom>& atoms) {
  std::string text;
  for (const Atom& atom : atoms) {
    write_head(text, atom);
    for (const Destinations& box : atom.where) text += " " + write_box(box) + "\n";
  }
  return text;
}

Result<std::vector<Atom>> read_atoms(std::string_view text) {
  std::vector<Atom> atoms;
  for (int number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    if (end == text.npos || !read_line(atoms, text.substr(0, end))) {
      return fail(ErrorCode::failed, "atoms, line " + std::to_string(number), "cannot be read");
    }
    text.remove_prefix(end + 1);
  }
  return atoms;
}

}  // namespace sekisho::store
