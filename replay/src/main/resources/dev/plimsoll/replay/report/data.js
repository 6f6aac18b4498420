// The run as values: docs/report.md says how the block is laid out.

const run = JSON.parse(document.getElementById('run').textContent);
const WIDTHS = { u8: 1, u16: 2, u24: 3, u32: 4, u48: 6 };

/** Numbers of a packed column; NaN where one is missing. */
function unpack(column) {
  const text = atob(column.data);
  const width = WIDTHS[column.type];
  const missing = column.missing ? 2 ** (8 * width) - 1 : Infinity;
  const values = new Float64Array(column.length);
  for (let i = 0; i < column.length; i++) {
    let integer = 0;
    for (let byte = width - 1; byte >= 0; byte--) integer = integer * 256 + text.charCodeAt(i * width + byte);
    values[i] = integer === missing ? NaN : column.base + column.scale * integer;
  }
  return values;
}

const layers = run.model.layerIds.length;
const experts = run.model.experts;
const windows = Object.fromEntries(
  ['index', 'firstStep', 'lastStep', 'closedAt', 'load', 'completeness', 'why']
    .map(name => [name, unpack(run.windows[name])]));
windows.count = windows.index.length;
/** Whether windows have times; else they are told apart by index. */
const timed = windows.count > 0 && windows.closedAt.every(Number.isFinite);
const runs = run.runs.map((of, number) => ({
  ...of,
  number,
  series: Object.fromEntries(Object.entries(of.series).map(([name, column]) => [name, unpack(column)])),
  rows: of.decisions.rows.map(row => {
    const decision = Object.fromEntries(of.decisions.columns.map((name, i) => [name, row[i]]));
    decision.reason = of.decisions.reasons[decision.reason];
    return decision;
  }),
}));
const baseline = run.baseline >= 0 ? run.baseline : runs.length ? 0 : -1;
const best = run.best >= 0 ? run.best : baseline;

const placeOfWindow = new Map();
windows.index.forEach((index, place) => placeOfWindow.set(index, place));

/** Matrices by window, oldest first; `load` is [layer · experts + expert], NaN where nothing is known. */
const matrices = new Map(run.matrices.map(matrix =>
  [matrix.index, { index: matrix.index, why: matrix.why, load: unpack(matrix.load) }]));

const placements = [];
/** Experts of slots, [layer · slots + slot], with `slots`; negative, the complement of the expert, where a slot is idle. */
function placement(number) {
  if (!placements[number]) {
    const packed = run.placements[number];
    if (packed.experts) {
      placements[number] = { slots: packed.slots, experts: Int32Array.from(unpack(packed.experts)) };
    } else {
      const before = placement(packed.from);
      const next = Int32Array.from(before.experts);
      const at = unpack(packed.at);
      const to = unpack(packed.to);
      at.forEach((slot, i) => { next[slot] = to[i]; });
      placements[number] = { slots: before.slots, experts: next };
    }
  }
  return placements[number];
}

/** What a run served a window under; null where that is not in this file. */
function placementAt(runNumber, window) {
  const number = runs[runNumber]?.placements[window];
  return number === undefined ? null : placement(number);
}

const viewCache = new Map();
/**
 * Loads of a window under a run's placement: `rank` is [layer · ranks + rank], `slot` [layer · slots + slot], tokens of an expert spread
 * evenly over its replicas in use; NaN where an expert's load is not known. `idle` is 1 where a slot gets none. `balance` is [layer].
 */
function served(runNumber, window) {
  const key = runNumber + ':' + window;
  if (!viewCache.has(key)) {
    if (viewCache.size > 400) viewCache.clear();
    viewCache.set(key, serve(runNumber, window));
  }
  return viewCache.get(key);
}

function serve(runNumber, window) {
  const matrix = matrices.get(window);
  const at = placementAt(runNumber, window);
  if (!matrix || !at) return null;
  const ranks = runs[runNumber].ranks;
  const perRank = at.slots / ranks;
  const rank = new Float64Array(layers * ranks);
  const slot = new Float64Array(layers * at.slots);
  const replicas = new Int32Array(layers * experts);
  const balance = new Float64Array(layers);
  const held = at.experts.map(expert => expert < 0 ? ~expert : expert);
  const idle = Uint8Array.from(at.experts, expert => expert < 0 ? 1 : 0);
  for (let layer = 0; layer < layers; layer++) {
    for (let s = layer * at.slots; s < (layer + 1) * at.slots; s++) if (!idle[s]) replicas[layer * experts + held[s]]++;
    for (let s = 0; s < at.slots; s++) {
      if (idle[layer * at.slots + s]) continue;
      const expert = layer * experts + held[layer * at.slots + s];
      const load = matrix.load[expert] / replicas[expert];
      slot[layer * at.slots + s] = load;
      rank[layer * ranks + Math.floor(s / perRank)] += load;
    }
    balance[layer] = balancedness(rank.subarray(layer * ranks, (layer + 1) * ranks));
  }
  return { ranks, perRank, slots: at.slots, experts: held, idle, rank, slot, replicas, balance };
}

/** Mean ÷ max; NaN without load, or where some is not known. */
function balancedness(loads) {
  let sum = 0;
  let max = 0;
  for (const load of loads) {
    sum += load;
    max = Math.max(max, load);
  }
  return sum > 0 ? sum / loads.length / max : NaN;
}

/** Mean of what is known; NaN where nothing is. */
function mean(values) {
  let sum = 0;
  let known = 0;
  for (const value of values) {
    if (Number.isFinite(value)) {
      sum += value;
      known++;
    }
  }
  return known ? sum / known : NaN;
}

/** Load relative to fair share: 1 is fair. NaN where it is not known, 0 where there is none. */
function relative(load, fair) {
  return load === 0 ? 0 : load / fair;
}

// Numbers as people read them.

const none = '–';
const integers = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 3 });
const count = value => Number.isFinite(value) ? integers.format(value) : none;
const short = value => Number.isFinite(value) ? compact.format(value) : none;
const ratio = (value, places = 4) => Number.isFinite(value) ? value.toFixed(places) : none;
const times = value => Number.isFinite(value) ? (value >= 10 ? value.toFixed(1) : value.toFixed(2)) + '×' : 'not known';
const signed = (value, places = 4) => Number.isFinite(value)
  ? (value < 0 ? '−' : '+') + Math.abs(value).toFixed(places) : none;

function bytes(value) {
  if (!value) return none;
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];
  let unit = 0;
  for (; value >= 1000; unit++) value /= 1000;
  return (value < 10 && unit > 0 ? value.toFixed(1) : value.toFixed(0)) + ' ' + units[unit];
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = value => String(value).padStart(2, '0');
function clock(millis, seconds = true) {
  const at = new Date(millis);
  return two(at.getUTCHours()) + ':' + two(at.getUTCMinutes()) + (seconds ? ':' + two(at.getUTCSeconds()) : '');
}
function day(millis) {
  const at = new Date(millis);
  return at.getUTCDate() + ' ' + MONTHS[at.getUTCMonth()];
}

/** A layer's index and the model's own number of it. */
function layerName(layer) {
  const id = run.model.layerIds[layer];
  return id === layer ? 'layer ' + layer : 'layer ' + layer + ' (model’s ' + id + ')';
}
/** A window's index and, where known, its time. */
function windowName(index) {
  const place = placeOfWindow.get(index);
  const at = place === undefined ? NaN : windows.closedAt[place];
  return 'window ' + count(index) + (Number.isFinite(at) ? ', ' + day(at) + ' ' + clock(at) + ' UTC' : '');
}
