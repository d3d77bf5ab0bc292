// Who computes: workers that share one compiled module, or where none are allowed this thread, in slices.

const textOf = (id) => document.getElementById(id).textContent;

// The compiled library that the page carries: gzip, of which every 13 bits are two characters of an alphabet (bundle.mjs).
const unpackModule = () => {
  const { textContent, dataset } = document.getElementById("wasm");
  const text = new TextEncoder().encode(textContent), size = dataset.alphabet.length, low = new Uint16Array(128), high = new Uint16Array(128);
  [...dataset.alphabet].forEach((character, i) => {
    low[character.charCodeAt(0)] = i;
    high[character.charCodeAt(0)] = i * size;
  });
  const packed = new Uint8Array(Number(dataset.bytes));
  for (let i = 0, at = 0, bits = 0, count = 0; i < text.length; i += 2) {
    bits |= (low[text[i]] + high[text[i + 1]]) << count;
    for (count += 13; count >= 8; count -= 8, bits >>= 8) packed[at++] = bits;
  }
  const bytes = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return WebAssembly.compileStreaming(new Response(bytes, { headers: { "Content-Type": "application/wasm" } }));
};

// The outcome of a job: `answer` is that of its first question.
const outcomeOf = (text) => {
  const answers = JSON.parse(text);
  return { answer: answers[0], answers };
};

// A worker with the job that it has; `module` may still be compiled while it starts. It tells `events` of every end.
class CoreWorker {
  constructor(source, module, events) {
    this.job = null;
    this.ready = false;
    this.worker = new Worker(source);
    this.worker.onmessage = ({ data }) => {
      if (data.ready) {
        this.ready = true;
        events.free(this);
      } else if (data.failed !== undefined) {
        events.lost(this, data.failed);
      } else {
        this.finish(outcomeOf(data.answers));
        events.free(this);
      }
    };
    this.worker.onerror = (event) => {
      event.preventDefault();
      events.lost(this, event.message || "the worker cannot start");
    };
    module.then((compiled) => this.worker.postMessage({ module: compiled })).catch((error) => events.lost(this, error.message));
    this.events = events;
  }

  run(job) {
    this.job = job;
    this.timer = setTimeout(() => this.events.silent(this), job.limit);
    this.worker.postMessage({ questions: job.questions });
  }

  finish(outcome) {
    clearTimeout(this.timer);
    const job = this.job;
    this.job = null;
    job?.resolve(outcome);
  }

  end() {
    this.worker.terminate();
  }
}

// Jobs wait here; the most urgent one (the least number, then the oldest) is taken first.
class Queue {
  constructor() {
    this.jobs = [];
  }
  // A question, or a list of those that are quick and go together: a message costs as much as a closed form.
  push(asked, { group, urgency, limit = Queue.limit }) {
    return new Promise((resolve) => this.jobs.push({ questions: [asked].flat(), group, urgency, limit, resolve }));
  }
  // The most urgent job of those that are no less urgent than `least`.
  take(least = Infinity) {
    let best = -1;
    this.jobs.forEach((job, i) => {
      if (job.urgency <= least && (best < 0 || job.urgency < this.jobs[best].urgency)) best = i;
    });
    return best < 0 ? null : this.jobs.splice(best, 1)[0];
  }
  // Nobody waits for the jobs of a group any longer.
  drop(group) {
    const dropped = this.jobs.filter((job) => job.group === group);
    this.jobs = this.jobs.filter((job) => job.group !== group);
    for (const job of dropped) job.resolve({ dropped: true });
  }
}
// Milliseconds after which a worker counts as lost in a hard problem.
Queue.limit = 2000;

// Questions to workers, which may be asked before they have started. An outcome is {answer, answers}, {dropped}, {late} or
// {lost: why}. `change` is called with a description when somebody computes, and where the workers go. `working` fails where nobody can.
class WorkerEngine {
  constructor(module, source, count, change) {
    this.queue = new Queue();
    this.module = module;
    this.source = source;
    this.change = change;
    this.replaced = 0;
    this.local = null;
    this.working = new Promise((resolve, reject) => Object.assign(this, { isWorking: resolve, cannotWork: reject }));
    this.workers = Array.from({ length: count }, () => this.start());
    // A policy that forbids workers may say so by silence.
    module.then(() => setTimeout(() => this.started || this.goLocal("no worker answered"), WorkerEngine.patience), () => {});
  }

  get description() {
    return this.local?.description ?? `${this.workers.length} worker${this.workers.length === 1 ? "" : "s"}`;
  }

