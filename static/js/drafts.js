// What is typed but not yet acknowledged survives a reload, a crash, a lost network.
// Each draft keeps the key of its last attempt: the same text sent again under the
// same key is one message for the server.

const PREFIX = "oracle.draft.";
const KEPT_MS = 7 * 24 * 3600 * 1000;

/** Return {text, key}; both empty when there is no draft. */
export function recall(name) {
  try {
    const draft = JSON.parse(localStorage.getItem(PREFIX + name));
    if (draft && Date.now() - draft.at < KEPT_MS) return draft;
  } catch {
    // Storage may be off or hold something else: then there is no draft.
  }
  return { text: "", key: "" };
}

export function keep(name, text, key = "") {
  try {
    if (text) localStorage.setItem(PREFIX + name, JSON.stringify({ text, key, at: Date.now() }));
    else localStorage.removeItem(PREFIX + name);
  } catch {
    // Full or forbidden storage must not stop anybody from writing.
  }
}

export function forgetAll() {
  try {
    const names = Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));
    for (const name of names) localStorage.removeItem(name);
  } catch {
    // Nothing can be stored, so nothing is left.
  }
}

/** A new key; crypto.randomUUID exists on secure origins only. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
