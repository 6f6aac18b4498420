// Ranks of a layer, experts of a rank, and one of them through the kept windows.

const BAR_HEIGHT = 170;

/**
 * Bars around a line at 1.
 * @param bars each with value, name, text and, where there is room, a label
 */
let hatches = 0;
function barPicture(bars, chosen, label, onpick) {
  const hatchId = 'hatch-bars-' + hatches++ % 8;
  const holder = h('div', { class: 'bars', tabindex: '0', role: 'application', 'aria-roledescription': 'bar chart', 'aria-label': label });
  const text = h('p', { class: 'readout' });
  const draw = () => {
    const width = holder.clientWidth || 300;
    const left = 30;
    const bottom = 20;
    const high = Math.max(1.2, ...bars.map(bar => bar.value || 0)) * 1.06;
    const y = value => (BAR_HEIGHT - bottom) * (1 - value / high) + 4;
    const step = Math.min(48, (width - left - 4) / bars.length);
    const picture = svg('svg', { width, height: BAR_HEIGHT + 6, 'aria-hidden': 'true' }, hatchDefinition(hatchId));
    for (const tick of [0, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 16].filter(of => of <= high && (high < 3 || Number.isInteger(of)))) {
      picture.append(svg('line', { x1: left, x2: width, y1: y(tick), y2: y(tick), stroke: token(tick === 1 ? 'line-strong' : 'grid') }),
        svg('text', { x: left - 6, y: y(tick) + 4, 'text-anchor': 'end', class: 'tick' }, tick));
    }
    const every = [1, 2, 4, 8, 16, 32, 64, 128].find(of => of * step >= 24) ?? 256;
    bars.forEach((bar, i) => {
      const at = left + i * step;
      const inside = Math.max(1, step - (step > 5 ? 2 : 0.5));
      const known = Number.isFinite(bar.value);
      const top = known ? Math.min(y(bar.value), y(0) - 1) : y(1);
      picture.append(svg('rect', { x: at, y: top, width: inside, height: y(0) - top, rx: step > 8 ? 1.5 : 0,
        class: 'bar-item', fill: !known ? 'url(#' + hatchId + ')' : bar.value === 0 ? ZERO[dark() ? 'dark' : 'light']
          : css(diverging(Math.sign(bar.value - 1) * Math.min(1, 0.35 + Math.abs(place(bar.value, bar.reach)) * 0.5))),
        stroke: i === chosen() ? token('ink') : 'none', 'stroke-width': 2 }));
      if (i % every === 0) picture.append(svg('text', { x: at + inside / 2, y: BAR_HEIGHT + 2, 'text-anchor': 'middle', class: 'tick' }, bar.label));
      picture.append(svg('rect', { x: at, y: 0, width: step, height: BAR_HEIGHT, fill: 'transparent', onclick: () => onpick(i),
        onpointerenter: () => { text.textContent = bar.text; } }));
    });
    holder.replaceChildren(picture);
  };
  holder.addEventListener('keydown', event => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = Math.min(bars.length - 1, Math.max(0, chosen() < 0 ? 0 : chosen() + step));
    onpick(next);
    announce(bars[next].text);
  });
  text.textContent = bars[chosen()]?.text ?? '';
  return { holder, text, draw };
}

function rowsOfBars(bars, head) {
  return [[head, 'relative to fair share', 'load'],
    ...bars.map(bar => [bar.name, ratio(bar.value), Number.isFinite(bar.load) ? bar.load.toFixed(1) : ''])];
}

function ranksOfLayer(view) {
  const row = view.rank.subarray(state.layer * view.ranks, (state.layer + 1) * view.ranks);
  const fair = mean(row);
  return Array.from(row, (load, rank) => {
    const value = relative(load, fair);
    return { value, load, reach: 1, name: 'rank ' + rank, label: rank, text: 'Rank ' + rank + ': ' + (load === 0 ? 'no load' : times(value)
      + (Number.isFinite(load) ? ' fair share, load ' + count(load) : '')) };
  });
}

