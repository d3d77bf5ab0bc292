// Runs in a worker, behind the glue and core.js: takes the compiled module first, then lists of questions, and answers each list at once.
{
  let answer;
  onmessage = async ({ data }) => {
    try {
      if (data.module) {
        answer = await startCore(data.module);
        postMessage({ ready: true });
      } else {
        postMessage({ answers: answerAll(answer, data.questions) });
      }
    } catch (error) {
      postMessage({ failed: String(error) });
    }
  };
}
