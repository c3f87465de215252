// Fetches /status and shows it. Text only: nothing that was fetched becomes markup.
"use strict";

const EVERY_MS = 2000;
const element = (id) => document.getElementById(id);
const number = (value) => value.toLocaleString("en");
const rate = (value) => (value === null ? "–" : value < 10 ? value.toFixed(1) : number(Math.round(value)));
// Swedish writes dates as ISO 8601 does, in the reader's own time zone.
const date = (text) => new Date(text).toLocaleString("sv");
const time = (text) => new Date(text).toLocaleTimeString("sv");
let previous = null;

function cell(text, kind) {
  const td = document.createElement("td");
  td.textContent = text;
  if (kind) td.className = kind;
  return td;
}

function fill(id, rows, empty, columns) {
  const lines = rows.map((cells) => {
    const tr = document.createElement("tr");
    tr.append(...cells);
    return tr;
  });
  if (lines.length === 0) {
    const td = cell(empty, "soft");
    td.colSpan = columns;
    const tr = document.createElement("tr");
    tr.append(td);
    lines.push(tr);
  }
  element(id).replaceChildren(...lines);
}

function bad(count) {
  return count > 0 ? "n bad" : "n";
}

// Requests per second since the last look; the counters begin anew when the program does.
function perSecond(now, before, seconds) {
  return before === undefined || seconds <= 0 || now < before ? null : (now - before) / seconds;
}

function showTraffic(status, seconds) {
  const { requests, refused, failed } = status.traffic;
  element("rate").textContent = rate(perSecond(requests, previous?.status.traffic.requests, seconds));
  element("requests").textContent = number(requests);
  element("refused").textContent = number(refused);
  element("failed").textContent = number(failed);
  element("failed").className = failed > 0 ? "bad" : "";
  const bound = (ms) => (ms === null ? "–" : ms < 1000 ? `${ms}` : `${ms / 1000}k`);
  const { p50, p95, p99 } = status.latency_ms;
  element("latency").textContent = `${bound(p50)} / ${bound(p95)} / ${bound(p99)} ms`;
  element("connections").textContent = number(status.connections);
  // Sessions that browsers keep in their cookies are not counted by anyone.
  element("sessions").textContent = status.sessions === null ? "–" : number(status.sessions);
  element("logins").textContent = `${number(status.logins.succeeded)} / ${number(status.logins.refused)}`;
  const { hits, misses } = status.token_cache;
  element("cache").textContent = hits + misses === 0 ? "–" : `${Math.floor((100 * hits) / (hits + misses))} %`;
}

function showTenants(tenants, seconds) {
  const before = new Map((previous?.status.tenants ?? []).map((it) => [it.tenant, it.requests]));
  const rows = tenants.slice(0, 50).map((it) => [
    it.tenant === "" ? cell("no tenant", "soft") : cell(it.tenant),
    cell(rate(perSecond(it.requests, before.get(it.tenant), seconds)), "n"),
    cell(number(it.requests), "n"),
    cell(number(it.refused), "n"),
    cell(number(it.failed), bad(it.failed)),
  ]);
  fill("tenants", rows, "no request yet", 5);
}

function showIssuers(issuers) {
  const rows = issuers.map((it) => [
    cell(it.issuer, "code"),
    cell(number(it.tenants), "n"),
    cell(number(it.keys), "n"),
    cell(it.fetched ? date(it.fetched) : "never", "w"),
    cell(it.problem ?? "healthy", it.problem ? "bad" : "good"),
  ]);
  fill("issuers", rows, "none was asked for its keys", 5);
}

function showDenials(denials) {
  const rows = denials.map((it) => [
    cell(time(it.time), "w"),
    cell(it.tenant ?? "–", "w"),
    cell(`${it.method} ${it.path}`, "code"),
    cell(it.status, "n"),
    cell(it.code, "code w"),
    cell(it.reason),
    cell(it.id, "code w"),
  ]);
  fill("denials", rows, "nobody was refused", 7);
}

function problemLine(problem) {
  const li = document.createElement("li");
  const place = document.createElement("code");
  place.textContent = `${problem.file ?? ""}:${problem.line ?? ""}:${problem.column ?? ""} `;
  const hint = problem.hint ? ` (${problem.hint})` : "";
  li.append(place, `${problem.severity ?? ""}: ${problem.message ?? ""}${hint}`);
  if (problem.severity === "error") li.className = "bad";
  return li;
}

function showReload(reload) {
  if (!reload) return;
  const words = {
    applied: "applied",
    unchanged: "nothing had changed",
    refused: "refused; the configuration from before stays in use",
  };
  const line = element("last-reload");
  line.textContent = `${date(reload.time)}: ${words[reload.result] ?? reload.result}`;
  line.className = reload.result === "refused" ? "bad" : "soft";
  element("problems").replaceChildren(...reload.problems.map(problemLine));
}

function show(status) {
  const at = performance.now();
  const seconds = previous ? (at - previous.at) / 1000 : 0;
  element("ready").textContent = status.ready ? "ready" : `not ready: ${status.not_ready}`;
  element("ready").className = status.ready ? "badge good" : "badge bad";
  element("about").textContent = `${status.version}, since ${date(status.started)}`;
  showTraffic(status, seconds);
  showTenants(status.tenants, seconds);
  showIssuers(status.issuers);
  showDenials(status.denials);
  showReload(status.last_reload);
  previous = { status, at };
}

async function look() {
  try {
    const answer = await fetch("status", { cache: "no-store" });
    if (!answer.ok) throw new Error(answer.statusText);
    show(await answer.json());
    element("lost").hidden = true;
  } catch {
    element("lost").hidden = false;
  }
  setTimeout(look, EVERY_MS);
}

element("reload").addEventListener("click", async () => {
  element("reload").disabled = true;
  try {
    const answer = await fetch("reload", { method: "POST" });
    showReload(await answer.json());
  } finally {
    element("reload").disabled = false;
  }
});

look();
