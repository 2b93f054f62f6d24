// Everything goes through the gate that served this page.

export const services = [
  { name: "gate", health: "/gate/health" },
  { name: "console", health: "/api/v1/health" },
  { name: "orch", health: "/orchestrator/health" },
  { name: "probe", health: "/probe/health" },
  { name: "snap", health: "/snap/health" },
];

const timeout = 5000; // milliseconds

// askHealth never throws: a service that does not answer is an answer too.
export async function askHealth({ name, health }) {
  try {
    const response = await fetch(health, { signal: AbortSignal.timeout(timeout) });
    const report = await response.json();
    return { name, status: report.status ?? "down", version: report.version, uptime: report.uptime_seconds };
  } catch {
    return { name, status: "down" };
  }
}

export async function listNotes() {
  return answer(await fetch("/api/v1/notes", { signal: AbortSignal.timeout(timeout) }));
}

export async function addNote(text, token) {
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  return answer(
    await fetch("/api/v1/notes", {
      method: "POST",
      headers,
      body: JSON.stringify({ text }),
      signal: AbortSignal.timeout(timeout),
    }),
  );
}

// answer returns the body, or throws an error with the service's own words and the status.
async function answer(response) {
  const body = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw Object.assign(new Error(body.error ?? `the gate answered ${response.status}`), { status: response.status });
  }
  return body;
}
