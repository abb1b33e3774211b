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
const ISSUER = { iss: "learnflow-auth", aud: "learnflow-api" };
// With the published development key the page signs its own tokens, as `make token` does.
const DEVELOPMENT_KEY = document.documentElement.dataset.key;
const STAFF = "staff_0a1b2c3d-0000-4000-8000-00000000beef";

/** An element with text and children. */
function element(name, content = [], attributes = {}) {
  const made = Object.assign(document.createElement(name), attributes);
  made.append(...[content].flat());
  return made;
}

// ---- who asks

const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

async function sign(sub, role) {
  const text = new TextEncoder();
  const now = Math.floor(Date.now() / 1000);
  const header = { alg: "HS256", typ: "JWT", kid: "development" };
  const claims = { ...ISSUER, sub, role, iat: now, exp: now + 600 };
  const signed = [header, claims].map((part) => base64url(text.encode(JSON.stringify(part)))).join(".");
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", text.encode(DEVELOPMENT_KEY), algorithm, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", key, text.encode(signed));
  return `${signed}.${base64url(new Uint8Array(mac))}`;
}

/** The token to send: the one that was pasted, or in development one made for the role. */
async function token(role) {
  const pasted = at("token").value.trim();
  if (pasted) return pasted;
  // A page that is not from this machine or over TLS has no crypto.subtle.
  if (!DEVELOPMENT_KEY || !crypto.subtle) throw new Error("Paste an access token first.");
  return sign(role === "student" ? at("student").value : STAFF, role);
}

