// Elements, colours, copying, and what is selected.

const SVG = 'http://www.w3.org/2000/svg';

function add(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children.flat(3)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child)); // text, never markup
  }
  return element;
}
const h = (tag, attributes, ...children) => add(document.createElement(tag), attributes, children);
const svg = (tag, attributes, ...children) => add(document.createElementNS(SVG, tag), attributes, children);
const $ = id => document.getElementById(id);

/** What is looked at; `change` tells everybody. */
const state = {
  window: NaN, run: 0, view: 'experts', order: 'id', layer: -1, rank: -1, expert: -1, shown: new Set(), decisionsOf: -1,
};
const listeners = [];
function change(patch) {
  Object.assign(state, patch);
  for (const listener of listeners) listener(patch);
}
const announce = text => { $('announce').textContent = text; };

// Colours

const prints = matchMedia('print');
const prefersDark = matchMedia('(prefers-color-scheme: dark)');
const still = matchMedia('(prefers-reduced-motion: reduce)');
let printing = false;
/** Paper is white, whatever the screen is. */
function dark() {
  if (printing || prints.matches) return false;
  const choice = document.documentElement.dataset.theme;
  return choice === 'dark' || (choice !== 'light' && prefersDark.matches);
}
const token = name => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();

/** Okabe and Ito's colours, told apart by people who see fewer; a lighter set on dark. What really ran has the colour of text. */
const RUN_COLOURS = {
  light: ['#0072b2', '#d55e00', '#00805c', '#b0508c', '#8a6a00', '#3a8fc4', '#5b5bb5'],
  dark: ['#56b4e9', '#ff9d4d', '#2fc69a', '#e294c4', '#e6c545', '#a5d8ff', '#b3b3ff'],
};
const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3]];
let coloured = 0;
for (const of of runs) {
  of.quiet = of.live || of.name === 'static' || of.name.startsWith('static:');
  of.hue = of.quiet ? -1 : coloured++;
}
let greys = 0;
for (const of of runs) of.grey = of.quiet && !of.live ? greys++ : 0;
function colourOf(of) {
  const set = RUN_COLOURS[dark() ? 'dark' : 'light'];
  return of.live ? token('ink') : of.quiet ? token('quiet') : set[of.hue % set.length];
}
/** Runs that share a colour differ in dashes. */
function dashOf(of) {
  if (of.live) return [6, 3];
  return DASHES[(of.quiet ? of.grey : Math.floor(of.hue / RUN_COLOURS.light.length)) % DASHES.length];
}

function mix(a, b, t) {
  const part = (hex, i) => parseInt(hex.slice(1 + 2 * i, 3 + 2 * i), 16);
  return [0, 1, 2].map(i => Math.round(part(a, i) + (part(b, i) - part(a, i)) * t));
}
/** Blue below, the page's neutral at, orange above fair share. */
const DIVERGING = {
  light: ['#0b3c7d', '#5b9fd6', '#fbfbfa', '#f0a054', '#9c3a00'],
  dark: ['#9fd0ff', '#2f78b7', '#1e252d', '#b8641c', '#ffc98a'],
};
const ZERO = { light: '#7d8590', dark: '#8f98a3' };
/** @param t from -1 to 1 */
function diverging(t) {
  const stops = DIVERGING[dark() ? 'dark' : 'light'];
  const at = Math.min(3.9999, Math.max(0, (t + 1) * 2));
  return mix(stops[Math.floor(at)], stops[Math.floor(at) + 1], at % 1);
}
const css = rgb => 'rgb(' + rgb.join(' ') + ')';

for (const button of document.querySelectorAll('[data-theme-choice]')) {
  button.addEventListener('click', () => {
    document.documentElement.dataset.theme = button.dataset.themeChoice;
    for (const other of document.querySelectorAll('[data-theme-choice]')) {
      other.setAttribute('aria-pressed', String(other === button));
    }
    redraw();
  });
}
prefersDark.addEventListener('change', () => redraw());
prints.addEventListener('change', () => redraw());
/** Told before the browser lays out for paper: styles are still the screen's, and drawings take their colours from them. */
function paper(on) {
  printing = on;
  document.documentElement.toggleAttribute('data-paper', on);
  redraw();
}
addEventListener('beforeprint', () => paper(true));
addEventListener('afterprint', () => paper(false));

const drawings = [];
/** Everything that depends on colours or width. */
function redraw() {
  for (const draw of drawings) draw();
}

// Copying

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h('textarea', { class: 'unseen', 'aria-hidden': 'true' });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  announce(what + ' copied');
}

/** @param rows of cells; copied as text with tabs, which spreadsheets take */
function copyButton(rows, what) {
  const button = h('button', { type: 'button', class: 'copy', title: 'Copy ' + what + ' as a table' }, 'Copy as table');
  button.addEventListener('click', async () => {
    await copy(rows().map(row => row.map(cell => String(cell).replace(/[\t\n]+/g, ' ')).join('\t')).join('\n'), what);
    button.textContent = 'Copied';
    setTimeout(() => { button.textContent = 'Copy as table'; }, 1500);
  });
  return button;
}

function cellsOf(table) {
  return [...table.rows].map(row => [...row.cells].map(cell => cell.textContent.trim()));
}
function addTableTools() {
  for (const table of document.querySelectorAll('.table > table')) {
    if (table.tHead) table.parentElement.prepend(h('div', { class: 'tools' }, copyButton(() => cellsOf(table), table.caption.textContent)));
  }
  const command = $('command');
  const button = h('button', { type: 'button', class: 'copy' }, 'Copy command');
  button.addEventListener('click', () => copy(command.textContent, 'command'));
  command.closest('.command').querySelector('h3').append(' ', button);
}

/** A row of buttons of which one is pressed. */
function choice(label, options, value, onpick) {
  const group = h('div', { class: 'choice', role: 'group', 'aria-label': label }, h('span', { class: 'choice-label' }, label));
  for (const [name, text] of options) {
    group.append(h('button', {
      type: 'button', 'data-name': name, 'aria-pressed': String(name === value()), onclick: () => {
        onpick(name);
        group.show();
      },
    }, text));
  }
  group.show = () => {
    for (const button of group.querySelectorAll('button')) {
      button.setAttribute('aria-pressed', String(button.dataset.name === value()));
    }
  };
  return group;
}

/** Of a run: a line as it is drawn. */
function swatch(of) {
  return svg('svg', { class: 'swatch', width: 22, height: 10, 'aria-hidden': 'true' },
    svg('line', { x1: 1, x2: 21, y1: 5, y2: 5, stroke: colourOf(of), 'stroke-width': 2.5, 'stroke-dasharray': dashOf(of).join(' ') || null }));
}

/** How much of the windows a picture rests on. */
function quality(used, of, what = 'windows') {
  const share = of ? used / of : 0;
  return h('span', { class: 'quality ' + (share >= 1 ? 'full' : share >= 0.95 ? 'near' : 'partial') },
    share >= 1 ? 'all ' + count(of) + ' ' + what : count(used) + ' of ' + count(of) + ' ' + what);
}

/** A picture with its title, quality and tools. */
function figure(title, tools, ...content) {
  const head = h('div', { class: 'figure-head' }, h('h3', {}, title), h('div', { class: 'figure-tools' }, tools));
  return h('figure', { class: 'figure' }, head, content);
}
