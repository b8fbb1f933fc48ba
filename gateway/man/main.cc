// Writes the manual pages: man_pages SAMPLE_CONFIGURATION FOLDER
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
    std::cerr << "usage: man_pages SAMPLE_CONFIGURATION FOLDER\n";
    return 2;
  }
  std::ifstream sample(arguments[1], std::ios::binary);
  if (!sample) {
    std::cerr << arguments[1] << ": cannot be read\n";
    return 1;
  }
  const std::string text(std::istreambuf_iterator<char>(sample), {});
  const std::filesystem::path folder(arguments[2]);
  for (const auto& page : sekisho::man::pages(text)) {
    std::ofstream file(folder / page.file(), std::ios::binary);
    if (!(file << page.text()).flush()) {
      std::cerr << (folder / page.file()).string() << ": cannot be written\n";
      return 1;
    }
  }
  return 0;
}
