// Balance over time: uPlot, one panel for each measure, with decisions above and gaps behind.

const x = timed ? Float64Array.from(windows.closedAt, millis => millis / 1000) : windows.index;
const MEASURES = {
  mean: { title: 'Mean over layers', of: r => r.series.mean, height: 250 },
  min: { title: 'Worst layer', of: r => r.series.min, height: 190 },
  hottest: {
    title: 'Busiest ranks’ load ÷ baseline’s',
    height: 190,
    of: r => {
      const base = runs[r.summary.baseline];
      return base ? r.series.hottest.map((load, i) => load / base.series.hottest[i]) : r.series.hottest.map(() => NaN);
    },
  },
};
let second = 'min';
let plots = [];

/** Whether windows are missing between one and the one before. */
function missingBefore(place) {
  if (!run.windows.thinned) return windows.index[place] - windows.index[place - 1] > 1;
  return run.gaps.some(([from, to]) => windows.index[place - 1] < from && to < windows.index[place]);
}

/** What is plotted: all windows, and a point without values wherever windows are missing, so that no line leads across. */
const points = [];
for (let place = 0; place < windows.count; place++) {
  if (place > 0 && missingBefore(place)) points.push({ x: (x[place - 1] + x[place]) / 2, place: -1 });
  points.push({ x: x[place], place });
}

/** Stretches that have no data: missing windows, and those that could not be used. */
const stretches = (() => {
  const found = [];
  for (let i = 1; i < windows.count; i++) if (missingBefore(i)) found.push({ from: x[i - 1], to: x[i] });
  for (let i = 0; i < windows.count; i++) {
    if (windows.why[i] === 0) continue;
    const start = i;
    while (i + 1 < windows.count && windows.why[i + 1] === windows.why[start]
      && (run.windows.thinned || windows.index[i + 1] === windows.index[i] + 1)) i++;
    const half = windows.count > 1 && !run.windows.thinned ? (x[1] - x[0]) / 2 : 0;
    found.push({ from: x[start] - half, to: x[i] + half });
  }
  return found;
})();

let hatching = null;
function hatch(context) {
  const tile = document.createElement('canvas');
  tile.width = tile.height = 8;
  const on = tile.getContext('2d');
  on.fillStyle = token('hatch-ground');
  on.fillRect(0, 0, 8, 8);
  on.strokeStyle = token('hatch');
  on.lineWidth = 1.6;
  on.beginPath();
  for (const start of [-8, 0, 8]) {
    on.moveTo(start - 1, 9);
    on.lineTo(start + 9, -1);
  }
  on.stroke();
  return context.createPattern(tile, 'repeat');
}

function behind(plot) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.fillStyle = hatching ??= hatch(ctx);
  for (const stretch of stretches) {
    const left = plot.valToPos(stretch.from, 'x', true);
    const right = plot.valToPos(stretch.to, 'x', true);
    ctx.fillRect(left, bbox.top, Math.max(devicePixelRatio, right - left), bbox.height);
  }
  ctx.restore();
}

const STRIP = 9;
function shownRuns() {
  return runs.filter(r => state.shown.has(r.number));
}
function deciding() {
  return shownRuns().filter(r => r.rows.length);
}

