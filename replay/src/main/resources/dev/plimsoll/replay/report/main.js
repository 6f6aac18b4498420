// Puts the page together, and selects what tells the most.

function focusOn(element) {
  const section = element.closest('section') ?? element;
  section.scrollIntoView({ behavior: still.matches ? 'auto' : 'smooth', block: 'start' });
  if (element.hasAttribute('tabindex')) element.focus({ preventScroll: true });
}

/** The baseline's worst window that has a matrix; else the first with one; else its worst. */
function firstWindow() {
  const base = runs[baseline];
  let worst = NaN;
  let value = Infinity;
  for (const index of matrices.keys()) {
    const at = base?.series.mean[placeOfWindow.get(index)];
    if (at < value) {
      value = at;
      worst = index;
    }
  }
  return Number.isFinite(worst) ? worst : matrices.size ? [...matrices.keys()][0] : base?.summary.worstWindow ?? windows.index[0];
}

const MOST_LINES = 6;
for (const number of [baseline, best, ...runs.keys()]) if (number >= 0 && state.shown.size < MOST_LINES) state.shown.add(number);
if (runs.filter(r => r.rows.length).length > 4) state.decisionsOf = best;
state.run = baseline < 0 ? 0 : baseline;

for (const row of document.querySelectorAll('#worst-table tr[data-window]')) {
  const cell = row.cells[0];
  cell.replaceChildren(windowLink(Number(row.dataset.window), cell.textContent));
}
addTableTools();
if (windows.count && runs.length) {
  buildMatrix();
  drawTime();
  drawDecisions();
  buildPareto();
  drawings.push(drawTime, drawLegend);
  change({ window: firstWindow() });
  const width = () => document.documentElement.clientWidth;
  let last = width();
  addEventListener('resize', () => {
    if (width() !== last) {
      last = width();
      redraw();
    }
  });
} else {
  for (const id of ['time-pictures', 'matrix-picture', 'decision-pictures', 'pareto-pictures']) {
    $(id).replaceChildren(h('p', { class: 'notice' }, 'There is nothing to draw: no window was replayed.'));
  }
}

/** Marks the section that is read in the row of links. */
const links = new Map([...document.querySelectorAll('.sections a')].map(link => [link.hash.slice(1), link]));
const seen = new IntersectionObserver(entries => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    for (const [id, link] of links) {
      if (id === entry.target.id) link.setAttribute('aria-current', 'true');
      else link.removeAttribute('aria-current');
    }
  }
}, { rootMargin: '-20% 0px -70% 0px' });
for (const id of links.keys()) seen.observe($(id));

document.documentElement.dataset.ready = 'true';
