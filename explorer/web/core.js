// Starts the compiled library: a function that answers a question, both as text. The glue of the compiler, which defines
// createAttnlaw, has run before. The compiled module is handed over, as a page without an origin may not fetch one.
const startCore = (module) =>
  new Promise((resolve, reject) => {
    const options = {
      instantiateWasm: (imports, done) => {
        WebAssembly.instantiate(module, imports).then((instance) => done(instance, module), reject);
        return {};
      },
      // What the library cannot go on from: the worker is replaced.
      onAbort: (what) => reject(new Error(`the computation ended: ${what}`)),
    };
    createAttnlaw(options).then((core) => resolve(core.cwrap("attnlaw_answer", "string", ["string"])), reject);
  });

// The answers to a list of questions, as one text.
const answerAll = (answer, questions) => `[${questions.map((question) => answer(JSON.stringify(question))).join()}]`;
