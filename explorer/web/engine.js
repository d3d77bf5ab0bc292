// Who computes: workers that share one compiled module, or where none are allowed this thread, in slices.

const textOf = (id) => document.getElementById(id).textContent;

// The bytes that the page carries: base64 of what gzip made.
const unpack = async (id) => {
  const text = textOf(id).trim();
  const packed = Uint8Array.fromBase64 ? Uint8Array.fromBase64(text) : Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
};

// The glue of the compiler, which defines createAttnlaw.
const glueText = async () => new TextDecoder().decode(await unpack("glue"));

// A worker with the job that it has. It tells `events` of every end.
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
        this.finish({ answer: JSON.parse(data.answer) });
        events.free(this);
      }
    };
    this.worker.onerror = (event) => {
      event.preventDefault();
      events.lost(this, event.message || "the worker cannot start");
    };
    this.worker.postMessage({ module });
    this.events = events;
  }

  run(job) {
    this.job = job;
    this.timer = setTimeout(() => this.events.silent(this), job.limit);
    this.worker.postMessage({ id: job.id, question: JSON.stringify(job.question) });
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
    this.count = 0;
  }
  push(question, { group, urgency, limit = Queue.limit }) {
    return new Promise((resolve) => this.jobs.push({ id: ++this.count, question, group, urgency, limit, resolve }));
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

// Questions to workers. An outcome is {answer}, {dropped}, {late} or {lost: why}.
class WorkerEngine {
  constructor(module, source, count) {
    this.queue = new Queue();
    this.module = module;
    this.source = source;
    this.replaced = 0;
    this.workers = Array.from({ length: count }, () => this.start());
    this.first = new Promise((resolve, reject) => Object.assign(this, { isReady: resolve, cannotStart: reject }));
  }

  get description() {
    return `${this.workers.length} workers`;
  }

  start() {
    return new CoreWorker(this.source, this.module, {
      free: (worker) => {
        this.isReady();
        this.feed(worker);
      },
      silent: (worker) => this.replace(worker, { late: true }),
      lost: (worker, why) => (worker.ready ? this.replace(worker, { lost: why }) : this.cannotStart(new Error(why))),
    });
  }

  replace(worker, outcome) {
    worker.end();
    ++this.replaced;
    this.workers[this.workers.indexOf(worker)] = this.start();
    worker.finish(outcome);
  }

  // The first worker keeps free for what is urgent: the point itself.
  feed(worker) {
    if (!worker.ready || worker.job) return;
    const job = this.queue.take(worker === this.workers[0] ? WorkerEngine.urgent : Infinity);
    if (job) worker.run(job);
  }

  ask(question, options) {
    const outcome = this.queue.push(question, options);
    for (const worker of this.workers) this.feed(worker);
    return outcome;
  }

  drop(group) {
    this.queue.drop(group);
  }

  end() {
    for (const worker of this.workers) worker.end();
  }
}
WorkerEngine.urgent = 1;

// Questions to this thread: one after the other, with time for the page between them.
class LocalEngine {
  constructor(answer) {
    this.queue = new Queue();
    this.answer = answer;
    this.running = false;
    this.replaced = 0;
  }

  get description() {
    return "no workers are allowed here: computed in this thread";
  }

  ask(question, options) {
    const outcome = this.queue.push(question, options);
    if (!this.running) setTimeout(() => this.slice());
    this.running = true;
    return outcome;
  }

  slice() {
    const job = this.queue.take();
    this.running = job !== null;
    if (!job) return;
    job.resolve({ answer: JSON.parse(this.answer(JSON.stringify(job.question))) });
    setTimeout(() => this.slice());
  }

  drop(group) {
    this.queue.drop(group);
  }

  end() {}
}

const localEngine = async (module) => {
  const script = document.createElement("script");
  script.textContent = `${await glueText()}\nwindow.createAttnlaw = createAttnlaw;`;
  document.head.append(script);
  return new LocalEngine(await startCore(module));
};

// Workers where they are allowed, else this thread. `workers`: how many; 0: none are wanted.
const startEngine = async (workers) => {
  const module = await WebAssembly.compile(await unpack("wasm"));
  if (workers > 0) {
    let engine;
    try {
      const source = URL.createObjectURL(new Blob([await glueText(), "\n", textOf("worker")], { type: "text/javascript" }));
      engine = new WorkerEngine(module, source, workers);
      // A policy that forbids workers may say so by silence.
      const silence = new Promise((_, reject) => setTimeout(() => reject(new Error("no worker answered")), 3000));
      await Promise.race([engine.first, silence]);
      return engine;
    } catch (error) {
      engine?.end();
      console.info(`attnlaw computes without workers: ${error.message}`);
    }
  }
  return localEngine(module);
};
