// SPDX-License-Identifier: GPL-2.0-or-later
// What the page asks, and what it is told. A token, where one is needed, stays in this tab.

const KEY = "foresnap-token";
let onNoToken = () => {};

export const token = {
  get: () => sessionStorage.getItem(KEY),
  set: (value) => (value ? sessionStorage.setItem(KEY, value) : sessionStorage.removeItem(KEY)),
  whenNeeded: (call) => { onNoToken = call; },
};

export class ApiError extends Error {
  constructor(status, document) {
    super(document?.error?.message ?? `the server answered ${status}`);
    this.status = status;
    this.document = document;
  }
}

function headers(more = {}) {
  const value = token.get();
  return value ? { ...more, Authorization: `Bearer ${value}` } : more;
}

async function request(method, path, body, more) {
  let reply;
  try {
    reply = await fetch(path, {
      method, headers: headers(body === undefined ? more : { ...more, "Content-Type": "application/json" }),
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Error("foresnap cannot be reached");
  }
  const document = await reply.json().catch(() => null);
  if (reply.status === 401) onNoToken();
  if (!reply.ok) throw new ApiError(reply.status, document);
  return document;
}

export const get = (path) => request("GET", path);
export const post = (path, body) => request("POST", path, body);
export const put = (path, body, more) => request("PUT", path, body, more);
export const del = (path, more) => request("DELETE", path, undefined, more);

// Server-sent events by fetch, since EventSource sends no token. Comes back when it is cut.
export async function listen(onEvent, onState) {
  for (;;) {
    try {
      const reply = await fetch("/v1/events", { headers: headers() });
      if (!reply.ok) throw new Error(String(reply.status));
      onState("on");
      await read(reply.body.getReader(), onEvent);
    } catch { /* said below */ }
    onState("lost");
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

async function read(reader, onEvent) {
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += decoder.decode(value, { stream: true });
    let end;
    while ((end = text.indexOf("\n\n")) >= 0) {
      const lines = text.slice(0, end).split("\n");
      text = text.slice(end + 2);
      const type = lines.find((l) => l.startsWith("event: "))?.slice(7);
      const data = lines.find((l) => l.startsWith("data: "))?.slice(6);
      if (type && data) onEvent(type, JSON.parse(data));
    }
  }
}
