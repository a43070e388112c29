// The box one writes in: grows, keeps drafts, sends once.
import * as drafts from "./drafts.js";
import { post } from "./post.js";

/**
 * Take over the composer. `onSent(answer)` gets the server's JSON. Returns
 * {setRunning(bool), show(problem), focus()}.
 */
export function takeOver(form, { onSent, onEscape = () => {} }) {
  const box = form.elements.message;
  const send = form.querySelector(".send-button");
  const stop = form.querySelector(".stop-button");
  const alertBox = form.querySelector(".composer-error");
  const max = Number(form.dataset.max);
  let isRunning = Boolean(stop && !stop.hidden);
  let isSending = false;
  let lastKey = "";
  let lastText = "";

  const draft = drafts.recall(form.dataset.draft);
  if (draft.text && !box.value) {
    box.value = draft.text;
    [lastText, lastKey] = [draft.key ? draft.text : "", draft.key];
  }

  function refresh() {
    form.dataset.state = isSending ? "sending" : isRunning ? "running" : "idle";
    send.hidden = isRunning && !isSending;
    send.disabled = isSending;
    if (stop) stop.hidden = !isRunning || isSending;
    grow();
    count();
  }

  function grow() {
    if (CSS.supports("field-sizing", "content")) return;
    box.style.height = "auto";
    box.style.height = `${box.scrollHeight}px`;
  }

  function count() {
    const length = [...box.value].length;
    const counter = form.querySelector(".composer-count");
    counter.hidden = length < max * 0.9;
    counter.classList.toggle("is-over", length > max);
    counter.textContent = `${length.toLocaleString()} of ${max.toLocaleString()} characters`;
  }

  function show(problem) {
    alertBox.hidden = !problem;
    if (!problem) return;
    alertBox.querySelector("[data-text]").textContent = problem.message;
    alertBox.querySelector("[data-resend]").hidden = problem.code === "SESSION_BUSY";
    alertBox.querySelector("[data-reload]").hidden = problem.code !== "SESSION_BUSY";
  }

  async function submit() {
    const text = box.value;
    if (isSending || isRunning || !text.trim()) return;
    // Only the very same text may reuse a key: another body under it is refused.
    if (text !== lastText || !lastKey) lastKey = drafts.newKey();
    lastText = text;
    drafts.keep(form.dataset.draft, text, lastKey);
    isSending = true;
    show(null);
    refresh();
    try {
      const fields = new FormData(form);
      fields.set("key", lastKey);
      const answer = await post(form.action, fields);
      drafts.keep(form.dataset.draft, "");
      if (box.value === text) box.value = "";
      lastText = lastKey = "";
      onSent(answer);
    } catch (problem) {
      show(problem);
    }
    isSending = false;
    refresh();
    box.focus();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  alertBox.querySelector("[data-resend]").addEventListener("click", submit);
  box.addEventListener("input", () => {
    drafts.keep(form.dataset.draft, box.value, box.value === lastText ? lastKey : "");
    refresh();
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && isRunning) onEscape();
    const isPlainEnter = event.key === "Enter" && !event.shiftKey && !event.isComposing;
    if (!isPlainEnter || !matchMedia("(hover: hover)").matches) return;
    event.preventDefault();
    submit();
  });

  refresh();
  return {
    setRunning(value) {
      isRunning = value;
      refresh();
    },
    show,
    focus: () => box.focus(),
  };
}
