// Decisions: what was promised, what came, and what would have come without.

const FIRST_ROWS = matchMedia('(max-width: 760px)').matches ? 8 : 15;
let allRows = false;

function decisionsShown() {
  return runs.filter(r => state.decisionsOf < 0 || r.number === state.decisionsOf);
}

/** @param scale a function from values to pixels; @returns lines and numbers */
function ticksOf(low, high, many) {
  const span = (high - low) / many;
  const power = 10 ** Math.floor(Math.log10(span));
  const step = [1, 2, 5, 10].map(of => of * power).find(of => of >= span);
  const found = [];
  for (let value = Math.ceil(low / step - 1e-9) * step; value <= high + step * 1e-6; value += step) found.push(Number(value.toPrecision(12)));
  return found;
}

function frame(width, height, x, y, xs, ys, xName, yName, xText, yText) {
  const box = { left: 50, right: 12, top: 12, bottom: 42 };
  const across = value => box.left + (value - x[0]) / (x[1] - x[0]) * (width - box.left - box.right);
  const up = value => height - box.bottom - (value - y[0]) / (y[1] - y[0]) * (height - box.top - box.bottom);
  const picture = svg('svg', { width, height, role: 'img' });
  for (const value of xs) {
    picture.append(svg('line', { x1: across(value), x2: across(value), y1: box.top, y2: height - box.bottom, stroke: token('grid') }),
      svg('text', { x: across(value), y: height - box.bottom + 16, 'text-anchor': 'middle', class: 'tick' }, xText(value)));
  }
  for (const value of ys) {
    picture.append(svg('line', { x1: box.left, x2: width - box.right, y1: up(value), y2: up(value), stroke: token('grid') }),
      svg('text', { x: box.left - 7, y: up(value) + 4, 'text-anchor': 'end', class: 'tick' }, yText(value)));
  }
  picture.append(svg('text', { x: (box.left + width - box.right) / 2, y: height - 5, 'text-anchor': 'middle', class: 'axis' }, xName),
    svg('text', { x: 13, y: (box.top + height - box.bottom) / 2, 'text-anchor': 'middle', class: 'axis',
      transform: 'rotate(-90 13 ' + (box.top + height - box.bottom) / 2 + ')' }, yName));
  return { picture, across, up };
}

function promised(holder, text) {
  const width = holder.clientWidth || 320;
  const height = Math.min(380, Math.max(280, width * 0.75));
  const points = decisionsShown().flatMap(r => r.rows.filter(row => row.measured !== null).map(row => ({ r, row })));
  if (!points.length) {
    holder.replaceChildren(h('p', { class: 'notice' }, 'No decision was followed by a whole window.'));
    return;
  }
  const values = points.flatMap(({ row }) => [row.predicted, row.measured, row.without ?? row.measured]);
  const low = Math.max(0, Math.min(...values) - 0.02);
  const high = Math.min(1, Math.max(...values) + 0.02);
  const xs = points.map(({ row }) => row.predicted);
  const xRange = [Math.max(0, Math.min(...xs) - 0.02), Math.min(1, Math.max(...xs) + 0.02)];
  const { picture, across, up } = frame(width, height, xRange, [low, high], ticksOf(...xRange, width / 90), ticksOf(low, high, 6),
    'predicted', 'measured', value => value.toFixed(2), value => value.toFixed(2));
  picture.setAttribute('aria-label', 'Predicted against measured balancedness of ' + points.length + ' decisions');
  const from = Math.max(xRange[0], low);
  const to = Math.min(xRange[1], high);
  if (to > from) {
    picture.append(svg('line', { x1: across(from), y1: up(from), x2: across(to), y2: up(to), stroke: token('line-strong'), 'stroke-dasharray': '5 4' }),
      svg('text', { x: across(from) + 4, y: up(from) - 12, class: 'tick' }, 'promise kept'));
  }
  for (const { r, row } of points) {
    const colour = colourOf(r);
    const cx = across(row.predicted);
    const group = svg('g', { class: 'hit', onclick: () => change({ window: row.window }),
      onpointerenter: () => { text.textContent = sayDecision(r, row); } });
    if (row.without !== null) {
      group.append(svg('line', { x1: cx, x2: cx, y1: up(row.without), y2: up(row.measured), stroke: colour, 'stroke-width': 1.25, opacity: 0.5 }),
        svg('circle', { cx, cy: up(row.without), r: 3, fill: token('card'), stroke: colour, 'stroke-width': 1.25 }));
    }
    group.append(svg('circle', { cx, cy: up(row.measured), r: 4, fill: colour, stroke: token('card'), 'stroke-width': 0.75 }));
    picture.append(group);
  }
  holder.replaceChildren(picture);
}