/** Slots of the rank by load; relative to the fair share of a slot. */
function expertsOfRank(view) {
  const from = state.layer * view.slots;
  const fair = mean(view.slot.subarray(from, from + view.slots));
  const bars = [];
  for (let s = state.rank * view.perRank; s < (state.rank + 1) * view.perRank; s++) {
    const expert = view.experts[from + s];
    const load = view.slot[from + s];
    const value = relative(load, fair);
    const replicas = view.replicas[state.layer * experts + expert];
    bars.push({ value, load, expert, reach: 3, name: 'expert ' + expert, label: expert, text: 'Expert ' + expert
      + (view.idle[from + s] ? ', idle' : replicas > 1 ? ', one of ' + replicas + ' replicas' : '') + ': ' + (load === 0 ? 'no load'
      : times(value) + (Number.isFinite(load) ? ' the fair share of a slot, load ' + count(load) : '')) });
  }
  return bars.sort((a, b) => (b.load || 0) - (a.load || 0) || a.expert - b.expert);
}

/** The chosen expert, or else the rank, or else the layer's balancedness, in every window that has a matrix. */
function overTime() {
  const ofExpert = state.expert >= 0;
  return [...matrices.values()].map(matrix => {
    let value = NaN;
    const view = served(state.run, matrix.index);
    if (ofExpert) {
      const row = matrix.load.subarray(state.layer * experts, (state.layer + 1) * experts);
      value = relative(row[state.expert], mean(row));
    } else if (view && state.rank >= 0) {
      const row = view.rank.subarray(state.layer * view.ranks, (state.layer + 1) * view.ranks);
      value = relative(row[state.rank], mean(row));
    } else if (view) {
      value = view.balance[state.layer];
    }
    return { window: matrix.index, value };
  });
}

function linePicture(points, label) {
  const holder = h('div', { class: 'bars' });
  const text = h('p', { class: 'readout' });
  const at = point => timed ? windows.closedAt[placeOfWindow.get(point.window)] : point.window;
  const draw = () => {
    const width = holder.clientWidth || 300;
    const left = 34;
    const known = points.filter(point => Number.isFinite(point.value));
    const high = Math.max(1.2, ...known.map(point => point.value)) * 1.08;
    const y = value => (BAR_HEIGHT - 20) * (1 - value / high) + 4;
    const first = at(points[0]);
    const last = at(points[points.length - 1]);
    const across = point => left + 6 + (width - left - 14) * (last > first ? (at(point) - first) / (last - first) : 0.5);
    const picture = svg('svg', { width, height: BAR_HEIGHT + 6, role: 'img', 'aria-label': label }, hatchDefinition('hatch-line'));
    for (const tick of [0, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 16].filter(of => of <= high && (high < 3 || Number.isInteger(of)))) {
      picture.append(svg('line', { x1: left, x2: width, y1: y(tick), y2: y(tick), stroke: token(tick === 1 ? 'line-strong' : 'grid') }),
        svg('text', { x: left - 6, y: y(tick) + 4, 'text-anchor': 'end', class: 'tick' }, tick));
    }
    picture.append(svg('polyline', { points: known.map(point => across(point).toFixed(1) + ',' + y(point.value).toFixed(1)).join(' '),
      fill: 'none', stroke: token('accent'), 'stroke-width': 1.25, opacity: 0.45 }));
    for (const point of points) {
      const chosen = point.window === state.window;
      const isKnown = Number.isFinite(point.value);
      picture.append(isKnown
        ? svg('circle', { cx: across(point), cy: y(point.value), r: chosen ? 5.5 : 3.5, fill: chosen ? token('accent') : token('card'),
          stroke: token('accent'), 'stroke-width': 1.75 })
        : svg('rect', { x: across(point) - 4, y: 4, width: 8, height: y(0) - 4, fill: 'url(#hatch-line)' }),
      svg('rect', { x: across(point) - 6, y: 0, width: 12, height: BAR_HEIGHT, fill: 'transparent', class: 'hit',
        onclick: () => change({ window: point.window }),
        onpointerenter: () => { text.textContent = sayPoint(point); } }));
    }
    const name = point => timed ? day(at(point)) + ' ' + clock(at(point), false) : count(point.window);
    picture.append(svg('text', { x: left, y: BAR_HEIGHT + 2, class: 'tick' }, name(points[0])),
      svg('text', { x: width - 2, y: BAR_HEIGHT + 2, 'text-anchor': 'end', class: 'tick' }, name(points[points.length - 1])));
    holder.replaceChildren(picture);
  };
  const sayPoint = point => windowName(point.window).replace('window', 'Window') + ': '
    + (Number.isFinite(point.value) ? ratio(point.value, 2) : 'not known');
  const now = points.find(point => point.window === state.window);
  text.textContent = now ? sayPoint(now) : '';
  return { holder, text, draw };
}

