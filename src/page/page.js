// Tries a question: the decision with what spoke for it, the answer as it streams, the breakers.
// What comes from outside is only ever set as text.

const at = (id) => document.getElementById(id);

const EXAMPLES = [
  "why do I get IndexError: list index out of range in my loop?",
  "can you explain what the difference between a list and a tuple is?",
  "give me another exercise on dictionaries please",
  "what is my score in the loops module so far?",
  "haha thanks, have a nice weekend",
];
// The strongest matches are told in the table; a long message has hundreds.
const MOST_MATCHES = 12;
// Where the published development key is accepted, the page signs its own tokens, as `make token` does.
const { key: DEVELOPMENT_KEY, issuer, audience } = document.documentElement.dataset;
const DEVELOPERS = {
  student: "student_0a1b2c3d-0000-4000-8000-00000000abcd",
  admin: "staff_0a1b2c3d-0000-4000-8000-00000000beef",
};

/** An element with text and children. */
function element(name, content = [], attributes = {}) {
  const made = Object.assign(document.createElement(name), attributes);
  made.append(...[content].flat());
  return made;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// ---- who asks

/** A fault that a new token may mend. */
class NoAccess extends Error {}

const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

async function sign(role) {
  const utf8 = new TextEncoder();
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: audience, sub: DEVELOPERS[role], role, iat: now, exp: now + 600 };
  const parts = [{ alg: "HS256", typ: "JWT" }, claims];
  const signed = parts.map((part) => base64url(utf8.encode(JSON.stringify(part)))).join(".");
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", utf8.encode(DEVELOPMENT_KEY), algorithm, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", key, utf8.encode(signed));
  return `${signed}.${base64url(new Uint8Array(mac))}`;
}

const pasted = () => at("token").value.replace(/\s+/g, "").replace(/^Bearer/i, "");
// Only a page of this machine, or one over TLS, has crypto.subtle.
const signs = Boolean(DEVELOPMENT_KEY && globalThis.crypto?.subtle);

/** What a token says of itself, unverified; nothing if it is none. */
function claims(jwt) {
  try {
    return parsed(atob(jwt.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))) ?? {};
  } catch {
    return {};
  }
}

/** The token to send: the one that was pasted, or in development one made for the role. */
async function token(role) {
  const jwt = pasted();
  if (!jwt && signs) return sign(role);
  if (!jwt) throw new NoAccess("Paste an access token first.");
  if (claims(jwt).exp * 1000 < Date.now()) throw new NoAccess("The access token has expired: paste a new one.");
  return jwt;
}

/** The student a question is for: the token's own, or the one that staff names. */
function student(jwt) {
  const { role, sub } = claims(jwt);
  return role === "student" ? sub : at("student").value.trim();
}

// ---- asking

class Refusal extends Error {}

async function call(path, { role, signal, body, accept = "application/json" }) {
  const jwt = await token(role);
  const headers = { authorization: `Bearer ${jwt}`, accept };
  if (body) headers["content-type"] = "application/json";
  const request = { method: body ? "POST" : "GET", headers, signal, body: body && JSON.stringify(body(student(jwt))) };
  const response = await fetch(path, request);
  if (response.status === 401) throw new NoAccess(await told(response));
  if (!response.ok) throw new Refusal(await told(response));
  return response;
}

/** A problem document in words (RFC 9457). */
async function told(response) {
  const problem = parsed(await response.text()) ?? {};
  const lines = [`${response.status} ${problem.error ?? ""}: ${problem.detail ?? response.statusText}`];
  lines.push(...(problem.details ?? []), ...(problem.flags ?? []));
  if (problem.fallback) lines.push(`kept: ${problem.fallback}`);
  lines.push(`request ${response.headers.get("x-request-id") ?? "unknown"}`);
  return lines.join("\n");
}

function progress(student_id) {
  const simulate = at("simulate").value;
  return {
    student_id,
    exercise_id: "ex_page",
    timestamp: new Date().toISOString(),
    agent_source: "exercise",
    ...(simulate && { metadata: { simulate } }),
  };
}

