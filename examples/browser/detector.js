// A detector in a browser: the .onnx file as hubbub wrote it, run by onnxruntime-web. Samples go in, events come out,
// as by hubbub/model.py, stream.py, decode.py and calibration.py, whose results tests/test_browser.py holds this to.

const METADATA_KEY = "hubbub";
const SCHEMAS = [1, 2];
const MAX_FRAMES = 256; // in one run of the graph

/** What a detector says of itself: the JSON in the `metadata_props` of an ONNX file, a Uint8Array.
 *  onnxruntime-web does not give them, so the outermost level of the protobuf is read here.
 *  Throws an Error, one line, where there is none. */
export function readMetadata(bytes) {
  const text = new TextDecoder();
  try {
    for (const [field, entry] of fields(bytes)) {
      if (field !== 14) continue; // ModelProto.metadata_props
      const pair = Object.fromEntries([...fields(entry)].map(([at, value]) => [at, text.decode(value)]));
      if (pair[1] === METADATA_KEY) return checked(JSON.parse(pair[2]));
    }
  } catch (error) {
    if (error instanceof RangeError || error instanceof SyntaxError) throw new Error("this is no ONNX file of hubbub's");
    throw error;
  }
  throw new Error("this file holds no metadata of hubbub's; wanted a detector that `hubbub train` wrote");
}

function checked(metadata) {
  if (!SCHEMAS.includes(metadata.schema)) throw new Error(`metadata schema ${metadata.schema}; wanted ${SCHEMAS.join(" or ")}`);
  if (metadata.task !== "events") throw new Error("this detector labels whole clips; wanted one that finds events");
  return metadata;
}

/** The fields of one protobuf message: [number, bytes of its value]; of numbers, no bytes. */
function* fields(bytes) {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      if (at >= bytes.length || scale > 2 ** 63) throw new RangeError("cut short");
      const byte = bytes[at++];
      value += (byte & 127) * scale; // shifts would end at 32 bits
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const [field, type] = [Math.floor(tag / 8), tag % 8];
    let length = 0;
    if (type === 0) varint();
    else if (type === 1) length = 8;
    else if (type === 2) length = varint();
    else if (type === 5) length = 4;
    else throw new RangeError("no protobuf");
    if (at + length > bytes.length) throw new RangeError("cut short");
    yield [field, bytes.subarray(at, at + length)];
    at += length;
  }
}

/** A detector file, opened. `ort` is the module of onnxruntime-web. */
export class Detector {
  static async open(bytes, ort) {
    const detector = new Detector();
    detector.metadata = readMetadata(bytes);
    detector.labels = detector.metadata.labels;
    detector.rules = detector.labels.map((label) => detector.metadata.decode[label]);
    detector.sampleRate = detector.metadata.sample_rate;
    detector.framePeriod = detector.metadata.hop / detector.metadata.sample_rate;
    detector.ort = ort;
    detector.session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
    return detector;
  }

  /** One step: a multiple of block * hop samples → { frames, states }; frames is n_frames * n_labels numbers, row by row. */
  async run(samples, states) {
    const audio = new this.ort.Tensor("float32", samples, [1, samples.length]);
    const outputs = await this.session.run({ audio, ...states });
    const frames = Float32Array.from(outputs.probabilities.data);
    this.labels.forEach((label, index) => {
      const calibration = (this.metadata.calibration ?? {})[label];
      if (!calibration) return;
      for (let at = index; at < frames.length; at += this.labels.length) frames[at] = calibrated(frames[at], calibration);
    });
    return { frames, states: Object.fromEntries(Object.keys(states).map((name) => [name, outputs[`${name}_out`]])) };
  }

  /** The states that endless silence before the first sample leaves. */
  async silentStates() {
    if (this.silence === undefined) {
      const { states, settle, block, hop } = this.metadata;
      const zeros = ([name, shape]) => [name, new this.ort.Tensor("float32", new Float32Array(shape.reduce((a, b) => a * b, 1)), shape)];
      this.silence = Object.fromEntries(Object.entries(states).map(zeros));
      const blocks = Math.ceil(settle / block);
      if (blocks) this.silence = (await this.run(new Float32Array(blocks * block * hop), this.silence)).states;
    }
    return this.silence;
  }

  /** A recording, or live audio that is pushed as it comes. */
  async stream() {
    return new Stream(this, await this.silentStates());
  }
}

function calibrated(probability, { temperature, knots }) {
  let value = probability;
  if (temperature !== 1) {
    const [on, off] = [value ** (1 / temperature), (1 - value) ** (1 / temperature)];
    value = on / (on + off);
  }
  if (knots.length) {
    const after = Math.max(1, knots.findIndex(([given]) => given >= value));
    const [[x0, y0], [x1, y1]] = [knots[after - 1], knots[after]];
    value = y0 + ((value - x0) / (x1 - x0)) * (y1 - y0);
  }
  return value;
}

/** Mono samples in, at the detector's rate and in blocks of any length; { frames, events } out, as soon as they are certain.
 *  Await each call before the next. */