function sayDecision(r, row) {
  return r.label + ', ' + windowName(row.window) + ': predicted ' + ratio(row.predicted ?? NaN, 3) + ', measured ' + ratio(row.measured ?? NaN, 3)
    + ', without ' + ratio(row.without ?? NaN, 3) + '; ' + count(row.moves) + ' moves, ' + bytes(row.bytes);
}

let spentOn = 'moves';
function spent(holder, text) {
  const width = holder.clientWidth || 320;
  const height = Math.min(380, Math.max(280, width * 0.75));
  const points = decisionsShown().flatMap(r => r.rows.filter(row => placeOfWindow.has(row.window)).map(row => ({ r, row })));
  const most = Math.max(0, ...points.map(({ row }) => row[spentOn]));
  if (most === 0) {
    holder.replaceChildren(h('p', { class: 'notice' }, spentOn === 'bytes' && points.length
      ? 'The size of an expert is not known, so bytes are not.' : 'There are no decisions.'));
    return;
  }
  const range = [x[0], Math.max(x[windows.count - 1], x[0] + 1)];
  const every = ticksOf(0, most * 1.05, 5);
  const span = range[1] - range[0];
  const steps = [1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 604800];
  const step = timed ? steps.find(of => span / of <= Math.max(3, width / 90)) ?? 2592000 : 0;
  const xs = timed ? Array.from({ length: Math.floor(range[1] / step) - Math.ceil(range[0] / step) + 1 }, (unused, i) => (Math.ceil(range[0] / step) + i) * step)
    : ticksOf(...range, width / 90).filter(Number.isInteger);
  const { picture, across, up } = frame(width, height, range, [0, most * 1.05], xs, every, timed ? 'time, UTC' : 'window',
    spentOn === 'moves' ? 'moves of a decision' : 'weights that a decision moved',
    value => ticks([value], step)[0], value => spentOn === 'moves' ? short(value) : value ? bytes(value) : '0');
  picture.setAttribute('aria-label', spentOn + ' of ' + points.length + ' decisions over time');
  for (const { r, row } of points) {
    const cx = across(x[placeOfWindow.get(row.window)]);
    picture.append(svg('g', { class: 'hit', onclick: () => change({ window: row.window }), onpointerenter: () => { text.textContent = sayDecision(r, row); } },
      svg('line', { x1: cx, x2: cx, y1: up(0), y2: up(row[spentOn]), stroke: colourOf(r), 'stroke-width': 2 }),
      svg('circle', { cx, cy: up(row[spentOn]), r: 3, fill: colourOf(r) })));
  }
  holder.replaceChildren(picture);
}

const DECISION_HEAD = ['Window', 'Policy', 'Layers', 'Moves', 'Weights', 'Before', 'Predicted', 'Measured', 'Without', 'Gain', 'Plan', 'Reason'];
function decisionCells(r, row) {
  const value = of => ratio(of ?? NaN, 3);
  const gain = row.gain !== null ? signed(100 * row.gain, 1) + ' %' : none;
  return [count(row.window), r.label, count(row.layers), count(row.moves), bytes(row.bytes), value(row.before), value(row.predicted),
    value(row.measured), value(row.without), gain, row.plan, row.reason];
}

