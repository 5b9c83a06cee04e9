// Runs beside the page, where the sound comes in: hands over each block of the first input, averaged over its channels.
class Microphone extends AudioWorkletProcessor {
  process([channels]) {
    if (channels.length) {
      const mono = new Float32Array(channels[0].length);
      for (const channel of channels) channel.forEach((sample, at) => (mono[at] += sample / channels.length));
      this.port.postMessage(mono, [mono.buffer]);
    }
    return true;
  }
}
registerProcessor("microphone", Microphone);
