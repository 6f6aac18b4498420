// The heat matrix: layers down, experts, slots or ranks across; load relative to the layer's fair share, in powers of two.

/** Powers of two on either side of fair share that colours reach. */
const REACH = { experts: 3, ranks: 1 };
const cursor = { layer: -1, column: -1 };
let grid = null;
let geometry = null;

/**
 * Columns and cells of what is looked at; `value` is relative to fair share, NaN where it is not known.
 * `part` is the expert or the rank of a column, in slot order that of a cell.
 */
function gridOf() {
  const matrix = matrices.get(state.window);
  if (!matrix) return null;
  const view = served(state.run, state.window);
  if (state.view === 'ranks') return view && cellsOfGrid('rank', view.ranks, view.rank, state.order === 'load');
  if (state.order === 'rank') {
    if (!view) return null;
    const cells = cellsOfGrid('slot', view.slots, view.slot, false);
    // A slot's colour is its expert's: whether a rank is hot is seen in the ranks.
    return { ...cells, bounds: view.perRank, part: (layer, column) => view.experts[layer * view.slots + column] };
  }
  return cellsOfGrid('expert', experts, matrix.load, state.order === 'load');
}

function cellsOfGrid(kind, width, loads, byLoad) {
  const value = new Float64Array(layers * width);
  const weight = new Float64Array(width);
  for (let layer = 0; layer < layers; layer++) {
    const row = loads.subarray(layer * width, (layer + 1) * width);
    const fair = mean(row);
    row.forEach((load, column) => {
      const of = relative(load, fair);
      value[layer * width + column] = of;
      if (Number.isFinite(of)) weight[column] += of;
    });
  }
  const order = Array.from({ length: width }, (unused, column) => column);
  if (byLoad) order.sort((a, b) => weight[b] - weight[a] || a - b);
  return { kind, width, order, value: (layer, column) => value[layer * width + order[column]],
    load: (layer, column) => loads[layer * width + order[column]], part: (layer, column) => order[column] };
}

/** Where a value stands on the scale: -1 at its lower end, 0 at fair share, 1 at its upper end. */
function place(value, reach) {
  return Math.max(-1, Math.min(1, Math.log2(value) / reach));
}

function fillCell(context, value, reach, pattern) {
  if (Number.isNaN(value)) context.fillStyle = pattern;
  else if (value === 0) context.fillStyle = ZERO[dark() ? 'dark' : 'light'];
  else context.fillStyle = css(diverging(place(value, reach)));
}

function sized(canvas, width, height) {
  const dpr = devicePixelRatio || 1;
  canvas.width = Math.round(width * dpr);
  canvas.height = Math.round(height * dpr);
  canvas.style.width = width + 'px';
  canvas.style.height = height + 'px';
  const context = canvas.getContext('2d');
  context.scale(dpr, dpr);
  return context;
}

function drawMatrix() {
  const holder = $('matrix-canvas');
  if (!holder) return;
  grid = gridOf();
  holder.hidden = !grid;
  $('matrix-none').hidden = Boolean(grid);
  drawScale();
  if (!grid) {
    $('matrix-none').textContent = matrices.size === 0 ? 'No matrix is in this file.'
      : !matrices.has(state.window) ? 'Of ' + windowName(state.window) + ' no matrix is in this file; there are '
        + matrices.size + ', of decisions and worst windows.'
        : 'Under which placement ' + runs[state.run].label + ' served this window is not in this file. Experts by id or load need none.';
    geometry = null;
    return;
  }
  const width = holder.clientWidth;
  const narrow = width < 560;
  const left = 30;
  const view = served(state.run, state.window);
  const right = view ? (narrow ? 44 : 92) : 4;
  const top = 20;
  const row = Math.max(5, Math.min(22, Math.floor((narrow ? 420 : 540) / layers)));
  const height = top + row * layers + 6;
  const cell = (width - left - right) / grid.width;
  geometry = { left, top, row, cell, width, height };
  holder.dataset.geometry = [left, top, row, cell].join(' '); // for tests of what a cell looks like
  const context = sized($('matrix-cells'), width, height);
  sized($('matrix-cursor'), width, height);
  const pattern = hatch(context);
  const reach = REACH[state.view];
  const dpr = devicePixelRatio || 1;
  const snap = at => Math.round(at * dpr) / dpr;
  const gap = row >= 10 && cell >= 8 ? 1 : 0;
  for (let layer = 0; layer < layers; layer++) {
    for (let column = 0; column < grid.width; column++) {
      fillCell(context, grid.value(layer, column), reach, pattern);
      const from = snap(left + column * cell);
      context.fillRect(from, top + layer * row, Math.max(1 / dpr, snap(left + (column + 1) * cell) - from - gap), row - gap);
    }
  }
  if (grid.bounds) {
    context.fillStyle = token('line-strong');
    for (let column = grid.bounds; column < grid.width; column += grid.bounds) {
      if (cell * grid.bounds >= 4) context.fillRect(snap(left + column * cell) - 0.5 / dpr, top, 1 / dpr, row * layers);
    }
  }
  context.strokeStyle = token('line-strong');
  context.lineWidth = 1;
  context.strokeRect(left - 0.5, top - 0.5, width - left - right + 1, row * layers + 1);
  axes(context, pattern, view, right, narrow);
  drawCursor();
}

