// Runs every case with every transport and posts what came of it to the page's own server.
export async function tell(transports, cases) {
  const got = {};
  for (const [name, transport] of Object.entries(transports)) {
    for (const [label, run] of Object.entries(cases)) {
      try {
        (got[name] ??= {})[label] = await run(transport);
      } catch (error) {
        got[name][label] = `threw ${error?.stack ?? error}`;
      }
    }
  }
  await fetch("/result", { method: "POST", body: JSON.stringify(got) });
}