function decisionTable() {
  const of = decisionsShown().flatMap(r => r.rows.map(row => ({ r, row }))).sort((a, b) => a.row.window - b.row.window || a.r.number - b.r.number);
  const missing = decisionsShown().reduce((sum, r) => sum + run.runs[r.number].decisions.leftOut, 0);
  const rows = allRows || printing || prints.matches ? of : of.slice(0, FIRST_ROWS);
  const body = rows.map(({ r, row }) => h('tr', { 'data-window': row.window }, decisionCells(r, row).map((text, i) => i === 0
    ? h('th', { scope: 'row', 'data-label': DECISION_HEAD[i] }, windowLink(row.window, text))
    : h('td', { 'data-label': DECISION_HEAD[i], class: i === 1 || i === 11 ? 'words' : i === 10 ? 'code' : null }, i === 1 ? h('span', { class: 'unbroken' }, swatch(r), ' ', text)
      : i === 10 ? h('span', { title: text }, text.slice(0, 8)) : text))));
  return h('div', { class: 'table wide' },
    h('div', { class: 'tools' }, copyButton(() => [DECISION_HEAD, ...of.map(({ r, row }) => decisionCells(r, row))], 'decisions')),
    h('table', { id: 'decisions-table' },
      h('caption', {}, count(of.length) + ' decisions' + (missing ? '; ' + count(missing) + ' with fewer moves are left out' : '')),
      h('thead', {}, h('tr', {}, DECISION_HEAD.map((name, i) => h('th', { scope: 'col', class: i === 1 || i >= 10 ? 'words' : null }, name)))), h('tbody', {}, body)),
    rows.length < of.length && h('button', { type: 'button', class: 'more', onclick: () => { allRows = true; drawDecisions(); } },
      'Show all ' + count(of.length)));
}

/** A window's number that selects it. */
function windowLink(index, text) {
  return h('button', { type: 'button', class: 'link', title: 'Select this window', onclick: () => {
    change({ window: index });
    focusOn($(matrices.has(index) ? 'matrix' : 'time'));
  } }, text);
}

let decisionDrawings = [];
function drawDecisions() {
  const holder = $('decision-pictures');
  if (runs.every(r => r.rows.length === 0)) {
    holder.replaceChildren(h('p', { class: 'notice' }, 'No run decided anything.'));
    return;
  }
  const left = h('div', { class: 'bars' });
  const leftText = h('p', { class: 'readout' }, 'Filled: measured. Hollow: the same windows without the decision. The line between is what it brought.');
  const right = h('div', { class: 'bars' });
  const rightText = h('p', { class: 'readout' }, 'Point at a decision to read it, click to select its window.');
  const measured = decisionsShown().reduce((sum, r) => sum + r.rows.filter(row => row.measured !== null).length, 0);
  const all = decisionsShown().reduce((sum, r) => sum + r.rows.length, 0);
  holder.replaceChildren(
    h('div', { class: 'controls' }, h('label', {}, h('span', {}, 'Decisions of'), h('select', { onchange: event => {
      state.decisionsOf = Number(event.target.value);
      allRows = false;
      drawDecisions();
    } }, h('option', { value: -1 }, 'all runs'), runs.filter(r => r.rows.length).map(r =>
      h('option', { value: r.number, selected: r.number === state.decisionsOf }, r.label)))),
    h('span', { class: 'keys' }, decisionsShown().filter(r => r.rows.length).map(r => h('span', { class: 'key' }, swatch(r), r.label)))),
    h('div', { class: 'pair' },
      figure('Predicted against measured', [quality(measured, all, 'measured')], left, leftText),
      figure('What decisions moved', [choice('Show', [['moves', 'Moves'], ['bytes', 'Bytes']], () => spentOn, name => {
        spentOn = name;
        drawDecisions();
      })], right, rightText)),
    decisionTable());
  decisionDrawings = [() => promised(left, leftText), () => spent(right, rightText)];
  decisionDrawings.forEach(draw => draw());
}
drawings.push(drawDecisions);