function axes(context, pattern, view, right, narrow) {
  const { left, top, row, cell, width } = geometry;
  context.fillStyle = token('muted');
  context.font = '11px ' + token('font');
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  const every = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find(step => step * row >= 15) ?? 1000;
  for (let layer = 0; layer < layers; layer += every) context.fillText(layer, left - 5, top + layer * row + row / 2);
  context.textBaseline = 'bottom';
  context.textAlign = 'left';
  const title = grid.kind === 'expert' ? (state.order === 'load' ? 'experts, most loaded first' : 'experts')
    : grid.kind === 'slot' ? 'slots of ranks' : state.order === 'load' ? 'ranks, most loaded first' : 'ranks';
  context.fillText(title, left, top - 5);
  const shown = context.measureText(title).width + 12;
  if (state.order !== 'load') {
    const unit = grid.bounds || 1;
    const steps = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];
    const step = steps.find(of => of * unit * cell >= 34) ?? 1024;
    context.textAlign = 'center';
    for (let at = step; at * unit < grid.width; at += step) {
      const middle = left + at * unit * cell + cell / 2;
      if (middle > left + shown + 8 && middle < width - right - 8) context.fillText(at, middle, top - 5);
    }
  }
  if (view) {
    const from = width - right + 8;
    const room = right - 12;
    context.textAlign = 'left';
    context.fillText(narrow ? 'bal.' : 'balancedness', from, top - 5);
    for (let layer = 0; layer < layers; layer++) {
      const value = view.balance[layer];
      const height = Math.max(2, row - 2);
      context.fillStyle = token('grid');
      context.fillRect(from, top + layer * row + (row - height) / 2, room, height);
      if (view.rank.subarray(layer * view.ranks, (layer + 1) * view.ranks).some(Number.isNaN)) {
        context.fillStyle = pattern;
        context.fillRect(from, top + layer * row + (row - height) / 2, room, height);
      } else if (Number.isFinite(value)) {
        context.fillStyle = token('quiet');
        context.fillRect(from, top + layer * row + (row - height) / 2, room * value, height);
      }
    }
  }
}

/** Row, column and cell that the cursor is on, and the layer that is looked into. */
function drawCursor() {
  if (!geometry) return;
  const { left, top, row, cell, width, height } = geometry;
  const canvas = $('matrix-cursor');
  const context = canvas.getContext('2d');
  context.clearRect(0, 0, width, height);
  if (state.layer >= 0) {
    context.strokeStyle = token('accent');
    context.lineWidth = 1.5;
    context.strokeRect(left - 1, top + state.layer * row - 0.75, grid.width * cell + 2, row + 1);
  }
  if (cursor.layer < 0) return;
  const x0 = left + cursor.column * cell;
  const y0 = top + cursor.layer * row;
  context.fillStyle = token('crosshair');
  context.fillRect(left, y0, grid.width * cell, row);
  context.fillRect(x0, top, cell, row * layers);
  context.strokeStyle = token('ink');
  context.lineWidth = 2;
  context.strokeRect(x0 - 1, y0 - 1, Math.max(cell, 3) + 2, row + 2);
}

function cellText(layer, column) {
  const part = grid.part(layer, column);
  const value = grid.value(layer, column);
  const view = served(state.run, state.window);
  const what = value === 0 ? 'no load' : Number.isNaN(value) ? 'not known'
    : times(value) + ' fair share, load ' + count(grid.load(layer, column));
  const where = () => {
    const ranks = [];
    for (let s = 0; s < view.slots; s++) if (view.experts[layer * view.slots + s] === part) ranks.push(Math.floor(s / view.perRank));
    return ', on rank' + (ranks.length > 1 ? 's ' : ' ') + ranks.join(', ');
  };
  if (grid.kind === 'rank') {
    return layerName(layer) + ', rank ' + part + ': ' + what + '; balancedness of the layer ' + ratio(view.balance[layer], 3);
  }
  if (grid.kind === 'slot') {
    return layerName(layer) + ', rank ' + Math.floor(column / grid.bounds) + ', slot ' + column + ', expert ' + part + ': ' + what;
  }
  return layerName(layer) + ', expert ' + part + ': ' + what + (view ? where() : '');
}

