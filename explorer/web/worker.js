// Runs in a worker, behind the glue and core.js: takes the compiled module first, then questions, and answers each.
{
  let answer;
  onmessage = async ({ data }) => {
    try {
      if (data.module) {
        answer = await startCore(data.module);
        postMessage({ ready: true });
      } else {
        postMessage({ id: data.id, answer: answer(data.question) });
      }
    } catch (error) {
      postMessage({ failed: String(error) });
    }
  };
}
