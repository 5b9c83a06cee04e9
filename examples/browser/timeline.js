// Draws a row a label on a canvas: its probability, its threshold and its events, over an axis of seconds.

const ROW = 46;
const AXIS = 26;
const TOP = 6;

export class Timeline {
  constructor(canvas) {
    this.canvas = canvas;
    this.labels = [];
    this.thresholds = [];
    this.framePeriod = 1;
    this.clear();
    this.pointer = null; // pixels from the left, or none
    this.played = null; // seconds, or none
    new ResizeObserver(() => this.draw()).observe(canvas.parentElement);
  }

  clear() {
    Object.assign(this, { rows: [], firstFrame: 0, events: [], open: [], from: 0, to: 10, played: null });
    this.rows = this.labels.map(() => []);
  }

  show(detector) {
    this.labels = detector.labels;
    this.thresholds = detector.rules.map((rule) => rule.threshold);
    this.framePeriod = detector.framePeriod;
    this.clear();
    this.draw();
  }

  /** Frames as a stream gives them; of those before `keep` seconds ago nothing is kept. */
  add(frames, keep = Infinity) {
    frames.forEach((value, at) => this.rows[at % this.labels.length].push(value));
    const surplus = (this.rows[0]?.length ?? 0) - keep / this.framePeriod;
    if (surplus > 1000) {
      for (const row of this.rows) row.splice(0, Math.floor(surplus));
      this.firstFrame += Math.floor(surplus);
    }
  }

  seconds(x) {
    const { left, width } = this.plot();
    return this.from + ((x - left) / width) * (this.to - this.from);
  }

  plot() {
    const width = this.canvas.parentElement.clientWidth;
    const left = Math.min(150, Math.max(104, width * 0.18));
    return { left, width: Math.max(10, width - left - 14), total: width };
  }

  draw() {
    if (this.waiting) return;
    this.waiting = true;
    setTimeout(() => {
      this.waiting = false;
      this.#draw();
    }, 16);
  }

  #draw() {
    const { left, width, total } = this.plot();
    const height = TOP + ROW * this.labels.length + AXIS;
    const ratio = window.devicePixelRatio || 1;
    Object.assign(this.canvas, { width: total * ratio, height: height * ratio });
    Object.assign(this.canvas.style, { width: `${total}px`, height: `${height}px` });
    const pen = this.canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const x = (seconds) => left + ((seconds - this.from) / (this.to - this.from)) * width;
    pen.font = `13px ${getComputedStyle(document.body).fontFamily}`;
    this.labels.forEach((label, index) => {
      const top = TOP + index * ROW;
      const base = top + ROW - 8;
      const room = ROW - 14;
      pen.fillStyle = colour("panel");
      pen.fillRect(left, top, width, ROW - 4);
      for (const event of [...this.events, ...this.open].filter((each) => each.label === label)) {
        const [a, b] = [Math.max(left, x(event.onset)), Math.min(left + width, x(event.offset))];
        if (b < left || a > left + width) continue;
        pen.fillStyle = colour("event");
        pen.fillRect(a, top, Math.max(2, b - a), ROW - 4);
        pen.fillStyle = colour("found");
        pen.fillRect(a, base, Math.max(2, b - a), 4);
      }
      pen.strokeStyle = colour("soft");
      pen.globalAlpha = 0.5;
      pen.setLineDash([2, 4]);
      pen.beginPath();
      const level = base - this.thresholds[index] * room;
      pen.moveTo(left, level);
      pen.lineTo(left + width, level);
      pen.stroke();
      pen.setLineDash([]);
      pen.globalAlpha = 1;
      this.#curve(pen, this.rows[index], left, width, base, room, colour("found"));
      pen.fillStyle = colour("ink");
      pen.textAlign = "right";
      pen.textBaseline = "middle";
      pen.fillText(shortened(pen, label, left - 12), left - 8, top + ROW / 2 - 2);
    });
    this.#axis(pen, x, left, width, height - AXIS, colour("soft"));
    const marks = [[this.played, colour("ink")], [this.pointer === null ? null : this.seconds(this.pointer), colour("soft")]];
    for (const [seconds, ink] of marks) {
      if (seconds === null || seconds < this.from || seconds > this.to) continue;
      pen.fillStyle = ink;
      pen.fillRect(x(seconds) - 0.75, TOP, 1.5, ROW * this.labels.length - 4);
    }
  }

  /** The largest probability of each pixel, filled down to the base of the row. */
  #curve(pen, row, left, width, base, room, ink) {
    const perPixel = (this.to - this.from) / this.framePeriod / width;
    pen.beginPath();
    let begun = false;
    let last = left;
    for (let pixel = 0; pixel <= width; pixel++) {
      const first = Math.floor(this.from / this.framePeriod + pixel * perPixel) - this.firstFrame;
      if (first < 0 || first >= row.length) continue;
      let most = row[first];
      for (let at = first + 1; at < Math.min(row.length, first + perPixel); at++) most = Math.max(most, row[at]);
      if (!begun) pen.moveTo(left + pixel, base);
      begun = true;
      last = left + pixel;
      pen.lineTo(last, base - most * room);
    }
    if (!begun) return;
    pen.strokeStyle = pen.fillStyle = ink;
    pen.lineWidth = 1.25;
    pen.stroke();
    pen.lineTo(last, base);
    pen.globalAlpha = 0.2;
    pen.fill();
    pen.globalAlpha = 1;
  }

  #axis(pen, x, left, width, top, ink) {
    const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
    const step = steps.find((each) => ((this.to - this.from) / each) * 64 <= width) ?? 14400;
    pen.fillStyle = ink;
    pen.textBaseline = "top";
    for (let k = Math.ceil(this.from / step - 1e-9); k * step <= this.to + 1e-9; k++) {
      const at = x(k * step);
      pen.fillRect(at - 0.5, top, 1, 5);
      pen.textAlign = at > left + width - 24 ? "right" : at < left + 12 ? "left" : "center";
      pen.fillText(clock(k * step, step < 1 ? 1 : 0), at, top + 9);
    }
  }
}

function shortened(pen, text, width) {
  let shown = text;
  while (shown.length > 1 && pen.measureText(shown === text ? text : `${shown}…`).width > width) shown = shown.slice(0, -1);
  return shown === text ? text : `${shown}…`;
}

/** Seconds as 0:07, 1:02:03 or, with decimals, 0:07.25. */
export function clock(seconds, decimals = 0) {
  const units = Math.round(seconds * 10 ** decimals);
  const whole = Math.floor(units / 10 ** decimals);
  const rest = decimals ? `.${String(units % 10 ** decimals).padStart(decimals, "0")}` : "";
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes, left] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return (hours ? `${hours}:${two(minutes)}` : String(minutes)) + `:${two(left)}${rest}`;
}