/** Decisions as ticks above the plot, a strip for each run; kept matrices below; the selected window across. */
function before(plot, strips) {
  const { ctx, bbox } = plot;
  const dpr = devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left - 1, 0, bbox.width + 2, plot.ctx.canvas.height);
  ctx.clip();
  if (strips) {
    deciding().forEach((of, row) => {
      const top = bbox.top - (deciding().length - row) * STRIP * dpr - 3 * dpr;
      ctx.fillStyle = token('line');
      ctx.fillRect(bbox.left, top + (STRIP - 2) * dpr, bbox.width, Math.max(1, dpr / 2));
      ctx.fillStyle = colourOf(of);
      for (const decision of of.rows) {
        const place = placeOfWindow.get(decision.window);
        if (place === undefined) continue;
        const left = Math.round(plot.valToPos(x[place], 'x', true));
        ctx.fillRect(left - dpr, top, 2 * dpr, (STRIP - 2) * dpr);
      }
    });
  }
  ctx.fillStyle = token('accent');
  for (const index of matrices.keys()) {
    const place = placeOfWindow.get(index);
    if (place === undefined) continue;
    const left = plot.valToPos(x[place], 'x', true);
    const bottom = bbox.top + bbox.height;
    ctx.beginPath();
    ctx.moveTo(left, bottom - 5 * dpr);
    ctx.lineTo(left + 3 * dpr, bottom);
    ctx.lineTo(left - 3 * dpr, bottom);
    ctx.fill();
  }
  const selected = placeOfWindow.get(state.window);
  if (selected !== undefined) {
    const left = Math.round(plot.valToPos(x[selected], 'x', true));
    ctx.fillStyle = token('accent');
    ctx.fillRect(left - dpr / 2, strips ? 0 : bbox.top, Math.max(1, 1.5 * dpr), bbox.top + bbox.height);
  }
  ctx.restore();
}

function ticks(splits, increment) {
  if (!timed) return splits.map(value => Number.isInteger(value) ? count(value) : '');
  return splits.map(value => value % 86400 === 0 ? day(value * 1000) : clock(value * 1000, increment < 60));
}

const linear = uPlot.paths.linear();
const COLUMN = 2;
/** Where windows stand closer than pixels: their mean as a line, from the least to the largest as a shade. */
function paths(plot, series, from, to) {
  const { left, top, width, height } = plot.bbox;
  const dpr = devicePixelRatio || 1;
  if (to - from < 1.5 * width / dpr) {
    const line = linear(plot, series, from, to);
    if (line) line.fill = null;
    return line;
  }
  const { x, y } = plot.scales;
  const xs = plot.data[0];
  const ys = plot.data[series];
  const up = value => top + height * (1 - (value - y.min) / (y.max - y.min));
  const stroke = new Path2D();
  const fill = new Path2D();
  let column = -1;
  let known = 0;
  let sum = 0;
  let low = 0;
  let high = 0;
  let broken = true;
  const flush = () => {
    const at = left + column * COLUMN * dpr;
    if (known) {
      fill.rect(at, up(high), COLUMN * dpr, Math.max(dpr, up(low) - up(high)));
      if (broken) stroke.moveTo(at, up(sum / known));
      else stroke.lineTo(at + COLUMN * dpr / 2, up(sum / known));
    }
    broken = known === 0;
    known = sum = 0;
  };
  for (let i = from; i <= to; i++) {
    const at = Math.floor((xs[i] - x.min) / (x.max - x.min) * width / (COLUMN * dpr));
    if (at !== column) {
      if (column >= 0) flush();
      column = at;
    }
    const value = ys[i];
    if (value === null || value === undefined) continue;
    low = known ? Math.min(low, value) : value;
    high = known ? Math.max(high, value) : value;
    sum += value;
    known++;
  }
  flush();
  return { stroke, fill, clip: null, band: null, gaps: null, flags: 3 };
}
const isDense = () => points.length > 1.5 * ($('time-pictures').clientWidth - 90);