/** The events of a stream as they arrive (WHATWG HTML, "Server-sent events"). */
async function* events(response) {
  const reader = response.body.getReader();
  const utf8 = new TextDecoder();
  let waiting = "";
  for (let ended = false; !ended; ) {
    const { value, done } = await reader.read();
    ended = done;
    waiting += utf8.decode(value, { stream: !done });
    // A CR may be half of a line's end.
    const held = !done && waiting.endsWith("\r") ? "\r" : "";
    const blocks = waiting.slice(0, waiting.length - held.length).replace(/\r\n?/g, "\n").split("\n\n");
    waiting = (done ? "" : blocks.pop()) + held;
    for (const block of blocks.filter((b) => b.trim())) {
      const lines = block.split("\n");
      const field = (name) =>
        lines.filter((l) => l.startsWith(`${name}:`)).map((l) => l.slice(name.length + 1).replace(/^ /, "")).join("\n");
      yield { name: field("event") || "message", data: field("data"), block };
    }
  }
}

// ---- showing

const percent = (p) => `${(100 * p).toFixed(1)} %`;

function showDecision(decision) {
  const agent = element("strong", decision.target_agent);
  const verdict = decision.abstained
    ? ["Not sure enough: abstained, so ", agent, " takes a look."]
    : [element("strong", decision.intent_type), ` with ${percent(decision.confidence)}: goes to `, agent, "."];
  at("verdict").replaceChildren(...verdict);
  const { scores, threshold } = decision.explanation;
  const rows = Object.entries(scores).sort(([, a], [, b]) => b - a);
  at("scores").replaceChildren(...rows.flatMap(([label, p]) => [
    element("dt", label),
    element("dd", [element("meter", percent(p), { value: p, ariaLabel: label }), element("span", percent(p))]),
  ]));
  const time = `classified in ${Math.round(1000 * decision.timing_ms.classification)} µs`;
  at("facts").textContent = [`threshold ${threshold}`, time, `model ${decision.model_version}`].join(" · ");
  at("decision").hidden = false;
}

/** Marks the matches in the text. Their places are bytes of UTF-8. */
function showMatches(query, matches) {
  const bytes = new TextEncoder().encode(query);
  const text = (from, to) => new TextDecoder().decode(bytes.subarray(from, to));
  const pieces = [];
  let done = 0;
  const spans = matches.filter((m) => m.weight > 0 && m.end > m.start);
  for (const { start, end } of spans.sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (end <= done) continue;
    const from = Math.max(start, done);
    pieces.push(text(done, from), element("mark", text(from, end)));
    done = end;
  }
  pieces.push(text(done, bytes.length));
  at("highlighted").replaceChildren(...pieces);
  const strongest = [...matches].sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight)).slice(0, MOST_MATCHES);
  at("matches").replaceChildren(...strongest.map((m) => element("tr", [
    element("td", m.text),
    element("td", m.weight < 0 ? `against ${m.intent}` : m.intent),
    element("td", m.weight.toFixed(2)),
  ])));
  if (!strongest.length) at("matches").append(element("tr", element("td", "Nothing was found.", { colSpan: 3 })));
  at("why").hidden = false;
}

/** What a person would read of an agent's event, as far as an agent unknown to us can be understood. */
function readable(name, data) {
  const value = parsed(data);
  if (name === "error") return `\n[${value?.detail ?? data}]`;
  if (value === undefined || typeof value === "string") return value ?? data;
  const text = value?.text ?? value?.delta ?? value?.content ?? value?.response?.text;
  return typeof text === "string" ? text : name === "answer" ? JSON.stringify(value, null, 2) : "";
}