function moveCursor(layer, column) {
  cursor.layer = layer;
  cursor.column = column;
  $('matrix-readout').textContent = layer < 0 ? READ_ME : cellText(layer, column);
  drawCursor();
}
const READ_ME = 'Point at a cell, or use the arrow keys; click or press Enter to look into its layer.';

/** From a cell to the ranks of its layer, and where a rank or an expert was meant, on to that. */
function drillDown(layer, column) {
  const part = grid.part(layer, column);
  const view = served(state.run, state.window);
  const patch = { layer, rank: -1, expert: -1 };
  if (grid.kind === 'rank') {
    patch.rank = part;
  } else {
    patch.expert = part;
    if (grid.kind === 'slot') {
      patch.rank = Math.floor(column / grid.bounds);
    } else if (view) {
      patch.rank = Math.floor(view.experts.subarray(layer * view.slots, (layer + 1) * view.slots).indexOf(part) / view.perRank);
    }
  }
  change(patch);
}

function matrixKeys(event) {
  if (!grid) return;
  const at = { layer: Math.max(0, cursor.layer), column: Math.max(0, cursor.column) };
  const far = event.shiftKey ? 8 : 1;
  const moves = {
    ArrowLeft: [0, -far], ArrowRight: [0, far], ArrowUp: [-far, 0], ArrowDown: [far, 0],
    Home: [0, -Infinity], End: [0, Infinity], PageUp: [-10, 0], PageDown: [10, 0],
  };
  if (event.key === 'Enter' || event.key === ' ') {
    drillDown(at.layer, at.column);
    announce('Drilled down to ' + layerName(at.layer));
  } else if (event.key === 'Escape') {
    change({ layer: -1, rank: -1, expert: -1 });
  } else if (moves[event.key]) {
    const [down, across] = moves[event.key];
    const first = cursor.layer < 0;
    moveCursor(first ? 0 : Math.min(layers - 1, Math.max(0, at.layer + down)),
      first ? 0 : Math.min(grid.width - 1, Math.max(0, at.column + across)));
  } else {
    return;
  }
  event.preventDefault();
}

function cellAt(event) {
  if (!geometry) return null;
  const box = $('matrix-cells').getBoundingClientRect();
  const column = Math.floor((event.clientX - box.left - geometry.left) / geometry.cell);
  const layer = Math.floor((event.clientY - box.top - geometry.top) / geometry.row);
  return column < 0 || layer < 0 || column >= grid.width || layer >= layers ? null : { layer, column };
}

/** The colours and what they mean. */
function drawScale() {
  const reach = REACH[state.view];
  const width = 260;
  const stops = [];
  for (let i = 0; i <= 24; i++) {
    stops.push(svg('stop', { offset: (i / 24 * 100).toFixed(1) + '%', 'stop-color': css(diverging(i / 12 - 1)) }));
  }
  const names = reach === 3 ? ['≤⅛', '¼', '½', '1', '2', '4', '≥8'] : ['≤½', '0.71', '1', '1.41', '≥2'];
  const mode = dark() ? 'dark' : 'light';
  $('matrix-scale').replaceChildren(
    svg('svg', { viewBox: '-14 0 ' + (width + 28) + ' 34', width: width + 28, height: 34, role: 'img', class: 'scale',
      'aria-label': 'Colours from blue, below fair share, to orange, above, in powers of two' },
    svg('defs', {}, svg('linearGradient', { id: 'scale-colours' }, stops)),
    svg('rect', { x: 0, y: 2, width, height: 12, fill: 'url(#scale-colours)', stroke: token('line-strong') }),
    names.map((name, i) => svg('text', { x: i / (names.length - 1) * width, y: 29, 'text-anchor': 'middle' }, name))),
    h('span', { class: 'key' }, svg('svg', { width: 16, height: 12, 'aria-hidden': 'true' },
      svg('rect', { width: 16, height: 12, fill: ZERO[mode] })), 'no load'),
    h('span', { class: 'key' }, svg('svg', { width: 16, height: 12, 'aria-hidden': 'true' }, hatchDefinition('hatch-key'),
      svg('rect', { width: 16, height: 12, fill: 'url(#hatch-key)', stroke: token('line-strong') })), 'not known'));
}