  start(again = false) {
    const worker = new CoreWorker(this.source, this.module, {
      free: (free) => {
        if (!this.started) this.change(this.description);
        this.started = true;
        this.isWorking();
        this.feed(free);
      },
      silent: (silent) => this.replace(silent, { late: true }),
      lost: (lost, why) => (lost.ready ? this.replace(lost, { lost: why }) : this.dead(lost, why)),
    });
    worker.again = again;
    return worker;
  }

  replace(worker, outcome) {
    worker.end();
    ++this.replaced;
    this.workers[this.workers.indexOf(worker)] = this.start();
    worker.finish(outcome);
  }

  // A worker that does not start is tried once more. Without any the page computes in its own thread.
  async dead(worker, why) {
    const place = this.workers.indexOf(worker);
    if (place < 0) return;
    worker.end();
    if (!worker.again) {
      this.workers[place] = this.start(true);
      return;
    }
    this.workers.splice(place, 1);
    if (this.workers.length === 0) await this.goLocal(why);
    else if (this.started) this.change(this.description);
  }

  async goLocal(why) {
    if (this.local) return;
    for (const worker of this.workers.splice(0)) worker.end();
    try {
      this.local = await localEngine(await this.module, this.queue);
      console.info(`attnlaw computes without workers: ${why}`);
      this.local.wake();
      this.isWorking();
      this.change(this.description);
    } catch (error) {
      this.cannotWork(error);
    }
  }

  // The first worker keeps free for what is urgent, the point itself, as long as there is another.
  feed(worker) {
    if (!worker.ready || worker.job) return;
    const job = this.queue.take(worker === this.workers[0] && this.workers.length > 1 ? WorkerEngine.urgent : Infinity);
    if (job) worker.run(job);
  }

  ask(question, options) {
    const outcome = this.queue.push(question, options);
    for (const worker of this.workers) this.feed(worker);
    this.local?.wake();
    return outcome;
  }

  drop(group) {
    this.queue.drop(group);
  }
}
WorkerEngine.urgent = 1;
WorkerEngine.patience = 3000;

// Questions to this thread: one after the other, with time for the page between them. `make` starts the library.
class LocalEngine {
  constructor(make, answer, queue = new Queue()) {
    Object.assign(this, { make, answer, queue });
    this.running = false;
    this.replaced = 0;
  }

  get description() {
    return "no workers are allowed here: computed in this thread";
  }

  ask(question, options) {
    const outcome = this.queue.push(question, options);
    this.wake();
    return outcome;
  }

  wake() {
    if (!this.running) setTimeout(() => this.slice());
    this.running = true;
  }

  async slice() {
    const job = this.queue.take();
    this.running = job !== null;
    if (!job) return;
    // Nobody can end this thread: the answer says what accuracy it has reached in its time.
    const limited = (question) => (question.ask === "solve" ? { ...question, time_limit: LocalEngine.seconds } : question);
    try {
      job.resolve(outcomeOf(answerAll(this.answer, job.questions.map(limited))));
    } catch (error) {
      job.resolve({ lost: String(error) });
      ++this.replaced;
      this.answer = await this.make();
    }
    setTimeout(() => this.slice());
  }

  drop(group) {
    this.queue.drop(group);
  }
}
LocalEngine.seconds = 1;

const localEngine = async (module, queue) => {
  const script = document.createElement("script");
  script.textContent = `${textOf("glue")}\nwindow.createAttnlaw = createAttnlaw;`;
  document.head.append(script);
  const make = () => startCore(module);
  return new LocalEngine(make, await make(), queue);
};

const workerRange = [2, 8];

// Workers where they are allowed, else this thread. `wanted`: how many; 0: none. `change` is told who computes.
// Workers start beside the decoding of the library; the page goes on where it is compiled.
const startEngine = async (wanted, change) => {
  let start, engine;
  const module = new Promise((resolve) => (start = () => resolve(unpackModule())));
  if (wanted !== 0) {
    const count = Math.min(Math.max(Math.round(wanted) || 0, workerRange[0]), workerRange[1]);
    try {
      const source = URL.createObjectURL(new Blob([textOf("glue"), "\n", textOf("worker")], { type: "text/javascript" }));
      engine = new WorkerEngine(module, source, count, change);
    } catch (error) {
      console.info(`attnlaw computes without workers: ${error.message}`);
    }
  }
  start();
  const compiled = await module;
  if (engine) return engine;
  engine = await localEngine(compiled);
  change(engine.description);
  return engine;
};
