#pragma once

#include <string_view>

namespace sekisho::page {

// Light and dark, from 390 px up; state is told by words, the colour only underlines them.
inline constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --ink: #1c2430; --paper: #f6f5f1; --card: #ffffff; --line: #2e7d4f; --soft: #5b6472; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e6df; --paper: #14181f; --card: #1d232c; --line: #57b37f; --soft: #a2abb8; }
}
.isolated { --line: #b3261e; } .unknown { --line: #8a6d1a; }
@media (prefers-color-scheme: dark) { .isolated { --line: #ff8a80; } .unknown { --line: #e0bf57; } }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: var(--paper); line-height: 1.7;
  font-family: system-ui, "Hiragino Sans", "Noto Sans CJK JP", "Noto Sans JP", sans-serif; }
main { max-width: 42rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
section { background: var(--card); border-top: 6px solid var(--line); border-radius: 8px; padding: 1.25rem 1.25rem 1rem; margin: 0 0 1rem; }
h1 { font-size: 1.35rem; line-height: 1.45; margin: 0 0 .5rem; }
p { margin: 0 0 .75rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0 0 .75rem; }
dt { color: var(--soft); } dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
footer { color: var(--soft); font-size: .85rem; text-align: center; }
)";

}  // namespace sekisho::page
