"""What a page of HTML looks like, and the few things that its script does: it sorts and filters what is there without it."""

from __future__ import annotations

from gradcheck.reporting import svg

STYLE = (
    """\
.gradcheck {
  color-scheme: light dark; --ink: #1f2328; --faint: #57606a; --line: #d0d7de; --paper: #fff; --raised: #f6f8fa;
  --link: #0550ae; --pass-ink: #116329; --fail-ink: #a40e26; --doubt-ink: #7d4e00;
  --pass-back: #dafbe1; --fail-back: #ffebe9; --doubt-back: #fff8c5;
}
@media (prefers-color-scheme: dark) { .gradcheck {
  --ink: #e6edf3; --faint: #9aa4af; --line: #3d444d; --paper: #0d1117; --raised: #161b22;
  --link: #79b8ff; --pass-ink: #7ee2a8; --fail-ink: #ffa198; --doubt-ink: #f2cc60;
  --pass-back: #12261e; --fail-back: #2d1517; --doubt-back: #272115;
} }
.gradcheck { & { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 70rem;
  margin: 0 auto; padding: 1rem; }
* { box-sizing: border-box; }
h1 { font-size: 1.35rem; margin: .5rem 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 0; display: inline; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
a { color: var(--link); }
p { margin: .5rem 0; overflow-wrap: anywhere; }
.badge { font: bold .8rem/1 ui-monospace, monospace; padding: .25em .5em; border-radius: .3em; margin-right: .5em;
  border: 1px solid currentColor; white-space: nowrap; vertical-align: .1em; }
.pass { color: var(--pass-ink); } .fail, .error { color: var(--fail-ink); } .inconclusive { color: var(--doubt-ink); }
.badge.pass { background: var(--pass-back); } .badge.inconclusive { background: var(--doubt-back); }
.badge.fail, .badge.error { background: var(--fail-back); }
.faint, dt, figcaption { color: var(--faint); }
.check { border: 1px solid var(--line); border-radius: .5rem; margin: 1rem 0; padding: .8rem 1rem;
  content-visibility: auto; contain-intrinsic-size: auto 60rem; }
.check.p { contain-intrinsic-size: auto 3rem; }
.check > summary { cursor: pointer; }
.check.f { border-left: .4rem solid var(--fail-ink); } .check.i { border-left: .4rem solid var(--doubt-ink); }
.check.p { border-left: .4rem solid var(--pass-ink); }
.verdict { font-size: 1.05rem; }
.cause { background: var(--raised); border-radius: .4rem; padding: .1rem 1rem; margin: .6rem 0; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(19rem, 100%), 1fr)); gap: 1rem; margin: 1rem 0; }
figure { margin: 0; min-width: 0; }
figcaption { font-size: .85rem; }
figcaption b { display: block; color: var(--ink); }
svg.picture { width: 100%; height: auto; max-width: 30rem; display: block; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .15rem 1rem; margin: .6rem 0; }
dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { padding: .2rem .9rem .2rem 0; text-align: right; white-space: pre; }
th { border-bottom: 1px solid var(--line); color: var(--faint); font-weight: normal; }
th button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer;
  text-decoration: underline dotted; }
td { font-family: ui-monospace, monospace; }
th.l, td.l, .summary td { text-align: left; white-space: pre-wrap; overflow-wrap: anywhere; }
.summary td { font-family: inherit; } .summary td:nth-child(1) { white-space: nowrap; }
tbody tr:nth-child(even) { background: var(--raised); }
pre { overflow-x: auto; padding: .6rem .8rem; background: var(--raised); border-radius: .4rem; font-size: .85rem;
  margin: .3rem 0; }
.how > summary { color: var(--faint); cursor: pointer; }
label { display: block; font-size: .9rem; color: var(--faint); margin: .6rem 0 .3rem; }
input { font: inherit; color: var(--ink); background: var(--paper); border: 1px solid var(--faint); border-radius: .3rem;
  padding: .2rem .5rem; max-width: 100%; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
@media (max-width: 40rem) {
  & { padding: .6rem; } .check { padding: .6rem .7rem; }
  thead { position: absolute; clip-path: inset(50%); } tr { display: flex; flex-wrap: wrap; padding: .4rem .5rem; }
  td { text-align: left; white-space: normal; padding: 0 1rem 0 0; overflow-wrap: anywhere; }
  td:nth-child(2) { flex: 1 0 50%; font-weight: bold; }
  td::before { color: var(--faint); font: .8rem system-ui, sans-serif; margin-right: .4em; }
  .summary td:nth-child(5)::before { content: "digits"; }
  dl { display: block; } dd { margin: 0 0 .3rem 1rem; }
}
@media print { label, input { display: none; } figure, tr, .cause { break-inside: avoid; } h1, h2, h3 { break-after: avoid; }
  & { max-width: none; padding: 0; } }
}
"""
    + svg.STYLE
)

SCRIPT = """\
(() => {
  const rank = ['PASS', 'INCONCLUSIVE', 'FAIL', 'ERROR'];
  const value = (row, k) => {
    const text = row.cells[k].textContent.trim(), word = rank.indexOf(text.split(' ')[0]);
    if (word >= 0) return word;
    const number = text.endsWith('inf') ? parseFloat(text.replace('inf', 'Infinity')) : Number(text.replaceAll(',', ''));
    return text === '' || Number.isNaN(number) ? text : number;
  };
  const order = (a, b) => typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === 'number' ? -1 : 1;
  for (const table of document.querySelectorAll('table')) {
    const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, k) => {
      const button = document.createElement('button');
      button.type = 'button'; button.textContent = head.textContent; button.title = 'sort';
      head.replaceChildren(button);
      button.onclick = () => {
        const down = head.ariaSort === 'descending';
        heads.forEach(h => h.removeAttribute('aria-sort'));
        head.ariaSort = down ? 'ascending' : 'descending';
        const rows = [...body.rows].sort((a, b) => order(value(a, k), value(b, k)));
        body.append(...(down ? rows : rows.reverse()));
      };
    });
    if (body.rows.length > 10) search(table.parentElement, table.className.includes('summary') ? 'Find a check' : 'Find an entry',
      () => [...body.rows]);
  }
  const unfold = hash => { const fold = hash && document.getElementById(hash.slice(1))?.closest('details');
    if (fold) fold.open = true; };
  for (const link of document.querySelectorAll('.summary a')) link.addEventListener('click', () => unfold(link.hash));
  unfold(location.hash);
  const checks = [...document.querySelectorAll('.check')];
  if (checks.length > 5) search(checks[0], 'Show only checks with', () => checks);
  function search(before, name, rows) {
    const label = document.createElement('label'), input = document.createElement('input');
    input.type = 'search'; label.append(name + ' ', input);
    input.oninput = () => { const word = input.value.toLowerCase();
      for (const row of rows()) row.hidden = !row.textContent.toLowerCase().includes(word); };
    before.before(label);
  }
})();
"""
