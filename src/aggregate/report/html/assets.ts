const light = `
  --paper: #ffffff; --ground: #f4f5f7; --ink: #1a1d23; --soft: #565d6b; --rule: #dfe2e8; --grid: #e6e8ed; --accent: #0b5cad;
  --good: #00704f; --good-soft: #e0f3ec; --bad: #b03a06; --bad-soft: #fcebe2; --open: #7a5600; --open-soft: #fbf1d9; --none: #565d6b; --none-soft: #eceef2;
  --c0: #0068a8; --c1: #c94a00; --c2: #00805c; --c3: #b0478a; --c4: #96700a; --c5: #3f8fc4; --c6: #6b5bc2;
  --band: #0068a826; --bar: #7fb1d4; --idle: #d5e3ee; --alarm: #ffd84d; --alarm-ink: #241b00;
`;

/** The page's style sheet. Colours of charts are after Okabe and Ito (2008), lighter in the dark. */
export const style = `
:root {
  color-scheme: light dark; ${light}
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #181b21; --ground: #0f1115; --ink: #e8eaee; --soft: #a3abba; --rule: #313641; --grid: #2a2f39; --accent: #7ab8f2;
    --good: #5fd6ac; --good-soft: #12352a; --bad: #ff9d70; --bad-soft: #42200f; --open: #f0c25e; --open-soft: #3a2d0c; --none: #a3abba; --none-soft: #2a2f39;
    --c0: #62b2f0; --c1: #ff8d4a; --c2: #3ecb9d; --c3: #e58fc6; --c4: #dcb648; --c5: #9fd6fa; --c6: #a99cf5;
    --band: #62b2f033; --bar: #3f6c8d; --idle: #25394a; --alarm: #e8b800; --alarm-ink: #1b1400;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 56px; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
header, main, footer, nav ul { max-width: 1120px; margin: 0 auto; padding: 0 24px; }
h1, h2, h3, h4, p, ul, figure, dl { margin: 0; }
h1 { font-size: 30px; line-height: 1.2; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { font-size: 20px; line-height: 1.3; margin-bottom: 14px; letter-spacing: -0.005em; }
h3 { font-size: 16px; line-height: 1.4; overflow-wrap: anywhere; }
h4 { font-size: 14px; margin-bottom: 6px; overflow-wrap: anywhere; }
p, li, dd { overflow-wrap: anywhere; }
a { color: var(--accent); }
code, pre { font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
small { font-size: 12.5px; color: var(--soft); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.alarm { background: var(--alarm); color: var(--alarm-ink); font-weight: 700; text-align: center; padding: 10px 24px; border-bottom: 1px solid #00000033; }
header { padding-top: 34px; padding-bottom: 22px; }
header p { font-size: 17px; color: var(--soft); margin-top: 6px; }
header .brand { font-size: 13px; font-weight: 600; letter-spacing: 0.04em; text-transform: uppercase; margin: 0 0 6px; }
header ul { display: flex; flex-wrap: wrap; gap: 4px 8px; margin-top: 14px; padding: 0; list-style: none; font-size: 13px; }
header li { background: var(--paper); border: 1px solid var(--rule); border-radius: 999px; padding: 2px 11px; }
nav { position: sticky; top: 0; z-index: 2; background: var(--ground); border-bottom: 1px solid var(--rule); }
nav ul { display: flex; gap: 2px; overflow-x: auto; list-style: none; padding-top: 6px; padding-bottom: 6px; scrollbar-width: none; }
nav a { display: block; padding: 5px 10px; border-radius: 6px; color: var(--soft); text-decoration: none; font-size: 13.5px; white-space: nowrap; }
nav li:first-child a { margin-left: -10px; }
nav a:hover { background: var(--paper); color: var(--ink); }
main { padding-top: 8px; padding-bottom: 8px; }
section { background: var(--paper); border: 1px solid var(--rule); border-radius: 10px; padding: 22px 24px 24px; margin: 16px 0; }
footer { color: var(--soft); font-size: 13px; padding-top: 8px; padding-bottom: 36px; }
section p { max-width: 92ch; }
.t-supported, .t-good { color: var(--good); }
.t-refuted, .t-bad { color: var(--bad); }
.t-inconclusive, .t-unknown, .t-warning { color: var(--open); }
.t-not-tested, .t-muted { color: var(--soft); }
p.t-muted { font-size: 13.5px; max-width: 88ch; margin-bottom: 14px; }
.badge { display: inline-block; white-space: nowrap; border-radius: 5px; padding: 0 8px; font-size: 12.5px; line-height: 20px; font-weight: 650; background: var(--none-soft); }
.badge.t-supported, .badge.t-good { background: var(--good-soft); }
.badge.t-refuted, .badge.t-bad { background: var(--bad-soft); }
.badge.t-inconclusive, .badge.t-unknown, .badge.t-warning { background: var(--open-soft); }
.badge[class*=" l-"] { color: var(--none); }
.badge.l-client, .badge.l-machine { color: var(--c0); background: var(--band); }
.badge.l-server { color: var(--good); background: var(--good-soft); }
.badge.l-pool { color: var(--bad); background: var(--bad-soft); }
.badge.l-network { color: var(--open); background: var(--open-soft); }
.badge.l-machine { outline: 1px dashed currentColor; outline-offset: -1px; }
.card { border: 1px solid var(--rule); border-left: 4px solid var(--none); border-radius: 8px; padding: 14px 18px 14px; margin-top: 14px; color: inherit; }
.card.t-supported, .card.t-good { border-left-color: var(--good); }
.card.t-refuted, .card.t-bad { border-left-color: var(--bad); }
.card.t-inconclusive, .card.t-unknown, .card.t-warning { border-left-color: var(--open); }
.card h3 .badge { vertical-align: 1px; margin-right: 4px; }
.card > h3 { margin: 0; }
.card > p { margin: 8px 0 0; font-size: inherit; max-width: 92ch; }
.card details > p { margin-top: 8px; }
details { margin-top: 10px; }
summary { cursor: pointer; color: var(--accent); font-size: 13.5px; width: fit-content; max-width: 100%; overflow-wrap: anywhere; }
summary:hover { text-decoration: underline; }
section > details { margin-top: 14px; }
section > details > summary { font-size: 14px; font-weight: 600; color: var(--ink); }
section h3 { margin: 16px 0 10px; }
section > p:not(.t-muted) { margin-bottom: 8px; }
section > p + .chart { margin-top: 18px; }
:is(.table, .chart, .charts, details) + p { margin-top: 16px; }
details[open] > summary { margin-bottom: 10px; }
section ul { padding-left: 20px; }
section li { margin: 4px 0; }
#warnings { border-left: 4px solid var(--open); }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 420px), 1fr)); gap: 28px 34px; }
.charts.small { grid-template-columns: repeat(auto-fill, minmax(min(100%, 290px), 1fr)); gap: 22px 26px; }
.charts + .chart, .charts + .charts, .chart + .charts, .chart + .chart:not(.charts > .chart) { margin-top: 28px; }
.chart { min-width: 0; break-inside: avoid; }
figcaption { line-height: 1.4; margin-bottom: 6px; overflow-wrap: anywhere; }
figcaption span { color: var(--soft); font-size: 13px; display: block; }
.small figcaption { font-size: 13.5px; }
section .legend { display: flex; flex-wrap: wrap; gap: 2px 16px; list-style: none; padding: 0; font-size: 13px; margin-bottom: 4px; }
section .legend li { margin: 0; display: flex; align-items: center; gap: 6px; }
.drawing svg { display: block; width: 100%; height: auto; overflow: visible; }
.strips { display: grid; grid-template-columns: minmax(150px, 30%) 1fr max-content; }
svg text { fill: var(--soft); font-size: 12px; font-family: inherit; font-variant-numeric: tabular-nums; }
.small svg text { font-size: 11px; }
svg .axis-label { font-size: 11.5px; }
.small svg .axis-label { font-size: 10.5px; }
.grid path, line.grid { stroke: var(--grid); stroke-width: 1; fill: none; }
.axis { stroke: var(--soft); stroke-width: 1; opacity: 0.6; }
.c0 { --c: var(--c0); } .c1 { --c: var(--c1); } .c2 { --c: var(--c2); } .c3 { --c: var(--c3); } .c4 { --c: var(--c4); } .c5 { --c: var(--c5); } .c6 { --c: var(--c6); }
.line { fill: none; stroke: var(--c); stroke-width: 1.8; stroke-linejoin: round; }
.line.dashed { stroke-dasharray: 5 3.5; }
.mark { fill: var(--c); stroke: var(--paper); stroke-width: 1; }
svg .sign { fill: var(--c); font-weight: 700; paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
.whisker { stroke: var(--c); stroke-width: 2; stroke-linecap: round; opacity: 0.55; }
.slices rect { fill: transparent; }
.slices rect.on { fill: var(--accent); fill-opacity: 0.1; }
.plain { --c: var(--soft); }
.of-chart rect { y: 26px; height: 218px; }
.of-utilization rect { y: 24px; height: 116px; }
.of-timeline rect { y: 24px; height: 150px; }
.completed { fill: var(--bar); }
.failed { fill: var(--bad); }
.failure { stroke: var(--bad); stroke-width: 2; fill: none; }
.outage { fill: var(--bad); fill-opacity: 0.22; stroke: var(--bad); stroke-width: 0.8; stroke-dasharray: 2 2; }
.spread { stroke: var(--c0); stroke-width: 1.6; opacity: 0.55; }
.p99 { stroke: var(--c0); stroke-width: 2; }
.warmup { fill: var(--grid); opacity: 0.55; }
.active { fill: var(--bar); }
.idle { fill: var(--idle); }
.waiting { stroke: var(--c1); stroke-width: 1.8; stroke-dasharray: 5 3; fill: none; }
.strip-row { display: grid; grid-column: 1 / -1; grid-template-columns: subgrid; gap: 0 14px; align-items: center; padding: 0 6px; margin: 0 -6px; border-radius: 6px; font-size: 13.5px; }
.strip-row.on { background: var(--band); }
.strip-row.strong { font-weight: 600; }
.strip-row small { font-weight: 400; }
.strip-label { padding: 4px 0; line-height: 1.35; overflow-wrap: anywhere; }
.strip-label .badge { margin-right: 6px; }
.strip-label small { margin-left: 4px; }
.strong .strip-label small { display: block; margin-left: 0; }
.strip-row svg { align-self: stretch; height: 100%; min-height: 24px; }
.strip-row .band { y: 3px; height: calc(100% - 6px); rx: 3px; }
.strip-axis svg { height: 22px; min-height: 22px; }
.strip-value { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.strip-value span { display: block; }
.strip-axis .strip-value { color: var(--soft); font-size: 12px; }
.band { fill: var(--c2); fill-opacity: 0.16; }
.span { fill: var(--c0); fill-opacity: 0.12; }
.reference { stroke: var(--ink); stroke-width: 1.2; opacity: 0.55; }
.table { overflow-x: auto; margin-top: 6px; }
table { border-collapse: collapse; font-size: 13px; line-height: 1.4; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 5px 14px 5px 0; border-bottom: 1px solid var(--rule); vertical-align: top; white-space: nowrap; }
th { color: var(--soft); font-weight: 600; border-bottom-color: var(--soft); }
td:last-child, th:last-child { padding-right: 0; }
.n, .numbers td + td, .numbers th + th { text-align: right; }
table:not(.numbers) td:not(.n) { white-space: normal; min-width: 96px; overflow-wrap: anywhere; }
table:not(.numbers) td:not(.n):first-child { min-width: 190px; }
table:not(.numbers) td:not(.n):last-child { min-width: 220px; }
.maps { display: flex; flex-wrap: wrap; gap: 22px 44px; margin: 14px 0; }
.maps > div { min-width: 0; max-width: 100%; }
.maps td, .maps table td:not(.n):last-child { min-width: 92px; white-space: nowrap; }
.maps table td:not(.n):first-child, .maps th:first-child { min-width: 50px; color: var(--soft); }
.maps td .t-muted { display: block; font-size: 12.5px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 5px 22px; }
dt { color: var(--soft); }
dd { margin: 0; }
.copy { position: relative; margin-top: 10px; }
.copy pre { margin: 0; background: var(--ground); border: 1px solid var(--rule); border-radius: 8px; padding: 11px 84px 11px 14px; overflow: auto; max-height: 480px; }
.copy button { position: absolute; right: 8px; top: 7px; font: inherit; font-size: 13px; color: var(--ink); background: var(--paper); border: 1px solid var(--rule); border-radius: 6px; padding: 2px 11px; cursor: pointer; }
#tip { position: fixed; z-index: 9; pointer-events: none; max-width: min(440px, calc(100vw - 12px)); background: var(--ink); color: var(--paper); border-radius: 7px; padding: 7px 11px; font-size: 12.5px; line-height: 1.45; font-variant-numeric: tabular-nums; box-shadow: 0 4px 18px #00000040; }
#tip > * { display: block; overflow-wrap: anywhere; }
#said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
@media (max-width: 640px) {
  header, main, footer, nav ul { padding-left: 12px; padding-right: 12px; }
  section { padding: 16px 14px 18px; border-radius: 8px; }
  h1 { font-size: 24px; }
  .charts:not(.small) .drawing > svg text { font-size: 14px; }
  table:not(.numbers) td:not(.n) { min-width: 110px; }
  table:not(.numbers) td:not(.n):first-child { min-width: 92px; }
  table:not(.numbers) td:not(.n):last-child { min-width: 150px; }
  th, td { padding-right: 10px; }
  .strips { grid-template-columns: 1fr max-content; }
  .strip-row { padding-top: 4px; padding-bottom: 4px; }
  .strip-row svg { grid-column: 1 / -1; grid-row: 2; }
  .strip-axis .strip-value { display: none; }
  .strip-value { font-size: 12.5px; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: 8px; }
  .card { padding: 12px 14px; }
}
@media print {
  :root {
    color-scheme: light; ${light}
    --ground: #fff; --ink: #000; --soft: #444; --rule: #ccc; --grid: #ddd;
  }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { font-size: 13px; }
  .strip-row { margin: 0; padding: 0; }
  nav, #tip, .copy button { display: none; }
  section { border: 0; padding: 6px 0; margin: 6px 0; }
  header, main, footer { max-width: none; padding-left: 0; padding-right: 0; }
  .charts { grid-template-columns: 1fr 1fr; gap: 18px 24px; }
  .charts.small { grid-template-columns: 1fr 1fr 1fr; gap: 14px 18px; }
  .strip-row, .card, tr { break-inside: avoid; }
  h2, h3, h4, summary { break-after: avoid; }
}
`;

