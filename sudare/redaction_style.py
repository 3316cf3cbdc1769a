"""How the page of `sudare redact --html` looks: light, dark, narrow and printed. `--h` is a label's hue."""

STYLE = """
:root {
  --paper: #f7f6f2; --card: #fff; --ink: #23262b; --soft: #646a73; --line: #e1ded6; --accent: #4a6b57;
  --warn: #fff4d6; --warn-ink: #6b4a00; --warn-line: #e3b341;
  --tint: 90%; --tint-s: 80%; --edge: 45%; --deep: 26%;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15171a; --card: #1e2125; --ink: #e6e4df; --soft: #a0a5ad; --line: #33373d; --accent: #8fb59c;
    --warn: #33290f; --warn-ink: #f3d48a; --warn-line: #8a6a1f;
    --tint: 22%; --tint-s: 42%; --edge: 62%; --deep: 84%;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 78rem; padding: 2rem clamp(1rem, 4vw, 3rem) 4rem; background: var(--paper);
  color: var(--ink); line-height: 1.8;
  font-family: "Hiragino Sans", "Noto Sans JP", "Noto Sans CJK JP", "Yu Gothic UI", Meiryo, system-ui, sans-serif;
}
h1, h2, h3, h4 { margin: 0; font-weight: 600; line-height: 1.5; }
h1 { font-size: 1.65rem; letter-spacing: .03em; display: flex; align-items: center; flex-wrap: wrap; gap: .1rem .7rem; }
h2 { font-size: 1.1rem; margin: 2.4rem 0 .9rem; }
small, [lang="en"] { color: var(--soft); font-weight: 400; }
h1 small { font-size: 1rem; }
h2 small { font-size: .85rem; margin-left: .3em; }
code { font: .82em/1.2 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; color: var(--soft); }
.blind {
  width: 1.7rem; height: 1.7rem; border-radius: .3rem; border-top: .3rem solid var(--accent);
  background: repeating-linear-gradient(var(--accent) 0 2px, transparent 2px 5px);
}
.notice {
  margin: 1.1rem 0 0; padding: .8rem 1.1rem; border: 1px solid var(--warn-line); border-left-width: .4rem;
  border-radius: .5rem; background: var(--warn); color: var(--warn-ink);
}
.notice [lang="en"] { display: block; color: inherit; font-size: .9rem; }
.numbers {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .8rem; margin: 1.6rem 0 0;
}
.numbers div { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .7rem 1rem; }
.numbers dt { font-size: .85rem; line-height: 1.4; }
.numbers dt span { display: block; font-size: .75rem; }
.numbers dd {
  margin: .2rem 0 0; font-size: 1.6rem; font-weight: 600; line-height: 1.2; font-variant-numeric: tabular-nums;
}
.legend {
  list-style: none; margin: 0; padding: 0; display: grid; gap: .1rem 2.4rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr));
}
.legend li { display: flex; align-items: center; gap: .6rem; border-bottom: 1px solid var(--line); padding: .3rem 0; }
.legend .name { flex: 1; min-width: 0; line-height: 1.4; overflow-wrap: anywhere; }
.legend code { font-size: .72rem; }
.legend b { min-width: 2.2em; text-align: right; font-variant-numeric: tabular-nums; }
.swatch {
  width: 1.1rem; height: 1.1rem; border-radius: .25rem; background: hsl(var(--h) var(--tint-s) var(--tint));
  border: 1px solid hsl(var(--h) 45% var(--edge)); border-bottom-width: 3px; flex: none;
}
meter { width: 4rem; height: .5rem; border: 0; appearance: none; background: var(--line); border-radius: .25rem; }
meter::-webkit-meter-bar { background: var(--line); border: 0; border-radius: .25rem; height: .5rem; }
meter::-webkit-meter-optimum-value { background: hsl(var(--h) 45% var(--edge)); border-radius: .25rem; }
meter::-moz-meter-bar { background: hsl(var(--h) 45% var(--edge)); border-radius: .25rem; }
table {
  width: 100%; border-collapse: collapse; background: var(--card); border: 1px solid var(--line); font-size: .92rem;
}
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem; border-bottom: 1px solid var(--line); }
th { font-weight: 600; font-size: .82rem; white-space: nowrap; }
td:first-child { font-variant-numeric: tabular-nums; }
.id { overflow-wrap: anywhere; }
.only {
  display: inline-flex; flex-wrap: wrap; gap: 0 .5rem; align-items: center; margin-bottom: .9rem; cursor: pointer;
}
.only input { accent-color: var(--accent); width: 1.05rem; height: 1.05rem; margin: 0; }
.posts:has(.only input:checked) .clean { display: none; }
article {
  background: var(--card); border: 1px solid var(--line); border-radius: .7rem; margin: 0 0 .9rem; overflow: hidden;
  break-inside: avoid;
}
article h3 {
  display: flex; gap: .7rem; align-items: baseline; padding: .4rem 1.1rem; font-size: .85rem; font-weight: 400;
  border-bottom: 1px solid var(--line);
}
h3 .no { color: var(--soft); font-variant-numeric: tabular-nums; }
h3 .id { font-weight: 600; }
h3 .told { margin-left: auto; white-space: nowrap; color: var(--soft); font-size: .8rem; }
.pair { display: grid; grid-template-columns: 1fr 1fr; }
.pair > div { padding: .6rem 1.1rem 1rem; min-width: 0; }
.pair > div + div { border-left: 1px solid var(--line); }
h4 { font-size: .74rem; color: var(--soft); }
.text { white-space: pre-wrap; overflow-wrap: anywhere; line-height: 2; unicode-bidi: plaintext; }
.clean .pair { grid-template-columns: 1fr; }
.clean .text { line-height: 1.8; }
mark, .text b {
  background: hsl(var(--h) var(--tint-s) var(--tint)); color: hsl(var(--h) 60% var(--deep));
  border-radius: .25rem; padding: .1em .25em; margin: 0 .08em; -webkit-box-decoration-break: clone;
  box-decoration-break: clone;
}
mark { border-bottom: 2px solid hsl(var(--h) 45% var(--edge)); }
mark::after {
  margin-left: .4em; font-size: .7em; font-weight: 600; white-space: nowrap; opacity: .85; letter-spacing: .02em;
}
.text b {
  border: 1px solid hsl(var(--h) 45% var(--edge));
  font: .82em/1.2 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
}
.none { color: var(--soft); margin-top: 2.4rem; }
@media (max-width: 44rem) {
  .pair { grid-template-columns: 1fr; }
  .pair > div + div { border-left: 0; border-top: 1px dashed var(--line); }
  .numbers { grid-template-columns: repeat(2, 1fr); }
  .numbers div:first-child { grid-column: 1 / -1; }
  .refused { overflow-x: auto; }
}
@media print {
  :root {
    color-scheme: light; --paper: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --accent: #4a6b57;
    --warn: #fff; --warn-ink: #000; --warn-line: #000; --tint: 92%; --tint-s: 80%; --edge: 40%; --deep: 22%;
  }
  body { max-width: none; padding: 0; font-size: 9.5pt; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .only { display: none; }
  .pair { grid-template-columns: 1fr 1fr; }
  .pair > div + div { border-left: 1px solid var(--line); border-top: 0; }
  .clean .pair { grid-template-columns: 1fr; }
}
"""