function hatchDefinition(id) {
  return svg('defs', {}, svg('pattern', { id, width: 6, height: 6, patternUnits: 'userSpaceOnUse' },
    svg('rect', { width: 6, height: 6, fill: token('hatch-ground') }),
    svg('path', { d: 'M-1 7 L7 -1 M-1 1 L1 -1 M5 7 L7 5', stroke: token('hatch'), 'stroke-width': 1.3 })));
}

function matrixRows() {
  if (!grid) return [['no matrix']];
  const head = ['layer', ...Array.from({ length: grid.width }, (unused, column) => grid.kind === 'slot' ? 'slot ' + column
    : grid.kind + ' ' + grid.part(0, column))];
  const rows = [head];
  for (let layer = 0; layer < layers; layer++) {
    rows.push([layer, ...Array.from({ length: grid.width }, (unused, column) => {
      const load = grid.load(layer, column);
      return Number.isNaN(load) ? '' : Number.isInteger(load) ? load : load.toFixed(2);
    })]);
  }
  return rows;
}

function buildMatrix() {
  const select = h('select', { id: 'matrix-window', onchange: event => change({ window: Number(event.target.value) }) });
  for (const why of [...new Set([...matrices.values()].map(matrix => matrix.why))].sort().reverse()) {
    select.append(h('optgroup', { label: why === 'worst' ? 'Worst windows' : why === 'decision' ? 'Decisions' : why },
      [...matrices.values()].filter(matrix => matrix.why === why).map(matrix =>
        h('option', { value: matrix.index }, windowName(matrix.index).replace('window ', '')))));
  }
  const policy = h('select', { id: 'matrix-run', onchange: event => change({ run: Number(event.target.value) }) },
    runs.map(r => h('option', { value: r.number, selected: r.number === state.run }, r.label)));
  const orders = () => state.view === 'ranks' ? [['id', 'id'], ['load', 'load']] : [['id', 'id'], ['load', 'load'], ['rank', 'rank']];
  const orderHolder = h('span', {});
  const showOrders = () => orderHolder.replaceChildren(choice('Order by', orders(), () => state.order, name => change({ order: name })));
  $('matrix-controls').replaceChildren(
    h('label', {}, h('span', {}, 'Window'), select), h('label', {}, h('span', {}, 'Placement of'), policy),
    choice('Across', [['experts', 'Experts'], ['ranks', 'Ranks']], () => state.view, name => {
      change({ view: name, order: name === 'ranks' && state.order === 'rank' ? 'id' : state.order });
      showOrders();
    }), orderHolder);
  showOrders();

  const holder = h('div', { id: 'matrix-canvas', class: 'matrix', tabindex: '0', role: 'application', 'aria-roledescription': 'heat matrix',
    'aria-label': 'Layers by experts or ranks. Arrow keys move, Shift moves by eight, Enter goes to the ranks of the layer, Escape back.',
    'aria-describedby': 'matrix-readout', onkeydown: matrixKeys,
    onpointermove: event => {
      const at = cellAt(event);
      if (at) moveCursor(at.layer, at.column);
    },
    onclick: event => {
      const at = cellAt(event);
      if (at) {
        moveCursor(at.layer, at.column);
        drillDown(at.layer, at.column);
      }
    } }, h('canvas', { id: 'matrix-cells' }), h('canvas', { id: 'matrix-cursor' }));
  $('matrix-picture').replaceChildren(figure('Load relative to fair share',
    [quality(matrices.size, matrices.size + run.leftOut.matrices, 'matrices'), copyButton(matrixRows, 'matrix')],
    h('div', { id: 'matrix-scale', class: 'scale-row' }), holder, h('p', { id: 'matrix-none', class: 'notice', hidden: true }),
    h('p', { id: 'matrix-readout', class: 'readout', role: 'status' }, READ_ME)));
  listeners.push(patch => {
    if ('window' in patch) select.value = String(matrices.has(state.window) ? state.window : '');
    if ('window' in patch || 'run' in patch || 'view' in patch || 'order' in patch) {
      if ('view' in patch || 'order' in patch) moveCursorAway();
      drawMatrix();
      if (cursor.layer >= 0 && grid) moveCursor(cursor.layer, Math.min(cursor.column, grid.width - 1));
    } else if ('layer' in patch) {
      drawCursor();
    }
  });
  drawings.push(drawMatrix);
}

function moveCursorAway() {
  cursor.layer = cursor.column = -1;
  $('matrix-readout').textContent = READ_ME;
}