async function showAnswer(response, signal) {
  at("answer").textContent = at("events").textContent = at("route").textContent = "";
  at("reply").hidden = false;
  let last = "";
  for await (const { name, data, block } of events(response)) {
    // What was read before the next question must not end in its answer.
    signal.throwIfAborted();
    last = name;
    at("events").append(`${block}\n\n`);
    if (name === "decision") showRoute(parsed(data));
    else if (name !== "done") at("answer").append(readable(name, data));
  }
  if (last !== "done" && last !== "error") at("answer").append("\n[The answer broke off.]");
  else if (!at("answer").textContent) at("answer").textContent = "The agent's answer has no text; see it as it came.";
}

/** Who answers in the end: a fallback agent may, and the request counts, not the explanation before it. */
function showRoute({ target_agent, metadata, degraded }) {
  const facts = [target_agent, `breaker ${metadata.circuit_breaker_status}`, `${metadata.retry_count} retries`];
  if (degraded) facts.push(`degraded: ${degraded.join(", ")}`);
  at("route").textContent = facts.join(" · ");
}

async function showBreakers() {
  const { role } = claims(pasted());
  if (role === "student" || (!pasted() && !signs)) {
    at("breakers").replaceChildren();
    at("breakers-notice").textContent = "Breakers are shown to instructors and admins.";
    return;
  }
  try {
    const { agents } = await (await call("/api/v1/agents", { role: "admin" })).json();
    at("breakers").replaceChildren(...agents.map((agent) => element("tr", [
      element("td", agent.agent),
      element("td", agent.circuit_breaker, { className: agent.circuit_breaker }),
      element("td", String(agent.failures ?? "unknown")),
      element("td", agent.retry_at ? new Date(agent.retry_at).toLocaleTimeString() : "–"),
    ])));
    at("breakers-notice").textContent = "";
  } catch (fault) {
    at("breakers").replaceChildren();
    at("breakers-notice").textContent = fault.message;
  }
}

function showFault(fault) {
  if (fault instanceof NoAccess) at("access").open = true;
  const known = fault instanceof NoAccess || fault instanceof Refusal;
  at("notice").textContent = known ? fault.message : `No answer: ${fault.message}`;
}

// ---- doing

async function ask(query, signal) {
  const role = "student";
  // As the request itself will be: what is known of the student shifts close calls.
  const body = (id) => ({ query, student_progress: progress(id) });
  const classified = await call("/api/v1/classify?explain=true", { role, signal, body });
  const decision = await classified.json();
  showDecision(decision);
  showMatches(query, decision.explanation.matches);
  await showAnswer(await call("/api/v1/triage", { role, signal, body, accept: "text/event-stream" }), signal);
}

/** The question under way; the next one ends it. */
let current = new AbortController();

at("ask").addEventListener("submit", async (event) => {
  event.preventDefault();
  current.abort();
  current = new AbortController();
  const { signal } = current;
  at("notice").textContent = "";
  for (const part of ["decision", "why", "reply"]) at(part).hidden = true;
  try {
    await ask(at("query").value, signal);
  } catch (fault) {
    if (!signal.aborted) showFault(fault);
  }
  if (!signal.aborted) await showBreakers();
});
at("query").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) at("ask").requestSubmit();
});
at("refresh").addEventListener("click", showBreakers);
at("examples").append(...EXAMPLES.map((text) => {
  const button = element("button", text, { type: "button" });
  button.addEventListener("click", () => {
    at("query").value = text;
    at("ask").requestSubmit();
  });
  return button;
}));
at("misbehaving").hidden = !DEVELOPMENT_KEY;
at("access").open = !signs;
if (DEVELOPMENT_KEY) at("student").value = DEVELOPERS.student;
try {
  at("token").value = sessionStorage.getItem("token") ?? "";
  at("token").addEventListener("change", () => sessionStorage.setItem("token", pasted()));
} catch {
  // Storage is switched off: the token lives as long as the page.
}
showBreakers();
// A gateway that serves nothing says why before anybody asks.
fetch("/ready").then(async (ready) => ready.ok || showFault(new Refusal(await told(ready))), showFault);