export class Stream {
  constructor(detector, states) {
    const { hop, block, look_ahead: lookAhead } = detector.metadata;
    Object.assign(this, { detector, states, hop, lookAhead, step: block * hop, skip: lookAhead });
    this.largest = Math.max(1, Math.floor(MAX_FRAMES / block)) * this.step;
    this.waiting = new Float32Array(0);
    this.nSamples = 0;
    this.nOut = 0;
    const seconds = (frame) => (frame * hop) / detector.sampleRate;
    const framesIn = (seconds) => roundHalfEven((seconds * detector.sampleRate) / hop);
    this.deciders = detector.labels.map((label, index) => new Decider(label, detector.rules[index], seconds, framesIn));
  }

  async push(samples) {
    this.nSamples += samples.length;
    const frames = await this.#run(samples);
    return { frames, events: this.#decide(frames) };
  }

  /** Ends the recording: silence follows it, and its last frames and events come out. */
  async close() {
    const nFrames = Math.ceil(this.nSamples / this.hop);
    const missing = nFrames - this.nOut;
    let frames = new Float32Array(0);
    if (missing > 0) {
      const wanted = Math.ceil(((nFrames + this.lookAhead) * this.hop) / this.step) * this.step;
      frames = (await this.#run(new Float32Array(wanted - this.nSamples))).subarray(0, missing * this.deciders.length);
    }
    const events = this.#decide(frames);
    const end = this.nSamples / this.detector.sampleRate;
    return { frames, events: sorted([...events, ...this.deciders.flatMap((each) => each.close(end))]) };
  }

  /** The events that have begun and are certain but for their end. */
  openEvents() {
    return sorted(this.deciders.flatMap((each) => each.open()));
  }

  #decide(frames) {
    const n = this.deciders.length;
    const events = [];
    for (let at = 0; at < frames.length; at++) this.deciders[at % n].push(frames[at], events);
    return sorted(events);
  }

  async #run(samples) {
    const audio = new Float32Array(this.waiting.length + samples.length);
    audio.set(this.waiting);
    audio.set(samples, this.waiting.length);
    const usable = audio.length - (audio.length % this.step);
    const pieces = [];
    for (let start = 0; start < usable; start += this.largest) {
      const { frames, states } = await this.detector.run(audio.slice(start, Math.min(start + this.largest, usable)), this.states);
      this.states = states;
      pieces.push(frames);
    }
    this.waiting = audio.slice(usable);
    const n = this.deciders.length;
    const ready = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
    pieces.reduce((at, piece) => (ready.set(piece, at), at + piece.length), 0);
    const skipped = Math.min(this.skip, ready.length / n); // outputs that belong to the silence before
    this.skip -= skipped;
    this.nOut += ready.length / n - skipped;
    return ready.subarray(skipped * n);
  }
}

/** The decision rule of one label, frame by frame: median, hysteresis, gaps closed, short events dropped. */
class Decider {
  constructor(label, rule, seconds, framesIn) {
    Object.assign(this, { label, rule, seconds, half: (rule.median - 1) / 2 });
    this.gap = framesIn(rule.shortest_gap);
    this.shortest = framesIn(rule.shortest_event);
    this.window = new Array(this.half).fill(0); // before the recording there is silence
    this.ordered = [...this.window];
    this.n = 0;
    this.sum = 0;
    this.active = false;
    this.pending = null;
  }

  push(probability, events) {
    this.window.push(probability);
    this.ordered.splice(place(this.ordered, probability), 0, probability);
    if (this.window.length > this.rule.median) this.ordered.splice(place(this.ordered, this.window.shift()), 1);
    if (this.window.length === this.rule.median) this.#decide(this.window[this.half], this.ordered[this.half], events);
  }

  close(end) {
    const events = [];
    for (let k = 0; k < this.half; k++) this.push(0, events);
    events.push(...this.open());
    this.pending = null;
    return events.filter(({ onset }) => onset < end).map((event) => ({ ...event, offset: Math.min(event.offset, end) }));
  }

  open() {
    return this.pending === null ? [] : this.#event(this.pending);
  }

  #decide(probability, filtered, events) {
    const before = this.sum;
    this.sum += probability;
    const frame = this.n++;
    if (filtered >= this.rule.threshold) this.active = true;
    else if (filtered < this.rule.low_threshold) this.active = false;
    if (this.active) {
      this.pending ??= { first: frame, sumFirst: before }; // one that is too long ago has been given
      Object.assign(this.pending, { last: frame + 1, sumLast: this.sum });
    } else if (this.pending !== null && this.n - this.pending.last >= this.gap) {
      events.push(...this.#event(this.pending));
      this.pending = null;
    }
  }

  #event({ first, last, sumFirst, sumLast }) {
    if (last - first < this.shortest) return [];
    const score = Math.min(1, Math.max(0, (sumLast - sumFirst) / (last - first)));
    return [{ onset: this.seconds(first), offset: this.seconds(last), label: this.label, score }];
  }
}

/** Where `value` stands, or would stand, in an ordered array. */
function place(ordered, value) {
  let [low, high] = [0, ordered.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ordered[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** By onset, then offset, then label: a stream gives events when they are certain, a long one after those within it. */
export function sorted(events) {
  return events.sort((a, b) => a.onset - b.onset || a.offset - b.offset || (a.label < b.label ? -1 : 1));
}

function roundHalfEven(value) {
  const down = Math.floor(value);
  return value - down === 0.5 ? down + (down % 2) : Math.round(value);
}
