/**
 * What the page does beyond showing itself: it shows the values of charts by pointer and arrow keys, and copies. It takes
 * text from attributes, and sets it as text. The page is complete without it.
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