function plotOf(measure, holder, strips) {
  const { of, height } = MEASURES[measure];
  const data = [points.map(point => point.x), ...runs.map(r => {
    const values = of(r);
    return points.map(({ place }) => place >= 0 && Number.isFinite(values[place]) ? values[place] : null);
  })];
  let low = Infinity;
  let high = -Infinity;
  runs.forEach((r, i) => {
    if (!state.shown.has(r.number)) return;
    for (const value of data[i + 1]) {
      if (value === null) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  });
  const margin = Math.max(0.01, (high - low) * 0.06);
  const range = Number.isFinite(low)
    ? [Math.max(0, low - margin), measure === 'hottest' ? high + margin : Math.min(1, high + margin)] : [0, 1];
  const top = strips ? 8 + deciding().length * STRIP : 8;
  const axis = { stroke: token('muted'), font: '12px ' + token('font'), grid: { stroke: token('grid'), width: 1 }, ticks: { show: false } };
  return new uPlot({
    width: Math.max(200, holder.clientWidth),
    height: height + top,
    padding: [top, 10, 0, 0],
    tzDate: seconds => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
    legend: { show: false },
    cursor: { drag: { x: true, y: false, dist: 6 }, sync: { key: 'time' }, points: { size: 7 }, focus: { prox: 24 } },
    focus: { alpha: 1 },
    scales: { x: { time: timed }, y: { range } },
    axes: [
      { ...axis, space: 70, size: 30, values: (plot, splits, number, space, increment) => ticks(splits, increment) },
      { ...axis, size: 46, values: (plot, splits) => splits.map(value => value.toFixed(range[1] - range[0] < 0.12 ? 3 : 2)) },
    ],
    series: [{}, ...runs.map(r => ({
      show: state.shown.has(r.number),
      stroke: colourOf(r),
      width: r.quiet ? 1.25 : 1.75,
      dash: dashOf(r),
      paths,
      fill: colourOf(r) + '24',
      points: { show: windows.count < 40 },
      spanGaps: false,
    }))],
    hooks: {
      setCursor: [plot => {
        const place = points[plot.cursor.idx]?.place ?? -1;
        fillLegend(place >= 0 ? place : placeOfWindow.get(state.window));
      }],
      drawClear: [behind],
      draw: [plot => before(plot, strips)],
      setScale: [(plot, key) => {
        if (key !== 'x' || plot.following) return;
        for (const other of plots) {
          if (other === plot || !other) continue;
          other.following = true;
          other.setScale('x', { min: plot.scales.x.min, max: plot.scales.x.max });
          other.following = false;
        }
      }],
      ready: [plot => {
        let from = 0;
        plot.over.addEventListener('mousedown', event => { from = event.clientX; });
        plot.over.addEventListener('click', event => {
          const place = points[plot.cursor.idx]?.place ?? -1;
          if (Math.abs(event.clientX - from) < 6 && place >= 0) change({ window: windows.index[place] });
        });
      }],
    },
  }, data, holder);
}

function drawTime() {
  const holder = $('time-pictures');
  const kept = plots[0] ? [plots[0].scales.x.min, plots[0].scales.x.max] : null;
  plots.forEach(plot => plot.destroy());
  hatching = null;
  const used = run.windows.usable;
  const panels = ['mean', second].map((measure, i) => {
    const canvas = h('div', { class: 'plot', tabindex: '0', role: 'application', 'aria-roledescription': 'chart over time',
      'aria-label': MEASURES[measure].title + ' over time. Arrow keys select a window, with Shift ten; Enter goes to its matrix.',
      onkeydown: timeKeys });
    const tools = i === 0
      ? [quality(used, run.windows.replayed), run.gaps.length > 0 && h('span', { class: 'quality partial' }, run.gaps.length + ' gap' + (run.gaps.length > 1 ? 's' : '')),
        h('button', { type: 'button', onclick: wholeRange }, 'Whole range'), copyButton(timeRows, 'balance over time')]
      : [choice('Below', [['min', 'Worst layer'], ['hottest', 'Busiest ranks']], () => second, name => { second = name; drawTime(); })];
    return { measure, canvas, element: figure(MEASURES[measure].title, tools, canvas) };
  });
  holder.replaceChildren(...panels.map(panel => panel.element),
    h('p', { class: 'note' }, 'Ticks above: decisions. ', h('span', { class: 'marker', 'aria-hidden': 'true' }, '▲'),
      ' windows whose matrix is in this file. Hatched: no data, or not usable.',
      isDense() ? ' Where windows are closer than pixels the line is their mean, the shade reaches from the least to the largest; zoom in to see each.' : '',
      run.windows.thinned ? ' ' + count(run.leftOut.windows) + ' of ' + count(run.windows.replayed)
        + ' windows are not drawn: of each stretch and run, the least and the largest are.' : ''));
  plots = [];
  plots = panels.map((panel, i) => plotOf(panel.measure, panel.canvas, i === 0));
  if (kept && Number.isFinite(kept[0])) plots[0].setScale('x', { min: kept[0], max: kept[1] });
}

function wholeRange() {
  plots[0]?.setScale('x', { min: x[0], max: x[windows.count - 1] });
}

function timeRows() {
  const head = ['window', 'closed', 'usable', ...shownRuns().flatMap(r => [r.label + ' mean', r.label + ' worst layer'])];
  const rows = [head];
  const { min, max } = plots[0].scales.x;
  for (let i = 0; i < windows.count; i++) {
    if (x[i] < min || x[i] > max) continue;
    rows.push([windows.index[i], timed ? new Date(windows.closedAt[i]).toISOString() : '', windows.why[i] === 0 ? 'yes' : 'no',
      ...shownRuns().flatMap(r => [ratio(r.series.mean[i]), ratio(r.series.min[i])])]);
  }
  return rows;
}

function timeKeys(event) {
  const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
  if (event.key === 'Enter') {
    if (matrices.has(state.window)) focusOn($('matrix-canvas'));
  } else if (step !== undefined) {
    const place = placeOfWindow.get(state.window) ?? 0;
    const next = Math.min(windows.count - 1, Math.max(0, place + step * (event.shiftKey ? 10 : 1)));
    change({ window: windows.index[next] });
    announce(windowText(next));
  } else {
    return;
  }
  event.preventDefault();
}

function windowText(place) {
  return windowName(windows.index[place]) + ': ' + (windows.why[place] !== 0 ? run.windows.reasons[windows.why[place]]
    : shownRuns().map(r => r.label + ' ' + ratio(r.series.mean[place], 3)).join(', '));
}

/** Legend that switches runs on and off, and says what they had in the window that is pointed at, or else selected. */
const legendValues = new Map();
function drawLegend() {
  legendValues.clear();
  $('time-legend').replaceChildren(...runs.map(r => {
    const value = h('span', { class: 'legend-value' });
    legendValues.set(r, value);
    return h('button', {
      type: 'button', class: 'legend-item', 'aria-pressed': String(state.shown.has(r.number)),
      onclick: () => {
        if (!state.shown.delete(r.number)) state.shown.add(r.number);
        drawLegend();
        drawTime();
        $('time-legend').children[r.number].focus();
      },
    }, swatch(r), h('span', { class: 'legend-name' }, r.label), value);
  }), h('span', { id: 'legend-window', class: 'legend-window' }));
  fillLegend(placeOfWindow.get(state.window));
}

function fillLegend(place) {
  if (place === undefined || !$('legend-window')) return;
  for (const [r, value] of legendValues) {
    value.replaceChildren(ratio(r.series.mean[place], 3), h('small', {}, ' worst ', ratio(r.series.min[place], 3)));
  }
  $('legend-window').textContent = 'Balancedness in ' + windowName(windows.index[place]);
}

/** What is known of the selected window. */
function drawWindowCard() {
  const place = placeOfWindow.get(state.window);
  if (place === undefined) {
    $('time-window').replaceChildren();
    return;
  }
  const neighbour = step => {
    const all = [...matrices.keys()];
    return step < 0 ? all.filter(index => index < state.window).pop() : all.find(index => index > state.window);
  };
  const go = (step, text) => h('button', {
    type: 'button', disabled: neighbour(step) === undefined, onclick: () => change({ window: neighbour(step) }),
  }, text);
  const reason = windows.why[place];
  $('time-window').replaceChildren(
    h('div', { class: 'window-facts' },
      h('strong', {}, windowName(state.window).replace('window', 'Window')),
      h('span', {}, 'steps ' + count(windows.firstStep[place]) + '–' + count(windows.lastStep[place])),
      h('span', {}, 'load ' + short(windows.load[place])),
      h('span', { class: 'quality ' + (reason === 0 ? 'full' : 'partial') },
        reason === 0 ? 'complete' : run.windows.reasons[reason] + ', ' + (100 * windows.completeness[place]).toFixed(1) + ' % there')),
    h('div', { class: 'window-go' }, go(-1, '‹ Earlier matrix'), go(1, 'Later matrix ›')));
}

listeners.push(patch => {
  if ('window' in patch) {
    drawLegend();
    drawWindowCard();
    plots.forEach(plot => plot.redraw(false));
  }
});