/**
 * The script of the page: it shows the values of charts by pointer and arrow keys, and copies. It reads text from
 * attributes and sets it as text. The page is complete without it.
 */
export const script = `'use strict';
const tip = document.getElementById('tip');
const said = document.getElementById('said');
let current = null;
const hide = () => {
  current?.classList.remove('on');
  current = null;
  tip.hidden = true;
};
const show = element => {
  if (element === current) return;
  hide();
  current = element;
  element.classList.add('on');
  tip.replaceChildren(...element.dataset.tip.split('\\n').map((text, index) => {
    const line = document.createElement(index === 0 ? 'b' : 'span');
    line.textContent = text;
    return line;
  }));
  tip.hidden = false;
  place();
};
const place = () => {
  if (!current) return;
  const box = current.getBoundingClientRect();
  const { width, height } = tip.getBoundingClientRect();
  const left = Math.min(Math.max(6, box.left + box.width / 2 - width / 2), document.documentElement.clientWidth - width - 6);
  const above = box.top - height - 8;
  tip.style.left = left + 'px';
  tip.style.top = (above >= 6 ? above : Math.min(box.bottom + 8, innerHeight - height - 6)) + 'px';
};
document.addEventListener('pointerover', event => {
  const element = event.target.closest?.('[data-tip]');
  if (element) show(element);
  else hide();
});
document.addEventListener('scroll', place, { passive: true, capture: true });
document.addEventListener('keydown', event => {
  if (event.key === 'Escape') return hide();
  const drawing = event.target.closest?.('.drawing');
  if (!drawing) return;
  const places = [...drawing.querySelectorAll('[data-tip]')];
  const at = places.indexOf(current);
  const next = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at < 0 ? places.length - 1 : at - 1, ArrowUp: at < 0 ? places.length - 1 : at - 1, Home: 0, End: places.length - 1 }[event.key];
  if (next === undefined || !places[next]) return;
  event.preventDefault();
  show(places[next]);
  said.textContent = places[next].dataset.tip;
});
document.addEventListener('focusout', hide);
for (const button of document.querySelectorAll('.copy button')) {
  button.hidden = false;
  button.addEventListener('click', async () => {
    const code = button.parentElement.querySelector('code');
    getSelection().selectAllChildren(code);
    const copied = await navigator.clipboard?.writeText(code.textContent).then(() => true, () => false);
    button.textContent = copied ? 'Copied' : 'Selected';
    setTimeout(() => { button.textContent = 'Copy'; }, 1500);
  });
}
`;