/** The student the question is for: the token's own, unless staff asks. */
function student(jwt) {
  try {
    const claims = JSON.parse(atob(jwt.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
    if (claims.role === "student") return claims.sub;
  } catch {
    // Not a JWT: the gateway says so better than we could.
  }
  return at("student").value;
}

// ---- asking

class Refusal extends Error {}

async function call(path, { role, body, accept = "application/json" }) {
  const jwt = await token(role);
  const headers = { authorization: `Bearer ${jwt}`, accept };
  if (body) headers["content-type"] = "application/json";
  const sent = body?.(student(jwt));
  const response = await fetch(path, { method: sent ? "POST" : "GET", headers, body: sent && JSON.stringify(sent) });
  if (!response.ok) throw new Refusal(await told(response));
  return response;
}

/** A problem document in words (RFC 9457). */
async function told(response) {
  const problem = await response.json().catch(() => ({}));
  const wait = problem.retry_after ? `Try again in ${problem.retry_after} s.` : "";
  const lines = [`${response.status} ${problem.error ?? ""}: ${problem.detail ?? response.statusText}`];
  lines.push(...(problem.details ?? []), wait, `request ${response.headers.get("x-request-id") ?? "unknown"}`);
  return lines.filter(Boolean).join("\n");
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

/** The events of a stream as they arrive. */
async function* events(response) {
  const reader = response.body.getReader();
  const text = new TextDecoder();
  let waiting = "";
  for (;;) {
    const { value, done } = await reader.read();
    waiting += text.decode(value, { stream: !done }).replaceAll("\r\n", "\n");
    const blocks = waiting.split("\n\n");
    waiting = done ? "" : blocks.pop();
    for (const block of blocks.filter(Boolean)) {
      const field = (name) =>
        block.split("\n").filter((l) => l.startsWith(`${name}:`)).map((l) => l.slice(name.length + 1).trimStart()).join("\n");
      yield { name: field("event") || "message", data: field("data"), block };
    }
    if (done) return;
  }
}

// ---- showing

const percent = (p) => `${(100 * p).toFixed(1)} %`;

function showDecision(decision) {
  const verdict = decision.abstained
    ? ["Not sure enough: abstained, so ", element("strong", decision.target_agent), " takes a look."]
    : [element("strong", decision.intent_type), ` with ${percent(decision.confidence)}: goes to `, element("strong", decision.target_agent), "."];
  at("verdict").replaceChildren(...verdict);
  const scores = Object.entries(decision.explanation.scores).sort(([, a], [, b]) => b - a);
  at("scores").replaceChildren(...scores.flatMap(([label, p]) => [
    element("dt", label),
    element("dd", [element("meter", percent(p), { value: p, ariaLabel: label }), element("span", percent(p))]),
  ]));
  const facts = [
    `threshold ${decision.explanation.threshold}`,
    `classified in ${Math.round(1000 * decision.timing_ms.classification)} µs`,
    `model ${decision.model_version}`,
    ...(decision.degraded ? [`degraded: ${decision.degraded.join(", ")}`] : []),
  ];
  at("facts").textContent = facts.join(" · ");
  at("decision").hidden = false;
}

/** Marks the matches in the text. Their places are bytes of UTF-8. */
function showMatches(query, { matches, scores }) {
  const [best] = Object.entries(scores).sort(([, a], [, b]) => b - a)[0];
  const bytes = new TextEncoder().encode(query);
  const text = (from, to) => new TextDecoder().decode(bytes.subarray(from, to));
  const pieces = [];
  let done = 0;
  const spans = matches.filter((m) => m.weight > 0).sort((a, b) => a.start - b.start || b.end - a.end);
  for (const { start, end } of spans.filter((m) => m.end > m.start)) {
    if (end <= done) continue;
    const from = Math.max(start, done);
    if (from > done) pieces.push(text(done, from));
    pieces.push(element("mark", text(from, end)));
    done = end;
  }
  pieces.push(text(done, bytes.length));
  at("highlighted").replaceChildren(...pieces);
  const strongest = [...matches].sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight)).slice(0, MOST_MATCHES);
  at("matches").replaceChildren(...strongest.map((m) => element("tr", [
    element("td", m.text),
    element("td", m.weight < 0 ? `against ${m.intent}` : m.intent),
    element("td", m.weight.toFixed(2), { className: "number" }),
  ])));
  if (!strongest.length) at("matches").append(element("tr", element("td", `Nothing was found; ${best} by default.`, { colSpan: 3 })));
  at("why").hidden = false;
}

/** What a person would read of an agent's event, whatever agent it is. */
function readable(name, data) {
  if (name === "decision" || name === "done") return "";
  let value = data;
  try {
    value = JSON.parse(data);
  } catch {
    return data;
  }
  if (name === "error") return `\n[${value.detail ?? data}]`;
  if (typeof value !== "object" || value === null) return String(value);
  return value.text ?? value.delta ?? value.response?.text ?? (name === "answer" ? JSON.stringify(value, null, 2) : "");
}

async function showAnswer(response) {
  at("answer").textContent = at("events").textContent = "";
  at("reply").hidden = false;
  for await (const { name, data, block } of events(response)) {
    at("answer").append(readable(name, data));
    at("events").append(`${block}\n\n`);
  }
}

async function showBreakers() {
  try {
    const { agents } = await (await call("/api/v1/agents", { role: "admin" })).json();
    at("breakers").replaceChildren(...agents.map((agent) => element("tr", [
      element("td", agent.agent),
      element("td", agent.circuit_breaker, { className: agent.circuit_breaker }),
      element("td", String(agent.failures ?? "unknown"), { className: "number" }),
      element("td", agent.retry_at ? new Date(agent.retry_at).toLocaleTimeString() : "–"),
    ])));
    at("breakers-notice").textContent = "";
  } catch (fault) {
    at("breakers").replaceChildren();
    at("breakers-notice").textContent = `${fault.message}\nBreakers are shown to instructors and admins.`;
  }
}

// ---- doing

async function ask() {
  const query = at("query").value;
  at("notice").textContent = "";
  for (const part of ["decision", "why", "reply"]) at(part).hidden = true;
  const classified = await call("/api/v1/classify?explain=true", { role: "student", body: () => ({ query }) });
  const decision = await classified.json();
  showDecision(decision);
  showMatches(query, decision.explanation);
  const body = (id) => ({ query, student_progress: progress(id) });
  await showAnswer(await call("/api/v1/triage", { role: "student", body, accept: "text/event-stream" }));
}

at("ask").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.submitter ?? at("ask").querySelector("button:not([type])");
  button.disabled = true;
  try {
    await ask();
  } catch (fault) {
    at("notice").textContent = fault instanceof Refusal ? fault.message : `No answer: ${fault.message}`;
  } finally {
    button.disabled = false;
    await showBreakers();
  }
});
at("query").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) at("ask").requestSubmit();
});
at("refresh").addEventListener("click", showBreakers);
at("token").addEventListener("change", () => sessionStorage.setItem("token", at("token").value));
at("examples").append(...EXAMPLES.map((text) => {
  const button = element("button", text, { type: "button" });
  button.addEventListener("click", () => {
    at("query").value = text;
    at("ask").requestSubmit();
  });
  return button;
}));
at("token").value = sessionStorage.getItem("token") ?? "";
at("misbehaving").hidden = !DEVELOPMENT_KEY;
at("access").open = !DEVELOPMENT_KEY;
if (DEVELOPMENT_KEY || at("token").value) showBreakers();