let drillDrawings = [];
function drawDrill() {
  const holder = $('drill');
  const view = served(state.run, state.window);
  drillDrawings = [];
  if (state.layer < 0 || !matrices.has(state.window)) {
    holder.replaceChildren();
    return;
  }
  const focused = document.activeElement?.closest?.('[data-drill]')?.dataset.drill;
  const crumb = (text, patch, last) => last ? h('strong', { 'aria-current': 'true' }, text)
    : h('button', { type: 'button', class: 'crumb', onclick: () => change(patch) }, text);
  const path = [crumb('Matrix', { layer: -1, rank: -1, expert: -1 }, false),
    crumb(layerName(state.layer), { rank: -1, expert: -1 }, state.rank < 0 && state.expert < 0),
    state.rank >= 0 && crumb('rank ' + state.rank, { expert: -1 }, state.expert < 0),
    state.expert >= 0 && crumb('expert ' + state.expert, {}, true)].filter(Boolean);
  const compared = runs.map(r => [r, served(r.number, state.window)?.balance[state.layer]]).filter(([, value]) => Number.isFinite(value));
  const figures = [];
  const place = (name, title, picture, rows) => {
    const element = figure(title, [copyButton(rows, title)], picture.holder, picture.text);
    element.dataset.drill = name;
    figures.push(element);
    drillDrawings.push(picture.draw);
  };
  if (view) {
    const ranks = ranksOfLayer(view);
    place('ranks', 'Ranks of ' + layerName(state.layer), barPicture(ranks, () => state.rank,
      'Ranks of the layer, relative to their mean. Left and right choose one.', rank => change({ rank, expert: -1 })),
    () => rowsOfBars(ranks, 'rank'));
    if (state.rank >= 0) {
      const bars = expertsOfRank(view);
      place('experts', 'Experts of rank ' + state.rank, barPicture(bars, () => bars.findIndex(bar => bar.expert === state.expert),
        'Experts of the rank, relative to the fair share of a slot. Left and right choose one.', i => change({ expert: bars[i].expert })),
      () => rowsOfBars(bars, 'expert'));
    }
  }
  const points = overTime();
  const what = state.expert >= 0 ? 'Expert ' + state.expert : state.rank >= 0 ? 'Rank ' + state.rank : 'Balancedness of ' + layerName(state.layer);
  place('time', what + ' over the kept windows', linePicture(points, what + ' over the windows that have a matrix'),
    () => [['window', 'value'], ...points.map(point => [point.window, ratio(point.value)])]);
  holder.replaceChildren(
    h('nav', { class: 'crumbs', 'aria-label': 'Drill-down' }, path.map((step, i) => [i > 0 && h('span', { 'aria-hidden': 'true' }, '›'), step])),
    compared.length > 0 && h('p', { class: 'compared' }, h('span', { class: 'muted' }, 'Balancedness of this layer, this window:'), compared.map(([r, value]) =>
      h('button', { type: 'button', class: 'chip', 'aria-pressed': String(r.number === state.run), onclick: () => change({ run: r.number }) },
        swatch(r), r.label, ' ', h('b', {}, ratio(value, 3))))) || '',
    h('div', { class: 'drill-figures' }, figures));
  drillDrawings.forEach(draw => draw());
  if (focused) holder.querySelector('[data-drill="' + focused + '"] [tabindex]')?.focus({ preventScroll: true });
}

listeners.push(patch => {
  if (['window', 'run', 'layer', 'rank', 'expert'].some(name => name in patch)) drawDrill();
});
drawings.push(() => drawDrill());
