// The page: files and the microphone in, a timeline and a list of events out.
// ?model=URL the detector, ?audio=URL a recording to hear at once, ?ort=URL/ a copy of onnxruntime-web's dist/ folder.

import { Detector, sorted } from "./detector.js";
import { Timeline, clock } from "./timeline.js";

const ORT_VERSION = "1.30.0"; // examples/browser/README.md says how to use a copy of your own
const ORT = `https://cdn.jsdelivr.net/npm/onnxruntime-web@${ORT_VERSION}/dist/`;
const MODEL = "../../hubbub/detectors/small.onnx";
const LIVE_SECONDS = 60; // are shown
const LIVE_EVENTS = 200; // are listed

const asked = new URLSearchParams(location.search);
const at = (id) => document.getElementById(id);
const timeline = new Timeline(at("timeline"));
let detector = null;
let ort = null;
let turn = 0; // what was begun last; whatever was begun before it stops
let microphone = null;
let listed = [];

/** Where it is: loading, ready, hearing, listening, done or wrong; for those who look from outside. */
function state(name, text) {
  document.documentElement.dataset.state = name;
  at("status").textContent = text;
  at("status").classList.toggle("wrong", name === "wrong");
  at("choose").disabled = at("listen").disabled = detector === null;
  if (name !== "hearing") at("progress").hidden = true;
}

function wrong(error) {
  console.error(error);
  state("wrong", String(error.message ?? error));
}

async function fetched(url) {
  const answer = await fetch(url, { cache: "no-cache" }).catch(() => null);
  if (!answer?.ok) throw new Error(`${url}: cannot be loaded${answer ? ` (${answer.status})` : ""}`);
  return new Uint8Array(await answer.arrayBuffer());
}

async function open(bytes, name) {
  await stopListening();
  turn++;
  state("loading", `Opening ${name} …`);
  if (ort === null) {
    const base = new URL(asked.get("ort") ?? ORT, location.href).href;
    const module = await import(`${base}ort.wasm.min.mjs`).catch(() => {
      throw new Error(`onnxruntime-web cannot be loaded from ${base}; ?ort=URL/ names another place`);
    });
    module.env.wasm.numThreads = 1; // more would ask the server for headers of its own
    module.env.wasm.wasmPaths = base;
    ort = module;
  }
  detector = await Detector.open(bytes, ort);
  timeline.show(detector);
  for (const id of ["result", "found"]) at(id).hidden = true;
  at("detector").textContent = `${name}: hears ${detector.labels.join(", ")}, at ${detector.sampleRate} Hz.`;
  state("ready", "Ready.");
}

/** Mono samples at the detector's rate: decoded and resampled by the browser, channels averaged. */
async function decoded(bytes) {
  const context = new OfflineAudioContext(1, 1, detector.sampleRate);
  const sound = await context.decodeAudioData(bytes.slice().buffer).catch(() => {
    throw new Error("this browser cannot decode that file; wanted a recording such as WAV, FLAC, MP3, Ogg or M4A");
  });
  const mono = new Float32Array(sound.length);
  for (let channel = 0; channel < sound.numberOfChannels; channel++) {
    sound.getChannelData(channel).forEach((sample, index) => (mono[index] += sample / sound.numberOfChannels));
  }
  return mono;
}

/** Hears a whole recording, and shows it as it goes. */
async function hear(bytes, name, type) {
  if (detector === null) throw new Error("there is no detector yet; choose one first");
  await stopListening();
  const mine = ++turn;
  state("hearing", `Decoding ${name} …`);
  const samples = await decoded(bytes);
  const duration = samples.length / detector.sampleRate;
  begin(name);
  timeline.to = Math.max(duration, detector.framePeriod);
  const player = at("player");
  URL.revokeObjectURL(player.src);
  player.src = URL.createObjectURL(new Blob([bytes], { type }));
  player.hidden = false;
  Object.assign(at("progress"), { hidden: false, value: 0 });
  state("hearing", `Hearing ${name} …`);
  const began = performance.now();
  const stream = await detector.stream();
  const block = 5 * detector.sampleRate;
  const events = [];
  for (let from = 0; from < samples.length && mine === turn; from += block) {
    take(await stream.push(samples.subarray(from, from + block)), events);
    at("progress").value = from / samples.length;
    await new Promise((go) => setTimeout(go)); // lets the page be drawn
  }
  if (mine !== turn) return;
  take(await stream.close(), events);
  const took = (performance.now() - began) / 1000;
  list(sorted(events), []);
  timeline.draw();
  state("done", `${clock(duration, 1)} of audio heard in ${took.toFixed(1)} s, ${Math.round(duration / took)} times faster than real time.`);
  return { events, frames: timeline.rows };
}

function begin(name) {
  timeline.clear();
  at("title").textContent = name;
  for (const id of ["result", "found"]) at(id).hidden = false;
  at("player").pause();
  at("player").hidden = true;
  list([], []);
}

function take(found, events, keep) {
  timeline.add(found.frames, keep);
  events.push(...found.events);
  timeline.events = events;
  timeline.draw();
}

