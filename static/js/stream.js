// Follows a running answer: final blocks are appended, the open tail is replaced.
import { nodesOf } from "./dom.js";

const PAUSES_MS = [500, 1000, 2000, 4000, 8000, 8000, 8000];

/**
 * Show the answer that runs in `article` until it ends. `onChange(nodes)` is called
 * after each change, `onEnd(article)` with the finished message, `onLost()` when the
 * server can't be reached any more.
 */
export function follow(article, url, { onChange, onEnd, onLost }) {
  const body = article.querySelector(".message-body");
  const tailStart = document.createComment("tail");
  let isFresh = true;
  let closedChars = "0";
  let failures = 0;
  let source;

  function begin() {
    if (!isFresh) return;
    isFresh = false;
    closedChars = "0";
    body.replaceChildren(tailStart);
  }

  function dropTail() {
    while (tailStart.nextSibling) tailStart.nextSibling.remove();
  }

  function finish(html) {
    source.close();
    const finished = nodesOf(html).firstElementChild;
    article.replaceWith(finished);
    onEnd(finished);
  }

  function open() {
    source = new EventSource(`${url}?after=${closedChars}`);
    source.addEventListener("open", () => (failures = 0));
    source.addEventListener("block", (event) => {
      begin();
      dropTail();
      closedChars = event.lastEventId;
      const nodes = nodesOf(JSON.parse(event.data).html);
      onChange(nodes);
      tailStart.before(nodes);
    });
    source.addEventListener("tail", (event) => {
      begin();
      dropTail();
      const nodes = nodesOf(JSON.parse(event.data).html);
      onChange(nodes);
      body.append(nodes);
    });
    source.addEventListener("reset", () => {
      isFresh = true;
      begin();
    });
    source.addEventListener("end", (event) => finish(JSON.parse(event.data).html));
    source.addEventListener("error", () => {
      // The browser reconnects by itself unless the server refused or had nothing.
      if (source.readyState === EventSource.CLOSED) lookAgain();
    });
  }

  /** The stream is gone without its end: the stored page knows how it stands. */
  async function lookAgain() {
    if (failures >= PAUSES_MS.length) return onLost();
    await new Promise((resolve) => setTimeout(resolve, PAUSES_MS[failures]));
    failures += 1;
    const stored = await storedMessage(article.id);
    if (stored && !stored.hasAttribute("aria-busy")) finish(stored.outerHTML);
    else open();
  }

  open();
}

async function storedMessage(id) {
  try {
    const response = await fetch(location.pathname, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    return response.ok ? page.getElementById(id) : null;
  } catch {
    return null;
  }
}
