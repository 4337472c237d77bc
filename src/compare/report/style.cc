// SPDX-License-Identifier: BSD-3-Clause
// The page's style sheet. Engines have colours s0 to s7; yardsticks are grey, y0 to y7.

#include "src/compare/report/page.h"

namespace twinpath::report {

const char kStyle[] = R"(
:root { color-scheme: light dark; --ink: #1a1d21; --soft: #555e6a; --line: #d9dde3; --paper: #fff;
  --panel: #f6f7f9; --warn: #9a4a00; --s0: #0b62c4; --s1: #c2410c; --s2: #15803d; --s3: #8b2fd6;
  --s4: #be185d; --s5: #0e7490; --s6: #946200; --s7: #3f4a86; --y: #8a929d; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaed; --soft: #a2abb8; --line: #363c45; --paper: #14171a; --panel: #1d2126;
    --warn: #ffb066; --s0: #6db3ff; --s1: #ff9b63; --s2: #5fd08a; --s3: #c99bff; --s4: #ff86b3;
    --s5: #5cc9dc; --s6: #e3b341; --s7: #a5b0f5; --y: #7d8794; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 24px 20px 48px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 4px; }
h2 { font-size: 19px; margin: 40px 0 4px; padding-top: 12px; border-top: 1px solid var(--line); }
h3 { font-size: 15px; margin: 20px 0 4px; }
p { margin: 6px 0; max-width: 76ch; }
.soft, figcaption { color: var(--soft); }
.warn { color: var(--warn); }
ul { margin: 6px 0; padding-left: 20px; max-width: 76ch; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 440px), 1fr));
  gap: 12px; margin: 12px 0; }
figure { margin: 0; padding: 10px 12px; background: var(--panel); border-radius: 8px; min-width: 0; }
figcaption { font-size: 13px; font-weight: 600; margin-bottom: 4px; }
svg { display: block; width: 100%; max-width: 600px; height: auto; }
svg text { fill: var(--ink); font-size: 11.5px; }
svg .tick, svg .axis { fill: var(--soft); font-size: 10.5px; }
svg .value { fill: var(--soft); font-variant-numeric: tabular-nums; }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .whisker { stroke: var(--ink); stroke-width: 1.2; }
svg .reference { stroke: var(--warn); stroke-width: 1.4; stroke-dasharray: 4 3; }
svg .range { stroke: currentColor; stroke-width: 2; opacity: .55; }
svg .curve { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; }
svg .bar, svg .full { fill: currentColor; }
svg .open { fill: var(--panel); stroke: currentColor; stroke-width: 1.8; }
svg .heat { fill: currentColor; } svg .cell { font-variant-numeric: tabular-nums; }
svg .unknown { fill: none; stroke: var(--warn); stroke-dasharray: 4 3; }
.s0 { color: var(--s0); } .s1 { color: var(--s1); } .s2 { color: var(--s2); }
.s3 { color: var(--s3); } .s4 { color: var(--s4); } .s5 { color: var(--s5); }
.s6 { color: var(--s6); } .s7 { color: var(--s7); }
.y0, .y1, .y2, .y3, .y4, .y5, .y6, .y7 { color: var(--y); }
svg .curve.y1 { stroke-dasharray: 7 3; } svg .curve.y2 { stroke-dasharray: 2 3; }
svg .curve.y3 { stroke-dasharray: 9 3 2 3; } svg .curve.y4 { stroke-dasharray: 4 4; }
svg .curve.y5 { stroke-dasharray: 1 5; } svg .curve.y6 { stroke-dasharray: 12 3; }
svg .curve.y7 { stroke-dasharray: 9 3 2 3 2 3; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 6px 0 0; padding: 0; font-size: 12.5px;
  list-style: none; }
.legend svg { display: inline-block; width: 26px; height: 10px; margin-right: 6px;
  vertical-align: middle; }
.legend span { color: var(--ink); }
.scroll { overflow-x: auto; margin: 10px 0; }
table { border-collapse: collapse; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 12px 4px 0; text-align: right; border-bottom: 1px solid var(--line);
  vertical-align: top; white-space: nowrap; }
th { font-weight: 600; color: var(--soft); }
th.text, td.text { text-align: left; }
td.text { white-space: normal; max-width: 52ch; overflow-wrap: break-word; }
table.facts td { white-space: normal; overflow-wrap: anywhere; }
table.facts td:first-child { white-space: nowrap; color: var(--soft); }
pre { background: var(--panel); padding: 10px 12px; border-radius: 8px; overflow-x: auto;
  font: 12.5px/1.45 ui-monospace, "DejaVu Sans Mono", monospace; max-height: 420px; }
@media (max-width: 520px) {
  main { padding: 16px 12px 32px; } h1 { font-size: 21px; } h2 { font-size: 17px; }
  figure { padding: 8px; } }
@media print {
  :root { color-scheme: light; --ink: #000; --soft: #444; --line: #bbb; --paper: #fff; --panel: #fff;
    --warn: #9a4a00; --s0: #0b62c4; --s1: #c2410c; --s2: #15803d; --s3: #8b2fd6; --s4: #be185d;
    --s5: #0e7490; --s6: #946200; --s7: #3f4a86; --y: #8a929d; }
  body { font-size: 11px; } main { max-width: none; padding: 0; }
  .plots { grid-template-columns: 1fr 1fr; } figure { break-inside: avoid; border: 1px solid #bbb; }
  h2 { break-after: avoid; } tr { break-inside: avoid; }
  pre { max-height: none; white-space: pre-wrap; overflow-wrap: anywhere; } .scroll { overflow: visible; } }
)";

}  // namespace twinpath::report