/** The microphone, until it is stopped. */
async function listen() {
  const mine = ++turn;
  const rate = detector.sampleRate;
  state("listening", "Waiting for the microphone …");
  at("listen").disabled = true;
  const sound = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const input = await navigator.mediaDevices.getUserMedia({ audio: sound }).catch((error) => {
    throw new Error(`the microphone cannot be used (${error.message})`);
  });
  if (mine !== turn) {
    input.getTracks().forEach((track) => track.stop());
    return;
  }
  const context = new AudioContext({ sampleRate: rate });
  microphone = { input, context, finish: async () => {} };
  let source;
  try {
    source = context.createMediaStreamSource(input);
  } catch (error) {
    await stopListening();
    throw new Error(`this browser cannot resample a microphone to ${rate} Hz; Chromium and Safari can (${error.message})`);
  }
  await context.audioWorklet.addModule(new URL("microphone.js", import.meta.url));
  const worklet = new AudioWorkletNode(context, "microphone", { numberOfOutputs: 0 });
  begin("Microphone");
  at("listen").textContent = "Stop";
  at("listen").classList.add("live");
  state("listening", "Listening …");
  const stream = await detector.stream();
  const events = [];
  let waiting = [];
  let running = null;
  const hearAll = async () => {
    const n = waiting.reduce((sum, block) => sum + block.length, 0);
    const samples = new Float32Array(n);
    waiting.reduce((where, block) => (samples.set(block, where), where + block.length), 0);
    waiting = [];
    take(await stream.push(samples), events, 2 * LIVE_SECONDS);
    events.splice(0, events.length - LIVE_EVENTS);
    timeline.open = stream.openEvents();
    const now = stream.nSamples / rate;
    Object.assign(timeline, { from: Math.max(0, now - LIVE_SECONDS), to: Math.max(LIVE_SECONDS, now) });
    list(events, timeline.open);
  };
  worklet.port.onmessage = ({ data }) => {
    waiting.push(data);
    if (running !== null || mine !== turn || waiting.length * data.length < rate / 10) return;
    running = hearAll().catch(wrong).finally(() => (running = null));
  };
  microphone.finish = async () => {
    await running;
    take(await stream.close(), events);
    timeline.open = [];
    list(events, []);
  };
  source.connect(worklet);
}

async function stopListening() {
  if (microphone === null) return;
  const { input, context, finish } = microphone;
  microphone = null;
  turn++;
  input.getTracks().forEach((track) => track.stop());
  await context.close();
  await finish();
  at("listen").textContent = "Microphone";
  at("listen").classList.remove("live");
  state("done", "Stopped.");
}

function list(events, open) {
  const all = [...events.map((event) => [event, false]), ...open.map((event) => [event, true])];
  at("count").textContent = `${events.length} event${events.length === 1 ? "" : "s"}`;
  at("events").replaceChildren(
    ...(microphone === null ? all : all.reverse()).map(([event, goesOn]) => {
      const row = document.createElement("tr");
      const meter = Object.assign(document.createElement("meter"), { value: event.score });
      for (const [text, kind] of [[clock(event.onset, 2), "number"], [goesOn ? "goes on" : clock(event.offset, 2), "number"], [event.label, ""]]) {
        row.append(Object.assign(document.createElement("td"), { textContent: text, className: kind }));
      }
      const score = document.createElement("td");
      score.append(meter, event.score.toFixed(2));
      row.append(score);
      row.classList.toggle("open", goesOn);
      if (!at("player").hidden) {
        row.classList.add("playable");
        row.onclick = () => play(event.onset);
      }
      return row;
    }),
  );
  at("save").hidden = at("table").hidden = all.length === 0;
  listed = events;
}

/** The link's table, made when it is asked for. */
at("save").onclick = () => {
  const lines = listed.map((event) => [event.onset.toFixed(6), event.offset.toFixed(6), event.label, event.score.toFixed(6)].join("\t"));
  const table = ["onset\toffset\tevent_label\tscore", ...lines, ""].join("\n");
  URL.revokeObjectURL(at("save").href);
  at("save").href = URL.createObjectURL(new Blob([table], { type: "text/tab-separated-values" }));
};

function play(seconds) {
  at("player").currentTime = seconds;
  at("player").play().catch(() => {}); // where it cannot be played, it is seen all the same
}

async function given(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (file.name.endsWith(".onnx")) await open(bytes, file.name);
  else await hear(bytes, file.name, file.type);
}

for (const [button, input] of [["choose", "audio-file"], ["other", "model-file"]]) {
  at(button).onclick = () => at(input).click();
  at(input).onchange = ({ target }) => {
    const [file] = target.files;
    target.value = "";
    if (file) given(file).catch(wrong);
  };
}
at("listen").onclick = () => (microphone === null ? listen() : stopListening()).catch(wrong);
addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("over");
});
addEventListener("dragleave", () => document.body.classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("over");
  const [file] = event.dataTransfer.files;
  if (file) given(file).catch(wrong);
});

const canvas = at("timeline");
canvas.onpointermove = ({ offsetX }) => {
  timeline.pointer = offsetX;
  const seconds = timeline.seconds(offsetX);
  const frame = Math.floor(seconds / timeline.framePeriod) - timeline.firstFrame;
  const there = timeline.rows.map((row, index) => [row[frame], timeline.labels[index]]).filter(([value]) => value !== undefined);
  const [value, label] = there.sort((a, b) => b[0] - a[0])[0] ?? [];
  at("under").textContent = label === undefined ? "" : `${clock(seconds, 2)}  ${label} ${value.toFixed(2)}`;
  timeline.draw();
};
canvas.onpointerleave = () => {
  timeline.pointer = null;
  at("under").textContent = "";
  timeline.draw();
};
canvas.onclick = ({ offsetX }) => {
  if (!at("player").hidden && timeline.seconds(offsetX) >= 0) play(timeline.seconds(offsetX));
};
at("player").ontimeupdate = () => {
  timeline.played = at("player").currentTime;
  timeline.draw();
};
matchMedia("(prefers-color-scheme: dark)").onchange = () => timeline.draw();

async function start() {
  state("loading", "Loading the detector …");
  const model = asked.get("model") ?? MODEL;
  await open(await fetched(model), model.split("/").at(-1));
  const audio = asked.get("audio");
  if (audio !== null) window.heard = await hear(await fetched(audio), decodeURIComponent(audio.split("/").at(-1)), "");
}
start().catch(wrong);
