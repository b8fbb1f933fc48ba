// Writes the manual pages: man_pages SAMPLE_CONFIGURATIONS FOLDER
#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <span>
#include <string>

#include "gateway/man/pages.h"

int main(int argc, char** argv) {
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  if (argc != 3) {
    std::cerr << "usage: man_pages SAMPLE_CONFIGURATIONS FOLDER\n";
    return 2;
  }
  const std::filesystem::path samples(arguments[1]);
  std::array<std::string, 2> texts;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto file = samples / (i == 0 ? "sekisho.toml" : "notify.toml");
    std::ifstream sample(file, std::ios::binary);
    if (!sample) {
      std::cerr << file.string() << ": cannot be read\n";
      return 1;
    }
    texts.at(i).assign(std::istreambuf_iterator<char>(sample), {});
  }
  const std::filesystem::path folder(arguments[2]);
  for (const auto& page : sekisho::man::pages(texts[0], texts[1])) {
    std::ofstream file(folder / page.file(), std::ios::binary);
    if (!(file << page.text()).flush()) {
      std::cerr << (folder / page.file()).string() << ": cannot be written\n";
      return 1;
    }
  }
  return 0;
}
