/** The one style of the pages this program writes: light and dark, every colour with a contrast of at least 4.5 to 1. */
export const style = `
:root { color-scheme: light dark; --page: #f7f8f8; --card: #ffffff; --ink: #1b2226; --quiet: #4d5b63; --line: #c9d1d5;
  --accent: #0a5a72; --mark: #8a3b00; --mark-page: #fff3e3; --good: #14603a; }
@media (prefers-color-scheme: dark) { :root { --page: #12171a; --card: #1a2125; --ink: #e8ecee; --quiet: #a9b6bc;
  --line: #39454b; --accent: #86cfe4; --mark: #ffb86b; --mark-page: #33261a; --good: #7fd6a4; } }
* { box-sizing: border-box; }
html { font: 100%/1.5 system-ui, "Noto Sans", "Noto Sans Georgian", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", sans-serif;
  background: var(--page); color: var(--ink); }
body { margin: 0 auto; padding: 0 1.25rem 3rem; max-width: 76rem; overflow-wrap: anywhere; }
a { color: var(--accent); text-underline-offset: .15em; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
main:focus { outline: none; }
.skip { position: absolute; left: -100vw; }
.unseen { position: absolute; width: 1px; height: 1px; padding: 0; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip:focus { position: static; display: inline-block; padding: .5rem; }
header { display: flex; flex-wrap: wrap; gap: .25rem 2rem; align-items: center; padding: .75rem 0; border-bottom: 1px solid var(--line); }
.brand { margin: 0; font-weight: 700; letter-spacing: .02em; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: 0; padding: 0; list-style: none; }
nav a { display: inline-block; padding: .25rem 0; min-height: 1.5rem; }
nav a[aria-current] { font-weight: 700; text-decoration-thickness: 3px; }
header nav:last-child { margin-inline-start: auto; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 1.5rem 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
p { margin: .35rem 0; max-width: 50rem; }
.quiet, .code { color: var(--quiet); }
.code, code, .mono { font-family: ui-monospace, "Cascadia Mono", "Noto Sans Mono", Menlo, Consolas, monospace; font-size: .875em; }
.attention { background: var(--mark-page); border-inline-start: .4rem solid var(--mark); padding: .75rem 1rem; margin: 1rem 0; }
.attention h2 { margin: 0 0 .25rem; padding: 0; border: 0; color: var(--mark); }
.attention ul { margin: 0; padding-inline-start: 1.2rem; }
.calm { border-inline-start: .4rem solid var(--good); padding: .5rem 1rem; margin: 1rem 0; background: var(--card); }
.calm h2 { margin: 0; padding: 0; border: 0; color: var(--good); }
.scroll { overflow-x: auto; margin: .75rem 0 1.5rem; background: var(--card); border: 1px solid var(--line); border-radius: .4rem; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; overflow-wrap: normal; }
caption { text-align: start; font-weight: 600; padding: .6rem .8rem; }
th, td { text-align: start; vertical-align: top; padding: .45rem .65rem; border-top: 1px solid var(--line); }
thead th { color: var(--quiet); font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 500; }
.number { text-align: end; font-variant-numeric: tabular-nums; }
time { white-space: nowrap; font-variant-numeric: tabular-nums; }
dl { display: grid; gap: 0; margin: .75rem 0 1.5rem; background: var(--card); border: 1px solid var(--line); border-radius: .4rem; }
dl > div { display: grid; grid-template-columns: minmax(9rem, 16rem) 1fr; gap: .25rem 1rem; padding: .45rem .8rem; border-top: 1px solid var(--line); }
dl > div:first-child { border-top: 0; }
dt { color: var(--quiet); }
dd { margin: 0; min-width: 0; }
.whole, td .mono, th .mono { white-space: nowrap; }
.words { display: inline-block; min-width: 10rem; }
.method { display: inline-block; min-width: 3.5rem; font-weight: 700; }
footer { margin-top: 3rem; color: var(--quiet); font-size: .875rem; }
@media (max-width: 40rem) { dl > div { grid-template-columns: 1fr; } header nav:last-child { margin-inline-start: 0; } }
@media print { header nav, .skip { display: none; } .scroll { overflow: visible; border: 0; } }
`
