// SPDX-License-Identifier: GPL-2.0-or-later
// Which page is shown, and the news that all of them share.
import { get, listen, token } from "./api.js";
import { ask, failure, h, loading, replace } from "./dom.js";
import { domainPage } from "./domain.js";
import { jobsPage, seeJob } from "./jobs.js";
import { listPage } from "./list.js";
import { planPage } from "./plan.js";
import { profilesPage } from "./profiles.js";
import { repositoryPage } from "./repository.js";

const routes = [
  [/^$/, "list", listPage, "Machines"],
  [/^vm\/([^/]+)$/, "list", domainPage, "Machine"],
  [/^plan$/, "plan", planPage, "Plan"],
  [/^jobs$/, "jobs", jobsPage, "Jobs"],
  [/^profiles(?:\/([^/]+))?$/, "profiles", profilesPage, "Profiles"],
  [/^repository$/, "repository", repositoryPage, "Repository"],
];

// What pages get: who looks at them, and how they hear of news until they are left.
const state = { me: { scope: "none" }, handlers: [], leave: [], turn: 0 };

function may(scope) {
  const order = ["none", "read", "operate", "admin"];
  return order.indexOf(state.me.scope) >= order.indexOf(scope);
}

async function show() {
  const path = location.hash.replace(/^#\/?/, "");
  const main = document.getElementById("main"), turn = ++state.turn;
  const found = routes.find(([pattern]) => pattern.test(path)) ?? routes[0];
  const [pattern, page, view, title] = found;
  const argument = pattern.exec(path)?.[1];

  state.leave.forEach((call) => call());
  state.leave = [];
  state.handlers = [];
  document.title = `${title} – foresnap`;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.page === page) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  replace(main, loading(title.toLowerCase()));
  const context = {
    may, main,
    on: (call) => state.handlers.push(call),
    leave: (call) => state.leave.push(call),
    here: () => turn === state.turn,
    title: (text) => { document.title = `${text} – foresnap`; },
  };
  try {
    await view(context, argument && decodeURIComponent(argument));
  } catch (error) {
    if (turn === state.turn) replace(main, failure(error, show));
  }
}

let asking = false;

async function askToken() {
  if (asking) return;
  asking = true;
  const values = await ask("Sign in", h("label", {}, "Token ",
    h("input", { name: "token", type: "password", autocomplete: "off", required: true, autofocus: true, size: 30 }),
    h("p", { class: "soft small" }, "An administrator makes one by ", h("code", {}, "foresnap token add"), ". It stays in this tab.")), "Sign in");
  asking = false;
  if (values?.token) {
    token.set(values.token.trim());
    await begin();
  }
}

function onEvent(type, data) {
  if (type === "job") seeJob(data);
  for (const handler of state.handlers) handler(type, data);
}

async function begin() {
  state.me = await get("/v1/whoami").catch(() => ({ scope: "none" }));
  if (state.me.scope === "none") {
    replace(document.getElementById("main"),
      h("div", { class: "empty" }, h("strong", {}, "Sign in to see this host"),
        h("button", { class: "primary", onclick: askToken }, "Enter a token")));
    token.set(null);
    askToken();
    return;
  }
  window.removeEventListener("hashchange", show);
  window.addEventListener("hashchange", show);
  await show();
  if (!begin.listening) {
    begin.listening = true;
    const live = document.getElementById("live");
    listen(onEvent, (now) => {
      const back = now === "on" && live.dataset.state === "lost";
      live.dataset.state = now;
      live.textContent = now === "on" ? "live" : "reconnecting";
      if (back) show(); // what was missed meanwhile
    });
  }
}

token.whenNeeded(askToken);
begin();
