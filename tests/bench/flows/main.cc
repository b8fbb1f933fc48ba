#include <sys/resource.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/bench/flows/common.h"

namespace sekisho::bench {

std::int64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

void raise_limits() {
  rlimit limit{8192, 8192};
  setrlimit(RLIMIT_NOFILE, &limit);
}

void give_up(const std::string& what) {
  std::fprintf(stderr, "bench_flows: %s\n", what.c_str());
  std::exit(1);
}

}  // namespace sekisho::bench

int main(int count, char** words) {
  using namespace sekisho::bench;
  const auto is = [&](const char* word, int least) {
    return count >= least && std::strcmp(words[1], word) == 0;
  };
  const auto port = [&](int place) { return static_cast<std::uint16_t>(std::atoi(words[place])); };
  raise_limits();
  if (is("serve", 3)) {
    serve(port(2));
  } else if (is("flows", 5)) {
    run_flows(port(2), words[3], words[4]);
  } else if (is("flood", 4)) {
    flood(words[2], port(3));
  } else if (is("watch", 3)) {
    watch(count - 2, words + 2);
  } else {
    give_up("see README.md");
  }
}
