// Policies and configurations: evenness against what it costs.

function paretoPicture(key, name, text) {
  const holder = h('div', { class: 'bars' });
  const readout = h('p', { class: 'readout' });
  const points = runs.filter(r => Number.isFinite(r.summary.mean ?? NaN) && (key === 'moves' || r.summary.bytes > 0 || r.summary.moves === 0));
  const say = r => r.label + ': balancedness ' + ratio(r.summary.mean) + ', ' + count(r.summary.moves) + ' moves, ' + bytes(r.summary.bytes)
    + (onFront(r) ? '; on the front' : '');
  const onFront = r => !points.some(other => other !== r && other.summary[key] <= r.summary[key] && other.summary.mean >= r.summary.mean
    && (other.summary[key] < r.summary[key] || other.summary.mean > r.summary.mean));
  const draw = () => {
    if (key === 'bytes' && points.every(r => r.summary.bytes === 0)) {
      holder.replaceChildren(h('p', { class: 'notice' }, 'The size of an expert is not known, so bytes are not.'));
      return;
    }
    const width = holder.clientWidth || 320;
    const height = Math.min(360, Math.max(280, width * 0.7));
    const most = Math.max(1, ...points.map(r => r.summary[key])) * 1.08;
    const low = Math.max(0, Math.min(...points.map(r => r.summary.mean)) - 0.03);
    const high = Math.min(1, Math.max(...points.map(r => r.summary.mean)) + 0.03);
    const { picture, across, up } = frame(width, height, [-most * 0.04, most], [low, high],
      ticksOf(0, most, Math.min(6, width / 80)), ticksOf(low, high, 6), name, 'balancedness, mean', text, value => value.toFixed(2));
    picture.setAttribute('aria-label', 'Balancedness against ' + key + ': ' + points.map(say).join('; '));
    const front = points.filter(onFront).sort((a, b) => a.summary[key] - b.summary[key] || a.summary.mean - b.summary.mean);
    picture.append(svg('polyline', { points: front.map(r => across(r.summary[key]) + ',' + up(r.summary.mean)).join(' '), fill: 'none',
      stroke: token('line-strong'), 'stroke-width': 1.5, 'stroke-dasharray': '4 3' }));
    const taken = points.map(r => ({ from: across(r.summary[key]) - 8, to: across(r.summary[key]) + 8, y: up(r.summary.mean), own: r }));
    for (const r of points) {
      const cx = across(r.summary[key]);
      const cy = up(r.summary.mean);
      const colour = colourOf(r);
      if (r.live) picture.append(svg('circle', { cx, cy, r: 9, fill: 'none', stroke: colour, 'stroke-width': 1.25 }));
      picture.append(svg('circle', { cx, cy, r: 5, fill: onFront(r) ? colour : token('card'), stroke: colour, 'stroke-width': 2, class: 'hit',
        onpointerenter: () => { readout.textContent = say(r); } }));
    }
    for (const r of points) label(picture, r, across(r.summary[key]), up(r.summary.mean), taken, width, height);
    holder.replaceChildren(picture);
    keys.replaceChildren(...points.map(r => h('span', { class: 'key' }, dot(r, onFront(r)), r.label)));
  };
  const keys = h('div', { class: 'keys' });
  readout.textContent = 'Filled: on the front.' + (runs.some(r => r.live) ? ' Ringed: what really ran.' : '');
  drawings.push(draw);
  return { element: figure('Against ' + key, [quality(Math.min(...points.map(r => r.summary.served)), run.windows.replayed), copyButton(() => [['run', 'balancedness', 'moves', 'bytes', 'on the front'],
    ...points.map(r => [r.label, ratio(r.summary.mean), r.summary.moves, r.summary.bytes, onFront(r) ? 'yes' : 'no'])], 'Pareto')], holder, readout, keys), draw };
}

/** Beside its point where it covers nothing, else near it with a line to it; without room anywhere it is left to the key below. */
function label(picture, r, cx, cy, taken, width, height) {
  const size = r.label.length * 6.9;
  for (const by of [0, 16, -16, 30, -30, 44, -44, 58, 72]) {
    for (const leftwards of [false, true]) {
      const from = by === 0 ? 12 : 18;
      const box = { from: leftwards ? cx - from - size : cx + from, to: leftwards ? cx - from : cx + from + size, y: cy + by };
      const covers = taken.some(other => other.own !== r && other.from < box.to && box.from < other.to && Math.abs(other.y - box.y) < 13);
      if (covers || box.from < 54 || box.to > width - 4 || box.y < 10 || box.y > height - 50) continue;
      taken.push(box);
      if (by !== 0) picture.append(svg('line', { x1: cx, y1: cy + Math.sign(by) * 6, x2: leftwards ? box.to + 2 : box.from - 2, y2: box.y, class: 'leader' }));
      picture.append(svg('text', { x: leftwards ? box.to : box.from, y: box.y + 4, 'text-anchor': leftwards ? 'end' : 'start', class: 'point',
        fill: colourOf(r) }, r.label));
      return;
    }
  }
}

function dot(r, filled) {
  return svg('svg', { width: 12, height: 12, 'aria-hidden': 'true' },
    svg('circle', { cx: 6, cy: 6, r: 4, fill: filled ? colourOf(r) : token('card'), stroke: colourOf(r), 'stroke-width': 2 }));
}

function buildPareto() {
  const pictures = [
    paretoPicture('moves', 'moves', value => short(value)),
    paretoPicture('bytes', 'weights moved', value => value ? bytes(value) : '0')];
  $('pareto-pictures').replaceChildren(...pictures.map(picture => picture.element));
  pictures.forEach(picture => picture.draw());
}
